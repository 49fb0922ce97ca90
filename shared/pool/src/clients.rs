//! What the pool's app clients let their users do: who may write the attribute, and how long tokens are good.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::{TimeUnitsType, UserPoolClientType};

use crate::budget::Category;
use crate::call::call;
use crate::error::{PoolError, Remedy};
use crate::reader::PoolReader;

/// App clients in one answer: as many as ListUserPoolClients gives at most.
const PAGE: i32 = 60;

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
    /// How long its access tokens are good.
    pub access_token: Duration,
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
        let mut clients = Vec::new();
        let attribute = &self.inner.options.attribute;
        self.each_client(|name, client| clients.push(seen(name, client, attribute))).await?;
        Ok(clients)
    }

    /// For how long a token that was issued may be used: the longest that an app client gives its access and id tokens. None
    /// where the clients may not be looked at.
    ///
    /// Where a client says nothing it is an hour (Amazon Cognito developer guide, "Using tokens").
    ///
    /// # Errors
    /// The usual ones; that it is not permitted is no error.
    pub async fn token_validity(&self) -> Result<Option<Duration>, PoolError> {
        Ok(match self.app_clients().await? {
            // A pool without a client has given no token; what came by then is not known.
            AppClients::Known(clients) => {
                Some(clients.iter().map(|it| it.access_token.max(it.id_token)).max().unwrap_or(HOUR))
            }
            AppClients::Unknown(_) => None,
        })
    }

    /// Looks at every app client, by its name.
    async fn each_client(&self, mut look: impl FnMut(&str, Option<&UserPoolClientType>)) -> Result<(), PoolError> {
        let inner = &*self.inner;
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
                let answer = call(&inner.budget, Category::Describe, "DescribeUserPoolClient", &inner.place, request);
                match answer.await {
                    Ok(answer) => look(name, answer.user_pool_client()),
                    // It was deleted since it was listed. Were it the pool that is gone, the next page would say so.
                    Err(error) if error.remedy() == Remedy::PoolMissing => {}
                    Err(error) => return Err(error),
                }
            }
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(());
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
    let access = client.and_then(|client| client.access_token_validity());
    let id = client.and_then(|client| client.id_token_validity());
    let refresh = client.map(|client| client.refresh_token_validity()).filter(|validity| *validity > 0);
    // Of a refresh token the unit is days where none is named.
    let in_days = units.and_then(|units| units.refresh_token()).unwrap_or(&TimeUnitsType::Days);
    AppClient {
        name: name.to_owned(),
        writes,
        access_token: lasts(access, units.and_then(|units| units.access_token())),
        id_token: lasts(id, units.and_then(|units| units.id_token())),
        refresh_token: lasts(
            Some(refresh.unwrap_or(30)),
            Some(if refresh.is_some() { in_days } else { &TimeUnitsType::Days }),
        ),
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// A validity with its unit, which is hours where none is named.
fn lasts(number: Option<i32>, unit: Option<&TimeUnitsType>) -> Duration {
    let Some(number) = number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0) else {
        return HOUR;
    };
    let seconds = match unit {
        Some(TimeUnitsType::Seconds) => 1,
        Some(TimeUnitsType::Minutes) => 60,
        Some(TimeUnitsType::Days) => 86_400,
        _ => 3_600,
    };
    Duration::from_secs(number.saturating_mul(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validity_has_a_unit_and_a_default() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        assert_eq!(lasts(None, None), HOUR);
        assert_eq!(lasts(Some(0), Some(&TimeUnitsType::Minutes)), HOUR);
        assert_eq!(lasts(Some(5), Some(&TimeUnitsType::Minutes)), minutes(5));
        assert_eq!(lasts(Some(2), None), 2 * HOUR);
        assert_eq!(lasts(Some(1), Some(&TimeUnitsType::Days)), 24 * HOUR);
    }
}
