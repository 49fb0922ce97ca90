//! The linker with what is known about the scan that feeds it. Used alike by the dashboard, on a thread of its own, and by
//! the commands.

use std::collections::HashSet;
use std::io;

use userlink_domain::{Group, RecordRef, Situation, Sub, Timestamp};
use userlink_link::{Change, Circumstances, Coverage, Entry, Linker, Rules};
use userlink_pool::{Shard, Writable};

use crate::clock;
use crate::scan::{Begin, News, Side};
use crate::snapshot::{Kept, Picture, Place, Told, Unfinished, Writer};
use crate::spool::{Searched, Spool};

pub(crate) struct Engine {
    pub(crate) linker: Linker,
    /// When what it holds began to be read.
    pub(crate) began: Timestamp,
    /// What filters and orders are answered from; nothing where nobody looks on.
    pub(crate) searched: Option<Searched>,
    pub(crate) users: u64,
    pub(crate) rows: u64,
    pub(crate) users_about: Option<u64>,
    /// Whether users can write the attribute themselves, once that was looked at.
    pub(crate) writable: Option<Writable>,
    /// Whether people can sign up by themselves, and whether a function is called after a confirmation, once the pool said so.
    about_pool: Option<(bool, bool)>,
    /// The parts of the pool that are read from their start again, and who has come of each by now.
    again: Vec<(Shard, HashSet<Sub>)>,
    /// Where what is read is kept.
    keep: Option<Box<Writer>>,
    /// What went wrong, and whether the settings are to blame.
    pub(crate) failures: Vec<(String, bool)>,
    pub(crate) done: bool,
}

impl Engine {
    pub(crate) fn new(rules: Rules) -> Self {
        let (spool, searched) = Spool::searched();
        Self { searched: Some(searched), ..Self::keeping(rules, spool) }
    }

    fn keeping(rules: Rules, spool: Spool) -> Self {
        Self {
            linker: Linker::with_records(rules, Box::new(spool)),
            searched: None,
            began: clock::now(),
            users: 0,
            rows: 0,
            users_about: None,
            writable: None,
            about_pool: None,
            again: Vec::new(),
            keep: None,
            failures: Vec::new(),
            done: false,
        }
    }

    /// An engine that says nothing before both sides have been read, of about so many rows: for whoever does not look on.
    pub(crate) fn gathering(rules: Rules, rows_about: Option<u64>) -> Self {
        let mut engine = Self::keeping(rules, Spool::default());
        engine.linker = engine.linker.gathering(2 * rows_about.unwrap_or_default());
        engine
    }

