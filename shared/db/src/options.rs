//! Where the database is, and how it is reached: the URL, TLS, limits.
//!
//! The URL holds a password. It is never shown, and sqlx's own options, whose `Debug` prints the password,
//! never leave this crate.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;

use crate::DbError;
use crate::place::Place;

/// How much of the server's certificate is checked. There is no mode that encrypts without checking:
/// whoever can read the wire can usually write to it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// The certificate is good and made out to this host.
    VerifyFull,
    /// The certificate is good, whoever it is made out to: for a tunnel, with the right `root_cert`.
    VerifyCa,
    /// No encryption.
    Off,
}

/// How to connect.
#[derive(Clone)]
pub struct DbOptions {
    /// `postgres://…`, `postgresql://…`, `sqlite://path` or `sqlite:path`.
    pub url: SecretString,
    /// Without it: what `sslmode` in the URL says, if that checks certificates; else off on loopback and on a
    /// Unix socket, and [`Tls::VerifyFull`] everywhere else.
    pub tls: Option<Tls>,
    /// Asks for more: that `tls` is set for a host that is this machine, too. It may be the near end of a tunnel.
    pub production: bool,
    /// Refuses every write, in this crate and, on SQLite, in the connection itself.
    pub read_only: bool,
    /// A PEM file of authorities that are trusted besides the public ones (for RDS: AWS's bundle).
    pub root_cert: Option<PathBuf>,
    /// The same as PEM that the program has with it; not used where `root_cert` or the URL names a file.
    pub authorities: Option<&'static [u8]>,
    /// The longest that one statement may take on the server.
    pub statement_timeout: Duration,
    /// The longest that a connection may take to be had.
    pub connect_timeout: Duration,
    pub max_connections: u32,
    /// SQLite: make the file where there is none.
    pub create_if_missing: bool,
}

impl DbOptions {
    /// The defaults, for this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            tls: None,
            production: false,
            read_only: false,
            root_cert: None,
            authorities: None,
            statement_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_connections: 4,
            create_if_missing: false,
        }
    }

    /// What is wrong with the URL and the settings around it, without connecting.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self) -> Result<(), DbError> {
        self.target().map(drop)
    }

    pub(crate) fn target(&self) -> Result<Target, DbError> {
        let url = self.url.expose_secret();
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => self.postgres(url),
            Some("sqlite") => self.sqlite(url),
            _ => Err(DbError::Scheme),
        }
    }

    fn postgres(&self, url: &str) -> Result<Target, DbError> {
        let mut url = Url::parse(url).map_err(|_| DbError::Url)?;
        let asked = url.query_pairs().find(|(key, _)| matches!(&**key, "sslmode" | "ssl-mode"));
        let asked = asked.map(|(_, value)| value.into_owned());
        // sqlx logs the parameters that it does not know, with their values; other drivers' are common in URLs.
        let names_file = url.query_pairs().any(|(key, _)| ROOT_CERT.contains(&&*key));
        let known: Vec<(String, String)> =
            url.query_pairs().filter(|(key, _)| KNOWN.contains(&&**key)).map(|(k, v)| (k.into(), v.into())).collect();
        url.set_query(None);
        if !known.is_empty() {
            url.query_pairs_mut().extend_pairs(known);
        }

        let options = PgConnectOptions::from_url(&url).map_err(|_| DbError::Url)?;
        let on_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
        let on_loopback = !on_socket && is_loopback(options.get_host());
        let mode = ssl_mode(self.tls, asked.as_deref(), on_socket || on_loopback)?;
        let is_checked = matches!(mode, PgSslMode::VerifyFull | PgSslMode::VerifyCa);
        if self.production && self.tls.is_none() && on_loopback && !is_checked {
            return Err(DbError::TlsUnsaid { server: format!("{}:{}", options.get_host(), options.get_port()) });
        }
        let mut options = options
            .ssl_mode(mode)
            // Prepared statements outlive the transaction that a pooler ties us to.
            .statement_cache_capacity(0)
            // A start-up parameter that PgBouncer refuses unless told otherwise.
            .extra_float_digits(None)
            .disable_statement_logging();
        if options.get_application_name().is_none() {
            options = options.application_name("userlink");
        }
        if let Some(file) = &self.root_cert {
            if !file.is_file() {
                return Err(DbError::RootCert { file: file.display().to_string() });
            }
            options = options.ssl_root_cert(file);
        } else if let Some(pem) = self.authorities.filter(|_| is_checked && !names_file) {
            options = options.ssl_root_cert_from_pem(pem.to_vec());
        }
        let server = match options.get_socket() {
            Some(path) => path.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or_else(|| options.get_username()).to_owned();
        Ok(Target::Postgres(Box::new(options), Place { server, database }))
    }

    fn sqlite(&self, url: &str) -> Result<Target, DbError> {
        let options: SqliteConnectOptions = url.parse().map_err(|_| DbError::Url)?;
        let file = options.get_filename().to_owned();
        let options = options
            .read_only(self.read_only)
            .create_if_missing(self.create_if_missing && !self.read_only)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let database = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Target::Sqlite(Box::new(options), Place { server: file.display().to_string(), database }))
    }
}

