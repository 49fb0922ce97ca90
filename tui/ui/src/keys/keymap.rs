//! The keys as they are: the table, and what the settings say otherwise.

use ratatui::crossterm::event::KeyEvent;
use userlink_domain::nearest_name;

use super::key::Key;
use super::{Command, Line, Place, Section, TABLE};

/// Which key does what.
#[derive(Clone, Debug)]
pub struct Keys {
    bindings: Vec<Binding>,
}

/// One line of the table with its keys.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) line: &'static Line,
    pub(crate) keys: Vec<Key>,
}

/// What one key does at one place or more, in words, for a table of all keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The name of the command.
    pub command: &'static str,
    /// The names of its keys, as the settings take them.
    pub keys: Vec<String>,
    /// What it does.
    pub words: &'static str,
    /// The heading that it belongs under.
    pub section: &'static str,
    /// Where it does so.
    pub places: Vec<&'static str>,
    /// Whether the settings may give it other keys.
    pub can_be_changed: bool,
}

/// Why the settings' keys cannot be taken: which command's line of the settings is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysError {
    /// The command as it was written.
    pub command: String,
    /// What is wrong with it, and what can be done.
    pub text: String,
}

impl Default for Keys {
    fn default() -> Self {
        let keys = |line: &Line| line.keys.iter().filter_map(|name| name.parse().ok()).collect();
        Self { bindings: TABLE.iter().map(|line| Binding { line, keys: keys(line) }).collect() }
    }
}

impl Keys {
    /// The table with other keys for the commands that are named, each with all of its keys. No key is an answer,
    /// too: the command is then found in the palette alone.
    ///
    /// # Errors
    ///
    /// Where a command or key is not known, a key is kept for what always has it, a key would do two things at one
    /// place, or a slip of the hand could write.
    pub fn with<'a>(changes: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Result<Self, KeysError> {
        let mut this = Self::default();
        let mut changed = Vec::new();
        for (command, names) in changes {
            let wrong = |text: String| KeysError { command: command.to_owned(), text };
            check_command(command).map_err(wrong)?;
            let mut keys = Vec::new();
            for name in names {
                let key: Key = name.parse().map_err(|_| wrong(unknown_key(name)))?;
                check_key(command, key).map_err(wrong)?;
                keys.push(key);
            }
            for binding in this.bindings.iter_mut().filter(|it| it.line.is_called(command)) {
                binding.keys.clone_from(&keys);
            }
            changed.push(command);
        }
        for command in changed {
            let text = this.conflict(command);
            text.map_or(Ok(()), |text| Err(KeysError { command: command.to_owned(), text }))?;
        }
        Ok(this)
    }

    /// What else a key of this command would do at one of its places.
    fn conflict(&self, command: &str) -> Option<String> {
        for mine in self.bindings.iter().filter(|it| it.line.is_called(command)) {
            for other in self.bindings.iter().filter(|it| !it.line.is_called(command)) {
                let together = mine.line.places.iter().find(|place| other.line.places.contains(place));
                let key = mine.keys.iter().find(|key| other.keys.contains(key));
                if let (Some(place), Some(key)) = (together, key) {
                    let (other, at) = (other.line.name, place.name());
                    let way_out = format!("Give one of them another key, or none: {other} = [].");
                    return Some(format!(
                        "{key} does two things at one place ({at}): {command} and {other}. {way_out}"
                    ));
                }
            }
        }
        None
    }

    /// What a key means at a place, if anything. Where text is typed, letters are text.
    pub(crate) fn command(&self, place: Place, event: KeyEvent) -> Option<Command> {
        let key = Key::pressed(event)?;
        if place.is_typing() && key.is_text() {
            return None;
        }
        self.at(place).find(|binding| binding.keys.contains(&key)).map(|binding| binding.line.command)
    }

    /// All that can be pressed at a place, in the order of the table.
    pub(crate) fn at(&self, place: Place) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.line.places.contains(&place))
    }

    /// The lines that the bottom line may name at a place, in the order of the table.
    pub(crate) fn hints(&self, place: Place) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.line.hints.contains(&place) && !binding.keys.is_empty())
    }

    /// The key that does something, as it is written on the screen; where it has none, how else it is reached.
    pub(crate) fn key_of(&self, command: Command) -> String {
        let of = self.bindings.iter().filter(|binding| binding.line.command == command);
        let first = of.filter_map(|binding| binding.keys.first()).next();
        first.map_or_else(|| "the palette".to_owned(), |key| key.shown())
    }

    /// The key that does something at a place, where there is one: where text is typed a letter is none.
    pub(crate) fn key_at(&self, place: Place, command: Command) -> Option<String> {
        let of = self.at(place).filter(|binding| binding.line.command == command);
        of.flat_map(|binding| binding.keys_at(place)).next().map(Key::shown)
    }

    /// The whole table in words.
    pub fn lines(&self) -> Vec<KeyLine> {
        let line = |Binding { line, keys }: &Binding| KeyLine {
            command: line.name,
            keys: keys.iter().map(Key::to_string).collect(),
            words: line.words,
            section: line.section.title(),
            places: line.places.iter().map(|place| place.name()).collect(),
            can_be_changed: line.section != Section::Always,
        };
        self.bindings.iter().map(line).collect()
    }
}

