//! Our own view of an event. The event itself is never changed, and never parsed into anything that could lose a part.

use serde_json::{Map, Value};
use userlink_db::Newcomer;
use userlink_domain::{EmailKey, Sub, Username};

use crate::settings::Settings;

/// Which of Cognito's calls this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    ConfirmSignUp,
    ConfirmForgotPassword,
    /// None that concerns us.
    Other,
}

/// The event's trigger.
pub(crate) fn trigger(event: &Value) -> Trigger {
    match event.get("triggerSource").and_then(Value::as_str) {
        Some("PostConfirmation_ConfirmSignUp") => Trigger::ConfirmSignUp,
        Some("PostConfirmation_ConfirmForgotPassword") => Trigger::ConfirmForgotPassword,
        _ => Trigger::Other,
    }
}

/// The trigger's name as it can stand in a log: it comes from outside.
pub(crate) fn trigger_name(event: &Value) -> String {
    let name = event.get("triggerSource").and_then(Value::as_str).unwrap_or_default();
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect()
}

/// The user, as the event has it: a copy, which may be old.
pub(crate) struct View<'a> {
    pub(crate) pool_id: &'a str,
    pub(crate) username: Username,
    pub(crate) sub: Sub,
    attributes: &'a Map<String, Value>,
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
            attributes,
        })
    }

    /// An attribute that is a text and not blank.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
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

    /// What goes into a row that is inserted, and whether a row that is there may be adopted.
    pub(crate) fn newcomer(&self, settings: &Settings) -> Newcomer {
        let email = self.attribute("email");
        let verified = self.is_true("email_verified");
        // Letters other than ASCII are folded otherwise here and there: one person's address could be another's.
        let proved = email.filter(|email| verified && email.is_ascii() && self.is_native());
        let further = settings.columns.iter().map(|(name, _)| {
            let stored = name != "phone_number" || settings.store_unverified || self.is_true("phone_number_verified");
            self.attribute(name).filter(|_| stored).map(str::to_owned)
        });
        Newcomer {
            sub: self.sub,
            email: email.filter(|_| verified || settings.store_unverified).map(str::to_owned),
            adopt: proved.filter(|_| settings.adopt_verified_email).and_then(EmailKey::of),
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

    fn newcomer(attributes: Value, variables: &[(&str, &str)]) -> Newcomer {
        let mut all = attributes;
        all["sub"] = json!("92f7d159-1110-4598-bba5-08878564dd9a");
        let event = json!({"userPoolId": "eu-west-1_A", "userName": "a", "request": {"userAttributes": all}});
        let variables = [("DATABASE_URL", "sqlite://x")].iter().chain(variables);
        let settings = Settings::read(variables.map(|(name, value)| ((*name).into(), (*value).into()))).unwrap();
        View::of(&event).unwrap().newcomer(&settings)
    }

    #[test]
    fn only_what_was_proved_is_stored_unless_it_was_asked_for() {
        let unproved = json!({"email": "a@example.org", "phone_number": "+1", "name": "A", "email_verified": "false"});
        let columns = ("USERLINK_COLUMNS", "name=full_name,phone_number=phone");
        let strict = newcomer(unproved.clone(), &[columns]);
        assert_eq!((strict.email, strict.further), (None, vec![Some("A".into()), None]));
        let loose = newcomer(unproved, &[columns, ("USERLINK_STORE_UNVERIFIED", "true")]);
        assert_eq!((loose.email.as_deref(), loose.further[1].as_deref()), (Some("a@example.org"), Some("+1")));
    }

    #[test]
    fn a_row_is_adopted_for_a_native_user_with_a_verified_ascii_email_where_that_is_switched_on() {
        let on = [("USERLINK_ADOPT_VERIFIED_EMAIL", "true")];
        let good = json!({"email": "A@example.org", "email_verified": "true", "cognito:user_status": "CONFIRMED"});
        assert_eq!(newcomer(good.clone(), &on).adopt, EmailKey::of("a@example.org"));
        assert_eq!(newcomer(good.clone(), &[]).adopt, None);
        for (name, value) in [
            ("email_verified", "false"),
            ("email", "İan@example.org"),
            ("cognito:user_status", "EXTERNAL_PROVIDER"),
            ("identities", "[{}]"),
        ] {
            let mut other = good.clone();
            other[name] = json!(value);
            assert_eq!(newcomer(other, &on).adopt, None, "{name}");
        }
    }
}
