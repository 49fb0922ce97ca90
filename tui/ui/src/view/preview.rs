//! A plan before anything is written: each step before and after, what everybody will be, what it costs, what cannot be taken
//! back, and what each guard saw.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::{Group, Situation, Step};

use super::pane::{self, LABEL, beside, labelled};
use crate::glyphs::{group_sign, situation_words};
use crate::keys::Command;
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look};
use crate::plan::{Draft, DraftKind, PlanLine};
use crate::preview::Looking;
use crate::theme::Role;
use crate::words::{counted, thousands};

/// A plan of so few lines is shown with every value in full.
const FEW: usize = 8;
/// The list keeps at least so many lines; a small plan as many as it has, up to the other number where the guards leave them.
const LEAST: usize = 5;
const SMALL: usize = 11;
const AFTERWARDS: usize = 20;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, looking: &Looking) {
    let look = model.look();
    let draft = &looking.draft;
    let title = format!("{} {}", verb(&draft.kind), model.called(&draft.title));
    let below = pane::begin(model, frame, layout, (&title, Role::Strong), "nothing written yet");
    let (list, foot) = parts(model, below, looking);
    if let Some(lines) = in_full(model, looking, usize::from(list.width)) {
        let furthest = lines.len().saturating_sub(usize::from(list.height));
        let skip = looking.scroll.min(furthest);
        let more = lines.len() - skip > usize::from(list.height);
        crate::paint::draw_all(lines, skip, frame, list);
        if more {
            more_below(look, frame, list, "");
        }
    } else {
        table(model, frame, list, looking);
    }
    let foot_area = Rect { y: list.bottom(), height: below.bottom() - list.bottom(), ..below };
    crate::paint::draw_all(foot, 0, frame, foot_area);
}

pub(super) fn furthest(model: &Model, layout: &Layout, looking: &Looking) -> usize {
    let area = pane::area(layout);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let (list, _) = parts(model, below, looking);
    match in_full(model, looking, usize::from(list.width)) {
        Some(lines) => lines.len().saturating_sub(usize::from(list.height)),
        None => {
            let people = people(model, &looking.draft, usize::from(list.width)).len();
            (looking.draft.lines + people).saturating_sub(usize::from(list.height).saturating_sub(1))
        }
    }
}

/// The list, and the lines of the foot.
fn parts(model: &Model, below: Rect, looking: &Looking) -> (Rect, Vec<Cells>) {
    let draft = &looking.draft;
    let least = in_full(model, looking, usize::from(below.width)).map_or(LEAST, |lines| lines.len().min(SMALL));
    let (width, height) = (usize::from(below.width), usize::from(below.height));
    let mut foot = totals(model, draft, width);
    let (all, brief) = (guards(model, draft, false, width), guards(model, draft, true, width));
    let notes = notes(model, draft, width);
    // The list can be scrolled: it gives way to the guards.
    let wanted = foot.len() + brief.len() + usize::from(!notes.is_empty());
    let room = height.saturating_sub(least).max(wanted.min(height.saturating_sub(LEAST)));
    let all_fit = foot.len() + all.len() + notes.len() <= room;
    foot.extend(if all_fit { all } else { brief });
    foot.extend(notes);
    pane::cut(model.look(), &mut foot, room, width);
    let height = u16::try_from(foot.len()).unwrap_or(u16::MAX);
    (Rect { height: below.height.saturating_sub(height), ..below }, foot)
}

fn verb(kind: &DraftKind) -> &'static str {
    match kind {
        DraftKind::Repair => "Repair",
        DraftKind::Contain => "Contain",
        DraftKind::Undo(_) => "Take back",
        DraftKind::SignOut => "Sign out",
    }
}

