//! Marks: entries that a person picked for a plan.
//!
//! They hold on to records, so that they survive sorting, filtering and a new scan. The set itself lies with the runtime,
//! however large; here is only how many there are, and a range that is being drawn.

use userlink_domain::RecordRef;

use crate::effect::Effect;
use crate::event::{Level, ViewSpec};
use crate::keys::Command;
use crate::model::Model;

/// A change to the marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking {
    /// The entry of this record, or not any more.
    Toggle(RecordRef),
    /// All entries of a view from one to the other.
    Range {
        /// A record of the entry at one end.
        from: RecordRef,
        /// And of that at the other.
        to: RecordRef,
        /// The view that both stand in.
        spec: ViewSpec,
    },
    /// All entries of a view.
    All(ViewSpec),
    /// All entries of a view that are not marked, and none that is.
    Invert(ViewSpec),
    /// None any more.
    None,
}

/// What the model knows of them.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Entries that are marked, in view or not.
    pub(crate) count: u64,
    /// A change was asked for, and what came of it has not been told.
    pending: bool,
    /// Where a range begins.
    pub(crate) from: Option<RecordRef>,
}

impl Marks {
    /// The runtime says how many there are.
    pub(crate) fn told(&mut self, count: u64) {
        (self.count, self.pending) = (count, false);
    }

    /// Whether there are any, or will be in a moment: whoever marks and goes on at once means what was marked.
    pub(crate) fn are_any(&self) -> bool {
        self.count > 0 || self.pending
    }
}

fn ask(model: &mut Model, marking: Marking, effects: &mut Vec<Effect>) {
    model.marks.pending = true;
    effects.push(Effect::Mark(marking));
}

pub(crate) fn toggle(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.marks.from.is_some() {
        return range(model, effects);
    }
    let Some(of) = model.list.on().cloned() else { return };
    ask(model, Marking::Toggle(of), effects);
    let page = model.page();
    model.list.step(1, page);
}

/// Begins a range, or ends it.
pub(crate) fn range(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(to) = model.list.on().cloned() else { return };
    match model.marks.from.take() {
        Some(from) => {
            let spec = model.list.spec.clone();
            ask(model, Marking::Range { from, to, spec }, effects);
        }
        None => {
            model.marks.from = Some(to);
            let [range, mark] = [Command::MarkRange, Command::Mark].map(|command| model.keys.key_of(command));
            let text = format!("A range begins here: at its other end {range} or {mark} marks it. Esc leaves it.");
            model.say(Level::Info, text);
        }
    }
}

pub(crate) fn all(model: &mut Model, effects: &mut Vec<Effect>) {
    ask(model, Marking::All(model.list.spec.clone()), effects);
}

pub(crate) fn invert(model: &mut Model, effects: &mut Vec<Effect>) {
    ask(model, Marking::Invert(model.list.spec.clone()), effects);
}

pub(crate) fn none(model: &mut Model, effects: &mut Vec<Effect>) {
    model.marks.from = None;
    effects.push(Effect::Mark(Marking::None));
    model.marks.told(0);
}
