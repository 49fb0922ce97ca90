//! One line on how far the scan is. It never jumps back, and a scan that stopped says what is kept.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::event::{Phase, Progress};
use crate::glyphs::group_sign;
use crate::keys::Command;
use crate::model::Model;
use crate::paint::Cells;
use crate::theme::Role;
use crate::words::{absolute, ago, counted, left, short, thousands};
use userlink_domain::Group;

/// From here on numbers are written in full.
const WIDE: usize = 110;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let line = match (&model.progress, model.phase()) {
        (None, _) | (_, Phase::Connecting) => connecting(model, width),
        (Some(progress), Phase::Reading) => reading(model, progress, width),
        (Some(progress), Phase::Paused) => paused(model, progress, width),
        (Some(progress), Phase::Complete) => complete(model, progress, width),
        (Some(progress), Phase::Failed) => failed(model, progress, width),
    };
    line.draw(frame, area, area.y);
    marked(model, frame, area);
}

/// How many are marked, where any are.
pub(super) fn marks(model: &Model) -> Option<String> {
    let count = model.marks.count;
    (count > 0).then(|| format!(" {} {} marked ", model.look().glyphs.mark, thousands(count)))
}

/// How many are marked, at the right end, whatever else stands on the line.
fn marked(model: &Model, frame: &mut Frame<'_>, line_area: Rect) {
    let Some(words) = marks(model) else { return };
    let mut line = model.look().line();
    line.text(&words, Role::Accent);
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(line_area.width);
    let area = Rect { x: line_area.right() - width, width, ..line_area };
    super::dialog::clear(frame, area);
    line.draw(frame, area, area.y);
}

fn connecting(model: &Model, width: usize) -> Cells {
    let mut line = model.look().line();
    line.text(&format!(" {} ", model.spinner()), Role::Accent);
    line.text(&format!("Connecting to the pool and the table{}", model.look().glyphs.more), Role::Muted);
    let shown = model.progress.as_ref().and_then(|progress| shown_from(model, progress));
    add(model, &mut line, shown.into_iter().collect(), width);
    line
}

/// That what is shown is not what is being read.
fn shown_from(model: &Model, progress: &Progress) -> Option<(String, Role)> {
    progress.shown_from.map(|at| (format!("shown is the scan of {}", ago(at, model.now)), Role::Attention))
}

fn reading(model: &Model, progress: &Progress, width: usize) -> Cells {
    let wide = width >= WIDE;
    let number = if wide { thousands } else { short };
    let side = |read: u64, about: Option<u64>, done: bool, of: &str, say_about: bool| match about {
        _ if done => format!("all {} {of}", number(read)),
        Some(about) if say_about && about >= read => format!("{} of about {} {of}", number(read), number(about)),
        _ => format!("{} {of}", number(read)),
    };
    let mut line = model.look().line();
    line.text(&format!(" {} ", model.spinner()), Role::Accent);
    line.text("Read ", Role::Muted);
    line.text(&side(progress.users, progress.users_about, progress.users_done, "users", true), Role::Strong);
    let rate = Some(progress.requests_per_second).filter(|rate| rate.is_finite() && *rate > 0.0);
    // As they stand; and where there is no room for all, those with the smaller number.
    let parts = [
        (0, shown_from(model, progress)),
        (3, Some((side(progress.rows, progress.rows_about, progress.rows_done, "rows", wide), Role::Plain))),
        (2, progress.throttled.then(|| ("throttled".to_owned(), Role::Attention))),
        (1, progress.seconds_left.map(|seconds| (left(seconds), Role::Plain))),
        (4, rate.map(|rate| (format!("{rate:.1} requests/s"), Role::Muted))),
    ];
    let bar = progress.users_about.is_some();
    let room = width.saturating_sub(if bar { meter_width(width) + 5 } else { 1 });
    let parts: Vec<_> = parts.into_iter().filter_map(|(rank, part)| Some((rank, part?))).collect();
    let parts = most_wanted(model, parts, room.saturating_sub(line.width()));
    add(model, &mut line, parts, room);
    if bar {
        meter(model, &mut line, width);
    }
    line
}

