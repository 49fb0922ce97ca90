//! A user as the pool keeps it, and as the rest of the workspace knows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use userlink_domain::{Identity, PoolUser, Sub, Timestamp, UserStatus, Username};

/// A user as the pool keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) username: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) status: String,
    pub(crate) enabled: bool,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

impl Stored {
    /// `attribute` is the one that names the row.
    pub(crate) fn of(user: &PoolUser, attribute: &str) -> Self {
        let created = user.created.unwrap_or(Timestamp::from_millis(0));
        let mut stored = Self {
            username: user.username.as_str().to_owned(),
            attributes: BTreeMap::from([("sub".to_owned(), user.sub.to_string())]),
            status: String::new(),
            enabled: true,
            created,
            modified: user.modified.unwrap_or(created),
        };
        stored.take_over(user, attribute);
        stored
    }

    /// Becomes what is said of it. Its username, its sub and the attributes that a [`PoolUser`] does not have stay.
    pub(crate) fn take_over(&mut self, user: &PoolUser, attribute: &str) {
        let flag = |verified: bool| if verified { "true" } else { "false" };
        let email = user.email.as_deref();
        let phone = user.phone.as_deref();
        let identities = identities(&user.identities);
        for (name, value) in [
            ("email", email),
            ("email_verified", email.map(|_| flag(user.email_verified))),
            ("phone_number", phone),
            ("phone_number_verified", phone.map(|_| flag(user.phone_verified))),
            ("identities", identities.as_deref()),
            (attribute, user.user_id.as_deref()),
        ] {
            self.set(name, value);
        }
        self.status = user.status.as_str().to_owned();
        self.enabled = user.enabled;
    }

    /// Sets an attribute, or takes it away.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.attributes.insert(name.to_owned(), value.to_owned()),
            None => self.attributes.remove(name),
        };
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether another provider signs this user in.
    pub(crate) fn is_federated(&self) -> bool {
        self.status == UserStatus::ExternalProvider.as_str()
    }

    /// As the rest of the workspace knows it.
    pub(crate) fn pool_user(&self, attribute: &str) -> Option<PoolUser> {
        let boxed = |name: &str| self.attribute(name).map(Box::from);
        let is_true = |name: &str| self.attribute(name) == Some("true");
        Some(PoolUser {
            sub: Sub::parse(self.attribute("sub")?)?,
            username: Username::new(self.username.as_str()),
            user_id: boxed(attribute),
            email: boxed("email"),
            email_verified: is_true("email_verified"),
            phone: boxed("phone_number"),
            phone_verified: is_true("phone_number_verified"),
            status: UserStatus::parse(&self.status),
            enabled: self.enabled,
            identities: self.attribute("identities").map(read_identities).unwrap_or_default(),
            created: Some(self.created),
            modified: Some(self.modified),
        })
    }
}

/// The `identities` attribute, as Cognito writes it.
fn identities(list: &[Identity]) -> Option<String> {
    let entry = |identity: &Identity| {
        json!({"userId": identity.user_id, "providerName": identity.provider, "providerType": identity.provider,
            "issuer": null, "primary": "false", "dateCreated": "1"})
    };
    (!list.is_empty()).then(|| Value::from_iter(list.iter().map(entry)).to_string())
}

fn read_identities(text: &str) -> Vec<Identity> {
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let entry = |entry: &Value| {
        Some(Identity { provider: entry["providerName"].as_str()?.into(), user_id: entry["userId"].as_str()?.into() })
    };
    list.iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_back_as_it_went_in() {
        let mut user = PoolUser::new(Sub::from_u128(7), "Google_7");
        user.user_id = Some("42".into());
        user.email = Some("ada@example.org".into());
        user.phone = Some("+49301".into());
        user.phone_verified = true;
        user.status = UserStatus::ExternalProvider;
        user.enabled = false;
        user.identities = vec![Identity { provider: "Google".into(), user_id: "7".into() }];
        user.created = Some(Timestamp::from_millis(1));
        user.modified = Some(Timestamp::from_millis(2));
        assert_eq!(Stored::of(&user, "custom:userId").pool_user("custom:userId"), Some(user));
    }
}
