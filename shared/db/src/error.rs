//! What can go wrong with the database, in classes that say what to do about each.
//!
//! A message names servers, databases, tables, columns and types, and nothing else. The driver's own
//! errors are never kept: some of them quote values.

use sqlx::postgres::PgDatabaseError;
use thiserror::Error;

use crate::place::Place;

/// One sentence says what is wrong, the next what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DbError {
    #[error(
        "The database URL cannot be read. Write it as postgres://user@host:5432/name or sqlite://path, with special characters percent-encoded."
    )]
    Url,
    #[error(
        "The database URL has another scheme than those that are known. Use postgres://, postgresql:// or sqlite://."
    )]
    Scheme,
    #[error(
        "sslmode={mode} in the database URL does not check who the server is. Set `tls` to verify-full (or to off, if that is meant) or remove sslmode."
    )]
    TlsSetting { mode: String },
    #[error(
        "In production the settings have to say how the connection to {server} is protected, since a tunnel may begin on this machine. Set `tls` to verify-full, to verify-ca (through a tunnel) or to off."
    )]
    TlsUnsaid { server: String },
    #[error("The root certificate {file} is not there. Check the path.")]
    RootCert { file: String },
    #[error(
        "TLS with {server} failed: {why}. Check `tls` and the root certificate; a private authority (RDS has one) needs its bundle."
    )]
    Tls { server: String, why: String },
    #[error(
        "{server} refused the user name or the password. Check both, and that the server admits this user from here."
    )]
    PasswordRefused { server: String },
    #[error("There is no database {database} at {server}. Check the name in the database URL.")]
    DatabaseMissing { server: String, database: String },
    #[error("{file} is no SQLite database. Check the path in the database URL.")]
    NotADatabase { file: String },

    #[error("The name {name:?} cannot be used: {why}. Check the table's mapping.")]
    Name { name: String, why: &'static str },
    #[error("There is no table {table}.{} Check the table's name, its schema and its case.", meant(nearest))]
    TableMissing { table: String, nearest: Option<String> },
    #[error("Table {table} has no column {column}, which `{setting}` names.{} Check the mapping.", meant(nearest))]
    ColumnMissing { table: String, column: String, setting: &'static str, nearest: Option<String> },
    #[error(
        "Column {column} of {table} is not by itself a key: {why}. Map `id` to a column that is the whole primary key, or unique and not null."
    )]
    NotTheKey { table: String, column: String, why: String },
    #[error(
        "Column {column} of {table} has type {found}, and an id must be uuid, an integer, or text. Map `id` to such a column, or set the kind of the id where a text column of SQLite holds uuids."
    )]
    IdType { table: String, column: String, found: String },
    #[error(
        "Column {column} of {table} has type {found}, and the sub must be in a text, varchar or uuid column. Map `sub` to such a column."
    )]
    SubType { table: String, column: String, found: String },
    #[error(
        "Column {column} of {table} has type {found}, which is no moment. Map `{setting}` to a timestamp or date column, or leave it out."
    )]
    TimeType { table: String, column: String, setting: &'static str, found: String },
    #[error("A value in `where` does not suit its column in {table}. Write it as that column's type has it.")]
    ConditionValue { table: String },
    #[error(
        "Row-level security hides rows of {table} from this role, so absence would prove nothing. Use a role with BYPASSRLS, or the table's owner where it is not forced."
    )]
    RowSecurity { table: String },
    #[error("This role may not use {what}. Grant it the privilege, or use another role.")]
    Permission { what: String },
    #[error("This connection is read-only. Leave `read_only` out to write.")]
    ReadOnly,
    #[error("There is a table of that name already. Map it in the settings rather than have it made.")]
    TableExists,
    #[error(
        "The migration {name} was applied with another text than this program has. Use the version that applied it, or a later one."
    )]
    MigrationChanged { name: String },

    #[error("{server} cannot be reached: {why}. Check host, port and network.")]
    Unreachable { server: String, why: String },
    #[error("{server} has no connection left. Wait, or lower the number that its clients take.")]
    TooManyConnections { server: String },
    #[error("The database is busy. Try again.")]
    Busy,
    #[error(
        "{server} takes no writes now: a replica, or a writer that has just been replaced. Connect to the primary, or try again."
    )]
    ReadOnlyServer { server: String },
    #[error(
        "The statement took too long and was stopped. Try again when the database has less to do; an index on the id and one on the sub make it quick."
    )]
    Timeout,
    #[error("The connection to {server} broke. Try again.")]
    ConnectionLost { server: String },
    #[error(
        "A table or a column that was there is gone, or its type changed ({code}). Open the table again, and check the mapping."
    )]
    SchemaChanged { code: String },
    #[error(
        "Column {column} holds a value that cannot be read as {wanted}. Mend the row, or map the column otherwise."
    )]
    Value { column: String, wanted: &'static str },
    #[error(
        "Two rows carry the same sub, so that it cannot be made unique. Repair what userlink scan calls duplicate_rows first."
    )]
    SubTwice,
    #[error(
        "Column {column} of {table} has no unique index, so that one user could come to have two rows. Run userlink migrate --unique-sub."
    )]
    SubNotUnique { table: String, column: String },
    #[error(
        "Another row has a value that has to be unique ({constraint}). Look at both rows, or leave that column out of the mapping."
    )]
    Taken { constraint: String },
    #[error("The database failed ({0}). Look into its log.")]
    Other(String),
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" Did you mean {name}?")).unwrap_or_default()
}

