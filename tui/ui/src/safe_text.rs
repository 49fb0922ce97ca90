//! Makes text from outside safe to show: nothing in it can move, hide, reorder or imitate what stands beside it.
//!
//! Users choose their own names. What cannot be seen, or changes the order of what can, is written out as
//! `<U+202E>` and marked. Nothing reaches the screen by another way, and nothing here is ever written back:
//! repairs keep the raw value.
//!
//! Hebrew and Arabic stay as they are: the terminal is told to leave letters where they are drawn, first letter first. One
//! that puts them into their order all the same turns round whatever stands between two such names; in ASCII they are
//! written out like all letters beyond it.

use std::borrow::Cow;

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// No line is longer than this; what follows is cut, so that a huge value costs no more than a long one.
const LONGEST: usize = 4096;
/// Marks on one letter beyond this are written out: a pile of them runs over the lines above.
const MARKS: usize = 2;

/// The text as it can be shown on a terminal, every odd character written out as `<U+…>`.
pub fn safe_text(text: &str) -> String {
    SafeText::of(text, false).pieces.iter().map(|piece| piece.text.as_ref()).collect()
}

/// Whether the text holds something that is written out when it is shown.
pub fn is_odd_text(text: &str) -> bool {
    SafeText::of(text, false).is_odd()
}

/// The text made safe, cut or padded to exactly so many columns: a cell of a table on standard output.
pub fn fitted(text: &str, width: usize) -> String {
    let pieces = SafeText::of(text, false).fit(width, "…");
    let used: usize = pieces.iter().map(|piece| piece.width).sum();
    let mut cell: String = pieces.iter().map(|piece| piece.text.as_ref()).collect();
    cell.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    cell
}

/// What is drawn as one: never cut in half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) width: usize,
    pub(crate) odd: bool,
    /// What was looked for.
    pub(crate) mark: bool,
}

/// A text in pieces whose widths are known.
#[derive(Clone, Debug)]
pub(crate) struct SafeText<'a> {
    pub(crate) pieces: Vec<Piece<'a>>,
    width: usize,
    odd: bool,
}

impl<'a> SafeText<'a> {
    /// Takes the text apart. With `ascii`, letters beyond ASCII are written out too, without being odd.
    pub(crate) fn of(text: &'a str, ascii: bool) -> Self {
        let mut this = Self { pieces: Vec::new(), width: 0, odd: false };
        let (mut from, mut marks, mut base) = (0, 0, false);
        for (count, (at, c)) in text.char_indices().enumerate() {
            if count == LONGEST {
                this.run(&text[from..at]);
                this.push(Cow::Borrowed("<cut>"), true);
                return this;
            }
            let mark = c.width() == Some(0);
            marks = if mark { marks + 1 } else { 0 };
            let loose = mark && (!base || marks > MARKS);
            let odd = is_odd(c) || loose;
            if odd || (ascii && !c.is_ascii()) || is_measured_otherwise(c) {
                this.run(&text[from..at]);
                from = at + c.len_utf8();
                base = false;
                this.push(written_out(c, ascii), odd);
            } else if !mark {
                base = true;
            }
        }
        this.run(&text[from..]);
        this
    }

    /// How many columns it takes in full.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Whether something had to be written out.
    pub(crate) fn is_odd(&self) -> bool {
        self.odd
    }

