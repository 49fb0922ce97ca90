//! Which columns the list has, and how wide they are: what a person chose, and else what the terminal has room for.

use std::collections::HashMap;

use userlink_find::Column;

use crate::effect::Effect;
use crate::glyphs::GUTTER_WIDTH;
use crate::model::{Model, Names};

/// A column of the list. Left of the gutter stands the user, right of it the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    Situation,
    Flags,
    User,
    Username,
    Provider,
    Status,
    Row,
    Email,
    /// The n-th column that the table shows.
    Show(usize),
    Created,
}

impl Cell {
    pub(crate) const fn of(column: Column) -> Self {
        match column {
            Column::Situation => Self::Situation,
            Column::User => Self::User,
            Column::Status => Self::Status,
            Column::Row => Self::Row,
            Column::Email => Self::Email,
            Column::Created => Self::Created,
        }
    }

    /// What it is sorted by; none where that is not in memory.
    pub(crate) const fn column(self) -> Option<Column> {
        match self {
            Self::Situation => Some(Column::Situation),
            Self::User => Some(Column::User),
            Self::Status => Some(Column::Status),
            Self::Row => Some(Column::Row),
            Self::Email => Some(Column::Email),
            Self::Created => Some(Column::Created),
            Self::Flags | Self::Username | Self::Provider | Self::Show(_) => None,
        }
    }

    /// What stands over it, in capitals there.
    pub(crate) fn words(self, names: &Names) -> String {
        match self {
            Self::Situation => "situation",
            Self::Flags => "flags",
            Self::User => "pool user",
            Self::Username => "username",
            Self::Provider => "provider",
            Self::Status => "status",
            Self::Row => "row",
            Self::Email => "e-mail",
            Self::Show(at) => return names.show.get(at).cloned().unwrap_or_default(),
            Self::Created => "created",
        }
        .to_owned()
    }

    fn kept_name(self, names: &Names) -> String {
        match self {
            Self::Show(_) => format!("show {}", self.words(names)),
            other => other.words(names),
        }
    }

    /// Whether it stands left of the gutter.
    pub(crate) const fn is_left(self) -> bool {
        matches!(self, Self::Situation | Self::Flags | Self::User | Self::Username | Self::Provider | Self::Status)
    }

    /// How wide it is, unless it takes what is left.
    const fn width(self) -> usize {
        match self {
            Self::Situation => 17,
            Self::Flags => 14,
            Self::User | Self::Email => 24,
            Self::Username => 16,
            Self::Provider => 10,
            Self::Status => 11,
            Self::Row => 13,
            Self::Show(_) => 16,
            Self::Created => 9,
        }
    }

    /// From how many columns of the list on it is there by itself; `words` where the situation stands in the list.
    const fn from(self, words: bool) -> usize {
        match (self, words) {
            (Self::User | Self::Row | Self::Email, _) => 0,
            (Self::Situation, true) => 76,
            (Self::Status, false) => 77,
            (Self::Status, true) => 95,
            (Self::Created, false) => 99,
            (Self::Created, true) => 117,
            (Self::Situation | Self::Flags | Self::Username | Self::Provider | Self::Show(_), _) => usize::MAX,
        }
    }

    /// What is wider only for more room.
    const fn is_elastic(self) -> bool {
        matches!(self, Self::User | Self::Email)
    }
}

/// What was chosen of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptColumn {
    /// Which one; one of the table's own begins with `show `.
    pub name: String,
    /// Whether it is shown, where that was chosen.
    pub shown: Option<bool>,
    /// How wide it was made, in columns of the terminal.
    pub width: Option<usize>,
}

/// A name needs no more than this, even where there is room.
const WIDEST_NAME: usize = 44;
/// Nothing can be made narrower than this.
const NARROWEST: usize = 4;
const WIDEST: usize = 99;
/// The bar, the sign of the group, and a blank.
pub(crate) const BEFORE: usize = 3;

/// What was chosen. Empty, all is as the terminal has room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    shown: HashMap<Cell, bool>,
    widths: HashMap<Cell, usize>,
}

/// The columns that are there, in their order, each with its width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) cells: Vec<(Cell, usize)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Toggle,
    Width(isize),
    Defaults,
}

impl Columns {
    /// What was chosen of each column, and how wide it was made, by a name that does not change.
    pub(crate) fn kept(&self, names: &Names) -> Vec<KeptColumn> {
        let chosen = |cell: Cell| KeptColumn {
            name: cell.kept_name(names),
            shown: self.shown.get(&cell).copied(),
            width: self.widths.get(&cell).copied(),
        };
        let kept = self.all(names).into_iter().map(chosen);
        kept.filter(|column| column.shown.is_some() || column.width.is_some()).collect()
    }

    /// As it was left. A column that is there no more is left out.
    pub(crate) fn restored(kept: &[KeptColumn], names: &Names) -> Self {
        let mut this = Self::default();
        for cell in this.all(names) {
            let Some(column) = kept.iter().find(|column| column.name == cell.kept_name(names)) else { continue };
            this.shown.extend(column.shown.map(|shown| (cell, shown)));
            this.widths.extend(column.width.map(|width| (cell, width.clamp(NARROWEST, WIDEST))));
        }
        this
    }

