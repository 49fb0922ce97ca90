//! What a command does, wherever it is given.
//!
//! Nothing here writes: the one way to [`Effect::Repair`] is a question that was answered with yes.

use tui_input::Input;
use userlink_domain::Group;

use crate::beside;
use crate::browse;
use crate::effect::Effect;
use crate::event::{Level, Phase};
use crate::evidence::{self, Showing};
use crate::form::Form;
use crate::keys::{Command, Place};
use crate::model::{Leaving, Model, Opened};
use crate::over::{self, Over};
use crate::overview;
use crate::privacy;
use crate::ticket;
use crate::update::group_of;
use crate::{contexts, export, help, history, marks, repairs};

pub(crate) fn run(model: &mut Model, place: Place, command: Command, effects: &mut Vec<Effect>) {
    if let Some(why) = why_not(model, command) {
        return model.hint(why);
    }
    if over::run(model, place, command, effects) {
        return;
    }
    if place == Place::Overview && overview::run(model, command, effects) {
        return;
    }
    match command {
        Command::Overview => overview::toggle(model),
        Command::Ticket => ticket::open(model),
        Command::Copy => evidence::copy_id(model, effects),
        Command::Evidence => evidence::open(model),
        Command::Mask => privacy::toggle(model),
        Command::Up | Command::Down | Command::PageUp | Command::PageDown | Command::Top | Command::Bottom => {
            scroll(model, place, command)
        }
        Command::NextGroup => turn(model, 1, effects),
        Command::PreviousGroup => turn(model, -1, effects),
        Command::Group(tab) => show_group(model, group_of(tab), effects),
        Command::Filter if place == Place::History => history::filter(model),
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
        Command::Dismiss => repairs::dismiss(model),
        Command::Contain => repairs::contain(model),
        Command::Again => repairs::again(model, effects),
        Command::SignOut => repairs::sign_out(model, effects),
        Command::Choose => repairs::choose(model, effects),
        Command::Stop => repairs::stop_or_skip(model, effects),
        Command::SkipTheRest => repairs::skip_the_rest(model, effects),
        Command::Next => repairs::form(model).into_iter().for_each(Form::next),
        Command::Previous => repairs::form(model).into_iter().for_each(Form::previous),
        Command::Scan => scan(model, effects),
        Command::Help => help::toggle(model, place),
        Command::Back => back(model, place, effects),
        Command::Quit => quit(model, place, effects),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Palette | Command::Contexts | Command::Messages | Command::Log | Command::Export => {
            over::open(model, command, effects);
        }
        Command::Theme => theme(model),
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
        Command::Open if model.place() == Place::Overview => {
            nothing(model.items().is_empty(), "There is nothing to look into here. Esc goes to the list.")
        }
        Command::Open => {
            nothing(model.list.entry().is_none() && model.list.is_current(), "There is no entry to open here.")
        }
        Command::Accept if model.place() == Place::History => history::why_not_enter(model).map(str::to_owned),
        Command::Copy | Command::Evidence => nothing(model.entry().is_none(), "There is no entry to copy from yet."),
        Command::Scan => {
            nothing(matches!(model.phase(), Phase::Connecting | Phase::Reading), "A scan is under way already.")
        }
        Command::Contexts => contexts::why_not(model),
        Command::Export => export::why_not(model),
        other => browse::why_not(model, other).map(str::to_owned).or_else(|| repairs::why_not(model, other)),
    }
}

/// Moves up or down by a line, a page or all the way. Where there is nowhere to go it says so.
pub(crate) fn scroll(model: &mut Model, place: Place, by: Command) {
    let (before, after) = match place {
        Place::Browse | Place::Filter => {
            let (page, before) = (model.page(), model.list.cursor);
            match by {
                Command::Up => model.list.step(-1, page),
                Command::Down => model.list.step(1, page),
                Command::PageUp => model.list.page(false, page),
                Command::PageDown => model.list.page(true, page),
                Command::Top => model.list.go(0, page),
                _ => model.list.go(usize::MAX, page),
            }
            (before, model.list.cursor)
        }
        Place::Columns => {
            let before = model.browse.choosing;
            browse::choose(model, |at| match by {
                Command::Up => at.saturating_sub(1),
                Command::Down => at.saturating_add(1),
                Command::Top => 0,
                Command::Bottom => usize::MAX,
                _ => at,
            });
            (before.unwrap_or(0), model.browse.choosing.unwrap_or(0))
        }
        _ => {
            let (page, furthest) = (model.page_lines(), crate::view::furthest(model, place));
            let Some(held) = held(model, place) else { return };
            let before = (*held).min(furthest);
            *held = match by {
                Command::Up => before.saturating_sub(1),
                Command::Down => before.saturating_add(1),
                Command::PageUp => before.saturating_sub(page),
                Command::PageDown => before.saturating_add(page),
                Command::Top => 0,
                _ => usize::MAX,
            }
            .min(furthest);
            (before, *held)
        }
    };
    if before == after {
        at_the_end(model, by);
    }
}