    /// At most `width` columns; where it is longer its end gives way to `cut`.
    pub(crate) fn fit(self, width: usize, cut: &'static str) -> Vec<Piece<'a>> {
        if self.width <= width {
            return self.pieces;
        }
        let Some(room) = width.checked_sub(cut.cell_width() as usize) else { return Vec::new() };
        let mut pieces = head(&self.pieces, room);
        pieces.push(Piece { text: Cow::Borrowed(cut), width: cut.cell_width() as usize, odd: false, mark: false });
        pieces
    }

    /// Marks letters of the text, counted from 0.
    pub(crate) fn mark(&mut self, text: &str, letters: &[usize]) {
        let mut rest = text;
        let mut at = 0;
        for piece in &mut self.pieces {
            // What was written out stands for one letter.
            let count = if rest.starts_with(piece.text.as_ref()) { piece.text.chars().count() } else { 1 };
            piece.mark = letters.iter().any(|letter| (at..at + count).contains(letter));
            at += count;
            rest = rest.char_indices().nth(count).map_or("", |(from, _)| &rest[from..]);
        }
    }

    /// At most `width` columns; where it is longer its middle gives way to `cut`, as is right for an id.
    pub(crate) fn fit_middle(self, width: usize, cut: &'static str) -> Vec<Piece<'a>> {
        let (cut_width, total) = (cut.cell_width() as usize, self.width);
        if total <= width {
            return self.pieces;
        }
        let Some(room) = width.checked_sub(cut_width) else { return Vec::new() };
        let behind = room / 3;
        let mut pieces = head(&self.pieces, room - behind);
        pieces.push(Piece { text: Cow::Borrowed(cut), width: cut_width, odd: false, mark: false });
        let mut left = behind;
        let tail = self.pieces.iter().rev().take_while(|piece| match left.checked_sub(piece.width) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        let tail: Vec<_> = tail.cloned().collect();
        pieces.extend(tail.into_iter().rev());
        pieces
    }

    /// Lines of at most `width` columns, broken at spaces, and within a word only where it is longer than a line.
    pub(crate) fn wrap(self, width: usize) -> Vec<Vec<Piece<'a>>> {
        let mut lines = vec![Vec::new()];
        let mut used = 0;
        let words = self.pieces.split_inclusive(|piece| piece.text == " ");
        for word in words {
            let solid: usize = word.iter().filter(|piece| piece.text != " ").map(|piece| piece.width).sum();
            if used > 0 && used + solid > width {
                lines.push(Vec::new());
                used = 0;
            }
            for piece in word {
                let blank = piece.text == " ";
                if used + piece.width > width {
                    if blank {
                        continue;
                    }
                    if used > 0 {
                        let rest = lines.last_mut().map(unfinished).unwrap_or_default();
                        used = rest.iter().map(|piece| piece.width).sum();
                        lines.push(rest);
                    }
                }
                used += piece.width;
                if let Some(line) = lines.last_mut() {
                    line.push(piece.clone());
                }
            }
        }
        lines
    }

    fn run(&mut self, text: &'a str) {
        for grapheme in text.graphemes(true) {
            self.push_sized(Cow::Borrowed(grapheme), grapheme.cell_width() as usize, false);
        }
    }

    fn push(&mut self, text: Cow<'a, str>, odd: bool) {
        let width = text.len();
        self.push_sized(text, width, odd);
    }

    fn push_sized(&mut self, text: Cow<'a, str>, width: usize, odd: bool) {
        self.width += width;
        self.odd |= odd;
        self.pieces.push(Piece { text, width, odd, mark: false });
    }
}

/// Takes from a line what stands behind the last hyphen of its last word, or from its @ on: an id or an address is broken
/// there rather than anywhere.
fn unfinished<'a>(line: &mut Vec<Piece<'a>>) -> Vec<Piece<'a>> {
    let last = line.iter().rposition(|piece| matches!(&*piece.text, "-" | "@" | " "));
    match last {
        Some(at) if line[at].text == "-" && at + 1 < line.len() => line.split_off(at + 1),
        Some(at) if line[at].text == "@" && at > 0 => line.split_off(at),
        _ => Vec::new(),
    }
}

fn head<'a>(pieces: &[Piece<'a>], room: usize) -> Vec<Piece<'a>> {
    let mut left = room;
    let fitting = pieces.iter().take_while(|piece| match left.checked_sub(piece.width) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    fitting.cloned().collect()
}

fn written_out(c: char, ascii: bool) -> Cow<'static, str> {
    let plain = match c {
        '…' => "...",
        '·' => "-",
        '→' => "->",
        '←' => "<-",
        '↑' => "Up",
        '↓' => "Down",
        '⇄' => "<->",
        '∅' => "(empty)",
        '≠' => "!=",
        '–' | '—' => "-",
        '’' | '‘' => "'",
        '“' | '”' => "\"",
        _ => return Cow::Owned(format!("<U+{:04X}>", u32::from(c))),
    };
    debug_assert!(ascii, "only ASCII replaces what can be seen");
    Cow::Borrowed(plain)
}