    /// All that can be chosen, in their order.
    pub(crate) fn all(&self, names: &Names) -> Vec<Cell> {
        let show = (0..names.show.len()).map(Cell::Show);
        let left = [Cell::Situation, Cell::Flags, Cell::User, Cell::Username, Cell::Provider, Cell::Status];
        left.into_iter().chain([Cell::Row, Cell::Email]).chain(show).chain([Cell::Created]).collect()
    }

    /// Those for a list of so many columns. `words` where the situation is not said below the list.
    pub(crate) fn widths(&self, names: &Names, width: usize, words: bool) -> Widths {
        let is_shown = |cell: &Cell| match self.shown.get(cell) {
            Some(shown) => *shown,
            None => width >= cell.from(words),
        };
        let mut cells: Vec<(Cell, usize)> =
            self.all(names).into_iter().filter(is_shown).map(|cell| (cell, 0)).collect();
        // A list of nothing is no list.
        if cells.is_empty() {
            cells = vec![(Cell::User, 0), (Cell::Row, 0)];
        }
        loop {
            let fixed = |cell: Cell| self.widths.get(&cell).copied().or((!cell.is_elastic()).then(|| cell.width()));
            let used: usize = cells.iter().map(|(cell, _)| fixed(*cell).unwrap_or(0) + 1).sum();
            let elastic: Vec<Cell> =
                cells.iter().map(|(cell, _)| *cell).filter(|cell| fixed(*cell).is_none()).collect();
            let room = width.checked_sub(BEFORE + GUTTER_WIDTH + 1 + used);
            let enough = room.is_some_and(|room| room >= elastic.len() * 14 || cells.len() <= 2);
            if !enough && cells.len() > 1 {
                // What can be done without: the last that is not needed to know who is meant.
                let spare = |cell: Cell| !matches!(cell, Cell::User | Cell::Row) && !elastic.contains(&cell);
                let at = cells.iter().rposition(|(cell, _)| spare(*cell)).unwrap_or(cells.len() - 1);
                cells.remove(at);
                continue;
            }
            let mut room = room.unwrap_or_default();
            for (cell, place) in &mut cells {
                *place = match fixed(*cell) {
                    Some(fixed) => fixed.min(width),
                    None if elastic.len() > 1 && *cell == elastic[0] => (room * 11 / 20).min(WIDEST_NAME),
                    None => room.min(WIDEST_NAME),
                };
                if elastic.contains(cell) {
                    room -= *place;
                }
            }
            return Widths { cells };
        }
    }

    /// Whether a column was chosen, or left out; none where the terminal decides.
    pub(crate) fn choice(&self, cell: Cell) -> Option<bool> {
        self.shown.get(&cell).copied()
    }

    /// Whether anything was chosen.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn change(model: &mut Model, change: Change, _: &mut Vec<Effect>) {
    let widths = model.widths();
    let columns = &mut model.browse.columns;
    let all = columns.all(&model.names);
    let Some(cell) = model.browse.choosing.and_then(|at| all.get(at)).copied() else { return };
    let there = widths.cells.iter().find(|(it, _)| *it == cell).map(|(_, width)| *width);
    match change {
        Change::Toggle => {
            columns.shown.insert(cell, there.is_none());
        }
        Change::Width(by) => {
            let now = there.or(columns.widths.get(&cell).copied()).unwrap_or(cell.width());
            columns.widths.insert(cell, now.saturating_add_signed(by).clamp(NARROWEST, WIDEST));
        }
        Change::Defaults => *columns = Columns::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths(columns: &Columns, width: usize, words: bool) -> Widths {
        columns.widths(&Names::default(), width, words)
    }

    fn used(it: &Widths) -> usize {
        BEFORE + GUTTER_WIDTH + 1 + it.cells.iter().map(|(_, width)| width + 1).sum::<usize>() - 1
    }

    #[test]
    fn columns_fill_the_width_and_never_more() {
        for width in 60..300 {
            for words in [false, true] {
                let it = widths(&Columns::default(), width, words);
                assert!(used(&it) <= width, "{width} {it:?}");
                let wide = |cell| it.cells.iter().any(|(it, width)| *it == cell && *width >= 14);
                assert!(wide(Cell::User) && wide(Cell::Email), "{width} {it:?}");
            }
        }
        let has =
            |width, words, cell| widths(&Columns::default(), width, words).cells.iter().any(|(it, _)| *it == cell);
        assert!(has(77, true, Cell::Situation), "words from 120 columns on");
        assert!(has(80, false, Cell::Status), "the status at 80");
        assert!(has(129, true, Cell::Created), "when, at 200");
    }

    #[test]
    fn whatever_is_chosen_fits_and_something_is_always_there() {
        let all = Columns::default().all(&Names::default());
        for chosen in 0..1u32 << all.len() {
            let shown = all.iter().enumerate().map(|(at, cell)| (*cell, chosen & 1 << at != 0)).collect();
            let columns = Columns { shown, widths: [(Cell::User, 40), (Cell::Status, 30)].into() };
            for width in [60, 80, 200] {
                let it = widths(&columns, width, false);
                assert!(!it.cells.is_empty(), "{chosen:b}");
                assert!(used(&it) <= width || it.cells.len() == 1, "{width} {it:?}");
            }
        }
    }
}
