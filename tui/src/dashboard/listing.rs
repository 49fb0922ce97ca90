//! Makes the list of a view on the linker's thread, in slices: between two of them questions are answered and news heard.
//!
//! What has to be searched or sorted is searched and sorted on threads of its own, over columns that nobody changes. A list is
//! right for the moment at which it was begun; when something has changed since, it is made once more.

mod making;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use userlink_domain::Timestamp;
use userlink_find::{Column, Columns, Hits, Item, Query, Term, search, sort};
use userlink_link::{Lead, Linker};
use userlink_ui::ViewSpec;

use self::making::{Making, Stage};
use crate::spool::Searched;

/// How long a slice may take.
const SLICE: Duration = Duration::from_millis(2);
/// A list that took no longer is made at once when it is asked for.
const AT_ONCE: Duration = Duration::from_millis(4);
/// One that took longer is shown as it was, whatever has changed since.
const SOON: Duration = Duration::from_millis(50);
/// The time between two lists of a view, in times that one takes.
const PAUSE: u32 = 4;
/// Answers to terms that are kept, for whoever takes back what was typed: so many, or so many bytes of them.
const KEPT: usize = 6;
const KEPT_BYTES: usize = 40 << 20;
/// So many sorted entries are given back at once.
const GIVEN_BACK: usize = 1 << 20;
/// Threads for one search.
const THREADS: usize = 4;

/// What comes back from a thread.
pub(super) enum Found {
    Hits { made_for: u64, answer: Box<(Term, Hits)> },
    Sorted { made_for: u64, items: Vec<Item> },
}

/// The entries of a view.
pub(super) struct List {
    spec: ViewSpec,
    revision: u64,
    pub(super) leads: Vec<Lead>,
    /// When, and how long it took.
    made: Instant,
    took: Duration,
    /// It must not be shown any more once there is a new one.
    expired: bool,
}

/// How a list stands to what is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It can be shown.
    There,
    /// It can be shown, and is out of date.
    Old,
    /// It comes.
    Coming,
}

pub(super) struct Listing {
    list: Option<List>,
    making: Option<Making>,
    kept: Vec<(Term, Arc<Hits>)>,
    to: mpsc::UnboundedSender<Found>,
    /// Counts what was begun: what comes back for an earlier one is too late.
    made_for: u64,
    /// Counts what was finished.
    number: u64,
}

