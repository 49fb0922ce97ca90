//! The linker with what is known about the scan that feeds it. Used alike by the dashboard, on a thread of its own, and by
//! the commands.

use std::collections::{HashMap, HashSet};

use userlink_domain::{Group, RecordRef, Row, RowId, Situation, Sub, Timestamp, Username};
use userlink_link::{Change, Coverage, Entry, Linker, Rules};
use userlink_pool::{Shard, Writable};

use crate::scan::{News, Side};
use crate::snapshot::{Kept, Writer};

pub(crate) struct Engine {
    pub(crate) linker: Linker,
    pub(crate) users: u64,
    pub(crate) rows: u64,
    pub(crate) users_about: Option<u64>,
    /// Whether users can write the attribute themselves, once that was looked at.
    pub(crate) writable: Option<Writable>,
    /// Rows whose sub is neither blank nor a UUID.
    malformed_subs: HashSet<RowId>,
    /// The parts of the pool that are read from their start again, and who has come of each by now.
    again: Vec<(Shard, HashSet<Sub>)>,
    /// Whose the usernames are that are not themselves the sub. One that was deleted and made anew while the pool was
    /// listed comes twice.
    by_name: HashMap<Username, Sub>,
    /// Where what is read is kept.
    keep: Option<Box<Writer>>,
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
            writable: None,
            malformed_subs: HashSet::new(),
            again: Vec::new(),
            by_name: HashMap::new(),
            keep: None,
            failures: Vec::new(),
            done: false,
        }
    }

    /// Takes in what the scan tells; true where entries may look different.
    pub(crate) fn take(&mut self, news: News) -> bool {
        match news {
            News::UsersAbout(about) => {
                self.users_about = (about > 0).then_some(about);
                false
            }
            News::Writable(writable) => {
                let known = match &writable {
                    Writable::No => Some(false),
                    Writable::By(_) => Some(true),
                    Writable::Unknown(_) => None,
                };
                self.writable = Some(writable);
                self.learn(&[Change::Writable(known)]);
                true
            }
            News::Batch(changes) => {
                self.learn(&changes);
                true
            }
            News::Anew(shard) => {
                self.again.retain(|(other, _)| *other != shard && shard != Shard::Whole);
                self.again.push((shard, HashSet::new()));
                false
            }
            News::End(side) => {
                if side == Side::Pool {
                    self.forget_who_did_not_come_again();
                }
                let Coverage { users, rows } = self.linker.coverage();
                let coverage = match side {
                    Side::Pool => Coverage { users: true, rows },
                    Side::Table => Coverage { users, rows: true },
                };
                self.linker.apply(&[Change::Covered(coverage)]);
                true
            }
            News::Paused(_) | News::GoesOn => false,
            News::Failed { text, settings } => {
                self.failures.push((text, settings));
                false
            }
            // Whoever asked may have stopped meanwhile.
            News::WhatIsWrong(answer) => {
                drop(answer.send(self.linker.of_situation(is_wrong)));
                false
            }
            News::Entries(of, answer) => {
                drop(answer.send(self.suspects(&of)));
                false
            }
            News::Done => {
                self.done = true;
                false
            }
        }
    }

    /// Whether both sides were read to their ends and settled, and nothing went wrong.
    pub(crate) fn is_whole(&self) -> bool {
        self.done && self.is_complete() && self.failures.is_empty()
    }

    /// Whether both sides were read to their ends.
    pub(crate) fn is_complete(&self) -> bool {
        self.linker.coverage() == Coverage::ALL
    }

    /// An engine that has read what was kept of a scan.
    pub(crate) fn restored(kept: Kept, rules: Rules) -> Self {
        let mut engine = Self::new(rules);
        for changes in kept.changes {
            engine.learn(&changes);
        }
        engine
    }

    /// Keeps what is read from here on.
    pub(crate) fn keep_in(&mut self, writer: Option<Box<Writer>>) {
        self.keep = writer;
    }

    /// The scan is over: what was kept of it is the last scan, if it is complete.
    pub(crate) fn finish_keeping(&mut self, at: Timestamp) {
        let whole = self.is_whole();
        if let Some(writer) = self.keep.take().filter(|_| whole)
            && let Err(error) = writer.finish(at)
        {
            tracing::warn!(kind = ?error.kind(), "the scan was not kept");
        }
    }

    /// Takes in records that were read.
    pub(crate) fn learn(&mut self, changes: &[Change]) {
        if let Some(writer) = &mut self.keep
            && let Err(error) = writer.add(changes)
        {
            // Nothing depends on it: the next scan is kept again.
            tracing::warn!(kind = ?error.kind(), "the scan is not kept");
            self.keep = None;
        }
        let mut replaced = Vec::new();
        for change in changes {
            match change {
                Change::Row(row) if row.has_malformed_sub() => drop(self.malformed_subs.insert(row.id.clone())),
                Change::Row(Row { id, .. }) | Change::RowGone(id) => drop(self.malformed_subs.remove(id)),
                Change::User(user) => {
                    for (shard, again) in &mut self.again {
                        if shard.holds(user.sub) {
                            again.insert(user.sub);
                        }
                    }
                    if user.username.as_str() != user.sub.to_string() {
                        let before = self.by_name.insert(user.username.clone(), user.sub);
                        replaced.extend(before.filter(|before| *before != user.sub).map(Change::UserGone));
                    }
                }
                _ => {}
            }
        }
        self.linker.apply(changes);
        self.linker.apply(&replaced);
        let (users, rows) = self.linker.len();
        (self.users, self.rows) = (users as u64, rows as u64);
    }

    /// How many rows have something in their sub column that is no sub.
    pub(crate) fn malformed_subs(&self) -> u64 {
        self.malformed_subs.len() as u64
    }

    fn forget_who_did_not_come_again(&mut self) {
        for (shard, again) in std::mem::take(&mut self.again) {
            let gone = self.linker.subs().filter(|sub| shard.holds(*sub) && !again.contains(sub));
            let gone: Vec<Change> = gone.map(Change::UserGone).collect();
            self.learn(&gone);
        }
    }

    /// The entries that these records are in, once each, as far as they look wrong.
    fn suspects(&self, of: &[RecordRef]) -> Vec<Entry> {
        let mut seen = HashSet::new();
        let entries = of.iter().filter_map(|of| self.linker.entry(of));
        entries.filter(|entry| is_wrong(entry.situation) && seen.insert(entry.lead())).collect()
    }
}

fn is_wrong(situation: Situation) -> bool {
    match situation.group() {
        Group::Unlinked | Group::Duplicate | Group::Conflict | Group::Orphan => true,
        Group::Expected | Group::Linked | Group::Unsettled => false,
    }
}
