//! Browsing: the filter, the order, the columns, the way to other entries and back, and the mouse.
//!
//! State and updates. What is drawn of it stands in the views.

mod columns;
mod filter;
mod mouse;
mod order;
mod trail;

pub use columns::KeptColumn;
pub(crate) use columns::{BEFORE, Cell, Columns, Widths};
pub(crate) use filter::{edit, insert, request};
pub(crate) use mouse::clicked;
pub use mouse::{Pointer, Press, Target};
pub(crate) use order::order_words;
pub(crate) use trail::{arrived, located};

use ratatui::crossterm::event::KeyEvent;

use crate::effect::Effect;
use crate::event::Level;
use crate::keys::{Command, Place};
use crate::model::Model;
use crate::over;
use crate::ticket;

/// What browsing knows.
#[derive(Debug)]
pub(crate) struct Browse {
    pub(crate) columns: Columns,
    /// The column under the cursor while columns are chosen.
    pub(crate) choosing: Option<usize>,
    /// What is wrong with the filter that is typed.
    pub(crate) complaint: Option<String>,
    /// Where somebody came from, the last at the end.
    trail: Vec<trail::Stop>,
    going: Option<trail::Going>,
    /// The entry under the cursor is opened as soon as the list has come: it was asked for before.
    pub(crate) opens_next: bool,
    click: Option<mouse::Click>,
    pub(crate) mouse: bool,
}

impl Browse {
    pub(crate) fn new(mouse: bool) -> Self {
        Self {
            columns: Columns::default(),
            choosing: None,
            complaint: None,
            trail: Vec::new(),
            going: None,
            opens_next: false,
            click: None,
            mouse,
        }
    }
}

/// Carries out a command of browsing.
pub(crate) fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::Sort => order::next(model, effects),
        Command::Reverse => order::turn_round(model, effects),
        Command::Columns => model.browse.choosing = Some(0),
        Command::Toggle => columns::change(model, columns::Change::Toggle, effects),
        Command::Narrower => columns::change(model, columns::Change::Width(-1), effects),
        Command::Wider => columns::change(model, columns::Change::Width(1), effects),
        Command::DefaultColumns if model.browse.columns == Columns::default() => {
            model.hint("The columns are as they were.");
        }
        Command::DefaultColumns => columns::change(model, columns::Change::Defaults, effects),
        Command::Counterpart => trail::counterpart(model, effects),
        Command::Follow => trail::follow(model, effects),
        Command::Return => trail::back(model, effects),
        Command::Mouse => switch_mouse(model, effects),
        _ => {}
    }
}

/// Why a command of browsing can do nothing now.
pub(crate) fn why_not(model: &Model, command: Command) -> Option<&'static str> {
    match command {
        Command::Counterpart | Command::Follow if model.entry().is_none() => Some("There is no entry to go from yet."),
        Command::Return if model.browse.trail.is_empty() => Some("There is nowhere to go back to."),
        _ => None,
    }
}

/// One step back on the way that led here. False where there is none, or where an entry was opened since.
pub(crate) fn back(model: &mut Model, effects: &mut Vec<Effect>) -> bool {
    let is_away = trail::leads_back(model);
    if is_away {
        trail::back(model, effects);
    }
    is_away
}

/// Somebody has gone elsewhere: nothing leads back any more.
pub(crate) fn leave_trail(model: &mut Model) {
    model.browse.trail.clear();
    model.browse.going = None;
}

/// A key that is no command, where a filter is typed.
/// Gives whether it did anything to the filter.
pub(crate) fn type_filter(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    filter::on_key(model, key, effects)
}

/// What was pasted goes into the line that is typed, else into the filter.
pub(crate) fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    match model.place() {
        Place::Filter | Place::Browse => filter::paste(model, text, effects),
        Place::Ticket | Place::Overview => ticket::paste(model, text),
        Place::History | Place::HistoryFilter => crate::history::paste(model, text),
        Place::Form => crate::repairs::form(model).into_iter().for_each(|form| form.paste(text)),
        _ => over::pasted(model, text),
    }
}

/// Keeps the filter that is typed, if it is understood.
pub(crate) fn keep_filter(model: &mut Model) {
    if model.browse.complaint.is_none() {
        model.typing = None;
    }
}

/// Lets everything through again.
pub(crate) fn clear_filter(model: &mut Model, effects: &mut Vec<Effect>) {
    model.typing = None;
    model.browse.complaint = None;
    effects.extend(model.list.filter("", model.page()));
}

/// Moves among the columns that are chosen from.
pub(crate) fn choose(model: &mut Model, to: impl Fn(usize) -> usize) {
    let last = model.browse.columns.all(&model.names).len().saturating_sub(1);
    if let Some(at) = &mut model.browse.choosing {
        *at = to(*at).min(last);
    }
}

fn switch_mouse(model: &mut Model, effects: &mut Vec<Effect>) {
    model.browse.mouse = !model.browse.mouse;
    effects.push(Effect::Mouse(model.browse.mouse));
    let words = if model.browse.mouse {
        "The mouse is on: click, double click, wheel. Text is selected with Shift held down."
    } else {
        "The mouse is off: it selects text, as in any terminal."
    };
    model.say(Level::Info, words);
}
