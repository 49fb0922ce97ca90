//! The table itself: which command is on which keys, what it is called, where it works, and where the bottom line names it.

use super::Command::{self, *};
use super::Line;
use super::Place::{
    self, Browse, Entry, Evidence, Filter, Folder, Form, Help, Leaving, Overview, Preview, Question, Result as Seen,
    Running, Ticket, Waiting,
};
use super::Section::{Always, Look, Move, Program, Repair as Writes};

/// What fills the screen and is worked in, rather than answered.
const SCREENS: &[Place] = &[Browse, Entry, Overview];
/// From where the list is one key away.
const LISTS: &[Place] = &[Browse, Overview];
/// What is scrolled by pages.
const PAGES: &[Place] = &[
    Browse,
    Entry,
    Help,
    Place::Choose,
    Preview,
    Seen,
    Place::History,
    Place::Palette,
    Place::Contexts,
    Place::Messages,
    Place::Log,
    Overview,
    Evidence,
];
/// What has lines to go up and down.
const LINES: &[Place] = &[
    Browse,
    Entry,
    Filter,
    Help,
    Place::Choose,
    Preview,
    Seen,
    Place::History,
    Place::HistoryFilter,
    Place::Columns,
    Place::Palette,
    Place::Contexts,
    Place::Messages,
    Place::Log,
    Place::Export,
    Folder,
    Overview,
    Evidence,
];
const EVERYWHERE: &[Place] = Place::ALL;
/// Where nothing is typed.
const WORKING: &[Place] = &[
    Browse,
    Entry,
    Help,
    Place::Choose,
    Preview,
    Place::Columns,
    Question,
    Waiting,
    Running,
    Seen,
    Place::History,
    Leaving,
    Place::Contexts,
    Place::Messages,
    Place::Log,
    Place::Export,
    Overview,
    Evidence,
];

macro_rules! table {
    ($($command:expr, $name:literal, [$($key:literal),*], $words:literal, $section:ident, $places:expr, $hints:expr;)*) => {
        /// The table, in the order of the help page.
        pub(crate) const TABLE: &[Line] = &[$(Line {
            command: $command, name: $name, keys: &[$($key),*], words: $words, section: $section, places: $places,
            hints: $hints,
        }),*];
    };
}

