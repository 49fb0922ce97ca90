//! The database's password, where it is not in the URL: a secret of Secrets Manager's, or a token that the role makes.
//!
//! Never in an error: what a secret holds.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use secrecy::SecretString;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::aws;

/// Why there is no password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PasswordError {
    #[error("Secrets Manager did not answer. Try again; in a VPC it needs an endpoint, or NAT.")]
    Unreachable,
    #[error(
        "Secrets Manager did not give the secret ({code}). Check USERLINK_DATABASE_SECRET_ARN, and that the role may call secretsmanager:GetSecretValue on it (and kms:Decrypt on its key)."
    )]
    Refused { code: String },
    #[error(
        "The database's secret cannot be used: {why}. Make it a JSON object with username, password and host, or give the host in USERLINK_DATABASE_URL."
    )]
    Secret { why: &'static str },
    #[error("There are no credentials of AWS's to make the database's token with. Give the function a role.")]
    NoCredentials,
}

impl PasswordError {
    pub(crate) fn is_transient(&self) -> bool {
        *self == Self::Unreachable
    }
}

/// The secret as it is now, made into the database's URL.
pub(crate) async fn from_secret(arn: &str, base: Option<&str>) -> Result<SecretString, PasswordError> {
    // A secret's region is in its ARN.
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    let client = aws_sdk_secretsmanager::Client::new(&aws::config(region).await);
    let answer =
        client.get_secret_value().secret_id(arn).send().await.map_err(|error| match error.as_service_error() {
            Some(refused) if error.raw_response().is_some_and(|raw| raw.status().as_u16() < 500) => {
                let code = refused.code().unwrap_or_default();
                PasswordError::Refused { code: code.chars().filter(char::is_ascii_alphanumeric).take(64).collect() }
            }
            _ => PasswordError::Unreachable,
        })?;
    url_of(base, answer.secret_string().unwrap_or_default())
}

/// A secret is a URL, or an object as RDS writes it: username and password at least, and where the database is, unless the
/// base says that.
fn url_of(base: Option<&str>, secret: &str) -> Result<SecretString, PasswordError> {
    let bad = |why| PasswordError::Secret { why };
    if secret.starts_with("postgres://") || secret.starts_with("postgresql://") {
        return Ok(secret.to_owned().into());
    }
    let secret: Value = serde_json::from_str(secret).map_err(|_| bad("it is no JSON object"))?;
    let text = |name: &str| secret.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let engine = text("engine").unwrap_or("postgres");
    if !engine.contains("postgres") {
        return Err(bad("its engine is another than PostgreSQL"));
    }
    let mut url = match (base, text("host")) {
        (Some(base), _) => Url::parse(base).map_err(|_| bad("USERLINK_DATABASE_URL cannot be read"))?,
        (None, Some(host)) => {
            let name = text("dbname").or_else(|| text("database")).unwrap_or("postgres");
            let port = secret.get("port").and_then(|port| port.as_u64().or_else(|| port.as_str()?.parse().ok()));
            let mut url = Url::parse("postgres://host").map_err(|_| bad("it has no host"))?;
            url.set_host(Some(host)).map_err(|_| bad("its host is none"))?;
            let port = port.map(u16::try_from).transpose().map_err(|_| bad("its port is none"))?;
            url.set_port(port).map_err(|()| bad("its port is none"))?;
            url.path_segments_mut().map_err(|()| bad("it has no host"))?.push(name);
            url
        }
        (None, None) => return Err(bad("it has no host")),
    };
    let (Some(username), Some(password)) = (text("username"), text("password")) else {
        return Err(bad("it has no username or no password"));
    };
    put(&mut url, Some(username), password).map_err(bad)?;
    Ok(String::from(url).into())
}

fn put(url: &mut Url, username: Option<&str>, password: &str) -> Result<(), &'static str> {
    let bad = |()| "USERLINK_DATABASE_URL has no host";
    if let Some(username) = username {
        url.set_username(username).map_err(bad)?;
    }
    url.set_password(Some(password)).map_err(bad)
}

/// How long RDS accepts a token.
const TOKEN: Duration = Duration::from_secs(900);

