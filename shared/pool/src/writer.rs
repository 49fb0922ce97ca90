//! Writing the one attribute, and ending the sessions of a user. Only who holds a [`PoolWriter`] can write anything.

use aws_sdk_cognitoidentityprovider::types::AttributeType;
use userlink_domain::{PoolUser, RowId, Username};

use crate::budget::Category;
use crate::call::{call, once};
use crate::convert;
use crate::error::{PoolError, Remedy};
use crate::reader::PoolReader;

/// The longest value that Cognito takes for an attribute, in characters (quotas page, "custom attributes").
const LONGEST: usize = 2048;

/// A pool that can be read, and in which the attribute can be written.
///
/// A write is sent once, whatever becomes of it. [`Remedy::Throttled`] says that it was not carried out;
/// [`PoolError::may_have_been_done`] that only reading can tell.
#[derive(Clone, Debug)]
pub struct PoolWriter(PoolReader);

/// That the budget lets one write be sent now. What is to be found before the write is read after this has come, so that
/// no waiting lies between.
#[derive(Debug)]
#[must_use]
pub struct Turn(());

impl PoolWriter {
    pub fn new(reader: PoolReader) -> Self {
        Self(reader)
    }

    pub fn reader(&self) -> &PoolReader {
        &self.0
    }

    /// The user as it is at this moment (AdminGetUser, which does not lag). It makes the user a monthly active one,
    /// which is billed: for the reads just before and after a write.
    ///
    /// # Errors
    /// [`Remedy::UserMissing`] where there is none, and the usual ones.
    pub async fn current(&self, username: &Username) -> Result<PoolUser, PoolError> {
        self.current_with_attributes(username).await.map(|(user, _)| user)
    }

    /// The same, with every attribute that the user has, as names and values.
    ///
    /// # Errors
    /// As for [`Self::current`].
    pub async fn current_with_attributes(
        &self,
        username: &Username,
    ) -> Result<(PoolUser, Vec<(String, String)>), PoolError> {
        let inner = &*self.0.inner;
        let request =
            || inner.client().admin_get_user().user_pool_id(&inner.options.pool_id).username(username.as_str()).send();
        let answer = call(&inner.budget, Category::Read, "AdminGetUser", &inner.place, request).await?;
        let outer = convert::Outer {
            username: answer.username(),
            status: answer.user_status().map(|status| status.as_str()),
            enabled: answer.enabled(),
            created: answer.user_create_date(),
            modified: answer.user_last_modified_date(),
        };
        let user = convert::user(&outer, answer.user_attributes(), &inner.options.attribute).ok_or_else(|| {
            PoolError::new(Remedy::Refused, format!("AdminGetUser: {} gave a user without a sub.", inner.place))
        })?;
        let pair = |attribute: &AttributeType| Some((attribute.name().to_owned(), attribute.value()?.to_owned()));
        Ok((user, answer.user_attributes().iter().filter_map(pair).collect()))
    }

    /// Waits until the budget lets a write be sent.
    pub async fn turn(&self) -> Turn {
        self.0.inner.budget.take(Category::Update).await;
        Turn(())
    }

    /// Writes the row's id into the attribute (AdminUpdateUserAttributes).
    ///
    /// # Errors
    /// An id that is blank or too long is refused here: a blank value would delete the attribute.
    pub async fn write_user_id(&self, _turn: Turn, username: &Username, id: &RowId) -> Result<(), PoolError> {
        let value = id.to_string();
        if value.trim().is_empty() {
            let text = "The row's id is blank, and a blank value deletes the attribute.";
            return Err(PoolError::new(Remedy::IdUnusable, text));
        }
        if value.chars().count() > LONGEST {
            let text = "The row's id is longer than the 2,048 characters of an attribute.";
            return Err(PoolError::new(Remedy::IdUnusable, text));
        }
        let inner = &*self.0.inner;
        let attribute = AttributeType::builder().name(&inner.options.attribute).value(value).build();
        let attribute = attribute.map_err(|_| PoolError::new(Remedy::Settings, "The attribute has no name."))?;
        let request = inner.client().admin_update_user_attributes().user_pool_id(&inner.options.pool_id);
        let request = request.username(username.as_str()).user_attributes(attribute).send();
        once(&inner.budget, Category::Update, "AdminUpdateUserAttributes", &inner.place, request).await?;
        Ok(())
    }

    /// Deletes the attribute (AdminDeleteUserAttributes).
    ///
    /// # Errors
    /// The usual ones.
    pub async fn clear_user_id(&self, _turn: Turn, username: &Username) -> Result<(), PoolError> {
        let inner = &*self.0.inner;
        let request = inner.client().admin_delete_user_attributes().user_pool_id(&inner.options.pool_id);
        let request = request.username(username.as_str()).user_attribute_names(&inner.options.attribute).send();
        once(&inner.budget, Category::Update, "AdminDeleteUserAttributes", &inner.place, request).await?;
        Ok(())
    }

    /// Ends the user's sessions everywhere (AdminUserGlobalSignOut). Tokens that were issued stay valid until they expire
    /// where nobody asks the pool about them.
    ///
    /// # Errors
    /// The usual ones.
    pub async fn sign_out(&self, _turn: Turn, username: &Username) -> Result<(), PoolError> {
        let inner = &*self.0.inner;
        let request = inner.client().admin_user_global_sign_out().user_pool_id(&inner.options.pool_id);
        let request = request.username(username.as_str()).send();
        once(&inner.budget, Category::Update, "AdminUserGlobalSignOut", &inner.place, request).await?;
        Ok(())
    }

    /// Keeps the user from signing in (AdminDisableUser), or lets them again (AdminEnableUser).
    ///
    /// # Errors
    /// The usual ones.
    pub async fn set_enabled(&self, _turn: Turn, username: &Username, enabled: bool) -> Result<(), PoolError> {
        let (inner, name) = (&*self.0.inner, username.as_str());
        let (client, pool_id) = (inner.client(), &inner.options.pool_id);
        if enabled {
            let request = client.admin_enable_user().user_pool_id(pool_id).username(name).send();
            once(&inner.budget, Category::Update, "AdminEnableUser", &inner.place, request).await?;
        } else {
            let request = client.admin_disable_user().user_pool_id(pool_id).username(name).send();
            once(&inner.budget, Category::Update, "AdminDisableUser", &inner.place, request).await?;
        }
        Ok(())
    }
}