/// A small plan with every value in full; none where it is large.
fn in_full(model: &Model, looking: &Looking, width: usize) -> Option<Vec<Cells>> {
    let look = model.look();
    let draft = &looking.draft;
    if draft.lines > FEW {
        return None;
    }
    let mut lines = Vec::new();
    for line in (0..draft.lines).filter_map(|at| looking.at(at)) {
        match line {
            PlanLine::Step { of, step, last, afterwards } => {
                let mut head = look.line();
                head.text(" ", Role::Plain);
                head.text(&what(model, step), Role::Strong);
                head.text(" of ", Role::Muted);
                let room = width.saturating_sub(head.width() + AFTERWARDS + 2);
                let of = model.called(of);
                head.cell(&of, Role::Plain, look.width(&of).min(room));
                if *last {
                    head.text("  cannot be taken back", Role::Danger);
                }
                if let Some(then) = afterwards {
                    head.to(width.saturating_sub(AFTERWARDS + 1));
                    situation(look, &mut head, *then);
                }
                lines.push(head);
                let (before, after) = values(look, step);
                let change = format!("{before} {} {after}", look.glyphs.becomes);
                for body in look.wrap(&change, Role::Strong, width.saturating_sub(5)) {
                    let mut line = look.line();
                    line.to(3);
                    line.append(body);
                    lines.push(line);
                }
            }
            other => lines.push(one(model, other, width)),
        }
    }
    lines.extend(people(model, draft, width));
    Some(lines)
}

/// Who sees what, today and afterwards.
fn people(model: &Model, draft: &Draft, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = Vec::new();
    for person in &draft.people {
        lines.push(look.line());
        lines.extend(labelled(look, "Who", &model.called(&person.name), Role::Strong, width));
        lines.extend(labelled(look, "Today", &model.told(&person.before), Role::Plain, width));
        lines.extend(labelled(look, "Afterwards", &model.told(&person.after), Role::Plain, width));
    }
    lines
}

/// The steps through their window, and behind them who sees what.
fn table(model: &Model, frame: &mut Frame<'_>, area: Rect, looking: &Looking) {
    let look = model.look();
    let (width, draft) = (usize::from(area.width), &looking.draft);
    let (of, change) = columns(width);
    let mut head = look.line();
    head.text(" ", Role::Plain);
    head.cell("WHOSE", Role::Muted, of);
    head.text(" ", Role::Plain);
    head.cell("CHANGE", Role::Muted, change);
    head.text(" AFTERWARDS", Role::Muted);
    head.draw(frame, area, area.y);
    let people = people(model, draft, width);
    let all = draft.lines + people.len();
    let room = usize::from(area.height).saturating_sub(1);
    let from = looking.scroll.min(all.saturating_sub(room));
    let below = all - from > room;
    let shown = if below { room.saturating_sub(1) } else { room };
    for (y, place) in (area.y + 1..area.bottom()).zip(from..all).take(shown) {
        let of_people = place.checked_sub(draft.lines).and_then(|at| people.get(at));
        let line = match (of_people, looking.at(place)) {
            (Some(line), _) => line.clone(),
            (None, Some(line)) => one(model, line, width),
            (None, None) => {
                let mut line = look.line();
                line.text(&format!(" {}", look.glyphs.more), Role::Muted);
                line
            }
        };
        line.draw(frame, area, y);
    }
    if below {
        more_below(look, frame, area, &thousands((all - from - shown) as u64));
    }
}

fn more_below(look: Look, frame: &mut Frame<'_>, area: Rect, count: &str) {
    let mut line = look.line();
    let text = format!(" {} {count}{}more below", look.glyphs.below, if count.is_empty() { "" } else { " " });
    line.cell(&text, Role::Muted, usize::from(area.width));
    line.draw(frame, area, area.bottom() - 1);
}

/// How wide the name and the change are.
fn columns(width: usize) -> (usize, usize) {
    let room = width.saturating_sub(AFTERWARDS + 4);
    let of = (room * 2 / 5).clamp(16, 44);
    (of, room.saturating_sub(of).min(96))
}

