//! The list: a window of entries, where it is scrolled to, and the record under the cursor.
//!
//! Holds a few pages at most, whatever the pool's size. The cursor holds on to a record, never to a place: entries
//! merge, split and move while a scan runs, and what is on the screen stays where it is.

use userlink_domain::{Group, RecordRef, Row};
use userlink_find::Order;
use userlink_link::Entry;

use crate::effect::Effect;
use crate::event::{ViewSpec, Window};
use crate::pairs;

/// The largest window that is asked for, in entries.
const MOST: usize = 1_000;
/// How often in a row an answer that misses the screen is asked for again before a key or news comes.
const RETRIES: u8 = 3;

/// Where the cursor goes when the answer to a new view comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Stays on its record.
    Keep,
    /// Stays on its record if the view has it, else goes to the top.
    Follow,
    /// To the top.
    Top,
}

#[derive(Debug)]
struct Asked {
    first: usize,
    len: usize,
    /// Where the cursor stood.
    cursor: usize,
    start: Start,
}

#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) spec: ViewSpec,
    generation: u64,
    asked: Option<Asked>,
    held: Option<Window>,
    /// The place of the first entry on the screen.
    pub(crate) top: usize,
    /// The place of the entry under the cursor.
    pub(crate) cursor: usize,
    on: Option<RecordRef>,
    changed: bool,
    retries: u8,
    /// Answers from this generation on are of what is complete by now.
    whole_from: u64,
    /// Where a key wanted to go before the view had come.
    wanted: Option<usize>,
}

impl List {
    /// The window that is shown, unless none of this view has come yet. While a filter is typed, the last one.
    pub(crate) fn held(&self) -> Option<&Window> {
        self.held.as_ref()
    }

