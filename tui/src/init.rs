//! `userlink init`: asks what a context needs, checks each answer where it leads, and writes it down.
//!
//! Questions go to standard error. Where there is nobody to ask, flags and defaults are the answers, and one that does not
//! hold is an error.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::SecretString;
use toml::Value;
use userlink_db::{Db, DbError, DbOptions, Mapping, Tls};
use userlink_domain::nearest_name;
use userlink_pool::{Attribute, PoolOptions, PoolReader, Rates};

use crate::cli::Common;
use crate::commands::{DONE, say};
use crate::settings::{self, Overrides, SettingsError};
use crate::start::Failure;

/// Asks, if there is somebody.
struct Asker {
    somebody: bool,
}

impl Asker {
    /// The answer; what stands there where it is empty, or nobody is there.
    fn ask(&self, question: &str, default: &str) -> anyhow::Result<String> {
        if !self.somebody {
            return Ok(default.to_owned());
        }
        let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        write!(stderr(), "{question}{shown}: ")?;
        stderr().flush()?;
        let mut line = String::new();
        if stdin().lock().read_line(&mut line)? == 0 {
            return Err(SettingsError::new("There was no answer, and nothing was written.").into());
        }
        let answer = line.trim();
        Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
    }

    fn yes(&self, question: &str) -> anyhow::Result<bool> {
        Ok(self.ask(&format!("{question} (y or n)"), "n")?.to_ascii_lowercase().starts_with('y'))
    }

    /// Says what is wrong with an answer, so that it can be given again; an error where nobody is there.
    fn again(&self, failure: Failure) -> anyhow::Result<()> {
        if !self.somebody {
            return Err(failure.into());
        }
        say(&failure.text);
        Ok(())
    }
}

/// Writes the settings. Gives the name of the context.
pub(crate) async fn run(common: &Common) -> anyhow::Result<String> {
    let path = match &common.config {
        Some(path) => path.clone(),
        None => {
            settings::config_path().ok_or_else(|| SettingsError::new("There is no home directory: say --config."))?
        }
    };
    let there = if path.exists() { settings::load(Some(&path))? } else { settings::Settings::default() };
    let asker = Asker { somebody: stdin().is_terminal() };
    let over = common.overrides();
    let name = match &over.context {
        Some(name) => name.clone(),
        None => asker.ask("A name for this pool and table", "default")?,
    };
    if there.contexts.contains_key(&name) {
        let text = format!("There is a context {name} in {} already. Name another with --context.", path.display());
        return Err(SettingsError::new(text).into());
    }
    let pool = pool(&asker, &over).await?;
    let production = asker.yes("Do people depend on it (production)?")?;
    let (source, tls, mapping) = database(&asker, &over, production).await?;
    let writes = asker.yes("Shall repairs be possible from here?")?;

    let mut context = vec![("pool_id", Value::String(pool.pool_id.clone()))];
    let optional = [("region", pool.region), ("aws_profile", pool.aws_profile), ("endpoint_url", pool.endpoint_url)];
    context.extend(optional.into_iter().filter_map(|(key, value)| Some((key, Value::String(value?)))));
    context.push(("attribute", Value::String(pool.attribute)));
    context.push(("database_url", source));
    context.extend(tls.map(|tls| ("tls", Value::String(tls.to_owned()))));
    context.push(("production", Value::Boolean(production)));
    context.push(("read_only", Value::Boolean(!writes)));
    let column = |name: Option<String>| Value::String(name.unwrap_or_default());
    let table = [
        ("name", Value::String(mapping.table)),
        ("id", Value::String(mapping.id)),
        ("sub", Value::String(mapping.sub)),
        ("email", column(mapping.email)),
        ("created_at", column(mapping.created_at)),
    ];
    write(&path, &name, &context, &table).with_context(|| format!("{} cannot be written", path.display()))?;
    writeln!(stdout().lock(), "{}", path.display())?;
    Ok(name)
}

/// A pool that answers and has the attribute.
async fn pool(asker: &Asker, over: &Overrides) -> anyhow::Result<PoolOptions> {
    let (mut pool_id, mut attribute) = (over.pool_id.clone(), over.attribute.clone());
    let mut profile = over.aws_profile.clone();
    loop {
        let asked_pool = match pool_id.take() {
            Some(pool_id) => pool_id,
            None => asker.ask("The user pool's id, as REGION_NAME", "")?,
        };
        let asked_profile = match profile.take() {
            Some(profile) => Some(profile),
            None => {
                Some(asker.ask("An AWS profile, or nothing for the usual chain", "")?).filter(|name| !name.is_empty())
            }
        };
        let asked_attribute = match attribute.take() {
            Some(attribute) => attribute,
            None => asker.ask("The attribute that names the row", "custom:userId")?,
        };
        let options = PoolOptions {
            pool_id: asked_pool,
            region: over.region.clone(),
            aws_profile: asked_profile,
            endpoint_url: over.endpoint_url.clone(),
            attribute: asked_attribute,
            rates: Rates::default(),
            made_up_credentials: false,
        };
        match look_at_pool(&options).await {
            Ok(found) => {
                say(&found);
                return Ok(options);
            }
            Err(failure) => asker.again(failure)?,
        }
    }
}

async fn look_at_pool(options: &PoolOptions) -> Result<String, Failure> {
    let described = PoolReader::connect(options).await?.describe().await?;
    let (name, attribute) = (&described.name, &options.attribute);
    match described.attribute {
        Attribute::Mutable => {
            Ok(format!("The pool {name} has about {} users, and the attribute {attribute}.", described.estimated_users))
        }
        Attribute::Immutable => Ok(format!(
            "The pool {name} has the attribute {attribute}, which cannot be changed: nothing can be repaired with it."
        )),
        Attribute::Missing => {
            Err(Failure { text: format!("The pool {name} has no attribute {attribute}."), settings: true })
        }
    }
}

