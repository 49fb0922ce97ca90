//! What is looked for: every word and field of a filter has to fit the entry.

use std::fmt;

use userlink_domain::{Flags, Situation};
use userlink_link::Entry;

use crate::chunk::{Chunk, Kind};
use crate::dates::Seconds;
use crate::word::{CLOSE, Scratch, Word};

/// A field whose text is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Email,
    Username,
    UserId,
    Sub,
    Id,
    Provider,
}

#[derive(Clone)]
pub(crate) enum What {
    /// A word anywhere: as it stands or, unless `exact`, close.
    Word {
        word: Word,
        exact: bool,
    },
    /// A part of a field.
    Part(Field, Word),
    /// A record without it.
    Without(Field),
    /// A set of places among the statuses, and whoever is disabled.
    Status {
        among: u16,
        disabled: bool,
    },
    Enabled(bool),
    Created(Seconds),
    /// Sets, by place in the list of all.
    Situation(u32),
    Flag(u8),
}

/// One word or field of a filter.
#[derive(Clone)]
pub struct Term {
    pub(crate) not: bool,
    pub(crate) what: What,
    /// What it is known by: two of one name find the same.
    pub(crate) name: String,
}

/// Whom somebody looks for stays out of logs.
impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Term(…)")
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Term {
    /// Whether the entry must not have it.
    pub fn is_negated(&self) -> bool {
        self.not
    }

    /// Whether it is answered by the entry as a whole, and not by one of its records.
    pub(crate) fn is_of_entry(&self) -> bool {
        matches!(self.what, What::Situation(_) | What::Flag(_))
    }

    /// Whether only users answer it where there are any: the list shows when the user was created.
    pub fn is_of_users(&self) -> bool {
        matches!(self.what, What::Created(_))
    }

    /// Whether every record that fits the narrower one is at least a candidate for this one. (Of ids only what is long enough
    /// counts as a part, and so the longer may fit where the shorter does not.)
    pub fn is_wider_than(&self, narrower: &Self) -> bool {
        let is_wider = match (&self.what, &narrower.what) {
            (What::Word { word, exact: false }, What::Word { word: longer, exact: false }) => {
                word.is_wider_than(longer)
            }
            (What::Part(of, part), What::Part(the_same, longer)) => {
                of == the_same && matches!(of, Field::Email | Field::Provider) && longer.text().contains(part.text())
            }
            _ => false,
        };
        is_wider && self.not == narrower.not
    }

    fn allows(&self, situation: Situation, flags: Flags) -> bool {
        let fits = match &self.what {
            What::Situation(set) => set & (1 << situation as u32) != 0,
            What::Flag(set) => flags.iter().any(|flag| set & (1 << flag as u8) != 0),
            _ => return true,
        };
        fits != self.not
    }
}

/// What is wrong with a filter, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint(pub(crate) String);

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a text stands in which letters are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// A user's or row's e-mail.
    Email,
    /// A username.
    Username,
    /// A row's id.
    Id,
}

/// A filter that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub(crate) terms: Vec<Term>,
}

impl Query {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Those that records answer.
    pub fn of_records(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|term| !term.is_of_entry())
    }

    /// Whether what fits better comes first, as long as no column was chosen.
    pub fn is_ranked(&self) -> bool {
        self.terms.iter().any(|term| !term.not && matches!(term.what, What::Word { exact: false, .. }))
    }

    /// Whether an entry may be shown, as far as its situation and flags go.
    pub fn allows(&self, situation: Situation, flags: Flags) -> bool {
        self.terms.iter().all(|term| term.allows(situation, flags))
    }

    /// Which letters of a text, counted from 0, were looked for.
    pub fn marks(&self, at: Marked, text: &str, scratch: &mut Scratch) -> Vec<usize> {
        let mut marks: Vec<usize> = Vec::new();
        for term in self.terms.iter().filter(|term| !term.not) {
            match (&term.what, at) {
                (What::Word { word, .. }, Marked::Id) => marks.extend(word.marks_of_id(text)),
                (What::Word { word, exact: false }, _) => marks.extend(word.marks(text, scratch)),
                (What::Word { word, exact: true }, _)
                | (What::Part(Field::Email, word), Marked::Email)
                | (What::Part(Field::Username, word), Marked::Username)
                | (What::Part(Field::Id, word), Marked::Id) => marks.extend(word.marks_as_it_stands(text)),
                _ => {}
            }
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// Whether an entry fits, and how well: what a search through the columns finds, for entries that are at hand.
    pub fn rate(&self, entry: &Entry, scratch: &mut Scratch) -> Option<u32> {
        if !self.allows(entry.situation, entry.flags) {
            return None;
        }
        let mut chunk = Chunk::default();
        entry.users.iter().for_each(|user| chunk.push_user(user));
        entry.rows.iter().for_each(|row| chunk.push_row(row));
        let mut sum = 0;
        for term in self.of_records() {
            let records = 0..chunk.len();
            let asked = records.filter(|at| !term.is_of_users() || entry.users.is_empty() || !chunk.bits(*at).is_row());
            let best = asked.map(|at| term.rate(&chunk, at, &chunk.texts_of(at), scratch)).max().unwrap_or_default();
            if (best >= CLOSE) == term.not {
                return None;
            }
            sum += if term.not { 0 } else { u32::from(best) };
        }
        Some(sum)
    }
}

impl Field {
    /// The kinds of text that it stands for: those of sixteen bytes, and those in letters.
    pub(crate) const fn kinds(self) -> (Option<Kind>, Option<Kind>) {
        match self {
            Self::Email => (None, Some(Kind::Email)),
            Self::Username => (None, Some(Kind::Name)),
            Self::UserId => (Some(Kind::UserId), Some(Kind::UserIdText)),
            Self::Sub => (Some(Kind::Sub), Some(Kind::SubText)),
            Self::Id => (Some(Kind::Id), Some(Kind::IdText)),
            Self::Provider => (None, Some(Kind::Provider)),
        }
    }
}
