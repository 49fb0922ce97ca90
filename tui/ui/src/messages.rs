//! What was said: the passing word, the errors until they are read, and all of it with its moment.

use std::borrow::Cow;
use std::collections::VecDeque;

use userlink_domain::Timestamp;

use crate::event::Level;
use crate::history;
use crate::model::Model;

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) text: Words,
}

/// A sentence, and how it reads while personal data is out of sight. What is known of the people in it is known when it
/// is said, and may be forgotten when it is read again; what passes at once needs no such memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    open: String,
    hidden: Option<String>,
}

impl Words {
    /// As it may be seen.
    pub(crate) fn seen(&self, model: &Model) -> Cow<'_, str> {
        model.told(if model.is_masked() { self.hidden.as_ref().unwrap_or(&self.open) } else { &self.open })
    }
}

/// A passing word, and when it goes.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: Words,
    pub(crate) until: Timestamp,
    /// It answers the key that was just pressed: it goes before an error that waits.
    pub(crate) answers: bool,
}

/// More errors than this do not wait to be read.
const MOST_ERRORS: usize = 50;
/// So many messages are kept, the newest.
const MOST_SAID: usize = 500;
/// Columns of the message line that are not the message's: its sign, and a blank at either end.
pub(crate) const fn beside(level: Level) -> usize {
    match level {
        Level::Info => 2,
        Level::Error => 4,
    }
}

/// How long a passing word stays, in milliseconds.
const PASSING: i64 = 8_000;

impl Model {
    pub(crate) fn say(&mut self, level: Level, text: impl Into<String>) {
        let open = text.into();
        let text = Words { hidden: Some(self.hidden(&open)), open };
        keep(&mut self.said, Said { at: self.now, level, text: text.clone() });
        match level {
            Level::Info => self.word(text, false),
            Level::Error => {
                if self.errors.back() != Some(&text) && self.errors.len() < MOST_ERRORS {
                    self.errors.push_back(text);
                }
            }
        }
    }

    /// A word on the key that was just pressed: nothing that has to be kept.
    pub(crate) fn hint(&mut self, text: impl Into<String>) {
        self.word(Words { open: text.into(), hidden: None }, true);
    }

    /// What the message line says in sentences: the error that waits first, or else the passing word. Nothing where
    /// something is typed there.
    pub(crate) fn said_below(&self) -> Option<(Level, Cow<'_, str>)> {
        let ticket = self.ticket.typing.is_some() || self.ticket.asked.is_some();
        if ticket || self.typing.is_some() || history::typing(self).is_some() {
            return None;
        }
        let answers = self.word.as_ref().is_some_and(|word| word.answers);
        let error = self.errors.front().filter(|_| !answers).map(|error| (Level::Error, error.seen(self)));
        error.or_else(|| self.word.as_ref().map(|word| (Level::Info, word.text.seen(self))))
    }

    fn word(&mut self, text: Words, answers: bool) {
        let until = Timestamp::from_millis(self.now.as_millis().saturating_add(PASSING));
        self.word = Some(Word { text, until, answers });
    }
}

fn keep(said: &mut VecDeque<Said>, new: Said) {
    if said.len() == MOST_SAID {
        said.pop_front();
    }
    said.push_back(new);
}
