//! A person chooses who gets which row, from candidates with their evidence.

use userlink_domain::{Choice, Mate};

use crate::plan::{Candidate, Choosing, Request};

#[derive(Debug)]
pub(crate) struct Choose {
    pub(crate) request: Request,
    pub(crate) of: Choosing,
    pub(crate) cursor: usize,
    /// Which of the candidates are chosen.
    pub(crate) chosen: Vec<bool>,
}

impl Choose {
    pub(crate) fn new(request: Request, of: Choosing) -> Self {
        let pairs = of.recommended.as_ref().map(|(pairs, _)| &pairs[..]).unwrap_or_default();
        let chosen: Vec<bool> = of.candidates.iter().map(|candidate| pairs.contains(&candidate.pair)).collect();
        let cursor = chosen.iter().position(|chosen| *chosen).unwrap_or(0);
        Self { request, of, cursor, chosen }
    }

    pub(crate) fn current(&self) -> Option<&Candidate> {
        self.of.candidates.get(self.cursor)
    }

    /// Chooses the candidate under the cursor, or not any more. Nobody gets two rows, and no row goes to two.
    pub(crate) fn toggle(&mut self) {
        let Some(pair) = self.current().map(|candidate| candidate.pair.clone()) else { return };
        let now = self.chosen.get(self.cursor).is_some_and(|chosen| *chosen);
        for (candidate, chosen) in self.of.candidates.iter().zip(&mut self.chosen) {
            let same_row = matches!(&pair.mate, Mate::Row(_)) && candidate.pair.mate == pair.mate;
            if candidate.pair.user == pair.user || same_row {
                *chosen = false;
            }
        }
        if let Some(chosen) = self.chosen.get_mut(self.cursor) {
            *chosen = !now;
        }
    }

    /// The request with this choice. Where nothing was chosen it is what the cursor is on.
    pub(crate) fn take(mut self) -> Option<Request> {
        if !self.chosen.contains(&true) {
            self.toggle();
        }
        let chosen = self.of.candidates.iter().zip(&self.chosen).filter(|(_, chosen)| **chosen);
        let pairs: Vec<_> = chosen.map(|(candidate, _)| candidate.pair.clone()).collect();
        if pairs.is_empty() {
            return None;
        }
        let of = self.of.of;
        self.request.choices.retain(|choice| choice.of != of);
        self.request.choices.push(Choice { of, pairs, reason: None });
        self.request.choose = false;
        Some(self.request)
    }

    /// The request without this entry.
    pub(crate) fn pass_over(mut self) -> Request {
        self.request.passed_over.push(self.of.of);
        self.request
    }
}