/// A database that answers and a table that fits, and where the URL is to be found.
async fn database(
    asker: &Asker,
    over: &Overrides,
    production: bool,
) -> anyhow::Result<(Value, Option<&'static str>, Mapping)> {
    let mut mapping = Mapping { table: over.table.clone().unwrap_or_default(), ..Mapping::default() };
    let mut tls = None;
    loop {
        let (source, url) = match url(asker, over) {
            Ok(found) => found,
            Err(error) => {
                asker.again(error.into())?;
                continue;
            }
        };
        let options = || DbOptions { tls: tls.map(|(tls, _)| tls), production, ..DbOptions::new(expose(&url)) };
        let db = match Db::connect(&options()).await {
            Ok(db) => db,
            Err(error @ DbError::TlsUnsaid { .. }) if asker.somebody && tls.is_none() => {
                say(&error.to_string());
                let off = asker.yes("Is the connection protected by something else, and tls to be off?")?;
                tls = Some(if off { (Tls::Off, "off") } else { (Tls::VerifyFull, "verify-full") });
                continue;
            }
            Err(error) => {
                asker.again(error.into())?;
                continue;
            }
        };
        if mapping.table.is_empty() {
            mapping.table = asker.ask("The users table", "users")?;
        }
        loop {
            match db.open(mapping.clone()).await {
                Ok(table) => {
                    say(&format!("The table {} fits.", table.full_name()));
                    return Ok((source, tls.map(|(_, name)| name), mapping));
                }
                Err(error) => {
                    let wrong = error.clone();
                    asker.again(error.into())?;
                    correct(asker, &mut mapping, wrong)?;
                }
            }
        }
    }
}

/// Where the URL is, as the settings say it, and the URL.
fn url(asker: &Asker, over: &Overrides) -> Result<(Value, SecretString), SettingsError> {
    if let Some(url) = &over.database_url {
        settings::refuse_password(url)?;
        return Ok((Value::String(url.clone()), SecretString::from(url.clone())));
    }
    let set = |name: &str| std::env::var(name).is_ok_and(|url| !url.trim().is_empty());
    let usual = ["USERLINK_DATABASE_URL", "DATABASE_URL"].into_iter().find(|name| set(name));
    let question = "The variable that holds the database's URL";
    let name =
        asker.ask(question, usual.unwrap_or("USERLINK_DATABASE_URL")).map_err(|e| SettingsError::new(e.to_string()))?;
    let near = std::env::vars().map(|(name, _)| name).collect::<Vec<_>>();
    let url = std::env::var(&name).ok().filter(|url| !url.trim().is_empty()).ok_or_else(|| {
        let near = nearest_name(&name, near.iter().map(String::as_str).filter(|near| near.contains("DATABASE")));
        let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        SettingsError::new(format!("The variable {name} is not set in this shell.{hint}"))
    })?;
    let source = toml::Table::from_iter([("env".to_owned(), Value::String(name))]);
    Ok((Value::Table(source), SecretString::from(url)))
}

fn expose(url: &SecretString) -> String {
    secrecy::ExposeSecret::expose_secret(url).to_owned()
}

/// Asks for what did not fit.
fn correct(asker: &Asker, mapping: &mut Mapping, wrong: DbError) -> anyhow::Result<()> {
    match wrong {
        DbError::ColumnMissing { setting, nearest, .. } => {
            let optional = matches!(setting, "email" | "created_at");
            let none = if optional { ", or - for none" } else { "" };
            let name = asker.ask(&format!("The column for {setting}{none}"), nearest.as_deref().unwrap_or(""))?;
            let column = Some(name.clone()).filter(|name| name != "-");
            match setting {
                "id" => mapping.id = name,
                "sub" => mapping.sub = name,
                "email" => mapping.email = column,
                _ => mapping.created_at = column,
            }
        }
        DbError::IdType { .. } | DbError::NotTheKey { .. } => {
            mapping.id = asker.ask("The column for id", &mapping.id)?
        }
        DbError::SubType { .. } => mapping.sub = asker.ask("The column for sub", &mapping.sub)?,
        DbError::TimeType { .. } => mapping.created_at = None,
        DbError::TableMissing { nearest, .. } => {
            mapping.table = asker.ask("The users table", nearest.as_deref().unwrap_or("users"))?;
        }
        other => return Err(Failure::from(other).into()),
    }
    Ok(())
}

/// Adds the context to the file, which is for its owner alone. What stands there stays as it is.
fn write(path: &Path, name: &str, context: &[(&str, Value)], table: &[(&str, Value)]) -> std::io::Result<()> {
    let quoted = Value::String(name.to_owned()).to_string();
    let mut text = std::fs::read_to_string(path).unwrap_or_default();
    if text.trim().is_empty() {
        text = format!("default_context = {quoted}\n");
    }
    let lines =
        |pairs: &[(&str, Value)]| pairs.iter().map(|(key, value)| format!("{key} = {value}\n")).collect::<String>();
    text.push_str(&format!("\n[contexts.{quoted}]\n{}", lines(context)));
    text.push_str(&format!("\n[contexts.{quoted}.table]\n{}", lines(table)));
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    std::fs::create_dir_all(&folder)?;
    // Made with mode 0600, and in its place at once or not at all.
    let mut made = tempfile::Builder::new().prefix(".config-").tempfile_in(&folder)?;
    made.write_all(text.as_bytes())?;
    made.persist(path)?;
    Ok(())
}

/// As a command of its own.
pub(crate) async fn command(common: &Common) -> anyhow::Result<u8> {
    run(common).await?;
    Ok(DONE)
}
