//! Roles of colour, and what they look like.
//!
//! Code names a role, never a colour. The terminal's own theme takes its sixteen colours, so that it is readable on
//! light and dark alike: never white or black, never yellow (unreadable on white, and bold makes it brighter), and
//! what is only quieter or louder is dim or bold in the terminal's own foreground. Nothing is said by colour alone.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use userlink_domain::nearest_name;

/// How the roles are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// With the terminal's own colours, on whatever it has for a background.
    #[default]
    Terminal,
    /// Bright on black, whatever the terminal's own colours are. It wants 256 colours.
    HighContrast,
    /// With bold, underline and reverse video only: for `NO_COLOR`, and for terminals without colour.
    Monochrome,
}

/// The colour of a context, to tell it from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// What production has where the settings say nothing.
    Red,
    /// For a place where nothing can break.
    Green,
    /// Between the two.
    Yellow,
    /// As good as another.
    Blue,
    /// As good as another.
    Magenta,
    /// As good as another.
    Cyan,
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
    /// Letters that a search has found.
    Found,
    /// The name of a context, filled with its colour.
    Badge(Option<Tint>),
}

/// Fixed entries of the palette of 256 colours, which terminals leave as they are.
mod fixed {
    use super::Color;

    pub(super) const BLACK: Color = Color::Indexed(16);
    pub(super) const WHITE: Color = Color::Indexed(231);
    pub(super) const RED: Color = Color::Indexed(217);
    pub(super) const GREEN: Color = Color::Indexed(120);
    pub(super) const YELLOW: Color = Color::Indexed(228);
    pub(super) const BLUE: Color = Color::Indexed(153);
    pub(super) const MAGENTA: Color = Color::Indexed(219);
    pub(super) const CYAN: Color = Color::Indexed(123);
    pub(super) const GREY: Color = Color::Indexed(252);
}

impl Theme {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 3] = [Self::Terminal, Self::HighContrast, Self::Monochrome];

    /// What settings and flags call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::HighContrast => "high-contrast",
            Self::Monochrome => "monochrome",
        }
    }

    /// The theme of a name, or a sentence that names those there are.
    pub fn named(name: &str) -> Result<Self, String> {
        one_of("theme", name, &Self::ALL.map(|theme| (theme.name(), theme)))
    }

    /// The one after this.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Terminal => Self::HighContrast,
            Self::HighContrast => Self::Monochrome,
            Self::Monochrome => Self::Terminal,
        }
    }

    pub(crate) fn style(self, role: Role) -> Style {
        let plain = Style::new();
        match (self, role) {
            (_, Role::Plain) => plain,
            (_, Role::Strong) => plain.add_modifier(Modifier::BOLD),
            (_, Role::Selection) => plain.add_modifier(Modifier::REVERSED),
            (theme, Role::Badge(tint)) => theme.badge(tint),
            (Self::Terminal, Role::Calm) => plain.fg(Color::Cyan),
            (Self::Terminal, Role::Attention) => plain.fg(Color::Magenta),
            (Self::Terminal, Role::Danger) => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Self::Terminal, Role::Muted) => plain.add_modifier(Modifier::DIM),
            (Self::Terminal, Role::Accent) => plain.fg(Color::Cyan),
            (Self::Terminal, Role::Odd) => plain.fg(Color::Red).add_modifier(Modifier::UNDERLINED),
            (Self::Terminal, Role::Found) => plain.fg(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (Self::HighContrast, Role::Calm) => plain.fg(fixed::CYAN),
            (Self::HighContrast, Role::Attention) => plain.fg(fixed::YELLOW),
            (Self::HighContrast, Role::Danger) => plain.fg(fixed::RED).add_modifier(Modifier::BOLD),
            (Self::HighContrast, Role::Muted) => plain.fg(fixed::GREY),
            (Self::HighContrast, Role::Accent) => plain.fg(fixed::BLUE),
            (Self::HighContrast, Role::Odd) => plain.fg(fixed::RED).add_modifier(Modifier::UNDERLINED),
            (Self::HighContrast, Role::Found) => {
                plain.fg(fixed::CYAN).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
            }
            (Self::Monochrome, Role::Calm | Role::Muted) => plain,
            (Self::Monochrome, Role::Attention | Role::Accent) => plain.add_modifier(Modifier::BOLD),
            (Self::Monochrome, Role::Danger) => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (Self::Monochrome, Role::Odd | Role::Found) => plain.add_modifier(Modifier::UNDERLINED),
        }
    }

    /// A filled field: the colour is the background, whichever way the terminal has it.
    fn badge(self, tint: Option<Tint>) -> Style {
        let filled = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
        match (self, tint) {
            (Self::Terminal, Some(tint)) => filled.fg(tint.own()),
            (Self::HighContrast, Some(tint)) => filled.fg(tint.fixed()),
            _ => filled,
        }
    }

    /// Gives every cell that says nothing else the theme's own ground.
    pub(crate) fn ground(self, buffer: &mut Buffer) {
        if self != Self::HighContrast {
            return;
        }
        for cell in &mut buffer.content {
            if cell.fg == Color::Reset {
                cell.fg = fixed::WHITE;
            }
            if cell.bg == Color::Reset {
                cell.bg = fixed::BLACK;
            }
        }
    }
}

