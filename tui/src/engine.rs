//! The linker with what is known about the scan that feeds it. Used alike by the dashboard, on a thread of its own, and by
//! the commands.

use std::collections::HashSet;
use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use userlink_domain::{Group, RecordRef, Situation, Timestamp};
use userlink_link::{Anew, Change, Circumstances, Coverage, Entry, Linker, Rules};
use userlink_pool::Writable;

use crate::clock;
use crate::scan::{News, Side};
use crate::snapshot::{AsKept, Kept, Picture, Told, Unfinished, Writer};
use crate::spool::{Searched, Spool};

/// So much of what a scan read beside what is shown is taken in before somebody else gets a turn: some milliseconds.
const AT_ONCE: usize = 1_000;
/// A step that takes longer is followed by one that does more.
const LONG: Duration = Duration::from_millis(50);

pub(crate) struct Engine {
    pub(crate) linker: Linker,
    /// When what it holds began to be read.
    pub(crate) began: Timestamp,
    /// What filters and orders are answered from; nothing where nobody looks on.
    pub(crate) searched: Option<Searched>,
    /// How many records it holds.
    pub(crate) users: u64,
    pub(crate) rows: u64,
    pub(crate) users_about: Option<u64>,
    /// Whether users can write the attribute themselves, once that was looked at.
    pub(crate) writable: Option<Writable>,
    /// Whether people can sign up by themselves, and whether a function is called after a confirmation, once the pool said so.
    about_pool: Option<(bool, bool)>,
    /// How what was kept of records compares with what is read.
    as_kept: AsKept,
    /// Of some records names and e-mails are there as hashes alone; and of some that the scan was told.
    pub(crate) hashed: bool,
    told_hashed: bool,
    /// What is read once more.
    anew: Anew,
    /// How far the scan has read.
    read: Coverage,
    /// When it began.
    scan_began: Timestamp,
    /// It has read all beside what was held, and that takes the place of it, bit by bit.
    turns: bool,
    /// It did so before all had been read.
    turned_early: bool,
    /// How much of that is done in a step.
    at_once: usize,
    /// Where what is read is kept.
    keep: Option<Box<Writer>>,
    /// What was looked at besides while an interrupted scan is told again: it is newer than that, and is kept after it.
    besides: Option<Vec<Change>>,
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
        let now = clock::now();
        Self {
            linker: Linker::with_records(rules, Box::new(spool)),
            searched: None,
            began: now,
            users: 0,
            rows: 0,
            users_about: None,
            writable: None,
            about_pool: None,
            as_kept: AsKept::default(),
            hashed: false,
            told_hashed: false,
            anew: Anew::default(),
            read: Coverage::default(),
            scan_began: now,
            turns: false,
            turned_early: false,
            at_once: AT_ONCE,
            keep: None,
            besides: None,
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

    /// One that can take what was kept of a scan that began then.
    fn comparing(mut self, as_kept: AsKept, began: Timestamp) -> Self {
        if let Some(texts_as) = as_kept.texts_as() {
            self.linker = self.linker.comparing_texts_as(texts_as);
        }
        Self { hashed: !as_kept.is_whole(), as_kept, began, scan_began: began, ..self }
    }

    /// One that is told of an interrupted scan before it reads.
    pub(crate) fn awaiting(self, unfinished: &Unfinished) -> Self {
        let engine = self.comparing(unfinished.progress.as_kept.clone(), unfinished.began);
        Self { besides: Some(Vec::new()), ..engine }
    }

    /// The same with what was kept of a complete scan.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn restored(self, kept: Kept) -> io::Result<Self> {
        let mut engine = self.comparing(kept.as_kept.clone(), kept.picture.at());
        engine.linker = engine.linker.gathering(kept.picture.users + kept.picture.rows);
        kept.replay(|told| {
            engine.take(told.into());
        })?;
        engine.end(Side::Pool);
        engine.end(Side::Table);
        Ok(engine)
    }

    /// Whether a scan that would read into `fresh` can read into this one: ids are of one kind, and texts are compared alike.
    pub(crate) fn can_scan_again(&self, fresh: &Self) -> bool {
        self.linker.rules().id_kind == fresh.linker.rules().id_kind
            && (fresh.as_kept.is_whole() || self.as_kept.is_like(&fresh.as_kept))
    }

