//! One context with everything in its place: what the file says, what the environment says, what the flags say.

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretString};
use toml::Value;
use url::Url;
use userlink_db::{Condition, DbOptions, Literal, Mapping, Tls};
use userlink_domain::{IdKind, RecordRef, RowId, Sub, nearest_name};
use userlink_pool::{PoolOptions, Rates};
use userlink_repair::Limits;

use super::SettingsError;
use super::file::{ContextSettings, Settings, TableSettings, config_path};
use super::secret::SecretSource;
use crate::snapshot::Keep;

/// What flags and variables say; they win over the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) context: Option<String>,
    pub(crate) pool_id: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) aws_profile: Option<String>,
    pub(crate) endpoint_url: Option<String>,
    /// From the flag; one that holds a password is refused.
    pub(crate) database_url: Option<String>,
    /// From a variable.
    pub(crate) database_url_of_environment: Option<SecretString>,
    pub(crate) attribute: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) rate: Option<f64>,
}

impl Overrides {
    /// What holds for another context, too: not what was said of the pool or the database of the first one. A database
    /// that only the environment names is taken where the context names none itself.
    pub(crate) fn for_another(&self, settings: &Settings, name: String) -> Self {
        let (read_only, rate) = (self.read_only, self.rate);
        let names_one = settings.contexts.get(&name).is_some_and(|context| context.database_url.is_some());
        let database_url_of_environment = self.database_url_of_environment.clone().filter(|_| !names_one);
        Self { context: Some(name), read_only, rate, database_url_of_environment, ..Self::default() }
    }
}

/// Everything that is needed to begin.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) name: String,
    pub(crate) pool: PoolOptions,
    /// The account that the pool has to be in, where one is pinned.
    pub(crate) account: Option<String>,
    /// The name that the database has to have, where one is pinned.
    pub(crate) database_name: Option<String>,
    pub(crate) database: DbOptions,
    /// Where the scan reads; settling and repairs use the primary.
    pub(crate) replica: Option<DbOptions>,
    pub(crate) mapping: Mapping,
    pub(crate) read_only: bool,
    pub(crate) production: bool,
    /// Whether the dashboard begins with personal data out of sight.
    pub(crate) mask: bool,
    /// What is kept of a scan on disk.
    pub(crate) keep: Keep,
    /// Subs and row ids whose entries are ignored, as they were written.
    pub(crate) protected: Vec<String>,
    /// The application's own way to make a row.
    pub(crate) insert_function: Option<String>,
    /// What a monthly active user costs.
    pub(crate) price: Option<f64>,
    /// How much a plan may touch unasked.
    pub(crate) limits: Limits,
}

/// The database's part of a context: all that `migrate` needs.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) database: DbOptions,
    pub(crate) mapping: Mapping,
    pub(crate) read_only: bool,
}

/// The name of the context, which is all that it takes to find what is kept of its scans.
pub(crate) fn name_of(settings: &Settings, over: &Overrides) -> Result<String, SettingsError> {
    choose(settings, over.context.as_deref()).map(|(name, _)| name)
}

/// The database's part of the context, without a pool.
pub(crate) async fn resolve_base(settings: &Settings, over: Overrides) -> Result<Base, SettingsError> {
    let (_, file) = choose(settings, over.context.as_deref())?;
    base(file, &over).await
}

async fn base(file: ContextSettings, over: &Overrides) -> Result<Base, SettingsError> {
    let mapping = mapping(file.table, over.table.clone())?;
    let read_only = over.read_only || file.read_only;
    let url =
        database_url(over.database_url.clone(), over.database_url_of_environment.clone(), file.database_url).await?;
    let database = DbOptions {
        tls: tls(file.tls.as_deref())?,
        root_cert: file.tls_root_cert,
        production: file.production,
        read_only,
        ..DbOptions::new(url.expose_secret())
    };
    Ok(Base { database, mapping, read_only })
}

