//! Everything the dashboard knows: what it was told, where the person is, and what is being asked.
//!
//! Data only: no clock, no handle, no copy of the pool beyond a few screens of it.

use std::collections::VecDeque;

use tui_input::Input;
use userlink_domain::{Group, RecordRef, Timestamp};
use userlink_link::{Entry, Explanation};

use crate::beside::{Beside, Pairing};
use crate::browse::{Browse, Widths};
use crate::contexts::{ContextChoice, JournalPlace};
use crate::event::{Counts, Phase, Progress};
use crate::evidence::Showing;
use crate::export::Exporting;
use crate::help::Help;
use crate::history;
use crate::keys::{Keys, Place};
use crate::layout::{self, Layout};
use crate::list::List;
use crate::marks::Marks;
use crate::messages::{self, Said, Word, Words};
use crate::over::Over;
use crate::overview::Overview;
use crate::paint::Look;
use crate::repairs::{self, Repairing};
use crate::theme::{Theme, Tint};
use crate::ticket::{Found, Ticket};

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
    /// The colour of the context.
    pub tint: Option<Tint>,
    /// How it is coloured.
    pub theme: Theme,
    /// Draws with ASCII only.
    pub ascii: bool,
    /// Whether personal data is out of sight from the beginning.
    pub masked: bool,
    /// Listens to the mouse.
    pub mouse: bool,
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
    /// Whether it is gone, from the list and everywhere else.
    pub(crate) left: bool,
    pub(crate) scroll: usize,
    /// It was looked up by itself, by this text: the verdict is provisional.
    pub(crate) found: Option<(String, Box<Found>)>,
}

/// The question before leaving.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    /// Whether it stands on yes.
    pub(crate) yes: bool,
    /// To another context, and not out of the program.
    pub(crate) to: Option<String>,
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
    pub(crate) browse: Browse,
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
    pub(crate) help: Option<Help>,
    pub(crate) leaving: Option<Leaving>,
    /// What lies over the screen.
    pub(crate) over: Option<Over>,
    /// Those of the settings.
    pub(crate) contexts: Vec<ContextChoice>,
    /// The context that is being opened.
    pub(crate) turning: Option<String>,
    /// Where the journal lies, once it is known.
    pub(crate) journal: Option<JournalPlace>,
    pub(crate) exporting: Option<Exporting>,
    /// Where exports go.
    pub(crate) folder: String,
    /// Whether a person chose the theme by key.
    pub(crate) theme_chosen: bool,
    /// All that was said, oldest first.
    pub(crate) said: VecDeque<Said>,
    /// The program's own log, oldest first, as it was when it was looked at.
    pub(crate) log: Vec<String>,
    pub(crate) word: Option<Word>,
    /// Errors that were not dismissed, oldest first.
    pub(crate) errors: VecDeque<Words>,
    pub(crate) overview: Overview,
    pub(crate) ticket: Ticket,
    /// What stands beside the entry that is open.
    pub(crate) beside: Beside,
    /// The block of evidence, while it is shown before it is copied.
    pub(crate) evidence: Option<Showing>,
    /// The id that was copied last.
    pub(crate) copied: Option<String>,
    /// Whether personal data is out of sight.
    pub(crate) masked: bool,
}

/// How long one picture of the spinner stays, in milliseconds.
const TURN: i64 = 125;

