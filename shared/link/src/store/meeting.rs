//! Who meets whom: the records that one names, that carry a key, or that were joined.

use rustc_hash::FxHashSet;

use super::{Row, Store, User, one};
use crate::facts::Bits;
use crate::keys::{Keys, NONE};

impl Store {
    pub(super) fn ids_of(&self, user: &User) -> &Keys {
        if user.is_unconfirmed() { &self.unconfirmed_by_id } else { &self.by_id }
    }

    pub(super) fn emails_of(&self, user: &User) -> &Keys {
        if user.bits.has(Bits::VERIFIED) { &self.by_email } else { &self.unverified }
    }

    /// The row that the user's attribute names as it is written, whether or not it counts; none where it is not there.
    pub(crate) fn written_row(&self, user: &User) -> Option<u32> {
        let id = if user.is_unconfirmed() { self.by_id.find(self.unconfirmed_by_id.key(user.id)?)? } else { user.id };
        one(self.by_id.row(id))
    }

    /// The key of the row that the user's attribute names. That of an UNCONFIRMED user, who has proved nothing yet, counts
    /// only where the row carries that user's sub.
    pub(crate) fn claim(&self, user: &User) -> Option<u32> {
        if !user.is_unconfirmed() {
            return (user.id != NONE).then_some(user.id);
        }
        let row = self.row(self.written_row(user)?)?;
        (row.sub == user.sub).then_some(row.id)
    }

    /// The row that the user's attribute names, if it counts and the row is there.
    pub(crate) fn claimed_row(&self, user: &User) -> Option<u32> {
        one(self.by_id.row(self.claim(user)?))
    }

    /// Whether the user's attribute says something that counts, be it that it names no row.
    pub(crate) fn has_user_id(&self, user: &User) -> bool {
        user.bits.has(Bits::HAS_USER_ID) && (!user.is_unconfirmed() || self.claim(user).is_some())
    }

    /// The user whose sub it is.
    pub(crate) fn user_with_sub(&self, sub: u32) -> Option<u32> {
        one(self.by_sub.user(sub))
    }

    pub(crate) fn rows_with_sub(&self, sub: u32) -> impl Iterator<Item = u32> + Clone {
        self.row_chain(self.by_sub.row(sub), |row| row.next_by_sub)
    }

    /// Reads what these users and their rows meet under. Who asks for one after the other waits for memory each time; here much is
    /// on its way at once.
    pub(crate) fn fetch(&self, users: &[u32]) {
        let met = |user: &User| {
            let by_sub_or_id = one(self.by_sub.row(user.sub)).or_else(|| one(self.by_id.row(user.id)));
            by_sub_or_id.or_else(|| one(self.by_email.row(user.email)))
        };
        let rows: Vec<u32> = users.iter().filter_map(|slot| self.user(*slot)).filter_map(met).collect();
        let keys: Vec<(u32, u32)> =
            rows.into_iter().filter_map(|slot| self.row(slot)).map(|row| (row.id, row.email)).collect();
        let others = keys.into_iter().map(|(id, email)| self.by_id.user(id) ^ self.by_email.user(email));
        std::hint::black_box(others.fold(0, |all, one| all ^ one));
    }

    /// Users whose attribute names the row and counts, without those who are UNCONFIRMED. Of these only the one whose sub
    /// the row carries can count, so whoever looks at the row's sub finds that one, too.
    pub(crate) fn users_naming(&self, id: u32) -> impl Iterator<Item = u32> + Clone {
        self.user_chain(self.by_id.user(id), |user| user.next_by_id)
    }

    /// Every row that UNCONFIRMED users name.
    pub(crate) fn rows_named_by_unconfirmed(&self) -> FxHashSet<u32> {
        let keys = self.unconfirmed_by_id.parts.iter().flat_map(|part| part.nodes.iter()).map(|(_, node)| node);
        let keys = keys.filter(|node| !node.user.is_nobody()).filter_map(|node| self.by_id.find(node.key));
        keys.filter_map(|id| one(self.by_id.row(id))).collect()
    }

    /// UNCONFIRMED users in whose attribute the row's id is written, whether or not it counts.
    pub(crate) fn unconfirmed_naming(&self, row: &Row) -> impl Iterator<Item = u32> + Clone {
        let written = if self.unconfirmed_by_id.is_empty() {
            None
        } else {
            self.by_id.key(row.id).and_then(|key| self.unconfirmed_by_id.find(key))
        };
        let first = written.map_or(NONE, |node| self.unconfirmed_by_id.user(node));
        self.user_chain(first, |user| user.next_by_id)
    }

    pub(crate) fn users_with_email(&self, email: u32) -> impl Iterator<Item = u32> + Clone {
        self.user_chain(self.by_email.user(email), |user| user.next_by_email)
    }

    /// Users who have the e-mail, but not verified.
    pub(crate) fn users_with_unverified(&self, email: u32) -> impl Iterator<Item = u32> + Clone {
        let unverified = self.by_email.key(email).and_then(|key| self.unverified.find(key));
        let first = unverified.map_or(NONE, |node| self.unverified.user(node));
        self.user_chain(first, |user| user.next_by_email)
    }

    pub(crate) fn rows_with_email(&self, email: u32) -> impl Iterator<Item = u32> + Clone {
        self.row_chain(self.by_email.row(email), |row| row.next_by_email)
    }

    /// The rows with the e-mail of a user, be it verified or not.
    pub(crate) fn rows_with_email_of(&self, user: &User) -> impl Iterator<Item = u32> + Clone {
        let email = self.emails_of(user).key(user.email).and_then(|key| self.by_email.find(key));
        self.rows_with_email(email.unwrap_or(NONE))
    }

    fn user_chain(&self, first: u32, next: fn(&User) -> u32) -> impl Iterator<Item = u32> + Clone {
        std::iter::successors(one(first), move |at| one(next(self.users.get(*at)?)))
    }

    fn row_chain(&self, first: u32, next: fn(&Row) -> u32) -> impl Iterator<Item = u32> + Clone {
        std::iter::successors(one(first), move |at| one(next(self.rows.get(*at)?)))
    }

    /// The native users to whom a profile was joined.
    pub(crate) fn natives_of(&self, slot: u32) -> &[u32] {
        self.joins.natives_of(slot)
    }

    pub(crate) fn is_joined(&self, slot: u32) -> bool {
        self.joins.is_joined(slot)
    }

    /// The federated profiles that the `identities` of a native user name.
    pub(crate) fn profiles_of(&self, slot: u32) -> &[u32] {
        self.joins.profiles_of(slot)
    }
}
