//! The list: pool users left, rows right, and between them the gutter that says how they are tied.

use std::cell::RefCell;

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::{PoolUser, Sub, UserStatus};
use userlink_find::{Marked, Query, Scratch};
use userlink_link::Entry;

use super::detail::flag_words;
use super::{Regions, empty, user_name};
use crate::browse::{BEFORE, Cell, Widths, order_words};
use crate::glyphs::{GUTTER_WIDTH, group_sign, situation_words};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look};
use crate::pairs::{self, MOST_LINES, Pair, pairs};
use crate::theme::Role;
use crate::words::ago;

/// The filter as it is marked in the list.
struct Marks {
    query: Query,
    scratch: RefCell<Scratch>,
}

impl Marks {
    fn of(model: &Model) -> Self {
        // What is shown is what was understood last.
        let query = Query::parse(&model.list.spec.filter, model.now).unwrap_or_default();
        Self { query, scratch: RefCell::default() }
    }

    fn letters(&self, at: Marked, text: &str) -> Vec<usize> {
        if self.query.is_empty() { Vec::new() } else { self.query.marks(at, text, &mut self.scratch.borrow_mut()) }
    }
}

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let widths = model.widths();
    regions.list = layout.list;
    head(model, &widths, layout, regions).draw(frame, layout.columns, layout.columns.y);
    if model.list.held().is_none_or(|held| held.total == 0) {
        return empty::draw(model, frame, layout.list);
    }
    let marks = Marks::of(model);
    let mut y = layout.list.y;
    let mut place = model.list.top;
    while y < layout.list.bottom() && place < model.list.total() {
        let lines = match model.list.at(place) {
            Some(entry) => entry_lines(model, &model.seen(entry), &widths, &marks, place),
            None => vec![unread(model.look())],
        };
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(layout.list.bottom() - y);
        regions.entries.push((Rect { y, height, ..layout.list }, place));
        for line in lines.into_iter().take(usize::from(height)) {
            line.draw(frame, layout.list, y);
            y += 1;
        }
        place += 1;
    }
}

/// The names of the columns; the one that is sorted by has a sign and, where there is room, a word.
fn head(model: &Model, widths: &Widths, layout: &Layout, regions: &mut Regions) -> Cells {
    let look = model.look();
    // What is shown still stands in the order before, while the new one is made.
    let order = model.list.held().map_or(model.list.spec.order, |held| held.spec.order);
    let mut line = look.line();
    line.to(BEFORE);
    let mut gutter = false;
    for (cell, width) in &widths.cells {
        if !cell.is_left() && !gutter {
            gutter = true;
            line.to(line.width() + GUTTER_WIDTH + 1);
        }
        let from = line.width();
        let name = cell.words(&model.names).to_uppercase();
        if cell.column().is_some_and(|column| order.by == Some(column)) {
            let sign = if order.reverse { look.glyphs.falling } else { look.glyphs.rising };
            let words = format!("{name} {sign} {}", order_words(order));
            let short = format!("{name} {sign}");
            let fits = look.width(&words) <= *width;
            // The sign is there even where the name has to give way.
            let room = width.saturating_sub(look.width(sign) + 1);
            if fits || look.width(&short) <= *width {
                line.cell(if fits { &words } else { &short }, Role::Accent, *width);
            } else {
                line.cell(&name, Role::Accent, room);
                line.text(&format!(" {sign}"), Role::Accent);
            }
        } else {
            line.cell(&name, Role::Muted, *width);
        }
        if let Some(column) = cell.column() {
            let place = Rect { x: layout.columns.x + from as u16, width: *width as u16, ..layout.columns };
            regions.heads.push((place.intersection(layout.columns), column));
        }
        line.text(" ", Role::Plain);
    }
    line
}

fn unread(look: Look) -> Cells {
    let mut line = look.line();
    line.to(BEFORE);
    line.text(look.glyphs.more, Role::Muted);
    line
}

fn entry_lines(model: &Model, entry: &Entry, widths: &Widths, marks: &Marks, place: usize) -> Vec<Cells> {
    let look = model.look();
    let (selected, marked) = (place == model.list.cursor, model.list.is_marked(place));
    let width = model.layout().map_or(0, |layout| usize::from(layout.list.width));
    let mut all = pairs(entry);
    all.truncate(MOST_LINES);
    if all.is_empty() {
        all.push(Pair { user: None, row: None, gutter: crate::glyphs::Gutter::Blank });
    }
    let begin = |first: bool| {
        let mut line = look.line();
        line.text(if selected { look.glyphs.bar } else { " " }, Role::Accent);
        if selected {
            line.select();
        }
        let (sign, role) = group_sign(entry.situation.group(), look.ascii());
        line.text(if first { sign } else { " " }, role);
        line.text(if marked { look.glyphs.mark } else { " " }, Role::Accent);
        line
    };
    let mut lines = Vec::new();
    for (at, pair) in all.into_iter().enumerate() {
        let mut line = begin(at == 0);
        let gutter = |line: &mut Cells| {
            let from = line.width();
            line.text(pair.gutter.sign(look.ascii()), pair.gutter.role());
            line.to(from + GUTTER_WIDTH + 1);
        };
        let mut is_left = true;
        for (cell, width) in &widths.cells {
            if is_left && !cell.is_left() {
                is_left = false;
                gutter(&mut line);
            }
            let end = line.width() + width;
            draw_cell(&mut line, model, (entry, at == 0, pair), (*cell, *width), marks);
            line.to(end + 1);
        }
        if is_left {
            gutter(&mut line);
        }
        line.to(width);
        lines.push(line);
    }
    if let Some(text) = more(pairs::left_out(entry), look) {
        let mut line = begin(false);
        line.to(indent(widths));
        line.text(&text, Role::Muted);
        line.to(width);
        lines.push(line);
    }
    lines
}

