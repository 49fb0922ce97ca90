//! What the pool's app clients let their users do: who may write the attribute, and how long tokens are good.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::{TimeUnitsType, UserPoolClientType};

use crate::budget::Category;
use crate::call::call;
use crate::error::{PoolError, Remedy};
use crate::reader::PoolReader;

/// App clients in one answer: as many as ListUserPoolClients gives at most.
const PAGE: i32 = 60;
/// In seconds.
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Whether users can write the attribute themselves; then it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Every app client names what its users may write, and the attribute is not among it.
    No,
    /// These app clients let their users write it.
    ///
    /// One that names nothing at all is among them: AWS's pages contradict each other on what that allows for custom
    /// attributes, and users have been seen to write them. Only a list without the attribute is safe.
    By(Vec<String>),
    /// They could not be looked at, for this reason: mostly [`Remedy::NotPermitted`]. (DescribeUserPoolClient gives the
    /// client's secret, so that not every role should.)
    Unknown(Remedy),
}

/// An app client, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppClient {
    pub name: String,
    /// Whether it lets its users write the attribute, or does not say that it does not.
    pub writes: bool,
    /// How long its ID tokens are good: so long one that was issued says what the attribute was then.
    pub id_token: Duration,
    /// For how long they can be renewed without signing in again.
    pub refresh_token: Duration,
}

/// The pool's app clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppClients {
    Known(Vec<AppClient>),
    /// They could not be looked at, for this reason.
    Unknown(Remedy),
}

impl PoolReader {
    /// Looks at every app client (ListUserPoolClients, DescribeUserPoolClient), one request each.
    ///
    /// # Errors
    /// The usual ones; that it is not permitted is no error but [`Writable::Unknown`].
    pub async fn writable(&self) -> Result<Writable, PoolError> {
        Ok(match self.app_clients().await? {
            AppClients::Unknown(remedy) => Writable::Unknown(remedy),
            AppClients::Known(clients) => {
                let names: Vec<_> = clients.into_iter().filter(|it| it.writes).map(|it| it.name).collect();
                if names.is_empty() { Writable::No } else { Writable::By(names) }
            }
        })
    }

    /// Looks at every app client, one request each.
    ///
    /// # Errors
    /// The usual ones; that it is not permitted is no error but [`AppClients::Unknown`].
    pub async fn app_clients(&self) -> Result<AppClients, PoolError> {
        match self.look_at_clients().await {
            Ok(clients) => Ok(AppClients::Known(clients)),
            Err(error) if error.remedy() == Remedy::NotPermitted => Ok(AppClients::Unknown(error.remedy())),
            Err(error) => Err(error),
        }
    }

    async fn look_at_clients(&self) -> Result<Vec<AppClient>, PoolError> {
        let inner = &*self.inner;
        let mut clients = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = || {
                let request =
                    inner.client().list_user_pool_clients().user_pool_id(&inner.options.pool_id).max_results(PAGE);
                request.set_next_token(token.clone()).send()
            };
            let page = call(&inner.budget, Category::Describe, "ListUserPoolClients", &inner.place, request).await?;
            for listed in page.user_pool_clients() {
                let (Some(id), name) = (listed.client_id(), listed.client_name().unwrap_or_default()) else { continue };
                let request = || {
                    inner.client().describe_user_pool_client().user_pool_id(&inner.options.pool_id).client_id(id).send()
                };
                match call(&inner.budget, Category::Describe, "DescribeUserPoolClient", &inner.place, request).await {
                    Ok(answer) => clients.push(seen(name, answer.user_pool_client(), &inner.options.attribute)),
                    // It was deleted since it was listed. Were it the pool that is gone, the next page would say so.
                    Err(error) if error.remedy() == Remedy::PoolMissing => {}
                    Err(error) => return Err(error),
                }
            }
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(clients);
            }
        }
    }
}

/// What a description says. What it leaves out is as AWS has it by default: an hour, and thirty days.
fn seen(name: &str, client: Option<&UserPoolClientType>, attribute: &str) -> AppClient {
    let writes = client.is_none_or(|client| {
        let named = client.write_attributes();
        named.is_empty() || named.iter().any(|it| it == attribute)
    });
    let units = client.and_then(|client| client.token_validity_units());
    let id_token = client.and_then(|client| client.id_token_validity()).filter(|validity| *validity > 0);
    let refresh = client.map(|client| client.refresh_token_validity()).filter(|validity| *validity > 0);
    let lasts = |validity: Option<i32>, unit: Option<&TimeUnitsType>, usual: (u64, u64)| {
        let each = unit.map_or(usual.1, |unit| match unit {
            TimeUnitsType::Seconds => 1,
            TimeUnitsType::Minutes => 60,
            TimeUnitsType::Hours => HOUR,
            _ => DAY,
        });
        let validity = validity.and_then(|validity| u64::try_from(validity).ok());
        validity.map_or(Duration::from_secs(usual.0), |validity| Duration::from_secs(validity.saturating_mul(each)))
    };
    AppClient {
        name: name.to_owned(),
        writes,
        id_token: lasts(id_token, units.and_then(|units| units.id_token()), (HOUR, HOUR)),
        refresh_token: lasts(refresh, units.and_then(|units| units.refresh_token()), (30 * DAY, DAY)),
    }
}
