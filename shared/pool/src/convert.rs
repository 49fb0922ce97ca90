//! From the SDK's types to ours.

use aws_sdk_cognitoidentityprovider::types::AttributeType;
use aws_smithy_types::DateTime;
use serde::Deserialize;
use userlink_domain::{Identity, PoolUser, Sub, Timestamp, UserStatus, Username};

/// The parts of a user that are not attributes.
pub(crate) struct Outer<'a> {
    pub(crate) username: &'a str,
    pub(crate) status: Option<&'a str>,
    pub(crate) enabled: bool,
    pub(crate) created: Option<&'a DateTime>,
    pub(crate) modified: Option<&'a DateTime>,
}

/// A user, as ours; `None` where it has no sub, which no pool of AWS's does.
pub(crate) fn user(outer: &Outer<'_>, attributes: &[AttributeType], user_id: &str) -> Option<PoolUser> {
    let value = |name: &str| -> Option<Box<str>> {
        attributes.iter().find(|attribute| attribute.name() == name).and_then(|found| found.value()).map(Into::into)
    };
    let is_true = |name| value(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    Some(PoolUser {
        sub: value("sub").as_deref().and_then(Sub::parse)?,
        username: Username::new(outer.username),
        user_id: value(user_id),
        email: value("email"),
        email_verified: is_true("email_verified"),
        phone: value("phone_number"),
        phone_verified: is_true("phone_number_verified"),
        status: UserStatus::parse(outer.status.unwrap_or("UNKNOWN")),
        enabled: outer.enabled,
        identities: value("identities").map(|text| identities(&text)).unwrap_or_default(),
        created: outer.created.and_then(moment),
        modified: outer.modified.and_then(moment),
    })
}

fn moment(at: &DateTime) -> Option<Timestamp> {
    at.to_millis().ok().map(Timestamp::from_millis)
}

/// The `identities` attribute is a JSON list; what does not read as one joins nothing.
fn identities(text: &str) -> Vec<Identity> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(rename = "providerName")]
        provider: String,
        #[serde(rename = "userId")]
        user_id: serde_json::Value,
    }
    let entries: Vec<Entry> = serde_json::from_str(text).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|entry| {
            let user_id = match entry.user_id {
                serde_json::Value::String(text) => text,
                serde_json::Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some(Identity { provider: entry.provider.into(), user_id: user_id.into() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_read_as_cognito_writes_them_and_nonsense_joins_nothing() {
        let text = r#"[{"userId":"1093","providerName":"Google","providerType":"Google","issuer":null,"primary":true,"dateCreated":1}]"#;
        assert_eq!(identities(text), [Identity { provider: "Google".into(), user_id: "1093".into() }]);
        assert!(identities("{}").is_empty());
        assert!(identities("[[[[").is_empty());
    }
}
