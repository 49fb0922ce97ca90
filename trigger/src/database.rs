//! The connection to the database, and the password that it is made with.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tokio::sync::Mutex;
use userlink_db::{Db, DbError, Linking, Mapping};

use crate::password::{self, PasswordError};
use crate::settings::{Password, Settings, options};

/// A token is good for fifteen minutes; one that is older than this is made anew before it can be needed.
const TOKEN_AT_MOST: Duration = Duration::from_secs(300);

/// What went wrong on the way to the table, or there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum DatabaseError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The secret was changed, most likely: it is fetched again, once.
    #[error("The database refused the password that the secret had. The secret is fetched again.")]
    Outdated,
}

impl DatabaseError {
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::Password(error) => error.is_transient(),
            Self::Outdated => true,
        }
    }
}

/// The table, looked at once, and whatever its connection is made with.
pub(crate) struct Database {
    url: Option<SecretString>,
    password: Password,
    mapping: Mapping,
    columns: Vec<String>,
    region: Option<String>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    db: Option<Db>,
    linking: Option<Linking>,
    /// When the password was fetched or made; none where it is of no use any more.
    password_since: Option<Instant>,
}

impl Database {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            url: settings.database.url.clone(),
            password: settings.database.password.clone(),
            mapping: settings.mapping.clone(),
            columns: settings.columns.iter().map(|(_, column)| column.clone()).collect(),
            region: settings.region.clone(),
            kept: Mutex::default(),
        }
    }

    /// The table. Connections that are made from now on have a password that is good, as far as is known.
    pub(crate) async fn linking(&self) -> Result<Linking, DatabaseError> {
        let mut kept = self.kept.lock().await;
        let good = match self.password {
            Password::InUrl | Password::Secret(_) => kept.password_since.is_some(),
            Password::Iam => kept.password_since.is_some_and(|since| since.elapsed() < TOKEN_AT_MOST),
        };
        if !good || kept.db.is_none() {
            let url = self.url().await?;
            let options = options(url.expose_secret());
            match &kept.db {
                Some(db) => db.connect_like(&options)?,
                None => kept.db = Some(Db::lazily(&options)?),
            }
            kept.password_since = Some(Instant::now());
        }
        if let Some(linking) = &kept.linking {
            return Ok(linking.clone());
        }
        let db = kept.db.clone().ok_or(DbError::Url)?;
        let table = db.open(self.mapping.clone()).await?;
        Ok(kept.linking.insert(Linking::new(table, self.columns.clone())?).clone())
    }

    async fn url(&self) -> Result<SecretString, DatabaseError> {
        let base = self.url.as_ref().map(|url| url.expose_secret());
        Ok(match (&self.password, base) {
            (Password::Secret(arn), base) => password::from_secret(arn, base).await?,
            (Password::Iam, Some(base)) => password::with_token(base, self.region.as_deref()).await?,
            (Password::InUrl, Some(base)) => base.to_owned().into(),
            (Password::Iam | Password::InUrl, None) => return Err(DbError::Url.into()),
        })
    }

    /// The table, where it was looked at already.
    pub(crate) async fn known(&self) -> Option<Linking> {
        self.kept.lock().await.linking.clone()
    }

    /// The table may have been changed: it is looked at again.
    pub(crate) async fn forget_table(&self) {
        self.kept.lock().await.linking = None;
    }

    /// The password was refused. Whether another can be had: the secret is fetched again with the next attempt.
    pub(crate) async fn forget_password(&self) -> bool {
        self.kept.lock().await.password_since = None;
        matches!(self.password, Password::Secret(_))
    }
}
