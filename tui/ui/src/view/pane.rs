//! A page that takes everything between the top line and the bottom line: a title, and what stands below it.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::dialog::clear;
use super::progress;
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look};
use crate::theme::Role;
use crate::words::counted;

/// Columns of a label at the left.
pub(super) const LABEL: usize = 12;

/// The whole page, its title among it. The message line stays free while there is something in it.
pub(super) fn area(layout: &Layout) -> Rect {
    let height = layout.message.y.saturating_sub(layout.tabs.y);
    Rect { x: 0, y: layout.tabs.y, width: layout.header.width, height }
}

/// Empties the page, draws its title, and gives what is below. The line that has the count of what is marked lies below the
/// page: the title has it.
pub(super) fn begin(
    model: &Model,
    frame: &mut Frame<'_>,
    layout: &Layout,
    (title, role): (&str, Role),
    aside: &str,
) -> Rect {
    let look = model.look();
    let area = area(layout);
    clear(frame, area);
    let width = usize::from(area.width);
    let mut line = look.line();
    line.text(&format!("{0}{0} ", look.glyphs.rule), Role::Muted);
    let marked = progress::marks(model).unwrap_or_default();
    let right = look.width(&marked) + if aside.is_empty() { 0 } else { look.width(aside) + 3 };
    let room = width.saturating_sub(line.width() + right + 2);
    line.cell(title, role, look.width(title).min(room));
    line.text(" ", Role::Plain);
    line.fill(look.glyphs.rule, Role::Muted, width.saturating_sub(right));
    line.text(&marked, Role::Accent);
    if !aside.is_empty() {
        line.text(&format!(" {aside} "), Role::Muted);
    }
    line.fill(look.glyphs.rule, Role::Muted, width);
    line.draw(frame, area, area.y);
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

/// Keeps as many lines as there is room for; where some are left out, the last one says so.
pub(super) fn cut(look: Look, lines: &mut Vec<Cells>, room: usize, width: usize) {
    if lines.len() <= room {
        return;
    }
    let kept = room.saturating_sub(1);
    let beyond = counted((lines.len() - kept) as u64, "line", "lines");
    lines.truncate(kept);
    if room > 0 {
        let mut line = look.line();
        line.cell(&format!(" {} {beyond} more, in a larger window", look.glyphs.below), Role::Attention, width);
        lines.push(line);
    }
}

/// A label, and beside it a text in as many lines as it takes.
pub(super) fn labelled(look: Look, label: &str, text: &str, role: Role, width: usize) -> Vec<Cells> {
    let body = look.wrap(text, role, width.saturating_sub(LABEL + 2));
    beside(look, label, body)
}

/// A label, and lines beside it.
pub(super) fn beside(look: Look, label: &str, body: Vec<Cells>) -> Vec<Cells> {
    let line = |(at, body): (usize, Cells)| {
        let mut line = look.line();
        line.text(" ", Role::Plain);
        line.cell(if at == 0 { label } else { "" }, Role::Muted, LABEL);
        line.append(body);
        line
    };
    body.into_iter().enumerate().map(line).collect()
}