impl Model {
    /// A dashboard that knows nothing yet, for a terminal of so many columns and lines.
    pub fn new(setup: Setup, size: (u16, u16)) -> Self {
        Self {
            masked: setup.masked,
            overview: Overview::default(),
            ticket: Ticket::default(),
            beside: Beside::default(),
            evidence: None,
            copied: None,
            names: Names::default(),
            keys: Keys::default(),
            size,
            now: Timestamp::from_millis(0),
            progress: None,
            reached: 0,
            counts: Counts::default(),
            list: List::default(),
            browse: Browse::new(setup.mouse),
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
            over: None,
            contexts: Vec::new(),
            turning: None,
            journal: None,
            exporting: None,
            folder: String::new(),
            theme_chosen: false,
            said: VecDeque::new(),
            log: Vec::new(),
            word: None,
            errors: VecDeque::new(),
            setup,
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

    /// Knows of the contexts of the settings.
    #[must_use]
    pub fn with_contexts(mut self, contexts: Vec<ContextChoice>) -> Self {
        self.contexts = contexts;
        self
    }

    /// Offers this folder for exports.
    #[must_use]
    pub fn with_folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The dashboard of another context, for the same person at the same terminal: on its overview.
    #[must_use]
    pub fn turned(&self, setup: Setup, names: Names) -> Self {
        let mut next = Self::new(setup, self.size).with_names(names).with_keys(self.keys.clone());
        if self.theme_chosen {
            next.setup.theme = self.setup.theme;
        }
        next.theme_chosen = self.theme_chosen;
        next.contexts.clone_from(&self.contexts);
        next.folder.clone_from(&self.folder);
        next.said.clone_from(&self.said);
        next.errors.clone_from(&self.errors);
        next.browse.mouse = self.browse.mouse;
        // Whoever shares the screen goes on sharing it.
        next.masked |= self.masked;
        next.now = self.now;
        next.with_overview()
    }

    /// The context that this is of.
    pub fn context(&self) -> &str {
        &self.setup.context
    }

    /// What would be left unfinished by leaving the program, or by turning to another context, in sentences.
    pub(crate) fn unfinished(&self, out: bool) -> Option<String> {
        let mut text = Vec::new();
        if self.is_writing() {
            text.push("A repair is being written. The steps under way are finished and kept in the journal, no other is begun;");
            text.push(if out { "the plan can be gone on with later." } else { "what came of it is told." });
        }
        if self.exporting.is_some() {
            text.push("An export is being written. It is dropped, and leaves no file.");
        }
        (!text.is_empty()).then(|| text.join(" "))
    }

    /// Whether e-mails, names and phones are masked.
    pub(crate) fn is_masked(&self) -> bool {
        self.masked
    }

    /// Whether something is under way that a person waits for: only then does a spinner turn.
    pub(crate) fn is_busy(&self) -> bool {
        let repairing = matches!(self.repairing, Repairing::Planning(_) | Repairing::Writing(_));
        let scanning = matches!(self.phase(), Phase::Connecting | Phase::Reading);
        repairing || scanning || self.exporting.is_some() || self.turning.is_some()
    }

    /// The spinner as it stands at this moment.
    pub(crate) fn spinner(&self) -> &'static str {
        let all = self.look().glyphs.spinner;
        let at = self.now.as_millis().div_euclid(TURN).rem_euclid(i64::try_from(all.len()).unwrap_or(1).max(1));
        usize::try_from(at).ok().and_then(|at| all.get(at)).copied().unwrap_or_default()
    }

    /// Whether the log is looked at: it is brought anew as it grows.
    pub fn wants_log(&self) -> bool {
        matches!(self.over, Some(Over::Log(_)))
    }

    /// When the screen changes though nothing happens: a passing word goes, or "3 min ago" becomes four.
    /// A tick at that moment is enough.
    pub fn wants_redraw_by(&self) -> Option<Timestamp> {
        let soon = self.word.as_ref().map(|word| word.until);
        let minute = Timestamp::from_millis(self.now.as_millis().saturating_add(30_000));
        let ages = self.list.held().is_some() || self.phase() == Phase::Complete;
        let turn = Timestamp::from_millis((self.now.as_millis().div_euclid(TURN) + 1).saturating_mul(TURN));
        soon.into_iter().chain(ages.then_some(minute)).chain(self.is_busy().then_some(turn)).min()
    }

    /// Whether a repair is being written: leaving now is asked about.
    pub fn is_writing(&self) -> bool {
        matches!(self.repairing, Repairing::Writing(_))
    }

    pub(crate) fn look(&self) -> Look {
        Look::new(self.setup.theme, self.setup.ascii).masked(self.masked)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.progress.as_ref().map_or(Phase::Connecting, |progress| progress.phase)
    }

    pub(crate) fn layout(&self) -> Option<Layout> {
        let width = usize::from(self.size.0).saturating_sub(2).max(1);
        let complaint = self.browse.complaint.as_ref().filter(|_| self.typing.is_some());
        if let Some(complaint) = complaint {
            let lines = 1 + crate::safe_text::SafeText::of(complaint, self.setup.ascii).wrap(width).len();
            return layout::layout(self.size, u16::try_from(lines).unwrap_or(u16::MAX), self.notice());
        }
        let lines = self.said_below().map_or(1, |(level, text)| {
            let width = usize::from(self.size.0).saturating_sub(messages::beside(level)).max(1);
            crate::safe_text::SafeText::of(&text, self.setup.ascii).wrap(width).len()
        });
        layout::layout(self.size, u16::try_from(lines).unwrap_or(u16::MAX), self.notice())
    }

    /// Whether it must be said at the top that the attribute proves nothing.
    pub(crate) fn notice(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| !progress.writable_by.is_empty())
    }

