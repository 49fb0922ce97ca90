//! What can happen to the dashboard: keys, and news from the runtime.
//!
//! Data only. An event never carries a handle to something that could be waited for.

use ratatui::crossterm::event::KeyEvent;
use userlink_domain::{Flag, Group, RecordRef, Situation, Timestamp};
use userlink_find::Order;
use userlink_link::{Entry, Explanation};

use crate::beside::Part;
use crate::browse::Pointer;
use crate::contexts::JournalPlace;
use crate::history::{HistoryOf, Recorded};
use crate::overview;
use crate::plan::{Answer, Outcome, PlanLine, PlanRef, Running};
use crate::ticket::Found;

/// One thing that happened.
#[derive(Clone)]
pub enum Event {
    /// A key went down. Releases are ignored.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(Pointer),
    /// Text was pasted. It goes into the filter, or into a line that is filled in: a paste never confirms anything.
    Paste(String),
    /// The terminal has so many columns and lines now.
    Resize(u16, u16),
    /// Time passed.
    Tick,
    /// How far the scan is.
    Progress(Progress),
    /// How many entries there are, by situation and by flag. Also says that the data changed.
    Counts(Counts),
    /// Entries changed: the window is asked for again.
    Changed,
    /// The answer to [`Effect::Window`](crate::Effect::Window).
    Window(Window),
    /// The answer to [`Effect::Explain`](crate::Effect::Explain).
    Explained {
        /// The record that was asked about.
        of: RecordRef,
        /// Why its entry is what it is.
        explanation: Explanation,
    },
    /// The answer to [`Effect::Entry`](crate::Effect::Entry).
    Entry {
        /// The record that was asked about.
        of: RecordRef,
        /// Its entry; none where it is gone.
        entry: Option<Box<Entry>>,
    },
    /// The answer to [`Effect::Locate`](crate::Effect::Locate).
    Located {
        /// The record that was asked about.
        of: RecordRef,
        /// The record as it is known; none where it has not been read, or is gone.
        found: Option<RecordRef>,
    },
    /// So many entries are marked.
    Marked(u64),
    /// The answer to [`Effect::Plan`](crate::Effect::Plan).
    Planned {
        /// That of the request.
        number: u64,
        /// The plan at a glance, or what it lacks.
        answer: Answer,
    },
    /// The answer to [`Effect::PlanLines`](crate::Effect::PlanLines).
    PlanLines {
        /// Of which plan.
        plan: PlanRef,
        /// The place of the first line.
        first: usize,
        /// In their order.
        lines: Vec<PlanLine>,
    },
    /// How far the run is.
    Running(Running),
    /// The answer to [`Effect::Apply`](crate::Effect::Apply).
    Applied(Result<Outcome, String>),
    /// The answer to [`Effect::History`](crate::Effect::History).
    History {
        /// Whose.
        of: HistoryOf,
        /// What the journal has, or why it cannot be read.
        answer: Result<Recorded, String>,
    },
    /// News for the overview.
    Overview(overview::News),
    /// The answer to [`Effect::LookUp`](crate::Effect::LookUp).
    LookedUp {
        /// What was looked up.
        asked: String,
        /// What was found, or why nothing was.
        answer: Result<Box<Found>, String>,
    },
    /// A part of the answer to [`Effect::LookBeside`](crate::Effect::LookBeside).
    Beside {
        /// The record that was asked about.
        of: RecordRef,
        /// What was found out.
        part: Part,
    },
    /// The program's own log, oldest first.
    Log(Vec<String>),
    /// How far an export has come, in entries.
    Exporting {
        /// Written.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// How an export ended: where the file is and how many entries are in it, or why there is none.
    Exported(Result<(String, u64), String>),
    /// Where the journal lies.
    Journal(JournalPlace),
    /// Another context could not be opened.
    NotTurned(String),
    /// Something to tell the person. An error stays until it is dismissed.
    Message {
        /// How much it matters.
        level: Level,
        /// In sentences.
        text: String,
    },
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Goes away by itself.
    Info,
    /// Stays until Esc.
    Error,
}

/// Where the scan stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was read yet.
    #[default]
    Connecting,
    /// Under way.
    Reading,
    /// It waits for credentials, and goes on where it is once there are any.
    Paused,
    /// Both sides were read to their end.
    Complete,
    /// It stopped; what was read is kept.
    Failed,
}

/// How far the scan is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Where it stands.
    pub phase: Phase,
    /// Users read.
    pub users: u64,
    /// About how many there are, where the pool said so.
    pub users_about: Option<u64>,
    /// Rows read.
    pub rows: u64,
    /// About how many there are, where the database said so.
    pub rows_about: Option<u64>,
    /// Whether the pool is read to its end.
    pub users_done: bool,
    /// Whether the table is read to its end.
    pub rows_done: bool,
    /// Requests to the pool.
    pub requests_per_second: f64,
    /// Whether the pool is turning requests away.
    pub throttled: bool,
    /// Seconds.
    pub seconds_left: Option<u64>,
    /// When the scan was complete.
    pub finished_at: Option<Timestamp>,
    /// What is shown is an earlier scan, complete at this moment, until this one is.
    pub shown_from: Option<Timestamp>,
    /// That earlier scan was not made by this program: nothing is repaired by what it says.
    pub from_disk: bool,
    /// Rows whose sub is neither blank nor a UUID, and so counts as none.
    pub malformed_subs: u64,
    /// App clients that let their users write the attribute that names the row.
    pub writable_by: Vec<String>,
}

/// How many entries there are. A situation or flag that is not named has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Each situation at most once.
    pub situations: Vec<(Situation, u64)>,
    /// Each flag at most once.
    pub flags: Vec<(Flag, u64)>,
}

impl Counts {
    /// Entries of a group, or all.
    pub fn of(&self, group: Option<Group>) -> u64 {
        let counted = self.situations.iter().filter(|(situation, _)| group.is_none_or(|it| it == situation.group()));
        counted.fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }

    /// Entries of a situation.
    pub(crate) fn of_situation(&self, situation: Situation) -> u64 {
        self.situations.iter().filter(|(it, _)| *it == situation).map(|(_, count)| count).sum()
    }

    /// Entries with a flag.
    pub fn with(&self, flag: Flag) -> u64 {
        let counted = self.flags.iter().filter(|(it, _)| *it == flag);
        counted.fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }
}

/// Which entries a person wants to see.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ViewSpec {
    /// `None` is all.
    pub group: Option<Group>,
    /// What was typed, as it was typed, and understood; blank is no filter.
    pub filter: String,
    /// In which order.
    pub order: Order,
}

/// What a person searches for is often a name: it stays out of logs.
impl std::fmt::Debug for ViewSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let group = self.group.map_or("all", Group::name);
        write!(f, "ViewSpec({group}, filter of {} characters)", self.filter.chars().count())
    }
}

/// A part of a view.
#[derive(Clone, Debug)]
pub struct Window {
    /// That of the effect that asked for it; an answer to an older one is dropped.
    pub generation: u64,
    /// The view that it is a part of.
    pub spec: ViewSpec,
    /// Entries in this view.
    pub total: usize,
    /// The place of the first of `entries` in the view.
    pub first: usize,
    /// In the order of the view.
    pub entries: Vec<Entry>,
    /// Which of `entries` are marked, in their order.
    pub marked: Vec<bool>,
    /// Where the entry of the anchor record stands in the view now, if it is in it.
    pub anchor_at: Option<usize>,
    /// Grows whenever the data behind the view changed.
    pub revision: u64,
}
