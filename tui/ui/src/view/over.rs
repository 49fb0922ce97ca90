//! The pages over the screen: palette, contexts, messages, log.

use ratatui::Frame;
use ratatui::layout::Position;

use super::sheet::{Sheet, skip_to};
use super::{Regions, export, lines_on, marked_on_page, page};
use crate::contexts::{ContextChoice, JournalPlace};
use crate::event::Level;
use crate::glyphs::group_sign;
use crate::keys::Place;
use crate::layout::Layout;
use crate::model::Model;
use crate::over::Over;
use crate::paint::Cells;
use crate::palette::{Offer, Palette};
use crate::theme::{Role, Tint};
use crate::words::{absolute, counted};
use userlink_domain::Group;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    if model.over.is_some() {
        regions.choices.clear();
    }
    match &model.over {
        Some(Over::Palette(palette)) => draw_palette(model, palette, frame, layout, regions),
        Some(Over::Contexts(contexts)) => draw_contexts(model, contexts.chosen, frame, layout, regions),
        Some(Over::Messages(scroll)) => {
            let aside = counted(model.said.len() as u64, "message", "messages");
            draw_lines(model, "Messages", &aside, messages(model, width(layout)), *scroll, frame, layout);
        }
        Some(Over::Log(scroll)) => {
            draw_lines(model, "Log", "newest first", log(model, width(layout)), *scroll, frame, layout);
        }
        Some(Over::Export(form)) => export::draw(model, form, frame, layout),
        None => {}
    }
}

/// How far messages and log can be scrolled.
pub(super) fn furthest(model: &Model, place: Place, layout: &Layout) -> usize {
    let lines = match place {
        Place::Messages => messages(model, width(layout)).len(),
        Place::Log => log(model, width(layout)).len(),
        _ => 0,
    };
    lines.saturating_sub(usize::from(page(model, layout).height).saturating_sub(1))
}

fn width(layout: &Layout) -> usize {
    usize::from(layout.body.width)
}

fn draw_lines(
    model: &Model,
    title: &str,
    aside: &str,
    lines: Vec<Cells>,
    skip: usize,
    frame: &mut Frame<'_>,
    layout: &Layout,
) {
    let marked = marked_on_page(model);
    let sheet = Sheet { title, aside, marked, head: Vec::new(), lines, skip };
    sheet.draw(model.look(), frame, page(model, layout));
}

/// The newest first: each with its moment, and what it is said by.
fn messages(model: &Model, width: usize) -> Vec<Cells> {
    const INDENT: usize = 28;
    let look = model.look();
    if model.said.is_empty() {
        return look.wrap(" Nothing was said yet.", Role::Muted, width);
    }
    let mut lines = Vec::new();
    for said in model.said.iter().rev() {
        let (sign, role) = match said.level {
            Level::Error => group_sign(Group::Conflict, look.ascii()),
            Level::Info => (look.glyphs.dot, Role::Plain),
        };
        for (at, body) in
            look.wrap(&said.text.seen(model), role, width.saturating_sub(INDENT + 1)).into_iter().enumerate()
        {
            let mut line = look.line();
            if at == 0 {
                line.text(&format!(" {}  ", absolute(said.at)), Role::Muted);
                line.text(sign, role);
            }
            line.to(INDENT);
            line.append(body);
            lines.push(line);
        }
    }
    lines
}

fn log(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    if model.log.is_empty() {
        return look.wrap(" Nothing was logged yet. --log-file keeps the log, -v has it say more.", Role::Muted, width);
    }
    let mut lines = Vec::new();
    for text in model.log.iter().rev() {
        let role = match text.split_whitespace().nth(1) {
            Some("ERROR") => Role::Danger,
            Some("WARN") => Role::Attention,
            _ => Role::Plain,
        };
        for (at, body) in look.wrap(text, role, width.saturating_sub(4)).into_iter().enumerate() {
            let mut line = look.line();
            line.to(if at == 0 { 1 } else { 3 });
            line.append(body);
            lines.push(line);
        }
    }
    lines
}

fn draw_palette(model: &Model, palette: &Palette, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let look = model.look();
    let area = page(model, layout);
    let offers = palette.offers(model);
    let room = usize::from(area.height).saturating_sub(3);
    let chosen = palette.chosen.min(offers.len().saturating_sub(1));
    let wide = usize::from(area.width);
    let lines: Vec<_> =
        offers.iter().enumerate().map(|(at, offer)| offered(model, offer, at == chosen, wide)).collect();
    let aside = counted(offers.len() as u64, "command", "commands");
    let mut input = look.line();
    input.text(" : ", Role::Accent);
    let (value, from) = (palette.input.value(), input.width());
    input.cell(value, Role::Strong, wide.saturating_sub(from + 1));
    let before: String = value.chars().take(palette.input.cursor()).collect();
    let column = (from + look.width(&before)).min(wide.saturating_sub(1));
    let skip = skip_to(chosen, lines.len(), room);
    // What the line of the chosen one may have no room for.
    let mut why_not = look.line();
    let why = offers.get(chosen).and_then(|offer| offer.why_not.as_deref()).unwrap_or_default();
    why_not.cell(&format!("   {why}"), Role::Attention, wide);
    let head = vec![input, why_not];
    let marked = marked_on_page(model);
    let count = lines.len();
    let body = Sheet { title: "Commands", aside: &aside, marked, head, lines, skip }.draw(look, frame, area);
    regions.choices = (0..count).map(|at| lines_on(body, skip, at, at + 1)).collect();
    if model.place() == Place::Palette {
        frame.set_cursor_position(Position::new(column as u16, area.y + 1));
    }
}