impl Tint {
    /// All of them, by their names.
    const ALL: [(&'static str, Self); 6] = [
        ("red", Self::Red),
        ("green", Self::Green),
        ("yellow", Self::Yellow),
        ("blue", Self::Blue),
        ("magenta", Self::Magenta),
        ("cyan", Self::Cyan),
    ];

    /// The colour of a name, or a sentence that names those there are.
    pub fn named(name: &str) -> Result<Self, String> {
        one_of("color", name, &Self::ALL)
    }

    /// The colour of a context for which none was chosen: always the same for a name. Never red, which says production,
    /// and none that is hard to read on a light terminal.
    pub(crate) fn of(name: &str) -> Self {
        // FNV-1a: names that are nearly alike come to lie apart.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        match (hash >> 16) % 4 {
            0 => Self::Blue,
            1 => Self::Green,
            2 => Self::Magenta,
            _ => Self::Cyan,
        }
    }

    fn own(self) -> Color {
        match self {
            Self::Red => Color::Red,
            Self::Green => Color::Green,
            Self::Yellow => Color::Yellow,
            Self::Blue => Color::Blue,
            Self::Magenta => Color::Magenta,
            Self::Cyan => Color::Cyan,
        }
    }

    fn fixed(self) -> Color {
        match self {
            Self::Red => fixed::RED,
            Self::Green => fixed::GREEN,
            Self::Yellow => fixed::YELLOW,
            Self::Blue => fixed::BLUE,
            Self::Magenta => fixed::MAGENTA,
            Self::Cyan => fixed::CYAN,
        }
    }
}