/// Leaves out the URL: it holds a password.
impl fmt::Debug for DbOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbOptions")
            .field("tls", &self.tls)
            .field("production", &self.production)
            .field("read_only", &self.read_only)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// The options of the driver. No `Debug`: theirs prints the password.
pub(crate) enum Target {
    Postgres(Box<PgConnectOptions>, Place),
    Sqlite(Box<SqliteConnectOptions>, Place),
}

/// Those of the parameters that name a file of authorities.
const ROOT_CERT: [&str; 3] = ["sslrootcert", "ssl-root-cert", "ssl-ca"];

/// The parameters of a URL that mean something to the driver and that we do not set ourselves.
const KNOWN: [&str; 15] = [
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn ssl_mode(setting: Option<Tls>, asked: Option<&str>, local: bool) -> Result<PgSslMode, DbError> {
    match (setting, asked) {
        (Some(Tls::VerifyFull), _) => Ok(PgSslMode::VerifyFull),
        (Some(Tls::VerifyCa), _) => Ok(PgSslMode::VerifyCa),
        (Some(Tls::Off), _) => Ok(PgSslMode::Disable),
        (None, Some("verify-full")) => Ok(PgSslMode::VerifyFull),
        (None, Some("verify-ca")) => Ok(PgSslMode::VerifyCa),
        (None, Some("require")) if local => Ok(PgSslMode::Require),
        (None, Some("disable" | "allow" | "prefer") | None) if local => Ok(PgSslMode::Disable),
        (None, None) => Ok(PgSslMode::VerifyFull),
        // `require` never checks the certificate, and `prefer` lets go of encryption when told to.
        (None, Some(mode @ ("disable" | "allow" | "prefer" | "require"))) => {
            Err(DbError::TlsSetting { mode: mode.to_owned() })
        }
        (None, Some(_)) => Err(DbError::Url),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop here")]
    use super::*;

    /// What the URL comes to: the TLS mode, or the error.
    fn mode(url: &str, tls: Option<Tls>) -> String {
        let options = DbOptions { tls, ..DbOptions::new(url) };
        match options.target() {
            Ok(Target::Postgres(options, _)) => format!("{:?}", options.get_ssl_mode()),
            Ok(Target::Sqlite(..)) => "sqlite".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn without_a_setting_the_wire_is_checked_unless_it_is_this_machine() {
        assert_eq!(mode("postgres://u@db.example.org/app", None), "VerifyFull");
        for local in ["u@localhost", "u@127.0.0.1:5433", "u@127.9.9.9", "u@[::1]", "u@%2Fvar%2Frun"] {
            assert_eq!(mode(&format!("postgresql://{local}/app"), None), "Disable", "{local}");
        }
        assert_eq!(mode("postgres://u@localhost.example.org/app", None), "VerifyFull");
        assert_eq!(
            mode("postgres://u@localhost/app?host=db.example.org", None),
            "VerifyFull",
            "host in the query counts"
        );
    }

    #[test]
    fn the_url_may_ask_for_a_check_but_not_for_none() {
        assert_eq!(mode("postgres://u@db/app?sslmode=verify-ca", None), "VerifyCa");
        for weak in ["require", "prefer", "allow", "disable"] {
            let error = mode(&format!("postgres://u@db/app?sslmode={weak}"), None);
            assert!(error.contains(weak) && error.contains("`tls`"), "{error}");
        }
        assert_eq!(mode("postgres://u@db/app?sslmode=require", Some(Tls::VerifyFull)), "VerifyFull");
        assert_eq!(mode("postgres://u@db/app", Some(Tls::Off)), "Disable");
        assert_eq!(mode("postgres://u@localhost/app", Some(Tls::VerifyCa)), "VerifyCa");
    }

    #[test]
    fn production_says_what_protects_even_a_connection_to_this_machine() {
        let production = |url: &str, tls| DbOptions { tls, production: true, ..DbOptions::new(url) }.target().err();
        for silent in ["u@127.0.0.1:5433/app", "u@localhost/app?sslmode=disable", "u@[::1]/app?sslmode=require"] {
            let error = production(&format!("postgres://{silent}"), None).unwrap();
            assert!(error.is_settings() && error.to_string().contains("`tls`"), "{silent}: {error}");
        }
        assert_eq!(production("postgres://u@127.0.0.1/app", Some(Tls::Off)), None);
        assert_eq!(production("postgres://u@127.0.0.1/app?sslmode=verify-ca", None), None);
        for elsewhere in ["postgres://u@%2Fvar%2Frun/app", "postgres://u@db.example.org/app", "sqlite::memory:"] {
            assert_eq!(production(elsewhere, None), None, "{elsewhere}");
        }
    }

    #[test]
    fn another_scheme_is_refused_by_name() {
        for url in ["mysql://u:hunter2@db/app", "", "users.db"] {
            let error = mode(url, None);
            assert!(error.contains("postgres://") && error.contains("sqlite://"), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }

    #[test]
    fn a_password_is_in_no_debug_and_no_message() {
        let broken = ["postgres://u:hunter2@db:notaport/app", "postgres://u:hunter2@db/app?sslmode=hunter2"];
        for url in broken {
            let error = DbOptions::new(url).target().err().unwrap();
            assert!(error.is_settings());
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        assert!(!format!("{:?}", DbOptions::new("postgres://u:hunter2@db/app")).contains("hunter2"));
    }
}
