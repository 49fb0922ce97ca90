//! The entry under the cursor, in words: what it is, why, why not something else, and what can be done.
//!
//! An entry that is still being read gets no verdict here, only what it looks like so far.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::{Flag, Situation};
use userlink_link::{Because, Entry, Explanation, Related};

use super::{title, user_name};
use crate::glyphs::{Gutter, group_sign, situation_words};
use crate::keys::Command;
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look, draw_all};
use crate::pairs::{pairs, row_names, user_names};
use crate::theme::Role;

/// Where the words begin, behind their label.
const LABEL: usize = 10;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let area = layout.detail;
    let width = usize::from(area.width);
    if layout.beside {
        let column = Rect { x: area.x - 1, width: 1, ..area };
        for y in area.y..area.bottom() {
            let mut line = look.line();
            line.text(look.glyphs.upright, Role::Muted);
            line.draw(frame, column, y);
        }
    }
    let Some(entry) = model.list.entry().filter(|_| model.list.total() > 0) else {
        let mut line = look.line();
        if !layout.beside {
            line.fill(look.glyphs.rule, Role::Muted, width);
        }
        return line.draw(frame, area, area.y);
    };
    let entry = &*model.seen(entry);
    let mut lines = if layout.beside { beside_title(model, entry, width) } else { vec![rule(model, entry, width)] };
    lines.extend(sentences(model, entry, width));
    let room = usize::from(area.height);
    if lines.len() > room {
        lines.truncate(room - 1);
        let mut line = look.line();
        line.text(&format!(" {} ", look.glyphs.below), Role::Muted);
        line.text(&format!("{} shows the rest", model.keys.key_of(Command::Open)), Role::Muted);
        lines.push(line);
    }
    draw_all(lines, 0, frame, area);
}

/// The title in one line: who, what, and whether it can be repaired.
pub(super) fn rule(model: &Model, entry: &Entry, width: usize) -> Cells {
    let look = model.look();
    let (offer, offer_role) = offer(model, entry);
    let (sign, role) = group_sign(entry.situation.group(), look.ascii());
    let verdict = situation_words(entry.situation);
    let tail = if offer.is_empty() { 2 } else { look.width(&offer) + 4 };
    let fixed = 3 + 3 + look.width(&verdict) + 2 + 2 + tail;
    let mut line = look.line();
    line.text(&format!("{0}{0} ", look.glyphs.rule), Role::Muted);
    let name = title(entry);
    let room = look.width(&name).min(width.saturating_sub(fixed).max(8));
    line.cell(&name, Role::Strong, room);
    line.text(&format!(" {} ", look.glyphs.rule), Role::Muted);
    line.text(&format!("{sign} {verdict}"), role);
    for flag in entry.flags.iter().map(flag_words) {
        if line.width() + 3 + look.width(flag) + tail < width {
            line.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
            line.text(flag, Role::Attention);
        }
    }
    line.text(" ", Role::Plain);
    line.fill(look.glyphs.rule, Role::Muted, width.saturating_sub(tail));
    if !offer.is_empty() {
        line.text(" ", Role::Plain);
        line.text(&offer, offer_role);
        line.text(" ", Role::Plain);
    }
    line.fill(look.glyphs.rule, Role::Muted, width);
    line
}

/// The title where there is a column for it.
fn beside_title(model: &Model, entry: &Entry, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut name = look.line();
    name.text(" ", Role::Plain);
    name.cell(&title(entry), Role::Strong, width - 2);
    let (sign, role) = group_sign(entry.situation.group(), look.ascii());
    let mut verdict = look.line();
    verdict.text(&format!(" {sign} {}", situation_words(entry.situation)), role);
    for flag in entry.flags.iter().map(flag_words) {
        if verdict.width() + 3 + look.width(flag) < width {
            verdict.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
            verdict.text(flag, Role::Attention);
        }
    }
    let (offer, offer_role) = offer(model, entry);
    let mut lines = vec![name, verdict];
    if !offer.is_empty() {
        let mut line = look.line();
        line.text(" ", Role::Plain);
        line.text(&offer, offer_role);
        lines.push(line);
    }
    lines.push(look.line());
    lines
}

/// Whether there is a repair, and whether it is safe.
fn offer(model: &Model, entry: &Entry) -> (String, Role) {
    let Some(explanation) = model.explanation() else { return (String::new(), Role::Muted) };
    if entry.flags.contains(Flag::Contested) {
        ("contested: look first".to_owned(), Role::Attention)
    } else if explanation.repair.safe {
        ("safe to repair".to_owned(), Role::Calm)
    } else if !explanation.repair.steps.is_empty() {
        ("repair after a look".to_owned(), Role::Attention)
    } else {
        (String::new(), Role::Muted)
    }
}

/// The entry in sentences.
pub(super) fn sentences(model: &Model, entry: &Entry, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = Vec::new();
    if entry.situation == Situation::Reading {
        lines.extend(indented(look, &so_far(model, entry), Role::Muted, width));
    }
    let explanation = model.explanation();
    if let Some(summary) = explanation.map(|it| &it.summary).filter(|summary| !summary.is_empty()) {
        lines.extend(indented(look, &model.told(summary), Role::Plain, width));
    }
    let empty = Explanation::default();
    let it = explanation.unwrap_or(&empty);
    let points = points(model, entry);
    let today = Some(it.today.clone()).filter(|text| !text.is_empty());
    let after = Some(it.after.clone()).filter(|text| !text.is_empty());
    let related: Vec<_> = it.related.iter().map(related_words).collect();
    let repair = Some(it.repair.words.clone()).filter(|text| !text.is_empty());
    let flags: Vec<_> = entry.flags.iter().map(|flag| flag_sentence(flag, &model.names.user_id)).collect();
    for (label, texts, role) in [
        ("Points", points, Role::Plain),
        ("Why", it.why.clone(), Role::Plain),
        ("Today", today.into_iter().collect(), Role::Plain),
        ("Repair", repair.into_iter().collect(), Role::Strong),
        ("After", after.into_iter().collect(), Role::Plain),
        ("Why not", it.why_not.clone(), Role::Plain),
        ("Related", related, Role::Plain),
        ("Mind", flags, Role::Attention),
    ] {
        let texts: Vec<String> = texts.iter().map(|text| model.told(text).into_owned()).collect();
        lines.extend(labelled(look, label, &texts, role, width));
    }
    lines
}

