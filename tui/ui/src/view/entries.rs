//! The list: pool users left, rows right, and between them the gutter that says how they are tied.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::{PoolUser, Row, Sub, UserStatus};
use userlink_link::Entry;

use super::{Regions, empty, user_name};
use crate::glyphs::{GUTTER_WIDTH, group_sign, situation_words};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::{Cells, Look};
use crate::pairs::{self, MOST_LINES, Pair, pairs};
use crate::theme::Role;
use crate::words::ago;

const WORD: usize = 17;
const STATUS: usize = 11;
const ID: usize = 13;
const CREATED: usize = 9;
/// A name needs no more than this, even where there is room.
const WIDEST_NAME: usize = 44;

/// How many columns each has; 0 is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    word: usize,
    user: usize,
    status: usize,
    created: usize,
    email: usize,
}

impl Columns {
    fn of(width: usize, words: bool) -> Self {
        let mut room = width.saturating_sub(3 + GUTTER_WIDTH + 1 + ID + 1 + 1 + 1);
        let mut take = |wanted: bool, column: usize, leave: usize| {
            if wanted && room >= column + 1 + leave {
                room -= column + 1;
                return column;
            }
            0
        };
        let word = take(words, WORD, 33);
        let status = take(true, STATUS, 40);
        let created = take(true, CREATED, 52);
        let user = (room * 11 / 20).min(WIDEST_NAME);
        Self { word, user, status, created, email: (room - user).min(WIDEST_NAME) }
    }
}

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    let columns = Columns::of(usize::from(layout.list.width), layout.beside);
    regions.list = layout.list;
    head(model.look(), columns).draw(frame, layout.columns, layout.columns.y);
    if model.list.held().is_none_or(|held| held.total == 0) {
        return empty::draw(model, frame, layout.list);
    }
    let mut y = layout.list.y;
    let mut place = model.list.top;
    while y < layout.list.bottom() && place < model.list.total() {
        let lines = match model.list.at(place) {
            Some(entry) => entry_lines(model, entry, columns, place, layout.list.width),
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

fn head(look: Look, columns: Columns) -> Cells {
    let mut line = look.line();
    line.to(3);
    let mut column = |name: &str, width: usize| {
        if width > 0 {
            line.cell(name, Role::Muted, width);
            line.text(" ", Role::Plain);
        }
    };
    column("SITUATION", columns.word);
    column("POOL USER", columns.user);
    column("STATUS", columns.status);
    column(" ", GUTTER_WIDTH);
    column("ROW", ID);
    column("E-MAIL", columns.email);
    column("CREATED", columns.created);
    line
}

fn unread(look: Look) -> Cells {
    let mut line = look.line();
    line.to(3);
    line.text(look.glyphs.more, Role::Muted);
    line
}

fn entry_lines(model: &Model, entry: &Entry, columns: Columns, place: usize, width: u16) -> Vec<Cells> {
    let look = model.look();
    let (selected, marked) = (place == model.list.cursor, model.list.is_marked(place));
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
        if columns.word > 0 {
            let word = if first { situation_words(entry.situation) } else { String::new() };
            line.cell(&word, role, columns.word + 1);
        }
        line
    };
    let mut lines = Vec::new();
    for (at, pair) in all.into_iter().enumerate() {
        let mut line = begin(at == 0);
        user_cells(&mut line, pair.user, columns);
        let from = line.width();
        line.text(pair.gutter.sign(look.ascii()), pair.gutter.role());
        line.to(from + GUTTER_WIDTH + 1);
        row_cells(&mut line, pair.row, columns);
        if columns.created > 0 {
            let user = pair.user.and_then(|user| user.created);
            let since = user.or_else(|| pair.row.and_then(|row| row.created_at));
            line.text(" ", Role::Plain);
            line.cell(&since.map(|since| ago(since, model.now)).unwrap_or_default(), Role::Muted, columns.created);
        }
        line.to(usize::from(width));
        lines.push(line);
    }
    if let Some(text) = more(pairs::left_out(entry), look) {
        let mut line = begin(false);
        line.text(&text, Role::Muted);
        line.to(usize::from(width));
        lines.push(line);
    }
    lines
}

/// `+12 more users`.
fn more((users, rows): (usize, usize), look: Look) -> Option<String> {
    let part = |count: usize, one: &str, many: &str| {
        (count > 0).then(|| format!("+{count} more {}", if count == 1 { one } else { many }))
    };
    let parts: Vec<_> = [part(users, "user", "users"), part(rows, "row", "rows")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(&format!(" {} ", look.glyphs.dot)))
}

fn user_cells(line: &mut Cells, user: Option<&PoolUser>, columns: Columns) {
    let Some(user) = user else {
        return line.to(line.width() + columns.user + 1 + if columns.status > 0 { columns.status + 1 } else { 0 });
    };
    let plain = user.email_verified || user.is_federated();
    let (name, role) = (user_name(user), if plain { Role::Plain } else { Role::Muted });
    if Sub::parse(&name).is_some() {
        line.id(&name, role, columns.user);
    } else {
        line.cell(&name, role, columns.user);
    }
    line.text(" ", Role::Plain);
    if columns.status > 0 {
        line.cell(&status_word(user), Role::Muted, columns.status);
        line.text(" ", Role::Plain);
    }
}

fn row_cells(line: &mut Cells, row: Option<&Row>, columns: Columns) {
    let Some(row) = row else {
        return line.to(line.width() + ID + 1 + columns.email);
    };
    line.id(&row.id.to_string(), Role::Plain, ID);
    line.text(" ", Role::Plain);
    line.cell(row.email.as_deref().unwrap_or_default(), Role::Plain, columns.email);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_the_width_and_never_more() {
        for width in 60..300 {
            for words in [false, true] {
                let it = Columns::of(width, words);
                let gaps = [it.word, it.status, it.created].iter().filter(|column| **column > 0).count();
                let used = 3 + it.word + it.user + it.status + it.created + it.email + GUTTER_WIDTH + ID + 3 + gaps;
                assert!(used < width + 1, "{width} {it:?}");
                assert!(it.user >= 16 && it.email >= 14, "{width} {it:?}");
            }
        }
        assert!(Columns::of(77, true).word > 0, "words from 120 columns on");
        assert!(Columns::of(80, false).status > 0, "the status at 80");
    }
}
