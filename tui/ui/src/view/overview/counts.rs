//! What there is: each group with its bar, and below it each of its situations.
//!
//! A group's bar is its part of all entries; a situation's is its part of the group, and thin, as that is another measure.

use userlink_domain::{Flag, Group, Situation};

use super::{Line, rule};
use crate::event::Phase;
use crate::glyphs::{group_sign, situation_words};
use crate::model::Model;
use crate::overview::Item;
use crate::paint::{Cells, Look};
use crate::theme::Role;
use crate::view::detail::flag_words;
use crate::words::{absolute, ago, short, thousands};

/// The bar of the cursor, the sign and the name; a situation's name begins behind that of its group.
const NAME: usize = 22;
/// From here on there is room for the change since the last scan in full, and for the part in words.
const WIDE: usize = 60;
/// The largest bar that is drawn.
const WIDEST_BAR: usize = 40;

/// Where the columns are.
#[derive(Clone, Copy)]
struct Columns {
    count: usize,
    change: usize,
    bar: usize,
    part: usize,
}

impl Columns {
    fn new(width: usize, compared: bool) -> Self {
        let (count, change, part) = if width < WIDE { (9, 6, 0) } else { (11, 8, 8) };
        let change = if compared { change } else { 0 };
        let bar = width.saturating_sub(NAME + count + change + part + 3).clamp(1, WIDEST_BAR);
        Self { count, change, bar, part }
    }
}

/// The number of something, of what it is a part, whether that is a group, and how many more they are than they were.
struct Count {
    count: u64,
    of: u64,
    of_group: bool,
    change: Option<i64>,
}

