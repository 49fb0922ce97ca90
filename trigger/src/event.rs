//! Our own view of an event. The event itself is never changed, and never parsed into anything that could lose a part.

use std::borrow::Cow;

use serde_json::{Map, Value};
use userlink_db::Newcomer;
use userlink_domain::{EmailKey, PoolUser, Sub, Username};

use crate::settings::Settings;

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger<'a> {
    ConfirmSignUp,
    ConfirmForgotPassword,
    SignIn,
    /// SQS's: messages of the retry queue.
    Retry(&'a [Value]),
    /// A schedule's: `{"userlink": "look", "pool": "…"}`.
    Look {
        pool: &'a str,
    },
    /// None that concerns us.
    Other,
}

/// The event's trigger.
pub(crate) fn trigger(event: &Value) -> Trigger<'_> {
    let text = |name| event.get(name).and_then(Value::as_str);
    match text("triggerSource") {
        Some("PostConfirmation_ConfirmSignUp") => return Trigger::ConfirmSignUp,
        Some("PostConfirmation_ConfirmForgotPassword") => return Trigger::ConfirmForgotPassword,
        Some("PostAuthentication_Authentication") => return Trigger::SignIn,
        Some(_) => return Trigger::Other,
        None => {}
    }
    let of_sqs = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    match event.get("Records").and_then(Value::as_array) {
        Some(records) if !records.is_empty() && records.iter().all(of_sqs) => return Trigger::Retry(records),
        _ => {}
    }
    match (text("userlink"), text("pool")) {
        (Some("look"), Some(pool)) => Trigger::Look { pool },
        _ => Trigger::Other,
    }
}

/// The trigger's name as it can stand in a log: it comes from outside.
pub(crate) fn trigger_name(event: &Value) -> String {
    let name = event.get("triggerSource").and_then(Value::as_str).unwrap_or_default();
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect()
}

/// The user, as the event has it: a copy, which may be old. Or as it was just read.
pub(crate) struct View<'a> {
    pub(crate) pool_id: &'a str,
    pub(crate) username: Username,
    pub(crate) sub: Sub,
    pub(crate) is_fresh: bool,
    attributes: Cow<'a, Map<String, Value>>,
}

