//! A page that takes the place of the list: a title, and lines below it.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::dialog::clear;
use crate::paint::{Cells, Look, draw_all};
use crate::theme::Role;

/// What such a page holds.
pub(super) struct Sheet<'a> {
    pub(super) title: &'a str,
    /// At the right end of the title.
    pub(super) aside: &'a str,
    /// How many are marked, where the line with that lies below the page.
    pub(super) marked: Option<String>,
    /// What stays where it is, below the title.
    pub(super) head: Vec<Cells>,
    pub(super) lines: Vec<Cells>,
    /// So many lines are left out at the top.
    pub(super) skip: usize,
}

impl Sheet<'_> {
    /// Draws it, and says where its lines stand.
    pub(super) fn draw(self, look: Look, frame: &mut Frame<'_>, area: Rect) -> Rect {
        clear(frame, area);
        let width = usize::from(area.width);
        let mut title = look.line();
        title.text(&format!("{0}{0} ", look.glyphs.rule), Role::Muted);
        title.text(self.title, Role::Strong);
        title.text(" ", Role::Plain);
        let aside = if self.aside.is_empty() { 0 } else { look.width(self.aside) + 4 };
        let marked = self.marked.unwrap_or_default();
        title.fill(look.glyphs.rule, Role::Muted, width.saturating_sub(aside + look.width(&marked)));
        title.text(&marked, Role::Accent);
        if aside > 0 {
            title.text(&format!(" {} ", self.aside), Role::Muted);
            title.fill(look.glyphs.rule, Role::Muted, width);
        }
        title.draw(frame, area, area.y);
        let above = 1 + self.head.len() as u16;
        draw_all(self.head, 0, frame, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area });
        let body = Rect { y: area.y + above, height: area.height.saturating_sub(above), ..area };
        let below = self.lines.len().saturating_sub(self.skip) > usize::from(body.height);
        draw_all(self.lines, self.skip, frame, body);
        if below && body.height > 0 {
            let mut line = look.line();
            line.cell(&format!(" {} more below", look.glyphs.below), Role::Muted, width);
            line.draw(frame, body, body.bottom() - 1);
        }
        Rect { height: body.height - u16::from(below && body.height > 0), ..body }
    }
}

/// How many lines are left out so that the chosen one is seen, where so many fit.
pub(super) fn skip_to(chosen: usize, lines: usize, room: usize) -> usize {
    // The last line says that more follow, where more do.
    let seen = if lines > room { room.saturating_sub(1) } else { room };
    let skip = (chosen + 1).saturating_sub(seen.max(1));
    if skip + room > lines { lines.saturating_sub(room) } else { skip }
}

#[cfg(test)]
mod tests {
    use super::skip_to;

    #[test]
    fn the_chosen_line_is_always_seen() {
        for lines in 1..40usize {
            for room in 2..20usize {
                for chosen in 0..lines {
                    let skip = skip_to(chosen, lines, room);
                    let below = lines - skip > room;
                    let seen = skip + if below { room - 1 } else { room };
                    assert!((skip..seen).contains(&chosen), "{chosen} of {lines} in {room}");
                    assert!(skip == 0 || skip + room <= lines, "no empty lines");
                }
            }
        }
    }
}
