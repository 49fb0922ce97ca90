//! In which order the list stands.

use userlink_find::{Column, Order};

use super::columns::Cell;
use crate::effect::Effect;
use crate::event::Level;
use crate::model::Model;

/// By the next column that is shown; behind the last comes the order of arrival.
pub(super) fn next(model: &mut Model, effects: &mut Vec<Effect>) {
    let shown: Vec<Column> = shown(model);
    let by = match model.list.spec.order.by {
        None => shown.first().copied(),
        Some(by) => shown.iter().position(|it| *it == by).and_then(|at| shown.get(at + 1)).copied(),
    };
    set(model, Order { by, reverse: by.is_some_and(is_turned_at_first) }, effects);
}

/// By this column; once more, and it is turned round.
pub(super) fn by(model: &mut Model, column: Column, effects: &mut Vec<Effect>) {
    if model.list.spec.order.by == Some(column) {
        return turn_round(model, effects);
    }
    set(model, Order { by: Some(column), reverse: is_turned_at_first(column) }, effects);
}

pub(super) fn turn_round(model: &mut Model, effects: &mut Vec<Effect>) {
    let order = model.list.spec.order;
    set(model, Order { reverse: !order.reverse, ..order }, effects);
}

fn shown(model: &Model) -> Vec<Column> {
    let widths = model.widths();
    widths.cells.iter().filter_map(|(cell, _)| cell.column()).collect()
}

/// Who came last is what somebody looks for.
fn is_turned_at_first(column: Column) -> bool {
    column == Column::Created
}

fn set(model: &mut Model, order: Order, effects: &mut Vec<Effect>) {
    effects.extend(model.list.order(order, model.page()));
    let words = order_words(order);
    let text = match order.by {
        None => format!("In the order of arrival, {words}."),
        Some(by) => format!("Sorted by {}, {words}.", Cell::of(by).words(&model.names)),
    };
    model.say(Level::Info, text);
}

/// Which way it goes, in words.
pub(crate) fn order_words(order: Order) -> &'static str {
    match (order.by, order.reverse) {
        (None, false) => "first read first",
        (None, true) => "last read first",
        (Some(Column::Created), false) => "oldest first",
        (Some(Column::Created), true) => "newest first",
        (Some(Column::Situation), false) => "most urgent first",
        (Some(Column::Situation), true) => "most urgent last",
        (Some(_), false) => "a to z",
        (Some(_), true) => "z to a",
    }
}
