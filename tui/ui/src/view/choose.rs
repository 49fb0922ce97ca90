//! Who gets which row: the candidates, and below them all that speaks for and against the one under the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::{FieldValue, Mate, PoolUser, Row};

use super::pane::{self, labelled};
use super::{Regions, user_name};
use crate::choose::Choose;
use crate::glyphs::{GUTTER_WIDTH, Gutter, group_sign, situation_words};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look, draw_all};
use crate::pairs::{row_names, user_names};
use crate::plan::Candidate;
use crate::theme::Role;
use crate::words::{absolute, counted};

/// Of a column that is only shown, so many characters.
const LONGEST: usize = 80;
/// From so many columns on both people and the row stand beside each other.
const THREE: usize = 110;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, choose: &Choose, regions: &mut Regions) {
    let look = model.look();
    let situation = choose.of.entry.situation;
    let (sign, role) = group_sign(situation.group(), look.ascii());
    let title = format!("{} {sign} {}", super::title(&model.seen(&choose.of.entry)), situation_words(situation));
    let left = match choose.of.left {
        0 | 1 => "nothing written yet".to_owned(),
        left => format!("{} to choose for", counted(left, "entry", "entries")),
    };
    let below = pane::begin(model, frame, layout, (&title, role), &left);
    let width = usize::from(below.width);
    let room = usize::from(below.height);
    let said = choose.current().map(|candidate| evidence(model, choose, candidate, width)).unwrap_or_default();
    // The evidence has what room there is below two candidates.
    let most = (room / 3).min(room.saturating_sub(said.len() + 1)).max(2);
    let shown = choose.of.candidates.len().clamp(1, most);
    let top = choose.cursor.saturating_sub(shown - 1);
    let places = 0..choose.of.candidates.len();
    let list = Rect { height: below.height.min(shown as u16), ..below };
    regions.choices = places.map(|at| super::lines_on(list, top, at, at + 1)).collect();
    let candidates = choose.of.candidates.iter().enumerate().skip(top).take(shown);
    let mut lines: Vec<Cells> = candidates.map(|(at, candidate)| line(model, choose, at, candidate, width)).collect();
    if choose.of.candidates.is_empty() {
        lines.extend(look.wrap("  Nobody and nothing here can be tied together.", Role::Muted, width));
    }
    let below_top = choose.of.candidates.len().saturating_sub(top + shown);
    let mut rule = look.line();
    if below_top > 0 {
        rule.text(&format!(" {} {below_top} more below ", look.glyphs.below), Role::Muted);
    }
    rule.fill(look.glyphs.rule, Role::Muted, width);
    lines.push(rule);
    lines.extend(said);
    pane::cut(look, &mut lines, room, width);
    draw_all(lines, 0, frame, below);
}

fn is_recommended(choose: &Choose, candidate: &Candidate) -> bool {
    choose.of.recommended.as_ref().is_some_and(|(pairs, _)| pairs.contains(&candidate.pair))
}

fn line(model: &Model, choose: &Choose, at: usize, candidate: &Candidate, width: usize) -> Cells {
    let look = model.look();
    let mut line = look.line();
    let selected = at == choose.cursor;
    line.text(if selected { look.glyphs.bar } else { " " }, Role::Accent);
    if selected {
        line.select();
    }
    let chosen = choose.chosen.get(at).is_some_and(|chosen| *chosen);
    line.cell(if chosen { look.glyphs.mark } else { " " }, Role::Accent, 2);
    let name = (width.saturating_sub(40) / 2).clamp(16, 40);
    line.cell(&user_name(&model.seen_user(&candidate.user)), Role::Plain, name);
    line.text(" ", Role::Plain);
    let from = line.width();
    let gutter = gutter(candidate);
    line.text(gutter.sign(look.ascii()), gutter.role());
    line.to(from + GUTTER_WIDTH + 1);
    match (&candidate.pair.mate, &candidate.row) {
        (Mate::Row(id), _) => line.id(&format!("row {id}"), Role::Plain, 19),
        (Mate::New, _) => line.cell("a new row", Role::Plain, 19),
        (Mate::None, _) => line.cell("no row", Role::Plain, 19),
    }
    line.text(" ", Role::Plain);
    if is_recommended(choose, candidate) {
        line.text("recommended", Role::Calm);
    } else if candidate.owner.is_some() {
        line.text("has another owner", Role::Danger);
    }
    line.to(width);
    line
}

fn gutter(candidate: &Candidate) -> Gutter {
    let Some(row) = &candidate.row else { return Gutter::Blank };
    match (user_names(&candidate.user, row), row_names(row, &candidate.user)) {
        (true, true) => Gutter::Both,
        (false, true) => Gutter::RowOnly,
        (true, false) => Gutter::UserOnly,
        (false, false) if candidate.owner.is_some() => Gutter::Elsewhere,
        (false, false)
            if candidate.user.verified_email().is_some() && candidate.user.verified_email() == row.email_key() =>
        {
            Gutter::Email
        }
        (false, false) => Gutter::Blank,
    }
}

