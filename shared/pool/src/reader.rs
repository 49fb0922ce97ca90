//! Reading the pool. There is no method here that writes.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::UserType;
use userlink_domain::{EmailKey, PoolUser, Sub, Username};

use crate::budget::{Budget, Category, Meter, Rates, Used};
use crate::call::call;
use crate::convert;
use crate::error::{PoolError, Remedy};
use crate::listing::Shard;

/// The most users that ListUsers gives in one page (API reference, ListUsers, `Limit`).
pub(crate) const PAGE: i32 = 60;

/// Which pool, and how to reach it.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    pub pool_id: String,
    /// Else the one that the pool's id begins with.
    pub region: Option<String>,
    /// A profile of AWS's configuration files, and nothing else; else the SDK's usual chain.
    pub aws_profile: Option<String>,
    /// Another place than AWS's: an emulator.
    pub endpoint_url: Option<String>,
    /// The attribute that names the row, with its `custom:` before it.
    pub attribute: String,
    pub rates: Rates,
    /// Signs with credentials that mean nothing, for an emulator that checks none. Only with an `endpoint_url`.
    pub made_up_credentials: bool,
}

/// What the pool says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    /// About how many users there are: a progress total, not a truth.
    pub estimated_users: u64,
    pub attribute: Attribute,
    /// The twelve digits of the AWS account that the pool is in, where its ARN says it.
    pub account: Option<String>,
    /// Whether people can sign up by themselves; else an administrator creates every user.
    pub self_sign_up: bool,
    /// Whether a function is called after a confirmation.
    pub post_confirmation: bool,
}

/// What the pool's schema says of the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    Mutable,
    /// It can be set when a user is made, and never again.
    Immutable,
    Missing,
}

/// Where a listing goes on. It is good for an hour.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    pub(crate) const fn new(token: String) -> Self {
        Self(token)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken(…)")
    }
}

/// One answer of a listing. It may hold no users and still not be the last.
#[derive(Clone, Debug)]
pub struct Page {
    pub users: Vec<PoolUser>,
    /// Only where this is missing has the listing come to its end.
    pub next: Option<PageToken>,
}

/// A pool that can be read.
#[derive(Clone)]
pub struct PoolReader {
    pub(crate) inner: Arc<Inner>,
    /// Somebody waits for what is asked.
    ahead: bool,
}

pub(crate) struct Inner {
    client: RwLock<Client>,
    pub(crate) budget: Budget,
    pub(crate) options: PoolOptions,
    region: String,
    pub(crate) place: Place,
}

impl Inner {
    pub(crate) fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The client holds credentials.
impl fmt::Debug for PoolReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolReader({} at {})", self.inner.options.pool_id, self.inner.place)
    }
}

/// Where requests go, as a person would say it.
pub(crate) enum Place {
    Region(String),
    Endpoint(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => write!(f, "Cognito in {region}"),
            Self::Endpoint(url) => f.write_str(url),
        }
    }
}

