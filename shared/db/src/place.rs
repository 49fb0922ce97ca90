//! Which database an error is about: host and port, or file. Never the user, never the password.

/// The server and the database on it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `host:port`, the path of a socket, or the path of a file.
    pub(crate) server: String,
    /// The database's name, or the file's.
    pub(crate) database: String,
}