/// The URL with a token for its user in it, made here and now: no request goes anywhere.
pub(crate) async fn with_token(base: &str, region: Option<&str>) -> Result<SecretString, PasswordError> {
    let bad = |why| PasswordError::Secret { why };
    let mut url = Url::parse(base).map_err(|_| bad("USERLINK_DATABASE_URL cannot be read"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let of_host = host.strip_suffix(".rds.amazonaws.com").and_then(|rest| rest.rsplit('.').next()).map(str::to_owned);
    let config = aws::config(of_host.as_deref().or(region)).await;
    let provider = config.credentials_provider().ok_or(PasswordError::NoCredentials)?;
    let credentials = provider.provide_credentials().await.map_err(|_| PasswordError::NoCredentials)?;
    let region = config.region().ok_or(PasswordError::NoCredentials)?.as_ref().to_owned();
    let at = format!("{host}:{}", url.port().unwrap_or(5432));
    let token = token(&at, url.username(), &region, &credentials.into(), SystemTime::now())?;
    put(&mut url, None, &token).map_err(bad)?;
    Ok(String::from(url).into())
}

/// A request to the service `rds-db`, signed, without its `https://` (AWS, "Connecting using IAM authentication").
fn token(at: &str, user: &str, region: &str, identity: &Identity, now: SystemTime) -> Result<String, PasswordError> {
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(TOKEN);
    settings.signature_location = SignatureLocation::QueryParams;
    let fail = || PasswordError::NoCredentials;
    let parameters = v4::SigningParams::builder()
        .identity(identity)
        .region(region)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|_| fail())?;
    // A user's name comes out of a URL, and so is encoded as one already.
    let request = format!("https://{at}/?Action=connect&DBUser={user}");
    let signable = SignableRequest::new("GET", &request, std::iter::empty(), SignableBody::Bytes(&[]));
    let (signed, _) = sign(signable.map_err(|_| fail())?, &parameters.into()).map_err(|_| fail())?.into_parts();
    let mut url = Url::parse(&request).map_err(|_| fail())?;
    for (name, value) in signed.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(String::from(url).trim_start_matches("https://").to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop here")]
    use aws_credential_types::Credentials;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn url(base: Option<&str>, secret: &str) -> Result<String, PasswordError> {
        url_of(base, secret).map(|url| url.expose_secret().to_owned())
    }

    #[test]
    fn a_secret_is_a_url_or_what_rds_writes() {
        let whole = r#"{"username":"app","password":"a/b@c:d","host":"db.example.org","port":5433,"dbname":"users","engine":"postgres"}"#;
        assert_eq!(url(None, whole).unwrap(), "postgres://app:a%2Fb%40c%3Ad@db.example.org:5433/users");
        let text = whole.replace("5433", "\"5433\"");
        assert_eq!(url(None, &text), url(None, whole));
        // RDS's own secrets have nothing else.
        let short = r#"{"username":"app","password":"p"}"#;
        let base = "postgres://db.example.org/users?sslmode=verify-full";
        assert_eq!(url(Some(base), short).unwrap(), "postgres://app:p@db.example.org/users?sslmode=verify-full");
        assert_eq!(url(None, "postgres://u:p@db/app").unwrap(), "postgres://u:p@db/app");
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_said_without_it() {
        for wrong in [
            "hunter2",
            r#"{"password":"hunter2","host":"db"}"#,
            r#"{"username":"u","password":"hunter2"}"#,
            r#"{"username":"u","password":"hunter2","host":"db","port":99999}"#,
            r#"{"username":"u","password":"hunter2","host":"db","engine":"mysql"}"#,
        ] {
            let error = url(None, wrong).unwrap_err().to_string();
            assert!(error.contains("USERLINK_DATABASE_URL") && !error.contains("hunter2"), "{error}");
        }
    }

    /// Made by botocore 1.44 (`generate_db_auth_token`) for the same moment.
    #[test]
    fn a_token_is_the_one_that_aws_s_own_client_makes() {
        let identity = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test").into();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let made = token("db.abc.eu-west-1.rds.amazonaws.com:5432", "app_user", "eu-west-1", &identity, now).unwrap();
        assert_eq!(made, include_str!("token.txt").trim());
    }
}