impl PoolReader {
    /// Finds credentials and makes a client. Nothing is asked of the pool yet.
    ///
    /// # Errors
    /// Where pool id and region contradict each other, the profile is not there, or there are no credentials.
    pub async fn connect(options: &PoolOptions) -> Result<Self, PoolError> {
        let region = region(options)?;
        let client = sign_in(options, &region).await?;
        let place = match &options.endpoint_url {
            Some(url) => Place::Endpoint(url.clone()),
            None => Place::Region(region.clone()),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                client: RwLock::new(client),
                budget: Budget::new(options.rates),
                options: options.clone(),
                region,
                place,
            }),
            ahead: false,
        })
    }

    /// The same pool for a person who waits: what is listed through this goes before what a scan has queued. Not for more than
    /// a few requests: the rate is kept only over a second or two.
    #[must_use]
    pub fn ahead(&self) -> Self {
        Self { ahead: true, ..self.clone() }
    }

    /// Looks for credentials anew, as a person may have signed in again. All clones of this reader use them.
    ///
    /// # Errors
    /// Where there are none that are good.
    pub async fn sign_in_again(&self) -> Result<(), PoolError> {
        let inner = &*self.inner;
        let client = sign_in(&inner.options, &inner.region).await?;
        *inner.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        Ok(())
    }

    /// What the pool says of itself (DescribeUserPool).
    ///
    /// # Errors
    /// Where the pool is not there, cannot be reached, or may not be described.
    pub async fn describe(&self) -> Result<Description, PoolError> {
        let inner = &*self.inner;
        let request = || inner.client().describe_user_pool().user_pool_id(&inner.options.pool_id).send();
        let answer = call(&inner.budget, Category::Describe, "DescribeUserPool", &inner.place, request).await?;
        let missing = || PoolError::new(Remedy::Failed, format!("{} described no pool.", inner.place));
        let pool = answer.user_pool().ok_or_else(missing)?;
        let of_schema = pool.schema_attributes().iter().find(|a| a.name() == Some(inner.options.attribute.as_str()));
        Ok(Description {
            name: pool.name().unwrap_or_default().to_owned(),
            estimated_users: u64::try_from(pool.estimated_number_of_users()).unwrap_or_default(),
            attribute: match of_schema.map(|found| found.mutable()) {
                None => Attribute::Missing,
                Some(Some(false)) => Attribute::Immutable,
                Some(_) => Attribute::Mutable,
            },
            account: pool.arn().and_then(account_of).map(str::to_owned),
            self_sign_up: !pool.admin_create_user_config().is_some_and(|it| it.allow_admin_create_user_only()),
            post_confirmation: pool
                .lambda_config()
                .and_then(|it| it.post_confirmation())
                .is_some_and(|arn| !arn.trim().is_empty()),
        })
    }

    #[cfg(feature = "profiles")]
    pub(crate) fn region(&self) -> &str {
        &self.inner.region
    }

    pub fn pool_id(&self) -> &str {
        &self.inner.options.pool_id
    }

    /// The attribute that names the row.
    pub fn attribute(&self) -> &str {
        &self.inner.options.attribute
    }

    /// The next page of a part of the pool (ListUsers), from the start where there is no token.
    ///
    /// # Errors
    /// Beside the usual ones [`Remedy::TokenExpired`]: then the listing begins anew.
    pub async fn page_of(&self, shard: Shard, after: Option<&PageToken>) -> Result<Page, PoolError> {
        self.list(shard.filter().as_deref(), after).await
    }

    /// One user by its sub. It costs nothing, unlike AdminGetUser, but may lag behind a write.
    ///
    /// # Errors
    /// The usual ones.
    pub async fn by_sub(&self, sub: Sub) -> Result<Option<PoolUser>, PoolError> {
        self.one(&filter("sub", &sub.to_string()), |user| user.sub == sub).await
    }

    /// One user by its username, never by an alias. It may lag behind a write.
    ///
    /// # Errors
    /// The usual ones.
    pub async fn by_username(&self, username: &Username) -> Result<Option<PoolUser>, PoolError> {
        self.one(&filter("username", username.as_str()), |user| user.username == *username).await
    }

    /// The users who have this e-mail, proved or not, written like this or with ASCII letters folded; at most so many. It
    /// may lag behind a write.
    ///
    /// # Errors
    /// The usual ones.
    pub async fn by_email(&self, email: &str, at_most: usize) -> Result<Vec<PoolUser>, PoolError> {
        let folded = EmailKey::of(email).map(|key| key.as_str().to_owned());
        let forms = [Some(email.to_owned()), folded.filter(|folded| folded != email)];
        let mut users: Vec<PoolUser> = Vec::new();
        for form in forms.into_iter().flatten() {
            let filter = filter("email", &form);
            let mut token = None;
            while users.len() < at_most {
                let page = self.list(Some(&filter), token.as_ref()).await?;
                for user in page.users {
                    if users.iter().all(|other| other.sub != user.sub) {
                        users.push(user);
                    }
                }
                match page.next {
                    None => break,
                    next => token = next,
                }
            }
        }
        users.truncate(at_most);
        Ok(users)
    }

    /// Makes no more than so many requests from here on, those that are made again included. What would be one more fails.
    pub fn limit(&self, requests: u64) {
        self.inner.budget.limit(requests);
    }

    /// What the request budget has been doing.
    pub fn meter(&self) -> Meter {
        self.inner.budget.meter()
    }

    /// What each category of the budget has been doing.
    pub fn used(&self) -> [Used; 4] {
        self.inner.budget.used()
    }

    /// The requests a second that listing may use when nothing is refused.
    pub fn list_rate(&self) -> f64 {
        self.inner.options.rates.list
    }

    /// How long the last page took to come, its turn in the budget left out.
    pub fn page_took(&self) -> Duration {
        self.inner.budget.took(Category::List)
    }

    async fn one(&self, filter: &str, is_meant: impl Fn(&PoolUser) -> bool) -> Result<Option<PoolUser>, PoolError> {
        let mut token = None;
        loop {
            let page = self.list(Some(filter), token.as_ref()).await?;
            if let Some(user) = page.users.into_iter().find(|user| is_meant(user)) {
                return Ok(Some(user));
            }
            match page.next {
                None => return Ok(None),
                next => token = next,
            }
        }
    }

    async fn list(&self, filter: Option<&str>, after: Option<&PageToken>) -> Result<Page, PoolError> {
        let inner = &*self.inner;
        let request = || {
            let request = inner.client().list_users().user_pool_id(&inner.options.pool_id).limit(PAGE);
            let request = request.set_filter(filter.map(str::to_owned));
            request.set_pagination_token(after.map(|token| token.0.clone())).send()
        };
        let category = if self.ahead { Category::Look } else { Category::List };
        let answer = call(&inner.budget, category, "ListUsers", &inner.place, request).await?;
        let users = answer.users().iter().map(|user| self.convert(user)).collect::<Result<_, _>>()?;
        let next = answer.pagination_token().filter(|token| !token.is_empty());
        Ok(Page { users, next: next.map(|token| PageToken(token.to_owned())) })
    }

    fn convert(&self, user: &UserType) -> Result<PoolUser, PoolError> {
        let outer = convert::Outer {
            username: user.username().unwrap_or_default(),
            status: user.user_status().map(|status| status.as_str()),
            enabled: user.enabled(),
            created: user.user_create_date(),
            modified: user.user_last_modified_date(),
        };
        let converted = convert::user(&outer, user.attributes(), &self.inner.options.attribute);
        converted.filter(|user| !user.username.as_str().is_empty()).ok_or_else(|| {
            PoolError::new(
                Remedy::Refused,
                format!("ListUsers: {} gave a user without a sub or username.", self.inner.place),
            )
        })
    }
}

