//! Roles of colour, and what they look like.
//!
//! Code names a role, never a colour. Colours are the terminal's own sixteen, so that they are readable on light
//! and dark alike: never white or black, never yellow (unreadable on white, and bold makes it brighter), and what
//! is only quieter or louder is dim or bold in the terminal's own foreground. Nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};

/// How the roles are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// With the terminal's own colours.
    #[default]
    Color,
    /// With bold, underline and reverse video only: for `NO_COLOR`, and for terminals without colour.
    Mono,
}

/// What a piece of text is, to the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ordinary text.
    Plain,
    /// A title, or a value to be found at once.
    Strong,
    /// All is well.
    Calm,
    /// Somebody should look.
    Attention,
    /// Something is wrong, or what is done here cannot be taken lightly.
    Danger,
    /// There, if one looks for it.
    Muted,
    /// A guide for the eye.
    Accent,
    /// Where the cursor is.
    Selection,
    /// A character that had to be written out.
    Odd,
}

impl Theme {
    pub(crate) fn style(self, role: Role) -> Style {
        let plain = Style::new();
        match (self, role) {
            (_, Role::Plain) => plain,
            (_, Role::Strong) => plain.add_modifier(Modifier::BOLD),
            (_, Role::Selection) => plain.add_modifier(Modifier::REVERSED),
            (Self::Color, Role::Calm) => plain.fg(Color::Green),
            (Self::Color, Role::Attention) => plain.fg(Color::Magenta),
            (Self::Color, Role::Danger) => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Self::Color, Role::Muted) => plain.add_modifier(Modifier::DIM),
            (Self::Color, Role::Accent) => plain.fg(Color::Cyan),
            (Self::Color, Role::Odd) => plain.fg(Color::Red).add_modifier(Modifier::UNDERLINED),
            (Self::Mono, Role::Calm | Role::Muted) => plain,
            (Self::Mono, Role::Attention | Role::Accent) => plain.add_modifier(Modifier::BOLD),
            (Self::Mono, Role::Danger) => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (Self::Mono, Role::Odd) => plain.add_modifier(Modifier::UNDERLINED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 9] = [
        Role::Plain,
        Role::Strong,
        Role::Calm,
        Role::Attention,
        Role::Danger,
        Role::Muted,
        Role::Accent,
        Role::Selection,
        Role::Odd,
    ];

    #[test]
    fn no_role_is_unreadable_on_a_light_or_a_dark_terminal() {
        for role in ROLES {
            let style = Theme::Color.style(role);
            assert_eq!(style.bg, None, "{role:?}");
            let readable = [None, Some(Color::Green), Some(Color::Magenta), Some(Color::Red), Some(Color::Cyan)];
            assert!(readable.contains(&style.fg), "{role:?}");
        }
    }

    #[test]
    fn mono_has_no_colour_and_no_dim_and_still_a_selection() {
        for role in ROLES {
            let style = Theme::Mono.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
            assert!(!style.add_modifier.contains(Modifier::DIM), "{role:?}");
        }
        assert!(Theme::Mono.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
    }
}
