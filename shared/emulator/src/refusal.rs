//! How the pool says no.

/// An error as the service sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(crate) fn too_large(name: &str, most: u64) -> Self {
        Self::parameter(format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must have value less \
             than or equal to {most}"
        ))
    }

    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    pub(crate) fn no_user() -> Self {
        Self::new("UserNotFoundException", "User does not exist.")
    }

    pub(crate) fn internal() -> Self {
        Self { status: 500, code: "InternalErrorException", message: "Something went wrong.".into() }
    }
}
