//! Entries that a person has dismissed: ignored, until anything that their verdict rests on changes.

use std::fmt;

use sha2::{Digest as _, Sha256};
use userlink_domain::{Flags, RecordRef, RowId, Situation};

use crate::entries::EntryId;
use crate::flags;
use crate::linker::Linker;
use crate::rules::Coverage;
use crate::store::Rec;

/// More related records than these make no difference.
const RELATED_AT_MOST: usize = 100;

/// What the verdict on an entry rests on, in sixteen bytes: its situation and flags, both pointers of each of its records, who
/// is expected and verified, and which other records speak for or against it. It is the same in every run of the program, and
/// holds no e-mail address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evidence([u8; 16]);

impl Evidence {
    /// As [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes())))?
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Linker {
    /// What the verdict on the entry of a record rests on; none before everything has been read.
    pub fn evidence(&self, of: &RecordRef) -> Option<Evidence> {
        let entry = self.entries.of(self.find(of)?)?;
        if self.coverage() != Coverage::ALL {
            return None;
        }
        let situation = self.entries.get(entry)?.situation;
        Some(self.evidence_of(entry, situation, flags::flags(self, entry)))
    }

    /// The records of the entry of a record that were dismissed, on whatever evidence.
    pub fn dismissed_by(&self, of: &RecordRef) -> Vec<RecordRef> {
        let entry = self.find(of).and_then(|rec| self.entries.of(rec));
        let records = entry.into_iter().flat_map(|entry| self.entries.members(entry));
        records.filter_map(|rec| self.reference(rec)).filter(|of| self.dismissed.contains_key(of)).collect()
    }

    /// Whether an entry was dismissed on just this evidence.
    pub(crate) fn is_dismissed(&self, entry: EntryId, situation: Situation, flags: Flags) -> bool {
        let records = self.entries.members(entry).filter_map(|rec| self.reference(rec));
        let mut on = records.filter_map(|of| self.dismissed.get(&of)).peekable();
        if on.peek().is_none() {
            return false;
        }
        let evidence = self.evidence_of(entry, situation, flags);
        on.any(|dismissed| *dismissed == evidence)
    }

    /// Whether a record of the entry was dismissed, on whatever evidence.
    pub(crate) fn may_be_dismissed(&self, entry: EntryId) -> bool {
        let mut records = self.entries.members(entry).filter_map(|rec| self.reference(rec));
        !self.dismissed.is_empty() && records.any(|of| self.dismissed.contains_key(&of))
    }

    fn evidence_of(&self, entry: EntryId, situation: Situation, flags: Flags) -> Evidence {
        let mut lines: Vec<String> = self.entries.users(entry).filter_map(|slot| self.line_of_user(slot)).collect();
        lines.extend(self.entries.rows(entry).filter_map(|slot| self.line_of_row(slot)));
        lines.extend(self.lines_of_others(entry));
        // In which order the records were read says nothing.
        lines.sort_unstable();
        lines.dedup();
        let mut hasher = Sha256::new();
        hasher.update(situation.name());
        for flag in flags.iter() {
            hasher.update(flag.name());
        }
        for line in lines {
            hasher.update((line.len() as u64).to_be_bytes());
            hasher.update(line);
        }
        let mut evidence = [0; 16];
        evidence.copy_from_slice(&hasher.finalize()[..16]);
        Evidence(evidence)
    }

    /// Only what is compared, so that whatever changes it leads to a new look.
    fn line_of_user(&self, slot: u32) -> Option<String> {
        let user = self.read_user(slot)?;
        let facts = self.store.user(slot)?;
        let id = match user.user_id().and_then(|text| RowId::parse(self.rules.id_kind, text)) {
            Some(id) => format!("{id:?}"),
            None if user.user_id().is_some() => "unreadable".to_owned(),
            None => String::new(),
        };
        let (verified, expected) = (facts.verified_email().is_some(), user.is_expected());
        Some(format!("user {} {id} {verified} {expected} {}", user.sub, user.is_federated()))
    }

    fn line_of_row(&self, slot: u32) -> Option<String> {
        let row = self.read_row(slot)?;
        Some(format!("row {:?} {:?} {}", row.id, row.sub().map(|sub| sub.to_string()), row.has_malformed_sub()))
    }

    /// Those outside of it who speak for another owner, or share the e-mail by which it is correlated.
    fn lines_of_others(&self, entry: EntryId) -> Vec<String> {
        let mut others: Vec<Rec> =
            flags::rivals(self, entry).map(|rival| Rec::User(rival.user)).take(RELATED_AT_MOST).collect();
        if let Some(lead) = entry.lead().filter(|lead| self.entries.is_free(*lead)) {
            let email = match lead {
                Rec::User(user) => self.store.user(user).and_then(|user| user.verified_email()),
                Rec::Row(row) => self.store.row(row).and_then(|row| row.email()),
            };
            if let (Some(email), Rec::User(_)) = (email, lead) {
                let parts = self.parts(email, RELATED_AT_MOST);
                others.extend(parts.other_users.into_iter().map(Rec::User));
                others.extend(parts.other_rows.into_iter().map(Rec::Row));
            }
        }
        others.into_iter().filter_map(|rec| self.reference(rec)).map(|of| format!("other {of:?}")).collect()
    }
}
