//! The groups with their counts, in columns so that each is always in its place.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::Group;

use super::Regions;
use crate::event::Phase;
use crate::glyphs::group_sign;
use crate::layout::{Layout, tabs_in_a_line};
use crate::model::Model;
use crate::paint::Cells;
use crate::theme::Role;
use crate::words::{capital, short, thousands};

/// A tab is no wider than this, so that number and word stay together.
const WIDEST: u16 = 24;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let area = layout.tabs;
    let in_a_line = tabs_in_a_line(area.width);
    let width = (area.width / in_a_line).min(WIDEST);
    for (at, group) in (0u16..).zip(model.tabs()) {
        let place = Rect { x: at % in_a_line * width, y: area.y + at / in_a_line, width, height: 1 };
        tab(model, group, usize::from(width)).draw(frame, place, place.y);
        regions.tabs.push((place, group));
    }
}

fn tab(model: &Model, group: Option<Group>, width: usize) -> Cells {
    let look = model.look();
    let mut line = look.line();
    let selected = model.list.spec.group == group;
    line.text(if selected { look.glyphs.bar } else { " " }, Role::Accent);
    if selected {
        line.select();
    }
    let (sign, role) = group.map_or((" ", Role::Plain), |group| group_sign(group, look.ascii()));
    let word = match group {
        None => "All".to_owned(),
        Some(Group::Unsettled) if model.phase() != Phase::Complete => "Reading".to_owned(),
        Some(group) => capital(group.name()),
    };
    if group.is_some() {
        line.text(sign, role);
        line.text(" ", Role::Plain);
    }
    line.text(&word, role);
    let end = width - 2;
    let count = model.counts.of(group);
    let room = end.saturating_sub(line.width());
    let long = thousands(count);
    let text = if look.width(&long) < room { long } else { short(count) };
    line.right(&text, if count == 0 { Role::Muted } else { Role::Strong }, room);
    line.to(width - 1);
    line
}
