//! Every sign that is drawn, twice: for terminals with Unicode, and in ASCII.
//!
//! Signs mean the same on every screen. No view writes a sign of its own.

use userlink_domain::{Group, Situation};

use crate::theme::Role;

/// What the gutter says about the user and the row on its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gutter {
    /// Both point at each other.
    Both,
    /// Only the row points: the sub is there, `user_id` is empty.
    RowOnly,
    /// Only the user points.
    UserOnly,
    /// The user points at nothing.
    UserNowhere,
    /// The row points at nobody.
    RowNowhere,
    /// The user points at what has not been read yet.
    UserUnread,
    /// The row points at whom has not been read yet.
    RowUnread,
    /// No pointer, the e-mail matches.
    Email,
    /// One of them points elsewhere; the entry names the place.
    Elsewhere,
    /// No counterpart.
    Blank,
}

/// The columns that a gutter takes.
pub(crate) const GUTTER_WIDTH: usize = 5;

impl Gutter {
    /// In the order of the legend, with its words. What was not read yet follows the two it belongs to.
    pub(crate) const LEGEND: [(Self, &'static str); 9] = [
        (Self::Both, "both point at each other"),
        (Self::RowOnly, "only the row points"),
        (Self::UserOnly, "only the user points"),
        (Self::UserNowhere, "the user points at nothing"),
        (Self::RowNowhere, "the row points at nobody"),
        (Self::UserUnread, "to a row not read yet"),
        (Self::RowUnread, "to a user not read yet"),
        (Self::Email, "no pointer, e-mail matches"),
        (Self::Elsewhere, "points elsewhere"),
    ];

    pub(crate) fn sign(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Both, false) => "◀━━▶",
            (Self::Both, true) => "<==>",
            (Self::RowOnly, false) => "◀──╴",
            (Self::RowOnly, true) => "<--.",
            (Self::UserOnly, false) => "╶──▶",
            (Self::UserOnly, true) => ".-->",
            (Self::UserNowhere, false) => "╶──✗",
            (Self::UserNowhere, true) => ".--x",
            (Self::RowNowhere, false) => "✗──╴",
            (Self::RowNowhere, true) => "x--.",
            (Self::UserUnread, false) => "╶──…",
            (Self::UserUnread, true) => ".--?",
            (Self::RowUnread, false) => "…──╴",
            (Self::RowUnread, true) => "?--.",
            (Self::Email, false) => "╶┄┄╴",
            (Self::Email, true) => ".~~.",
            (Self::Elsewhere, false) => "╶─⚡╴",
            (Self::Elsewhere, true) => ".-!.",
            (Self::Blank, _) => "",
        }
    }

    pub(crate) fn role(self) -> Role {
        match self {
            Self::Both => Role::Calm,
            Self::RowOnly | Self::UserOnly | Self::Email => Role::Attention,
            Self::UserNowhere | Self::RowNowhere | Self::Elsewhere => Role::Danger,
            Self::UserUnread | Self::RowUnread | Self::Blank => Role::Muted,
        }
    }
}

/// The other signs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Glyphs {
    pub(crate) ascii: bool,
    pub(crate) cut: &'static str,
    pub(crate) more: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) bar: &'static str,
    pub(crate) mark: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) upright: &'static str,
    pub(crate) corners: [&'static str; 4],
    pub(crate) ties: &'static str,
    pub(crate) odd: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) becomes: &'static str,
    pub(crate) same: &'static str,
    pub(crate) differs: &'static str,
    pub(crate) below: &'static str,
    pub(crate) rising: &'static str,
    pub(crate) falling: &'static str,
    pub(crate) meter: [&'static str; 4],
    /// Turns while something is under way.
    pub(crate) spinner: &'static [&'static str],
}

pub(crate) const UNICODE: Glyphs = Glyphs {
    ascii: false,
    cut: "…",
    more: "…",
    dot: "·",
    bar: "▌",
    mark: "◆",
    rule: "─",
    upright: "│",
    corners: ["╭", "╮", "╰", "╯"],
    ties: "⇄",
    odd: "⚠",
    empty: "∅",
    becomes: "→",
    same: "=",
    differs: "≠",
    below: "⋮",
    rising: "▲",
    falling: "▼",
    meter: ["▕", "█", "░", "▏"],
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

pub(crate) const ASCII: Glyphs = Glyphs {
    ascii: true,
    cut: "~",
    more: "...",
    dot: "-",
    bar: ">",
    mark: "*",
    rule: "-",
    upright: "|",
    corners: ["+", "+", "+", "+"],
    ties: "<->",
    odd: "(!)",
    empty: "(empty)",
    becomes: "->",
    same: "=",
    differs: "!=",
    below: ":",
    rising: "^",
    falling: "v",
    meter: ["[", "#", ".", "]"],
    spinner: &["|", "/", "-", "\\"],
};

/// A group's sign, and its role of colour: always together with its word.
pub(crate) fn group_sign(group: Group, ascii: bool) -> (&'static str, Role) {
    match (group, ascii) {
        (Group::Linked, false) => ("✓", Role::Calm),
        (Group::Linked, true) => ("+", Role::Calm),
        (Group::Unlinked, _) => ("!", Role::Attention),
        (Group::Duplicate, _) => ("=", Role::Attention),
        (Group::Conflict, false) => ("✗", Role::Danger),
        (Group::Conflict, true) => ("x", Role::Danger),
        (Group::Orphan, false) => ("○", Role::Attention),
        (Group::Orphan, true) => ("o", Role::Attention),
        (Group::Expected, false) => ("·", Role::Muted),
        (Group::Expected, true) => (".", Role::Muted),
        (Group::Unsettled, false) => ("…", Role::Muted),
        (Group::Unsettled, true) => ("?", Role::Muted),
    }
}

/// A situation in the words of its name, spaced as they are read.
pub(crate) fn situation_words(situation: Situation) -> String {
    match situation {
        Situation::DanglingUserId => "dangling user_id".to_owned(),
        Situation::DuplicateUserId => "duplicate user_id".to_owned(),
        other => other.words(),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::CellWidth;

    use super::*;

    #[test]
    fn every_gutter_fits_its_column_in_both_alphabets() {
        for (gutter, _) in Gutter::LEGEND {
            for ascii in [false, true] {
                let width = gutter.sign(ascii).cell_width() as usize;
                assert!((4..=GUTTER_WIDTH).contains(&width), "{gutter:?} {width}");
                assert!(!ascii || gutter.sign(ascii).is_ascii());
            }
        }
    }

    #[test]
    fn every_group_has_a_sign_of_one_column_that_no_other_has() {
        for ascii in [false, true] {
            let signs = Group::ALL.map(|group| group_sign(group, ascii).0);
            for (at, sign) in signs.iter().enumerate() {
                assert_eq!(sign.cell_width(), 1, "{sign}");
                assert!(!signs[..at].contains(sign), "{sign}");
            }
        }
    }
}
