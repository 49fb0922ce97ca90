//! A plan that is looked at before anything is written: at a glance, and line by line through a window.

use crate::effect::Effect;
use crate::plan::{Draft, PlanLine, PlanRef, Request};

/// The largest window of lines.
const MOST: usize = 400;

#[derive(Debug)]
pub(crate) struct Looking {
    pub(crate) request: Request,
    pub(crate) draft: Draft,
    /// The first line that is shown.
    pub(crate) scroll: usize,
    first: usize,
    held: Vec<PlanLine>,
    asked: Option<usize>,
}

impl Looking {
    pub(crate) fn new(request: Request, mut draft: Draft) -> Self {
        let held = std::mem::take(&mut draft.first);
        Self { request, draft, scroll: 0, first: 0, held, asked: None }
    }

    pub(crate) fn at(&self, place: usize) -> Option<&PlanLine> {
        self.held.get(place.checked_sub(self.first)?)
    }

    /// Asks for lines that will be on the screen and are not held.
    pub(crate) fn want(&mut self, page: usize) -> Option<Effect> {
        let last = (self.scroll + page).min(self.draft.lines).saturating_sub(1);
        let there = |place| place >= self.draft.lines || self.at(place).is_some();
        if there(self.scroll) && there(last) {
            return None;
        }
        let first = self.scroll.saturating_sub(page);
        if self.asked == Some(first) {
            return None;
        }
        self.asked = Some(first);
        Some(Effect::PlanLines { plan: self.draft.plan.clone(), first, len: (page * 3).clamp(1, MOST) })
    }

    pub(crate) fn accept(&mut self, plan: &PlanRef, first: usize, lines: Vec<PlanLine>) {
        if *plan == self.draft.plan && self.asked == Some(first) {
            (self.first, self.held, self.asked) = (first, lines, None);
        }
    }
}
