//! The one table of keys: dispatch, the bottom line and the help page read it, so that they cannot disagree.
//!
//! Ctrl-U, Ctrl-D and whatever else a hand slips onto do nothing. No key writes anything: a repair goes through a
//! question that stands on Cancel.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
    /// Marks the entry under the cursor, or picks what it stands on.
    Mark,
    /// Begins a range of marks, or ends it.
    MarkRange,
    MarkAll,
    InvertMarks,
    Unmark,
    /// Takes back what was written.
    Undo,
    History,
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
    /// The other choice of a question.
    Switch,
    /// What the question stands on; or "seen".
    Accept,
    Yes,
}

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The list.
    Browse,
    /// One entry, field by field.
    Entry,
    /// The line where a filter is typed.
    Filter,
    Help,
    /// Who gets which row.
    Choose,
    /// A line that is filled in.
    Form,
    /// A plan that is looked at.
    Preview,
    /// The question before a write.
    Question,
    /// Something under way that may be left alone.
    Waiting,
    /// A run that is under way.
    Running,
    /// What came of a repair.
    Result,
    /// What was done, by whom.
    History,
    /// The question before leaving while a write is under way.
    Leaving,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) command: Command,
    pub(crate) keys: &'static [(KeyCode, bool)],
    /// How the keys are written.
    pub(crate) shown: &'static str,
    pub(crate) words: &'static str,
    pub(crate) places: &'static [Place],
    /// Where the bottom line names it.
    pub(crate) hints: &'static [Place],
}

const fn key(c: char) -> (KeyCode, bool) {
    (KeyCode::Char(c), false)
}

const fn ctrl(c: char) -> (KeyCode, bool) {
    (KeyCode::Char(c), true)
}

const fn code(code: KeyCode) -> (KeyCode, bool) {
    (code, false)
}

use Place::{
    Browse, Choose, Entry, Filter, Form, Help, History, Leaving, Preview, Question, Result as Seen, Running, Waiting,
};

const PAGES: &[Place] = &[Browse, Entry, Help, Choose, Preview, Seen, History];
const EVERYWHERE: &[Place] =
    &[Browse, Entry, Filter, Help, Choose, Form, Preview, Question, Waiting, Running, Seen, History, Leaving];

macro_rules! table {
    ($($command:expr, [$($key:expr),*], $shown:literal, $words:literal, $places:expr, $hints:expr;)*) => {
        /// The table, in the order of the help page.
        pub(crate) const TABLE: &[Binding] = &[$(Binding {
            command: $command, keys: &[$($key),*], shown: $shown, words: $words, places: $places, hints: $hints,
        }),*];
    };
}