    /// A scan begins that would have read into `fresh`. What is held stays as it is until all has been read anew, or as much of it
    /// as there is of what is not all.
    pub(crate) fn scan_again(&mut self, fresh: Self) {
        self.anew = Anew::beside(&mut self.linker);
        (self.scan_began, self.told_hashed) = (fresh.scan_began, fresh.hashed);
        (self.keep, self.besides) = (fresh.keep, fresh.besides);
        (self.read, self.turns, self.users_about, self.done) = (Coverage::default(), false, None, false);
        self.failures.clear();
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
                self.hear(&[Change::Writable(known)])
            }
            News::Keep(writer) => {
                self.keep = Some(writer);
                let besides = self.besides.take().unwrap_or_default();
                self.learn(&besides);
                !besides.is_empty()
            }
            News::Batch(changes) => self.hear(&changes),
            News::Anew(shard) => {
                self.keep_with(|writer| writer.anew(shard));
                self.anew.expect_users(&mut self.linker, |sub| shard.holds(sub));
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
                !self.is_beside()
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

    /// Whether the scan has read both sides to their ends and settled, and nothing went wrong.
    pub(crate) fn is_whole(&self) -> bool {
        self.done && self.read == Coverage::ALL && !self.is_beside() && self.failures.is_empty()
    }

    /// Whether all that it holds was read to the ends of both sides.
    pub(crate) fn is_complete(&self) -> bool {
        self.linker.coverage() == Coverage::ALL
    }

    /// Whether what it holds was read by an earlier scan, and stays until this one has read all.
    pub(crate) const fn is_beside(&self) -> bool {
        self.anew.is_beside()
    }

    /// How much of what the scan has read is not as it is held.
    pub(crate) fn different(&self) -> usize {
        self.anew.put_aside()
    }

    /// Whether some of what an earlier scan had read was given up for one that has not come to it yet.
    pub(crate) fn misses_some(&self) -> bool {
        self.turned_early && self.read != Coverage::ALL
    }

    /// How far the scan has read.
    pub(crate) const fn covered(&self) -> Coverage {
        self.read
    }

    /// How many users and rows the scan has read.
    pub(crate) fn came(&self) -> (u64, u64) {
        self.anew.came().unwrap_or((self.users, self.rows))
    }

    /// Whether what it holds is being replaced by what was read beside it.
    pub(crate) const fn is_turning(&self) -> bool {
        self.turns
    }

    fn begin_to_turn(&mut self) {
        tracing::info!(different = self.different(), "what is held is replaced by what was read anew");
        (self.turns, self.at_once) = (true, AT_ONCE);
        if !self.is_complete() {
            // What had been read to its end has not been by this scan.
            self.linker.apply(&[Change::Covered(Coverage::default())]);
        }
    }

    /// Goes on with that; true while there is more to do.
    pub(crate) fn turn(&mut self) -> bool {
        if !self.turns {
            return false;
        }
        let began = Instant::now();
        let turned = self.anew.turn(&mut self.linker, self.at_once);
        if began.elapsed() > LONG {
            // Where very many records are one entry, each step goes through all of it.
            self.at_once *= 2;
        }
        match turned {
            Ok(true) => {
                self.turns = false;
                self.began = self.scan_began;
                self.turned_early = self.read != Coverage::ALL;
                self.hashed = self.told_hashed || (self.hashed && !self.failures.is_empty());
                if self.read.users {
                    self.forget_replaced();
                }
                self.linker.apply(&[Change::Covered(self.read)]);
            }
            Ok(false) => {}
            Err(lost) if self.failures.is_empty() => self.failures.push((format!("{lost} Scan again."), false)),
            Err(_) => {}
        }
        self.count();
        self.turns
    }

    /// A side has been read to its end.
    fn end(&mut self, side: Side) {
        match side {
            Side::Pool => self.read.users = true,
            Side::Table => self.read.rows = true,
        }
        if self.is_beside() {
            if self.read == Coverage::ALL {
                self.begin_to_turn();
            }
            return;
        }
        match side {
            Side::Pool => {
                self.anew.forget_users(&mut self.linker);
                self.forget_replaced();
            }
            Side::Table => {}
        }
        self.linker.apply(&[Change::Covered(self.read)]);
        self.count();
    }

    /// A user who was deleted and made anew while the pool was listed came twice.
    fn forget_replaced(&mut self) {
        let replaced: Vec<Change> = self.linker.replaced().into_iter().map(Change::UserGone).collect();
        self.linker.apply(&replaced);
    }

    /// Keeps what is read from here on.
    pub(crate) fn keep_in(&mut self, writer: Option<Box<Writer>>) {
        self.keep = writer;
    }

    /// The scan is over: what was kept of it is the last scan, if it is complete. If it is not, it can be gone on with.
    pub(crate) fn finish(&mut self, at: Timestamp) {
        self.linker.end_gathering();
        if self.is_beside() {
            // What it has not read to the end is not shown.
            (self.anew, self.turns) = (Anew::default(), false);
            self.read = Coverage::default();
        }
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

    /// Takes in what the scan read.
    fn hear(&mut self, changes: &[Change]) -> bool {
        self.keep_with(|writer| writer.add(changes));
        let changed = self.anew.read(&mut self.linker, changes);
        self.count();
        if self.is_beside() && !self.is_complete() {
            let (users, rows) = self.came();
            if users >= self.users && rows >= self.rows {
                self.begin_to_turn();
            }
        }
        changed
    }

    /// Takes in records that somebody has looked at besides.
    pub(crate) fn learn(&mut self, changes: &[Change]) {
        self.keep_with(|writer| writer.add(changes));
        if let Some(besides) = &mut self.besides {
            besides.extend(changes.iter().cloned());
        }
        self.anew.learn(&mut self.linker, changes);
        self.count();
    }

    fn count(&mut self) {
        let (users, rows) = self.linker.len();
        (self.users, self.rows) = (users as u64, rows as u64);
    }

    /// How many records have been put where they are searched, in all.
    pub(crate) fn put(&self) -> u32 {
        self.searched.as_ref().map_or(0, |searched| searched.lock().unwrap_or_else(PoisonError::into_inner).len())
    }

    /// How many rows have something in their sub column that is no sub.
    pub(crate) fn malformed_subs(&self) -> u64 {
        self.linker.malformed_subs()
    }

    /// The entries that these records are in, once each, as far as they look wrong.
    fn suspects(&self, of: &[RecordRef]) -> Vec<Entry> {
        let mut seen = HashSet::new();
        let entries = of.iter().filter_map(|of| self.linker.entry(of));
        entries.filter(|entry| is_wrong(entry.situation) && seen.insert(entry.lead())).collect()
    }
}

impl From<Told> for News {
    fn from(told: Told) -> Self {
        match told {
            Told::Changes(changes) => Self::Batch(changes),
            Told::Anew(shard) => Self::Anew(shard),
        }
    }
}

fn is_wrong(situation: Situation) -> bool {
    match situation.group() {
        Group::Unlinked | Group::Duplicate | Group::Conflict | Group::Orphan => true,
        Group::Expected | Group::Linked | Group::Unsettled => false,
    }
}
