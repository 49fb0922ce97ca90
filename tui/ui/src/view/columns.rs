//! The choice of columns: which are there, and how wide they are.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::Regions;
use super::dialog::{Dialog, inner_height, inner_width, skipped};
use crate::layout::Layout;
use crate::model::Model;
use crate::theme::Role;

/// How wide the names are.
const NAME: usize = 20;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let look = model.look();
    let (columns, widths) = (&model.browse.columns, model.widths());
    let all = columns.all(&model.names);
    let at = model.browse.choosing.unwrap_or(0);
    let width = inner_width(layout);
    let lines = all.iter().enumerate().map(|(line, cell)| {
        let mut cells = look.line();
        let selected = line == at;
        cells.text(if selected { look.glyphs.bar } else { " " }, Role::Accent);
        if selected {
            cells.select();
        }
        let there = widths.cells.iter().find(|(it, _)| it == cell).map(|(_, width)| *width);
        cells.text(if there.is_some() { " [x] " } else { " [ ] " }, Role::Strong);
        cells.cell(&cell.words(&model.names), Role::Plain, NAME);
        let wide = there.map(|width| width.to_string()).unwrap_or_default();
        cells.right(&wide, Role::Muted, 4);
        let why = match (columns.choice(*cell), there) {
            (Some(true), None) => "no room here",
            (Some(_), _) => "as you chose",
            (None, _) => "",
        };
        cells.text("  ", Role::Plain);
        cells.cell(why, Role::Muted, width.saturating_sub(cells.width()));
        cells
    });
    let lines: Vec<_> = lines.collect();
    let count = lines.len();
    let skip = skipped(at, count, inner_height(layout));
    let aside = if columns.is_default() { "as the terminal has room" } else { "" };
    let dialog =
        Dialog { title: "Columns", title_role: Role::Strong, aside, lines, skip, choices: &["Close"], marked: 0 };
    let body = dialog.draw(look, frame, layout);
    regions.choices = Vec::new();
    // Those that are scrolled away stand nowhere.
    regions.choices.extend((0..skip).map(|_| Rect::default()));
    let shown = (0..count - skip).map(|line| Rect { y: body.y + line as u16, height: 1, ..body });
    regions.choices.extend(shown.map(|place| place.intersection(body)));
}
