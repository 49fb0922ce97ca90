//! All keys, from the key table, those of the place where it was opened first, and beside them what the signs mean.

use ratatui::Frame;
use userlink_domain::Group;

use super::dialog::clear;
use super::page;
use crate::glyphs::{GUTTER_WIDTH, Gutter, group_sign};
use crate::keys::{Binding, Command, Keys, Place};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look, draw_all};
use crate::theme::Role;
use crate::words::capital;

const KEYS: usize = 15;
/// A column of keys, where there is room for two of them beside the signs.
const COLUMN: usize = 46;
const TWO_COLUMNS: usize = 2 * COLUMN + 42;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let area = page(model, layout);
    clear(frame, area);
    let lines = lines(model, usize::from(area.width));
    let skip = model.help.map_or(0, |help| help.scroll).min(lines.len().saturating_sub(usize::from(area.height)));
    let below = lines.len() - skip > usize::from(area.height);
    draw_all(lines, skip, frame, area);
    if below {
        let mut line = look.line();
        line.cell(&format!(" {} more below", look.glyphs.below), Role::Muted, usize::from(area.width));
        line.draw(frame, area, area.bottom() - 1);
    }
}

pub(super) fn furthest(model: &Model, layout: &Layout) -> usize {
    let area = page(model, layout);
    lines(model, usize::from(area.width)).len().saturating_sub(usize::from(area.height))
}

fn lines(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let (across, half) = if width >= TWO_COLUMNS { (2, 2 * COLUMN) } else { (1, (width / 2).min(60)) };
    let from = model.help.map_or(Place::Browse, |help| help.from);
    let (list, signs) = (list_keys(look, &model.keys), signs(look, &model.keys));
    let (name, keys) = match from {
        Place::Browse | Place::Help => ("Keys".to_owned(), list),
        from => {
            let mut keys = here(look, &model.keys, from);
            keys.extend([look.line(), heading(look, "In the list", COLUMN.min(half) - 3)]);
            keys.extend(list);
            (format!("Keys: {}", from.name()), keys)
        }
    };
    let mut title = look.line();
    title.text(&format!("{0}{0} ", look.glyphs.rule), Role::Muted);
    title.text(&name, Role::Strong);
    title.text(" ", Role::Plain);
    title.fill(look.glyphs.rule, Role::Muted, half - 2);
    title.text("  ", Role::Plain);
    title.text("Signs", Role::Strong);
    title.text(" ", Role::Plain);
    let marked = super::marked_on_page(model).unwrap_or_default();
    title.fill(look.glyphs.rule, Role::Muted, width.saturating_sub(look.width(&marked)));
    title.text(&marked, Role::Accent);
    let mut out = vec![title];
    let high = keys.len().div_ceil(across);
    let mut signs = signs.into_iter();
    for at in 0..high.max(signs.len()) {
        let mut line = look.line();
        line.text(" ", Role::Plain);
        for (column, cells) in keys.iter().skip(at).step_by(high).take(if at < high { across } else { 0 }).enumerate() {
            line.to(1 + column * COLUMN);
            line.append(cells.clone());
        }
        line.to(half);
        signs.next().into_iter().for_each(|cells| line.append(cells));
        out.push(line);
    }
    out
}

/// The keys of a place.
fn here(look: Look, keys: &Keys, place: Place) -> Vec<Cells> {
    rows(keys, place).into_iter().map(|(_, shown, words)| key(look, &shown, words)).collect()
}

/// The keys of the list, and the one that answers a question with yes.
fn list_keys(look: Look, keys: &Keys) -> Vec<Cells> {
    let yes = keys.at(Place::Question).filter(|binding| binding.line.command == Command::Yes);
    let yes = yes.map(|binding| key(look, &binding.shown(), "apply, when asked"));
    here(look, keys, Place::Browse).into_iter().chain(yes).collect()
}

/// What can be pressed at a place, with what it does. What does the same stands together.
fn rows(keys: &Keys, place: Place) -> Vec<(Command, String, &'static str)> {
    let groups: Vec<_> = keys.at(place).filter(|it| matches!(it.line.command, Command::Group(_))).collect();
    let in_a_row = (1..).zip(&groups).all(|(number, group): (usize, _)| group.shown() == number.to_string());
    let mut rows: Vec<(Command, String, &str)> = Vec::new();
    for binding in keys.at(place) {
        let (command, words, shown) = (binding.line.command, binding.line.words, binding.shown_at(place));
        match rows.last_mut() {
            _ if shown.is_empty() => {}
            Some((Command::Group(_), _, _)) if in_a_row && matches!(command, Command::Group(_)) => {}
            Some((last, keys, _)) if *last == command => *keys = format!("{keys} {shown}"),
            _ if in_a_row && matches!(command, Command::Group(_)) => {
                rows.push((command, format!("1 to {}", groups.len()), "a group"));
            }
            _ => rows.push((command, shown, words)),
        }
    }
    rows
}

fn heading(look: Look, words: &str, width: usize) -> Cells {
    let mut line = look.line();
    line.text(words, Role::Strong);
    line.text(" ", Role::Plain);
    line.fill(look.glyphs.rule, Role::Muted, width);
    line
}

fn key(look: Look, shown: &str, words: &str) -> Cells {
    let mut line = look.line();
    line.cell(shown, Role::Strong, KEYS);
    line.text(" ", Role::Plain);
    line.text(words, Role::Plain);
    line
}

fn signs(look: Look, keys: &Keys) -> Vec<Cells> {
    let gutters = Gutter::LEGEND.into_iter().map(|(gutter, words)| {
        let mut line = look.line();
        line.text(gutter.sign(look.ascii()), gutter.role());
        line.to(GUTTER_WIDTH + 1);
        line.text(words, Role::Plain);
        line
    });
    let groups = Group::ALL.into_iter().map(|group| {
        let (sign, role) = group_sign(group, look.ascii());
        let mut line = look.line();
        line.text(&format!("{sign} {}", capital(group.name())), role);
        line.to(13);
        line.text(meaning(group), Role::Plain);
        line
    });
    // How text is selected although the mouse is heard.
    let switch = keys.at(Place::Browse).find(|it| it.line.command == Command::Mouse).map(Binding::shown);
    let switch = switch.map_or_else(String::new, |key| format!("{key} or "));
    let mouse = ["Hold Shift and drag to select text;".to_owned(), format!("{switch}mouse = false: no mouse here.")];
    let mouse = mouse.into_iter().map(|words| {
        let mut line = look.line();
        line.text(&words, Role::Plain);
        line
    });
    gutters.chain(groups).chain([look.line()]).chain(mouse).collect()
}

/// A group in a few words.
fn meaning(group: Group) -> &'static str {
    match group {
        Group::Unlinked => "a pointer or row is absent",
        Group::Duplicate => "two of one kind, one other",
        Group::Conflict => "the pointers contradict",
        Group::Orphan => "a row that nobody names",
        Group::Expected => "needs no row",
        Group::Linked => "both pointers agree",
        Group::Unsettled => "no verdict yet",
    }
}
