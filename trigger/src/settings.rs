//! The function's settings, from variables. A mistake is an error before the first event, and names the variable.
//!
//! Never in an error or a `Debug`: what a variable with a URL holds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use thiserror::Error;
use userlink_db::{DbError, DbOptions, Mapping};
use userlink_domain::nearest_name;

/// What is done where another row has the user's e-mail, and the column is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEmailTaken {
    /// No row; the event goes back, and a person looks at it.
    Hold,
    Error,
    /// A row without the e-mail.
    Insert,
}

/// What is done where the user could not be linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    Error,
    /// The event goes back, and the dashboard shows who is not linked.
    Continue,
}

/// What a sign-in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    Off,
    /// Contradictions are looked for, and nothing is written.
    Check,
    /// What is there is tied.
    Link,
    /// Rows are inserted, too.
    Insert,
}

/// What is done where somebody signs in whose attribute names a row that carries another user's sub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnContradiction {
    /// The sign-in is refused.
    Error,
    Continue,
}

/// Where the database is. The URL may be without a password, and be missing where the secret says it all.
#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: Option<SecretString>,
    pub password: Password,
}

/// Where the password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    InUrl,
    /// A secret of Secrets Manager's, by its ARN.
    Secret(String),
    /// A token that the role makes for itself (RDS calls it IAM authentication).
    Iam,
}

/// A URL holds a password.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseSettings({:?})", self.password)
    }
}

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    pub database: DatabaseSettings,
    pub mapping: Mapping,
    /// The attribute that names the row, with its `custom:` before it.
    pub attribute: String,
    /// Further attributes and the columns that they go into.
    pub columns: Vec<(String, String)>,
    pub adopt_verified_email: bool,
    pub on_email_taken: OnEmailTaken,
    pub store_unverified: bool,
    pub on_failure: OnFailure,
    /// An SQS queue that gets every link not made.
    pub retry_queue_url: Option<String>,
    pub sign_in: SignIn,
    pub on_contradiction: OnContradiction,
    pub deadline: Duration,
    /// AWS's own variable: another place than AWS's for the pool.
    pub endpoint_url: Option<String>,
    /// AWS's own variable. The pool's id says its region; this counts only where the endpoint is another.
    pub region: Option<String>,
}

/// What is wrong with the variables.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    #[error("There is no variable {name}.{} Correct its name, or remove it.", meant(nearest))]
    Unknown { name: String, nearest: Option<String> },
    #[error(
        "No database is named. Set USERLINK_DATABASE_URL (or DATABASE_URL) to postgres://… or sqlite://…, or USERLINK_DATABASE_SECRET_ARN."
    )]
    NoDatabase,
    #[error("{name} cannot be {value:?}. It is {wanted}.")]
    Value { name: &'static str, value: String, wanted: &'static str },
    #[error("{name} is blank. Set it, or remove it.")]
    Blank { name: &'static str },
    #[error("USERLINK_COLUMNS cannot be read at {part:?}: {why}. Write it as name=full_name,phone_number=phone.")]
    Columns { part: String, why: &'static str },
    #[error("{name} and {other} contradict each other. Remove one of them.")]
    Both { name: &'static str, other: &'static str },
    #[error("{name}: {error}")]
    Database { name: &'static str, error: DbError },
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" Did you mean {name}?")).unwrap_or_default()
}

const KNOWN: [&str; 18] = [
    "USERLINK_DATABASE_URL",
    "USERLINK_DATABASE_SECRET_ARN",
    "USERLINK_DATABASE_AUTH",
    "USERLINK_ATTRIBUTE",
    "USERLINK_TABLE",
    "USERLINK_COLUMN_ID",
    "USERLINK_COLUMN_SUB",
    "USERLINK_COLUMN_EMAIL",
    "USERLINK_COLUMN_CREATED_AT",
    "USERLINK_COLUMNS",
    "USERLINK_ADOPT_VERIFIED_EMAIL",
    "USERLINK_ON_EMAIL_TAKEN",
    "USERLINK_STORE_UNVERIFIED",
    "USERLINK_ON_FAILURE",
    "USERLINK_RETRY_QUEUE_URL",
    "USERLINK_SIGN_IN",
    "USERLINK_ON_CONTRADICTION",
    "USERLINK_DEADLINE_MS",
];

/// Cognito waits five seconds; what is left is for the way back.
const LONGEST: u64 = 4900;
const SHORTEST: u64 = 200;

/// What one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(1);
/// What one statement may take, while a table is looked at for the first time.
const STATEMENT: Duration = Duration::from_millis(1500);

