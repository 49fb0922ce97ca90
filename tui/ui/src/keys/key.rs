//! One key: how it is named in the settings, how it is written on the screen, and which one was pressed.

use std::fmt;
use std::str::FromStr;

use crokey::{KeyCombination, OneToThree};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::safe_text::is_odd_text;

/// One key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    code: KeyCode,
    control: bool,
    alt: bool,
}

impl Key {
    /// The key that was pressed, however the terminal tells of Shift. `None` with what is never bound.
    pub(crate) fn pressed(event: KeyEvent) -> Option<Self> {
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let held = event.modifiers - KeyModifiers::SHIFT;
        let (control, alt) = (held.contains(KeyModifiers::CONTROL), held.contains(KeyModifiers::ALT));
        let others = held - KeyModifiers::CONTROL - KeyModifiers::ALT;
        let code = match event.code {
            KeyCode::Char(c) if control => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Char(c) if shift => KeyCode::Char(c.to_ascii_uppercase()),
            KeyCode::Tab if shift => KeyCode::BackTab,
            code => code,
        };
        others.is_empty().then_some(Self { code, control, alt })
    }

    /// Whether it is a letter, a digit or a sign: what goes into a text where one is typed.
    pub(crate) fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.control && !self.alt
    }

    /// As it is written on the screen: `R`, `^P`, `PgUp`, `↑`.
    pub(crate) fn shown(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.control => c.to_ascii_uppercase().to_string(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Delete => "Del".to_owned(),
            KeyCode::F(number) => format!("F{number}"),
            code => format!("{code:?}"),
        };
        let (control, alt) = (if self.control { "^" } else { "" }, if self.alt { "Alt-" } else { "" });
        format!("{alt}{control}{name}")
    }
}

/// A key that was pressed, as it is written on the screen.
pub(crate) fn shown(event: KeyEvent) -> Option<String> {
    Key::pressed(event).map(Key::shown)
}

/// The name by which the settings know it: `shift-r`, `ctrl-p`, `pageup`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = if self.control { "ctrl-" } else { "" };
        let alt = if self.alt { "alt-" } else { "" };
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char('-') => "minus".to_owned(),
            KeyCode::Char(c) if c.is_ascii_uppercase() => format!("shift-{}", c.to_ascii_lowercase()),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::F(number) => format!("f{number}"),
            code => format!("{code:?}").to_ascii_lowercase(),
        };
        write!(f, "{control}{alt}{name}")
    }
}

/// It is not the name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoKey;

/// Understands the names of crokey, and a letter of either case for itself: `R` is `shift-r`.
impl FromStr for Key {
    type Err = NoKey;

    fn from_str(name: &str) -> Result<Self, NoKey> {
        let mut letters = name.chars();
        if let (Some(c), None) = (letters.next(), letters.next()) {
            let visible = !c.is_whitespace() && !is_odd_text(name);
            return if visible { Ok(Self { code: KeyCode::Char(c), control: false, alt: false }) } else { Err(NoKey) };
        }
        let parsed: KeyCombination = crokey::parse(name).map_err(|_| NoKey)?;
        let OneToThree::One(code) = parsed.codes else { return Err(NoKey) };
        Self::pressed(KeyEvent::new(code, parsed.modifiers)).ok_or(NoKey)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
        Key::pressed(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn names_of_the_settings_and_what_is_shown() {
        for (name, canonical, shown) in [
            ("r", "r", "r"),
            ("R", "shift-r", "R"),
            ("shift-r", "shift-r", "R"),
            ("ctrl-p", "ctrl-p", "^P"),
            ("Ctrl-P", "ctrl-p", "^P"),
            ("alt-x", "alt-x", "Alt-x"),
            ("shift-tab", "shift-tab", "Shift-Tab"),
            ("backtab", "shift-tab", "Shift-Tab"),
            ("pageup", "pageup", "PgUp"),
            ("f10", "f10", "F10"),
            ("space", "space", "Space"),
            ("?", "?", "?"),
            (":", ":", ":"),
            ("-", "minus", "-"),
            ("é", "é", "é"),
            ("del", "delete", "Del"),
        ] {
            let key: Key = name.parse().unwrap();
            assert_eq!((key.to_string().as_str(), key.shown().as_str()), (canonical, shown), "{name}");
            assert_eq!(key.to_string().parse(), Ok(key), "{name} comes back as it went");
        }
        for name in ["", " ", "\t", "hyper-x", "a-b", "controlp", "cmd-p", "f99"] {
            assert_eq!(name.parse::<Key>(), Err(NoKey), "{name:?}");
        }
    }

    #[test]
    fn terminals_tell_of_shift_in_more_than_one_way() {
        let r: Key = "shift-r".parse().unwrap();
        assert_eq!(press(KeyCode::Char('R'), KeyModifiers::NONE), Some(r));
        assert_eq!(press(KeyCode::Char('R'), KeyModifiers::SHIFT), Some(r));
        assert_eq!(press(KeyCode::Char('r'), KeyModifiers::SHIFT), Some(r));
        let question: Key = "?".parse().unwrap();
        assert_eq!(press(KeyCode::Char('?'), KeyModifiers::SHIFT), Some(question));
        let tab: Key = "shift-tab".parse().unwrap();
        assert_eq!(press(KeyCode::Tab, KeyModifiers::SHIFT), Some(tab));
        assert_eq!(press(KeyCode::BackTab, KeyModifiers::SHIFT), Some(tab));
        let quit: Key = "ctrl-c".parse().unwrap();
        assert_eq!(press(KeyCode::Char('C'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), Some(quit));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::SUPER), None);
    }
}
