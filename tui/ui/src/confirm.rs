//! The question before a write, and the only place where a [`Confirmed`] can come from.
//!
//! The question holds the frozen proposal that it asks about. It stands on Cancel, so that a key held or hit by
//! mistake writes nothing.

use crate::event::Proposal;

/// A proposal that a person was shown and said yes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Confirmed(Proposal);

impl Confirmed {
    /// What was confirmed.
    pub fn proposal(&self) -> &Proposal {
        &self.0
    }

    /// What was confirmed, to be done once.
    pub fn into_proposal(self) -> Proposal {
        self.0
    }
}

/// The question.
#[derive(Debug)]
pub(crate) struct Question {
    proposal: Proposal,
    /// Whether the choice stands on Apply.
    pub(crate) apply: bool,
    pub(crate) scroll: usize,
}

impl Question {
    pub(crate) fn new(proposal: Proposal) -> Self {
        Self { proposal, apply: false, scroll: 0 }
    }

    pub(crate) fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Yes.
    pub(crate) fn confirmed(self) -> Confirmed {
        Confirmed(self.proposal)
    }
}
