//! What lies over a screen without being one of its questions: the palette, the contexts, the messages, the log, the
//! export. One at a time; Esc closes it.

use crate::browse::request;
use crate::contexts::{self, Contexts};
use crate::effect::Effect;
use crate::export::{self, Form};
use crate::keys::{Command, Place};
use crate::model::Model;
use crate::palette::{self, Palette};
use crate::paste::first_line;
use ratatui::crossterm::event::KeyEvent;
use tui_input::{Input, InputRequest};

/// The one that is open.
#[derive(Debug)]
pub(crate) enum Over {
    Palette(Palette),
    Contexts(Contexts),
    /// Scrolled so far.
    Messages(usize),
    /// Scrolled so far.
    Log(usize),
    Export(Form),
}

impl Over {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Palette(_) => Place::Palette,
            Self::Contexts(_) => Place::Contexts,
            Self::Messages(_) => Place::Messages,
            Self::Log(_) => Place::Log,
            Self::Export(form) if form.is_typing() => Place::Folder,
            Self::Export(_) => Place::Export,
        }
    }

    /// What is chosen of its lines, where one can be.
    pub(crate) fn cursor(&mut self) -> Option<&mut usize> {
        match self {
            Self::Palette(palette) => Some(&mut palette.chosen),
            Self::Contexts(contexts) => Some(&mut contexts.chosen),
            Self::Messages(_) | Self::Log(_) | Self::Export(_) => None,
        }
    }

    fn input(&mut self) -> Option<&mut Input> {
        match self {
            Self::Palette(palette) => Some(&mut palette.input),
            Self::Export(form) if form.is_typing() => Some(&mut form.folder),
            _ => None,
        }
    }
}

/// Carries out a command where one of these is open. Gives whether it was for it.
pub(crate) fn run(model: &mut Model, place: Place, command: Command, effects: &mut Vec<Effect>) -> bool {
    match (place, command) {
        (_, Command::Quit | Command::Suspend | Command::Help | Command::Palette) => return false,
        (Place::Palette, _) => palette::run(model, command, effects),
        (Place::Contexts, _) => contexts::run(model, command, effects),
        (Place::Export | Place::Folder, _) => export::run(model, command, effects),
        (Place::Messages, Command::Back | Command::Messages) => {
            // They were read.
            model.errors.clear();
            model.over = None;
        }
        (Place::Log, Command::Back | Command::Log) => model.over = None,
        _ => return false,
    }
    true
}

/// Opens one of them.
pub(crate) fn open(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    model.over = match command {
        Command::Palette => {
            // It takes the place of what lies over the screen, and its commands are given below that.
            (model.over, model.help, model.leaving) = (None, None, None);
            Some(Over::Palette(Palette::new(model.place())))
        }
        Command::Contexts => Some(Over::Contexts(Contexts::new(model))),
        Command::Messages => Some(Over::Messages(0)),
        Command::Log => {
            effects.push(Effect::Log);
            Some(Over::Log(0))
        }
        Command::Export => Some(Over::Export(Form::new(&model.folder))),
        _ => None,
    };
}

/// A key that is no command goes into the line that is typed. Gives whether it did anything there.
pub(crate) fn typed(model: &mut Model, key: KeyEvent) -> bool {
    let (Some(request), Some(input)) = (request(key), model.over.as_mut().and_then(Over::input)) else { return false };
    let changed = input.handle(request).is_some();
    palette::typed(model);
    changed
}

/// The longest line that is typed, in characters.
const LONGEST: usize = 512;

/// Pasted text goes into the line that is typed, if one is.
pub(crate) fn pasted(model: &mut Model, text: &str) {
    let Some(input) = model.over.as_mut().and_then(Over::input) else {
        return model.hint("There is nothing here to paste into.");
    };
    for c in first_line(text).chars().take(LONGEST) {
        input.handle(InputRequest::InsertChar(c));
    }
    palette::typed(model);
}
