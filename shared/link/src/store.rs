//! The records and the indexes over them. It knows who names whom, and nothing of verdicts.

use std::collections::HashMap;
use std::hash::Hash;

use userlink_domain::{EmailKey, IdKind, PoolUser, Row, RowId, Sub, UserStatus};

/// A record by its slot. Slots are given out in the order of arrival, and never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Rec {
    User(u32),
    Row(u32),
}

/// Slots under a key; nearly always one.
type Index<K> = HashMap<K, Vec<u32>>;

#[derive(Debug)]
pub(crate) struct Store {
    id_kind: IdKind,
    users: Vec<Option<PoolUser>>,
    rows: Vec<Option<Row>>,
    user_by_sub: HashMap<Sub, u32>,
    row_by_id: HashMap<RowId, u32>,
    rows_by_sub: Index<Sub>,
    /// Users who are not UNCONFIRMED, by the row that their attribute names: it always counts.
    users_by_id: Index<RowId>,
    /// UNCONFIRMED users by the row that their attribute names, whether or not it counts.
    unconfirmed_by_id: Index<RowId>,
    /// By verified e-mail.
    users_by_email: Index<EmailKey>,
    /// By an e-mail that is not verified: no evidence, but an answer to "why not".
    users_by_unverified: Index<EmailKey>,
    rows_by_email: Index<EmailKey>,
    /// By the folded username.
    federated: Index<String>,
    /// Native users by (provider in lower case, user id there) of the profiles that were joined to them.
    natives: Index<(String, Box<str>)>,
}

impl Store {
    pub(crate) fn new(id_kind: IdKind) -> Self {
        Self {
            id_kind,
            users: Vec::new(),
            rows: Vec::new(),
            user_by_sub: HashMap::new(),
            row_by_id: HashMap::new(),
            rows_by_sub: HashMap::new(),
            users_by_id: HashMap::new(),
            unconfirmed_by_id: HashMap::new(),
            users_by_email: HashMap::new(),
            users_by_unverified: HashMap::new(),
            rows_by_email: HashMap::new(),
            federated: HashMap::new(),
            natives: HashMap::new(),
        }
    }

    pub(crate) fn user(&self, slot: u32) -> Option<&PoolUser> {
        self.users.get(slot as usize).and_then(Option::as_ref)
    }

    pub(crate) fn row(&self, slot: u32) -> Option<&Row> {
        self.rows.get(slot as usize).and_then(Option::as_ref)
    }

    pub(crate) fn user_slot(&self, sub: Sub) -> Option<u32> {
        self.user_by_sub.get(&sub).copied()
    }

    pub(crate) fn subs(&self) -> impl Iterator<Item = Sub> {
        self.user_by_sub.keys().copied()
    }

    pub(crate) fn row_slot(&self, id: &RowId) -> Option<u32> {
        self.row_by_id.get(id).copied()
    }

    /// How many slots have been given out: (users, rows).
    pub(crate) fn slots(&self) -> (usize, usize) {
        (self.users.len(), self.rows.len())
    }

