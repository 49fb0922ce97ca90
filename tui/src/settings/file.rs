//! The settings file. A key that it does not know is an error that names the nearest one that it does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};
use userlink_domain::nearest_name;
use userlink_ui::{Keys, KeysError, Theme, Tint};

use super::SettingsError;
use super::secret::SecretSource;

const TOP: &[&str] = &["default_context", "theme", "glyphs", "keys", "mouse", "contexts"];
const CONTEXT: &[&str] = &[
    "pool_id",
    "region",
    "aws_profile",
    "endpoint_url",
    "attribute",
    "database_url",
    "replica_url",
    "read_only",
    "production",
    "color",
    "rate",
    "write_rate",
    "max_users",
    "max_percent",
    "snapshot",
    "account",
    "database",
    "tls",
    "tls_root_cert",
    "protected",
    "price_per_user",
    "mask",
    "table",
];
const TABLE: &[&str] =
    &["name", "id", "id_type", "sub", "email", "created_at", "updated_at", "show", "where", "insert_function"];
const SECRET: &[&str] = &["env", "file", "command"];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) default_context: Option<String>,
    theme: Option<String>,
    glyphs: Option<Glyphs>,
    /// Whether the mouse is heard.
    pub(crate) mouse: Option<bool>,
    /// Other keys for commands, by their names.
    #[serde(default)]
    keys: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, ContextSettings>,
}

/// Which signs are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Glyphs {
    Unicode,
    Ascii,
}

impl ContextSettings {
    /// The colour of the context. The settings were checked when they were read.
    pub(crate) fn tint(&self) -> Option<Tint> {
        self.color.as_deref().and_then(|name| Tint::named(name).ok())
    }
}

/// One name, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

impl Settings {
    /// The keys of the dashboard. The settings were checked when they were read.
    pub(crate) fn keys(&self) -> Keys {
        self.changed_keys().unwrap_or_default()
    }

    /// The theme, where they name one.
    pub(crate) fn theme(&self) -> Option<Theme> {
        self.theme.as_deref().and_then(|name| Theme::named(name).ok())
    }

    /// Whether they want ASCII, where they say anything of it.
    pub(crate) fn ascii(&self) -> Option<bool> {
        self.glyphs.map(|glyphs| glyphs == Glyphs::Ascii)
    }

    /// Looks at the names that are not of this file's own.
    fn check_looks(&self) -> Result<(), String> {
        self.theme.as_deref().map_or(Ok(()), |name| Theme::named(name).map(drop))?;
        for (context, settings) in &self.contexts {
            let named = settings.color.as_deref().map_or(Ok(()), |name| Tint::named(name).map(drop));
            named.map_err(|text| format!("contexts.{context}: {text}"))?;
        }
        Ok(())
    }

    fn changed_keys(&self) -> Result<Keys, KeysError> {
        Keys::with(self.keys.iter().map(|(command, keys)| (command.as_str(), keys.as_slice())))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextSettings {
    pub(crate) pool_id: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) aws_profile: Option<String>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) attribute: Option<String>,
    pub(crate) database_url: Option<SecretSource>,
    pub(crate) replica_url: Option<SecretSource>,
    #[serde(default)]
    pub(crate) read_only: bool,
    #[serde(default)]
    pub(crate) production: bool,
    /// Whether the dashboard begins with personal data out of sight.
    #[serde(default)]
    pub(crate) mask: bool,
    color: Option<String>,
    pub(crate) rate: Option<f64>,
    pub(crate) write_rate: Option<f64>,
    /// A plan may touch so many users,
    pub(crate) max_users: Option<u64>,
    /// or so much of the pool.
    pub(crate) max_percent: Option<f64>,
    pub(crate) snapshot: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) tls: Option<String>,
    pub(crate) tls_root_cert: Option<PathBuf>,
    /// Subs and row ids whose entries are ignored.
    #[serde(default)]
    pub(crate) protected: Vec<String>,
    /// US dollars for a monthly active user.
    pub(crate) price_per_user: Option<f64>,
    #[serde(default)]
    pub(crate) table: TableSettings,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableSettings {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) id_type: Option<userlink_domain::IdKind>,
    pub(crate) sub: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    #[serde(default)]
    pub(crate) show: Vec<String>,
    #[serde(default, rename = "where")]
    pub(crate) conditions: BTreeMap<String, Value>,
    pub(crate) insert_function: Option<String>,
}