/// A client with credentials that were found to be there.
async fn sign_in(options: &PoolOptions, region: &str) -> Result<Client, PoolError> {
    load(options, region).await.map(|config| Client::new(&config))
}

/// The configuration with credentials that are there.
pub(crate) async fn load(options: &PoolOptions, region: &str) -> Result<SdkConfig, PoolError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(20))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(profile) = &options.aws_profile {
        check_profile(profile).await?;
        // A profile that was asked for comes before credentials that happen to be in the environment.
        let of_region = ProviderConfig::without_region().with_region(Some(Region::new(region.to_owned())));
        let named = ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&of_region);
        loader = loader.profile_name(profile).credentials_provider(named.build());
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
        if options.made_up_credentials {
            loader = loader.credentials_provider(Credentials::new("none", "none", None, None, "emulator"));
        }
    }
    let config = loader.load().await;
    if let Some(provider) = config.credentials_provider() {
        provider.provide_credentials().await.map_err(|error| no_credentials(&error))?;
    } else {
        return Err(PoolError::new(Remedy::NoCredentials, "No AWS credentials were found."));
    }
    Ok(config)
}

/// Reads the machine's root certificates, for which the first client in a process waits some milliseconds. Whoever has a thread to
/// spare calls this ahead of time; a client that is made meanwhile waits for the rest.
pub fn read_root_certificates() {
    let config = aws_sdk_cognitoidentityprovider::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .build();
    drop(Client::from_conf(config));
}

