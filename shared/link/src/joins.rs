//! Which profiles were joined to which native users.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use rustc_hash::FxHashMap;
use std::hash::BuildHasher;
use userlink_domain::PoolUser;

use crate::facts::{Digests, Key, fold};

/// A username is `<provider>_<user id>`, and both parts may hold underscores.
fn splits(username: &str) -> impl Iterator<Item = (&str, &str)> {
    username.match_indices('_').map(|(at, _)| (&username[..at], &username[at + 1..]))
}

#[derive(Debug)]
pub(crate) struct Joins {
    /// Federated users, each with the print of its name: many names may have one.
    profiles: HashTable<(u32, u32)>,
    hash: FixedState,
    /// Native users by the profiles that their identities name.
    natives: FxHashMap<Key, Vec<u32>>,
    /// What the identities of a native user name.
    identities: FxHashMap<u32, Box<[Key]>>,
    natives_of: FxHashMap<u32, Vec<u32>>,
    profiles_of: FxHashMap<u32, Vec<u32>>,
}

impl Joins {
    pub(crate) fn new(secret: u64) -> Self {
        Self {
            profiles: HashTable::new(),
            hash: FixedState::with_seed(secret),
            natives: FxHashMap::default(),
            identities: FxHashMap::default(),
            natives_of: FxHashMap::default(),
            profiles_of: FxHashMap::default(),
        }
    }

    /// The native users to whom a profile was joined, in the order of their coming.
    pub(crate) fn natives_of(&self, profile: u32) -> &[u32] {
        self.natives_of.get(&profile).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_joined(&self, profile: u32) -> bool {
        self.natives_of.contains_key(&profile)
    }

    /// The profiles that were joined to a native user.
    pub(crate) fn profiles_of(&self, native: u32) -> &[u32] {
        self.profiles_of.get(&native).map_or(&[], Vec::as_slice)
    }

    /// Takes in a user. `username` tells that of another one.
    pub(crate) fn put(
        &mut self,
        slot: u32,
        user: &PoolUser,
        digests: &Digests,
        username: impl Fn(u32) -> Option<Box<str>>,
    ) {
        if user.is_federated() {
            let name = digests.name(user.username.as_str());
            let Self { profiles, hash, .. } = self;
            profiles.insert_unique(hash.hash_one(name), (name, slot), |(name, _)| hash.hash_one(name));
            if self.natives.is_empty() {
                return;
            }
            let keys = splits(user.username.as_str()).map(|(provider, id)| digests.profile(provider, id));
            let natives: Vec<u32> = keys.filter_map(|key| self.natives.get(&key)).flatten().copied().collect();
            natives.into_iter().for_each(|native| self.join(slot, native));
        } else if !user.identities.is_empty() {
            let mut keys = Vec::new();
            for identity in &user.identities {
                let key = digests.profile(&identity.provider, &identity.user_id);
                if keys.contains(&key) {
                    continue;
                }
                keys.push(key);
                self.natives.entry(key).or_default().push(slot);
                let is_meant = |username: &str| {
                    let provider = fold(&identity.provider);
                    splits(username).any(|(before, id)| id == &*identity.user_id && fold(before) == provider)
                };
                let name = digests.name(&format!("{}_{}", identity.provider, identity.user_id));
                let alike = self.profiles.iter_hash(self.hash.hash_one(name)).filter(|(its, _)| *its == name);
                let meant = alike.map(|(_, profile)| *profile);
                let meant: Vec<u32> = meant.filter(|it| username(*it).is_some_and(|name| is_meant(&name))).collect();
                meant.into_iter().for_each(|profile| self.join(profile, slot));
            }
            self.identities.insert(slot, keys.into());
        }
    }

    fn join(&mut self, profile: u32, native: u32) {
        let natives = self.natives_of.entry(profile).or_default();
        if let Err(at) = natives.binary_search(&native) {
            natives.insert(at, native);
            self.profiles_of.entry(native).or_default().push(profile);
        }
    }

    /// Forgets a user; `name` is the print of its name.
    pub(crate) fn remove(&mut self, slot: u32, name: u32) {
        if let Ok(held) = self.profiles.find_entry(self.hash.hash_one(name), |(_, held)| *held == slot) {
            held.remove();
        }
        for native in self.natives_of.remove(&slot).unwrap_or_default() {
            drop_from(&mut self.profiles_of, native, slot);
        }
        for key in self.identities.remove(&slot).unwrap_or_default() {
            drop_from(&mut self.natives, key, slot);
        }
        for profile in self.profiles_of.remove(&slot).unwrap_or_default() {
            drop_from(&mut self.natives_of, profile, slot);
        }
    }
}

fn drop_from<K: std::hash::Hash + Eq>(lists: &mut FxHashMap<K, Vec<u32>>, key: K, slot: u32) {
    if let Some(list) = lists.get_mut(&key) {
        list.retain(|held| *held != slot);
        if list.is_empty() {
            lists.remove(&key);
        }
    }
}