/// Halfwidth sound marks: terminals give them one column, ratatui two. Harmless, but columns would not hold.
fn is_measured_otherwise(c: char) -> bool {
    matches!(c, '\u{FF9E}' | '\u{FF9F}')
}

/// Whether a character cannot be seen, looks like a space without being one, or changes the order of its neighbours.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            // Spaces that are none, the soft hyphen, joiners and fillers.
            0xA0 | 0xAD | 0x34F | 0x115F | 0x1160 | 0x1680 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
            | 0x2000..=0x200F | 0x2028..=0x202F | 0x205F..=0x206F | 0x2800 | 0x3000 | 0x3164
            | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFC
            // The Arabic letter mark: one more that sets a direction.
            | 0x61C
            // Shorthand and musical controls, tags and variation selectors, private use, no characters.
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
            | 0xE000..=0xF8FF | 0xF0000..=0x10FFFF | 0xFDD0..=0xFDEF)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(text: &str, width: usize) -> String {
        SafeText::of(text, false).fit(width, "…").iter().map(|piece| piece.text.as_ref()).collect()
    }

    fn middle(text: &str, width: usize) -> String {
        SafeText::of(text, false).fit_middle(width, "…").iter().map(|piece| piece.text.as_ref()).collect()
    }

    fn wrap(text: &str, width: usize) -> Vec<String> {
        let lines = SafeText::of(text, false).wrap(width);
        lines.iter().map(|line| line.iter().map(|piece| piece.text.as_ref()).collect()).collect()
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        for (c, out) in [
            ('\u{202E}', "<U+202E>"),
            ('\u{2066}', "<U+2066>"),
            ('\u{200B}', "<U+200B>"),
            ('\u{200D}', "<U+200D>"),
            ('\u{2060}', "<U+2060>"),
            ('\u{FEFF}', "<U+FEFF>"),
            ('\u{AD}', "<U+00AD>"),
            ('\u{1B}', "<U+001B>"),
            ('\u{9B}', "<U+009B>"),
            ('\u{7F}', "<U+007F>"),
            ('\n', "<U+000A>"),
            ('\t', "<U+0009>"),
            ('\u{2028}', "<U+2028>"),
            ('\u{2029}', "<U+2029>"),
            ('\u{E0041}', "<U+E0041>"),
            ('\u{FE0F}', "<U+FE0F>"),
            ('\u{61C}', "<U+061C>"),
            ('\u{3164}', "<U+3164>"),
            ('\u{A0}', "<U+00A0>"),
        ] {
            let text = format!("a{c}b");
            assert_eq!(safe_text(&text), format!("a{out}b"));
            assert!(is_odd_text(&text), "{out}");
        }
    }

    #[test]
    fn every_range_of_the_contract_is_odd() {
        let ranges = [
            (0x0, 0x1F),
            (0x7F, 0x9F),
            (0x200B, 0x200F),
            (0x202A, 0x202E),
            (0x2060, 0x2060),
            (0x2066, 0x2069),
            (0x2028, 0x2029),
            (0xE0000, 0xE007F),
        ];
        for code in ranges.into_iter().flat_map(|(from, to)| from..=to) {
            if let Some(c) = char::from_u32(code) {
                assert!(is_odd(c), "U+{code:04X}");
            }
        }
    }

    #[test]
    fn ordinary_names_in_any_script_stay_as_they_are() {
        for name in ["ada@example.org", "Zoë", "José", "李小龍", "กำธร", "한국어", "🇩🇪", "👍🏽", "שלום", "محمد", "नमस्ते"]
        {
            assert_eq!(safe_text(name), name);
            assert!(!is_odd_text(name), "{name}");
        }
    }

    #[test]
    fn names_written_from_right_to_left_have_their_letters_one_by_one_and_in_ascii_none() {
        let name = "דנה.כהן@example.org";
        let text = SafeText::of(name, false);
        let shown: Vec<&str> = text.pieces.iter().map(|piece| &*piece.text).collect();
        let letters: Vec<String> = name.chars().map(String::from).collect();
        assert_eq!(shown, letters, "a cell each, in the order in which they are stored");
        assert_eq!(text.width(), name.chars().count());
        let text = SafeText::of("מ1", true);
        let shown: String = text.pieces.iter().map(|piece| &*piece.text).collect();
        assert_eq!(shown, "<U+05DE>1");
    }

    #[test]
    fn two_marks_on_a_letter_are_shown_and_the_third_is_written_out() {
        assert_eq!(safe_text("e\u{301}\u{323}"), "e\u{301}\u{323}");
        assert_eq!(safe_text("e\u{301}\u{323}\u{302}x"), "e\u{301}\u{323}<U+0302>x");
        assert_eq!(safe_text("\u{301}x"), "<U+0301>x", "a mark without a letter");
        assert_eq!(safe_text("a\u{200B}\u{301}"), "a<U+200B><U+0301>", "never on what was written out");
    }

    #[test]
    fn the_width_is_what_the_terminal_draws() {
        for (text, width) in [
            ("李", 2),
            ("🇩🇪", 2),
            ("👩\u{200D}💻", 2 + 8 + 2),
            ("e\u{301}", 1),
            ("👩🏽\u{200D}💻", 2 + 8 + 2),
            ("ｶ\u{FF9E}", 1 + 8),
            ("", 0),
        ] {
            assert_eq!(SafeText::of(text, false).width(), width, "{text}");
        }
    }

    #[test]
    fn a_wide_letter_is_never_cut_in_half() {
        assert_eq!(fit("李小龍", 6), "李小龍");
        assert_eq!(fit("李小龍", 5), "李小…");
        assert_eq!(fit("李小龍", 4), "李…");
        assert_eq!(fit("李小龍", 1), "…");
        assert_eq!(fit("李小龍", 0), "");
        assert_eq!(fit("a\u{202E}b", 9), "a…", "nor is what was written out");
    }

    #[test]
    fn an_id_is_cut_in_the_middle() {
        assert_eq!(middle("0192f0c1-2b6a-7cde-8f00-0123456789ab", 13), "0192f0c1…89ab");
        assert_eq!(middle("42", 13), "42");
        assert_eq!(middle("0192f0c1", 1), "…");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_where_they_must() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a abcdefgh", 4), ["a ", "abcd", "efgh"]);
        assert_eq!(wrap("0192f0c1-2b6a-7cde", 11), ["0192f0c1-", "2b6a-7cde"], "an id at its hyphens");
        assert_eq!(wrap("", 4), [""]);
        for line in wrap("李小龍 is a\u{202E}b here", 1) {
            assert!(!line.is_empty());
        }
    }

    #[test]
    fn in_ascii_every_other_letter_is_written_out_but_not_odd() {
        let text = SafeText::of("Zoë · x", true);
        let shown: String = text.pieces.iter().map(|piece| piece.text.as_ref()).collect();
        assert_eq!(shown, "Zo<U+00EB> - x");
        assert!(!text.is_odd());
    }

    #[test]
    fn an_address_is_broken_before_its_at_and_an_id_behind_a_hyphen() {
        assert_eq!(
            wrap("xenia.okafor95@example.net (verified)", 22),
            ["xenia.okafor95", "@example.net ", "(verified)"]
        );
        assert_eq!(wrap("0192f0c1-2b6a-7cde-8f00-0123456789ab", 22), ["0192f0c1-2b6a-7cde-", "8f00-0123456789ab"]);
        assert_eq!(wrap("@aaaaaaaa", 4), ["@aaa", "aaaa", "a"]);
    }

    #[test]
    fn a_huge_value_is_cut() {
        let huge = "x".repeat(1_000_000);
        assert_eq!(SafeText::of(&huge, false).width(), LONGEST + "<cut>".len());
    }
}
