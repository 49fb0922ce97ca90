//! What the journal has, as the screen shows it.

use std::collections::{BTreeSet, HashMap};

use userlink_db::{History, JournalEntry, Outcome, Recorded as Step, RunRecorded};
use userlink_domain::RecordRef;
use userlink_ui::{HistoryOf, Recorded, RunDone, StepDone};

use crate::start::Opened;

/// Runs, and steps of a run, that a page of the history has at most.
const HISTORY_AT_MOST: u32 = 1_000;
/// Steps, the newest, of which is known whose they are without looking into their runs.
const STEPS_KNOWN: u32 = 10_000;

/// What was done, newest first.
pub(super) async fn history(opened: &Opened, of: &HistoryOf) -> Result<Recorded, String> {
    let journal = opened.journal.as_ref().map_err(Clone::clone)?;
    let said = |error: userlink_db::JournalError| error.to_string();
    let whose = match of {
        HistoryOf::Runs => {
            let runs = journal.runs(&opened.linkage(), HISTORY_AT_MOST).await.map_err(said)?;
            // They are for whoever looks for a run, and the runs are shown without them, too.
            let steps = journal.history(&History::All, STEPS_KNOWN).await.unwrap_or_default();
            return Ok(Recorded::Runs(runs_done(runs, steps)));
        }
        HistoryOf::Run(run) => {
            History::Run(uuid::Uuid::try_parse(run).map_err(|_| "This run has no name that can be looked for.")?)
        }
        HistoryOf::Record(RecordRef::User(sub)) => History::Sub(*sub),
        HistoryOf::Record(RecordRef::Row(id)) => History::Row(id.to_string()),
    };
    let steps = journal.history(&whose, HISTORY_AT_MOST).await.map_err(said)?;
    Ok(Recorded::Steps(steps.into_iter().map(step_done).collect()))
}

/// Runs, and what of their steps is looked for by whoever looks for a run.
fn runs_done(runs: Vec<RunRecorded>, steps: Vec<Step>) -> Vec<RunDone> {
    let mut of_runs: HashMap<uuid::Uuid, Vec<JournalEntry>> = HashMap::new();
    steps.into_iter().for_each(|step| of_runs.entry(step.entry.run).or_default().push(step.entry));
    let run_done = |run: RunRecorded| {
        let steps = of_runs.remove(&run.run).unwrap_or_default();
        let known = steps.len() as u64 == run.steps;
        let situations: BTreeSet<_> = steps.iter().map(|step| step.situation).collect();
        let whose: BTreeSet<_> = steps.into_iter().flat_map(|step| [step.username, step.row]).flatten().collect();
        RunDone {
            run: run.run.to_string(),
            at: run.at,
            actor: run.actor,
            reason: run.reason,
            steps: run.steps,
            done: run.written,
            open: run.open,
            situations: situations.into_iter().collect(),
            whose: whose.into_iter().collect(),
            known,
        }
    };
    runs.into_iter().map(run_done).collect()
}

fn step_done(Step { entry, closing }: Step) -> StepDone {
    let outcome = closing.as_ref().map(|closing| closing.outcome);
    StepDone {
        run: entry.run.to_string(),
        number: entry.step_no,
        at: entry.at,
        actor: entry.actor,
        reason: entry.reason,
        about: entry.username.or_else(|| entry.row.map(|row| format!("row {row}"))),
        step: entry.step,
        situation: entry.situation,
        outcome: outcome.map(|outcome| outcome.name().replace('_', " ")),
        detail: closing.map(|closing| closing.detail).unwrap_or_default(),
        written: outcome.is_some_and(Outcome::is_written),
    }
}
