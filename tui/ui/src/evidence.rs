//! Evidence: what is known of an entry as a block of plain text for a ticket, with personal data or without.
//!
//! It is shown before it is copied. Nothing in it can do anything where it is pasted: what cannot be seen is written out.

use userlink_domain::{PoolUser, Row, Timestamp};
use userlink_link::Entry;

use crate::beside::Refers;
use crate::effect::Effect;
use crate::event::Level;
use crate::glyphs::situation_words;
use crate::keys::Command;
use crate::model::Model;
use crate::privacy;
use crate::safe_text::safe_text;
use crate::words::{absolute, lasts};

/// The longest text that terminals take from a program in one piece, in bytes: xterm and others stop at 100,000 characters
/// of base64.
const LONGEST: usize = 74_000;
/// Where the values begin.
pub(crate) const LABEL: usize = 10;

/// The block while it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Showing {
    /// Whether personal data is in it.
    pub(crate) whole: bool,
    pub(crate) scroll: usize,
}

/// Shows the block of the entry at hand. It begins without personal data.
pub(crate) fn open(model: &mut Model) {
    if model.entry().is_none() {
        return model.say(Level::Info, "There is no entry to copy yet.");
    }
    model.evidence = Some(Showing::default());
}

/// Copies what is shown.
pub(crate) fn copy(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(Showing { whole, .. }) = model.evidence.take() else { return };
    let lines = lines(model, whole);
    let text = lines.join("\n") + "\n";
    let what = if whole { "with personal data" } else { "without personal data" };
    put(model, text, &format!("the evidence, {} lines, {what}", lines.len()), effects);
}

/// Copies the sub of the user at hand, or the row's id; pressed again, the other.
pub(crate) fn copy_id(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(entry) = model.entry() else {
        return model.say(Level::Info, "There is no entry to copy from yet.");
    };
    let user = entry.users.first().map(|user| ("the sub", user.sub.to_string()));
    let row = entry.rows.first().map(|row| ("the row's id", row.id.to_string()));
    let parts: Vec<_> = user.into_iter().chain(row).collect();
    let next = model.copied.as_ref().and_then(|last| parts.iter().position(|(_, text)| text == last));
    let Some((what, id)) = next.map_or_else(|| parts.first(), |at| parts.get((at + 1) % parts.len())).cloned() else {
        return;
    };
    if model.is_masked() && privacy::scrub(&id, true) != id {
        model.copied = Some(id);
        let key = model.keys.key_of(Command::Mask);
        let text =
            format!("Not copied: {what} is an address or a number, and those are out of sight. {key} shows them.");
        return model.say(Level::Info, text);
    }
    let text = safe_text(&id);
    let written_out = if text == id { "" } else { ", with what cannot be seen written out" };
    let other = parts.iter().find(|(_, text)| *text != id).map(|(what, _)| format!("; again for {what}"));
    model.copied = Some(id);
    put(model, text.clone(), &format!("{what}{written_out}: {text}{}", other.unwrap_or_default()), effects);
}

fn put(model: &mut Model, text: String, what: &str, effects: &mut Vec<Effect>) {
    if text.len() > LONGEST {
        let text = format!("Not copied: {} bytes are more than a terminal takes ({LONGEST}).", text.len());
        return model.say(Level::Info, text);
    }
    // The terminal does not answer: whether it took the text cannot be known.
    model.say(Level::Info, format!("Sent to the clipboard: {what}."));
    effects.push(Effect::Copy(text));
}