/// Where the settings are looked for without `--config`.
pub(crate) fn config_path() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|dirs| dirs.config_dir().join("userlink").join("config.toml"))
}

/// Reads the file that was named, or the usual one where it is there.
pub(crate) fn load(named: Option<&Path>) -> Result<Settings, SettingsError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => match config_path().filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(Settings::default()),
        },
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        SettingsError::new(format!("The settings {} cannot be read: {}.", path.display(), error.kind()))
    })?;
    parse(&text).map_err(|error| SettingsError::new(format!("{}: {error}", path.display())))
}

/// Reads the settings. An error says what and where, and never quotes the line: it may hold a password.
fn parse(text: &str) -> Result<Settings, SettingsError> {
    let at_line = |error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let what = without_values(error.message());
        SettingsError::new(match line {
            Some(line) => format!("line {line}: {what}"),
            None => what,
        })
    };
    let table: Table = toml::from_str(text).map_err(at_line)?;
    check_names("the settings", &table, TOP)?;
    if let Some(Value::Table(contexts)) = table.get("contexts") {
        for (name, context) in contexts {
            let Value::Table(context) = context else { continue };
            check_names(&format!("contexts.{name}"), context, CONTEXT)?;
            if let Some(Value::Table(mapping)) = context.get("table") {
                check_names(&format!("contexts.{name}.table"), mapping, TABLE)?;
            }
            for key in ["database_url", "replica_url"] {
                if let Some(Value::Table(source)) = context.get(key) {
                    check_names(&format!("contexts.{name}.{key}"), source, SECRET)?;
                    if source.len() != 1 {
                        let text = format!("contexts.{name}.{key} wants exactly one of env, file and command.");
                        return Err(SettingsError::new(text));
                    }
                }
            }
        }
    }
    let settings: Settings = toml::from_str(text).map_err(at_line)?;
    settings.check_looks().map_err(SettingsError::new)?;
    settings.changed_keys().map_err(|error| {
        let place = line_of_key(text, &error.command).map(|line| format!("line {line}: ")).unwrap_or_default();
        SettingsError::new(format!("{place}keys.{}: {}", error.command, error.text))
    })?;
    Ok(settings)
}

/// The line on which a command is given its keys.
fn line_of_key(text: &str, command: &str) -> Option<usize> {
    #[derive(Deserialize)]
    struct Lines {
        keys: BTreeMap<String, toml::Spanned<toml::Value>>,
    }
    let lines: Lines = toml::from_str(text).ok()?;
    let span = lines.keys.get(command)?.span();
    Some(text.get(..span.start)?.matches('\n').count() + 1)
}

/// A message of the parser's without what it quotes from the file.
fn without_values(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    match first.split_once("string \"") {
        Some((before, after)) => {
            let rest = after.rsplit_once('"').map_or("", |(_, rest)| rest);
            format!("{before}a string{rest}")
        }
        None => first.to_owned(),
    }
}

