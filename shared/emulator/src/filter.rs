//! The filter of ListUsers: one attribute, `=` or `^=`, a quoted value.

use crate::refusal::Refusal;
use crate::user::Stored;

/// What can be filtered by (API reference, ListUsers, `Filter`). Custom attributes cannot.
const KNOWN: [&str; 10] = [
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
];
/// Characters of a filter at most.
const LONGEST: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) attribute: String,
    pub(crate) prefix: bool,
    pub(crate) value: String,
}

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Refusal> {
        let bad = || Refusal::parameter("Error while parsing filter.");
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().count() > LONGEST {
            return Err(Refusal::parameter("The filter is too long."));
        }
        let (attribute, value) = text.split_once('=').ok_or_else(bad)?;
        let prefix = attribute.ends_with('^');
        let attribute = attribute.trim_end_matches('^').trim().trim_matches('"');
        if !KNOWN.contains(&attribute) {
            return Err(bad());
        }
        let quoted = value.trim().strip_prefix('"').ok_or_else(bad)?;
        let mut out = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().ok_or_else(bad)? {
                '"' => break,
                '\\' => out.push(chars.next().ok_or_else(bad)?),
                c => out.push(c),
            }
        }
        if chars.next().is_some() {
            return Err(bad());
        }
        Ok(Some(Self { attribute: attribute.to_owned(), prefix, value: out }))
    }

    pub(crate) fn admits(&self, user: &Stored) -> bool {
        let held = match self.attribute.as_str() {
            // Alone in being compared without regard to case (API reference, ListUsers, `Filter`).
            "cognito:user_status" => {
                return self.matches(&user.status.to_ascii_uppercase(), &self.value.to_ascii_uppercase());
            }
            "username" => Some(user.username.as_str()),
            "status" => Some(if user.enabled { "Enabled" } else { "Disabled" }),
            name => user.attribute(name),
        };
        held.is_some_and(|held| self.matches(held, &self.value))
    }

    fn matches(&self, held: &str, value: &str) -> bool {
        if self.prefix { held.starts_with(value) } else { held == value }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_filter_has_one_attribute_and_one_value() {
        let filter = Filter::parse(r#"sub ^= "0a""#).unwrap().unwrap();
        assert_eq!((filter.attribute.as_str(), filter.prefix, filter.value.as_str()), ("sub", true, "0a"));
        let filter = Filter::parse(r#"username = "a\"b\\""#).unwrap().unwrap();
        assert_eq!(filter.value, r#"a"b\"#);
        for bad in [r#"custom:userId = "1""#, r#"sub = "1" or sub = "2""#, "sub = 1", r#"sub = "open"#, "sub"] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }
}