impl<'a> View<'a> {
    /// What is missing, where something is.
    pub(crate) fn of(event: &'a Value) -> Result<Self, &'static str> {
        let text = |name| event.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let attributes = event.pointer("/request/userAttributes").and_then(Value::as_object);
        let attributes = attributes.ok_or("the event has no userAttributes")?;
        let sub = attributes.get("sub").and_then(Value::as_str).and_then(Sub::parse).ok_or("the event has no sub")?;
        Ok(Self {
            pool_id: text("userPoolId").ok_or("the event has no userPoolId")?,
            username: Username::new(text("userName").ok_or("the event has no userName")?),
            sub,
            is_fresh: false,
            attributes: Cow::Borrowed(attributes),
        })
    }

    /// A user who was just read.
    pub(crate) fn of_user(pool_id: &'a str, user: &PoolUser, attributes: Vec<(String, String)>) -> Self {
        let mut attributes: Map<String, Value> =
            attributes.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        attributes.insert("cognito:user_status".into(), user.status.as_str().into());
        let (username, sub) = (user.username.clone(), user.sub);
        Self { pool_id, username, sub, is_fresh: true, attributes: Cow::Owned(attributes) }
    }

    /// An attribute that is a text and not blank.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.attribute(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Somebody who is known here and not at another provider.
    fn is_native(&self) -> bool {
        let status = self.attribute("cognito:user_status");
        matches!(status, Some("CONFIRMED" | "RESET_REQUIRED")) && self.attribute("identities").is_none()
    }

    /// The e-mail that this user has proved to have.
    pub(crate) fn verified_email(&self) -> Option<&str> {
        self.attribute("email").filter(|_| self.is_true("email_verified"))
    }

    /// The e-mail by which a row may be adopted. Letters other than ASCII are folded otherwise here and there: one person's
    /// address could be another's.
    pub(crate) fn email_to_adopt_by(&self) -> Option<&str> {
        self.verified_email().filter(|email| email.is_ascii() && self.is_native())
    }

    /// What goes into a row that is inserted.
    pub(crate) fn newcomer(&self, settings: &Settings) -> Newcomer {
        let email = self.attribute("email");
        let further = settings.columns.iter().map(|(name, _)| {
            let stored = name != "phone_number" || settings.store_unverified || self.is_true("phone_number_verified");
            self.attribute(name).filter(|_| stored).map(str::to_owned)
        });
        Newcomer {
            sub: self.sub,
            email: email.filter(|_| self.is_true("email_verified") || settings.store_unverified).map(str::to_owned),
            known_by: email.and_then(EmailKey::of),
            adopt: None,
            further: further.collect(),
            insert: true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop here")]
    use serde_json::json;

    use super::*;

    fn event(attributes: Value) -> Value {
        let mut all = attributes;
        all["sub"] = json!("92f7d159-1110-4598-bba5-08878564dd9a");
        json!({"userPoolId": "eu-west-1_A", "userName": "a", "request": {"userAttributes": all}})
    }

    fn newcomer(attributes: Value, variables: &[(&str, &str)]) -> Newcomer {
        let variables = [("DATABASE_URL", "sqlite://x")].iter().chain(variables);
        let settings = Settings::read(variables.map(|(name, value)| ((*name).into(), (*value).into()))).unwrap();
        View::of(&event(attributes)).unwrap().newcomer(&settings)
    }

    #[test]
    fn only_what_was_proved_is_stored_unless_it_was_asked_for() {
        let unproved = json!({"email": "a@example.org", "phone_number": "+1", "name": "A", "email_verified": "false"});
        let columns = ("USERLINK_COLUMNS", "name=full_name,phone_number=phone");
        let strict = newcomer(unproved.clone(), &[columns]);
        assert_eq!((strict.email, strict.further), (None, vec![Some("A".into()), None]));
        assert_eq!(strict.known_by, EmailKey::of("a@example.org"), "it is looked for all the same");
        let loose = newcomer(unproved, &[columns, ("USERLINK_STORE_UNVERIFIED", "true")]);
        assert_eq!((loose.email.as_deref(), loose.further[1].as_deref()), (Some("a@example.org"), Some("+1")));
    }

    #[test]
    fn a_row_is_adopted_for_a_native_user_with_a_verified_ascii_email() {
        let good = json!({"email": "A@example.org", "email_verified": "true", "cognito:user_status": "CONFIRMED"});
        let by = |attributes: &Value| {
            let event = event(attributes.clone());
            View::of(&event).unwrap().email_to_adopt_by().map(str::to_owned)
        };
        assert_eq!(by(&good).as_deref(), Some("A@example.org"));
        for (name, value) in [
            ("email_verified", "false"),
            ("email", "İan@example.org"),
            ("cognito:user_status", "EXTERNAL_PROVIDER"),
            ("identities", "[{}]"),
        ] {
            let mut other = good.clone();
            other[name] = json!(value);
            assert_eq!(by(&other), None, "{name}");
        }
    }

    #[test]
    fn an_event_says_what_it_asks_for() {
        assert_eq!(trigger(&json!({"triggerSource": "PostAuthentication_Authentication"})), Trigger::SignIn);
        assert!(matches!(trigger(&json!({"Records": [{"eventSource": "aws:sqs"}]})), Trigger::Retry([_])));
        assert_eq!(trigger(&json!({"userlink": "look", "pool": "p"})), Trigger::Look { pool: "p" });
        for other in [
            json!(null),
            json!({"Records": []}),
            json!({"Records": [{"eventSource": "aws:s3"}]}),
            json!({"userlink": "look"}),
        ] {
            assert_eq!(trigger(&other), Trigger::Other, "{other}");
        }
    }
}
