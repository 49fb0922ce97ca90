//! A box in the middle of the screen, with a title, lines that can be scrolled, and a choice.

use ratatui::Frame;
use ratatui::buffer::CellWidth;
use ratatui::layout::Rect;

use crate::layout::Layout;
use crate::paint::{Cells, Look};
use crate::theme::Role;

/// Fewer columns than this are not worth showing beside a box.
const READABLE: u16 = 16;

/// What a box holds.
pub(super) struct Dialog<'a> {
    pub(super) title: &'a str,
    pub(super) title_role: Role,
    /// At the right end of the title.
    pub(super) aside: &'a str,
    pub(super) lines: Vec<Cells>,
    pub(super) skip: usize,
    /// The choices, and which of them is marked.
    pub(super) choices: &'a [&'a str],
    pub(super) marked: usize,
}

/// How many columns the lines of a box may take.
pub(super) fn inner_width(layout: &Layout) -> usize {
    usize::from(layout.header.width.saturating_sub(10)).min(84)
}

/// How many lines of a box are shown at most.
pub(super) fn inner_height(layout: &Layout) -> usize {
    usize::from(layout.message.y - layout.progress.y).saturating_sub(6).max(1)
}

/// How many of so many lines are skipped so that one of them is seen, with what says that there are more below it.
pub(super) fn skipped(line: usize, all: usize, room: usize) -> usize {
    (line + 2).saturating_sub(room.max(2)).min(all.saturating_sub(room))
}

impl Dialog<'_> {
    /// Draws it, and says where its lines stand.
    pub(super) fn draw(self, look: Look, frame: &mut Frame<'_>, layout: &Layout) -> Rect {
        let inner = inner_width(layout);
        let (all, room) = (self.lines.len(), inner_height(layout));
        let skip = self.skip.min(all.saturating_sub(room));
        // Where there is room for one line alone, it is a line of the box.
        let below = all - skip > room && room > 1;
        let mut body: Vec<_> = self.lines.into_iter().skip(skip).take(room).collect();
        if below {
            let mut line = look.line();
            line.text(&format!("{} more below", look.glyphs.below), Role::Muted);
            body.pop();
            body.push(line);
        }
        body.insert(0, look.line());
        body.push(look.line());
        body.push(choices(look, self.choices, self.marked, inner));
        let width = u16::try_from(inner + 6).unwrap_or(u16::MAX);
        let height = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
        let (from, to) = (layout.progress.y + 1, layout.message.y);
        let y = from + (to - from).saturating_sub(height) / 2;
        let area = Rect { x: (layout.header.width - width) / 2, y, width, height };
        // A strip too narrow to read beside the box would only be noise.
        let beside = if area.x < READABLE { Rect { x: 0, width: layout.header.width, ..area } } else { area };
        clear(frame, beside);
        let [left_top, right_top, left_end, right_end] = look.glyphs.corners;
        let end = usize::from(width) - 1;
        let mut top = look.line();
        top.text(&format!("{left_top}{} ", look.glyphs.rule), Role::Muted);
        let aside = if self.aside.is_empty() { 0 } else { look.width(self.aside) + 3 };
        let title = look.width(self.title).min(end.saturating_sub(top.width() + aside + 1));
        top.cell(self.title, self.title_role, title);
        top.text(" ", Role::Plain);
        top.fill(look.glyphs.rule, Role::Muted, end - aside);
        if aside > 0 {
            top.text(&format!(" {} ", self.aside), Role::Muted);
            top.fill(look.glyphs.rule, Role::Muted, end);
        }
        top.text(right_top, Role::Muted);
        top.draw(frame, area, area.y);
        for (at, cells) in (1..).zip(body) {
            let mut line = look.line();
            line.text(look.glyphs.upright, Role::Muted);
            line.to(3);
            line.append(cells);
            line.to(end);
            line.text(look.glyphs.upright, Role::Muted);
            line.draw(frame, area, area.y + at);
        }
        let mut bottom = look.line();
        bottom.text(left_end, Role::Muted);
        bottom.fill(look.glyphs.rule, Role::Muted, end);
        bottom.text(right_end, Role::Muted);
        bottom.draw(frame, area, area.bottom() - 1);
        let shown = (all - skip).min(room) as u16;
        Rect { x: area.x + 1, y: area.y + 2, width: width - 2, height: shown - u16::from(below) }
    }
}

fn choices(look: Look, choices: &[&str], marked: usize, width: usize) -> Cells {
    let mut line = look.line();
    let wide: usize =
        choices.iter().map(|choice| look.width(choice) + 4).sum::<usize>() + 2 * choices.len().saturating_sub(1);
    line.to(width.saturating_sub(wide));
    for (at, choice) in choices.iter().enumerate() {
        if at > 0 {
            line.text("  ", Role::Plain);
        }
        if at == marked {
            line.text(&format!("[ {choice} ]"), Role::Selection);
        } else {
            line.text(&format!("  {choice}  "), Role::Plain);
        }
    }
    line
}

/// Empties an area. A wide letter that reaches into it from the left goes too: its second half would hide the edge.
pub(super) fn clear(frame: &mut Frame<'_>, area: Rect) {
    let area = area.intersection(frame.area());
    let buffer = frame.buffer_mut();
    for y in area.y..area.bottom() {
        if let Some(x) = area.x.checked_sub(1)
            && let Some(cell) = buffer.cell_mut((x, y))
            && cell.symbol().cell_width() > 1
        {
            cell.set_symbol(" ");
        }
        for x in area.x..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}
