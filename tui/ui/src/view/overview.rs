//! The overview: what there is as bars, why it looks like this, and what the pool is asked.
//!
//! Bars and numbers stand in columns, so that two scans, or two pools, can be compared at a glance. The causes stand beside
//! them, below them where there is no room; what has no room scrolls with the cursor.

mod causes;
mod counts;
mod spent;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::sheet::skip_to;
use super::{Regions, progress};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look};
use crate::theme::Role;

/// A line, and which of the items it belongs to.
type Line = (Option<usize>, Cells);

/// The counts need no more than this.
const WIDEST: u16 = 104;

/// All that is below the line on the scan.
pub(super) fn area(layout: &Layout) -> Rect {
    let y = layout.notice.bottom() + 1;
    Rect { x: 0, y, width: layout.header.width, height: layout.message.y.saturating_sub(y) }
}

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let look = model.look();
    let area = area(layout);
    progress::draw(model, frame, Rect { y: area.y - 1, height: 1, ..area });
    let items = model.items();
    let on = model.selected(&items);
    regions.choices = vec![Rect::default(); items.len()];
    let left = if layout.splits_overview() { (area.width * 9 / 16).min(WIDEST) } else { area.width };
    let counts = |all| counts::lines(model, &items, on, usize::from(left), all);
    let few = counts(false);
    // What is asked of the pool is one line where the meters have no room.
    let meters = spent::meters(model, usize::from(area.width));
    let has_room = few.len() + 2 + meters.len() <= usize::from(area.height);
    let spent = if has_room { meters } else { spent::summary(model, usize::from(area.width)) };
    let height = area.height - (spent.len() as u16).min(area.height);
    for (y, line) in (area.y + height..area.bottom()).zip(spent) {
        line.draw(frame, area, y);
    }
    if !layout.splits_overview() {
        let mut lines = few;
        lines.push((None, look.line()));
        lines.extend(causes::lines(model, &items, on, usize::from(area.width), usize::MAX));
        return panel(look, lines, on, Rect { height, ..area }, frame, regions);
    }
    // Where all have room they stand in their places, and those that there are none of, too.
    let all = counts(true);
    let all = if all.len() <= usize::from(height) { all } else { few };
    panel(look, all, on, Rect { width: left, height, ..area }, frame, regions);
    // The titles are one line across.
    let between = Rect { x: left, width: 1, height, ..area };
    for y in between.y..between.bottom() {
        let mut line = look.line();
        line.text(if y == between.y { look.glyphs.rule } else { look.glyphs.upright }, Role::Muted);
        line.draw(frame, between, y);
    }
    let right = Rect { x: left + 1, width: area.width - left - 1, height, ..area };
    let causes = causes::lines(model, &items, on, usize::from(right.width), usize::from(height));
    panel(look, causes, on, right, frame, regions);
}

/// Draws lines below a title that stays, as far down as it takes to see the selected one, and says where the items stand.
fn panel(look: Look, mut lines: Vec<Line>, on: usize, area: Rect, frame: &mut Frame<'_>, regions: &mut Regions) {
    if lines.is_empty() || area.height == 0 {
        return;
    }
    lines.remove(0).1.draw(frame, area, area.y);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let room = usize::from(body.height);
    let of_selected = |(item, _): &Line| *item == Some(on);
    let first = lines.iter().position(of_selected).unwrap_or(0);
    let last = lines.iter().rposition(of_selected).unwrap_or(0);
    let skip = skip_to(last, lines.len(), room).min(first);
    let below = lines.len().saturating_sub(skip + room);
    for (y, (item, line)) in (body.y..body.bottom()).zip(lines.into_iter().skip(skip)) {
        if below > 0 && y + 1 == body.bottom() {
            let mut more = look.line();
            more.cell(
                &format!(" {} {} more below", look.glyphs.below, below + 1),
                Role::Muted,
                usize::from(body.width),
            );
            more.draw(frame, body, y);
            break;
        }
        if let Some(place) = item.and_then(|item| regions.choices.get_mut(item)) {
            let here = Rect { y, height: 1, ..body };
            *place = if place.is_empty() { here } else { place.union(here) };
        }
        line.draw(frame, body, y);
    }
}

/// `── What there is ───────── since 2026-11-22 09:12 UTC, 1 d ago ──`
fn rule(look: Look, title: &str, aside: &str, width: usize) -> Cells {
    let mut line = look.line();
    line.text(&format!("{0}{0} ", look.glyphs.rule), Role::Muted);
    line.text(title, Role::Strong);
    line.text(" ", Role::Plain);
    let end = width.saturating_sub(if aside.is_empty() { 0 } else { look.width(aside) + 4 });
    line.fill(look.glyphs.rule, Role::Muted, end);
    if !aside.is_empty() {
        line.text(&format!(" {aside} "), Role::Muted);
        line.fill(look.glyphs.rule, Role::Muted, width);
    }
    line
}
