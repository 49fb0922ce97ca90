//! What was done, by whom and why: the journal's runs, newest first, and the steps of one of them.

use userlink_domain::{RecordRef, Situation, Step, Timestamp};

use crate::effect::Effect;
use crate::model::Model;

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    /// All runs of this pool and table.
    Runs,
    /// The steps of one run, by its name.
    Run(String),
    /// The steps about one record.
    Record(RecordRef),
}

/// What the journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Newest first, as many as were asked for at most.
    Runs(Vec<RunDone>),
    /// Newest first.
    Steps(Vec<StepDone>),
}

/// A run at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDone {
    /// Its name.
    pub run: String,
    /// When its first step was opened.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Steps that were opened.
    pub steps: u64,
    /// Steps by which something was written.
    pub done: u64,
    /// Steps that are open still.
    pub open: u64,
}

/// A step as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDone {
    /// Its run.
    pub run: String,
    /// Its place in the run.
    pub number: i64,
    /// When it was opened.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// The user's name, where it is about one.
    pub about: Option<String>,
    /// What was written.
    pub step: Step,
    /// What the entry was.
    pub situation: Situation,
    /// How it ended; `None` while it is open.
    pub outcome: Option<String>,
    /// What the journal says of the end.
    pub detail: String,
    /// Whether something was written.
    pub written: bool,
}

/// A page of the history.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) of: HistoryOf,
    /// As long as it is being read there is nothing.
    pub(crate) told: Option<Result<Recorded, String>>,
    pub(crate) cursor: usize,
}

impl Page {
    pub(crate) fn len(&self) -> usize {
        match &self.told {
            Some(Ok(Recorded::Runs(runs))) => runs.len(),
            Some(Ok(Recorded::Steps(steps))) => steps.len(),
            _ => 0,
        }
    }

    fn run(&self) -> Option<&RunDone> {
        match &self.told {
            Some(Ok(Recorded::Runs(runs))) => runs.get(self.cursor),
            _ => None,
        }
    }

    fn step(&self) -> Option<&StepDone> {
        match &self.told {
            Some(Ok(Recorded::Steps(steps))) => steps.get(self.cursor),
            _ => None,
        }
    }

    /// The run under the cursor, and the step where the page is of steps; whether something was written by it.
    pub(crate) fn subject(&self) -> Option<(String, Option<i64>, bool)> {
        let run = self.run().map(|run| (run.run.clone(), None, run.done > 0));
        run.or_else(|| self.step().map(|step| (step.run.clone(), Some(step.number), step.written)))
    }
}

/// The pages that lie on each other, the newest last.
pub(crate) type Pages = Vec<Page>;

pub(crate) fn open(model: &mut Model, of: HistoryOf, effects: &mut Vec<Effect>) {
    model.history.push(Page { of: of.clone(), told: None, cursor: 0 });
    effects.push(Effect::History(of));
}

/// `H`: everything; from an entry what was done to it.
pub(crate) fn from_here(model: &mut Model, effects: &mut Vec<Effect>) {
    let of = model.opened.as_ref().map_or(HistoryOf::Runs, |opened| HistoryOf::Record(opened.of.clone()));
    open(model, of, effects);
}

/// The steps of the run under the cursor.
pub(crate) fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    let run = model.history.last().and_then(Page::run).map(|run| run.run.clone());
    if let Some(run) = run {
        open(model, HistoryOf::Run(run), effects);
    }
}

/// The cursor of the page on top.
pub(crate) fn cursor(model: &mut Model) -> Option<&mut usize> {
    model.history.last_mut().map(|page| &mut page.cursor)
}

/// The last place of the cursor.
pub(crate) fn furthest(model: &Model) -> usize {
    model.history.last().map_or(0, |page| page.len().saturating_sub(1))
}

pub(crate) fn told(model: &mut Model, of: &HistoryOf, answer: Result<Recorded, String>) {
    if let Some(page) = model.history.iter_mut().rev().find(|page| page.of == *of && page.told.is_none()) {
        page.told = Some(answer);
    }
}