/// A line of a plan on one line of the screen.
fn one(model: &Model, planned: &PlanLine, width: usize) -> Cells {
    let look = model.look();
    let (of_width, change_width) = columns(width);
    let mut line = look.line();
    line.text(" ", Role::Plain);
    match planned {
        PlanLine::Step { of, step, last, afterwards } => {
            line.cell(&model.called(of), Role::Plain, of_width);
            line.text(" ", Role::Plain);
            let from = line.width();
            let name = what(model, step);
            line.cell(&name, Role::Muted, look.width(&name).min(change_width / 2));
            line.text(" ", Role::Plain);
            let (before, after) = values(look, step);
            let arrow = format!(" {} ", look.glyphs.becomes);
            let room = (from + change_width).saturating_sub(line.width() + look.width(&arrow) + 1);
            let (left, right) = share(look.width(&before), look.width(&after), room);
            line.id(&before, Role::Plain, left);
            line.text(&arrow, Role::Muted);
            line.id(&after, Role::Strong, right);
            if *last {
                line.text(look.glyphs.odd, Role::Danger);
            }
            line.to(from + change_width + 1);
            if let Some(then) = afterwards {
                situation(look, &mut line, *then);
            }
        }
        PlanLine::Turn { user, name, before, after, named } => {
            let kind = if *user { "" } else { "row " };
            let name = if *user { model.called(name) } else { name.into() };
            line.cell(&format!("{kind}{name}"), if *named { Role::Plain } else { Role::Attention }, of_width);
            line.text(" ", Role::Plain);
            let from = line.width();
            let was = before.map_or_else(|| look.glyphs.empty.to_owned(), situation_words);
            let outside = if *named { "is written nothing of" } else { "not named by the plan" };
            line.cell(&format!("{outside}: was {was}"), Role::Muted, change_width);
            line.to(from + change_width + 1);
            match after {
                Some(then) => situation(look, &mut line, *then),
                None => line.text("gone", Role::Muted),
            }
        }
        PlanLine::Note(text) => line.cell(text, Role::Attention, width.saturating_sub(2)),
    }
    line
}

/// Both in full where there is room, else what is longer gives way.
fn share(left: usize, right: usize, room: usize) -> (usize, usize) {
    if left + right <= room {
        return (left, right);
    }
    let half = room / 2;
    if left <= half {
        (left, room - left)
    } else if right <= half {
        (room - right, right)
    } else {
        (room - half, half)
    }
}

fn situation(look: Look, line: &mut Cells, of: Situation) {
    let (sign, role) = group_sign(of.group(), look.ascii());
    line.text(&format!("{sign} {}", situation_words(of)), role);
}

/// What is written.
pub(super) fn what(model: &Model, step: &Step) -> String {
    match step {
        Step::WriteUserId { .. } | Step::ClearUserId { .. } => model.names.user_id.clone(),
        Step::WriteSub { .. } | Step::ClearSub { .. } => model.names.sub.clone(),
        Step::InsertRow { .. } => "new row".to_owned(),
        Step::SignOut { .. } => "sessions".to_owned(),
        Step::DisableUser { .. } | Step::EnableUser { .. } => "enabled".to_owned(),
    }
}

/// What must be there before, and what is there afterwards.
pub(super) fn values(look: Look, step: &Step) -> (String, String) {
    let shown = |value: &Option<String>| match value.as_deref() {
        None | Some("") => look.glyphs.empty.to_owned(),
        Some(value) => value.to_owned(),
    };
    let empty = look.glyphs.empty.to_owned();
    match step {
        Step::WriteUserId { expect, value, .. } | Step::WriteSub { expect, value, .. } => {
            (shown(expect), value.clone())
        }
        Step::ClearUserId { expect, .. } | Step::ClearSub { expect, .. } => (shown(expect), empty),
        Step::InsertRow { sub, .. } => (empty, sub.clone()),
        Step::SignOut { .. } => ("any".to_owned(), "ended".to_owned()),
        Step::DisableUser { .. } => ("yes".to_owned(), "no".to_owned()),
        Step::EnableUser { .. } => ("no".to_owned(), "yes".to_owned()),
    }
}

