//! What the pool's schema allows: which attributes there are, which of them can change, how long a value may be.

use serde_json::{Value, json};

use crate::refusal::Refusal;

/// Characters of a value at most (Amazon Cognito developer guide, "Quotas"; API reference, AttributeType).
const LONGEST_VALUE: usize = 2048;
/// Characters of a custom attribute's name at most, without its `custom:` (the same).
const LONGEST_NAME: usize = 20;
/// Custom attributes of a pool at most (the same).
const MOST: usize = 50;
/// The attributes of OpenID Connect that every pool has.
const STANDARD: [&str; 19] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
];

/// An attribute beside the standard ones.
#[derive(Clone, Debug)]
struct Custom {
    name: String,
    mutable: bool,
    longest: usize,
}

/// The attributes of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    custom: Vec<Custom>,
}

impl Schema {
    /// The standard attributes, and one that can be changed.
    pub(crate) fn with(attribute: &str) -> Self {
        Self { custom: vec![Custom { name: attribute.to_owned(), mutable: true, longest: LONGEST_VALUE }] }
    }

    /// What CreateUserPool asks for.
    pub(crate) fn parse(input: &Value) -> Result<Self, Refusal> {
        let mut custom = Vec::new();
        for asked in input["Schema"].as_array().into_iter().flatten() {
            let name = asked["Name"].as_str().unwrap_or_default();
            if STANDARD.contains(&name) {
                continue;
            }
            if name.is_empty() || name.chars().count() > LONGEST_NAME {
                let text = format!("The name of a custom attribute has 1 to {LONGEST_NAME} characters.");
                return Err(Refusal::parameter(text));
            }
            let longest = asked["StringAttributeConstraints"]["MaxLength"].as_str().and_then(|text| text.parse().ok());
            custom.push(Custom {
                name: format!("custom:{name}"),
                mutable: asked["Mutable"] != false,
                longest: longest.unwrap_or(LONGEST_VALUE).min(LONGEST_VALUE),
            });
        }
        if custom.len() > MOST {
            return Err(Refusal::parameter(format!("A pool has at most {MOST} custom attributes.")));
        }
        Ok(Self { custom })
    }

    /// As DescribeUserPool tells it.
    pub(crate) fn describe(&self) -> Vec<Value> {
        let attribute = |name: &str, mutable: bool, longest: usize| {
            json!({
                "Name": name, "AttributeDataType": "String", "DeveloperOnlyAttribute": false,
                "Mutable": mutable, "Required": name == "sub",
                "StringAttributeConstraints": {"MinLength": "0", "MaxLength": longest.to_string()},
            })
        };
        let standard = STANDARD.iter().map(|name| attribute(name, *name != "sub", LONGEST_VALUE));
        let custom = self.custom.iter().map(|custom| attribute(&custom.name, custom.mutable, custom.longest));
        standard.chain(custom).collect()
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        STANDARD.contains(&name) || self.custom(name).is_some()
    }

    fn custom(&self, name: &str) -> Option<&Custom> {
        self.custom.iter().find(|custom| custom.name == name)
    }

    /// Whether the attribute may be set to this, on a user that is there (`changing`) or that is being made.
    pub(crate) fn check(&self, name: &str, value: &str, changing: bool) -> Result<(), Refusal> {
        let refused = |why: &str| Err(Refusal::parameter(format!("user.{name}: {why}")));
        if !self.knows(name) {
            return refused("Attribute does not exist in the schema.");
        }
        let custom = self.custom(name);
        if name == "sub" || changing && custom.is_some_and(|custom| !custom.mutable) {
            return refused("Attribute cannot be updated, as it is not mutable.");
        }
        let longest = custom.map_or(LONGEST_VALUE, |custom| custom.longest);
        if value.chars().count() > longest {
            return refused(&format!("String must be no longer than {longest} characters"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_immutable_can_be_set_once() {
        let asked = json!({"Schema": [{"Name": "userId", "Mutable": true}, {"Name": "fixed", "Mutable": false}]});
        let schema = Schema::parse(&asked).unwrap();
        assert!(schema.check("custom:fixed", "1", false).is_ok());
        assert!(schema.check("custom:fixed", "1", true).is_err());
        assert!(schema.check("custom:userId", "1", true).is_ok());
        assert!(schema.check("custom:other", "1", true).is_err());
        assert!(schema.check("sub", "1", false).is_err());
    }

    #[test]
    fn standard_and_custom_values_have_at_most_2048_characters() {
        let schema = Schema::with("custom:userId");
        for name in ["custom:userId", "email", "address"] {
            assert!(schema.check(name, &"ä".repeat(2048), true).is_ok(), "{name}");
            assert!(schema.check(name, &"a".repeat(2049), true).is_err(), "{name}");
        }
        let short = json!({"Schema": [{"Name": "short", "StringAttributeConstraints": {"MaxLength": "5"}}]});
        assert!(Schema::parse(&short).unwrap().check("custom:short", "123456", true).is_err());
    }

    #[test]
    fn a_custom_name_has_at_most_20_characters() {
        let named = |length: usize| Schema::parse(&json!({"Schema": [{"Name": "n".repeat(length)}]}));
        assert!(named(20).is_ok());
        assert!(named(21).is_err() && named(0).is_err());
    }
}
