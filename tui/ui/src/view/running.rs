//! A run while it is written, and what came of it.

use ratatui::Frame;
use userlink_domain::Group;

use super::dialog::{Dialog, inner_width};
use super::pane::{self, labelled};
use super::preview::{values, what};
use crate::glyphs::group_sign;
use crate::keys::Command;
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, draw_all};
use crate::plan::{DraftKind, NotDone, Outcome, Running};
use crate::repairs::Writing;
use crate::theme::Role;
use crate::words::{left, thousands};

/// In a few words, for the message line, too.
pub(super) fn so_far(running: &Running) -> String {
    let mut text = format!("{} of {} steps", thousands(running.made), thousands(running.total));
    if running.not_done > 0 {
        text.push_str(&format!(", {} not done", thousands(running.not_done)));
    }
    if running.per_second > 0.0 {
        text.push_str(&format!(", {:.1} a second", running.per_second));
    }
    if let Some(seconds) = running.seconds_left.filter(|_| running.made < running.total) {
        text.push_str(&format!(", {}", left(seconds)));
    }
    text
}

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, writing: &Writing) {
    let look = model.look();
    let width = inner_width(layout);
    let running = &writing.running;
    let [start, full, rest, end] = look.glyphs.meter;
    let mut bar = look.line();
    bar.text(start, Role::Muted);
    let inner = width.saturating_sub(2);
    let part = (running.made.min(running.total) as usize * inner).checked_div(running.total as usize).unwrap_or(0);
    bar.fill(full, Role::Accent, 1 + part);
    bar.fill(rest, Role::Muted, 1 + inner);
    bar.text(end, Role::Muted);
    let mut lines = vec![bar, look.line()];
    let mut so_far_line = look.line();
    so_far_line.text(&format!("{} ", model.spinner()), Role::Accent);
    so_far_line.cell(&so_far(running), Role::Plain, width.saturating_sub(2));
    lines.push(so_far_line);
    let text = if writing.stopping {
        "It stops: the steps under way are finished and journalled, and no other is begun."
    } else {
        "Each step is written, then read back to see that it holds."
    };
    lines.extend(look.wrap(text, Role::Muted, width));
    let title = format!("Repairing {}", model.called(&writing.title));
    Dialog { title: &title, title_role: Role::Strong, aside: "", lines, skip: 0, choices: &[], marked: 0 }
        .draw(look, frame, layout);
}

/// What came of it: as a box where all was done, else on a page with what was not.
pub(super) fn over(model: &Model, frame: &mut Frame<'_>, layout: &Layout, outcome: &Outcome, scroll: usize) {
    let look = model.look();
    let group = if outcome.complete { Group::Linked } else { Group::Conflict };
    let (sign, role) = group_sign(group, look.ascii());
    let title = match (outcome.complete, outcome.stopped) {
        (true, _) => format!("{sign} {}", done(&outcome.kind)),
        (false, true) => format!("{sign} Stopped before its end"),
        (false, false) => format!("{sign} Not repaired as planned"),
    };
    if outcome.complete {
        let lines = about(model, outcome, inner_width(layout));
        Dialog { title: &title, title_role: role, aside: "", lines, skip: scroll, choices: &["Close"], marked: 0 }
            .draw(look, frame, layout);
        return;
    }
    let below = pane::begin(model, frame, layout, (&title, role), "");
    draw_all(page(model, outcome, usize::from(below.width)), scroll, frame, below);
}

/// What was done, for a title.
fn done(kind: &DraftKind) -> &'static str {
    match kind {
        DraftKind::Repair => "Repaired, and read back",
        DraftKind::Contain => "Contained, and read back",
        DraftKind::Undo(_) => "Taken back, and read back",
        DraftKind::SignOut => "Signed out",
    }
}

pub(super) fn furthest(model: &Model, layout: &Layout, outcome: &Outcome) -> usize {
    if outcome.complete {
        return 0;
    }
    let area = pane::area(layout);
    page(model, outcome, usize::from(area.width)).len().saturating_sub(usize::from(area.height.saturating_sub(1)))
}

fn page(model: &Model, outcome: &Outcome, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = about(model, outcome, width);
    lines.push(look.line());
    for step in &outcome.not_done {
        lines.extend(not_done(model, step, width));
    }
    let beyond = outcome.not_done_in_all.saturating_sub(outcome.not_done.len() as u64);
    if beyond > 0 {
        let text = format!(" and {} more, which the history has", thousands(beyond));
        lines.extend(look.wrap(&text, Role::Muted, width));
    }
    lines
}

fn not_done(model: &Model, step: &NotDone, width: usize) -> Vec<Cells> {
    let look = model.look();
    let (_, after) = values(look, &step.step);
    let mut head = look.line();
    head.text(" ", Role::Plain);
    head.right(&thousands(step.number.unsigned_abs()), Role::Muted, 6);
    head.text("  ", Role::Plain);
    head.cell(&step.ended, Role::Danger, 10);
    let text = format!("{} {} {after}", what(model, &step.step), look.glyphs.becomes);
    head.cell(&text, Role::Plain, width.saturating_sub(20));
    let mut lines = vec![head];
    for body in look.wrap(&model.told(&step.words), Role::Muted, width.saturating_sub(20)) {
        let mut line = look.line();
        line.to(19);
        line.append(body);
        lines.push(line);
    }
    lines
}

fn about(model: &Model, outcome: &Outcome, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines: Vec<_> =
        outcome.words.iter().flat_map(|text| look.wrap(&model.told(text), Role::Plain, width)).collect();
    let counts: Vec<_> = outcome.counts.iter().map(|(how, count)| format!("{} {how}", thousands(*count))).collect();
    lines.extend(labelled(look, "Steps", &counts.join(", "), Role::Strong, width));
    lines.extend(labelled(look, "Run", &outcome.run, Role::Muted, width));
    let mut next = Vec::new();
    if !outcome.complete {
        next.push(format!("{} plans what was not done again", model.keys.key_of(Command::Again)));
    }
    if outcome.undoable {
        next.push(format!("{} takes it back", model.keys.key_of(Command::Undo)));
    }
    if let Some(sessions) = &outcome.sessions {
        let key = model.keys.key_of(Command::SignOut);
        let text = format!("tokens may carry the id that was before: {}. {key} signs out", sessions.tokens);
        lines.extend(labelled(look, "Sessions", &text, Role::Attention, width));
    }
    if !next.is_empty() {
        lines.extend(labelled(look, "Next", &next.join("; "), Role::Plain, width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_fits_on_a_line() {
        let running = Running { made: 9_000, total: 10_000, not_done: 12, per_second: 4.97, seconds_left: Some(201) };
        assert_eq!(so_far(&running), "9,000 of 10,000 steps, 12 not done, 5.0 a second, 4 min left");
        assert_eq!(so_far(&Running { total: 1, ..Running::default() }), "0 of 1 steps");
    }
}
