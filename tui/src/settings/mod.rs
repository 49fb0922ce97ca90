//! The settings: one TOML file, overridden by the environment, overridden by flags.
//!
//! A secret is looked up where it is said to be, once, and is never shown: not in an error, not by `Debug`.

mod context;
mod file;
mod secret;

pub(crate) use context::{Base, Context, Overrides, name_of, refuse_password, resolve, resolve_base};
pub(crate) use file::{ContextSettings, Settings, config_path, load};

/// Something in the settings or flags that has to be corrected; the exit code is 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SettingsError(pub(crate) String);

impl SettingsError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