fn indented(look: Look, text: &str, role: Role, width: usize) -> Vec<Cells> {
    let wrapped = look.wrap(text, role, width.saturating_sub(2));
    wrapped.into_iter().map(|body| behind(look, "", 1, body)).collect()
}

/// A label, and beside it each text on lines of its own. What begins with a sign goes on behind it.
pub(super) fn labelled(look: Look, label: &str, texts: &[String], role: Role, width: usize) -> Vec<Cells> {
    let bodies = texts.iter().flat_map(|text| {
        let indent = if text.starts_with("+ ") || text.starts_with("- ") { 2 } else { 0 };
        let (sign, text) = text.split_at(indent);
        let bodies = look.wrap(text, role, width.saturating_sub(LABEL + 1 + indent));
        bodies.into_iter().enumerate().map(move |(at, body)| {
            let mut line = look.line();
            line.text(if at == 0 { sign } else { "" }, role);
            line.to(indent);
            line.append(body);
            line
        })
    });
    let lines = bodies.enumerate().map(|(at, body)| behind(look, if at == 0 { label } else { "" }, LABEL, body));
    lines.collect()
}

fn behind(look: Look, label: &str, column: usize, body: Cells) -> Cells {
    let mut line = look.line();
    if !label.is_empty() {
        line.text(&format!(" {label}"), Role::Accent);
    }
    line.to(column);
    line.append(body);
    line
}

/// What a `reading` entry looks like so far. No verdict, and it says so.
fn so_far(model: &Model, entry: &Entry) -> String {
    let looks = match entry.so_far {
        Some(Situation::Linked | Situation::LinkedInactive) => "So far both pointers agree".to_owned(),
        Some(Situation::Reading | Situation::Unsettled) | None => "So far there is nothing to tell".to_owned(),
        Some(other) => format!("So far it looks like {}, which is no verdict yet", situation_words(other)),
    };
    let (users, rows) = model.progress.as_ref().map_or((false, false), |it| (it.users_done, it.rows_done));
    let unread = match (users, rows) {
        (false, true) => "the pool is not read to its end",
        (true, false) => "the table is not read to its end",
        (false, false) => "neither the pool nor the table is read to its end",
        (true, true) => "what was read last is still being compared",
    };
    format!("{looks}; {unread}.")
}

/// Where the pointers lead that do not lead to the other side of their line.
fn points(model: &Model, entry: &Entry) -> Vec<String> {
    let reading = entry.situation == Situation::Reading;
    let missing = if reading { "not read yet" } else { "which is not there" };
    let mut out = Vec::new();
    for pair in pairs(entry) {
        if !matches!(
            pair.gutter,
            Gutter::Elsewhere | Gutter::UserNowhere | Gutter::RowNowhere | Gutter::UserUnread | Gutter::RowUnread
        ) {
            continue;
        }
        if let Some((user, user_id)) = pair.user.and_then(|user| Some((user, user.user_id()?))) {
            let beside = pair.row.is_some_and(|row| user_names(user, row));
            let there = entry.rows.iter().any(|row| user_names(user, row));
            let whose = format!("{} of {}", model.names.user_id, user_name(user));
            if !there {
                out.push(format!("{whose} names row {user_id}, {missing}."));
            } else if !beside {
                out.push(format!("{whose} names row {user_id}, on another line of this entry."));
            }
        }
        if let Some((row, sub)) = pair.row.and_then(|row| Some((row, row.sub()?))) {
            let beside = pair.user.is_some_and(|user| row_names(row, user));
            let there = entry.users.iter().find(|user| row_names(row, user));
            match there {
                None => out.push(format!("Row {} names user {sub}, {missing}.", row.id)),
                Some(user) if !beside => {
                    out.push(format!("Row {} names {}, on another line.", row.id, user_name(user)))
                }
                Some(_) => {}
            }
        }
    }
    out
}

fn related_words(related: &Related) -> String {
    let because = |because: &Because| match because {
        Because::SameEmail => "has the same e-mail, and belongs elsewhere",
        Because::NativeUser => "is the native user to whom this profile was joined",
        Because::Rival => "speaks for another owner",
    };
    match related {
        Related::User { username, because: why, .. } => format!("User {} {}.", username.as_str(), because(why)),
        Related::Row { id, because: why } => format!("Row {id} {}.", because(why)),
    }
}

/// A flag in a word or two.
pub(super) fn flag_words(flag: Flag) -> &'static str {
    match flag {
        Flag::EmailDiffers => "e-mail differs",
        Flag::NonCanonicalId => "id written otherwise",
        Flag::Writable => "writable by users",
        Flag::Contested => "contested",
    }
}

/// A flag in a sentence.
pub(super) fn flag_sentence(flag: Flag, user_id: &str) -> String {
    match flag {
        Flag::EmailDiffers => "The user's verified e-mail is not the row's.".to_owned(),
        Flag::NonCanonicalId => format!("{user_id} means the row, but is not written as its id is."),
        Flag::Writable => format!("It rests on {user_id}, which users can write themselves."),
        Flag::Contested => "A record outside this entry speaks for another owner.".to_owned(),
    }
}