impl Listing {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Found>) {
        let (to, found) = mpsc::unbounded_channel();
        (Self { list: None, making: None, kept: Vec::new(), to, made_for: 0, number: 0 }, found)
    }

    /// The records are others.
    pub(super) fn forget(&mut self) {
        (self.list, self.making) = (None, None);
        self.kept.clear();
    }

    /// Something was changed by a person, who wants to see it. A list that takes its time stays until there is a new one: while a run
    /// goes on, there would never be any.
    pub(super) fn expire(&mut self) {
        if let Some(list) = self.list.as_mut().filter(|list| list.took <= SOON) {
            list.expired = true;
        }
    }

    pub(super) fn list(&self) -> Option<&List> {
        self.list.as_ref()
    }

    /// Grows with every list.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a list of this view is being made.
    pub(super) fn is_coming(&self, spec: &ViewSpec) -> bool {
        self.making.as_ref().is_some_and(|making| making.spec == *spec)
    }

    /// Whether there is something to do here and now.
    pub(super) fn has_work(&self) -> bool {
        self.making.as_ref().is_some_and(|making| !matches!(making.stage, Stage::Search | Stage::Sort))
    }

    /// Sees to it that there is a list of this view, or will be.
    pub(super) fn ask(
        &mut self,
        spec: &ViewSpec,
        revision: u64,
        linker: &Linker,
        searched: Option<&Searched>,
        now: Timestamp,
    ) -> Asked {
        let held = self.list.as_ref().filter(|list| list.spec == *spec);
        if held.is_some_and(|list| list.revision == revision) {
            return Asked::There;
        }
        let quick = held.is_some_and(|list| list.took <= AT_ONCE);
        let (may_show, too_early) = held
            .map_or((false, false), |list| (!list.expired, !list.expired && list.made.elapsed() < list.took * PAUSE));
        if !self.is_coming(spec) && !too_early {
            self.begin(spec, revision, linker, searched, now);
        }
        let until = Instant::now() + if quick { 2 * AT_ONCE } else { SLICE };
        while self.has_work() && Instant::now() < until {
            self.step(linker);
        }
        match self.list.as_ref().filter(|list| list.spec == *spec) {
            Some(list) if list.revision == revision => Asked::There,
            Some(_) if may_show => Asked::Old,
            _ => Asked::Coming,
        }
    }

    fn begin(&mut self, spec: &ViewSpec, revision: u64, linker: &Linker, searched: Option<&Searched>, now: Timestamp) {
        let view = searched.map(|searched| searched.lock().unwrap_or_else(PoisonError::into_inner).view());
        let view = view.unwrap_or_else(|| Columns::new(None, 0).view());
        // The screen says what is wrong with a filter, and asks for none of these.
        let query = Query::parse(&spec.filter, now).unwrap_or_default();
        self.made_for += 1;
        let mut making = Making::new(spec, revision, query, view, linker.slots());
        for (term, answer) in &mut making.answers {
            let known = self.kept.iter().find(|(kept, _)| kept == term).map(|(_, hits)| hits.clone());
            match known {
                Some(hits) if hits.upto() == making.view.len() => *answer = Some(hits),
                known => {
                    // What is being typed goes on from what was typed.
                    let wider = self.kept.iter().rev().find(|(kept, _)| kept.is_wider_than(term));
                    let wider = wider.map(|(_, hits)| hits.clone());
                    let (term, view, stop) = (term.clone(), making.view.clone(), making.stop.clone());
                    let (to, made_for) = (self.to.clone(), self.made_for);
                    tokio::task::spawn_blocking(move || {
                        let known = known.map(|hits| (*hits).clone()).unwrap_or_default();
                        if let Some(hits) = search(&view, &term, known, wider.as_deref(), threads(), &stop) {
                            // The linker may have ended meanwhile.
                            drop(to.send(Found::Hits { made_for, answer: Box::new((term, hits)) }));
                        }
                    });
                }
            }
        }
        making.go_on();
        self.making = Some(making);
    }

    /// Takes what a thread found, unless something else has been asked for since.
    pub(super) fn take(&mut self, found: Found) {
        match found {
            Found::Hits { made_for, answer } => {
                let (term, hits) = *answer;
                let hits = Arc::new(hits);
                if made_for == self.made_for
                    && let Some(making) = &mut self.making
                {
                    for (asked, answer) in &mut making.answers {
                        if *asked == term {
                            *answer = Some(hits.clone());
                        }
                    }
                    making.go_on();
                    self.kept.retain(|(kept, _)| *kept != term);
                    self.kept.push((term, hits));
                    let most = (KEPT_BYTES / (making.view.len() as usize).max(1)).clamp(1, KEPT);
                    let over = self.kept.len().saturating_sub(most);
                    self.kept.drain(..over);
                }
            }
            Found::Sorted { made_for, items } => {
                if made_for == self.made_for
                    && let Some(mut making) = self.making.take()
                {
                    making.items = items;
                    self.finish(making);
                }
            }
        }
    }

    /// Works for a slice.
    pub(super) fn step(&mut self, linker: &Linker) {
        let until = Instant::now() + SLICE;
        while self.has_work() && Instant::now() < until {
            if self.making.as_mut().is_some_and(|making| making.some(linker)) {
                self.sort_or_finish();
            }
        }
    }

    /// All entries have been gone through.
    fn sort_or_finish(&mut self) {
        let Some(mut making) = self.making.take() else { return };
        if !making.is_sorted() {
            making.stage = Stage::Sort;
            let mut items = std::mem::take(&mut making.items);
            let (view, column, reverse) = (making.view.clone(), making.spec.order.by, making.spec.order.reverse);
            let (to, made_for) = (self.to.clone(), self.made_for);
            tokio::task::spawn_blocking(move || {
                let texts = column.and_then(Column::text).map(|which| (&view, which));
                sort(&mut items, texts, reverse);
                drop(to.send(Found::Sorted { made_for, items }));
            });
            self.making = Some(making);
        } else {
            self.finish(making);
        }
    }

    fn finish(&mut self, mut making: Making) {
        let mut leads = std::mem::take(&mut making.leads);
        let (first, mut items) = (leads.len(), std::mem::take(&mut making.items));
        leads.reserve_exact(items.len());
        // From the last on: what was sorted by takes six times as much, and goes while the list comes.
        while let Some(item) = items.pop() {
            leads.push(Lead::from_number(item.lead));
            if items.len().is_multiple_of(GIVEN_BACK) {
                items.shrink_to_fit();
            }
        }
        leads[first..].reverse();
        if making.spec.order.by.is_none() && making.spec.order.reverse {
            leads.reverse();
        }
        self.number += 1;
        self.list = Some(List {
            spec: making.spec.clone(),
            revision: making.revision,
            leads,
            made: Instant::now(),
            took: making.began.elapsed(),
            expired: false,
        });
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS)
}