/// A title, and the lines; with `all` also of the situations that there are none of.
pub(super) fn lines(model: &Model, items: &[Item<'_>], on: usize, width: usize, all: bool) -> Vec<Line> {
    let look = model.look();
    let columns = Columns::new(width, model.overview.since.is_some());
    let mut lines = vec![(None, rule(look, "What there is", &compared(model, width), width))];
    let place = |wanted: &dyn Fn(&Item<'_>) -> bool| items.iter().position(wanted);
    let mut add = |at: Option<usize>, begin: &dyn Fn(&mut Cells), count: Count, group: Group, role: Role| {
        let mut line = look.line();
        let selected = at == Some(on);
        line.text(if selected { look.glyphs.bar } else { " " }, Role::Accent);
        if selected {
            line.select();
        }
        begin(&mut line);
        numbers(look, &mut line, &count, (group, role), columns);
        line.to(if selected { width } else { line.width() });
        lines.push((at, line));
    };
    let total = model.counts.of(None);
    for group in Group::ALL {
        let count = model.counts.of(Some(group));
        if group == Group::Unsettled && count == 0 {
            continue;
        }
        let (sign, role) = group_sign(group, look.ascii());
        let reading = group == Group::Unsettled && model.phase() != Phase::Complete;
        let name = if reading { "reading" } else { group.name() };
        let begin = |line: &mut Cells| {
            line.text(sign, role);
            line.text(" ", Role::Plain);
            line.text(name, role);
        };
        let at = place(&|item| matches!(item, Item::Group(it) if *it == group));
        let change = model.change(|situation| situation.group() == group);
        add(at, &begin, Count { count, of: total, of_group: false, change }, group, role);
        let of_group = Situation::ALL.into_iter().filter(|situation| all && situation.group() == group);
        let named = |(situation, _): (Situation, u64)| situation;
        let parts: Vec<_> = if all && group != Group::Unsettled {
            of_group.collect()
        } else {
            model.parts(group).into_iter().map(named).collect()
        };
        for situation in parts {
            let part = model.counts.of_situation(situation);
            let begin = |line: &mut Cells| {
                line.to(4);
                line.text(&situation_words(situation), if part == 0 { Role::Muted } else { Role::Plain });
            };
            let at = place(&|item| matches!(item, Item::Situation(it) if *it == situation));
            let change = model.change(|it| it == situation);
            add(at, &begin, Count { count: part, of: count, of_group: true, change }, group, role);
        }
    }
    let flagged: u64 = model.counts.flags.iter().map(|(_, count)| count).sum();
    let begin = |line: &mut Cells| {
        line.to(3);
        line.text("flags", Role::Muted);
    };
    add(None, &begin, Count { count: flagged, of: 0, of_group: false, change: None }, Group::Unlinked, Role::Muted);
    for flag in Flag::ALL {
        let count = model.counts.with(flag);
        if count > 0 || all {
            let role = if count == 0 { Role::Muted } else { Role::Attention };
            let begin = |line: &mut Cells| {
                line.to(4);
                line.text(flag_words(flag), role);
            };
            let at = place(&|item| matches!(item, Item::Flag(it) if *it == flag));
            add(at, &begin, Count { count, of: 0, of_group: false, change: None }, Group::Unlinked, role);
        }
    }
    lines
}

/// With which scan it is compared, as exactly as there is room for.
fn compared(model: &Model, width: usize) -> String {
    let Some(since) = &model.overview.since else { return String::new() };
    let ago = ago(since.at, model.now);
    let exact = format!("compared with {}, {ago}", absolute(since.at));
    if model.look().width(&exact) + 24 <= width { exact } else { format!("compared with {ago}") }
}

fn numbers(look: Look, line: &mut Cells, count: &Count, (group, role): (Group, Role), columns: Columns) {
    let end = NAME + columns.count;
    let long = thousands(count.count);
    let text = if long.len() < columns.count { long } else { short(count.count) };
    // A long name takes from the blanks before the number.
    let room = end.saturating_sub(line.width());
    line.right(&text, if count.count == 0 { Role::Muted } else { Role::Strong }, room);
    line.text(" ", Role::Plain);
    if columns.change > 0 {
        let change = count.change.unwrap_or_default();
        let text = signed(look, change, thousands);
        let text = if look.width(&text) < columns.change { text } else { signed(look, change, short) };
        line.cell(&text, change_role(group, change), columns.change);
    }
    let from = line.width();
    line.text(&filled(look, count, columns.bar), role);
    if columns.part > 0 && count.count > 0 && count.of > 0 {
        line.to(from + columns.bar + 1);
        line.right(&part(count.count, count.of), Role::Muted, columns.part - 1);
    }
}

/// `99.4 %`.
fn part(count: u64, of: u64) -> String {
    let thousandths = u128::from(count) * 1_000 / u128::from(of.max(1));
    match thousandths {
        0 => "<0.1 %".to_owned(),
        1_000.. => "100 %".to_owned(),
        _ => format!("{}.{} %", thousandths / 10, thousandths % 10),
    }
}

/// A bar of so many columns, to a part of one. What is there is seen, be it ever so little.
fn filled(look: Look, &Count { count, of, of_group, .. }: &Count, width: usize) -> String {
    if count == 0 || of == 0 {
        return String::new();
    }
    let [_, block, ..] = look.glyphs.meter;
    let (full, parts): (_, &[_]) = match (look.ascii(), of_group) {
        (true, true) => ("-", &[""]),
        (true, false) => (block, &[""]),
        (false, true) => ("━", &["", "╸"]),
        (false, false) => (block, &["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]),
    };
    let steps = parts.len();
    let filled = (u128::from(count) * (width * steps) as u128).div_ceil(u128::from(of));
    let filled = usize::try_from(filled).unwrap_or(width * steps).clamp(1, width * steps);
    let mut bar = full.repeat(filled / steps);
    bar.push_str(parts.get(filled % steps).copied().unwrap_or_default());
    bar
}

/// `▲118`, `▼3`; nothing where it is the same.
fn signed(look: Look, change: i64, number: fn(u64) -> String) -> String {
    let [up, down] = if look.ascii() { ["+", "-"] } else { ["▲", "▼"] };
    match change {
        0 => String::new(),
        1.. => format!("{up}{}", number(change.unsigned_abs())),
        _ => format!("{down}{}", number(change.unsigned_abs())),
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
