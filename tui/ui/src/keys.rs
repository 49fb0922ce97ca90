//! The one table of keys: dispatch, the bottom line, the help page, the palette and `userlink keys` read it, so that
//! they cannot disagree.
//!
//! Ctrl-U, Ctrl-D and whatever else a hand slips onto do nothing. No key writes anything: a repair goes through a
//! question that stands on Cancel. The settings may give a command other keys by its name; names never change.

mod key;
mod keymap;
mod place;
#[cfg(test)]
mod readme;
mod table;

pub(crate) use key::shown;
pub(crate) use keymap::Binding;
pub use keymap::{KeyLine, Keys, KeysError};
pub(crate) use place::Place;
pub(crate) use table::TABLE;

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    NextGroup,
    PreviousGroup,
    /// The n-th tab.
    Group(usize),
    Filter,
    Open,
    Repair,
    Scan,
    Help,
    /// One step back. Never leaves the program.
    Back,
    Quit,
    Suspend,
    /// Marks the entry under the cursor, or chooses the candidate.
    Mark,
    /// Begins a range of marks, or ends it.
    MarkRange,
    MarkAll,
    InvertMarks,
    Unmark,
    /// Takes back what was written.
    Undo,
    History,
    Dismiss,
    Contain,
    /// What was not done, again.
    Again,
    SignOut,
    /// Other candidates.
    Choose,
    /// Begins no further step; leaves an entry out.
    Stop,
    SkipTheRest,
    Next,
    Previous,
    /// All commands, to be searched.
    Palette,
    Contexts,
    /// The next theme.
    Theme,
    /// All that was said.
    Messages,
    /// What the program itself logged.
    Log,
    /// What is shown, into a file.
    Export,
    /// The other choice of a question.
    Switch,
    /// What the question stands on; or "seen".
    Accept,
    Yes,
    Overview,
    /// Looks somebody up, without a scan.
    Ticket,
    Copy,
    Evidence,
    /// Personal data out of sight, or back.
    Mask,
    /// By the next column.
    Sort,
    Reverse,
    /// Choose columns.
    Columns,
    /// Show a column, or leave it out.
    Toggle,
    Narrower,
    Wider,
    DefaultColumns,
    /// To the record that has to do with it.
    Counterpart,
    /// To where it points.
    Follow,
    /// Back to where somebody came from.
    Return,
    /// The mouse on or off.
    Mouse,
}

/// What belongs together on the help page and in the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Move,
    Look,
    /// What leads to a write: never on a key that a hand slips onto.
    Repair,
    Program,
    /// The same for everybody: answers, the way back and the way out. The settings cannot change it.
    Always,
}

impl Section {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Repair => "Repair",
            Self::Program => "Program",
            Self::Always => "Always",
        }
    }
}

/// One line of the table. More than one may have the same name: the command at other places, in other words.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) command: Command,
    /// How the settings, the palette and `userlink keys` call it.
    pub(crate) name: &'static str,
    /// Its keys where the settings do not say otherwise, by the names that the settings use.
    pub(crate) keys: &'static [&'static str],
    pub(crate) words: &'static str,
    pub(crate) section: Section,
    pub(crate) places: &'static [Place],
    /// Where the bottom line names it.
    pub(crate) hints: &'static [Place],
}
