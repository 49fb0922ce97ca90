//! Everything the dashboard knows: what it was told, where the person is, and what is being asked.
//!
//! Data only: no clock, no handle, no copy of the pool beyond a few screens of it.

use std::collections::VecDeque;

use tui_input::Input;
use userlink_domain::{Group, RecordRef, Timestamp};
use userlink_link::{Entry, Explanation};

use crate::event::{Counts, Level, Phase, Progress};
use crate::history;
use crate::keys::{Keys, Place};
use crate::layout::{self, Layout};
use crate::list::List;
use crate::marks::Marks;
use crate::paint::Look;
use crate::repairs::{self, Repairing};
use crate::theme::Theme;

/// Where the dashboard looks, and how it is drawn.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The name of the context.
    pub context: String,
    /// The id of the pool.
    pub pool: String,
    /// The name of the table.
    pub table: String,
    /// Whether people depend on it.
    pub production: bool,
    /// Whether nothing may be written from here.
    pub read_only: bool,
    /// How it is coloured.
    pub theme: Theme,
    /// Draws with ASCII only.
    pub ascii: bool,
}

/// What the two pointers and the shown columns are called where they live.
#[derive(Clone, Debug)]
pub struct Names {
    /// The pool's attribute that names the row.
    pub user_id: String,
    /// The table's key column.
    pub id: String,
    /// The table's column that names the user.
    pub sub: String,
    /// The columns of [`Row::show`](userlink_domain::Row), in its order.
    pub show: Vec<String>,
}

impl Default for Names {
    fn default() -> Self {
        Self { user_id: "custom:userId".to_owned(), id: "id".to_owned(), sub: "sub".to_owned(), show: Vec::new() }
    }
}

/// One entry on the whole screen.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) of: RecordRef,
    /// As it was last seen.
    pub(crate) entry: Entry,
    /// Whether it has left the view since.
    pub(crate) left: bool,
    pub(crate) scroll: usize,
}

/// A passing word, and when it goes.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) until: Timestamp,
}

/// The state of the dashboard.
#[derive(Debug)]
pub struct Model {
    pub(crate) setup: Setup,
    pub(crate) names: Names,
    pub(crate) keys: Keys,
    pub(crate) size: (u16, u16),
    /// The moment of the last event.
    pub(crate) now: Timestamp,
    pub(crate) progress: Option<Progress>,
    /// The most that the bar has shown, in thousandths: it never goes back within a scan.
    pub(crate) reached: u16,
    pub(crate) counts: Counts,
    pub(crate) list: List,
    /// The filter while it is typed.
    pub(crate) typing: Option<Input>,
    pub(crate) opened: Option<Opened>,
    pub(crate) explained: Option<(RecordRef, Explanation)>,
    /// The record and the revision that an explanation was last asked for.
    pub(crate) asked_why: Option<(RecordRef, u64)>,
    pub(crate) marks: Marks,
    pub(crate) repairing: Repairing,
    /// How many plans were asked for.
    pub(crate) requests: u64,
    /// The last run from here by which something was written.
    pub(crate) last_run: Option<String>,
    pub(crate) history: history::Pages,
    /// The help page, scrolled so far.
    pub(crate) help: Option<usize>,
    /// The question before leaving, and whether it stands on yes.
    pub(crate) leaving: Option<bool>,
    pub(crate) word: Option<Word>,
    /// Errors that were not dismissed, oldest first.
    pub(crate) errors: VecDeque<String>,
}

/// More errors than this are not kept.
const MOST_ERRORS: usize = 50;
/// How long a passing word stays, in milliseconds.
const PASSING: i64 = 8_000;

impl Model {
    /// A dashboard that knows nothing yet, for a terminal of so many columns and lines.
    pub fn new(setup: Setup, size: (u16, u16)) -> Self {
        Self {
            setup,
            names: Names::default(),
            keys: Keys::default(),
            size,
            now: Timestamp::from_millis(0),
            progress: None,
            reached: 0,
            counts: Counts::default(),
            list: List::default(),
            typing: None,
            opened: None,
            explained: None,
            asked_why: None,
            marks: Marks::default(),
            repairing: Repairing::Idle,
            requests: 0,
            last_run: None,
            history: history::Pages::new(),
            help: None,
            leaving: None,
            word: None,
            errors: VecDeque::new(),
        }
    }

