//! The two lines at the foot: what was said last, or the filter; and the keys that make sense here.
//!
//! The bottom line names keys from the key table and nothing else.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use super::empty::covered;
use crate::command;
use crate::event::{Level, Phase};
use crate::glyphs::group_sign;
use crate::keys::{Binding, Place};
use crate::layout::Layout;
use crate::messages::beside;
use crate::model::Model;
use crate::repairs::Repairing;
use crate::theme::Role;
use crate::words::{counted, thousands};
use userlink_domain::Group;

/// The bottom line names at most so many keys.
const MOST_HINTS: usize = 5;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    if model.ticket.typing.is_some() {
        look_up(model, frame, layout);
    } else if let Some(asked) = &model.ticket.asked {
        let text = format!(" Asking pool and table for {}{}", model.looked_for(asked), model.look().glyphs.more);
        let mut line = model.look().line();
        line.cell(&text, Role::Strong, usize::from(layout.message.width));
        line.draw(frame, layout.message, layout.message.y);
    } else if let Some(page) = model.history.last().filter(|page| page.typing.is_some()) {
        history_filter(model, frame, layout, page);
    } else if model.typing.is_some() {
        filter(model, frame, layout);
        complaint(model, frame, layout);
    } else if let Some((level, text)) = model.said_below() {
        said(model, level, &text, frame, layout);
    } else if let Repairing::Writing(writing) = &model.repairing
        && writing.quietly
    {
        let mut line = model.look().line();
        let title = model.told(&writing.title);
        let text = format!(" Repairing {title}: {}", super::running::so_far(&writing.running));
        line.cell(&text, Role::Attention, usize::from(layout.message.width));
        line.draw(frame, layout.message, layout.message.y);
    } else if let Some(text) = under_way(model) {
        let mut line = model.look().line();
        line.text(&format!(" {} ", model.spinner()), Role::Accent);
        line.cell(&text, Role::Plain, usize::from(layout.message.width).saturating_sub(3));
        line.draw(frame, layout.message, layout.message.y);
    } else if let Some(page) = model.history.last() {
        if page.is_filtered() {
            history_filter(model, frame, layout, page);
        }
    } else if !model.list.spec.filter.is_empty() {
        filter(model, frame, layout);
    }
    keys(model, frame, layout);
}

/// What goes on beside the screen.
fn under_way(model: &Model) -> Option<String> {
    let more = model.look().glyphs.more;
    if let Some(name) = &model.turning {
        return Some(format!("Opening {name}{more}"));
    }
    let exporting = model.exporting?;
    Some(format!("Exporting: {} of {} entries", thousands(exporting.done), thousands(exporting.of)))
}

/// An error with its sign, or a passing word, in as many lines as there are.
fn said(model: &Model, level: Level, text: &str, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let area = layout.message;
    let width = usize::from(area.width);
    let (sign, sign_role) = group_sign(Group::Conflict, look.ascii());
    let (role, first, behind) = match (level, model.errors.len()) {
        (Level::Info, _) => (Role::Strong, " ".to_owned(), String::new()),
        (Level::Error, 1) => (Role::Danger, format!(" {sign} "), "Esc dismisses it".to_owned()),
        (Level::Error, count) => (Role::Danger, format!(" {sign} "), format!("1 of {count}, Esc: next")),
    };
    let lines = look.wrap(text, role, width.saturating_sub(beside(level)));
    let count = lines.len();
    let last = usize::from(area.height) - 1;
    for (at, body) in lines.into_iter().take(usize::from(area.height)).enumerate() {
        let mut line = look.line();
        line.text(if at == 0 { &first } else { "" }, sign_role);
        line.to(look.width(&first));
        let cut = at == last && count > last + 1;
        let used = line.width() + body.width();
        line.append(body);
        if cut {
            line.text(look.glyphs.more, role);
        }
        if !behind.is_empty() && at + 1 == count && used + look.width(&behind) + 3 <= width {
            line.to(width - look.width(&behind) - 1);
            line.text(&behind, Role::Muted);
        }
        line.draw(frame, area, area.y + at as u16);
    }
}