impl Binding {
    /// Its first key, as the bottom line writes it.
    pub(crate) fn first(&self) -> String {
        self.keys.first().map(|key| key.shown()).unwrap_or_default()
    }

    /// All of its keys, as the palette writes them.
    pub(crate) fn shown(&self) -> String {
        shown(self.keys.iter().copied())
    }

    /// Those that do something at a place, as the help page writes them.
    pub(crate) fn shown_at(&self, place: Place) -> String {
        shown(self.keys_at(place))
    }

    fn keys_at(&self, place: Place) -> impl Iterator<Item = Key> {
        self.keys.iter().copied().filter(move |key| !(place.is_typing() && key.is_text()))
    }
}

fn shown(keys: impl Iterator<Item = Key>) -> String {
    keys.map(Key::shown).collect::<Vec<_>>().join(" ")
}

impl Line {
    /// Whether the settings mean this line by a name.
    fn is_called(&self, command: &str) -> bool {
        self.name == command && self.section != Section::Always
    }
}

fn check_command(command: &str) -> Result<(), String> {
    let changeable = || TABLE.iter().filter(|line| line.section != Section::Always).map(|line| line.name);
    if changeable().any(|name| name == command) {
        return Ok(());
    }
    if TABLE.iter().any(|line| line.name == command) {
        return Err("its keys are the same everywhere, and stay so.".to_owned());
    }
    Err(match nearest_name(command, changeable()) {
        Some(near) => format!("there is no such command. Did you mean {near}?"),
        None => "there is no such command. userlink keys names them all.".to_owned(),
    })
}

fn unknown_key(name: &str) -> String {
    let shown = crate::safe_text::safe_text(name);
    format!("\u{201C}{shown}\u{201D} is not a key. Keys are written r, R, ctrl-p, shift-tab, f5, space.")
}

/// Keys that always do the same.
const KEPT: &[&str] = &["esc", "ctrl-c", "ctrl-z"];
/// Keys on which a hand slips, or that answer the question which stands before a write.
const SLIPPERY: &[&str] = &["enter", "y", "space", "ctrl-d", "ctrl-k", "delete", "backspace"];

