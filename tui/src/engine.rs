//! The linker with what is known about the scan that feeds it. Used alike by the dashboard, on a thread of its own, and by
//! the commands.

use userlink_domain::{Group, RecordRef, Situation};
use userlink_link::{Change, Coverage, Entry, Linker, Rules};
use userlink_pool::{Attribute, Writable};

use crate::scan::{News, Side};

/// More suspects than this are an incident, and reading them again would say nothing new.
const SUSPECTS_AT_MOST: usize = 20_000;

pub(crate) struct Engine {
    pub(crate) linker: Linker,
    pub(crate) users: u64,
    pub(crate) rows: u64,
    pub(crate) users_about: Option<u64>,
    pub(crate) attribute: Option<Attribute>,
    /// Whether users can write the attribute themselves, once that was looked at.
    pub(crate) writable: Option<Writable>,
    pub(crate) malformed_subs: u64,
    /// What went wrong, and whether the settings are to blame.
    pub(crate) failures: Vec<(String, bool)>,
    pub(crate) done: bool,
}

impl Engine {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            linker: Linker::new(rules),
            users: 0,
            rows: 0,
            users_about: None,
            attribute: None,
            writable: None,
            malformed_subs: 0,
            failures: Vec::new(),
            done: false,
        }
    }

    /// Takes in what the scan tells; true where entries may look different.
    pub(crate) fn take(&mut self, news: News) -> bool {
        match news {
            News::Pool { users_about, attribute } => {
                self.users_about = (users_about > 0).then_some(users_about);
                self.attribute = Some(attribute);
                false
            }
            News::Writable(writable) => {
                let known = match &writable {
                    Writable::No => Some(false),
                    Writable::By(_) => Some(true),
                    Writable::Unknown => None,
                };
                self.writable = Some(writable);
                self.linker.apply(&[Change::Writable(known)]).all
            }
            News::Batch(changes) => {
                self.linker.apply(&changes);
                let malformed = |change: &&Change| matches!(change, Change::Row(row) if row.has_malformed_sub());
                self.malformed_subs += changes.iter().filter(malformed).count() as u64;
                let (users, rows) = self.linker.len();
                (self.users, self.rows) = (users as u64, rows as u64);
                true
            }
            News::End(side) => {
                let Coverage { users, rows } = self.linker.coverage();
                let coverage = match side {
                    Side::Pool => Coverage { users: true, rows },
                    Side::Table => Coverage { users, rows: true },
                };
                self.linker.apply(&[Change::Covered(coverage)]);
                true
            }
            News::Failed { text, settings } => {
                self.failures.push((text, settings));
                false
            }
            News::WhatIsWrong(answer) => {
                // Whoever asked may have stopped meanwhile.
                drop(answer.send(self.suspects()));
                false
            }
            News::Done => {
                self.done = true;
                false
            }
        }
    }

    /// Whether both sides were read to their ends.
    pub(crate) fn is_complete(&self) -> bool {
        self.linker.coverage() == Coverage::ALL
    }

    fn suspects(&self) -> Vec<Entry> {
        let is_wrong = |situation: Situation| match situation.group() {
            Group::Unlinked | Group::Duplicate | Group::Conflict | Group::Orphan => true,
            Group::Expected | Group::Linked | Group::Unsettled => false,
        };
        let mut wrong: Vec<RecordRef> = self.linker.of_situation(is_wrong);
        if wrong.len() > SUSPECTS_AT_MOST {
            tracing::warn!(entries = wrong.len(), "more entries look wrong than are read again");
            wrong.truncate(SUSPECTS_AT_MOST);
        }
        wrong.iter().filter_map(|of| self.linker.entry(of)).collect()
    }
}
