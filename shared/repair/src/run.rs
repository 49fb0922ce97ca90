//! Applying a plan: exactly its steps, each entry's in their order, several entries side by side.
//!
//! After a step that was not done the rest of its entry is left; but whoever is contained is kept from all that can be. Asked
//! to stop, it ends what is under way and begins nothing more. Applied again, a plan goes on: what is done is passed over, what
//! was stale or failed is tried anew.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;
use userlink_db::{History, JournalEntry};
use userlink_domain::{PoolUser, RowId, Situation, Step, Sub, Timestamp, Username};
use uuid::Uuid;

use crate::apply::{Applied, Repairer, Verdict};
use crate::expects::{Action, Expects, OnUser};
use crate::file::{Kind, Plan, PlanError, PlannedEntry};
use crate::pairs::PlannedStep;
use crate::refusal::Refusal;
use crate::sides::RowSide;

/// Entries that are under way at once. The budget decides how fast they go.
const AT_ONCE: usize = 8;
/// Steps of a plan that the journal is asked for at most.
const HISTORY_AT_MOST: u32 = 2_000_000;

/// What a person said to a plan, and where it is to be applied.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub reason: Option<String>,
    /// The context is marked as production: its name, and what was typed for it.
    pub production: Option<(String, String)>,
    pub shared_journal: bool,
    /// The account that the pool is in, where it is known.
    pub account: Option<String>,
    pub max_age_hours: i64,
}

/// A plan that may be applied here. Only [`Repairer::confirm`] makes one.
#[derive(Clone, Debug)]
pub struct Confirmed {
    plan: Plan,
    reason: Option<String>,
}

/// Why a plan may not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("Production wants a reason: --reason TEXT.")]
    Reason,
    #[error(
        "Production wants the context's name typed: {0}. Beside --yes that is --context {0}; a variable or a default does not count."
    )]
    Name(String),
    #[error("Production writes only with the shared journal: run userlink migrate first.")]
    LocalJournal,
}

/// How a step ended in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Made(Verdict),
    /// Another run of the plan has done it.
    Before {
        by: String,
    },
    /// Somebody else has its user in hand.
    Claimed {
        by: String,
    },
    /// An earlier step of its entry was not done, or the run was stopped.
    Left,
}

/// A step, and what came of it.
#[derive(Clone, Debug)]
pub struct StepResult {
    pub number: i64,
    pub step: Step,
    pub ended: Ended,
    pub words: Vec<String>,
    /// Both sides as they were last read, where they were.
    pub user: Option<PoolUser>,
    pub rows: Option<RowSide>,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub run: Uuid,
    pub done: u64,
    /// Written; and then the row was not the user's any more.
    pub overtaken: u64,
    /// Done before, by another run of the plan.
    pub before: u64,
    pub stale: u64,
    pub failed: u64,
    /// Whether it was done is not known; the next start looks.
    pub unverified: u64,
    pub claimed: u64,
    /// Not begun.
    pub left: u64,
    pub stopped: bool,
}

impl Summary {
    fn count(&mut self, ended: &Ended) {
        *match ended {
            Ended::Made(Verdict::Done) => &mut self.done,
            Ended::Made(Verdict::Overtaken) => &mut self.overtaken,
            Ended::Made(Verdict::Stale) => &mut self.stale,
            Ended::Made(Verdict::Failed) => &mut self.failed,
            Ended::Made(Verdict::Unverified) => &mut self.unverified,
            Ended::Before { .. } => &mut self.before,
            Ended::Claimed { .. } => &mut self.claimed,
            Ended::Left => &mut self.left,
        } += 1;
    }

    /// How many steps ended how, in words; nothing of what did not happen.
    pub fn counts(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let all = [
            (self.done, "done"),
            (self.overtaken, "overtaken"),
            (self.before, "done before"),
            (self.stale, "stale"),
            (self.failed, "failed"),
            (self.unverified, "not known"),
            (self.claimed, "in somebody else's hand"),
            (self.left, "left"),
        ];
        all.into_iter().filter(|(count, _)| *count > 0)
    }

    /// Whether anything was written that can be taken back.
    pub const fn has_written(&self) -> bool {
        self.done + self.overtaken > 0
    }

    /// Whether every step of the plan has been done by now, and holds.
    pub fn is_complete(&self) -> bool {
        self.overtaken + self.stale + self.failed + self.unverified + self.claimed + self.left == 0
    }
}