/// How this database is reached: with one connection, and with RDS's own authorities where it is one of RDS's.
pub(crate) fn options(url: &str) -> DbOptions {
    let host =
        url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase)).unwrap_or_default();
    let of_rds = host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn");
    DbOptions {
        statement_timeout: STATEMENT,
        connect_timeout: CONNECT,
        max_connections: 1,
        authorities: of_rds.then_some(RDS_AUTHORITIES),
        ..DbOptions::new(url)
    }
}

/// The authorities that RDS's certificates come from, in all regions, as AWS publishes them. They are private ones, in no
/// list of public authorities. (Those of RDS Proxy are public.)
const RDS_AUTHORITIES: &[u8] = include_bytes!("rds.pem");

impl Settings {
    /// Reads them. Variables that do not begin with `USERLINK_` are looked at only where the contract names them.
    ///
    /// # Errors
    /// The first mistake.
    pub fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let variables = Variables(variables.into_iter().collect());
        variables.check_names()?;
        let database = variables.database()?;
        let mapping = variables.mapping()?;
        let attribute = variables.word("USERLINK_ATTRIBUTE")?.unwrap_or("custom:userId").to_owned();
        if !attribute.starts_with("custom:") || attribute.len() == "custom:".len() {
            let wanted = "an attribute of your own, with custom: before its name";
            return Err(SettingsError::Value { name: "USERLINK_ATTRIBUTE", value: attribute, wanted });
        }
        let columns = columns(variables.word("USERLINK_COLUMNS")?.unwrap_or_default(), &mapping, &attribute)?;
        let truth =
            |name| Ok(variables.choice(name, &[("true", true), ("false", false)], "true or false")?.unwrap_or(false));
        let taken = [("hold", OnEmailTaken::Hold), ("error", OnEmailTaken::Error), ("insert", OnEmailTaken::Insert)];
        let failure = [("error", OnFailure::Error), ("continue", OnFailure::Continue)];
        let sign_in =
            [("off", SignIn::Off), ("check", SignIn::Check), ("link", SignIn::Link), ("insert", SignIn::Insert)];
        let contradiction = [("error", OnContradiction::Error), ("continue", OnContradiction::Continue)];
        Ok(Self {
            adopt_verified_email: truth("USERLINK_ADOPT_VERIFIED_EMAIL")?,
            on_email_taken: variables
                .choice("USERLINK_ON_EMAIL_TAKEN", &taken, "hold, error or insert")?
                .unwrap_or(OnEmailTaken::Hold),
            store_unverified: truth("USERLINK_STORE_UNVERIFIED")?,
            on_failure: variables
                .choice("USERLINK_ON_FAILURE", &failure, "error or continue")?
                .unwrap_or(OnFailure::Error),
            retry_queue_url: variables.queue_url()?,
            sign_in: variables
                .choice("USERLINK_SIGN_IN", &sign_in, "off, check, link or insert")?
                .unwrap_or(SignIn::Off),
            on_contradiction: variables
                .choice("USERLINK_ON_CONTRADICTION", &contradiction, "error or continue")?
                .unwrap_or(OnContradiction::Error),
            deadline: variables.deadline()?,
            endpoint_url: ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"]
                .into_iter()
                .find_map(|name| variables.get(name))
                .map(str::to_owned),
            region: variables.get("AWS_REGION").map(str::to_owned),
            database,
            mapping,
            attribute,
            columns,
        })
    }
}

struct Variables(BTreeMap<String, String>);

impl Variables {
    fn check_names(&self) -> Result<(), SettingsError> {
        let unknown = self.0.keys().find(|name| name.starts_with("USERLINK_") && !KNOWN.contains(&name.as_str()));
        let Some(name) = unknown else { return Ok(()) };
        Err(SettingsError::Unknown { name: name.clone(), nearest: nearest_name(name, KNOWN).map(str::to_owned) })
    }