/// Where the users begin.
fn indent(widths: &Widths) -> usize {
    let before = widths.cells.iter().take_while(|(cell, _)| matches!(cell, Cell::Situation | Cell::Flags));
    BEFORE + before.map(|(_, width)| width + 1).sum::<usize>()
}

/// One cell of a line; blank where there is nothing to say.
fn draw_cell(
    line: &mut Cells,
    model: &Model,
    (entry, first, pair): (&Entry, bool, Pair<'_>),
    (cell, width): (Cell, usize),
    marks: &Marks,
) {
    let (user, row) = (pair.user, pair.row);
    match cell {
        Cell::Situation if first => {
            let (_, role) = group_sign(entry.situation.group(), model.setup.ascii);
            line.cell(&situation_words(entry.situation), role, width);
        }
        Cell::Flags if first => {
            let flags: Vec<_> = entry.flags.iter().map(flag_words).collect();
            line.cell(&flags.join(", "), Role::Attention, width);
        }
        Cell::User => user.into_iter().for_each(|user| draw_name(line, user, width, marks)),
        Cell::Username => {
            for name in user.iter().map(|user| user.username.as_str()) {
                line.marked_id(name, &marks.letters(Marked::Username, name), Role::Muted, width);
            }
        }
        Cell::Provider => {
            line.cell(&user.map(providers).unwrap_or_default(), Role::Muted, width);
        }
        Cell::Status => line.cell(&user.map(status_word).unwrap_or_default(), Role::Muted, width),
        Cell::Row => {
            for id in row.iter().map(|row| row.id.to_string()) {
                line.marked_id(&id, &marks.letters(Marked::Id, &id), Role::Plain, width);
            }
        }
        Cell::Email => {
            let email = row.and_then(|row| row.email.as_deref()).unwrap_or_default();
            line.marked(email, &marks.letters(Marked::Email, email), Role::Plain, width);
        }
        Cell::Show(at) => {
            let text = row.and_then(|row| row.show.get(at)?.as_deref()).unwrap_or_default();
            line.cell(text, Role::Plain, width);
        }
        Cell::Created => {
            let since = user.and_then(|user| user.created).or_else(|| row.and_then(|row| row.created_at));
            line.cell(&since.map(|since| ago(since, model.now)).unwrap_or_default(), Role::Muted, width);
        }
        Cell::Situation | Cell::Flags => {}
    }
}

fn draw_name(line: &mut Cells, user: &PoolUser, width: usize, marks: &Marks) {
    let plain = user.email_verified || user.is_federated();
    let (name, role) = (user_name(user), if plain { Role::Plain } else { Role::Muted });
    let at = if name == user.username.as_str() { Marked::Username } else { Marked::Email };
    if Sub::parse(&name).is_some() {
        line.marked_id(&name, &marks.letters(Marked::Id, &name), role, width);
    } else {
        line.marked(&name, &marks.letters(at, &name), role, width);
    }
}

/// Where else somebody signs in.
fn providers(user: &PoolUser) -> String {
    let own = user.is_federated().then(|| user.username.as_str().split('_').next()).flatten();
    let joined = user.identities.iter().map(|identity| &*identity.provider);
    own.into_iter().chain(joined).collect::<Vec<_>>().join(", ")
}

/// `+12 more users`.
fn more((users, rows): (usize, usize), look: Look) -> Option<String> {
    let part = |count: usize, one: &str, many: &str| {
        (count > 0).then(|| format!("+{count} more {}", if count == 1 { one } else { many }))
    };
    let parts: Vec<_> = [part(users, "user", "users"), part(rows, "row", "rows")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(&format!(" {} ", look.glyphs.dot)))
}

/// A status in one word.
fn status_word(user: &PoolUser) -> String {
    if !user.enabled {
        return "disabled".to_owned();
    }
    match &user.status {
        UserStatus::Confirmed => "confirmed".to_owned(),
        UserStatus::Unconfirmed => "unconfirmed".to_owned(),
        UserStatus::ExternalProvider => "external".to_owned(),
        UserStatus::ResetRequired => "must reset".to_owned(),
        UserStatus::ForceChangePassword => "invited".to_owned(),
        UserStatus::Other(text) => text.to_lowercase(),
    }
}
