//! The overview: what there is as bars, why it looks like this, and what the pool is asked.
//!
//! Bars and numbers stand in columns, so that two scans, or two pools, can be compared at a glance.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::{Flag, Group, Situation};

use super::detail::flag_words;
use super::progress;
use crate::event::Phase;
use crate::glyphs::{group_sign, situation_words};
use crate::layout::Layout;
use crate::model::Model;
use crate::overview::{Item, Spent};
use crate::paint::{Cells, Look, draw_all};
use crate::theme::Role;
use crate::words::{absolute, ago, counted, thousands};

/// In the order of the eye: what is wrong first, and what is well last.
const GROUPS: [Group; 7] = Group::ALL;
const NAME: usize = 14;
const COUNT: usize = 11;
const CHANGE: usize = 7;
/// The largest bar that is drawn.
const WIDEST_BAR: usize = 40;
/// Lines that a cause takes at most where not all of them have room.
const CAUSE_LINES: usize = 4;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let width = layout.header.width;
    let progress_line = Rect { y: layout.notice.bottom(), height: 1, ..layout.header };
    progress::draw(model, frame, progress_line);
    let area =
        Rect { x: 0, y: progress_line.bottom() + 1, width, height: layout.message.y - progress_line.bottom() - 1 };
    let width = usize::from(width);
    let counts = counts(model, width);
    let spent = spent(model, width);
    // What is asked of the pool gives way first, and never the counts.
    let room = usize::from(area.height).saturating_sub(counts.len());
    let causes = causes(model, width, room);
    let spent = if causes.len() + spent.len() <= room { spent } else { Vec::new() };
    let below = Rect { y: area.bottom() - spent.len() as u16, height: spent.len() as u16, ..area };
    draw_all(counts.into_iter().chain(causes).collect(), 0, frame, area);
    draw_all(spent, 0, frame, below);
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

fn counts(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let aside = match &model.overview.since {
        Some(since) => format!("compared with {}, {}", absolute(since.at), ago(since.at, model.now)),
        None => String::new(),
    };
    let aside = if look.width(&aside) + 24 > width { String::new() } else { aside };
    let mut lines = vec![rule(look, "What there is", &aside, width)];
    let all = model.counts.of(None);
    let bar = match width {
        0..72 => 4,
        72..100 => 8,
        _ => (width / 5).min(WIDEST_BAR),
    };
    for group in GROUPS {
        let count = model.counts.of(Some(group));
        if group != Group::Unsettled || count > 0 {
            lines.push(of_group(model, group, count, all, bar, width));
        }
    }
    lines.push(flags(model, bar, width));
    lines
}

fn of_group(model: &Model, group: Group, count: u64, all: u64, bar: usize, width: usize) -> Cells {
    let look = model.look();
    let mut line = look.line();
    let (sign, role) = group_sign(group, look.ascii());
    let word = if group == Group::Unsettled && model.phase() != Phase::Complete { "reading" } else { group.name() };
    line.text(" ", Role::Plain);
    line.text(sign, role);
    line.text(" ", Role::Plain);
    line.cell(word, role, NAME - 3);
    line.right(&thousands(count), if count == 0 { Role::Muted } else { Role::Strong }, COUNT - 1);
    line.text(" ", Role::Plain);
    if model.overview.since.is_some() {
        let change = model.change(|situation| situation.group() == group).unwrap_or_default();
        let text = signed(look, change);
        line.cell(&text, change_role(group, change), CHANGE);
    }
    line.text(" ", Role::Plain);
    let from = line.width();
    line.text(&filled(look, count, all, bar), role);
    line.to(from + bar + 1);
    let rest = width.saturating_sub(line.width() + 1);
    parts(model, &mut line, group, rest);
    line
}

/// A bar of so many columns, to an eighth of one. What is there is seen, be it ever so little.
fn filled(look: Look, count: u64, all: u64, width: usize) -> String {
    if count == 0 || all == 0 {
        return String::new();
    }
    let steps = if look.ascii() { 1 } else { 8 };
    let filled = (u128::from(count) * (width * steps) as u128).div_ceil(u128::from(all));
    let filled = usize::try_from(filled).unwrap_or(width * steps).clamp(1, width * steps);
    let [_, full, ..] = look.glyphs.meter;
    let mut bar = full.repeat(filled / steps);
    bar.push_str(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][filled % steps]);
    bar
}