/// Only as wide as the terminal makes it: the bar must not grow or shrink with the words beside it.
fn meter_width(width: usize) -> usize {
    (width / 6).clamp(10, 32)
}

fn meter(model: &Model, line: &mut Cells, width: usize) {
    let [start, full, rest, end] = model.look().glyphs.meter;
    let inner = meter_width(width);
    line.to(width.saturating_sub(inner + 3));
    line.text(start, Role::Muted);
    let from = line.width();
    line.fill(full, Role::Accent, from + inner * usize::from(model.reached) / 1_000);
    line.fill(rest, Role::Muted, from + inner);
    line.text(end, Role::Muted);
}

fn complete(model: &Model, progress: &Progress, width: usize) -> Cells {
    let mut line = model.look().line();
    let (sign, role) = group_sign(Group::Linked, model.setup.ascii);
    line.text(&format!(" {sign} "), role);
    match progress.finished_at {
        Some(at) => {
            line.text("Read everything at ", Role::Plain);
            line.text(&absolute(at), Role::Strong);
            line.text(&format!(", {}", ago(at, model.now)), Role::Plain);
        }
        None => line.text("Read everything", Role::Plain),
    }
    let number = if width >= WIDE { thousands } else { short };
    let mut parts = Vec::new();
    if progress.malformed_subs > 0 {
        let (one, many) = if width >= WIDE {
            ("row with a sub that is no UUID", "rows with a sub that is no UUID")
        } else {
            ("bad sub", "bad subs")
        };
        parts.push((counted(progress.malformed_subs, one, many), Role::Attention));
    }
    let totals = format!("{} users, {} rows", number(progress.users), number(progress.rows));
    parts.push((totals, Role::Muted));
    add(model, &mut line, parts, width.saturating_sub(1));
    line
}

fn paused(model: &Model, progress: &Progress, width: usize) -> Cells {
    let mut line = model.look().line();
    line.text(" Waiting for credentials", Role::Attention);
    let number = if width >= WIDE { thousands } else { short };
    let read = format!("{} users and {} rows are read", number(progress.users), number(progress.rows));
    let parts =
        vec![(read, Role::Strong), (format!("{} looks at once", model.keys.key_of(Command::Scan)), Role::Plain)];
    add(model, &mut line, parts, width);
    line
}

fn failed(model: &Model, progress: &Progress, width: usize) -> Cells {
    let mut line = model.look().line();
    let (sign, role) = group_sign(Group::Conflict, model.setup.ascii);
    line.text(&format!(" {sign} The scan stopped"), role);
    let number = if width >= WIDE { thousands } else { short };
    let kept = format!("{} users and {} rows are kept", number(progress.users), number(progress.rows));
    let kept = shown_from(model, progress).unwrap_or((kept, Role::Strong));
    let parts = vec![kept, (format!("{} scans again", model.keys.key_of(Command::Scan)), Role::Plain)];
    add(model, &mut line, parts, width);
    line
}

/// Of parts with their rank those that there is room for, in the order in which they came.
fn most_wanted(model: &Model, parts: Vec<(u8, (String, Role))>, mut room: usize) -> Vec<(String, Role)> {
    let mut ranks: Vec<_> = parts.iter().map(|(rank, (text, _))| (*rank, model.look().width(text) + 3)).collect();
    ranks.sort_unstable();
    ranks.retain(|(_, width)| room.checked_sub(*width).inspect(|left| room = *left).is_some());
    let has_room = |rank: u8| ranks.iter().any(|(it, _)| *it == rank);
    parts.into_iter().filter(|(rank, _)| has_room(*rank)).map(|(_, part)| part).collect()
}

/// Adds what fits, in order.
fn add(model: &Model, line: &mut Cells, parts: Vec<(String, Role)>, end: usize) {
    let look = model.look();
    for (text, role) in parts {
        if line.width() + 3 + look.width(&text) <= end {
            line.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
            line.text(&text, role);
        }
    }
}
