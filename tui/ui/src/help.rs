//! The help page: whose keys it begins with, and how far it is scrolled.

use crate::keys::Place;
use crate::model::Model;

/// The page while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Help {
    /// Where it was opened: the keys of that place stand first.
    pub(crate) from: Place,
    pub(crate) scroll: usize,
}

/// Opens it, or closes it.
pub(crate) fn toggle(model: &mut Model, place: Place) {
    model.help = if model.help.is_some() { None } else { Some(Help { from: place, scroll: 0 }) };
}

impl Model {
    /// Whether it lies over everything: also over the question before leaving, where it was asked for there.
    pub(crate) fn is_help_on_top(&self) -> bool {
        self.help.is_some_and(|help| self.leaving.is_none() || help.from == Place::Leaving)
    }
}
