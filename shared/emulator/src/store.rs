//! The users of the pool: a computed world, with a layer of what was changed and added on top.

use std::collections::{BTreeMap, HashMap};

use userlink_domain::{PoolUser, Sub, Timestamp, UserStatus, Username};

use crate::filter::Filter;
use crate::server::Source;

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

/// An attribute that the pool's schema knows beside the standard ones.
#[derive(Clone, Debug)]
pub(crate) struct Custom {
    pub(crate) name: String,
    pub(crate) mutable: bool,
}

pub(crate) struct Store {
    pub(crate) schema: Vec<Custom>,
    /// Whether people sign in by e-mail; then usernames are subs.
    pub(crate) email_sign_in: bool,
    source: Source,
    attribute: String,
    changed: HashMap<u64, Stored>,
    added: Vec<Stored>,
    added_by_username: HashMap<String, u64>,
}

impl Store {
    pub(crate) fn new(source: Source, attribute: String, schema: Vec<Custom>, email_sign_in: bool) -> Self {
        let mut store = Self {
            schema,
            email_sign_in,
            source: Source::Users(Vec::new()),
            attribute,
            changed: HashMap::new(),
            added: Vec::new(),
            added_by_username: HashMap::new(),
        };
        match source {
            Source::Users(users) => {
                for user in users {
                    let stored = store.stored(&user);
                    store.add(stored);
                }
            }
            world @ Source::World(_) => store.source = world,
        }
        store
    }

    fn computed(&self) -> u64 {
        match &self.source {
            Source::World(world) => world.user_count(),
            Source::Users(_) => 0,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.computed() + self.added.len() as u64
    }

    pub(crate) fn add(&mut self, user: Stored) -> u64 {
        let index = self.len();
        self.added_by_username.insert(user.username.clone(), index);
        self.added.push(user);
        index
    }

    pub(crate) fn get(&self, index: u64) -> Option<Stored> {
        if let Some(changed) = self.changed.get(&index) {
            return Some(changed.clone());
        }
        match &self.source {
            Source::World(world) if index < world.user_count() => world.user(index).map(|user| self.stored(&user)),
            _ => self.added.get(usize::try_from(index - self.computed()).ok()?).cloned(),
        }
    }

    pub(crate) fn put(&mut self, index: u64, user: Stored) {
        self.changed.insert(index, user);
    }

    /// The place of a user by its username; by its address, too, where people sign in with that.
    pub(crate) fn find(&self, username: &str) -> Option<u64> {
        let of_world = match &self.source {
            Source::World(world) => world.index_of_username(username),
            Source::Users(_) => None,
        };
        let alias = || {
            let filter = Filter { attribute: "email".into(), prefix: false, value: username.to_owned() };
            let mut found = self.candidates(&filter).filter(|i| self.get(*i).is_some_and(|user| filter.admits(&user)));
            found.next()
        };
        let by_name = of_world.or_else(|| self.added_by_username.get(username).copied());
        by_name.or_else(|| if self.email_sign_in && username.contains('@') { alias() } else { None })
    }

    /// The places where users that the filter admits can be: few for what is looked up by key.
    pub(crate) fn candidates(&self, filter: &Filter) -> Box<dyn Iterator<Item = u64> + '_> {
        let rest = self.computed()..self.len();
        let Source::World(world) = &self.source else { return Box::new(rest) };
        let few: Option<Vec<u64>> = match (filter.attribute.as_str(), filter.prefix) {
            ("sub", false) => {
                Some(Sub::parse(&filter.value).and_then(|sub| world.index_of_sub(sub)).into_iter().collect())
            }
            ("username", false) => Some(world.index_of_username(&filter.value).into_iter().collect()),
            ("email", false) => Some(world.indexes_of_email(&filter.value)),
            _ => None,
        };
        match few {
            Some(few) => Box::new(few.into_iter().chain(rest)),
            None => Box::new(0..self.len()),
        }
    }

    fn stored(&self, user: &PoolUser) -> Stored {
        let mut attributes = BTreeMap::from([("sub".to_owned(), user.sub.to_string())]);
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                attributes.insert(name.to_owned(), value.to_owned());
            }
        };
        let flag = |held: bool| Some(if held { "true" } else { "false" });
        set("email", user.email.as_deref());
        set("email_verified", user.email.as_deref().and_then(|_| flag(user.email_verified)));
        set("phone_number", user.phone.as_deref());
        set("phone_number_verified", user.phone.as_deref().and_then(|_| flag(user.phone_verified)));
        set(&self.attribute, user.user_id.as_deref());
        if !user.identities.is_empty() {
            let list = user.identities.iter().map(|identity| {
                serde_json::json!({"userId": identity.user_id, "providerName": identity.provider,
                    "providerType": identity.provider, "issuer": null, "primary": "false", "dateCreated": "1"})
            });
            set("identities", serde_json::to_string(&list.collect::<Vec<_>>()).ok().as_deref());
        }
        let created = user.created.unwrap_or(Timestamp::from_millis(0));
        Stored {
            username: user.username.as_str().to_owned(),
            attributes,
            status: user.status.as_str().to_owned(),
            enabled: user.enabled,
            created,
            modified: user.modified.unwrap_or(created),
        }
    }

    /// The user as a test wants to see it.
    pub(crate) fn peek(&self, username: &str) -> Option<PoolUser> {
        let stored = self.get(self.find(username)?)?;
        let mut user = PoolUser::new(Sub::parse(stored.attributes.get("sub")?)?, "");
        user.username = Username::new(stored.username.as_str());
        user.user_id = stored.attributes.get(&self.attribute).map(|value| value.as_str().into());
        user.email = stored.attributes.get("email").map(|value| value.as_str().into());
        user.email_verified = stored.attributes.get("email_verified").is_some_and(|value| value == "true");
        user.status = UserStatus::parse(&stored.status);
        user.enabled = stored.enabled;
        Some(user)
    }
}
