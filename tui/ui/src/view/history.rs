//! What was done, by whom and why, by days.

use ratatui::Frame;
use userlink_domain::{Group, RecordRef, Timestamp};

use super::preview::{values, what};
use super::{Regions, pane};
use crate::glyphs::{group_sign, situation_words};
use crate::history::{HistoryOf, Page, Recorded, RunDone, StepDone};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::Cells;
use crate::theme::Role;
use crate::words::{absolute, counted, thousands};

const DAY: i64 = 86_400_000;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, page: &Page, regions: &mut Regions) {
    let look = model.look();
    let title = match &page.of {
        HistoryOf::Runs => "History".to_owned(),
        HistoryOf::Run(run) => format!("Run {run}"),
        HistoryOf::Record(RecordRef::User(sub)) => format!("History of user {sub}"),
        HistoryOf::Record(RecordRef::Row(id)) => format!("History of row {id}"),
    };
    let all = match (&page.told, page.total() as u64) {
        (Some(Ok(Recorded::Runs(_))), count) => counted(count, "run", "runs"),
        (Some(Ok(Recorded::Steps(_))), count) => counted(count, "step", "steps"),
        _ => String::new(),
    };
    let aside = if page.is_filtered() { format!("{} of {all}", thousands(page.len() as u64)) } else { all };
    let below = pane::begin(model, frame, layout, (&title, Role::Strong), &aside);
    let width = usize::from(below.width);
    let text = match &page.told {
        None => Some(format!("  The journal is being read{}", look.glyphs.more)),
        Some(Err(text)) => Some(format!("  {text}")),
        Some(Ok(_)) if page.len() == 0 && page.is_filtered() => {
            Some("  Nothing here matches the filter. Esc lets everything through again.".to_owned())
        }
        Some(Ok(_)) if page.len() == 0 => {
            Some("  The journal has nothing. What is repaired from here will stand here.".to_owned())
        }
        Some(Ok(_)) => None,
    };
    if let Some(text) = text {
        return crate::paint::draw_all(look.wrap(&text, Role::Muted, width), 0, frame, below);
    }
    let (lines, places) = lines(model, page, width);
    let at = places.get(page.cursor).copied().unwrap_or_default();
    // The cursor's lines are on the screen, and the heading of its day where there is room.
    let skip = at.1.saturating_sub(usize::from(below.height)).min(at.0);
    regions.choices = places.iter().map(|(from, to)| super::lines_on(below, skip, *from, *to)).collect();
    crate::paint::draw_all(lines, skip, frame, below);
}

/// All lines, and from where to where each of the runs or steps stands in them.
fn lines(model: &Model, page: &Page, width: usize) -> (Vec<Cells>, Vec<(usize, usize)>) {
    let look = model.look();
    let mut lines: Vec<Cells> = Vec::new();
    let (mut day, mut places) = (None, Vec::new());
    let mut heading = |lines: &mut Vec<Cells>, at: Timestamp| {
        let of = at.as_millis().div_euclid(DAY);
        if day != Some(of) {
            day = Some(of);
            let mut line = look.line();
            line.text(&format!("  {}", day_words(at, model.now)), Role::Strong);
            lines.push(line);
        }
    };
    match &page.told {
        Some(Ok(Recorded::Runs(_))) => {
            for (at, run) in page.runs().enumerate() {
                heading(&mut lines, run.at);
                let from = lines.len();
                lines.extend(run_lines(model, run, at == page.cursor, width));
                places.push((from, lines.len()));
            }
        }
        Some(Ok(Recorded::Steps(_))) => {
            for (at, step) in page.steps().enumerate() {
                heading(&mut lines, step.at);
                let from = lines.len();
                lines.extend(step_lines(model, step, at == page.cursor, width));
                places.push((from, lines.len()));
            }
        }
        _ => {}
    }
    (lines, places)
}

/// `Today`, `Yesterday`, or the date.
fn day_words(at: Timestamp, now: Timestamp) -> String {
    let date = absolute(at).chars().take(10).collect::<String>();
    match now.as_millis().div_euclid(DAY) - at.as_millis().div_euclid(DAY) {
        0 => format!("Today, {date} UTC"),
        1 => format!("Yesterday, {date} UTC"),
        _ => format!("{date} UTC"),
    }
}

fn clock(at: Timestamp) -> String {
    absolute(at).chars().skip(11).take(8).collect()
}

fn begin(model: &Model, selected: bool) -> Cells {
    let look = model.look();
    let mut line = look.line();
    line.text(if selected { look.glyphs.bar } else { " " }, Role::Accent);
    if selected {
        line.select();
    }
    line
}

fn run_lines(model: &Model, run: &RunDone, selected: bool, width: usize) -> Vec<Cells> {
    let look = model.look();
    let group = match (run.done == run.steps, run.done) {
        (true, _) => Group::Linked,
        (false, 0) => Group::Conflict,
        (false, _) => Group::Unlinked,
    };
    let (sign, role) = group_sign(group, look.ascii());
    let mut line = begin(model, selected);
    line.text(&format!(" {} ", clock(run.at)), Role::Muted);
    line.text(&format!("{sign} "), role);
    let mut text = format!("{} of {} done", run.done, counted(run.steps, "step", "steps"));
    if run.open > 0 {
        text.push_str(&format!(", {} open", run.open));
    }
    line.cell(&text, Role::Plain, 24);
    line.text(" ", Role::Plain);
    let room = width.saturating_sub(line.width());
    let who = (room / 3).max(16).min(room);
    line.cell(&model.called(&run.actor), Role::Strong, who);
    line.text(" ", Role::Plain);
    let rest = width.saturating_sub(line.width());
    line.cell(
        &model.told(run.reason.as_deref().unwrap_or("no reason given")),
        if run.reason.is_some() { Role::Plain } else { Role::Muted },
        rest,
    );
    vec![line]
}

fn step_lines(model: &Model, step: &StepDone, selected: bool, width: usize) -> Vec<Cells> {
    let look = model.look();
    let group = match (&step.outcome, step.written) {
        (_, true) => Group::Linked,
        (None, _) => Group::Unsettled,
        _ => Group::Conflict,
    };
    let (sign, role) = group_sign(group, look.ascii());
    let mut line = begin(model, selected);
    line.text(&format!(" {} ", clock(step.at)), Role::Muted);
    line.text(&format!("{sign} "), role);
    line.cell(step.outcome.as_deref().unwrap_or("open"), Role::Plain, 10);
    line.text(" ", Role::Plain);
    let (before, after) = values(look, &step.step);
    let about = model.called(step.about.as_deref().unwrap_or_default());
    let room = width.saturating_sub(line.width());
    let name = (room * 2 / 5).min(44);
    line.cell(&about, Role::Plain, name);
    line.text(" ", Role::Plain);
    let rest = width.saturating_sub(line.width());
    line.cell(&format!("{} {before} {} {after}", what(model, &step.step), look.glyphs.becomes), Role::Plain, rest);
    let mut second = begin(model, selected);
    second.to(12);
    let why = step.reason.as_deref().unwrap_or("no reason given");
    let detail = if step.detail.is_empty() { String::new() } else { format!(" {} {}", look.glyphs.dot, step.detail) };
    let text = format!(
        "step {} {} was {} {} by {} {} {why}{detail}",
        step.number,
        look.glyphs.dot,
        situation_words(step.situation),
        look.glyphs.dot,
        model.called(&step.actor),
        look.glyphs.dot
    );
    let rest = width.saturating_sub(second.width());
    second.cell(&model.told(&text), Role::Muted, rest);
    vec![line, second]
}