fn check_key(command: &str, key: Key) -> Result<(), String> {
    let is_one_of = |names: &[&str]| names.iter().any(|name| name.parse() == Ok(key));
    if is_one_of(KEPT) {
        return Err(format!("{key} always does the same, and cannot be given away."));
    }
    let writes = TABLE.iter().any(|line| line.name == command && line.section == Section::Repair);
    if writes && is_one_of(SLIPPERY) {
        let text =
            "is pressed by mistake too easily, or answers the question before a write: not for what leads to one.";
        return Err(format!("{key} {text}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;
    use crate::keys::Place::{Browse, Filter};

    fn with(changes: &[(&str, &[&str])]) -> Result<Keys, KeysError> {
        let owned: Vec<(&str, Vec<String>)> =
            changes.iter().map(|(name, keys)| (*name, keys.iter().map(|key| (*key).to_owned()).collect())).collect();
        Keys::with(owned.iter().map(|(name, keys)| (*name, keys.as_slice())))
    }

    fn press(keys: &Keys, place: Place, name: &str) -> Option<Command> {
        let event = match name {
            "f5" => KeyEvent::from(KeyCode::F(5)),
            "alt-x" => KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT),
            name => KeyEvent::from(KeyCode::Char(name.chars().next().unwrap())),
        };
        keys.command(place, event)
    }

    #[test]
    fn other_keys_take_the_place_of_all_that_were_there() {
        let keys = with(&[("scan", &["f5", "alt-x"])]).unwrap();
        assert_eq!(press(&keys, Browse, "f5"), Some(Command::Scan));
        assert_eq!(press(&keys, Browse, "alt-x"), Some(Command::Scan));
        assert_eq!(press(&keys, Browse, "R"), None);
        assert_eq!(keys.key_of(Command::Scan), "F5");
        let line = keys.lines().into_iter().find(|line| line.command == "scan").unwrap();
        assert_eq!(line.keys, ["f5", "alt-x"]);
    }

    #[test]
    fn two_commands_may_change_places_and_one_may_have_no_key() {
        let keys = with(&[("filter", &["r"]), ("repair", &["/"])]).unwrap();
        assert_eq!(press(&keys, Browse, "r"), Some(Command::Filter));
        assert_eq!(press(&keys, Browse, "/"), Some(Command::Repair));
        let keys = with(&[("repair", &[])]).unwrap();
        assert_eq!(press(&keys, Browse, "r"), None);
        assert_eq!(keys.key_of(Command::Repair), "the palette");
        assert!(keys.hints(Browse).all(|hint| hint.line.command != Command::Repair));
    }

    #[test]
    fn a_letter_is_text_where_text_is_typed_whatever_it_is_bound_to() {
        let keys = with(&[("down", &["x", "down"])]).unwrap();
        assert_eq!(press(&keys, Browse, "x"), Some(Command::Down));
        assert_eq!(press(&keys, Filter, "x"), None);
        assert_eq!(keys.command(Filter, KeyEvent::from(KeyCode::Down)), Some(Command::Down));
    }

    #[test]
    fn what_cannot_be_taken_says_why() {
        let wrong = |command: &str, keys: &[&str]| with(&[(command, keys)]).unwrap_err().text;
        assert_eq!(wrong("repare", &["r"]), "there is no such command. Did you mean repair?");
        assert!(wrong("xyzzyxyzzy", &["r"]).contains("userlink keys names them all"));
        assert!(wrong("yes", &["x"]).contains("stay so."));
        assert!(wrong("back", &["x"]).contains("stay so."));
        assert!(wrong("scan", &["hyper-x"]).starts_with("“hyper-x” is not a key."));
        assert!(wrong("scan", &["\u{202E}"]).contains("<U+202E>"), "nothing odd gets onto a terminal");
        for key in ["esc", "ctrl-c", "ctrl-z"] {
            assert_eq!(wrong("scan", &[key]), format!("{key} always does the same, and cannot be given away."));
        }
        for key in ["enter", "y", "space", "ctrl-d", "ctrl-k"] {
            assert!(wrong("repair", &[key]).contains("not for what leads to one."), "{key}");
        }
        let text = wrong("scan", &["/"]);
        assert!(text.starts_with("/ does two things at one place (list): scan and filter."), "{text}");
        assert!(text.ends_with("filter = []."), "{text}");
        let text = with(&[("scan", &["x"]), ("filter", &["x"])]).unwrap_err().text;
        assert!(text.contains("scan and filter"), "{text}");
    }
}
