//! The ticket: whatever stands in it is looked up in pool and table at once, without a scan.
//!
//! The answer is provisional, and says what was not looked at. A paste goes into the line and nowhere else.

use ratatui::crossterm::event::KeyEvent;
use tui_input::{Input, InputRequest};
use userlink_domain::{RecordRef, Situation, Timestamp};
use userlink_link::{Entry, Explanation};

use crate::beside::Pairing;
use crate::browse::request;
use crate::effect::Effect;
use crate::event::Level;
use crate::model::{Model, Opened};
use crate::paste::first_line;

/// The longest thing that is looked up, in characters.
const LONGEST: usize = 256;

/// What was found: read from both sides just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The record that is called so.
    pub of: RecordRef,
    /// Its entry, as far as it can be told from what was read.
    pub entry: Entry,
    /// Why it would be that.
    pub explanation: Explanation,
    /// The pairs that could be made, best first.
    pub candidates: Vec<Pairing>,
    /// What was not looked at, in words.
    pub not_looked_at: String,
    /// What the scan that is shown has it as, if it has it.
    pub scanned: Option<Situation>,
    /// When it was read.
    pub at: Timestamp,
}

/// The state of the ticket.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    /// The line while it is typed.
    pub(crate) typing: Option<Input>,
    /// What is being looked up.
    pub(crate) asked: Option<String>,
}

/// Asks who it is about.
pub(crate) fn open(model: &mut Model) {
    model.ticket.typing = Some(Input::default());
}

pub(crate) fn close(model: &mut Model) {
    model.ticket = Ticket::default();
}

/// A key that is no command. True where it did something.
pub(crate) fn type_key(model: &mut Model, key: KeyEvent) -> bool {
    match (&mut model.ticket.typing, request(key)) {
        (Some(input), Some(request)) => input.handle(request).is_some(),
        _ => false,
    }
}

/// Text that was pasted.
pub(crate) fn paste(model: &mut Model, text: &str) {
    let input = model.ticket.typing.get_or_insert_default();
    for c in first_line(text).chars().take(LONGEST) {
        input.handle(InputRequest::InsertChar(c));
    }
}

/// Looks up what was typed.
pub(crate) fn ask(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(input) = &model.ticket.typing else { return };
    let who = bare(input.value()).chars().take(LONGEST).collect::<String>();
    if who.is_empty() {
        return model.say(Level::Info, "Type or paste an e-mail, a sub, a username or a row's id.");
    }
    model.ticket = Ticket { typing: None, asked: Some(who.clone()) };
    effects.push(Effect::LookUp(who));
}

/// Without what often stands around it: `<ada@example.org>`, `"42"`, `mailto:ada@example.org`.
fn bare(text: &str) -> &str {
    let around = |c: char| c.is_whitespace() || "<>\"'`,;".contains(c);
    let bare = text.trim_matches(around);
    bare.strip_prefix("mailto:").unwrap_or(bare)
}

/// What is open was looked up before something was written: it is looked up again.
pub(crate) fn again(model: &Model) -> Option<Effect> {
    let (asked, _) = model.opened.as_ref()?.found.as_ref()?;
    Some(Effect::LookUp(asked.clone()))
}

/// The answer came.
pub(crate) fn hear(model: &mut Model, asked: &str, answer: Result<Box<Found>, String>) {
    let is_new = model.ticket.asked.as_deref() == Some(asked);
    let open = model.opened.as_ref().filter(|opened| opened.found.as_ref().is_some_and(|(open, _)| open == asked));
    let scroll = match open {
        _ if is_new => 0,
        Some(open) => open.scroll,
        None => return, // Nobody waits for this one any more.
    };
    if is_new {
        model.ticket = Ticket::default();
    }
    match answer {
        Ok(found) => {
            if is_new {
                crate::browse::leave_trail(model);
            }
            let (of, entry) = (found.of.clone(), found.entry.clone());
            let found = Some((asked.to_owned(), found));
            model.opened = Some(Opened { of, entry, left: false, scroll, found });
            crate::beside::forget(model);
        }
        Err(text) => model.say(Level::Error, text),
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn what_stands_around_an_address_is_left_out() {
        for text in ["ada@example.org", " <ada@example.org>, ", "\"ada@example.org\"", "mailto:ada@example.org"] {
            assert_eq!(bare(text), "ada@example.org");
        }
        assert_eq!(bare(" \t "), "");
    }
}
