//! The mouse: what stands under it was said by the view.

use userlink_domain::{Group, Timestamp};
use userlink_find::Column;

use super::{columns, order};
use crate::command;
use crate::effect::Effect;
use crate::keys::{Command, Place};
use crate::model::Model;
use crate::over::Over;
use crate::{history, overview, repairs};

/// What the mouse did, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// What it did.
    pub press: Press,
    /// What stands there.
    pub target: Target,
}

/// What a mouse does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// The left button went down.
    Click,
    /// The wheel was turned away.
    WheelUp,
    /// The wheel was turned near.
    WheelDown,
}

/// What stands at a place of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An entry, by its place in the view.
    Entry(usize),
    /// A group's tab; `None` is all.
    Tab(Option<Group>),
    /// The head of a column that can be sorted by.
    Head(Column),
    /// A line of a choice, counted from 0.
    Choice(usize),
    /// Anything else.
    Elsewhere,
}

/// Two clicks within so many milliseconds are one double click.
const DOUBLE: i64 = 400;
/// So many lines or entries are a notch of the wheel.
const NOTCH: usize = 3;

/// A click that may be the first of two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Click {
    place: Place,
    target: Target,
    at: Timestamp,
}

/// Does what was clicked at. Nothing that leads to a write is clicked: questions are answered by keys.
pub(crate) fn clicked(model: &mut Model, pointer: Pointer, effects: &mut Vec<Effect>) {
    if !model.browse.mouse {
        return;
    }
    let place = model.place();
    match (pointer.press, pointer.target) {
        (Press::WheelUp | Press::WheelDown, _) => {
            let command = if pointer.press == Press::WheelUp { Command::Up } else { Command::Down };
            for _ in 0..NOTCH {
                command::run(model, place, command, effects);
            }
        }
        (Press::Click, Target::Choice(at)) if place == Place::Columns => {
            model.browse.choosing = Some(at);
            columns::change(model, columns::Change::Toggle, effects);
        }
        (Press::Click, Target::Choice(at)) if choose(model, place, at) => {
            let accept = match place {
                Place::Overview => Command::Open,
                Place::Choose => Command::Mark,
                _ => Command::Accept,
            };
            if is_double(model, place, pointer.target) {
                command::run(model, place, accept, effects);
            }
        }
        (Press::Click, target) if matches!(place, Place::Browse | Place::Filter) => {
            if place == Place::Filter {
                super::keep_filter(model);
            }
            on_page(model, target, effects);
        }
        (Press::Click, Target::Tab(group)) if place == Place::Entry => {
            model.opened = None;
            command::show_group(model, group, effects);
        }
        (Press::Click, _) => {}
    }
}

/// Puts the cursor of a page on what was clicked at. False where nothing can be chosen there.
fn choose(model: &mut Model, place: Place, at: usize) -> bool {
    let cursor = match place {
        Place::Overview => {
            overview::select(model, at);
            return true;
        }
        Place::History => history::cursor(model),
        Place::Choose => repairs::scroll(model),
        Place::Palette | Place::Contexts => model.over.as_mut().and_then(Over::cursor),
        _ => None,
    };
    cursor.map(|cursor| *cursor = at).is_some()
}

/// Whether this click is the second of two on the same. What was opened by two takes no third for a first.
fn is_double(model: &mut Model, place: Place, target: Target) -> bool {
    let now = model.now;
    let last = model.browse.click.take();
    let is_second =
        |last: Click| (last.place, last.target) == (place, target) && (0..=DOUBLE).contains(&now.since(last.at));
    let is_double = last.is_some_and(is_second);
    if !is_double {
        model.browse.click = Some(Click { place, target, at: now });
    }
    is_double
}

fn on_page(model: &mut Model, target: Target, effects: &mut Vec<Effect>) {
    model.word = None;
    let is_double = is_double(model, Place::Browse, target);
    match target {
        Target::Entry(at) => {
            model.list.go(at, model.page());
            if is_double {
                command::run(model, Place::Browse, Command::Open, effects);
            }
        }
        Target::Tab(group) => command::show_group(model, group, effects),
        Target::Head(column) => order::by(model, column, effects),
        Target::Choice(_) | Target::Elsewhere => {}
    }
}
