//! What a command does, wherever it is given.
//!
//! Nothing here writes: what leads to a write is in `repairs`.

use tui_input::Input;
use userlink_domain::Group;

use crate::effect::Effect;
use crate::event::{Level, Phase};
use crate::form::Form;
use crate::keys::{Command, Place};
use crate::model::{Model, Opened};
use crate::update::group_of;
use crate::{history, marks, repairs};

pub(crate) fn run(model: &mut Model, place: Place, command: Command, effects: &mut Vec<Effect>) {
    if let Some(why) = why_not(model, command) {
        return model.say(Level::Info, why);
    }
    match command {
        Command::Up => scroll(model, place, Move::By(-1)),
        Command::Down => scroll(model, place, Move::By(1)),
        Command::PageUp => scroll(model, place, Move::Page(false)),
        Command::PageDown => scroll(model, place, Move::Page(true)),
        Command::Top => scroll(model, place, Move::To(0)),
        Command::Bottom => scroll(model, place, Move::To(usize::MAX)),
        Command::NextGroup => turn(model, 1, effects),
        Command::PreviousGroup => turn(model, -1, effects),
        Command::Group(tab) => show_group(model, group_of(tab), effects),
        Command::Filter => model.typing = Some(Input::new(model.list.spec.filter.clone())),
        Command::Open => open(model),
        Command::Repair => repairs::repair(model, effects),
        Command::Mark if place == Place::Choose => repairs::pick(model),
        Command::Mark => marks::toggle(model, effects),
        Command::MarkRange => marks::range(model, effects),
        Command::MarkAll => marks::all(model, effects),
        Command::InvertMarks => marks::invert(model, effects),
        Command::Unmark => marks::none(model, effects),
        Command::Undo => repairs::undo(model, effects),
        Command::History => history::from_here(model, effects),
        Command::Dismiss => repairs::dismiss(model, effects),
        Command::Contain => repairs::contain(model),
        Command::Again => repairs::again(model, effects),
        Command::SignOut => repairs::sign_out(model, effects),
        Command::Choose => repairs::choose(model, effects),
        Command::Stop => repairs::stop_or_skip(model, effects),
        Command::SkipTheRest => repairs::skip_the_rest(model, effects),
        Command::Next => repairs::form(model).into_iter().for_each(Form::next),
        Command::Previous => repairs::form(model).into_iter().for_each(Form::previous),
        Command::Scan => scan(model, effects),
        Command::Help => model.help = if model.help.is_some() { None } else { Some(0) },
        Command::Back => back(model, place, effects),
        Command::Quit => quit(model, place, effects),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Switch => switch(model, place),
        Command::Accept => accept(model, place, effects),
        Command::Yes => yes(model, place, effects),
    }
}

/// Why a command can do nothing now, in a sentence: the bottom line leaves it out, the palette says so. `None` where it
/// can do something.
pub(crate) fn why_not(model: &Model, command: Command) -> Option<String> {
    let nothing = |why: bool, text: &str| why.then(|| text.to_owned());
    match command {
        Command::Group(tab) => {
            nothing(group_of(tab) == Some(Group::Unsettled) && !model.has_unsettled(), "Nothing is unsettled.")
        }
        Command::Open => nothing(model.list.entry().is_none(), "There is no entry to open yet."),
        Command::Scan => {
            nothing(matches!(model.phase(), Phase::Connecting | Phase::Reading), "A scan is under way already.")
        }
        other => repairs::why_not(model, other),
    }
}

#[derive(Clone, Copy)]
enum Move {
    By(isize),
    Page(bool),
    To(usize),
}

fn scroll(model: &mut Model, place: Place, by: Move) {
    let page = model.page();
    let held = match place {
        Place::Browse | Place::Filter => {
            return match by {
                Move::By(by) => model.list.step(by, page),
                Move::Page(down) => model.list.page(down, page),
                Move::To(place) => model.list.go(place, page),
            };
        }
        Place::Entry => model.opened.as_mut().map(|opened| &mut opened.scroll),
        Place::Help => model.help.as_mut(),
        Place::Choose => return repairs::choose_from(model, |at| moved(by, at, 5)),
        Place::History => {
            return history::go(model, |at| moved(by, at, page));
        }
        Place::Preview | Place::Result => repairs::scroll(model),
        Place::Form | Place::Question | Place::Waiting | Place::Running | Place::Leaving => None,
    };
    if let Some(held) = held {
        *held = moved(by, *held, page);
    }
    let furthest = crate::view::furthest(model, place);
    let held = match place {
        Place::Entry => model.opened.as_mut().map(|opened| &mut opened.scroll),
        Place::Help => model.help.as_mut(),
        Place::Preview | Place::Result => repairs::scroll(model),
        _ => None,
    };
    if let Some(held) = held {
        *held = (*held).min(furthest);
    }
}

fn moved(by: Move, from: usize, page: usize) -> usize {
    match by {
        Move::By(by) => from.saturating_add_signed(by),
        Move::Page(true) => from.saturating_add(page),
        Move::Page(false) => from.saturating_sub(page),
        Move::To(place) => place,
    }
}

fn turn(model: &mut Model, by: isize, effects: &mut Vec<Effect>) {
    let tabs = model.tabs();
    let at = tabs.iter().position(|group| *group == model.list.spec.group).unwrap_or(0);
    let next = (at + tabs.len()).saturating_add_signed(by) % tabs.len();
    show_group(model, tabs[next], effects);
}

fn show_group(model: &mut Model, group: Option<Group>, effects: &mut Vec<Effect>) {
    effects.extend(model.list.turn(group, model.page()));
}

fn open(model: &mut Model) {
    if let (Some(of), Some(entry)) = (model.list.on(), model.list.entry()) {
        model.opened = Some(Opened { of: of.clone(), entry: entry.clone(), left: false, scroll: 0 });
    }
}

fn scan(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.phase() == Phase::Paused {
        model.say(Level::Info, "Looking whether somebody has signed in.");
        effects.push(Effect::GoOn);
    } else {
        model.say(Level::Info, "Scanning again. What was read stays until it is read anew.");
        effects.push(Effect::Refresh);
    }
}

fn back(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    match place {
        Place::Leaving => model.leaving = None,
        Place::Help => model.help = None,
        Place::Choose
        | Place::Form
        | Place::Preview
        | Place::Question
        | Place::Waiting
        | Place::Running
        | Place::Result => repairs::back(model),
        Place::History => drop(model.history.pop()),
        Place::Filter => {
            model.typing = None;
            effects.extend(model.list.filter("", model.page()));
        }
        Place::Entry | Place::Browse if model.errors.pop_front().is_some() => {}
        Place::Entry => model.opened = None,
        Place::Browse if model.marks.from.take().is_some() => {}
        Place::Browse => effects.extend(model.list.filter("", model.page())),
    }
}

fn quit(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    if model.is_writing() && place != Place::Leaving {
        model.leaving = Some(false);
    } else {
        effects.push(Effect::Quit);
    }
}

fn switch(model: &mut Model, place: Place) {
    match (place, &mut model.leaving) {
        (Place::Leaving, Some(yes)) => *yes = !*yes,
        _ => repairs::form(model).into_iter().for_each(Form::switch),
    }
}

fn accept(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    match place {
        Place::Filter => model.typing = None,
        Place::Leaving if model.leaving == Some(true) => yes(model, place, effects),
        Place::Leaving => back(model, place, effects),
        Place::History => history::enter(model, effects),
        _ => repairs::accept(model, effects),
    }
}

fn yes(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    match place {
        Place::Leaving => effects.push(Effect::Quit),
        _ => repairs::yes(model, effects),
    }
}