fn evidence(model: &Model, choose: &Choose, candidate: &Candidate, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = Vec::new();
    let (head, second) = match (&candidate.owner, &candidate.other) {
        (Some(owner), _) => ("HAS IT TODAY".to_owned(), Some(owner)),
        (None, Some(other)) => {
            let head = if other.names_it { "NAMES IT, TOO" } else { "MAY BE MEANT, TOO" };
            let more = if other.more > 0 { format!(" (1 of {})", other.more + 1) } else { String::new() };
            (format!("{head}{more}"), Some(&other.user))
        }
        (None, None) => (String::new(), None),
    };
    let people = [Some(&candidate.user), second].into_iter().flatten().cloned().collect();
    let (people, row) = model.seen_beside(people, candidate.row.clone());
    let row = row.map(|row| row_fields(model, &row, candidate)).unwrap_or_default();
    let count = if people.len() == 2 && width >= THREE { 3 } else { 2 };
    let part = (width.saturating_sub(count + 1) / count).min(70);
    let gets = match candidate.pair.mate {
        Mate::Row(_) => "GETS THE ROW",
        Mate::New => "GETS A NEW ROW",
        Mate::None => "GETS NO ROW",
    };
    let mut blocks: Vec<Vec<Cells>> =
        people.iter().zip([gets, &head]).map(|(user, head)| person(look, head, user, part)).collect();
    let beside = blocks.len() < count;
    if beside && !row.is_empty() {
        blocks.push(of_row(look, &row, part));
    }
    let tallest = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let mut blocks: Vec<_> = blocks.into_iter().map(Vec::into_iter).collect();
    for _ in 0..tallest {
        let mut line = look.line();
        for (place, block) in blocks.iter_mut().enumerate() {
            line.to(1 + place * (part + 1));
            block.next().into_iter().for_each(|cells| line.append(cells));
        }
        lines.push(line);
    }
    if !beside {
        let texts: Vec<_> = row.iter().map(|(name, value)| format!("{name} {value}")).collect();
        lines.extend(labelled(look, "Row", &texts.join(&format!(" {} ", look.glyphs.dot)), Role::Plain, width));
    }
    for (at, (user, sees)) in choose.sees(candidate).into_iter().enumerate() {
        let text = format!("{} {}", user_name(&model.seen_user(user)), model.told(sees));
        lines.extend(labelled(look, if at == 0 { "Afterwards" } else { "" }, &text, Role::Strong, width));
    }
    if let Some((_, reason)) = choose.of.recommended.as_ref().filter(|_| is_recommended(choose, candidate)) {
        lines.extend(labelled(look, "Recommended", &model.told(reason), Role::Calm, width));
    }
    for (label, role, texts) in [("Why", Role::Plain, &candidate.why), ("Why not", Role::Attention, &candidate.why_not)]
    {
        for (at, text) in texts.iter().enumerate() {
            lines.extend(labelled(look, if at == 0 { label } else { "" }, &model.told(text), role, width));
        }
    }
    lines
}

fn field(look: Look, name: &str, value: &str, width: usize) -> Cells {
    let mut line = look.line();
    line.cell(name, Role::Muted, 10);
    line.text(" ", Role::Plain);
    line.cell(value, Role::Plain, width.saturating_sub(11));
    line
}

fn person(look: Look, title: &str, user: &PoolUser, width: usize) -> Vec<Cells> {
    let mut head = look.line();
    head.text(title, Role::Strong);
    let day = |at: Option<_>| at.map_or_else(|| "not known".to_owned(), absolute);
    let verified = if user.email_verified { "verified" } else { "NOT verified" };
    let email = user.email.as_deref().map_or_else(|| "none".to_owned(), |email| format!("{email} {verified}"));
    let state =
        if user.enabled { user.status.as_str().to_owned() } else { format!("{}, disabled", user.status.as_str()) };
    vec![
        head,
        field(look, "username", user.username.as_str(), width),
        field(look, "e-mail", &email, width),
        field(look, "status", &state, width),
        field(look, "created", &day(user.created), width),
        field(look, "changed", &day(user.modified), width),
    ]
}

/// What is known of a row, the columns among it that the mapping wants shown: each with what it is called.
fn row_fields(model: &Model, row: &Row, candidate: &Candidate) -> Vec<(String, String)> {
    let day = |at: Option<_>| at.map_or_else(|| "not known".to_owned(), absolute);
    let references = match &candidate.references[..] {
        [] => "nothing refers to it".to_owned(),
        some => some.join(", "),
    };
    let own = [
        ("id", row.id.to_string()),
        ("e-mail", row.email.as_deref().unwrap_or("none").to_owned()),
        ("created", day(row.created_at)),
        ("changed", day(row.updated_at)),
        ("referred", references),
    ];
    let empty = model.look().glyphs.empty;
    let value =
        |value: &FieldValue| value.as_deref().map_or_else(|| empty.to_owned(), |it| it.chars().take(LONGEST).collect());
    let shown = model.names.show.iter().cloned().zip(row.show.iter().map(value));
    own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(shown).collect()
}

fn of_row(look: Look, fields: &[(String, String)], width: usize) -> Vec<Cells> {
    let mut head = look.line();
    head.text("ROW", Role::Strong);
    std::iter::once(head).chain(fields.iter().map(|(name, value)| field(look, name, value, width))).collect()
}
