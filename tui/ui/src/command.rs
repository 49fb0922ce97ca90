//! What a command does, wherever it is given.
//!
//! Nothing here writes: the one way to [`Effect::Repair`] is a question that was answered with yes.

use tui_input::Input;
use userlink_domain::{Group, Situation};

use crate::browse;
use crate::effect::Effect;
use crate::event::{Level, Phase};
use crate::glyphs::situation_words;
use crate::keys::{Command, Place};
use crate::model::{Model, Opened, Repairing};
use crate::update::{group_of, name_of};

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
        Command::Repair => prepare(model, effects),
        Command::Scan => scan(model, effects),
        Command::Help => model.help = if model.help.is_some() { None } else { Some(0) },
        Command::Back => back(model, place, effects),
        Command::Quit => quit(model, place, effects),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Switch => switch(model, place),
        Command::Accept => accept(model, place, effects),
        Command::Yes => yes(model, place, effects),
        Command::Sort
        | Command::Reverse
        | Command::Columns
        | Command::Toggle
        | Command::Narrower
        | Command::Wider
        | Command::DefaultColumns
        | Command::Counterpart
        | Command::Follow
        | Command::Return
        | Command::Mouse => browse::run(model, command, effects),
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
        Command::Repair => no_repair(model),
        Command::Scan => {
            nothing(matches!(model.phase(), Phase::Connecting | Phase::Reading), "A scan is under way already.")
        }
        _ => browse::why_not(model, command).map(str::to_owned),
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
        Place::Question => match &mut model.repairing {
            Repairing::Asking(question) => Some(&mut question.scroll),
            _ => None,
        },
        Place::Columns => {
            return browse::choose(model, |at| match by {
                Move::By(by) => at.saturating_add_signed(by),
                Move::Page(_) => at,
                Move::To(to) => to,
            });
        }
        Place::Waiting | Place::Result | Place::Leaving => None,
    };
    if let Some(held) = held {
        *held = match by {
            Move::By(by) => held.saturating_add_signed(by),
            Move::Page(true) => held.saturating_add(page),
            Move::Page(false) => held.saturating_sub(page),
            Move::To(place) => place,
        };
    }
    let furthest = crate::view::furthest(model, place);
    let held = match place {
        Place::Entry => model.opened.as_mut().map(|opened| &mut opened.scroll),
        Place::Help => model.help.as_mut(),
        Place::Question => match &mut model.repairing {
            Repairing::Asking(question) => Some(&mut question.scroll),
            _ => None,
        },
        _ => None,
    };
    if let Some(held) = held {
        *held = (*held).min(furthest);
    }
}

fn turn(model: &mut Model, by: isize, effects: &mut Vec<Effect>) {
    let tabs = model.tabs();
    let at = tabs.iter().position(|group| *group == model.list.spec.group).unwrap_or(0);
    let next = (at + tabs.len()).saturating_add_signed(by) % tabs.len();
    show_group(model, tabs[next], effects);
}

pub(crate) fn show_group(model: &mut Model, group: Option<Group>, effects: &mut Vec<Effect>) {
    effects.extend(model.list.turn(group, model.page()));
}

fn open(model: &mut Model) {
    if let (Some(of), Some(entry)) = (model.list.on(), model.list.entry()) {
        model.opened = Some(Opened { of: of.clone(), entry: entry.clone(), left: false, scroll: 0 });
    }
}

fn no_repair(model: &Model) -> Option<String> {
    let Some(entry) = model.entry() else { return Some("There is no entry to repair yet.".to_owned()) };
    if model.setup.read_only {
        Some("Read-only: nothing can be repaired from here.".to_owned())
    } else if model.is_from_disk() {
        Some("This is an earlier scan: repairs wait until all has been read anew.".to_owned())
    } else if model.is_writing() {
        Some("A repair is being written. Wait until it is over.".to_owned())
    } else if model.opened.as_ref().is_some_and(|opened| opened.left) {
        Some("This entry has left the view. Go back and look at it as it is now.".to_owned())
    } else {
        match entry.situation {
            Situation::RowSideOnly => None,
            Situation::Linked => Some("Both pointers agree: there is nothing to repair.".to_owned()),
            Situation::Reading => Some("Still reading: there is no verdict to act on yet.".to_owned()),
            other => Some(format!("No repair for {} from here: only for row side only.", situation_words(other))),
        }
    }
}

fn prepare(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(of) = model.subject().cloned() {
        model.repairing = Repairing::Preparing(of.clone());
        effects.push(Effect::Prepare(of));
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
        Place::Question => {
            model.repairing = Repairing::Idle;
            model.say(Level::Info, "Cancelled: nothing was written.");
        }
        Place::Waiting => match &mut model.repairing {
            Repairing::Writing { quietly, .. } => *quietly = true,
            other => *other = Repairing::Idle,
        },
        Place::Result => model.repairing = Repairing::Idle,
        Place::Filter => browse::clear_filter(model, effects),
        Place::Columns => model.browse.choosing = None,
        Place::Entry | Place::Browse if model.errors.pop_front().is_some() => {}
        Place::Entry | Place::Browse if browse::back(model, effects) => {}
        Place::Entry => model.opened = None,
        Place::Browse => browse::clear_filter(model, effects),
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
    match (place, &mut model.repairing, &mut model.leaving) {
        (Place::Leaving, _, Some(yes)) => *yes = !*yes,
        (Place::Question, Repairing::Asking(question), _) => question.apply = !question.apply,
        _ => {}
    }
}

fn accept(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    let marked = match (place, &model.repairing, model.leaving) {
        (Place::Leaving, _, Some(yes)) => yes,
        (Place::Question, Repairing::Asking(question), _) => question.apply,
        _ => false,
    };
    match place {
        Place::Filter => browse::keep_filter(model),
        Place::Columns => model.browse.choosing = None,
        Place::Question | Place::Leaving if marked => yes(model, place, effects),
        Place::Question | Place::Leaving | Place::Result => back(model, place, effects),
        _ => {}
    }
}

fn yes(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    match place {
        Place::Leaving => effects.push(Effect::Quit),
        Place::Question => {
            let taken = std::mem::take(&mut model.repairing);
            if let Repairing::Asking(question) = taken {
                let of = name_of(model, &question.proposal().of);
                model.repairing = Repairing::Writing { of, quietly: false };
                effects.push(Effect::Repair(question.confirmed()));
            }
        }
        _ => {}
    }
}
