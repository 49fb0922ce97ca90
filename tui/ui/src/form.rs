//! A dialog that is filled in: a few lines to type, a few things to pick, and two buttons, of which it stands on Cancel.
//!
//! Enter goes on from a line and never says yes there.

use ratatui::crossterm::event::KeyEvent;
use tui_input::{Input, InputRequest};

use crate::browse::request;
use crate::paste::one_line;

/// The longest line, in characters.
const LONGEST: usize = 500;

/// A line to type.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) input: Input,
    pub(crate) must: Must,
}

/// What a line has to hold before the answer can be yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Must {
    Nothing,
    Something,
    /// Just this. It is typed by hand: a paste would prove nothing.
    Be(String),
}

/// One of several, or yes and no.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) name: String,
    pub(crate) options: Vec<String>,
    pub(crate) at: usize,
    /// Whether the options are people, who may be out of sight.
    pub(crate) people: bool,
}

impl Pick {
    /// Something to tick.
    pub(crate) fn tick(name: &str) -> Self {
        Self { name: name.to_owned(), options: vec!["no".to_owned(), "yes".to_owned()], at: 0, people: false }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) fields: Vec<Field>,
    pub(crate) picks: Vec<Pick>,
    /// The fields, the picks, Cancel, and yes.
    pub(crate) focus: usize,
}

impl Form {
    pub(crate) fn new(fields: Vec<Field>, picks: Vec<Pick>) -> Self {
        let mut form = Self { fields, picks, focus: 0 };
        form.focus = form.lacking().unwrap_or_else(|| form.cancel());
        form
    }

    /// Two buttons and nothing to fill in.
    pub(crate) fn default_on_cancel() -> Self {
        Self::new(Vec::new(), Vec::new())
    }

    fn cancel(&self) -> usize {
        self.fields.len() + self.picks.len()
    }

    /// Whether a line is being typed.
    pub(crate) fn is_typing(&self) -> bool {
        self.focus < self.fields.len()
    }

    /// Whether it stands on yes.
    pub(crate) fn is_on_yes(&self) -> bool {
        self.focus > self.cancel()
    }

    /// The button that it stands on.
    pub(crate) fn button(&self) -> Option<usize> {
        self.focus.checked_sub(self.cancel())
    }

    /// The first line that does not hold what it must.
    pub(crate) fn lacking(&self) -> Option<usize> {
        self.fields.iter().position(|field| match &field.must {
            Must::Nothing => false,
            Must::Something => field.input.value().trim().is_empty(),
            Must::Be(text) => field.input.value().trim() != text,
        })
    }

    /// Goes to what is lacking, and says what that is; `None` where nothing is.
    pub(crate) fn complain(&mut self) -> Option<String> {
        let at = self.lacking()?;
        self.focus = at;
        let field = self.fields.get(at)?;
        Some(match &field.must {
            Must::Be(text) => format!("Type {text} to go on."),
            Must::Nothing | Must::Something => format!("{} is wanted.", field.name),
        })
    }

    pub(crate) fn value(&self, at: usize) -> Option<String> {
        let text = self.fields.get(at)?.input.value().trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Which of the options was picked.
    pub(crate) fn picked(&self, at: usize) -> usize {
        self.picks.get(at).map_or(0, |pick| pick.at)
    }

    pub(crate) fn next(&mut self) {
        self.focus = (self.focus + 1) % (self.cancel() + 2);
    }

    pub(crate) fn previous(&mut self) {
        self.focus = (self.focus + self.cancel() + 1) % (self.cancel() + 2);
    }

    /// The next option of what it stands on; of the buttons the other one.
    pub(crate) fn switch(&mut self) {
        let pick = self.focus.checked_sub(self.fields.len()).and_then(|at| self.picks.get_mut(at));
        match pick {
            Some(pick) => pick.at = (pick.at + 1) % pick.options.len().max(1),
            None => self.focus = if self.focus == self.cancel() { self.cancel() + 1 } else { self.cancel() },
        }
    }

    /// Types a key. Gives whether anything came of it.
    pub(crate) fn type_key(&mut self, key: KeyEvent) -> bool {
        let Some(field) = self.fields.get_mut(self.focus) else { return false };
        let Some(request) = request(key) else { return false };
        let full = field.input.value().chars().count() >= LONGEST;
        if full && matches!(request, InputRequest::InsertChar(_)) {
            return false;
        }
        field.input.handle(request).is_some()
    }

    pub(crate) fn paste(&mut self, text: &str) {
        let Some(field) = self.fields.get_mut(self.focus) else { return };
        if matches!(field.must, Must::Be(_)) {
            return;
        }
        let room = LONGEST.saturating_sub(field.input.value().chars().count());
        for c in one_line(text).chars().take(room) {
            field.input.handle(InputRequest::InsertChar(c));
        }
    }
}