fn check_names(place: &str, table: &Table, known: &[&str]) -> Result<(), SettingsError> {
    let Some(unknown) = table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let hint = match nearest_name(unknown, known.iter().copied()) {
        Some(near) => format!("Did you mean {near}?"),
        None => format!("Known are: {}.", known.join(", ")),
    };
    Err(SettingsError::new(format!("{place} has no key {unknown}. {hint}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn wrong(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_whole_of_the_contract_is_understood() {
        let settings = parse(
            r#"
            default_context = "prod"
            [contexts.prod]
            pool_id = "eu-west-1_AbC123"
            region = "eu-west-1"
            aws_profile = "support"
            endpoint_url = "http://127.0.0.1:5000"
            attribute = "custom:userId"
            database_url = { env = "APP_DATABASE_URL" }
            replica_url = { command = "pass show replica" }
            read_only = false
            production = true
            rate = 15
            write_rate = 5
            snapshot = "pointers"
            account = "123456789012"
            database = "app"
            tls = "verify-full"
            [contexts.prod.table]
            name = "app.users"
            id = "id"
            sub = "cognito_sub"
            email = "email"
            created_at = "created_at"
            updated_at = "updated_at"
            show = ["plan", "last_login"]
            [contexts.prod.table.where]
            tenant_id = "acme"
            deleted_at = { null = true }
            "#,
        );
        assert!(settings.is_ok(), "{settings:?}");
    }

    #[test]
    fn a_typo_names_the_nearest_key() {
        assert_eq!(wrong("[contexts.a]\npol_id = 'x'"), "contexts.a has no key pol_id. Did you mean pool_id?");
        assert_eq!(
            wrong("defaultcontext = 'a'"),
            "the settings has no key defaultcontext. Did you mean default_context?"
        );
        assert!(wrong("[contexts.a.table]\ncreated = 'x'").contains("created_at"));
        assert!(wrong("[contexts.a]\ndatabase_url = { enw = 'X' }").contains("Did you mean env?"));
    }

    #[test]
    fn keys_are_changed_by_the_names_of_their_commands() {
        let settings = parse("[keys]\nscan = ['f5', 'alt-r']\nrepair = 'ctrl-r'\nopen = []").unwrap();
        let lines = settings.keys().lines();
        let keys = |command: &str| lines.iter().find(|line| line.command == command).map(|line| line.keys.join(" "));
        assert_eq!(keys("scan").as_deref(), Some("f5 alt-r"));
        assert_eq!(keys("repair").as_deref(), Some("ctrl-r"));
        assert_eq!(keys("open").as_deref(), Some(""));
        assert_eq!(keys("filter").as_deref(), Some("/"), "the others stay");
    }

    #[test]
    fn looks_are_named() {
        let settings = parse("theme = 'high-contrast'\nglyphs = 'ascii'\n[contexts.a]\ncolor = 'magenta'").unwrap();
        assert_eq!((settings.theme(), settings.ascii()), (Some(Theme::HighContrast), Some(true)));
        assert_eq!(settings.contexts["a"].tint(), Some(Tint::Magenta));
        assert!(wrong("theme = 'dark'").starts_with("theme is one of terminal, high-contrast, monochrome."));
        assert!(wrong("[contexts.a]\ncolor = 'pink'").starts_with("contexts.a: color is one of red,"));
        assert!(wrong("glyphs = 'emoji'").starts_with("line 1: "));
    }

    #[test]
    fn a_key_that_cannot_be_taken_is_named_with_its_line() {
        assert_eq!(
            wrong("[keys]\nscan = 'f5'\nrepare = 'r'"),
            "line 3: keys.repare: there is no such command. Did you mean repair?"
        );
        let text = wrong("default_context = 'a'\n\n[keys]\nscan = '/'");
        assert!(
            text.starts_with("line 4: keys.scan: / does two things at one place (list): scan and filter."),
            "{text}"
        );
        assert!(wrong("[keys]\nrepair = 'enter'").starts_with("line 2: keys.repair: enter is pressed by mistake"));
        assert!(wrong("[keys]\nscan = 7").contains("line 2"));
    }

    #[test]
    fn an_error_says_where_and_never_quotes_a_secret() {
        for text in [
            "[contexts.a]\ndatabase_url = \"postgres://u:hush@h/d",
            "[contexts.a]\nrate = \"postgres://u:hush@h/d\"",
            "[contexts.a]\nread_only = \"hush\"",
            "[contexts.a]\ndatabase_url = [\"hush\"]",
            "[contexts.a]\ndatabase_url = postgres://u:hush@h/d",
        ] {
            let error = wrong(text);
            assert!(error.contains("line 2"), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
        let shown = format!("{:?}", parse("[contexts.a]\ndatabase_url = \"hush\"").unwrap());
        assert!(!shown.contains("hush"), "{shown}");
    }
}