    /// The columns of the list.
    pub(crate) fn widths(&self) -> Widths {
        let (width, words) = self.layout().map_or((0, false), |it| (usize::from(it.list.width), it.beside));
        self.browse.columns.widths(&self.names, width, words)
    }

    /// Lines of the list.
    pub(crate) fn page(&self) -> usize {
        self.layout().map_or(1, |layout| usize::from(layout.list.height))
    }

    /// Lines of a page that takes the place of the list.
    pub(crate) fn page_lines(&self) -> usize {
        self.layout().map_or(1, |layout| usize::from(layout.body.height).saturating_sub(2).max(1))
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

    /// The entry that is open, or the one under the cursor.
    pub fn shown(&self) -> Option<&Entry> {
        self.entry()
    }

    /// The entry a key would act on.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.opened.as_ref().map(|opened| &opened.entry).or_else(|| self.list.entry())
    }

    /// The explanation of the entry that is shown, once it has come.
    pub(crate) fn explanation(&self) -> Option<&Explanation> {
        if let Some(found) = self.found() {
            return Some(&found.explanation);
        }
        let (of, explanation) = self.explained.as_ref()?;
        let entry = self.entry()?;
        (Some(of) == self.subject() || crate::list::holds(entry, of)).then_some(explanation)
    }

    /// Whether the overview is the page that is shown, be it under a dialog.
    pub(crate) fn is_overview(&self) -> bool {
        self.overview.open && self.opened.is_none()
    }

    /// What was looked up by itself, if that is what is open.
    pub(crate) fn found(&self) -> Option<&Found> {
        self.opened.as_ref()?.found.as_ref().map(|(_, found)| &**found)
    }

    /// The pairs that could be made of the entry that is open.
    pub(crate) fn candidates(&self) -> Option<&[Pairing]> {
        self.found().map(|found| &found.candidates[..]).or(self.beside.candidates.as_deref())
    }

    /// Where the next key goes.
    pub(crate) fn place(&self) -> Place {
        let repairing = repairs::place(&self.repairing);
        match (repairing, &self.leaving) {
            _ if self.is_help_on_top() => Place::Help,
            (_, Some(_)) => Place::Leaving,
            _ if self.over.is_some() => self.over.as_ref().map_or(Place::Browse, Over::place),
            (Some(place), _) => place,
            _ if self.evidence.is_some() => Place::Evidence,
            _ if self.ticket.typing.is_some() => Place::Ticket,
            _ if self.ticket.asked.is_some() => Place::Waiting,
            _ if history::typing(self).is_some() => Place::HistoryFilter,
            _ if !self.history.is_empty() => Place::History,
            _ if self.browse.choosing.is_some() => Place::Columns,
            _ if self.typing.is_some() => Place::Filter,
            _ if self.opened.is_some() => Place::Entry,
            _ if self.overview.open => Place::Overview,
            _ => Place::Browse,
        }
    }

    /// Whether what is shown is an earlier scan that was not made by this program.
    pub(crate) fn is_from_disk(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| progress.from_disk)
    }
}