impl DbError {
    /// Whether the same call may succeed later with nothing changed by a person.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TooManyConnections { .. }
                | Self::Busy
                | Self::ReadOnlyServer { .. }
                | Self::Timeout
                | Self::ConnectionLost { .. }
        )
    }

    /// Whether the settings, a grant or the schema are at fault, and not the run.
    pub fn is_settings(&self) -> bool {
        !self.is_transient()
            && !matches!(
                self,
                Self::SchemaChanged { .. } | Self::Value { .. } | Self::SubTwice | Self::Taken { .. } | Self::Other(_)
            )
    }

    /// The class of a driver's error.
    pub(crate) fn of(error: sqlx::Error, place: &Place) -> Self {
        let server = place.server.clone();
        match error {
            sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
                Some(error) => of_postgres(error, place),
                None => of_sqlite(error.code().as_deref().unwrap_or_default(), error.message(), place),
            },
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::ConnectionLost { server }
            }
            // What rustls finds wrong with a certificate comes wrapped in this kind.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Tls { server, why: error.to_string() }
            }
            sqlx::Error::Io(error) => Self::Unreachable { server, why: error.kind().to_string() },
            sqlx::Error::Tls(why) => Self::Tls { server, why: why.to_string() },
            sqlx::Error::PoolTimedOut => {
                Self::Unreachable { server, why: "no connection was to be had in time".to_owned() }
            }
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::ConnectionLost { server },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Other("a value of another type".into()),
            sqlx::Error::Configuration(_) => Self::Url,
            _ => Self::Other("the driver gave up".to_owned()),
        }
    }
}

fn of_postgres(error: &PgDatabaseError, place: &Place) -> DbError {
    let server = place.server.clone();
    let database = place.database.clone();
    match error.code() {
        "23505" => DbError::Taken { constraint: error.constraint().unwrap_or_default().to_owned() },
        "28P01" | "28000" => DbError::PasswordRefused { server },
        "3D000" => DbError::DatabaseMissing { server, database },
        "53300" => DbError::TooManyConnections { server },
        "25006" => DbError::ReadOnlyServer { server },
        "57014" => DbError::Timeout,
        "55P03" | "40001" | "40P01" => DbError::Busy,
        "57P03" => DbError::Unreachable { server, why: "it is starting or stopping".into() },
        // What PgBouncer says in its own name always has this code.
        "08P01" if error.message().contains("no such database") => DbError::DatabaseMissing { server, database },
        "08P01" if error.message().contains("auth") => DbError::PasswordRefused { server },
        "57P01" | "57P02" | "57P05" => DbError::ConnectionLost { server },
        code if code.starts_with("08") => DbError::ConnectionLost { server },
        // The routine's name tells what the (translated) message would.
        "42501" if error.routine() == Some("check_enable_rls") => DbError::RowSecurity { table: "the table".into() },
        "42501" => DbError::Permission { what: "the table, its schema or a column of it".into() },
        "42P07" => DbError::TableExists,
        code @ ("42P01" | "42703" | "42883" | "42804") => DbError::SchemaChanged { code: code.to_owned() },
        code => DbError::Other(format!("SQLSTATE {code}")),
    }
}

const SQLITE_UNIQUE: &str = "UNIQUE constraint failed: ";

/// By the primary result code, which is the low byte of the extended one.
fn of_sqlite(code: &str, message: &str, place: &Place) -> DbError {
    let server = place.server.clone();
    match code.parse::<u32>().map(|code| code & 0xff) {
        // Its message names columns, `UNIQUE constraint failed: users.email`, and no values.
        Ok(19) if message.starts_with(SQLITE_UNIQUE) => {
            DbError::Taken { constraint: message.trim_start_matches(SQLITE_UNIQUE).to_owned() }
        }
        Ok(1) if message.starts_with("no such ") => DbError::SchemaChanged { code: "SQLite 1".into() },
        Ok(1) if message.ends_with("already exists") => DbError::TableExists,
        Ok(5 | 6) => DbError::Busy,
        Ok(8) => DbError::ReadOnlyServer { server },
        Ok(14) => DbError::DatabaseMissing { server, database: place.database.clone() },
        Ok(26) => DbError::NotADatabase { file: server },
        _ => DbError::Other(format!("SQLite {code}")),
    }
}
