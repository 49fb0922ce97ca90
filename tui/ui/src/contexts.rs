//! The contexts of the settings, and turning to another one without leaving.
//!
//! What is under way is asked about first. The runtime opens the other context; until it has, this one stays.

use crate::command::at_the_end;
use crate::effect::Effect;
use crate::keys::Command;
use crate::model::{Leaving, Model};
use crate::over::Over;
use crate::theme::Tint;

/// A context as the settings have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextChoice {
    /// Its name.
    pub name: String,
    /// The id of its pool; blank where the settings leave it to flags.
    pub pool: String,
    /// The name of its table.
    pub table: String,
    /// Whether people depend on it.
    pub production: bool,
    /// Whether nothing may be written there.
    pub read_only: bool,
    /// Its colour.
    pub tint: Option<Tint>,
}

/// Where the journal of what was written lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalPlace {
    /// In the database, where colleagues see it, too.
    Shared,
    /// In a file of this machine's: two people cannot know of each other.
    Local,
}

/// The list of them while it is open.
#[derive(Debug)]
pub(crate) struct Contexts {
    pub(crate) chosen: usize,
}

impl Contexts {
    /// Stands on the one that is open.
    pub(crate) fn new(model: &Model) -> Self {
        let here = model.contexts.iter().position(|choice| choice.name == model.setup.context);
        Self { chosen: here.unwrap_or(0) }
    }
}

/// Why there is nothing to turn to.
pub(crate) fn why_not(model: &Model) -> Option<String> {
    let others = model.contexts.iter().any(|choice| choice.name != model.setup.context);
    let text = "The settings have no other context. userlink init adds one.";
    (!others).then(|| text.to_owned())
}

pub(crate) fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    let Some(Over::Contexts(contexts)) = &mut model.over else { return };
    let (last, before) = (model.contexts.len().saturating_sub(1), contexts.chosen);
    let moved = match command {
        Command::Up => before.saturating_sub(1),
        Command::Down => (before + 1).min(last),
        Command::Top | Command::PageUp => 0,
        Command::Bottom | Command::PageDown => last,
        Command::Accept => {
            let chosen = model.contexts.get(contexts.chosen).map(|choice| choice.name.clone());
            model.over = None;
            match chosen {
                Some(name) if name == model.setup.context => model.hint(format!("This is {name} already.")),
                Some(name) if model.unfinished(false).is_some() => {
                    model.leaving = Some(Leaving { yes: false, to: Some(name) });
                }
                Some(name) => turn(model, name, effects),
                None => {}
            }
            return;
        }
        _ => {
            model.over = None;
            return;
        }
    };
    contexts.chosen = moved;
    if moved == before {
        at_the_end(model, command);
    }
}

/// Turns to a context. This one stays until it is open.
pub(crate) fn turn(model: &mut Model, name: String, effects: &mut Vec<Effect>) {
    model.leaving = None;
    model.turning = Some(name.clone());
    effects.push(Effect::Turn(name));
}