/// Puts the context together.
pub(crate) async fn resolve(settings: &Settings, over: Overrides) -> Result<Context, SettingsError> {
    let (name, file) = choose(settings, over.context.as_deref())?;
    let pool_id = over.pool_id.clone().or(file.pool_id.clone()).ok_or_else(|| nothing_set("pool_id", "--pool-id"))?;
    let insert_function = file.table.insert_function.clone();
    let rate = positive("rate", over.rate.or(file.rate))?;
    let write_rate = positive("write_rate", file.write_rate)?;
    let limits = Limits::set(file.max_users, share(file.max_percent)?);
    let keep = snapshot(file.snapshot.as_deref(), file.production)?;
    let attribute = attribute(over.attribute.clone().or(file.attribute.clone()))?;
    let account = account(file.account.clone())?;
    let pool = PoolOptions {
        pool_id,
        region: over.region.clone().or(file.region.clone()),
        aws_profile: over.aws_profile.clone().or(file.aws_profile.clone()),
        endpoint_url: over.endpoint_url.clone().or(file.endpoint_url.clone()),
        attribute,
        rates: rates(rate, write_rate),
        made_up_credentials: false,
    };
    let (production, protected, replica) = (file.production, file.protected.clone(), file.replica_url.clone());
    let database_name = file.database.clone();
    let price = price(file.price_per_user)?;
    let mask = file.mask;
    let Base { database, mapping, read_only } = base(file, &over).await?;
    let replica = match replica {
        Some(source) => {
            let url = source.fetch("replica_url").await?;
            Some(DbOptions { url, read_only: true, ..database.clone() })
        }
        None => None,
    };
    Ok(Context {
        name,
        pool,
        account,
        database_name,
        database,
        replica,
        mapping,
        read_only,
        production,
        mask,
        keep,
        protected,
        insert_function,
        price,
        limits,
    })
}

impl Context {
    /// The same, with nothing that can write.
    pub(crate) fn for_reading(mut self) -> Self {
        self.read_only = true;
        self.database.read_only = true;
        self
    }
}

fn choose(settings: &Settings, wanted: Option<&str>) -> Result<(String, ContextSettings), SettingsError> {
    let only = settings.contexts.keys().next().filter(|_| settings.contexts.len() == 1);
    let Some(name) = wanted.or(settings.default_context.as_deref()).or(only.map(String::as_str)) else {
        if settings.contexts.is_empty() {
            return Ok(("default".into(), ContextSettings::default()));
        }
        let names: Vec<_> = settings.contexts.keys().map(String::as_str).collect();
        let text =
            format!("Which context? Say --context NAME, or set default_context. There are: {}.", names.join(", "));
        return Err(SettingsError::new(text));
    };
    match settings.contexts.get(name) {
        Some(context) => Ok((name.to_owned(), context.clone())),
        None => {
            let near = nearest_name(name, settings.contexts.keys().map(String::as_str));
            let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
            Err(SettingsError::new(format!("There is no context {name} in the settings.{hint}")))
        }
    }
}

fn nothing_set(key: &str, flag: &str) -> SettingsError {
    let path = config_path().map_or("the settings file".into(), |path| path.display().to_string());
    SettingsError::new(format!(
        "No {key} is set. Give {flag}, or write it into {path}. To look around first: userlink demo."
    ))
}

fn positive(key: &str, value: Option<f64>) -> Result<Option<f64>, SettingsError> {
    match value {
        Some(rate) if !(rate.is_finite() && rate > 0.0 && rate <= 1000.0) => {
            Err(SettingsError::new(format!("{key} is a number of requests a second above 0 and up to 1,000.")))
        }
        other => Ok(other),
    }
}

/// What a monthly active user costs may be nothing, as within a free tier.
fn price(value: Option<f64>) -> Result<Option<f64>, SettingsError> {
    match value {
        Some(price) if !(price.is_finite() && (0.0..=1000.0).contains(&price)) => {
            Err(SettingsError::new("price_per_user is a number of US dollars from 0 to 1,000.".to_owned()))
        }
        other => Ok(other),
    }
}

/// The share of a pool, from 0 to 1.
fn share(percent: Option<f64>) -> Result<Option<f64>, SettingsError> {
    match percent {
        Some(percent) if !(0.0..=100.0).contains(&percent) => {
            Err(SettingsError::new("max_percent is a number from 0 to 100.".to_owned()))
        }
        other => Ok(other.map(|percent| percent / 100.0)),
    }
}

/// Each write is read before and after it, and still some are left for looking.
fn rates(list: Option<f64>, update: Option<f64>) -> Rates {
    let defaults = Rates::default();
    let (list, update) = (list.unwrap_or(defaults.list), update.unwrap_or(defaults.update));
    Rates { list, update, read: defaults.read.max(update * 3.0), ..defaults }
}

fn attribute(name: Option<String>) -> Result<String, SettingsError> {
    let name = name.unwrap_or_else(|| "custom:userId".into());
    let custom = name.strip_prefix("custom:").or_else(|| name.strip_prefix("dev:custom:"));
    // "Length Constraints: Maximum length of 20" of a custom attribute's name (API reference, SchemaAttributeType).
    if custom.is_some_and(|rest| (1..=20).contains(&rest.chars().count())) {
        return Ok(name);
    }
    Err(SettingsError::new(format!("attribute is custom: and a name of at most 20 characters; {name} is not.")))
}