/// `attribute = "value"`, with what would end the value escaped.
fn filter(attribute: &str, value: &str) -> String {
    format!("{attribute} = \"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}

/// The region to ask: the one that was set, which has to be the pool's own unless an endpoint was set, too.
fn region(options: &PoolOptions) -> Result<String, PoolError> {
    let Some((of_pool, name)) = options.pool_id.split_once('_') else {
        return Err(PoolError::new(
            Remedy::Settings,
            "pool_id is not written as REGION_NAME, for example eu-west-1_AbC123.",
        ));
    };
    if of_pool.is_empty() || name.is_empty() {
        return Err(PoolError::new(Remedy::Settings, "pool_id lacks its region or its name."));
    }
    match &options.region {
        Some(region) if region != of_pool && options.endpoint_url.is_none() => Err(PoolError::new(
            Remedy::Settings,
            format!("The pool's id says that it is in {of_pool}, and region says {region}."),
        )),
        Some(region) => Ok(region.clone()),
        None => Ok(of_pool.to_owned()),
    }
}

/// The account in an ARN: `arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A`.
pub fn account_of(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit())).then_some(account)
}

/// That AWS's files have a profile of this name. The SDK would go on without it, and find other credentials or none.
async fn check_profile(name: &str) -> Result<(), PoolError> {
    // The machine's own files and variables.
    let found = aws_config::profile::load(&Default::default(), &Default::default(), &Default::default(), None).await;
    let profiles = found.map_err(|_| PoolError::new(Remedy::Settings, "AWS's configuration files cannot be read."))?;
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let near = userlink_domain::nearest_name(name, profiles.profiles());
    let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    Err(PoolError::new(Remedy::Settings, format!("There is no AWS profile {name}.{hint}")))
}

fn no_credentials(error: &CredentialsError) -> PoolError {
    let text = aws_smithy_types::error::display::DisplayErrorContext(error).to_string().to_ascii_lowercase();
    if text.contains("expired") {
        PoolError::new(Remedy::CredentialsExpired, "The AWS credentials have expired.")
    } else {
        PoolError::new(Remedy::NoCredentials, "No AWS credentials were found.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pool_id: &str, region: Option<&str>, endpoint: Option<&str>) -> PoolOptions {
        PoolOptions {
            pool_id: pool_id.into(),
            region: region.map(Into::into),
            aws_profile: None,
            endpoint_url: endpoint.map(Into::into),
            attribute: "custom:userId".into(),
            rates: Rates::default(),
            made_up_credentials: false,
        }
    }

    #[test]
    fn a_filter_cannot_be_broken_out_of() {
        assert_eq!(filter("username", r#"a" or \x"#), r#"username = "a\" or \\x""#);
    }

    #[test]
    fn the_account_is_in_the_arn() {
        assert_eq!(account_of("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A"), Some("123456789012"));
        for odd in ["", "arn:aws:cognito-idp:eu-west-1::userpool/x", "arn:aws:cognito-idp:local:local:userpool/x"] {
            assert_eq!(account_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_region_is_the_pools_own() {
        assert_eq!(region(&options("eu-west-1_A", None, None)), Ok("eu-west-1".into()));
        let wrong = region(&options("eu-west-1_A", Some("us-east-1"), None)).map_err(|e| e.to_string());
        assert!(wrong.is_err_and(|text| text.contains("eu-west-1") && text.contains("us-east-1")));
        assert_eq!(region(&options("local_A", Some("us-east-1"), Some("http://x"))), Ok("us-east-1".into()));
        assert!(region(&options("nonsense", None, None)).is_err_and(|error| error.is_settings()));
    }
}
