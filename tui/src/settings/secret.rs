//! Where a secret is kept, and how it is fetched from there.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::process::Command;

use super::SettingsError;

/// A command that has printed nothing after this long is not going to.
const PATIENCE: Duration = Duration::from_secs(30);

/// A plain string, or one of `{ env = "NAME" }`, `{ file = "PATH" }`, `{ command = "LINE" }`.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum SecretSource {
    Plain(String),
    Elsewhere(Elsewhere),
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Elsewhere {
    Env(String),
    File(String),
    Command(String),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "a plain string",
            Self::Elsewhere(Elsewhere::Env(_)) => "a variable",
            Self::Elsewhere(Elsewhere::File(_)) => "a file",
            Self::Elsewhere(Elsewhere::Command(_)) => "a command",
        })
    }
}

impl SecretSource {
    /// Fetches the secret. `setting` is what the person calls it.
    pub(crate) async fn fetch(&self, setting: &str) -> Result<SecretString, SettingsError> {
        let text = match self {
            Self::Plain(text) => text.clone(),
            Self::Elsewhere(Elsewhere::Env(name)) => std::env::var(name).map_err(|_| {
                SettingsError::new(format!("{setting} is to be read from the variable {name}, which is not set."))
            })?,
            Self::Elsewhere(Elsewhere::File(path)) => tokio::fs::read_to_string(path).await.map_err(|error| {
                let why = error.kind();
                SettingsError::new(format!(
                    "{setting} is to be read from the file {path}, which cannot be read: {why}."
                ))
            })?,
            Self::Elsewhere(Elsewhere::Command(line)) => printed_by(line, setting).await?,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(SettingsError::new(format!("{setting} is empty where {self:?} should hold it.")));
        }
        Ok(SecretString::from(text.to_owned()))
    }
}

async fn printed_by(line: &str, setting: &str) -> Result<String, SettingsError> {
    let failed = |why: &str| SettingsError::new(format!("The command that prints {setting} {why}."));
    let running = Command::new("sh").arg("-c").arg(line).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, running).await.map_err(|_| failed("took longer than 30 s"))?;
    let output = output.map_err(|_| failed("cannot be started"))?;
    if !output.status.success() {
        return Err(failed(&match output.status.code() {
            Some(code) => format!("ended with code {code}"),
            None => "was killed".to_owned(),
        }));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("printed something that is no text"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use secrecy::ExposeSecret;

    use super::*;

    fn command(line: &str) -> SecretSource {
        SecretSource::Elsewhere(Elsewhere::Command(line.into()))
    }

    #[tokio::test]
    async fn a_command_prints_the_secret() {
        let secret = command("printf 'postgres://u:hush@h/d\\n'").fetch("database_url").await.unwrap();
        assert_eq!(secret.expose_secret(), "postgres://u:hush@h/d");
        assert!(!format!("{secret:?}").contains("hush"));
    }

    #[tokio::test]
    async fn a_command_that_fails_is_named_without_what_it_printed() {
        let error = command("echo hush; exit 3").fetch("database_url").await.unwrap_err().to_string();
        assert_eq!(error, "The command that prints database_url ended with code 3.");
    }

    #[tokio::test]
    async fn a_file_and_a_variable_that_are_missing_are_named() {
        let file = SecretSource::Elsewhere(Elsewhere::File("/nonexistent/url".into()));
        assert!(file.fetch("database_url").await.unwrap_err().to_string().contains("/nonexistent/url"));
        let variable = SecretSource::Elsewhere(Elsewhere::Env("USERLINK_TEST_UNSET".into()));
        assert!(variable.fetch("replica_url").await.unwrap_err().to_string().contains("USERLINK_TEST_UNSET"));
    }

    #[test]
    fn debug_says_where_and_not_what() {
        assert_eq!(format!("{:?}", SecretSource::Plain("hush".into())), "a plain string");
    }
}