    /// A variable that is set and not blank.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    fn word(&self, name: &'static str) -> Result<Option<&str>, SettingsError> {
        match self.0.get(name) {
            Some(value) if value.trim().is_empty() => Err(SettingsError::Blank { name }),
            value => Ok(value.map(|value| value.trim())),
        }
    }

    fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
        wanted: &'static str,
    ) -> Result<Option<T>, SettingsError> {
        let Some(value) = self.word(name)? else { return Ok(None) };
        match choices.iter().find(|(choice, _)| *choice == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => Err(SettingsError::Value { name, value: value.chars().take(40).collect(), wanted }),
        }
    }

    fn database(&self) -> Result<DatabaseSettings, SettingsError> {
        let names = ["USERLINK_DATABASE_URL", "DATABASE_URL"];
        let mut url = None;
        for name in names {
            if url.is_none() {
                url = self.word(name)?.map(|url| (name, url));
            }
        }
        let secret = "USERLINK_DATABASE_SECRET_ARN";
        let auth = "USERLINK_DATABASE_AUTH";
        let iam = self.choice(auth, &[("password", false), ("iam", true)], "password or iam")?.unwrap_or(false);
        let password = match self.word(secret)? {
            Some(_) if iam => return Err(SettingsError::Both { name: secret, other: auth }),
            Some(arn) if !arn.starts_with("arn:") => {
                let wanted = "the ARN of a secret, arn:aws:secretsmanager:…";
                return Err(SettingsError::Value { name: secret, value: arn.chars().take(40).collect(), wanted });
            }
            Some(arn) => Password::Secret(arn.to_owned()),
            None if iam => Password::Iam,
            None => Password::InUrl,
        };
        match url {
            // The URL is read once, here, where its mistakes are of use.
            Some((name, url)) => {
                options(url).check().map_err(|error| SettingsError::Database { name, error })?;
                let is_sqlite = url.starts_with("sqlite");
                if is_sqlite && password != Password::InUrl {
                    return Err(SettingsError::Both { name, other: if iam { auth } else { secret } });
                }
            }
            None if matches!(password, Password::Secret(_)) => {}
            None => return Err(SettingsError::NoDatabase),
        }
        Ok(DatabaseSettings { url: url.map(|(_, url)| url.to_owned().into()), password })
    }

    fn queue_url(&self) -> Result<Option<String>, SettingsError> {
        let name = "USERLINK_RETRY_QUEUE_URL";
        let Some(value) = self.word(name)? else { return Ok(None) };
        let path = value.split_once("://").map(|(_, rest)| rest.trim_end_matches('/').split('/').count());
        if value.starts_with("http") && path.is_some_and(|parts| parts >= 3) {
            return Ok(Some(value.to_owned()));
        }
        let wanted = "the URL of an SQS queue, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME";
        Err(SettingsError::Value { name, value: value.chars().take(40).collect(), wanted })
    }

    fn mapping(&self) -> Result<Mapping, SettingsError> {
        let default = Mapping::default();
        let word = |name, or: String| Ok::<_, SettingsError>(self.word(name)?.map_or(or, str::to_owned));
        // These two may be blank: a table may be without such a column.
        let optional = |name: &str, or| match self.0.get(name).map(|value| value.trim()) {
            None => or,
            Some("") => None,
            Some(column) => Some(column.to_owned()),
        };
        Ok(Mapping {
            table: word("USERLINK_TABLE", default.table.clone())?,
            id: word("USERLINK_COLUMN_ID", default.id.clone())?,
            sub: word("USERLINK_COLUMN_SUB", default.sub.clone())?,
            email: optional("USERLINK_COLUMN_EMAIL", default.email.clone()),
            created_at: optional("USERLINK_COLUMN_CREATED_AT", default.created_at.clone()),
            ..default
        })
    }

    fn deadline(&self) -> Result<Duration, SettingsError> {
        let name = "USERLINK_DEADLINE_MS";
        let Some(value) = self.word(name)? else { return Ok(Duration::from_millis(4000)) };
        match value.parse() {
            Ok(millis @ SHORTEST..=LONGEST) => Ok(Duration::from_millis(millis)),
            _ => {
                let wanted = "a number of milliseconds from 200 to 4900";
                Err(SettingsError::Value { name, value: value.chars().take(40).collect(), wanted })
            }
        }
    }
}

fn columns(text: &str, mapping: &Mapping, attribute: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let mut columns: Vec<(String, String)> = Vec::new();
    let taken = [Some(&mapping.id), Some(&mapping.sub), mapping.email.as_ref(), mapping.created_at.as_ref()];
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let bad = |why| Err(SettingsError::Columns { part: part.chars().take(80).collect(), why });
        let Some((name, column)) = part.split_once('=').map(|(name, column)| (name.trim(), column.trim())) else {
            return bad("there is no = in it");
        };
        if name.is_empty() || column.is_empty() {
            return bad("one side of = is empty");
        }
        if ["sub", "email", attribute].contains(&name) {
            return bad("this attribute has a variable of its own");
        }
        let twice = columns.iter().any(|(_, other)| other == column);
        if twice || taken.iter().flatten().any(|other| *other == column) {
            return bad("something goes into this column already");
        }
        columns.push((name.to_owned(), column.to_owned()));
    }
    Ok(columns)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
