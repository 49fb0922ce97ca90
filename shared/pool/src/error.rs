//! What can go wrong with the pool, and what the caller can do about each.

use std::fmt;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::error::display::DisplayErrorContext;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// There is no such pool in this region and account: look at the settings.
    PoolMissing,
    /// There are no credentials, or they are not accepted: sign in.
    NoCredentials,
    /// The credentials have run out: sign in again, and go on.
    CredentialsExpired,
    /// The role may not call this: have it allowed.
    NotPermitted,
    /// Nobody answered: look at the network, the endpoint and the region.
    Unreachable,
    /// Too many requests, even after waiting: try again later, or lower the rate.
    Throttled,
    /// The pool failed on its side: try again.
    Failed,
    /// The token of a listing is too old: list again from the start.
    TokenExpired,
    /// There is no such user any more: read again.
    UserMissing,
    /// The pool's schema does not know the attribute, or it cannot be changed: make another one.
    AttributeUnusable,
    /// The row's id cannot stand in an attribute: map another column as the id.
    IdUnusable,
    /// The settings contradict themselves, or name what is not there.
    Settings,
    /// The pool refused the request for another reason.
    Refused,
}

/// A request to the pool that did not do what it should. It says what happened and what to do, and never holds a value of
/// a person's.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} {}", self.advice())]
pub struct PoolError {
    remedy: Remedy,
    what: String,
}

impl PoolError {
    pub(crate) fn new(remedy: Remedy, what: impl Into<String>) -> Self {
        Self { remedy, what: what.into() }
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }

    /// Whether the settings are what has to be changed.
    pub fn is_settings(&self) -> bool {
        matches!(self.remedy, Remedy::Settings | Remedy::PoolMissing | Remedy::AttributeUnusable)
    }

    /// Whether the credentials are what is wrong: they have run out, or there are none, or others.
    pub fn is_credentials(&self) -> bool {
        matches!(self.remedy, Remedy::CredentialsExpired | Remedy::NoCredentials)
    }

    /// Whether a write that failed like this may have been carried out all the same, or may still be: its answer was lost,
    /// or the pool failed while it was at it.
    pub fn may_have_been_done(&self) -> bool {
        matches!(self.remedy, Remedy::Failed | Remedy::Unreachable)
    }

    fn advice(&self) -> &'static str {
        match self.remedy {
            Remedy::PoolMissing => {
                "Check pool_id, region and aws_profile: pools are found in their own region and account alone."
            }
            Remedy::NoCredentials => "Sign in (aws sso login), or set aws_profile or the AWS_* variables.",
            Remedy::CredentialsExpired => "Sign in again (aws sso login), then scan again.",
            Remedy::NotPermitted => "Have the role allowed to do this on the pool's ARN.",
            Remedy::Unreachable => "Check the network, endpoint_url and region.",
            Remedy::Throttled => "Try again later, or lower --rate: the quota is shared with every sign-in.",
            Remedy::Failed => "Try again; if it stays so, look at AWS's health dashboard.",
            Remedy::TokenExpired => "List again from the start.",
            Remedy::UserMissing => "Scan again: the user is gone.",
            Remedy::AttributeUnusable => {
                "Add a mutable attribute to the pool's schema, and name it with attribute = \"custom:…\"."
            }
            Remedy::IdUnusable => "Map `id` to another column.",
            Remedy::Settings => "Correct the settings or flags.",
            Remedy::Refused => "Try again; if it stays so, report it with this sentence.",
        }
    }

    /// Whether the same request may succeed if it is made again.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.remedy, Remedy::Throttled | Remedy::Failed | Remedy::Unreachable)
    }
}

/// Reads the class of a failure out of the SDK's.
pub(crate) fn classify<E>(operation: &'static str, place: &dyn fmt::Display, error: &SdkError<E>) -> PoolError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let text = service.err().message().unwrap_or_default();
            from_code(operation, place, service.err().code().unwrap_or_default(), text, status)
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            PoolError::new(Remedy::Failed, format!("{operation}: {place} answered with status {status} and no sense."))
        }
        SdkError::TimeoutError(_) => {
            PoolError::new(Remedy::Unreachable, format!("{operation}: {place} did not answer in time."))
        }
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            PoolError::new(Remedy::Unreachable, format!("{operation}: {place} cannot be reached."))
        }
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            let context = DisplayErrorContext(error).to_string();
            if context.to_ascii_lowercase().contains("credentials") {
                PoolError::new(Remedy::NoCredentials, "No AWS credentials were found.")
            } else {
                PoolError::new(Remedy::Unreachable, format!("{operation}: {place} cannot be reached."))
            }
        }
        _ => PoolError::new(Remedy::Failed, format!("{operation} failed at {place}.")),
    }
}

