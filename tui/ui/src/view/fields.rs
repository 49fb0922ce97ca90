//! One entry on the whole screen: both records field by field, each pointer beside what it points at.
//!
//! Values stand here in full: this is the place to read and compare them.

use ratatui::Frame;
use userlink_domain::{PoolUser, Row, Timestamp};

use super::beside;
use super::detail::{rule, sentences};
use crate::glyphs::{GUTTER_WIDTH, Gutter};
use crate::layout::Layout;
use crate::model::{Model, Opened};
use crate::paint::{Cells, Look, draw_all};
use crate::pairs::{Pair, pairs, row_names, user_names};
use crate::theme::Role;
use crate::words::{absolute, ago};

const LABEL: usize = 12;
const EMAIL: &str = "e-mail";
/// A half needs no more than this.
const WIDEST_HALF: usize = 76;
/// Nor do sentences.
const WIDEST: usize = 120;

/// Label, value and how the value is drawn.
type Field = (String, String, Role);

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let Some(opened) = &model.opened else { return };
    let area = layout.body;
    let lines = lines(model, opened, usize::from(area.width));
    let skip = opened.scroll.min(lines.len().saturating_sub(usize::from(area.height)));
    let below = lines.len() - skip > usize::from(area.height);
    draw_all(lines, skip, frame, area);
    if below {
        let mut line = model.look().line();
        line.cell(&format!(" {} more below", model.look().glyphs.below), Role::Muted, usize::from(area.width));
        line.draw(frame, area, area.bottom() - 1);
    }
}

pub(super) fn furthest(model: &Model, layout: &Layout) -> usize {
    let Some(opened) = &model.opened else { return 0 };
    let area = layout.body;
    lines(model, opened, usize::from(area.width)).len().saturating_sub(usize::from(area.height))
}

fn lines(model: &Model, opened: &Opened, width: usize) -> Vec<Cells> {
    let look = model.look();
    let entry = &*model.seen(&opened.entry);
    let mut out = vec![rule(model, entry, width)];
    if let Some((_, found)) = &opened.found {
        out.extend(beside::provisional(model, found, width));
    }
    if opened.left {
        let mut line = look.line();
        line.text(" This entry is gone: it is shown as it was seen last.", Role::Attention);
        out.push(line);
    }
    let half = (width.saturating_sub(GUTTER_WIDTH + 4) / 2).min(WIDEST_HALF);
    for (at, pair) in pairs(entry).into_iter().enumerate() {
        if at > 0 {
            out.push(look.line());
        }
        out.extend(pair_lines(model, &pair, half));
    }
    out.push(look.line());
    out.extend(sentences(model, entry, width.min(WIDEST)));
    out.extend(beside::lines(model, width.min(WIDEST)));
    out
}

fn pair_lines(model: &Model, pair: &Pair<'_>, half: usize) -> Vec<Cells> {
    let look = model.look();
    let mut left = pair.user.map(|user| user_fields(model, user)).unwrap_or_default();
    let mut right = pair.row.map(|row| row_fields(model, row)).unwrap_or_default();
    // What differs is seen at the values themselves, too.
    if emails_differ(pair) {
        left.iter_mut()
            .chain(&mut right)
            .filter(|(label, ..)| label == EMAIL)
            .for_each(|field| field.2 = Role::Attention);
    }
    let mut head = look.line();
    head.to(2);
    head.cell(if pair.user.is_some() { "POOL USER" } else { "" }, Role::Muted, half);
    head.to(2 + half + GUTTER_WIDTH + 1);
    if pair.row.is_some() {
        head.cell(&format!("ROW {}", model.setup.table), Role::Muted, half);
    }
    let mut out = vec![head];
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    for at in 0.. {
        let (a, b) = (left.next(), right.next());
        if a.is_none() && b.is_none() {
            break;
        }
        let (a, b) = (field(look, a, half), field(look, b, half));
        let count = a.len().max(b.len());
        let (mut a, mut b) = (a.into_iter(), b.into_iter());
        for line_at in 0..count {
            let mut line = look.line();
            line.to(2);
            a.next().into_iter().for_each(|cells| line.append(cells));
            line.to(2 + half);
            if line_at == 0 {
                let (sign, role) = between(look, pair, at);
                line.text(sign, role);
            }
            line.to(2 + half + GUTTER_WIDTH + 1);
            b.next().into_iter().for_each(|cells| line.append(cells));
            out.push(line);
        }
    }
    out
}

