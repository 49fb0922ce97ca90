//! The filter while it is typed. What is not understood is said, and the list stays what it was.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};
use userlink_find::Query;

use crate::effect::Effect;
use crate::model::Model;
use crate::paste::one_line;

/// The longest filter, in characters.
const LONGEST: usize = 256;

/// What a key does in a line that is typed.
pub(crate) fn request(key: KeyEvent) -> Option<InputRequest> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match (key.code, control) {
        (KeyCode::Char(c), false) if !key.modifiers.contains(KeyModifiers::ALT) => InputRequest::InsertChar(c),
        (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => InputRequest::DeletePrevChar,
        (KeyCode::Backspace | KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
        (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
        (KeyCode::Left, false) => InputRequest::GoToPrevChar,
        (KeyCode::Right, false) => InputRequest::GoToNextChar,
        (KeyCode::Left, true) => InputRequest::GoToPrevWord,
        (KeyCode::Right, true) => InputRequest::GoToNextWord,
        (KeyCode::Home, _) | (KeyCode::Char('a'), true) => InputRequest::GoToStart,
        (KeyCode::End, _) | (KeyCode::Char('e'), true) => InputRequest::GoToEnd,
        _ => return None,
    })
}

pub(super) fn on_key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    let Some(request) = request(key) else { return false };
    let is_full = model.typing.as_ref().is_some_and(|input| input.value().chars().count() >= LONGEST);
    if is_full && matches!(request, InputRequest::InsertChar(_)) {
        return false;
    }
    let changed = model.typing.as_mut().is_some_and(|input| input.handle(request).is_some());
    typed(model, effects);
    changed
}

pub(super) fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    let filter = model.list.spec.filter.clone();
    let input = model.typing.get_or_insert_with(|| Input::new(filter));
    let room = LONGEST.saturating_sub(input.value().chars().count());
    for c in one_line(text).chars().take(room) {
        input.handle(InputRequest::InsertChar(c));
    }
    typed(model, effects);
}

/// Asks for what is typed, where it is understood.
fn typed(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(text) = model.typing.as_ref().map(|input| input.value().to_owned()) else { return };
    match Query::parse(&text, model.now) {
        Ok(_) => {
            model.browse.complaint = None;
            effects.extend(model.list.filter(&text, model.page()));
        }
        Err(complaint) => model.browse.complaint = Some(complaint.to_string()),
    }
}