fn one_of<T: Copy>(what: &str, name: &str, all: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, found)) = all.iter().find(|(known, _)| *known == name) {
        return Ok(*found);
    }
    let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    let near = nearest_name(name, names.iter().copied()).map(|near| format!(" Did you mean {near}?"));
    Err(format!("{what} is one of {}.{}", names.join(", "), near.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    const ROLES: [(&str, Role); 11] = [
        ("plain", Role::Plain),
        ("strong", Role::Strong),
        ("calm", Role::Calm),
        ("attention", Role::Attention),
        ("danger", Role::Danger),
        ("muted", Role::Muted),
        ("accent", Role::Accent),
        ("selection", Role::Selection),
        ("odd", Role::Odd),
        ("found", Role::Found),
        ("badge", Role::Badge(None)),
    ];

    fn roles() -> impl Iterator<Item = (String, Role)> {
        let plain = ROLES.into_iter().map(|(name, role)| (name.to_owned(), role));
        plain.chain(Tint::ALL.map(|(name, tint)| (format!("badge {name}"), Role::Badge(Some(tint)))))
    }

    fn words(style: Style) -> String {
        let mut words: Vec<String> = style.fg.into_iter().map(|color| format!("{color:?}").to_lowercase()).collect();
        words.extend(style.bg.into_iter().map(|color| format!("on {color:?}").to_lowercase()));
        words.extend(style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase()));
        if words.is_empty() { "-".to_owned() } else { words.join(" ") }
    }

    #[test]
    fn the_themes_as_a_table_of_roles() {
        let mut table = format!("{:<14}", "");
        for theme in Theme::ALL {
            write!(table, "{:<32}", theme.name()).unwrap_or_default();
        }
        for (name, role) in roles() {
            write!(table, "\n{name:<14}").unwrap_or_default();
            for theme in Theme::ALL {
                write!(table, "{:<32}", words(theme.style(role))).unwrap_or_default();
            }
        }
        let lines: Vec<_> = table.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn names_come_back_and_others_are_told_the_nearest() {
        for theme in Theme::ALL {
            assert_eq!(Theme::named(theme.name()), Ok(theme));
        }
        assert_eq!(
            Theme::named("high_contrast"),
            Err("theme is one of terminal, high-contrast, monochrome. Did you mean high-contrast?".to_owned())
        );
        assert_eq!(Tint::named("magenta"), Ok(Tint::Magenta));
        assert!(Tint::named("#ff0000").is_err_and(|text| text.starts_with("color is one of red,")));
    }

    #[test]
    fn a_context_without_a_colour_has_one_of_its_own_and_never_that_of_production() {
        let names = ["dev", "staging", "prod", "prod-eu", "demo", "", "größer"];
        assert!(names.iter().all(|name| Tint::of(name) == Tint::of(name) && Tint::of(name) != Tint::Red));
        assert_ne!(Tint::of("dev"), Tint::of("prod"));
        assert_ne!(Tint::of("staging"), Tint::of("prod"));
        assert_ne!(Tint::of("dev"), Tint::of("staging"));
    }

    #[test]
    fn no_role_is_unreadable_on_a_light_or_a_dark_terminal() {
        for (name, role) in ROLES {
            let style = Theme::Terminal.style(role);
            assert_eq!(style.bg, None, "{name}");
            let readable = [None, Some(Color::Magenta), Some(Color::Red), Some(Color::Cyan)];
            assert!(readable.contains(&style.fg), "{name}");
        }
    }

    #[test]
    fn monochrome_has_no_colour_and_no_dim_and_still_a_selection() {
        for (name, role) in roles() {
            let style = Theme::Monochrome.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{name}");
            assert!(!style.add_modifier.contains(Modifier::DIM), "{name}");
        }
        assert!(Theme::Monochrome.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
    }

    /// Red, green and blue from 0 to 1, linear.
    type Light = [f64; 3];

    fn linear(rgb: [u8; 3]) -> Light {
        rgb.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// An entry of the palette of 256 colours, as xterm defines it.
    fn indexed(color: Color) -> Light {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        let Color::Indexed(number) = color else { return [f64::NAN; 3] };
        if number >= 232 {
            return linear([8 + 10 * (number - 232); 3]);
        }
        let number = usize::from(number - 16);
        linear([STEPS[number / 36], STEPS[number / 6 % 6], STEPS[number % 6]])
    }

    fn luminance([red, green, blue]: Light) -> f64 {
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn high_contrast_is_seven_to_one_at_least_on_its_own_ground() {
        let black = luminance(indexed(fixed::BLACK));
        for (name, role) in roles() {
            let style = Theme::HighContrast.style(role);
            let bright = luminance(indexed(style.fg.unwrap_or(fixed::WHITE)));
            let contrast = (bright + 0.05) / (black + 0.05);
            assert!(contrast >= 7.0, "{name} {contrast:.1}");
            assert!(!style.add_modifier.contains(Modifier::DIM), "{name}");
        }
    }

    /// How far apart two colours look: the distance in CIE L*a*b*, where 2.3 is just to be seen.
    fn distance(one: Light, other: Light) -> f64 {
        let lab = |[red, green, blue]: Light| {
            let x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505;
            let y = luminance([red, green, blue]);
            let z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089;
            let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
            [116.0 * f(y) - 16.0, 500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z))]
        };
        let (one, other) = (lab(one), lab(other));
        one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// As somebody sees it who has no receptors for red, or none for green: Viénot, Brettel and Mollon, "Digital video
    /// colourmaps for checking the legibility of displays by dichromats" (1999).
    fn dichromat([red, green, blue]: Light, without_red: bool) -> Light {
        let mixed = if without_red { 0.112_38 * red + 0.887_62 * green } else { 0.292_75 * red + 0.707_25 * green };
        let rest = if without_red {
            0.004_01 * red - 0.004_01 * green + blue
        } else {
            -0.022_34 * red + 0.022_34 * green + blue
        };
        [mixed, mixed, rest.clamp(0.0, 1.0)]
    }

    #[test]
    fn what_matters_differs_for_the_colour_blind_too() {
        // The sixteen colours as xterm, as VGA, as Tango and as Solarized have them: red, magenta, cyan.
        const OWN: [(&str, [[u8; 3]; 3]); 4] = [
            ("xterm", [[205, 0, 0], [205, 0, 205], [0, 205, 205]]),
            ("vga", [[170, 0, 0], [170, 0, 170], [0, 170, 170]]),
            ("tango", [[204, 0, 0], [117, 80, 123], [6, 152, 154]]),
            ("solarized", [[220, 50, 47], [211, 54, 130], [42, 161, 152]]),
        ];
        let meaning = [Role::Calm, Role::Attention, Role::Danger];
        for (palette, [red, magenta, cyan]) in OWN {
            let own = |role: Role| {
                linear(match Theme::Terminal.style(role).fg {
                    Some(Color::Red) => red,
                    Some(Color::Magenta) => magenta,
                    _ => cyan,
                })
            };
            let fixed = |role: Role| indexed(Theme::HighContrast.style(role).fg.unwrap_or(fixed::WHITE));
            for (at, one) in meaning.into_iter().enumerate() {
                for other in &meaning[..at] {
                    for without_red in [true, false] {
                        for (theme, one, other) in
                            [("own", own(one), own(*other)), ("fixed", fixed(one), fixed(*other))]
                        {
                            let apart = distance(dichromat(one, without_red), dichromat(other, without_red));
                            assert!(apart > 10.0, "{palette} {theme} {one:?} {other:?} {without_red} {apart:.1}");
                        }
                    }
                }
            }
        }
    }
}
