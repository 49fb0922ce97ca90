//! Writing what is shown into a file: what is asked before, and how far it is.
//!
//! The file holds people's data: the question says so and stands on Cancel. Where the screen is masked, so is the file.

use tui_input::Input;

use crate::effect::Effect;
use crate::event::{Level, ViewSpec};
use crate::keys::Command;
use crate::model::Model;
use crate::over::Over;
use crate::words::counted;

/// How the file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// A line a user or row, for spreadsheets.
    #[default]
    Csv,
    /// As `userlink scan --format json` prints it.
    Json,
}

impl ExportFormat {
    /// How its files' names end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// What is to be written, confirmed by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The entries, in the order in which they are shown.
    pub spec: ViewSpec,
    /// How.
    pub format: ExportFormat,
    /// Into which folder.
    pub folder: String,
    /// Whether e-mails, names and phones are masked.
    pub masked: bool,
}

/// How far it is, in entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exporting {
    pub(crate) done: u64,
    pub(crate) of: u64,
}

/// The fields of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Format,
    Folder,
    Choice,
}

/// The question.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) format: ExportFormat,
    pub(crate) folder: Input,
    pub(crate) on: Field,
    /// Whether the choice stands on Export.
    pub(crate) yes: bool,
}

impl Form {
    pub(crate) fn new(folder: &str) -> Self {
        Self { format: ExportFormat::default(), folder: Input::new(folder.to_owned()), on: Field::Choice, yes: false }
    }

    pub(crate) fn is_typing(&self) -> bool {
        self.on == Field::Folder
    }

    fn turn(&mut self, down: bool) {
        self.on = match (self.on, down) {
            (Field::Format, true) | (Field::Choice, false) => Field::Folder,
            (Field::Folder, true) | (Field::Format, false) => Field::Choice,
            (Field::Choice, true) | (Field::Folder, false) => Field::Format,
        };
    }

    fn switch(&mut self) {
        match self.on {
            Field::Choice => self.yes = !self.yes,
            Field::Format if self.format == ExportFormat::Csv => self.format = ExportFormat::Json,
            Field::Format => self.format = ExportFormat::Csv,
            Field::Folder => {}
        }
    }
}

/// Why nothing can be exported now.
pub(crate) fn why_not(model: &Model) -> Option<String> {
    if model.exporting.is_some() {
        Some("An export is being written. Wait until it is over.".to_owned())
    } else if model.counts.of(None) == 0 || model.list.held().is_some_and(|held| held.total == 0) {
        Some("There is nothing to export yet.".to_owned())
    } else {
        None
    }
}

pub(crate) fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    let Some(Over::Export(form)) = &mut model.over else { return };
    match command {
        Command::Up => form.turn(false),
        Command::Down => form.turn(true),
        Command::Switch if form.is_typing() => form.turn(true),
        Command::Switch => form.switch(),
        Command::Accept if form.on != Field::Choice => form.on = Field::Choice,
        Command::Accept if form.yes => begin(model, effects),
        Command::Yes => begin(model, effects),
        _ => {
            model.over = None;
            model.hint("Cancelled: nothing was exported.");
        }
    }
}

fn begin(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(Over::Export(form)) = model.over.take() else { return };
    let (folder, format) = (form.folder.value().trim().to_owned(), form.format);
    model.folder.clone_from(&folder);
    model.exporting = Some(Exporting { done: 0, of: model.list.total() as u64 });
    let spec = model.list.spec.clone();
    effects.push(Effect::Export(Export { spec, format, folder, masked: model.is_masked() }));
}

/// How far it has come.
pub(crate) fn on_progress(model: &mut Model, done: u64, of: u64) {
    if model.exporting.is_some() {
        model.exporting = Some(Exporting { done, of });
    }
}

/// It is over: where the file is, or why there is none.
pub(crate) fn on_end(model: &mut Model, answer: Result<(String, u64), String>) {
    model.exporting = None;
    match answer {
        Ok((path, entries)) => {
            let entries = counted(entries, "entry is", "entries are");
            model.say(Level::Info, format!("{entries} in {path}, for you alone."));
        }
        Err(text) => model.say(Level::Error, text),
    }
}
