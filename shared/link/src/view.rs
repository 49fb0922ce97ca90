//! Which entries to show: by group, and by a text that one of their records holds.

use userlink_domain::{Group, PoolUser, RecordRef, Row, Situation};

use crate::entry::Entry;
use crate::linker::Linker;
use crate::store::Rec;

/// A place in a list of entries: the first record of one. It stays what it is while entries come and go around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lead(Rec);

impl Linker {
    /// The entries of a group (of all where there is none) that hold the text, in the order in which their first
    /// records were read. It goes through every record once: keep the answer until something has changed.
    pub fn leads(&self, group: Option<Group>, text: &str) -> Vec<Lead> {
        let text = text.trim();
        let (users, rows) = self.store.slots();
        let users = (0..users).filter_map(|slot| u32::try_from(slot).ok()).map(Rec::User);
        let rows = (0..rows).filter_map(|slot| u32::try_from(slot).ok()).map(Rec::Row);
        users.chain(rows).filter(|rec| self.is_shown(*rec, group, text)).map(Lead).collect()
    }

    fn is_shown(&self, rec: Rec, group: Option<Group>, text: &str) -> bool {
        let Some(slot) = self.entries.of(rec).and_then(|entry| self.entries.get(entry)) else { return false };
        if slot.members.lead() != Some(rec) {
            return false;
        }
        if let Some(group) = group {
            let Some(verdict) = slot.verdict else { return false };
            let covered = self.coverage.covers(verdict.needs);
            let situation = if covered { verdict.situation } else { Situation::Reading };
            if situation.group() != group {
                return false;
            }
        }
        text.is_empty()
            || slot.members.users().iter().filter_map(|slot| self.store.user(*slot)).any(|user| user_holds(user, text))
            || slot.members.rows().iter().filter_map(|slot| self.store.row(*slot)).any(|row| row_holds(row, text))
    }

    /// The entry at a place, with at most so many records of each kind.
    pub fn entry_of(&self, lead: Lead, at_most: usize) -> Option<Entry> {
        self.entry_at(self.entries.of(lead.0)?, at_most)
    }

    /// The place of the entry that a record is in.
    pub fn lead_of(&self, of: &RecordRef) -> Option<Lead> {
        let entry = self.entries.of(self.find(of)?)?;
        self.entries.get(entry)?.members.lead().map(Lead)
    }

    /// One record of every entry of a situation; of all entries where there is none.
    pub fn of_situation(&self, wanted: impl Fn(Situation) -> bool) -> Vec<RecordRef> {
        let leads = self.leads(None, "");
        let shown = leads.into_iter().filter(|lead| self.entry_of(*lead, 0).is_some_and(|e| wanted(e.situation)));
        shown.filter_map(|lead| self.reference(lead.0)).collect()
    }
}

fn user_holds(user: &PoolUser, text: &str) -> bool {
    holds(user.username.as_str(), text)
        || user.email.as_deref().is_some_and(|email| holds(email, text))
        || user.user_id.as_deref().is_some_and(|id| holds(id, text))
        || holds(&user.sub.to_string(), text)
}

fn row_holds(row: &Row, text: &str) -> bool {
    row.email.as_deref().is_some_and(|email| holds(email, text))
        || row.sub.as_deref().is_some_and(|sub| holds(sub, text))
        || holds(&row.id.to_string(), text)
}

/// Whether `text` stands in `whole`, without regard to the case of ASCII letters.
fn holds(whole: &str, text: &str) -> bool {
    let (whole, text) = (whole.as_bytes(), text.as_bytes());
    whole.windows(text.len().max(1)).any(|part| part.eq_ignore_ascii_case(text))
}