/// What is kept of a scan: in production nobody's name, unless somebody says so.
fn snapshot(value: Option<&str>, production: bool) -> Result<Keep, SettingsError> {
    match value {
        Some("full") => Ok(Keep::Full),
        Some("pointers") => Ok(Keep::Pointers),
        Some("off") => Ok(Keep::Off),
        None if production => Ok(Keep::Pointers),
        None => Ok(Keep::Full),
        Some(_) => Err(SettingsError::new("snapshot is one of full, pointers, off.")),
    }
}

fn account(value: Option<String>) -> Result<Option<String>, SettingsError> {
    match value {
        Some(text) if text.len() != 12 || !text.bytes().all(|digit| digit.is_ascii_digit()) => {
            Err(SettingsError::new("account is the twelve digits of an AWS account."))
        }
        other => Ok(other),
    }
}

fn tls(value: Option<&str>) -> Result<Option<Tls>, SettingsError> {
    match value {
        None => Ok(None),
        Some("verify-full") => Ok(Some(Tls::VerifyFull)),
        Some("verify-ca") => Ok(Some(Tls::VerifyCa)),
        Some("off") => Ok(Some(Tls::Off)),
        Some(_) => Err(SettingsError::new("tls is one of verify-full, verify-ca, off.")),
    }
}

/// A URL from the command line holds no password: everybody on the machine can read it there.
pub(crate) fn refuse_password(url: &str) -> Result<(), SettingsError> {
    let in_query = |url: &Url| url.query_pairs().any(|(key, _)| key == "password");
    if Url::parse(url).is_ok_and(|url| url.password().is_some() || in_query(&url)) {
        return Err(SettingsError::new(
            "--database-url holds a password, which everybody on this machine can read in the list of processes. \
             Set USERLINK_DATABASE_URL, or database_url in the settings.",
        ));
    }
    Ok(())
}

async fn database_url(
    flag: Option<String>,
    environment: Option<SecretString>,
    file: Option<SecretSource>,
) -> Result<SecretString, SettingsError> {
    if let Some(url) = flag {
        refuse_password(&url)?;
        return Ok(SecretString::from(url));
    }
    if let Some(url) = environment.filter(|url| !url.expose_secret().trim().is_empty()) {
        return Ok(url);
    }
    match file {
        Some(source) => source.fetch("database_url").await,
        None => Err(nothing_set("database_url", "USERLINK_DATABASE_URL")),
    }
}

fn mapping(file: TableSettings, table: Option<String>) -> Result<Mapping, SettingsError> {
    let defaults = Mapping::default();
    // An empty name says that the table has no such column.
    let optional = |name: Option<String>, default: Option<String>| match name {
        Some(name) if name.is_empty() => None,
        Some(name) => Some(name),
        None => default,
    };
    let conditions = file.conditions.into_iter().map(|(column, value)| Ok((condition(&column, value)?, column)));
    let conditions: Vec<_> = conditions.collect::<Result<_, SettingsError>>()?;
    Ok(Mapping {
        table: table.or(file.name).unwrap_or(defaults.table),
        id: file.id.unwrap_or(defaults.id),
        sub: file.sub.unwrap_or(defaults.sub),
        email: optional(file.email, defaults.email),
        created_at: optional(file.created_at, defaults.created_at),
        updated_at: optional(file.updated_at, defaults.updated_at),
        show: file.show,
        conditions: conditions.into_iter().map(|(condition, column)| (column, condition)).collect(),
        id_kind: file.id_type,
    })
}

