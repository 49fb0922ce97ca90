//! The users of the pool: a computed world, with a layer of what was changed, added and deleted on top.
//!
//! The layer remembers when each change was made, for as long as a listing still shows what was there before.

use std::collections::HashMap;
use std::time::Duration;

use userlink_domain::Sub;

use crate::clock::Moment;
use crate::filter::Filter;
use crate::server::Source;
use crate::user::Stored;

/// What a user was from some moment on; `None` is a deleted one.
struct Version {
    from: Duration,
    user: Option<Stored>,
}

pub(crate) struct Store {
    /// Whether people sign in by e-mail; then usernames are subs, and addresses are aliases.
    pub(crate) email_sign_in: bool,
    /// The attribute that names the row.
    pub(crate) attribute: String,
    source: Source,
    /// The versions of whoever was changed, added or deleted, by place; the oldest first.
    versions: HashMap<u64, Vec<Version>>,
    added: u64,
    deleted: u64,
    /// The places of those users by every sub, username and address that they have or had.
    places: HashMap<String, Vec<u64>>,
}

impl Store {
    pub(crate) fn new(source: Source, attribute: String, email_sign_in: bool) -> Self {
        let mut store = Self {
            email_sign_in,
            attribute,
            source: Source::Users(Vec::new()),
            versions: HashMap::new(),
            added: 0,
            deleted: 0,
            places: HashMap::new(),
        };
        match source {
            Source::Users(users) => {
                for user in users {
                    let stored = Stored::of(&user, &store.attribute);
                    store.add(stored, Moment::BEGINNING);
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

    /// How many users there are.
    pub(crate) fn count(&self) -> u64 {
        self.computed() + self.added - self.deleted
    }

    /// One more than the last place; the places of deleted users stay empty.
    fn end(&self) -> u64 {
        self.computed() + self.added
    }

    /// What was at a place in the beginning.
    fn original(&self, index: u64) -> Option<Stored> {
        match &self.source {
            Source::World(world) => world.user(index).map(|user| Stored::of(&user, &self.attribute)),
            Source::Users(_) => None,
        }
    }

    /// The user at a place, as it is.
    pub(crate) fn current(&self, index: u64) -> Option<Stored> {
        match self.versions.get(&index) {
            Some(versions) => versions.last()?.user.clone(),
            None => self.original(index),
        }
    }

    /// The user at a place, as it was.
    pub(crate) fn at(&self, index: u64, then: Duration) -> Option<Stored> {
        let known = self.versions.get(&index).and_then(|versions| versions.iter().rfind(|known| known.from <= then));
        match known {
            Some(known) => known.user.clone(),
            None => self.original(index),
        }
    }

    pub(crate) fn add(&mut self, user: Stored, at: Moment) {
        let index = self.end();
        self.added += 1;
        self.keep_place(Some(&user.username), index);
        self.keep_place(user.attribute("sub"), index);
        self.record(index, Some(user), at);
    }

    pub(crate) fn put(&mut self, index: u64, user: Stored, at: Moment) {
        self.record(index, Some(user), at);
    }

    pub(crate) fn delete(&mut self, index: u64, at: Moment) {
        self.deleted += 1;
        self.record(index, None, at);
    }

    fn record(&mut self, index: u64, user: Option<Stored>, at: Moment) {
        self.keep_place(user.as_ref().and_then(|user| user.attribute("email")), index);
        let versions = self.versions.entry(index).or_default();
        versions.push(Version { from: at.clock, user });
        // What no listing shows any more is forgotten; the oldest that is left stands for all time before.
        if let Some(oldest) = versions.iter().rposition(|known| known.from <= at.listed()) {
            versions.drain(..oldest);
            versions[0].from = Duration::ZERO;
        }
    }

    fn keep_place(&mut self, key: Option<&str>, index: u64) {
        let Some(key) = key else { return };
        let places = self.places.entry(key.to_owned()).or_default();
        if !places.contains(&index) {
            places.push(index);
        }
    }

    /// Where the users can be who have this as their sub, username or address: a few places, or none.
    fn places(&self, key: &str) -> Vec<u64> {
        let mut places = self.places.get(key).cloned().unwrap_or_default();
        if let Source::World(world) = &self.source {
            places.extend(world.index_of_username(key));
            places.extend(Sub::parse(key).and_then(|sub| world.index_of_sub(sub)));
            places.extend(world.indexes_of_email(key));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whom a request addresses: by the username, by the sub of a user who is no other provider's, and by the address
    /// where people sign in with that (API reference, AdminGetUser, `Username`).
    pub(crate) fn find(&self, name: &str) -> Option<(u64, Stored)> {
        let there: Vec<_> =
            self.places(name).into_iter().filter_map(|index| Some((index, self.current(index)?))).collect();
        let one = |is: &dyn Fn(&Stored) -> bool| there.iter().find(|(_, user)| is(user)).cloned();
        one(&|user| user.username == name)
            .or_else(|| one(&|user| !user.is_federated() && user.attribute("sub") == Some(name)))
            .or_else(|| one(&|user| self.is_alias(name, user)))
    }

    /// Who signs in with this address.
    pub(crate) fn holder(&self, email: &str) -> Option<u64> {
        let holds = |index: &u64| self.current(*index).is_some_and(|user| self.is_alias(email, &user));
        self.places(email).into_iter().find(holds)
    }

    fn is_alias(&self, email: &str, user: &Stored) -> bool {
        self.email_sign_in && !user.is_federated() && user.attribute("email") == Some(email)
    }

    /// The places from this one on where users that the filter admits can be: few for what is looked up by key.
    pub(crate) fn candidates(&self, filter: Option<&Filter>, from: u64) -> Box<dyn Iterator<Item = u64> + '_> {
        match filter {
            Some(Filter { attribute, prefix: false, value })
                if ["sub", "username", "email"].contains(&&**attribute) =>
            {
                Box::new(self.places(value).into_iter().filter(move |index| *index >= from))
            }
            _ => Box::new(from..self.end()),
        }
    }

    /// Whether the number alone says that the filter does not admit this user: a listing in sixteen shards looks at
    /// every user sixteen times.
    pub(crate) fn rules_out(&self, filter: &Filter, index: u64) -> bool {
        let Source::World(world) = &self.source else { return false };
        let of_shard = filter.prefix && filter.attribute == "sub";
        of_shard && world.sub(index).is_some_and(|sub| !sub.to_string().starts_with(&filter.value))
    }
}