fn totals(model: &Model, draft: &Draft, width: usize) -> Vec<Cells> {
    let look = model.look();
    let dot = look.glyphs.dot;
    let mut lines = vec![look.line()];
    let mut say = |label: &str, text: String, role: Role| lines.extend(labelled(look, label, &text, role, width));
    let writes = format!(
        "{} to the pool, {} to the table {dot} {} {dot} about {} at {} a second",
        thousands(draft.updates),
        thousands(draft.rows),
        counted(draft.reads, "read", "reads"),
        lasts(draft.seconds),
        number(draft.rate),
    );
    say("Writes", writes, Role::Plain);
    let percent = (draft.left * 100.0).round();
    say("Leaves", format!("{percent} % of the quota for writes to the application"), Role::Plain);
    if draft.active > 0 {
        let text = format!(
            "{} monthly active by it: at most {} USD ({})",
            counted(draft.active, "user becomes", "users become"),
            dollars(draft.price),
            draft.price_of,
        );
        say("Billing", text, Role::Plain);
    }
    let mut last = Vec::new();
    if draft.inserts > 0 {
        last.push(counted(draft.inserts, "row that is inserted", "rows that are inserted"));
    }
    if draft.sign_outs > 0 {
        last.push(counted(draft.sign_outs, "sign-out", "sign-outs"));
    }
    match &last[..] {
        [] => say("Undo", "all of it can be taken back".to_owned(), Role::Plain),
        last => say("Undo", format!("cannot be taken back: {}", last.join(", ")), Role::Danger),
    }
    if let Some(sessions) = &draft.sessions {
        let had = counted(sessions.users, "user had another id", "users had other ids");
        let text = if sessions.signed_out {
            format!("{had} and will be signed out; until then tokens may carry it: {}", sessions.tokens)
        } else {
            let key = model.keys.key_of(Command::SignOut);
            format!("{had}, and tokens may carry it still: {}. {key} signs out, too", sessions.tokens)
        };
        say("Sessions", text, Role::Attention);
    }
    if !draft.left_out.is_empty() {
        let parts: Vec<_> = draft.left_out.iter().map(|(why, count)| format!("{} {why}", thousands(*count))).collect();
        say("Left out", parts.join("; "), Role::Attention);
    }
    if draft.lines > FEW && !draft.people.is_empty() {
        let people = counted(draft.people.len() as u64, "person sees", "people see");
        say("Who", format!("what {people} today and afterwards stands at the end of the list"), Role::Attention);
    }
    lines
}

/// What is to be minded beside the guards.
fn notes(model: &Model, draft: &Draft, width: usize) -> Vec<Cells> {
    let notes = draft.notes.iter().take(4);
    notes.flat_map(|note| labelled(model.look(), "Mind", &model.told(note), Role::Attention, width)).collect()
}

/// What each guard saw; `briefly` those alone that are to be minded.
fn guards(model: &Model, draft: &Draft, briefly: bool, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut body = Vec::new();
    let hold = draft.guards.iter().filter(|guard| guard.holds).count();
    for guard in draft.guards.iter().filter(|guard| !briefly || !guard.holds) {
        let group = if guard.holds { Group::Linked } else { Group::Unlinked };
        let (sign, role) = group_sign(group, look.ascii());
        let mut line = look.line();
        line.text(&format!("{sign} "), role);
        line.cell(&guard.name, Role::Plain, 11);
        line.text(" ", Role::Plain);
        let room = width.saturating_sub(LABEL + 2 + line.width());
        line.cell(&guard.seen, if guard.holds { Role::Muted } else { Role::Attention }, room);
        body.push(line);
    }
    if briefly && hold > 0 {
        let mut line = look.line();
        let (sign, role) = group_sign(Group::Linked, look.ascii());
        line.text(&format!("{sign} "), role);
        let names: Vec<_> = draft.guards.iter().filter(|guard| guard.holds).map(|guard| &guard.name[..]).collect();
        line.cell(&names.join(", "), Role::Muted, width.saturating_sub(LABEL + 4));
        body.push(line);
    }
    beside(look, "Guards", body)
}

/// `24 s`, `2 min`.
pub(super) fn lasts(seconds: f64) -> String {
    let seconds = seconds.max(1.0).ceil() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..5_400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// To the cent, and below a dollar to a tenth of one.
fn dollars(price: f64) -> String {
    if price < 1.0 { format!("{price:.3}") } else { format!("{price:.2}") }
}

fn number(of: f64) -> String {
    if of.fract() == 0.0 { format!("{of:.0}") } else { format!("{of:.1}") }
}