fn condition(column: &str, value: Value) -> Result<Condition, SettingsError> {
    let wrong = || {
        SettingsError::new(format!("where.{column} is a text, a whole number, true or false, or {{ null = true }}."))
    };
    match value {
        Value::String(text) => Ok(Condition::Equals(Literal::Text(text))),
        Value::Integer(number) => Ok(Condition::Equals(Literal::Integer(number))),
        Value::Boolean(flag) => Ok(Condition::Equals(Literal::Bool(flag))),
        Value::Table(table) => match (table.len(), table.get("null")) {
            (1, Some(Value::Boolean(true))) => Ok(Condition::Null),
            (1, Some(Value::Boolean(false))) => Ok(Condition::NotNull),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

impl Context {
    /// The records on the protected list, once it is known what an id of this table looks like. What can be read as a sub and
    /// as an id protects both.
    pub(crate) fn protected(&self, kind: IdKind) -> Result<HashSet<RecordRef>, SettingsError> {
        let mut records = HashSet::new();
        for text in &self.protected {
            let user = Sub::parse(text).map(RecordRef::User);
            let row = RowId::parse(kind, text).map(RecordRef::Row);
            if user.is_none() && row.is_none() {
                let text = format!("protected names {text:?}, which is neither a sub nor an id of this table.");
                return Err(SettingsError::new(text));
            }
            records.extend(user.into_iter().chain(row));
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    const TWO: &str = "default_context='a'\n[contexts.a]\npool_id='eu-west-1_A'\ndatabase_url='sqlite:a.db'\n\
                       [contexts.prod-eu]\npool_id='eu-west-1_B'\ndatabase_url='sqlite:b.db'\nread_only=true";

    #[tokio::test]
    async fn a_price_is_no_less_than_nothing() {
        for (price, taken) in [("0", true), ("0.0055", true), ("-0.1", false), ("nan", false), ("1e9", false)] {
            let text = TWO.replace("[contexts.prod-eu]", &format!("price_per_user={price}\n[contexts.prod-eu]"));
            assert_eq!(resolve(&settings(&text), Overrides::default()).await.is_ok(), taken, "{price}");
        }
    }

    #[tokio::test]
    async fn how_much_a_plan_may_touch_is_set() {
        for (set, limits) in [
            ("", Some(Limits::default())),
            ("max_users=10", Some(Limits { users: 10, share: 0.0, empty_side: false })),
            ("max_percent=1", Some(Limits { share: 0.01, ..Limits::default() })),
            ("max_users=0\nmax_percent=100", Some(Limits { users: 0, share: 1.0, empty_side: false })),
            ("max_percent=101", None),
            ("max_percent=nan", None),
        ] {
            let text = TWO.replace("[contexts.prod-eu]", &format!("{set}\n[contexts.prod-eu]"));
            let resolved = resolve(&settings(&text), Overrides::default()).await;
            assert_eq!(resolved.ok().map(|context| context.limits), limits, "{set}");
        }
    }

    #[tokio::test]
    async fn flags_win_over_the_environment_which_wins_over_the_file() {
        let environment = Some(SecretString::from("sqlite:env.db".to_owned()));
        let over = Overrides { database_url_of_environment: environment.clone(), ..Overrides::default() };
        let context = resolve(&settings(TWO), over).await.unwrap();
        assert_eq!(context.database.url.expose_secret(), "sqlite:env.db");
        let over = Overrides {
            database_url: Some("sqlite:flag.db".into()),
            database_url_of_environment: environment,
            pool_id: Some("eu-west-1_C".into()),
            ..Overrides::default()
        };
        let context = resolve(&settings(TWO), over).await.unwrap();
        assert_eq!(context.database.url.expose_secret(), "sqlite:flag.db");
        assert_eq!(context.pool.pool_id, "eu-west-1_C");
    }

    #[tokio::test]
    async fn a_flag_cannot_make_a_read_only_context_writable() {
        let over = Overrides { context: Some("prod-eu".into()), ..Overrides::default() };
        assert!(resolve(&settings(TWO), over).await.unwrap().read_only);
    }

    #[tokio::test]
    async fn a_password_on_the_command_line_is_refused_and_not_repeated() {
        for url in ["postgres://u:hush@h/d", "postgres://u@h/d?password=hush"] {
            let over = Overrides { database_url: Some(url.into()), ..Overrides::default() };
            let error = resolve(&settings(TWO), over).await.unwrap_err().to_string();
            assert!(error.contains("USERLINK_DATABASE_URL") && !error.contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        let wrong = |text: &'static str| async move {
            resolve(&settings(text), Overrides::default()).await.unwrap_err().to_string()
        };
        assert!(wrong("").await.contains("userlink demo"));
        assert!(
            wrong("default_context='prodeu'\n[contexts.prod-eu]\n[contexts.b]").await.contains("Did you mean prod-eu?")
        );
        assert!(wrong("[contexts.a]\n[contexts.b]").await.contains("There are: a, b."));
        assert!(wrong("[contexts.a]\npool_id='x_y'\nrate=0").await.contains("rate"));
        assert!(wrong("[contexts.a]\npool_id='x_y'\nattribute='userId'").await.contains("custom:"));
        assert!(wrong("[contexts.a]\npool_id='x_y'\n[contexts.a.table.where]\nd=[1]").await.contains("where.d"));
    }

    #[tokio::test]
    async fn debug_shows_no_secret() {
        let text = "[contexts.a]\npool_id='eu-west-1_A'\ndatabase_url='postgres://u:hush@127.0.0.1/d'";
        let context = resolve(&settings(text), Overrides::default()).await.unwrap();
        assert!(!format!("{context:?}").contains("hush"));
    }
}