table! {
    Command::Up, [code(KeyCode::Up), key('k')], "↑ k", "up", PAGES, &[];
    Command::Down, [code(KeyCode::Down), key('j')], "↓ j", "down", PAGES, &[Entry, Help];
    Command::PageUp, [code(KeyCode::PageUp), ctrl('b')], "PgUp ^B", "a page up", PAGES, &[];
    Command::PageDown, [code(KeyCode::PageDown), ctrl('f')], "PgDn ^F", "a page down", PAGES, &[];
    Command::Top, [code(KeyCode::Home), key('g')], "Home g", "to the first", PAGES, &[];
    Command::Bottom, [code(KeyCode::End), key('G')], "End G", "to the last", PAGES, &[];
    Command::Up, [code(KeyCode::Up)], "↑", "up", &[Filter], &[];
    Command::Down, [code(KeyCode::Down)], "↓", "down", &[Filter], &[Filter];
    Command::NextGroup, [code(KeyCode::Tab), code(KeyCode::Right), key('l')], "Tab → l", "next group", &[Browse], &[];
    Command::PreviousGroup, [code(KeyCode::BackTab), code(KeyCode::Left), key('h')], "Shift-Tab ← h", "previous group", &[Browse], &[];
    Command::Group(0), [key('1')], "1", "all", &[Browse], &[];
    Command::Group(1), [key('2')], "2", "unlinked", &[Browse], &[];
    Command::Group(2), [key('3')], "3", "duplicate", &[Browse], &[];
    Command::Group(3), [key('4')], "4", "conflict", &[Browse], &[];
    Command::Group(4), [key('5')], "5", "orphan", &[Browse], &[];
    Command::Group(5), [key('6')], "6", "expected", &[Browse], &[];
    Command::Group(6), [key('7')], "7", "linked", &[Browse], &[];
    Command::Group(7), [key('8')], "8", "reading", &[Browse], &[];
    Command::Repair, [key('r')], "r", "repair", &[Browse, Entry], &[Browse, Entry];
    Command::Open, [code(KeyCode::Enter)], "Enter", "open", &[Browse], &[Browse];
    Command::Mark, [key(' ')], "Space", "mark", &[Browse], &[Browse];
    Command::Filter, [key('/')], "/", "filter", &[Browse], &[Browse];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "keep the filter", &[Filter], &[Filter];
    Command::Scan, [key('R')], "R", "scan again", &[Browse, Entry], &[];
    Command::MarkRange, [key('V')], "V", "mark a range", &[Browse], &[];
    Command::MarkAll, [key('A')], "A", "mark all of the filter", &[Browse], &[];
    Command::InvertMarks, [key('I')], "I", "invert the marks", &[Browse], &[];
    Command::Unmark, [key('U')], "U", "unmark all", &[Browse], &[];
    Command::Undo, [key('u')], "u", "undo the last run", &[Browse, Entry], &[];
    Command::History, [key('H')], "H", "history", &[Browse, Entry], &[];
    Command::Contain, [key('X')], "X", "contain a user", &[Browse, Entry], &[];
    Command::Mark, [key(' ')], "Space", "choose", &[Choose], &[Choose];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "go on with it", &[Choose], &[Choose];
    Command::Stop, [key('s')], "s", "leave it out", &[Choose], &[Choose];
    Command::SkipTheRest, [key('S')], "S", "and all others", &[Choose], &[];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "go on", &[Preview], &[Preview];
    Command::SignOut, [key('o')], "o", "sign out, too", &[Preview], &[Preview];
    Command::SignOut, [key('o')], "o", "sign out", &[Seen], &[Seen];
    Command::Choose, [key('c')], "c", "choose otherwise", &[Preview], &[Preview];
    Command::Stop, [key('s')], "s", "stop after this step", &[Running], &[Running];
    Command::Again, [key('a')], "a", "what was not done, again", &[Seen], &[Seen];
    Command::Undo, [key('u')], "u", "undo", &[Seen, History], &[Seen, History];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "its steps", &[History], &[History];
    Command::Yes, [key('y')], "y", "yes", &[Question], &[Question];
    Command::Yes, [key('y')], "y", "leave", &[Leaving], &[Leaving];
    Command::Next, [code(KeyCode::Tab), code(KeyCode::Down)], "Tab", "next", &[Form, Question], &[Form, Question];
    Command::Previous, [code(KeyCode::BackTab), code(KeyCode::Up)], "Shift-Tab", "before", &[Form, Question], &[];
    Command::Switch, [code(KeyCode::Left), code(KeyCode::Right), key('h'), key('l'), key(' ')],
        "← →", "choose", &[Question], &[Question];
    Command::Switch, [code(KeyCode::Tab), code(KeyCode::BackTab), code(KeyCode::Left), code(KeyCode::Right), key('h'), key('l')],
        "Tab ← →", "choose", &[Leaving], &[Leaving];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "go on", &[Form], &[Form];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "take it", &[Question, Leaving], &[Question, Leaving];
    Command::Accept, [code(KeyCode::Enter)], "Enter", "close", &[Seen], &[Seen];
    Command::Back, [key('n')], "n", "cancel", &[Question, Leaving], &[];
    Command::Back, [code(KeyCode::Esc)], "Esc", "back", &[Browse, Entry, Help, History], &[Entry, Help, History];
    Command::Back, [code(KeyCode::Esc)], "Esc", "clear the filter", &[Filter], &[Filter];
    Command::Back, [code(KeyCode::Esc)], "Esc", "cancel", &[Choose, Form, Preview, Question, Leaving], &[Choose, Form, Preview, Question, Leaving];
    Command::Back, [code(KeyCode::Esc)], "Esc", "go on without waiting", &[Waiting, Running], &[Waiting, Running];
    Command::Back, [code(KeyCode::Esc)], "Esc", "close", &[Seen], &[];
    Command::Help, [key('?'), code(KeyCode::F(1))], "?", "all keys", &[Browse, Entry], &[Browse, Entry];
    Command::Back, [key('?'), code(KeyCode::F(1))], "?", "close", &[Help], &[];
    Command::Quit, [key('q')], "q", "quit", &[Browse, Entry, Help, Waiting, Running, History], &[Browse, Entry, Waiting];
    Command::Quit, [ctrl('c')], "^C", "quit", EVERYWHERE, &[];
    Command::Suspend, [ctrl('z')], "^Z", "suspend", EVERYWHERE, &[];
}