    /// Takes in what the scan tells; true where entries may look different.
    pub(crate) fn take(&mut self, news: News) -> bool {
        match news {
            News::UsersAbout(about) => {
                self.users_about = (about > 0).then_some(about);
                false
            }
            News::Pool { self_sign_up, post_confirmation } => {
                self.about_pool = Some((self_sign_up, post_confirmation));
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
                self.keep_with(|writer| writer.anew(shard));
                self.begin_anew(shard);
                false
            }
            News::PoolAt(position) => {
                self.keep_with(|writer| writer.pool_at(Some(position), clock::now()));
                false
            }
            News::TableAt(after) => {
                self.keep_with(|writer| writer.table_at(Some(&after), clock::now()));
                false
            }
            News::End(side) => {
                self.keep_with(|writer| match side {
                    Side::Pool => writer.pool_at(None, clock::now()),
                    Side::Table => writer.table_at(None, clock::now()),
                });
                self.end(side);
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

    /// What is known of the pool besides its records.
    pub(crate) fn circumstances(&self, read_at: Option<Timestamp>) -> Circumstances {
        Circumstances {
            read_at,
            self_sign_up: self.about_pool.map(|(self_sign_up, _)| self_sign_up),
            post_confirmation: self.about_pool.map(|(_, post_confirmation)| post_confirmation),
            writable_by: match &self.writable {
                Some(Writable::By(clients)) => clients.clone(),
                Some(Writable::No | Writable::Unknown(_)) | None => Vec::new(),
            },
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
    ///
    /// # Errors
    /// Where the rest of it cannot be read.
    pub(crate) fn restored(kept: Kept, rules: Rules) -> io::Result<Self> {
        let mut engine = Self { began: kept.picture.at(), ..Self::new(rules) };
        engine.linker = engine.linker.gathering(kept.picture.users + kept.picture.rows);
        kept.replay(|told| engine.hear_again(told))?;
        engine.end(Side::Pool);
        engine.end(Side::Table);
        Ok(engine)
    }

    /// An engine that goes on with a scan that was interrupted, and where that is to begin.
    ///
    /// # Errors
    /// Where what it read cannot be read back.
    pub(crate) fn going_on(unfinished: Unfinished, rules: Rules) -> io::Result<(Self, Begin)> {
        let (began, progress) = (Some(unfinished.began), unfinished.progress.clone());
        let mut engine = Self { began: unfinished.began, ..Self::new(rules) };
        if let Some(emails_as) = unfinished.emails_as() {
            engine.linker = engine.linker.comparing_emails_as(emails_as);
        }
        let writer = unfinished.replay(|told| engine.hear_again(told))?;
        if matches!(progress.pool, Place::End) {
            engine.end(Side::Pool);
        }
        if matches!(progress.table, Place::End) {
            engine.end(Side::Table);
        }
        engine.keep = Some(writer);
        Ok((engine, Begin { began, progress }))
    }

    fn hear_again(&mut self, told: Told) {
        match told {
            Told::Changes(changes) => self.learn(&changes),
            Told::Anew(shard) => self.begin_anew(shard),
        }
    }

    fn begin_anew(&mut self, shard: Shard) {
        self.again.retain(|(other, _)| *other != shard && shard != Shard::Whole);
        self.again.push((shard, HashSet::new()));
    }

    /// A side has been read to its end.
    fn end(&mut self, side: Side) {
        let Coverage { users, rows } = self.linker.coverage();
        let coverage = match side {
            Side::Pool => {
                self.forget_who_did_not_come_again();
                // A user who was deleted and made anew meanwhile came twice.
                let replaced: Vec<Change> = self.linker.replaced().into_iter().map(Change::UserGone).collect();
                self.learn(&replaced);
                Coverage { users: true, rows }
            }
            Side::Table => Coverage { users, rows: true },
        };
        self.linker.apply(&[Change::Covered(coverage)]);
    }

    /// Keeps what is read from here on.
    pub(crate) fn keep_in(&mut self, writer: Option<Box<Writer>>) {
        self.keep = writer;
    }

    /// The scan is over: what was kept of it is the last scan, if it is complete. If it is not, it can be gone on with.
    pub(crate) fn finish_keeping(&mut self, at: Timestamp) {
        self.linker.end_gathering();
        let whole = self.is_whole();
        if let Some(writer) = self.keep.take().filter(|_| whole)
            && let Err(error) = writer.finish(&Picture::of(&self.linker, at))
        {
            tracing::warn!(kind = ?error.kind(), "the scan was not kept");
        }
    }

    fn keep_with(&mut self, write: impl FnOnce(&mut Writer) -> io::Result<()>) {
        if let Some(writer) = &mut self.keep
            && let Err(error) = write(writer)
        {
            // Nothing depends on it: the next scan is kept again.
            tracing::warn!(kind = ?error.kind(), "the scan is not kept");
            self.keep = None;
        }
    }

    /// Takes in records that were read.
    pub(crate) fn learn(&mut self, changes: &[Change]) {
        self.keep_with(|writer| writer.add(changes));
        if !self.again.is_empty() {
            for change in changes {
                if let Change::User(user) = change {
                    for (_, again) in self.again.iter_mut().filter(|(shard, _)| shard.holds(user.sub)) {
                        again.insert(user.sub);
                    }
                }
            }
        }
        self.linker.apply(changes);
        let (users, rows) = self.linker.len();
        (self.users, self.rows) = (users as u64, rows as u64);
    }

    /// How many rows have something in their sub column that is no sub.
    pub(crate) fn malformed_subs(&self) -> u64 {
        self.linker.malformed_subs()
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