    /// Calls attribute and columns by the names they have in this pool and table.
    #[must_use]
    pub fn with_names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Goes by other keys.
    #[must_use]
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// When the screen changes though nothing happens: a passing word goes, or "3 min ago" becomes four.
    /// A tick at that moment is enough.
    pub fn wants_redraw_by(&self) -> Option<Timestamp> {
        let soon = self.word.as_ref().map(|word| word.until);
        let minute = Timestamp::from_millis(self.now.as_millis().saturating_add(30_000));
        let ages = self.list.held().is_some() || self.phase() == Phase::Complete;
        soon.into_iter().chain(ages.then_some(minute)).min()
    }

    /// Whether a repair is being written: leaving now is asked about.
    pub fn is_writing(&self) -> bool {
        matches!(self.repairing, Repairing::Writing(_))
    }

    pub(crate) fn look(&self) -> Look {
        Look::new(self.setup.theme, self.setup.ascii)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.progress.as_ref().map_or(Phase::Connecting, |progress| progress.phase)
    }

    pub(crate) fn layout(&self) -> Option<Layout> {
        let lines = self.errors.front().map_or(1, |error| {
            let width = usize::from(self.size.0).saturating_sub(4).max(1);
            crate::safe_text::SafeText::of(error, self.setup.ascii).wrap(width).len()
        });
        layout::layout(self.size, u16::try_from(lines).unwrap_or(u16::MAX), self.notice())
    }

    /// Whether it must be said at the top that the attribute proves nothing.
    pub(crate) fn notice(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| !progress.writable_by.is_empty())
    }

    /// Lines of the list.
    pub(crate) fn page(&self) -> usize {
        self.layout().map_or(1, |layout| usize::from(layout.list.height))
    }

    /// The groups that have a tab: the unsettled only while there are any.
    pub(crate) fn tabs(&self) -> Vec<Option<Group>> {
        let all = std::iter::once(None).chain(Group::ALL.map(Some));
        let shown = |group: &Option<Group>| *group != Some(Group::Unsettled) || self.has_unsettled();
        all.filter(shown).collect()
    }

    pub(crate) fn has_unsettled(&self) -> bool {
        self.counts.of(Some(Group::Unsettled)) > 0 || self.list.spec.group == Some(Group::Unsettled)
    }

    /// Whose explanation is wanted.
    pub(crate) fn subject(&self) -> Option<&RecordRef> {
        self.opened.as_ref().map(|opened| &opened.of).or_else(|| self.list.on())
    }

    /// The entry a key would act on.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.opened.as_ref().map(|opened| &opened.entry).or_else(|| self.list.entry())
    }

    /// The explanation of the entry that is shown, once it has come.
    pub(crate) fn explanation(&self) -> Option<&Explanation> {
        let (of, explanation) = self.explained.as_ref()?;
        let entry = self.entry()?;
        (Some(of) == self.subject() || crate::list::holds(entry, of)).then_some(explanation)
    }

    /// Where the next key goes.
    pub(crate) fn place(&self) -> Place {
        let repairing = repairs::place(&self.repairing);
        match (repairing, &self.leaving) {
            (_, Some(_)) => Place::Leaving,
            _ if self.help.is_some() => Place::Help,
            (Some(place), _) => place,
            _ if !self.history.is_empty() => Place::History,
            _ if self.typing.is_some() => Place::Filter,
            _ if self.opened.is_some() => Place::Entry,
            _ => Place::Browse,
        }
    }

    /// Whether what is shown is an earlier scan that was not made by this program.
    pub(crate) fn is_from_disk(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| progress.from_disk)
    }

    pub(crate) fn say(&mut self, level: Level, text: impl Into<String>) {
        let text = text.into();
        match level {
            Level::Info => {
                let until = Timestamp::from_millis(self.now.as_millis().saturating_add(PASSING));
                self.word = Some(Word { text, until });
            }
            Level::Error => {
                if self.errors.back() != Some(&text) && self.errors.len() < MOST_ERRORS {
                    self.errors.push_back(text);
                }
            }
        }
    }
}