/// The sign between the n-th fields: the pointers and the e-mail addresses face each other.
fn between(look: Look, pair: &Pair<'_>, at: usize) -> (&'static str, Role) {
    let blank = ("", Role::Muted);
    let elsewhere = match pair.gutter {
        Gutter::Both | Gutter::RowOnly | Gutter::UserOnly | Gutter::Blank | Gutter::Email => Gutter::Elsewhere,
        other => other,
    };
    let signed = |gutter: Gutter| (gutter.sign(look.ascii()), gutter.role());
    match at {
        0 => match (pair.user, pair.row) {
            (Some(user), Some(row)) if user_names(user, row) => (Gutter::UserOnly.sign(look.ascii()), tie_role(pair)),
            (Some(user), _) if user.user_id().is_some() => signed(elsewhere),
            _ => blank,
        },
        1 => match (pair.user, pair.row) {
            (Some(user), Some(row)) if row_names(row, user) => (Gutter::RowOnly.sign(look.ascii()), tie_role(pair)),
            (_, Some(row)) if row.sub().is_some() => signed(elsewhere),
            _ => blank,
        },
        2 => match (pair.user.and_then(email_key), pair.row.and_then(Row::email_key)) {
            (Some(user), Some(row)) if user == row => ("  =", Role::Calm),
            (Some(_), Some(_)) => (if look.ascii() { " !=" } else { "  ≠" }, Role::Attention),
            _ => blank,
        },
        _ => blank,
    }
}

fn emails_differ(pair: &Pair<'_>) -> bool {
    let of_user = pair.user.and_then(email_key);
    matches!((of_user, pair.row.and_then(Row::email_key)), (Some(user), Some(row)) if user != row)
}

fn tie_role(pair: &Pair<'_>) -> Role {
    if pair.gutter == Gutter::Both { Role::Calm } else { Role::Attention }
}

fn email_key(user: &PoolUser) -> Option<userlink_domain::EmailKey> {
    user.email.as_deref().and_then(userlink_domain::EmailKey::of)
}

/// A field on as many lines as its value needs.
fn field(look: Look, field: Option<Field>, half: usize) -> Vec<Cells> {
    let Some((label, value, role)) = field else { return Vec::new() };
    let bodies = look.wrap(&value, role, half.saturating_sub(LABEL + 1));
    let lines = bodies.into_iter().enumerate().map(|(at, body)| {
        let mut line = look.line();
        line.cell(if at == 0 { &label } else { "" }, Role::Muted, LABEL - 1);
        line.text(" ", Role::Plain);
        line.append(body);
        line
    });
    lines.collect()
}

fn value(model: &Model, text: Option<&str>, role: Role) -> (String, Role) {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => (text.to_owned(), role),
        None => (model.look().glyphs.empty.to_owned(), Role::Muted),
    }
}

fn moment(model: &Model, moment: Option<Timestamp>) -> (String, Role) {
    match moment {
        Some(at) => (format!("{} ({})", absolute(at), ago(at, model.now)), Role::Plain),
        None => value(model, None, Role::Muted),
    }
}

fn named(label: &str, (text, role): (String, Role)) -> Field {
    (label.to_owned(), text, role)
}

fn user_fields(model: &Model, user: &PoolUser) -> Vec<Field> {
    let verified = |verified: bool| if verified { "verified" } else { "not verified" };
    let with = |text: Option<&str>, is: bool| match text.filter(|text| !text.is_empty()) {
        Some(text) => (format!("{text} ({})", verified(is)), if is { Role::Plain } else { Role::Muted }),
        None => value(model, None, Role::Muted),
    };
    let enabled = if user.enabled { "enabled" } else { "disabled" };
    let status = format!("{}, {enabled}", user.status.as_str());
    let mut fields = vec![
        named(short_name(&model.names.user_id), value(model, user.user_id.as_deref(), Role::Strong)),
        named("sub", (user.sub.to_string(), Role::Strong)),
        named(EMAIL, with(user.email.as_deref(), user.email_verified)),
        named("created", moment(model, user.created)),
        named("modified", moment(model, user.modified)),
        named("username", value(model, Some(user.username.as_str()), Role::Plain)),
        named("status", (status, Role::Plain)),
        named("phone", with(user.phone.as_deref(), user.phone_verified)),
    ];
    let joined = user.identities.iter().map(|identity| format!("{} {}", identity.provider, identity.user_id));
    fields.extend(joined.map(|text| named("joined", (text, Role::Plain))));
    fields
}

fn row_fields(model: &Model, row: &Row) -> Vec<Field> {
    let sub = match (&row.sub, row.has_malformed_sub()) {
        (Some(text), true) => (format!("{text} (no UUID, counts as none)"), Role::Attention),
        (text, _) => value(model, text.as_deref(), Role::Strong),
    };
    let mut fields = vec![
        named(&model.names.id, (row.id.to_string(), Role::Strong)),
        named(&model.names.sub, sub),
        named(EMAIL, value(model, row.email.as_deref(), Role::Plain)),
        named("created", moment(model, row.created_at)),
        named("updated", moment(model, row.updated_at)),
    ];
    for (at, shown) in row.show.iter().enumerate() {
        let label = model.names.show.get(at).map_or("", String::as_str);
        fields.push(named(label, value(model, shown.as_deref(), Role::Plain)));
    }
    fields
}

/// `userId` of `custom:userId`: the label is narrow.
fn short_name(attribute: &str) -> &str {
    attribute.strip_prefix("custom:").unwrap_or(attribute)
}
