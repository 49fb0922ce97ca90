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

/// Types a key into a filter. Gives whether anything came of it.
pub(crate) fn edit(input: &mut Input, key: KeyEvent) -> bool {
    let Some(request) = request(key) else { return false };
    let is_full = input.value().chars().count() >= LONGEST;
    if is_full && matches!(request, InputRequest::InsertChar(_)) {
        return false;
    }
    input.handle(request).is_some()
}

/// Pastes text into a filter, as far as there is room. Gives whether anything came of it.
pub(crate) fn insert(input: &mut Input, text: &str) -> bool {
    let room = LONGEST.saturating_sub(input.value().chars().count());
    let before = input.value().len();
    for c in one_line(text).chars().take(room) {
        input.handle(InputRequest::InsertChar(c));
    }
    input.value().len() != before
}

pub(super) fn on_key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    let changed = model.typing.as_mut().is_some_and(|input| edit(input, key));
    typed(model, effects);
    changed
}

pub(super) fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    let filter = model.list.spec.filter.clone();
    insert(model.typing.get_or_insert_with(|| Input::new(filter)), text);
    typed(model, effects);
}

/// Asks for what is typed, where it is understood.
fn typed(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(text) = model.typing.as_ref().map(|input| input.value().to_owned()) else { return };
    match Query::parse(&text, model.now) {
        Ok(_) => {
            model.browse.complaint = None;
            let asked = model.list.filter(&text, model.page());
            if asked.is_some() {
                super::leave_trail(model);
            }
            effects.extend(asked);
        }
        Err(complaint) => model.browse.complaint = Some(complaint.to_string()),
    }
}