/// `row side only 612 +118  no row 430`: the situations of a group, the largest first, as many as there is room for.
fn parts(model: &Model, line: &mut Cells, group: Group, room: usize) {
    let look = model.look();
    let mut situations: Vec<(Situation, u64)> =
        model.counts.situations.iter().filter(|(it, count)| it.group() == group && *count > 0).copied().collect();
    situations.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    // A group of one situation by its own name is said already.
    if matches!(situations[..], [(only, _)] if only.name() == group.name()) {
        return;
    }
    let end = line.width() + room;
    for (at, (situation, count)) in situations.iter().enumerate() {
        let change = model.change(|it| it == *situation).filter(|change| *change != 0);
        let change = change.map(|change| (signed(look, change), change_role(group, change)));
        let (word, number) = (situation_words(*situation), thousands(*count));
        let gap = if at == 0 { 0 } else { 3 };
        let more = if at + 1 < situations.len() { 2 } else { 0 };
        let left = end.saturating_sub(line.width() + gap + more);
        let wide = look.width(&word) + 1 + number.len();
        // Rather the largest without its change than nothing; and the number of the only one is the group's.
        let change = change.filter(|(text, _)| at > 0 || wide + 1 + look.width(text) <= left);
        if at == 0 && situations.len() == 1 && wide > left && look.width(&word) <= left {
            return line.text(&word, Role::Plain);
        }
        if wide + change.as_ref().map_or(0, |(text, _)| look.width(text) + 1) > left {
            return line.text(&format!(" {}", look.glyphs.more), Role::Muted);
        }
        if gap > 0 {
            line.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
        }
        line.text(&word, Role::Plain);
        line.text(&format!(" {number}"), Role::Strong);
        if let Some((text, role)) = change {
            line.text(&format!(" {text}"), role);
        }
    }
}

fn flags(model: &Model, bar: usize, width: usize) -> Cells {
    let look = model.look();
    let mut line = look.line();
    line.text("   ", Role::Plain);
    line.cell("flags", Role::Muted, NAME - 3);
    let total: u64 = model.counts.flags.iter().map(|(_, count)| count).sum();
    line.right(&thousands(total), if total == 0 { Role::Muted } else { Role::Strong }, COUNT - 1);
    line.to(line.width() + 2 + if model.overview.since.is_some() { CHANGE } else { 0 } + bar + 1);
    let mut first = true;
    for flag in Flag::ALL {
        let count = model.counts.with(flag);
        let (word, number) = (flag_words(flag), thousands(count));
        if count == 0 || line.width() + 4 + look.width(word) + number.len() > width {
            continue;
        }
        if !std::mem::take(&mut first) {
            line.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
        }
        line.text(word, Role::Attention);
        line.text(&format!(" {number}"), Role::Strong);
    }
    line
}

/// `▲118`, `▼3`; nothing where it is the same.
fn signed(look: Look, change: i64) -> String {
    let [up, down] = if look.ascii() { ["+", "-"] } else { ["▲", "▼"] };
    match change {
        0 => String::new(),
        1.. => format!("{up}{}", thousands(change.unsigned_abs())),
        _ => format!("{down}{}", thousands(change.unsigned_abs())),
    }
}

/// More of what is wrong is worth a look, and less of it is well.
fn change_role(group: Group, change: i64) -> Role {
    match (group, change > 0) {
        (Group::Linked | Group::Expected | Group::Unsettled, _) => Role::Muted,
        (_, true) => Role::Attention,
        (_, false) => Role::Calm,
    }
}

fn causes(model: &Model, width: usize, room: usize) -> Vec<Cells> {
    let look = model.look();
    let items = model.items();
    let mut lines = vec![look.line(), rule(look, "Why it looks like this", "", width)];
    if items.is_empty() {
        lines.extend(look.wrap(&nothing(model), Role::Muted, width.saturating_sub(4)).into_iter().map(|body| {
            let mut line = look.line();
            line.to(3);
            line.append(body);
            line
        }));
        lines.truncate(room);
        return lines;
    }
    let cursor = model.overview.cursor;
    let blocks = |most| -> Vec<Vec<Cells>> {
        items.iter().enumerate().map(|(at, item)| item_lines(look, at, *item, at == cursor, width, most)).collect()
    };
    let room = room.saturating_sub(lines.len());
    let mut whole = blocks(usize::MAX);
    if whole.iter().map(Vec::len).sum::<usize>() > room {
        whole = blocks(CAUSE_LINES);
    }
    let blocks = whole;
    // As far down as it takes to see the one that is selected.
    let mut first = 0;
    while first < cursor && blocks[first..=cursor].iter().map(Vec::len).sum::<usize>() > room {
        first += 1;
    }
    let mut left = room;
    let below = blocks[first..].iter().map(Vec::len).sum::<usize>() > room;
    for block in blocks.into_iter().skip(first) {
        let fits = block.len().min(left);
        lines.extend(block.into_iter().take(fits));
        left -= fits;
    }
    if below && room > 1 {
        let mut line = look.line();
        line.cell(&format!(" {} more below", look.glyphs.below), Role::Muted, width);
        lines.pop();
        lines.push(line);
    } else if below && let Some(last) = lines.last_mut() {
        last.to(width - 2);
        last.text(look.glyphs.more, Role::Muted);
    }
    lines
}