fn from_code(operation: &'static str, place: &dyn fmt::Display, code: &str, text: &str, status: u16) -> PoolError {
    let new = |remedy, what: String| PoolError::new(remedy, what);
    match code {
        "ResourceNotFoundException" => new(Remedy::PoolMissing, format!("There is no such user pool at {place}.")),
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException" => {
            new(Remedy::Throttled, format!("{operation}: the pool answers too many requests."))
        }
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" | "TokenRefreshRequired" => {
            new(Remedy::CredentialsExpired, "The AWS credentials have expired.".into())
        }
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "InvalidClientTokenId"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "SignatureDoesNotMatch" => {
            new(Remedy::NoCredentials, format!("{place} does not accept the AWS credentials."))
        }
        "AccessDeniedException" | "AccessDenied" => {
            new(Remedy::NotPermitted, format!("The role may not call cognito-idp:{operation} on the pool."))
        }
        "UserNotFoundException" => new(Remedy::UserMissing, "The pool has no such user.".into()),
        // Without these words it is a refusal, and says nothing of whether the user is there.
        "NotAuthorizedException" if text.contains("User does not exist") => {
            new(Remedy::UserMissing, "The pool has no such user.".into())
        }
        "NotAuthorizedException" => new(Remedy::NotPermitted, format!("{operation} is not authorized.")),
        "InvalidParameterException" if text.to_ascii_lowercase().contains("token") => {
            new(Remedy::TokenExpired, format!("{operation}: the token of the listing is no longer valid."))
        }
        "InvalidParameterException" if text.contains("schema") || text.contains("mutable") => {
            new(Remedy::AttributeUnusable, "The pool does not let this attribute be written.".into())
        }
        _ if status >= 500 => new(Remedy::Failed, format!("{operation}: {place} failed with status {status}.")),
        "" => new(Remedy::Refused, format!("{operation}: {place} refused it with status {status}.")),
        code => {
            let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
            new(Remedy::Refused, format!("{operation}: {place} refused it as {code}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(operation: &'static str, code: &str, text: &str, status: u16) -> PoolError {
        from_code(operation, &"Cognito in eu-west-1", code, text, status)
    }

    #[test]
    fn who_may_not_read_a_user_has_not_found_out_that_there_is_none() {
        let remedy = |text| error("AdminGetUser", "NotAuthorizedException", text, 400).remedy();
        assert_eq!(remedy("Caller is not allowed to do this."), Remedy::NotPermitted);
        assert_eq!(remedy("User does not exist."), Remedy::UserMissing);
    }

    #[test]
    fn a_pool_that_is_not_there_and_an_attribute_that_is_of_no_use_are_in_the_settings() {
        assert!(error("ListUsers", "ResourceNotFoundException", "", 400).is_settings());
        let schema = "user.custom:userId: Attribute does not exist in the schema.";
        assert!(error("AdminUpdateUserAttributes", "InvalidParameterException", schema, 400).is_settings());
        assert!(!error("AdminUpdateUserAttributes", "AccessDeniedException", "", 400).is_settings());
    }

    #[test]
    fn a_read_that_is_refused_says_nothing_of_changes() {
        let text = error("ListUsers", "InvalidParameterException", "odd", 400).to_string();
        assert!(text.contains("InvalidParameterException") && !text.contains("changed"), "{text}");
    }

    /// A write must be sent again only after reading, unless the pool said that it did not carry it out.
    #[test]
    fn only_a_failure_of_the_pool_leaves_open_whether_it_was_done() {
        let open = |code, status| error("AdminUpdateUserAttributes", code, "", status).may_have_been_done();
        assert!(open("InternalErrorException", 500) && open("", 503));
        for code in ["TooManyRequestsException", "AccessDeniedException", "UserNotFoundException", "Odd"] {
            assert!(!open(code, 400), "{code}");
        }
    }
}