/// One command: what it does, its name, its keys, and why it can do nothing where it cannot.
fn offered(model: &Model, offer: &Offer, chosen: bool, width: usize) -> Cells {
    const WORDS: usize = 27;
    const NAME: usize = 18;
    const KEYS: usize = 15;
    let look = model.look();
    let mut line = look.line();
    line.text(if chosen { look.glyphs.bar } else { " " }, Role::Accent);
    if chosen {
        line.select();
    }
    line.text(" ", Role::Plain);
    let from = line.width();
    let (words, name) = match offer.why_not {
        Some(_) => (Role::Muted, Role::Muted),
        None => (Role::Strong, Role::Muted),
    };
    let split = offer.words.chars().count() as u32;
    letters(&mut line, offer.words, words, |at| offer.found.contains(&at));
    line.to(from + WORDS);
    letters(&mut line, offer.name, name, |at| offer.found.contains(&(split + 1 + at)));
    line.to(from + WORDS + NAME);
    line.cell(&offer.keys, if offer.why_not.is_some() { Role::Muted } else { Role::Plain }, KEYS);
    if let Some(why) = &offer.why_not {
        line.cell(&format!(" {why}"), Role::Muted, width.saturating_sub(line.width()));
    }
    line.to(width);
    line
}

/// A text with the letters marked that a search has found.
fn letters(line: &mut Cells, text: &str, role: Role, found: impl Fn(u32) -> bool) {
    for (at, c) in (0..).zip(text.chars()) {
        line.text(c.encode_utf8(&mut [0; 4]), if found(at) { Role::Found } else { role });
    }
}

fn draw_contexts(model: &Model, chosen: usize, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let look = model.look();
    let area = page(model, layout);
    let width = usize::from(area.width);
    let names = model.contexts.iter().map(|choice| look.width(&choice.name)).max().unwrap_or(0).min(width / 3);
    let rows = model.contexts.iter().enumerate();
    let lines: Vec<_> = rows.map(|(at, choice)| context(model, choice, at == chosen, names, width)).collect();
    let aside = counted(lines.len() as u64, "context", "contexts");
    let head = vec![journal(model, width), look.line()];
    let skip = skip_to(chosen, lines.len(), usize::from(area.height).saturating_sub(1 + head.len()));
    let marked = marked_on_page(model);
    let count = lines.len();
    let body = Sheet { title: "Contexts", aside: &aside, marked, head, lines, skip }.draw(look, frame, area);
    regions.choices = (0..count).map(|at| lines_on(body, skip, at, at + 1)).collect();
}

/// Where the journal of the context that is shown lies: the top line has no room for it everywhere.
fn journal(model: &Model, width: usize) -> Cells {
    let mut line = model.look().line();
    let (words, role) = match model.journal {
        Some(JournalPlace::Shared) => ("shared, in the database", Role::Muted),
        Some(JournalPlace::Local) => ("local, on this machine alone", Role::Attention),
        // Where nothing is written none is looked for.
        None => return line,
    };
    line.cell(&format!("    Journal of {}: {words}", model.setup.context), role, width);
    line
}

fn context(model: &Model, choice: &ContextChoice, chosen: bool, names: usize, width: usize) -> Cells {
    let look = model.look();
    let mut line = look.line();
    line.text(if chosen { look.glyphs.bar } else { " " }, Role::Accent);
    line.text(" ", Role::Plain);
    line.text(" ", Role::Badge(Some(choice.tint.unwrap_or_else(|| Tint::of(&choice.name)))));
    line.text(" ", Role::Plain);
    if chosen {
        line.select();
    }
    line.cell(&choice.name, Role::Strong, names);
    line.text("  ", Role::Plain);
    let mut right = look.line();
    if chosen {
        right.select();
    }
    if choice.name == model.setup.context {
        right.text("shown now", Role::Accent);
        right.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
    }
    right.text(if choice.production { "PRODUCTION" } else { "not production" }, danger(choice.production));
    right.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
    right.text(if choice.read_only { "READ-ONLY " } else { "CAN WRITE " }, Role::Plain);
    let room = width.saturating_sub(line.width() + right.width() + 2);
    let place = format!("{} {} {}", choice.pool, look.glyphs.ties, choice.table);
    line.cell(&place, Role::Plain, room);
    line.text("  ", Role::Plain);
    line.append(right);
    line.to(width);
    line
}

fn danger(production: bool) -> Role {
    if production { Role::Danger } else { Role::Muted }
}