fn item_lines(look: Look, at: usize, item: Item<'_>, selected: bool, width: usize, most: usize) -> Vec<Cells> {
    let (what, meaning, role) = match item {
        Item::Incident(incident) => {
            let what = format!("One incident: {} {}.", thousands(incident.count), incident.words);
            (what, incident.proposal.to_owned(), Role::Danger)
        }
        Item::Cause(cause) => (cause.what.clone(), cause.meaning.clone(), Role::Strong),
    };
    let room = width.saturating_sub(6);
    let mut bodies = look.wrap(&what, role, room);
    let beside = bodies.last().map_or(room, Cells::width) + 1 + look.width(&meaning);
    let behind = look.wrap(&meaning, Role::Plain, room);
    match bodies.last_mut() {
        Some(last) if !meaning.is_empty() && beside <= room => {
            last.text(" ", Role::Plain);
            last.text(&meaning, Role::Plain);
        }
        _ if !meaning.is_empty() => bodies.extend(behind),
        _ => {}
    }
    if bodies.len() > most {
        bodies.truncate(most);
        bodies.iter_mut().skip(most - 1).for_each(|last| last.text(look.glyphs.more, Role::Muted));
    }
    let mut lines = Vec::new();
    for (number, body) in bodies.into_iter().enumerate() {
        let mut line = look.line();
        let bar = selected && number == 0;
        line.text(if bar { look.glyphs.bar } else { " " }, Role::Accent);
        let label = if number == 0 { format!("{:>2}", at + 1) } else { "  ".to_owned() };
        if bar {
            line.select();
        }
        line.text(&label, Role::Muted);
        line.text("  ", Role::Plain);
        line.append(body);
        lines.push(line);
    }
    lines
}

/// What stands where there is no cause.
fn nothing(model: &Model) -> String {
    let more = model.look().glyphs.more;
    let wrong = [Group::Unlinked, Group::Duplicate, Group::Conflict, Group::Orphan];
    let wrong: u64 = wrong.into_iter().map(|group| model.counts.of(Some(group))).sum();
    match (model.phase(), &model.overview.causes) {
        (Phase::Connecting | Phase::Reading | Phase::Paused, None) => {
            "Causes are told when both sides have been read: what sets entries apart is known only then.".to_owned()
        }
        (Phase::Failed, None) => "The scan stopped before its end: causes are told of a whole one.".to_owned(),
        (Phase::Complete, None) => format!("Looking what the entries have in common{more}"),
        (_, Some(_)) if wrong == 0 => "Nothing to explain: everybody who should be linked is.".to_owned(),
        (_, Some(_)) => {
            "No cause stands out: by time, status and provider these entries are like all the others.".to_owned()
        }
    }
}

/// `UserList   14.8 a second, limit 15  ▕██████░░▏   3 refused   AWS allows 30 for all pools together`
fn spent(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let used: Vec<&Spent> = model.overview.spent.iter().filter(|spent| spent.made > 0).collect();
    if used.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![rule(look, "Requests to the pool", "", width)];
    for spent in used {
        let mut line = look.line();
        let [start, full, rest, end] = look.glyphs.meter;
        line.text("   ", Role::Plain);
        line.cell(&spent.category, Role::Plain, NAME);
        line.right(&rate(spent.per_second), Role::Strong, 6);
        // What is left of a limit that was just made smaller shows in the next seconds only.
        line.text(&format!(" a second, limit {}", rate(spent.rate)), Role::Muted);
        line.to(NAME + 32);
        let inner = (width / 8).clamp(8, 24);
        line.text(start, Role::Muted);
        let from = line.width();
        let part = if spent.full > 0.0 { (spent.per_second / spent.full).clamp(0.0, 1.0) } else { 0.0 };
        line.fill(full, Role::Accent, from + (part * inner as f64).round() as usize);
        line.fill(rest, Role::Muted, from + inner);
        line.text(end, Role::Muted);
        let refused = if spent.refused > 0 { Role::Attention } else { Role::Muted };
        for (text, role) in [
            (counted(spent.made, "request", "requests"), Role::Plain),
            (format!("{} refused", thousands(spent.refused)), refused),
            (format!("AWS allows {} for all pools together", rate(spent.quota)), Role::Muted),
        ] {
            if line.width() + 3 + look.width(&text) < width {
                line.text(if line.width() == from + inner + 1 { "  " } else { "   " }, Role::Plain);
                line.text(&text, role);
            }
        }
        lines.push(line);
    }
    lines
}

/// `15`, `14.8`.
fn rate(rate: f64) -> String {
    if !rate.is_finite() {
        return "-".to_owned();
    }
    let text = format!("{rate:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
