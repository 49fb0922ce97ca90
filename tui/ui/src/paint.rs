//! The only way onto the screen: lines made of cells, each cut and padded to columns that are known.
//!
//! Every text, ours or not, goes through `safe_text` here; no view touches the buffer with text of its own.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::buffer::CellWidth;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::glyphs::{ASCII, Glyphs, UNICODE};
use crate::safe_text::{Piece, SafeText};
use crate::theme::{Role, Theme};

/// How everything is drawn: which signs and which styles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) theme: Theme,
    pub(crate) glyphs: &'static Glyphs,
}

impl Look {
    pub(crate) fn new(theme: Theme, ascii: bool) -> Self {
        Self { theme, glyphs: if ascii { &ASCII } else { &UNICODE } }
    }

    /// A new line.
    pub(crate) fn line(self) -> Cells {
        Cells { look: self, spans: Vec::new(), width: 0, selected: false }
    }

    pub(crate) fn ascii(self) -> bool {
        self.glyphs.ascii
    }

    /// A text in lines of at most `width` columns.
    pub(crate) fn wrap(self, text: &str, role: Role, width: usize) -> Vec<Cells> {
        let lines = SafeText::of(text, self.ascii()).wrap(width.max(1));
        let line = |pieces: Vec<Piece<'_>>| {
            let mut cells = self.line();
            pieces.into_iter().for_each(|piece| cells.piece(piece, role));
            cells
        };
        lines.into_iter().map(line).collect()
    }

    /// How many columns a text takes.
    pub(crate) fn width(self, text: &str) -> usize {
        SafeText::of(text, self.ascii()).width()
    }
}

/// A line under construction.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    look: Look,
    spans: Vec<Span<'static>>,
    width: usize,
    selected: bool,
}

impl Cells {
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// From here on everything is drawn as selected.
    pub(crate) fn select(&mut self) {
        self.selected = true;
    }

    /// The text in full.
    pub(crate) fn text(&mut self, text: &str, role: Role) {
        SafeText::of(text, self.look.ascii()).pieces.into_iter().for_each(|piece| self.piece(piece, role));
    }

    /// The text in exactly `width` columns: cut at its end, or padded. What had to be written out is marked.
    pub(crate) fn cell(&mut self, text: &str, role: Role, width: usize) {
        self.marked(text, &[], role, width);
    }

    /// The same, with the letters marked that were looked for, counted from 0.
    pub(crate) fn marked(&mut self, text: &str, letters: &[usize], role: Role, width: usize) {
        let mut safe = SafeText::of(text, self.look.ascii());
        safe.mark(text, letters);
        let end = self.width + width;
        let mark = self.look.glyphs.odd;
        let room = mark.cell_width() as usize + 1;
        if safe.is_odd() && width > room {
            self.pieces(safe.fit(width - room, self.look.glyphs.cut), role);
            self.text(" ", role);
            self.piece(Piece { text: Cow::Borrowed(mark), width: room - 1, odd: true, mark: false }, role);
        } else {
            self.pieces(safe.fit(width, self.look.glyphs.cut), role);
        }
        self.to(end);
    }

    /// The text in exactly `width` columns: cut in its middle, or padded.
    pub(crate) fn id(&mut self, text: &str, role: Role, width: usize) {
        self.marked_id(text, &[], role, width);
    }

    /// The same, with the letters marked that were looked for, counted from 0.
    pub(crate) fn marked_id(&mut self, text: &str, letters: &[usize], role: Role, width: usize) {
        let end = self.width + width;
        let mut safe = SafeText::of(text, self.look.ascii());
        safe.mark(text, letters);
        self.pieces(safe.fit_middle(width, self.look.glyphs.cut), role);
        self.to(end);
    }

    /// The text at the right end of `width` columns.
    pub(crate) fn right(&mut self, text: &str, role: Role, width: usize) {
        let safe = SafeText::of(text, self.look.ascii());
        self.to(self.width + width.saturating_sub(safe.width()));
        self.pieces(safe.fit(width, self.look.glyphs.cut), role);
    }

    /// Blanks up to a column.
    pub(crate) fn to(&mut self, column: usize) {
        let blanks = column.saturating_sub(self.width);
        if blanks > 0 {
            let text = Cow::Owned(" ".repeat(blanks));
            self.piece(Piece { text, width: blanks, odd: false, mark: false }, Role::Plain);
        }
    }

    /// A sign again and again up to a column.
    pub(crate) fn fill(&mut self, sign: &'static str, role: Role, column: usize) {
        let count = column.saturating_sub(self.width);
        if count > 0 {
            self.piece(Piece { text: Cow::Owned(sign.repeat(count)), width: count, odd: false, mark: false }, role);
        }
    }

    /// Another line behind this one.
    pub(crate) fn append(&mut self, other: Self) {
        self.width += other.width;
        self.spans.extend(other.spans);
    }

    /// Draws it on the line `y` of `area`, and nothing beside that.
    pub(crate) fn draw(self, frame: &mut Frame<'_>, area: Rect, y: u16) {
        let area = area.intersection(frame.area());
        if y < area.y || y >= area.bottom() || area.width == 0 {
            return;
        }
        frame.buffer_mut().set_line(area.x, y, &Line::from(self.spans), area.width);
    }

    fn pieces(&mut self, pieces: Vec<Piece<'_>>, role: Role) {
        pieces.into_iter().for_each(|piece| self.piece(piece, role));
    }

    fn piece(&mut self, piece: Piece<'_>, role: Role) {
        let mut style = self.style(if piece.odd { Role::Odd } else { role });
        if piece.mark {
            // By what is there in every theme, and under the cursor, too.
            style = style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED).remove_modifier(Modifier::DIM);
        }
        self.width += piece.width;
        match self.spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(&piece.text),
            _ => self.spans.push(Span::styled(piece.text.into_owned(), style)),
        }
    }

    fn style(&self, role: Role) -> Style {
        let theme = self.look.theme;
        match (self.selected, role) {
            (false, role) => theme.style(role),
            (true, Role::Odd) => theme.style(Role::Selection).underlined(),
            (true, Role::Found) => theme.style(Role::Selection).bold().underlined(),
            (true, Role::Strong | Role::Danger) => theme.style(Role::Selection).bold(),
            (true, _) => theme.style(Role::Selection),
        }
    }
}

/// Draws lines from the top of `area`, leaving out the first `skip`.
pub(crate) fn draw_all(lines: Vec<Cells>, skip: usize, frame: &mut Frame<'_>, area: Rect) {
    for (y, line) in (area.y..area.bottom()).zip(lines.into_iter().skip(skip)) {
        line.draw(frame, area, y);
    }
}