    /// Whether what is shown answers to what was asked for.
    pub(crate) fn is_current(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.spec == self.spec)
    }

    /// Whether what is shown was asked for since the scan has been complete.
    pub(crate) fn is_of_the_whole(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.generation >= self.whole_from)
    }

    /// Entries in the view, as far as is known.
    pub(crate) fn total(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.total)
    }

    /// Grows with the data.
    pub(crate) fn revision(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.revision)
    }

    pub(crate) fn at(&self, place: usize) -> Option<&Entry> {
        let held = self.held.as_ref()?;
        held.entries.get(place.checked_sub(held.first)?)
    }

    /// Whether the entry at a place is marked.
    pub(crate) fn is_marked(&self, place: usize) -> bool {
        let marked = self.held.as_ref().and_then(|held| held.marked.get(place.checked_sub(held.first)?));
        marked.is_some_and(|marked| *marked)
    }

    /// The entry under the cursor.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.at(self.cursor)
    }

    /// The record that the cursor holds on to.
    pub(crate) fn on(&self) -> Option<&RecordRef> {
        self.on.as_ref()
    }

    /// The entry in the window that a record is in.
    pub(crate) fn holding(&self, of: &RecordRef) -> Option<&Entry> {
        self.held.as_ref()?.entries.iter().find(|entry| holds(entry, of))
    }

    /// Moves the cursor by so many entries.
    pub(crate) fn step(&mut self, by: isize, page: usize) {
        self.go(self.wanted.unwrap_or(self.cursor).saturating_add_signed(by), page);
    }

    /// Moves the cursor by as many entries as are on the screen.
    pub(crate) fn page(&mut self, down: bool, page: usize) {
        let (mut lines, mut count) = (0, 0);
        while lines < page && self.top + count < self.total().max(1) {
            lines += self.at(self.top + count).map_or(1, pairs::height);
            count += 1;
        }
        let by = count.saturating_sub(1).max(1);
        let cursor = if down { self.cursor.saturating_add(by) } else { self.cursor.saturating_sub(by) };
        self.go(cursor, page);
    }

    /// Puts the cursor on an entry.
    pub(crate) fn go(&mut self, place: usize, page: usize) {
        if self.held.is_none() {
            self.wanted = Some(place);
            return;
        }
        self.cursor = place.min(self.total().saturating_sub(1));
        self.on = self.entry().and_then(Entry::lead);
        self.retries = 0;
        self.show_cursor(page);
    }

    /// Turns to another group. The cursor goes to its top.
    pub(crate) fn turn(&mut self, group: Option<Group>, page: usize) -> Option<Effect> {
        if self.spec.group == group {
            return None;
        }
        self.spec.group = group;
        self.held = None;
        self.on = None;
        (self.top, self.cursor) = (0, 0);
        self.wanted = None;
        Some(self.ask(page, Start::Top))
    }

    /// Filters. Emptied, the cursor stays on the record that was found.
    pub(crate) fn filter(&mut self, filter: &str, page: usize) -> Option<Effect> {
        if self.spec.filter == filter {
            return None;
        }
        filter.clone_into(&mut self.spec.filter);
        let start = if filter.trim().is_empty() { Start::Follow } else { Start::Top };
        Some(self.ask(page, start))
    }

    /// Puts it into another order. The cursor stays on its record.
    pub(crate) fn order(&mut self, order: Order, page: usize) -> Option<Effect> {
        if self.spec.order == order {
            return None;
        }
        self.spec.order = order;
        Some(self.ask(page, Start::Follow))
    }

    /// Turns to another view, and in it to a record.
    pub(crate) fn jump(&mut self, spec: ViewSpec, on: Option<RecordRef>, page: usize) -> Option<Effect> {
        self.spec = spec;
        self.on = on;
        self.wanted = None;
        Some(self.ask(page, Start::Follow))
    }

    /// The data changed.
    pub(crate) fn changed(&mut self, page: usize) -> Option<Effect> {
        self.retries = 0;
        if self.asked.is_some() {
            self.changed = true;
            return None;
        }
        Some(self.ask(page, Start::Keep))
    }

    /// The scan is complete: what is asked for from here on is of all of it.
    pub(crate) fn completed(&mut self, page: usize) -> Option<Effect> {
        self.whole_from = self.generation + 1;
        self.changed(page)
    }

    /// Asks for what is missing on the screen or near it, if it has not been asked for.
    pub(crate) fn want(&mut self, page: usize) -> Option<Effect> {
        let Some(held) = &self.held else {
            return self.asked.is_none().then(|| self.ask(page, Start::Top));
        };
        if let Some(asked) = &self.asked {
            let covered = asked.first <= self.top && self.top + page <= asked.first + asked.len;
            let theirs = asked.start != Start::Keep;
            return (!covered && !theirs).then(|| self.ask(page, Start::Keep));
        }
        let end = held.first + held.entries.len();
        let near = page / 2;
        let above = held.first > 0 && self.top < held.first + near;
        let below = end < held.total && self.top + page + near > end;
        let stray = self.cursor < held.first || self.cursor >= end;
        if held.total == 0 || !(above || below || stray) || self.retries >= RETRIES {
            return None;
        }
        self.retries += 1;
        Some(self.ask(page, Start::Keep))
    }

    /// Takes an answer, unless it is stale.
    pub(crate) fn accept(&mut self, window: Window, page: usize) -> Option<Effect> {
        if window.generation != self.generation || window.spec != self.spec {
            return None;
        }
        let asked = self.asked.take()?;
        let row = self.cursor.saturating_sub(self.top);
        let found = window.entries.iter().position(|entry| self.on.as_ref().is_some_and(|on| holds(entry, on)));
        let found = found.map(|at| window.first + at);
        let moved = window.anchor_at.map(|at| (at + self.cursor).saturating_sub(asked.cursor));
        let cursor = match asked.start {
            Start::Keep => found.or(moved).unwrap_or(self.cursor),
            Start::Follow => found.or(window.anchor_at).unwrap_or(0),
            Start::Top => 0,
        };
        let cursor = cursor.min(window.total.saturating_sub(1));
        self.top = match asked.start {
            Start::Top => 0,
            _ => cursor.saturating_sub(row),
        };
        let gone =
            found.is_none() && moved.is_none() && window.entries.get(cursor.wrapping_sub(window.first)).is_some();
        self.held = Some(window);
        self.cursor = cursor;
        if self.on.is_none() || gone || asked.start == Start::Top {
            self.on = self.entry().and_then(Entry::lead);
        }
        if self.total() == 0 {
            self.on = None;
        }
        self.show_cursor(page);
        if let Some(place) = self.wanted.take() {
            self.go(place, page);
        }
        if std::mem::take(&mut self.changed) { Some(self.ask(page, Start::Keep)) } else { None }
    }

    /// Scrolls so that the whole entry under the cursor is on the screen, and the screen is full where it can be.
    pub(crate) fn show_cursor(&mut self, page: usize) {
        let height = |this: &Self, place| this.at(place).map_or(1, pairs::height);
        self.top = self.top.min(self.cursor);
        let (mut lines, mut top) = (height(self, self.cursor), self.cursor);
        while top > self.top && lines + height(self, top - 1) <= page {
            top -= 1;
            lines += height(self, top);
        }
        self.top = top;
        let mut end = self.cursor + 1;
        while lines < page && end < self.total() {
            lines += height(self, end);
            end += 1;
        }
        while self.top > 0 && lines + height(self, self.top - 1) <= page {
            self.top -= 1;
            lines += height(self, self.top);
        }
    }

    fn ask(&mut self, page: usize, start: Start) -> Effect {
        self.generation += 1;
        let page = page.clamp(1, MOST / 3);
        let (first, len) = match start {
            Start::Top => (0, page * 2),
            Start::Keep | Start::Follow => (self.top.saturating_sub(page), page * 3),
        };
        let anchor = if start == Start::Top { None } else { self.on.clone() };
        // A view that was never answered keeps its beginning.
        let start = match (&self.asked, start) {
            (Some(asked), Start::Keep) if asked.start != Start::Keep => asked.start,
            _ => start,
        };
        self.asked = Some(Asked { first, len, cursor: self.cursor, start });
        self.changed = false;
        Effect::Window { generation: self.generation, spec: self.spec.clone(), first, len, anchor }
    }
}

/// Whether a record is in an entry.
pub(crate) fn holds(entry: &Entry, of: &RecordRef) -> bool {
    match of {
        RecordRef::User(sub) => entry.users.iter().any(|user| user.sub == *sub),
        RecordRef::Row(id) => entry.rows.iter().any(|row: &Row| row.id == *id),
    }
}
