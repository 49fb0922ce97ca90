//! From an entry to another one that it points at or is related to, and back again.

use userlink_domain::{IdKind, RecordRef, RowId};
use userlink_link::{Entry, Related};

use crate::effect::Effect;
use crate::event::{Level, ViewSpec};
use crate::list::holds;
use crate::model::{Model, Opened};

/// More stops than this nobody goes back.
const LONGEST: usize = 100;

/// Where somebody was.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    spec: ViewSpec,
    on: Option<RecordRef>,
    opened: bool,
}

/// Where somebody is going.
#[derive(Debug)]
pub(super) struct Going {
    to: RecordRef,
    /// Whether its entry is opened, too.
    open: bool,
    /// What it is called where it is not there.
    words: String,
    /// Whether its view has been asked for.
    asked: bool,
}

/// Where the pointers lead that lead out of the entry.
fn away(entry: &Entry) -> Vec<(RecordRef, String)> {
    let mut away = Vec::new();
    for user in &entry.users {
        if let Some(text) = user.user_id()
            && !entry.rows.iter().any(|row| crate::pairs::user_names(user, row))
        {
            // The worker knows of which kind ids are, and reads the text again.
            let id = RowId::parse(IdKind::Text, text);
            away.extend(id.map(|id| (RecordRef::Row(id), format!("Row {text}"))));
        }
    }
    for row in &entry.rows {
        if let Some(sub) = row.sub()
            && !entry.users.iter().any(|user| crate::pairs::row_names(row, user))
        {
            away.push((RecordRef::User(sub), format!("User {sub}")));
        }
    }
    away
}

/// Follows a pointer to where it leads.
pub(super) fn follow(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(entry) = model.entry() else { return };
    let points =
        entry.users.iter().any(|user| user.user_id().is_some()) || entry.rows.iter().any(|row| row.sub().is_some());
    match away(entry).into_iter().next() {
        Some((to, words)) => go(model, to, words, effects),
        None if points => model.say(Level::Info, "Its pointers lead to records of this very entry."),
        None => model.say(Level::Info, "Nothing here points anywhere."),
    }
}

/// Goes to the entry with which it has to do: that of the same e-mail, the native user, the rival.
pub(super) fn counterpart(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(entry) = model.entry() else { return };
    let both = !entry.users.is_empty() && !entry.rows.is_empty();
    let Some(explanation) = model.explanation() else {
        return model.say(Level::Info, "Still looking what it has to do with. Once more in a moment.");
    };
    let other_side = |related: &&Related| match related {
        Related::User { .. } => entry.users.is_empty(),
        Related::Row { .. } => entry.rows.is_empty(),
    };
    let related = explanation.related.iter().find(other_side).or(explanation.related.first());
    match related {
        Some(Related::User { sub, username, .. }) => {
            let words = format!("User {}", username.as_str());
            go(model, RecordRef::User(*sub), words, effects);
        }
        Some(Related::Row { id, .. }) => {
            let words = format!("Row {id}");
            go(model, RecordRef::Row(id.clone()), words, effects);
        }
        None if both => model.say(Level::Info, "Both sides stand here, and no other record has to do with them."),
        None => model.say(Level::Info, "There is no counterpart, and no other record has to do with it."),
    }
}

fn go(model: &mut Model, to: RecordRef, words: String, effects: &mut Vec<Effect>) {
    effects.push(Effect::Locate(to.clone()));
    model.browse.going = Some(Going { to, open: model.opened.is_some(), words, asked: false });
}

/// Whether it is there was asked; it may be known by another spelling of its id.
pub(crate) fn located(model: &mut Model, of: &RecordRef, found: Option<RecordRef>, effects: &mut Vec<Effect>) {
    let Some(going) = model.browse.going.take_if(|going| going.to == *of && !going.asked) else { return };
    let Some(to) = found else {
        let why = if model.phase() == crate::event::Phase::Complete { "is not there" } else { "has not been read" };
        return model.say(Level::Info, format!("{} {why}.", going.words));
    };
    let from = Stop { spec: model.list.spec.clone(), on: model.subject().cloned(), opened: model.opened.is_some() };
    let trail = &mut model.browse.trail;
    if trail.len() == LONGEST {
        trail.remove(0);
    }
    trail.push(from);
    model.opened = None;
    // It may be in any group, and need not pass the filter.
    let spec = ViewSpec { group: None, filter: String::new(), ..model.list.spec.clone() };
    go_to(model, Stop { spec, on: Some(to), opened: going.open }, effects);
    model.say(Level::Info, format!("{}. Esc goes back.", going.words));
}

/// Whether Esc goes one step back. An entry that was opened at the end of the way is closed first.
pub(super) fn leads_back(model: &Model) -> bool {
    model.browse.trail.last().is_some_and(|stop| stop.opened || model.opened.is_none())
}

/// One step back.
pub(super) fn back(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(stop) = model.browse.trail.pop() {
        model.opened = None;
        go_to(model, stop, effects);
    }
}

fn go_to(model: &mut Model, stop: Stop, effects: &mut Vec<Effect>) {
    effects.extend(model.list.jump(stop.spec, stop.on.clone(), model.page()));
    model.browse.going =
        stop.on.filter(|_| stop.opened).map(|to| Going { to, open: true, words: String::new(), asked: true });
}

/// A window has come: what was to be opened is opened.
pub(crate) fn arrived(model: &mut Model) {
    let is_there = model.list.is_current();
    if is_there && std::mem::take(&mut model.browse.opens_next) && model.list.entry().is_some() {
        crate::command::open(model);
    }
    let Some(going) = model.browse.going.take_if(|going| going.asked && is_there) else { return };
    if let Some(entry) = model.list.entry().filter(|entry| going.open && holds(entry, &going.to)) {
        model.opened = Some(Opened { of: going.to, entry: entry.clone(), left: false, scroll: 0, found: None });
    }
}