/// What is wrong with the filter, below it.
fn complaint(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let Some(text) = &model.browse.complaint else { return };
    let look = model.look();
    let below = Rect { y: layout.message.y + 1, height: layout.message.height.saturating_sub(1), ..layout.message };
    let lines = look.wrap(&model.looked_for(text), Role::Attention, usize::from(below.width).saturating_sub(2));
    for (y, body) in (below.y..below.bottom()).zip(lines) {
        let mut line = look.line();
        line.text(" ", Role::Plain);
        line.append(body);
        line.draw(frame, below, y);
    }
}

fn filter(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let found = counted(model.list.total() as u64, "match", "matches");
    let found = if model.browse.complaint.is_some() {
        "not understood: the list is as before".to_owned()
    } else if model.list.is_current() && model.list.is_of_the_whole() {
        found
    } else {
        format!("searching{}", look.glyphs.more)
    };
    let right = match &model.word {
        Some(word) => word.text.seen(model).into_owned(),
        None if model.browse.complaint.is_some() => found,
        None if model.phase() == Phase::Complete => format!("{found} in everything"),
        None => format!("{found}; searched {}", covered(model)),
    };
    let value = model.typing.as_ref().map_or(&*model.list.spec.filter, Input::value);
    let typing = model.typing.as_ref().map(|input| (input, model.place() == Place::Filter));
    line(model, frame, layout, " Filter  ", value, typing, &right);
}

/// The line where something is looked for in the history.
fn history_filter(model: &Model, frame: &mut Frame<'_>, layout: &Layout, page: &crate::history::Page) {
    let right = match &model.word {
        Some(word) => word.text.seen(model).into_owned(),
        None if page.knows_all() => "run, actor, reason, situation, whose".to_owned(),
        None => "of older runs only run, actor and reason".to_owned(),
    };
    let value = page.typing.as_ref().map_or(&*page.filter, Input::value);
    let typing = page.typing.as_ref().map(|input| (input, model.place() == Place::HistoryFilter));
    line(model, frame, layout, " Filter  ", value, typing, &right);
}

/// The line where somebody is looked up.
fn look_up(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let Some(input) = &model.ticket.typing else { return };
    let right = "an e-mail, a sub, a username or a row's id";
    let right = model.word.as_ref().map_or(right.into(), |word| word.text.seen(model));
    line(model, frame, layout, " Look up  ", input.value(), Some((input, model.place() == Place::Ticket)), &right);
}

/// A line of text that is typed, or was, with a word about it at its right end.
fn line(
    model: &Model,
    frame: &mut Frame<'_>,
    layout: &Layout,
    label: &str,
    value: &str,
    typing: Option<(&Input, bool)>,
    right: &str,
) {
    let look = model.look();
    let area = layout.message;
    let width = usize::from(area.width);
    let value = model.looked_for(value);
    let mut line = look.line();
    line.text(label, Role::Accent);
    let room = width.saturating_sub(line.width() + look.width(right) + 4).max(8);
    let from = line.width();
    if let Some((input, has_cursor)) = typing {
        let scroll = input.visual_scroll(room - 1);
        let mut skipped = 0;
        let hidden = value.chars().take_while(|c| {
            let before = skipped;
            skipped += look.width(&c.to_string());
            before < scroll
        });
        let hidden = hidden.count();
        let seen: String = value.chars().skip(hidden).collect();
        line.cell(&seen, Role::Strong, room);
        let before: String = value.chars().skip(hidden).take(input.cursor().saturating_sub(hidden)).collect();
        let column = (from + look.width(&before)).min(from + room - 1);
        if has_cursor {
            frame.set_cursor_position(Position::new(column as u16, area.y));
        }
    } else {
        line.cell(&value, Role::Strong, room);
    }
    line.text("  ", Role::Plain);
    line.right(right, Role::Muted, width.saturating_sub(line.width() + 1));
    line.draw(frame, area, area.y);
}

fn keys(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let place = model.place();
    let mut line = look.line();
    let makes_sense = |hint: &&Binding| command::why_not(model, hint.line.command).is_none();
    for hint in model.keys.hints(place).filter(makes_sense).take(MOST_HINTS) {
        let key = hint.first();
        let width = look.width(&key) + 1 + look.width(hint.line.words);
        if line.width() + 1 + width > usize::from(layout.keys.width) {
            break;
        }
        line.text(" ", Role::Plain);
        line.text(&key, Role::Strong);
        line.text(&format!(" {}  ", hint.line.words), Role::Muted);
    }
    line.draw(frame, layout.keys, layout.keys.y);
}
