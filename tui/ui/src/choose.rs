//! A person chooses who gets which row, from candidates with their evidence.

use userlink_domain::{Choice, Mate, Pair, PoolUser};

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

    fn picked(&self) -> impl Iterator<Item = &Candidate> {
        let all = self.of.candidates.iter().zip(&self.chosen);
        all.filter(|(_, chosen)| **chosen).map(|(candidate, _)| candidate)
    }

    /// What was chosen, and what is left to each owner of a row of whom nothing else was: it stands beside the candidate.
    fn pairs(&self) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = self.picked().map(|candidate| candidate.pair.clone()).collect();
        for left in self.picked().filter_map(|candidate| candidate.leaves.as_ref()) {
            let mut pair = left.pair.clone();
            if pairs.iter().any(|other| other.user == pair.user) {
                continue;
            }
            // The other row of theirs may have gone to somebody, too.
            if matches!(pair.mate, Mate::Row(_)) && pairs.iter().any(|other| other.mate == pair.mate) {
                pair.mate = Mate::None;
            }
            pairs.push(pair);
        }
        pairs
    }

    /// Who sees what afterwards: whoever gets the row, and whoever had it.
    pub(crate) fn sees<'a>(&'a self, candidate: &'a Candidate) -> Vec<(&'a PoolUser, &'a str)> {
        let mut sees = vec![(&candidate.user, &*candidate.sees)];
        if let (Some(owner), Some(left)) = (&candidate.owner, &candidate.leaves) {
            // Of two who are given the same row the one under the cursor would get it.
            let mut given = self.picked().filter(|other| other.pair.mate != candidate.pair.mate);
            let given = given.find(|other| other.pair.user == owner.sub);
            sees.push((owner, given.map_or(&*left.sees, |other| &*other.sees)));
        }
        sees
    }

    /// The request with this choice. Where nothing was chosen it is what the cursor is on.
    pub(crate) fn take(mut self) -> Option<Request> {
        if !self.chosen.contains(&true) {
            self.toggle();
        }
        let pairs = self.pairs();
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