impl Repairer {
    /// Whether the plan may be applied here, as it was confirmed.
    ///
    /// # Errors
    /// The first guard that does not hold.
    pub fn confirm(&self, plan: Plan, said: &Confirmation, now: Timestamp) -> Result<Confirmed, NotConfirmed> {
        let linkage = self.linkage();
        let here = (&linkage, &self.table.schema().database, said.account.as_deref());
        plan.check(here, now, said.max_age_hours)?;
        if let Some((name, typed)) = &said.production {
            if said.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
                return Err(NotConfirmed::Reason);
            }
            if name != typed {
                return Err(NotConfirmed::Name(name.clone()));
            }
            if !said.shared_journal {
                return Err(NotConfirmed::LocalJournal);
            }
        }
        Ok(Confirmed { plan, reason: said.reason.clone() })
    }

    /// Applies a plan, and tells what comes of each step.
    ///
    /// Dropped before its end it leaves open what is under way, and [`Repairer::recover`] looks.
    ///
    /// # Errors
    /// Where the journal cannot be read. What goes wrong with a step is told, and ends its entry alone.
    pub async fn run(
        &self,
        confirmed: &Confirmed,
        stop: &CancellationToken,
        mut report: impl FnMut(&StepResult),
        now: impl Fn() -> Timestamp + Send + Clone,
    ) -> Result<Summary, Refusal> {
        let run = Uuid::now_v7();
        let made = self.journal.history(&History::Run(confirmed.plan.id), HISTORY_AT_MOST).await?;
        let done = made.into_iter().filter(|step| step.closing.as_ref().is_some_and(|end| end.outcome.is_written()));
        let done: HashMap<i64, (String, Option<String>)> = done
            .map(|step| {
                let detail = step.closing.map(|closing| closing.detail);
                (step.entry.step_no, (step.entry.actor, detail))
            })
            .collect();
        // A plan that was taken back is not done; it is not made again, either, on what was true before.
        let changed = if done.is_empty() { Vec::new() } else { self.journal.changed_since(confirmed.plan.id).await? };
        let mut summary = Summary { run, ..Summary::default() };
        let (done, changed, reason) = (&done, &changed.into_iter().collect(), confirmed.reason.as_deref());
        let (mut entries, mut under_way) = (confirmed.plan.entries.iter(), FuturesUnordered::new());
        loop {
            while under_way.len() < AT_ONCE
                && let Some(entry) = entries.next()
            {
                let of = Of { plan: &confirmed.plan, entry, run, done, changed, reason, stop };
                under_way.push(self.entry(of, now.clone()));
            }
            let Some(results) = under_way.next().await else { break };
            for result in results {
                summary.count(&result.ended);
                report(&result);
            }
        }
        summary.stopped = stop.is_cancelled();
        Ok(summary)
    }

    async fn entry(&self, of: Of<'_>, now: impl Fn() -> Timestamp + Send + Clone) -> Vec<StepResult> {
        let mut results = Vec::new();
        let (mut goes_on, mut inserted) = (true, HashMap::new());
        let contains = of.plan.kind == Kind::Contain;
        for planned in &of.entry.steps {
            let result = |ended, words| StepResult {
                number: planned.number,
                step: planned.step.clone(),
                ended,
                words,
                user: None,
                rows: None,
            };
            if of.changed.contains(&planned.number) {
                let words = "It was done, and taken back or changed since. Make the plan anew.".to_owned();
                results.push(result(Ended::Made(Verdict::Stale), vec![words]));
                goes_on = contains;
                continue;
            }
            if let Some((by, detail)) = of.done.get(&planned.number) {
                let id = detail.as_deref().and_then(|detail| detail.strip_prefix(userlink_db::INSERTED));
                inserted.extend(id.map(|id| (planned.number, id.to_owned())));
                results.push(result(Ended::Before { by: by.clone() }, Vec::new()));
                continue;
            }
            if !goes_on || of.stop.is_cancelled() {
                goes_on = false;
                results.push(result(Ended::Left, Vec::new()));
                continue;
            }
            let (mut user, mut rows) = (None, None);
            let (mut ended, mut words) = match self.step(&of, planned, &mut inserted, now.clone()).await {
                Ok(applied) => {
                    (user, rows) = (applied.user, applied.rows);
                    (Ended::Made(applied.verdict), applied.words)
                }
                Err(Refusal::DoneBefore { by, .. }) => {
                    // The id of the row that it inserted is found by the sub.
                    (Ended::Before { by }, Vec::new())
                }
                Err(Refusal::Claimed { by, since }) => {
                    let words = Refusal::Claimed { by: by.clone(), since }.to_string();
                    (Ended::Claimed { by }, vec![words])
                }
                Err(other) => (Ended::Made(Verdict::Failed), vec![other.to_string()]),
            };
            let is_last = of.entry.steps.last().is_some_and(|last| last.number == planned.number);
            if contains && !is_last && ended == Ended::Made(Verdict::Unverified) {
                // While it is open, no other step about the user can be made.
                (ended, words) = match self.look_again(of.run, planned.number, &now).await {
                    Some(true) => (Ended::Made(Verdict::Done), vec!["Written: it was looked at again.".to_owned()]),
                    Some(false) => {
                        let words = "Nothing was written: it was looked at again, and is as it was.".to_owned();
                        (Ended::Made(Verdict::Failed), vec![words])
                    }
                    None => (ended, words),
                };
            }
            goes_on = contains || matches!(ended, Ended::Made(Verdict::Done) | Ended::Before { .. });
            results.push(StepResult { user, rows, ..result(ended, words) });
        }
        results
    }

    async fn step(
        &self,
        of: &Of<'_>,
        planned: &PlannedStep,
        inserted: &mut HashMap<i64, String>,
        now: impl Fn() -> Timestamp + Send + Clone,
    ) -> Result<Applied, Refusal> {
        let Some(sub) = planned.sub.as_deref().and_then(Sub::parse) else {
            return Err(Refusal::Stale("the step names no user."));
        };
        let mut step = planned.step.clone();
        if let (Some(number), Step::WriteUserId { value, .. }) = (planned.row_of_step, &mut step) {
            *value = match inserted.get(&number) {
                Some(id) => id.clone(),
                None => match &self.table.by_subs(&[sub]).await?[..] {
                    [row] => row.id.to_string(),
                    _ => return Err(Refusal::Stale("the row that was inserted is gone.")),
                },
            };
        }
        let pair = of.entry.pairs.iter().find(|pair| Sub::parse(&pair.sub) == Some(sub));
        let username = match &step {
            Step::WriteUserId { username, .. }
            | Step::ClearUserId { username, .. }
            | Step::SignOut { username }
            | Step::DisableUser { username }
            | Step::EnableUser { username } => Some(username.clone()),
            _ => pair.map(|pair| pair.username.clone()),
        };
        let tied = of.plan.kind == Kind::Repair;
        let row = match &step {
            Step::WriteSub { row, .. } | Step::ClearSub { row, .. } => Some(row.clone()),
            Step::WriteUserId { value, .. } if tied => Some(value.clone()),
            _ => None,
        };
        let entry = JournalEntry {
            run: of.run,
            step_no: planned.number,
            plan: Some(of.plan.id),
            linkage: self.linkage(),
            process: Some(self.process.id()),
            step: step.clone(),
            situation: Situation::parse(&of.entry.situation).unwrap_or(Situation::Tangled),
            actor: self.actor.clone(),
            reason: of.reason.or(of.entry.reason.as_deref()).map(str::to_owned),
            at: now(),
            username: username.clone(),
            sub: Some(sub),
            row,
        };
        let username = Username::new(username.unwrap_or_default());
        let facts = of.entry.facts.get(&sub.to_string()).map(|facts| (of.plan.id, facts.clone()));
        // Whoever keeps a row need not be one that should be linked: what the user was is among the facts.
        let linkable = tied && facts.is_none();
        let expects = |user_id, expected, tied| Expects { user_id, expected, tied, facts: facts.clone() };
        let id_kind = self.table.schema().id_kind;
        let contains = of.plan.kind == Kind::Contain && matches!(step, Step::ClearUserId { .. });
        let detail = if contains { userlink_db::CONTAINED } else { "" };
        let on_user = |action, expects| OnUser { username: username.clone(), sub, action, expects, detail };
        let what = match &step {
            Step::WriteUserId { expect, value, .. } => {
                let Some(id) = written_id(id_kind, value, tied) else {
                    return Err(Refusal::Stale("the value is no id of this table."));
                };
                on_user(Action::Write(id), expects(Some(expect.clone()), linkable, tied))
            }
            Step::ClearUserId { expect, .. } => on_user(Action::Clear, expects(Some(expect.clone()), false, false)),
            Step::SignOut { .. } => on_user(Action::SignOut, expects(None, false, false)),
            Step::DisableUser { .. } => {
                on_user(Action::Enable(false), Expects { facts: None, ..expects(None, false, false) })
            }
            Step::EnableUser { .. } => {
                on_user(Action::Enable(true), Expects { facts: None, ..expects(None, false, false) })
            }
            Step::WriteSub { .. } | Step::ClearSub { .. } | Step::InsertRow { .. } => {
                let looked = tied && !matches!(step, Step::ClearSub { .. });
                let user = looked.then(|| (username.clone(), expects(None, true, false)));
                let applied = self.on_row(of, &entry, sub, user, now).await?;
                if let (Step::InsertRow { .. }, Some(row)) =
                    (&step, applied.rows.as_ref().and_then(|rows| rows.row.as_ref()))
                {
                    inserted.insert(planned.number, row.id.to_string());
                }
                return Ok(applied);
            }
        };
        self.on_user(&entry, &what, now).await
    }
}

/// An entry of a plan that is being applied.
pub(crate) struct Of<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) entry: &'a PlannedEntry,
    run: Uuid,
    done: &'a HashMap<i64, (String, Option<String>)>,
    /// Those of them that do not hold any more.
    changed: &'a HashSet<i64>,
    reason: Option<&'a str>,
    stop: &'a CancellationToken,
}

/// What is written into the attribute. To take a step back, what was there before is written even where it is no id.
fn written_id(kind: userlink_domain::IdKind, value: &str, tied: bool) -> Option<RowId> {
    let parsed = RowId::parse(kind, value).filter(|id| id.to_string() == value);
    if tied { parsed } else { Some(parsed.unwrap_or_else(|| RowId::Text(value.into()))) }
}