// Command, name, keys, words, section, where it works, where the bottom line names it.
table! {
    Up, "up", ["up", "k"], "up", Move, LINES, &[];
    Down, "down", ["down", "j"], "down", Move, LINES, &[Entry, Filter, Help, Place::HistoryFilter, Place::Palette, Place::Contexts, Place::Messages, Place::Log, Place::Export];
    PageUp, "page-up", ["pageup", "ctrl-b"], "a page up", Move, PAGES, &[];
    PageDown, "page-down", ["pagedown", "ctrl-f"], "a page down", Move, PAGES, &[];
    Top, "top", ["home", "g"], "to the first", Move, PAGES, &[];
    Bottom, "bottom", ["end", "shift-g"], "to the last", Move, PAGES, &[];
    NextGroup, "next-group", ["tab", "right", "l"], "next group", Move, LISTS, &[];
    PreviousGroup, "previous-group", ["shift-tab", "left", "h"], "previous group", Move, LISTS, &[];
    Group(0), "show-all", ["1"], "all", Move, LISTS, &[];
    Group(1), "show-unlinked", ["2"], "unlinked", Move, LISTS, &[];
    Group(2), "show-duplicate", ["3"], "duplicate", Move, LISTS, &[];
    Group(3), "show-conflict", ["4"], "conflict", Move, LISTS, &[];
    Group(4), "show-orphan", ["5"], "orphan", Move, LISTS, &[];
    Group(5), "show-expected", ["6"], "expected", Move, LISTS, &[];
    Group(6), "show-linked", ["7"], "linked", Move, LISTS, &[];
    Group(7), "show-unsettled", ["8"], "unsettled", Move, LISTS, &[];
    Repair, "repair", ["r"], "repair", Writes, &[Browse, Entry], &[Browse, Entry];
    Open, "open", ["enter"], "open", Look, &[Browse], &[Browse];
    Mark, "mark", ["space"], "mark", Look, &[Browse], &[Browse];
    Open, "open", ["enter"], "show them", Look, &[Overview], &[Overview];
    Command::Overview, "overview", ["shift-o"], "overview", Look, SCREENS, &[];
    Command::Ticket, "look-up", ["o"], "look somebody up", Look, SCREENS, &[Overview];
    Copy, "copy", ["y"], "copy the id", Look, &[Browse, Entry], &[];
    Command::Evidence, "copy-evidence", ["shift-y"], "copy as evidence", Look, &[Browse, Entry], &[Entry];
    Mask, "mask", ["m"], "hide personal data", Look, &[Browse, Entry, Overview, Help, Question, Preview, Running, Seen, Evidence, Place::Choose, Place::History, Place::Messages], &[];
    Command::Filter, "filter", ["/"], "filter", Look, LISTS, &[Browse];
    Command::Filter, "filter", ["/"], "filter", Look, &[Place::History], &[Place::History];
    Accept, "accept", ["enter"], "look", Always, &[Ticket], &[Ticket];
    Accept, "accept", ["enter"], "copy", Always, &[Evidence], &[Evidence];
    Switch, "switch", ["tab", "left", "right", "shift-tab", "h", "l"], "with or without personal data", Always, &[Evidence], &[Evidence];
    Sort, "sort", ["s"], "sort", Look, &[Browse], &[];
    Reverse, "reverse", ["shift-s"], "the other way round", Look, &[Browse], &[];
    Command::Columns, "columns", ["c"], "columns", Look, &[Browse], &[];
    Follow, "follow", ["f"], "follow the pointer", Look, &[Browse, Entry], &[];
    Counterpart, "counterpart", ["shift-j"], "what it has to do with", Look, &[Browse, Entry], &[];
    Return, "return", ["backspace"], "back where I came from", Look, &[Browse, Entry], &[];
    Mouse, "mouse", ["f2"], "mouse on or off", Look, SCREENS, &[];
    Toggle, "toggle", ["space"], "show or leave out", Look, &[Place::Columns], &[Place::Columns];
    Narrower, "narrower", ["left", "h"], "narrower", Look, &[Place::Columns], &[Place::Columns];
    Wider, "wider", ["right", "l"], "wider", Look, &[Place::Columns], &[Place::Columns];
    DefaultColumns, "default-columns", ["backspace"], "as it was", Look, &[Place::Columns], &[Place::Columns];
    Accept, "accept", ["enter"], "close", Always, &[Place::Columns], &[Place::Columns];
    Accept, "accept", ["enter"], "keep the filter", Always, &[Filter, Place::HistoryFilter], &[Filter, Place::HistoryFilter];
    MarkRange, "mark-range", ["shift-v"], "mark a range", Look, &[Browse], &[];
    MarkAll, "mark-all", ["shift-a"], "mark all of the filter", Look, &[Browse], &[];
    InvertMarks, "invert-marks", ["shift-i"], "invert the marks", Look, &[Browse], &[];
    Unmark, "unmark-all", ["shift-u"], "unmark all", Look, &[Browse], &[];
    Undo, "undo", ["u"], "undo the last run", Writes, SCREENS, &[];
    Command::History, "history", ["shift-h"], "history", Look, SCREENS, &[];
    Dismiss, "dismiss", ["d"], "dismiss, or take up", Writes, &[Browse, Entry], &[];
    Contain, "contain", ["shift-x"], "contain a user", Writes, &[Browse, Entry], &[];
    Scan, "scan", ["shift-r"], "scan again", Program, SCREENS, &[Overview];
    Mark, "mark", ["space"], "choose", Look, &[Place::Choose], &[Place::Choose];
    Accept, "accept", ["enter"], "go on with it", Always, &[Place::Choose], &[Place::Choose];
    Stop, "stop", ["s"], "leave it out", Program, &[Place::Choose], &[Place::Choose];
    SkipTheRest, "skip-the-rest", ["shift-s"], "and all others", Program, &[Place::Choose], &[Place::Choose];
    Accept, "accept", ["enter"], "go on", Always, &[Preview], &[Preview];
    SignOut, "sign-out", ["o"], "sign out, too", Writes, &[Preview], &[Preview];
    SignOut, "sign-out", ["o"], "sign out", Writes, &[Seen], &[Seen];
    Command::Choose, "choose", ["c"], "choose otherwise", Look, &[Preview], &[Preview];
    Stop, "stop", ["s"], "stop after this step", Program, &[Running], &[Running];
    Again, "again", ["a"], "what was not done, again", Writes, &[Seen], &[Seen];
    Undo, "undo", ["u"], "undo", Writes, &[Seen, Place::History], &[Seen, Place::History];
    Accept, "accept", ["enter"], "its steps", Always, &[Place::History], &[Place::History];
    Yes, "yes", ["y"], "yes", Always, &[Question], &[Question];
    Yes, "yes", ["y"], "export", Always, &[Place::Export], &[Place::Export];
    Yes, "yes", ["y"], "leave", Always, &[Leaving], &[Leaving];
    Next, "next", ["tab", "down"], "next", Always, &[Form, Question], &[Form, Question];
    Previous, "previous", ["shift-tab", "up"], "before", Always, &[Form, Question], &[];
    Switch, "switch", ["left", "right", "h", "l", "space"], "choose", Always, &[Question], &[Question];
    Switch, "switch", ["tab", "left", "right", "shift-tab", "h", "l"], "choose", Always, &[Leaving, Place::Export], &[Leaving, Place::Export];
    Switch, "switch", ["tab"], "next", Always, &[Folder], &[Folder];
    Accept, "accept", ["enter"], "go on", Always, &[Form], &[Form];
    Accept, "accept", ["enter"], "take it", Always, &[Question, Leaving, Place::Export], &[Question, Leaving, Place::Export];
    Accept, "accept", ["enter"], "done", Always, &[Folder], &[Folder];
    Accept, "accept", ["enter"], "run it", Always, &[Place::Palette], &[Place::Palette];
    Accept, "accept", ["enter"], "turn to it", Always, &[Place::Contexts], &[Place::Contexts];
    Accept, "accept", ["enter"], "close", Always, &[Seen], &[Seen];
    Back, "back", ["n"], "cancel", Always, &[Question, Leaving, Place::Export], &[];
    Back, "back", ["esc"], "back", Always, &[Browse, Entry, Help, Place::History, Place::Messages, Place::Log], &[Entry, Help, Place::History, Place::Messages, Place::Log];
    Back, "back", ["esc"], "to the list", Always, &[Overview], &[Overview];
    Back, "back", ["esc"], "cancel", Always, &[Ticket, Evidence], &[Ticket, Evidence];
    Back, "back", ["esc"], "clear the filter", Always, &[Filter, Place::HistoryFilter], &[Filter, Place::HistoryFilter];
    Back, "back", ["esc"], "cancel", Always, &[Place::Choose, Form, Preview, Question, Leaving, Place::Export, Folder],
        &[Place::Choose, Form, Preview, Question, Leaving, Place::Export, Folder];
    Back, "back", ["esc"], "go on without waiting", Always, &[Waiting, Running], &[Waiting, Running];
    Back, "back", ["esc"], "close", Always, &[Seen, Place::Columns], &[];
    Back, "back", ["esc"], "close", Always, &[Place::Palette, Place::Contexts], &[Place::Palette, Place::Contexts];
    Palette, "palette", [":", "ctrl-p"], "commands", Program, WORKING, &[];
    Contexts, "contexts", ["shift-c"], "contexts", Program, SCREENS, &[];
    Theme, "theme", ["shift-t"], "theme", Look, &[Browse, Entry, Help, Overview], &[];
    Export, "export", ["shift-e"], "export", Look, &[Browse], &[];
    Messages, "messages", ["shift-m"], "messages", Program, &[Browse, Entry, Overview, Place::Messages], &[];
    Log, "log", ["shift-l"], "log", Program, &[Browse, Entry, Overview, Place::Log], &[];
    Command::Help, "help", ["?", "f1"], "all keys", Program, EVERYWHERE, &[Browse, Entry, Overview];
    Quit, "quit", ["q"], "quit", Program, &[Browse, Entry, Help, Waiting, Running, Place::History, Place::Messages, Place::Log, Overview], &[Browse, Entry, Waiting, Overview];
    Quit, "quit", ["ctrl-c"], "quit", Always, EVERYWHERE, &[];
    Suspend, "suspend", ["ctrl-z"], "suspend", Always, EVERYWHERE, &[];
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::keys::Keys;
    use crate::keys::key::Key;

    #[test]
    fn every_key_of_the_table_has_a_name_that_is_understood_and_is_its_own() {
        for line in TABLE {
            for name in line.keys {
                let key: Option<Key> = name.parse().ok();
                assert_eq!(key.map(|key| key.to_string()).as_deref(), Some(*name), "{line:?}");
            }
        }
    }

    #[test]
    fn a_name_is_one_command_and_a_command_has_one_name() {
        for line in TABLE {
            for other in TABLE {
                assert_eq!(line.name == other.name, line.command == other.command, "{line:?} {other:?}");
            }
            let plain = line.name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(plain && !line.places.is_empty(), "{line:?}");
        }
    }

    #[test]
    fn no_key_means_two_things_at_one_place() {
        let keys = Keys::default();
        for place in Place::ALL {
            let mut seen = Vec::new();
            for binding in keys.at(*place) {
                for key in &binding.keys {
                    assert!(!seen.contains(key), "{key} at {place:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn what_is_hinted_at_works_there() {
        for place in Place::ALL {
            let keys = Keys::default();
            assert!((1..=6).contains(&keys.hints(*place).count()), "{place:?}");
            for binding in keys.hints(*place) {
                assert!(binding.line.places.contains(place), "{binding:?}");
            }
        }
    }

    #[test]
    fn help_is_a_key_away_everywhere_and_the_palette_where_nothing_is_typed() {
        let keys = Keys::default();
        for place in Place::ALL {
            assert!(keys.key_at(*place, Command::Help).is_some(), "{place:?}");
            assert_eq!(keys.key_at(*place, Palette).is_some(), !place.is_typing(), "{place:?}");
        }
    }

    #[test]
    fn escape_never_quits_and_always_does_something() {
        for place in Place::ALL {
            let escape = Keys::default().command(*place, KeyEvent::from(KeyCode::Esc));
            assert_eq!(escape, Some(Back), "{place:?}");
        }
    }

    #[test]
    fn nothing_that_leads_to_a_write_is_on_a_key_that_a_hand_slips_onto() {
        for line in TABLE.iter().filter(|line| line.section == Writes) {
            let keys: Vec<String> = line.keys.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(Keys::with([(line.name, keys.as_slice())]).err(), None);
        }
    }

    #[test]
    fn shift_and_unknown_modifiers() {
        let press = |code, modifiers| Keys::default().command(Browse, KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('g'), KeyModifiers::SHIFT), Some(Bottom));
        assert_eq!(press(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Bottom));
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::NONE), Some(Repair));
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::ALT), None);
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::CONTROL), None);
        assert_eq!(press(KeyCode::Char('d'), KeyModifiers::CONTROL), None);
        assert_eq!(press(KeyCode::Tab, KeyModifiers::SHIFT), Some(PreviousGroup));
        assert_eq!(press(KeyCode::Char('C'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), Some(Quit));
    }
}