/// Says why nothing moved.
pub(crate) fn at_the_end(model: &mut Model, by: Command) {
    let up = matches!(by, Command::Up | Command::PageUp | Command::Top);
    model.hint(if up { "This is the first line." } else { "This is the last line." });
}

/// How far a page is scrolled, or where its cursor is.
fn held(model: &mut Model, place: Place) -> Option<&mut usize> {
    match place {
        Place::Messages | Place::Log => match &mut model.over {
            Some(Over::Messages(scroll) | Over::Log(scroll)) => Some(scroll),
            _ => None,
        },
        Place::Entry => model.opened.as_mut().map(|opened| &mut opened.scroll),
        Place::Evidence => model.evidence.as_mut().map(|showing| &mut showing.scroll),
        Place::Help => model.help.as_mut().map(|help| &mut help.scroll),
        Place::Choose | Place::Preview | Place::Result => repairs::scroll(model),
        Place::History | Place::HistoryFilter => history::cursor(model),
        _ => None,
    }
}

fn theme(model: &mut Model) {
    model.setup.theme = model.setup.theme.next();
    model.theme_chosen = true;
    let theme = model.setup.theme.name();
    model.hint(format!("Theme: {theme}."));
}

fn turn(model: &mut Model, by: isize, effects: &mut Vec<Effect>) {
    let tabs = model.tabs();
    let at = tabs.iter().position(|group| *group == model.list.spec.group).unwrap_or(0);
    let next = (at + tabs.len()).saturating_add_signed(by) % tabs.len();
    show_group(model, tabs[next], effects);
}

pub(crate) fn show_group(model: &mut Model, group: Option<Group>, effects: &mut Vec<Effect>) {
    match model.list.turn(group, model.page()) {
        Some(asked) => {
            browse::leave_trail(model);
            effects.push(asked);
        }
        None => model.hint("These are shown already."),
    }
}

/// Opens the entry under the cursor; of a list that has not come yet, the one it will be on.
pub(crate) fn open(model: &mut Model) {
    if let (Some(of), Some(entry)) = (model.list.on(), model.list.entry()) {
        model.opened = Some(Opened { of: of.clone(), entry: entry.clone(), left: false, scroll: 0, found: None });
        beside::forget(model);
    } else {
        model.browse.opens_next = true;
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
        Place::Ticket => ticket::close(model),
        Place::Waiting if model.ticket.asked.is_some() => ticket::close(model),
        Place::Evidence => model.evidence = None,
        Place::Leaving => model.leaving = None,
        Place::Help => model.help = None,
        Place::Choose
        | Place::Form
        | Place::Preview
        | Place::Question
        | Place::Waiting
        | Place::Running
        | Place::Result => repairs::back(model),
        Place::History | Place::HistoryFilter => history::back(model),
        Place::Filter => browse::clear_filter(model, effects),
        Place::Columns => model.browse.choosing = None,
        Place::Entry | Place::Browse | Place::Overview if model.errors.pop_front().is_some() => {}
        Place::Entry | Place::Browse if browse::back(model, effects) => {}
        Place::Entry => model.opened = None,
        Place::Overview => model.overview.open = false,
        Place::Browse if model.marks.from.take().is_some() => {}
        Place::Browse if model.list.spec.filter.is_empty() => {
            let quit = model.keys.key_of(Command::Quit);
            model.hint(format!("There is nothing to go back to. {quit} quits."));
        }
        Place::Browse => browse::clear_filter(model, effects),
        // They have closed themselves.
        _ => {}
    }
}

fn quit(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    if model.unfinished(true).is_some() && place != Place::Leaving {
        model.leaving = Some(Leaving { yes: false, to: None });
    } else {
        effects.push(Effect::Quit);
    }
}

fn switch(model: &mut Model, place: Place) {
    if let (Place::Evidence, Some(showing)) = (place, &mut model.evidence) {
        *showing = Showing { whole: !showing.whole, scroll: 0 };
        return;
    }
    match (place, &mut model.leaving) {
        (Place::Leaving, Some(leaving)) => leaving.yes = !leaving.yes,
        _ => repairs::form(model).into_iter().for_each(Form::switch),
    }
}

fn accept(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    match place {
        Place::Filter => browse::keep_filter(model),
        Place::Ticket => ticket::ask(model, effects),
        Place::Evidence => evidence::copy(model, effects),
        Place::Columns => model.browse.choosing = None,
        Place::Leaving if model.leaving.as_ref().is_some_and(|leaving| leaving.yes) => yes(model, place, effects),
        Place::Leaving => back(model, place, effects),
        Place::History => history::enter(model, effects),
        Place::HistoryFilter => history::keep_filter(model),
        _ => repairs::accept(model, effects),
    }
}

fn yes(model: &mut Model, place: Place, effects: &mut Vec<Effect>) {
    match place {
        Place::Leaving => match model.leaving.take().and_then(|leaving| leaving.to) {
            Some(name) => contexts::turn(model, name, effects),
            None => effects.push(Effect::Quit),
        },
        _ => repairs::yes(model, effects),
    }
}