/// What a key means at a place, if anything.
pub(crate) fn command(place: Place, event: KeyEvent) -> Option<Command> {
    let mut held = event.modifiers - KeyModifiers::SHIFT;
    let mut code = event.code;
    if let (KeyCode::Char(c), true) = (code, event.modifiers.contains(KeyModifiers::SHIFT)) {
        code = KeyCode::Char(if held.is_empty() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    }
    if code == KeyCode::Tab && event.modifiers.contains(KeyModifiers::SHIFT) {
        code = KeyCode::BackTab;
    }
    let control = held.contains(KeyModifiers::CONTROL);
    held -= KeyModifiers::CONTROL;
    if !held.is_empty() {
        return None;
    }
    let here = TABLE.iter().filter(|binding| binding.places.contains(&place));
    here.into_iter().find(|binding| binding.keys.contains(&(code, control))).map(|binding| binding.command)
}

/// The lines that the bottom line may name at a place, in the order of the table.
pub(crate) fn hints(place: Place) -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().filter(move |binding| binding.hints.contains(&place))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: &[Place] = EVERYWHERE;

    #[test]
    fn no_key_means_two_things_at_one_place() {
        for place in PLACES {
            let mut seen = Vec::new();
            for binding in TABLE.iter().filter(|binding| binding.places.contains(place)) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{key:?} at {place:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn what_is_hinted_at_works_there() {
        for place in PLACES {
            assert!((1..=6).contains(&hints(*place).count()), "{place:?}");
            for binding in hints(*place) {
                assert!(binding.places.contains(place), "{binding:?}");
            }
        }
    }

    #[test]
    fn escape_never_quits_and_always_does_something() {
        for place in PLACES {
            let escape = command(*place, KeyEvent::from(KeyCode::Esc));
            assert_eq!(escape, Some(Command::Back), "{place:?}");
        }
    }

    #[test]
    fn shift_and_unknown_modifiers() {
        let press = |code, modifiers| command(Browse, KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('g'), KeyModifiers::SHIFT), Some(Command::Bottom));
        assert_eq!(press(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Command::Bottom));
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::NONE), Some(Command::Repair));
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::ALT), None);
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::CONTROL), None);
        assert_eq!(press(KeyCode::Char('d'), KeyModifiers::CONTROL), None);
        assert_eq!(press(KeyCode::Tab, KeyModifiers::SHIFT), Some(Command::PreviousGroup));
        assert_eq!(press(KeyCode::Char('C'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), Some(Command::Quit));
    }
}
