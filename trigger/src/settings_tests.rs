#![allow(clippy::unwrap_used, reason = "a test may stop here")]

use super::*;

const URL: (&str, &str) = ("USERLINK_DATABASE_URL", "postgres://u:hunter2@db.example.org/app");

fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::read(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// What is said about one variable beside the database's URL.
fn said(name: &str, value: &str) -> String {
    read(&[URL, (name, value)]).unwrap_err().to_string()
}

#[test]
fn a_database_is_enough() {
    let settings = read(&[URL]).unwrap();
    assert_eq!(settings.mapping, Mapping::default());
    assert_eq!((settings.attribute.as_str(), settings.deadline.as_millis()), ("custom:userId", 4000));
    assert!(!settings.adopt_verified_email && !settings.store_unverified);
    assert_eq!((settings.on_email_taken, settings.on_failure), (OnEmailTaken::Hold, OnFailure::Error));
    assert_eq!((settings.sign_in, settings.retry_queue_url), (SignIn::Off, None));
    assert!(read(&[("DATABASE_URL", "sqlite://users.db")]).is_ok());
    assert_eq!(read(&[]).unwrap_err(), SettingsError::NoDatabase);
}

#[test]
fn everything_can_be_set() {
    let settings = read(&[
        URL,
        ("USERLINK_ATTRIBUTE", "custom:rowId"),
        ("USERLINK_TABLE", "app.people"),
        ("USERLINK_COLUMN_ID", "no"),
        ("USERLINK_COLUMN_SUB", "who"),
        ("USERLINK_COLUMN_EMAIL", ""),
        ("USERLINK_COLUMN_CREATED_AT", "made"),
        ("USERLINK_COLUMNS", "name=full_name, phone_number=phone"),
        ("USERLINK_ADOPT_VERIFIED_EMAIL", "true"),
        ("USERLINK_ON_EMAIL_TAKEN", "insert"),
        ("USERLINK_STORE_UNVERIFIED", "true"),
        ("USERLINK_ON_FAILURE", "continue"),
        ("USERLINK_DATABASE_AUTH", "password"),
        ("USERLINK_SIGN_IN", "insert"),
        ("USERLINK_RETRY_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/userlink"),
        ("USERLINK_ON_CONTRADICTION", "continue"),
        ("USERLINK_DEADLINE_MS", "3000"),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1"),
    ])
    .unwrap();
    assert_eq!((settings.mapping.id.as_str(), settings.mapping.email.as_deref()), ("no", None));
    assert_eq!(settings.columns[1], ("phone_number".to_owned(), "phone".to_owned()));
    assert_eq!((settings.on_email_taken, settings.on_failure), (OnEmailTaken::Insert, OnFailure::Continue));
    assert_eq!((settings.sign_in, settings.on_contradiction), (SignIn::Insert, OnContradiction::Continue));
    assert!(settings.retry_queue_url.unwrap().ends_with("/userlink"));
    assert_eq!(settings.endpoint_url.as_deref(), Some("http://127.0.0.1:1"));
}

#[test]
fn a_mistake_names_the_variable() {
    assert!(said("USERLINK_ON_FAILUER", "error").contains("Did you mean USERLINK_ON_FAILURE?"));
    for (name, value) in [
        ("USERLINK_ON_FAILURE", "ignore"),
        ("USERLINK_ON_EMAIL_TAKEN", "Hold"),
        ("USERLINK_STORE_UNVERIFIED", "yes"),
        ("USERLINK_ADOPT_VERIFIED_EMAIL", "1"),
        ("USERLINK_DEADLINE_MS", "5000"),
        ("USERLINK_DEADLINE_MS", "4s"),
        ("USERLINK_ATTRIBUTE", "userId"),
        ("USERLINK_ATTRIBUTE", " "),
        ("USERLINK_TABLE", ""),
        ("USERLINK_ON_CONTRADICTION", "maybe"),
        ("USERLINK_SIGN_IN", "on"),
        ("USERLINK_DATABASE_AUTH", "token"),
        ("USERLINK_RETRY_QUEUE_URL", "userlink-retry"),
        ("USERLINK_COLUMNS", "name"),
        ("USERLINK_COLUMNS", "email=mail"),
        ("USERLINK_COLUMNS", "name=email"),
        ("USERLINK_COLUMNS", "name=a,family_name=a"),
    ] {
        assert!(said(name, value).contains(name), "{name}={value}: {}", said(name, value));
    }
}

#[test]
fn a_password_comes_from_the_url_a_secret_or_the_role() {
    let arn = ("USERLINK_DATABASE_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf");
    let iam = ("USERLINK_DATABASE_AUTH", "iam");
    assert_eq!(read(&[URL]).unwrap().database.password, Password::InUrl);
    assert_eq!(read(&[arn]).unwrap().database.password, Password::Secret(arn.1.to_owned()));
    assert_eq!(read(&[URL, iam]).unwrap().database.password, Password::Iam);
    for wrong in [vec![URL, arn, iam], vec![iam], vec![("DATABASE_URL", "sqlite://x"), arn], vec![URL, (arn.0, "db")]] {
        assert!(read(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn rds_is_known_by_its_own_authorities_and_nobody_else_is() {
    for (host, known) in [
        ("app.cluster-abc.eu-west-1.rds.amazonaws.com", true),
        ("app.abc.rds.cn-north-1.rds.amazonaws.com.cn", true),
        ("rds.amazonaws.com.example.org", false),
        ("db.example.org", false),
    ] {
        let options = options(&format!("postgres://u@{host}/app"));
        assert_eq!(options.authorities.is_some(), known, "{host}");
        assert_eq!(options.check(), Ok(()));
    }
    let certificates = String::from_utf8_lossy(RDS_AUTHORITIES).matches("BEGIN CERTIFICATE").count();
    assert!(certificates > 50, "{certificates}");
}

#[test]
fn a_password_is_in_no_debug_and_no_error() {
    assert!(!format!("{:?}", read(&[URL]).unwrap()).contains("hunter2"));
    for url in
        ["mysql://u:hunter2@db/app", "postgres://u:hunter2@db:port/app", "postgres://u:hunter2@db/a?sslmode=hunter2"]
    {
        let error = read(&[("USERLINK_DATABASE_URL", url)]).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("USERLINK_DATABASE_URL") && !text.contains("hunter2"), "{text}");
    }
}