    /// How many records there are: (users, rows).
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.user_by_sub.len(), self.row_by_id.len())
    }

    pub(crate) fn put_user(&mut self, user: PoolUser) -> u32 {
        let slot = match self.user_by_sub.get(&user.sub) {
            Some(slot) => {
                let slot = *slot;
                self.unindex_user(slot);
                slot
            }
            None => {
                let slot = next_slot(self.users.len());
                self.users.push(None);
                self.user_by_sub.insert(user.sub, slot);
                slot
            }
        };
        if let Some(id) = self.written_id(&user) {
            self.index_of_ids(&user).entry(id).or_default().push(slot);
        }
        if let Some(email) = user.email.as_deref().and_then(EmailKey::of) {
            self.index_of_emails(&user).entry(email).or_default().push(slot);
        }
        if user.is_federated() {
            self.federated.entry(fold(user.username.as_str())).or_default().push(slot);
        } else {
            for key in identity_keys(&user) {
                self.natives.entry(key).or_default().push(slot);
            }
        }
        self.users[slot as usize] = Some(user);
        slot
    }

    pub(crate) fn remove_user(&mut self, slot: u32) {
        self.unindex_user(slot);
        if let Some(user) = self.users.get_mut(slot as usize).and_then(Option::take) {
            self.user_by_sub.remove(&user.sub);
        }
    }

    fn unindex_user(&mut self, slot: u32) {
        // Taken out while the indexes change, and put back.
        let Some(user) = self.users.get_mut(slot as usize).and_then(Option::take) else { return };
        if let Some(id) = self.written_id(&user) {
            drop_slot(self.index_of_ids(&user), &id, slot);
        }
        if let Some(email) = user.email.as_deref().and_then(EmailKey::of) {
            drop_slot(self.index_of_emails(&user), &email, slot);
        }
        if user.is_federated() {
            drop_slot(&mut self.federated, &fold(user.username.as_str()), slot);
        } else {
            for key in identity_keys(&user) {
                drop_slot(&mut self.natives, &key, slot);
            }
        }
        self.users[slot as usize] = Some(user);
    }

    fn index_of_ids(&mut self, user: &PoolUser) -> &mut Index<RowId> {
        if user.status == UserStatus::Unconfirmed { &mut self.unconfirmed_by_id } else { &mut self.users_by_id }
    }

    fn index_of_emails(&mut self, user: &PoolUser) -> &mut Index<EmailKey> {
        if user.email_verified { &mut self.users_by_email } else { &mut self.users_by_unverified }
    }

    pub(crate) fn put_row(&mut self, row: Row) -> u32 {
        let slot = match self.row_by_id.get(&row.id) {
            Some(slot) => {
                let slot = *slot;
                self.unindex_row(slot);
                slot
            }
            None => {
                let slot = next_slot(self.rows.len());
                self.rows.push(None);
                self.row_by_id.insert(row.id.clone(), slot);
                slot
            }
        };
        if let Some(sub) = row.sub() {
            self.rows_by_sub.entry(sub).or_default().push(slot);
        }
        if let Some(email) = row.email_key() {
            self.rows_by_email.entry(email).or_default().push(slot);
        }
        self.rows[slot as usize] = Some(row);
        slot
    }

    pub(crate) fn remove_row(&mut self, slot: u32) {
        self.unindex_row(slot);
        if let Some(row) = self.rows.get_mut(slot as usize).and_then(Option::take) {
            self.row_by_id.remove(&row.id);
        }
    }

    fn unindex_row(&mut self, slot: u32) {
        let Some(row) = self.rows.get(slot as usize).and_then(Option::as_ref) else { return };
        if let Some(sub) = row.sub() {
            drop_slot(&mut self.rows_by_sub, &sub, slot);
        }
        if let Some(email) = row.email_key() {
            drop_slot(&mut self.rows_by_email, &email, slot);
        }
    }

    /// The row that the user's attribute names as it is written, whether or not it counts.
    pub(crate) fn written_id(&self, user: &PoolUser) -> Option<RowId> {
        user.user_id().and_then(|text| RowId::parse(self.id_kind, text))
    }

    /// The row that the user's attribute names. That of an UNCONFIRMED user, who has proved nothing yet, counts
    /// only where the row carries that user's sub.
    pub(crate) fn claim(&self, user: &PoolUser) -> Option<RowId> {
        let id = self.written_id(user)?;
        if user.status == UserStatus::Unconfirmed {
            let row = self.row_slot(&id).and_then(|slot| self.row(slot))?;
            return (row.sub() == Some(user.sub)).then_some(id);
        }
        Some(id)
    }

    /// Whether the user's attribute says something that counts, be it that it names no row.
    pub(crate) fn has_user_id(&self, user: &PoolUser) -> bool {
        user.user_id().is_some() && (user.status != UserStatus::Unconfirmed || self.claim(user).is_some())
    }

    pub(crate) fn rows_with_sub(&self, sub: Sub) -> &[u32] {
        slots(&self.rows_by_sub, &sub)
    }

    /// Users whose attribute names the row and counts, without those who are UNCONFIRMED. Of these only the one whose sub
    /// the row carries can count, so whoever looks at the row's sub finds that one, too.
    pub(crate) fn users_naming(&self, id: &RowId) -> &[u32] {
        slots(&self.users_by_id, id)
    }

    /// UNCONFIRMED users in whose attribute the id is written, whether or not it counts.
    pub(crate) fn unconfirmed_naming(&self, id: &RowId) -> &[u32] {
        slots(&self.unconfirmed_by_id, id)
    }

    pub(crate) fn users_with_email(&self, email: &EmailKey) -> &[u32] {
        slots(&self.users_by_email, email)
    }

    /// Users who have the e-mail, but not verified.
    pub(crate) fn users_with_unverified(&self, email: &EmailKey) -> &[u32] {
        slots(&self.users_by_unverified, email)
    }

    pub(crate) fn rows_with_email(&self, email: &EmailKey) -> &[u32] {
        slots(&self.rows_by_email, email)
    }

    /// The native users to whom a federated profile was joined. The username is `<provider>_<user id>`, and both
    /// parts may hold underscores.
    pub(crate) fn natives_of(&self, user: &PoolUser) -> Vec<u32> {
        let mut found = Vec::new();
        if !user.is_federated() || self.natives.is_empty() {
            return found;
        }
        let name = user.username.as_str();
        for (at, _) in name.match_indices('_') {
            let key = (fold(&name[..at]), name[at + 1..].into());
            found.extend_from_slice(slots(&self.natives, &key));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(crate) fn is_joined(&self, user: &PoolUser) -> bool {
        !self.natives_of(user).is_empty()
    }

    /// The federated profiles that the `identities` of a native user name.
    pub(crate) fn federated_of(&self, user: &PoolUser) -> Vec<u32> {
        let mut found = Vec::new();
        if user.is_federated() || self.federated.is_empty() {
            return found;
        }
        for (provider, user_id) in identity_keys(user) {
            let folded = fold(&format!("{provider}_{user_id}"));
            found.extend_from_slice(slots(&self.federated, &folded));
        }
        found
    }
}

/// Case is dropped letter by letter, so that a part of a name folds as it does within the whole.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn identity_keys(user: &PoolUser) -> impl Iterator<Item = (String, Box<str>)> {
    let mut keys: Vec<_> =
        user.identities.iter().map(|identity| (fold(&identity.provider), identity.user_id.clone())).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
}

fn slots<'a, K: Eq + Hash>(index: &'a Index<K>, key: &K) -> &'a [u32] {
    index.get(key).map_or(&[], Vec::as_slice)
}

fn drop_slot<K: Eq + Hash>(index: &mut Index<K>, key: &K, slot: u32) {
    if let Some(list) = index.get_mut(key) {
        if let Some(at) = list.iter().position(|held| *held == slot) {
            list.swap_remove(at);
        }
        if list.is_empty() {
            index.remove(key);
        }
    }
}

/// Four thousand million records of a kind are the limit; a pool holds forty million users at most.
fn next_slot(used: usize) -> u32 {
    u32::try_from(used).unwrap_or(u32::MAX)
}