/// The block, line by line.
pub(crate) fn lines(model: &Model, whole: bool) -> Vec<String> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let seen = if whole { entry.clone() } else { privacy::entry(entry, true) };
    let told = |text: &str| if whole { text.to_owned() } else { model.hidden_in_ascii(text) };
    let mut out = Block(Vec::new());
    let setup = &model.setup;
    let production = if setup.production { ", production" } else { "" };
    out.0.push(format!("userlink, {}", absolute(model.now)));
    out.add("where", &format!("{}{production}: pool {}, table {}", setup.context, setup.pool, setup.table));
    let flags: Vec<_> = entry.flags.iter().map(userlink_domain::Flag::name).collect();
    let flags = if flags.is_empty() { String::new() } else { format!(" ({})", flags.join(", ")) };
    let provisional = model.found().map(|found| format!(", provisional, not looked at: {}", found.not_looked_at));
    let verdict = format!("{}{flags}{}", situation_words(entry.situation), provisional.unwrap_or_default());
    out.add("verdict", &verdict);
    for user in &seen.users {
        of_user(&mut out, user);
    }
    for row in &seen.rows {
        of_row(model, &mut out, row);
    }
    left_out(&mut out, entry);
    if let Some(explanation) = model.explanation() {
        out.add("summary", &told(&explanation.summary));
        explanation.why.iter().for_each(|why| out.add("why", &told(why)));
        explanation.why_not.iter().for_each(|why| out.add("why not", &told(why)));
        out.add("today", &told(&explanation.today));
        out.add("repair", &told(&explanation.repair.words));
        out.add("after", &told(&explanation.after));
    }
    for candidate in model.candidates().into_iter().flatten() {
        let recommended = candidate.recommended.as_ref().map(|why| format!(", recommended: {why}")).unwrap_or_default();
        let user = if whole { candidate.user.clone() } else { privacy::username(&candidate.user, true).into_owned() };
        out.add("pair", &format!("user {user} and {}{}", told(&candidate.mate), told(&recommended)));
        candidate.why.iter().for_each(|why| out.add("", &format!("+ {}", told(why))));
        candidate.why_not.iter().for_each(|why| out.add("", &format!("- {}", told(why))));
    }
    for Refers { row, tables } in model.beside.references.iter().flatten() {
        let row = told(row);
        match tables {
            Ok(tables) if tables.is_empty() => {}
            Ok(tables) => out.add("refers", &format!("to {row}: {}", tables.join(", "))),
            Err(why) => out.add("refers", &format!("to {row}: not known. {}", told(why))),
        }
    }
    match &model.beside.tokens {
        Some(Ok(lives)) => out.add("tokens", &lasts_longest(lives)),
        Some(Err(why)) => out.add("tokens", &format!("not known. {}", told(why))),
        None => {}
    }
    match &model.beside.history {
        Some(Ok(done)) => done.iter().for_each(|step| {
            let reason = step.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let text = format!("{} {} by {}: {}{reason}", absolute(step.at), step.outcome, step.actor, step.what);
            out.add("history", &told(&text));
        }),
        Some(Err(why)) => out.add("history", &format!("not known. {}", told(why))),
        None => {}
    }
    out.add(
        "personal",
        if whole { "e-mails, names and phones as they are" } else { "e-mails, names and phones left out" },
    );
    out.0
}

/// How long a token that was issued goes on saying what it said, by the client whose tokens last longest.
pub(crate) fn lasts_longest(lives: &[crate::beside::Lives]) -> String {
    match lives.iter().max_by_key(|it| it.id_token) {
        Some(longest) => format!(
            "An ID token says what it said for {} at most (client {}), unless it is renewed before.",
            lasts(longest.id_token),
            longest.client
        ),
        None => "The pool has no app client that could have issued any.".to_owned(),
    }
}

struct Block(Vec<String>);

impl Block {
    fn add(&mut self, label: &str, text: &str) {
        if !text.trim().is_empty() {
            self.0.push(format!("{label:LABEL$}{}", safe_text(text)));
        }
    }
}

fn of_user(out: &mut Block, user: &PoolUser) {
    let verified = |is: bool| if is { "verified" } else { "not verified" };
    let enabled = if user.enabled { "enabled" } else { "disabled" };
    out.add("user", &format!("{}  sub {}", user.username.as_str(), user.sub));
    out.add("", &format!("user id {}", user.user_id().unwrap_or("-")));
    if let Some(email) = &user.email {
        out.add("", &format!("e-mail {email} ({})", verified(user.email_verified)));
    }
    if let Some(phone) = &user.phone {
        out.add("", &format!("phone {phone} ({})", verified(user.phone_verified)));
    }
    let (created, modified) = (moment(user.created), moment(user.modified));
    out.add("", &format!("{}, {enabled}, created {created}, changed {modified}", user.status.as_str()));
}

fn of_row(model: &Model, out: &mut Block, row: &Row) {
    out.add("row", &format!("{}  sub {}", row.id, row.sub.as_deref().unwrap_or("-")));
    if let Some(email) = &row.email {
        out.add("", &format!("e-mail {email}"));
    }
    for (at, value) in row.show.iter().enumerate() {
        if let (Some(name), Some(value)) = (model.names.show.get(at), value) {
            out.add("", &format!("{name} {value}"));
        }
    }
    out.add("", &format!("created {}, changed {}", moment(row.created_at), moment(row.updated_at)));
}

fn left_out(out: &mut Block, entry: &Entry) {
    let users = entry.user_count.saturating_sub(entry.users.len());
    let rows = entry.row_count.saturating_sub(entry.rows.len());
    if users + rows > 0 {
        out.add("more", &format!("{users} users and {rows} rows of this entry are left out"));
    }
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), absolute)
}
