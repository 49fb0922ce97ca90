//! A run that is under way: what the screen and the linker are told of it, and what came of it.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use userlink_domain::{RowId, Step as Write};
use userlink_link::Change;
use userlink_repair::{Ended, Kind, Plan, StepResult, Summary, Verdict, had_another_id};
use userlink_ui::{DraftKind, Event, NotDone, Outcome, Running, Sessions};

use super::planning::{learn, with};
use super::repairs::Desk;
use super::worker::Question;
use crate::sessions::tokens;
use crate::start::Opened;

/// Steps that were not done are shown one by one up to this many.
const NOT_DONE_AT_MOST: usize = 500;
/// How often the screen and the linker are told of a run, at most.
const TELL: Duration = Duration::from_millis(150);

/// A run as its steps end.
pub(super) struct Run<'a> {
    desk: &'a Desk,
    began: Instant,
    told: Instant,
    running: Running,
    /// What was read, and the linker has not been told.
    read: Vec<Change>,
    /// By their numbers.
    pub(super) not_done: BTreeMap<i64, NotDone>,
    /// Rows whose steps were not done.
    pub(super) stale_rows: Vec<RowId>,
    words: Vec<String>,
}

impl<'a> Run<'a> {
    pub(super) fn new(desk: &'a Desk, total: u64) -> Self {
        let now = Instant::now();
        Self {
            desk,
            began: now,
            told: now,
            running: Running { total, ..Running::default() },
            read: Vec::new(),
            not_done: BTreeMap::new(),
            stale_rows: Vec::new(),
            words: Vec::new(),
        }
    }

    pub(super) fn hear(&mut self, result: &StepResult) {
        self.running.made += 1;
        self.read.extend(result.user.clone().map(Change::User));
        if let Some(rows) = &result.rows {
            self.read.extend(rows.row.iter().chain(&rows.others).cloned().map(Change::Row));
        }
        let ended = match &result.ended {
            Ended::Made(Verdict::Done) | Ended::Before { .. } => None,
            Ended::Made(Verdict::Overtaken) => Some("overtaken"),
            Ended::Made(Verdict::Stale) => Some("stale"),
            Ended::Made(Verdict::Failed) => Some("failed"),
            Ended::Made(Verdict::Unverified) => Some("not known"),
            Ended::Claimed { .. } => Some("in hand"),
            Ended::Left => Some("left"),
        };
        if self.running.total == 1 {
            self.words.clone_from(&result.words);
        }
        if let Some(ended) = ended {
            self.running.not_done += 1;
            let words = match &result.ended {
                Ended::Left => "an earlier step of its entry was not done, or the run was stopped".to_owned(),
                _ => result.words.join(" "),
            };
            let not_done = NotDone { number: result.number, step: result.step.clone(), ended: ended.to_owned(), words };
            self.not_done.insert(result.number, not_done);
        }
        self.tell();
    }

    fn tell(&mut self) {
        if self.told.elapsed() < TELL {
            return;
        }
        self.told = Instant::now();
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        let per_second = self.running.made as f64 / seconds;
        self.running.per_second = per_second;
        let left = self.running.total.saturating_sub(self.running.made) as f64;
        self.running.seconds_left = (per_second > 0.0).then(|| (left / per_second).ceil() as u64);
        // A screen that is busy is told of the next step.
        drop(self.desk.to.try_send(Event::Running(self.running.clone())));
        self.learn();
    }

    fn learn(&mut self) {
        if !self.read.is_empty() {
            let (ask, _) = tokio::sync::oneshot::channel();
            drop(self.desk.worker.send(Question::Learn(std::mem::take(&mut self.read), ask)));
        }
    }

    /// The linker knows all of it now.
    pub(super) async fn end(mut self) -> Self {
        learn(&self.desk.worker, std::mem::take(&mut self.read)).await;
        let kind = with(&self.desk.worker, |engine, _| engine.linker.rules().id_kind).await;
        if let Ok(kind) = kind {
            let rows = self.not_done.values().filter_map(|step| match &step.step {
                Write::WriteSub { row, .. } | Write::ClearSub { row, .. } => RowId::parse(kind, row),
                _ => None,
            });
            self.stale_rows = rows.collect();
        }
        self
    }

    pub(super) async fn outcome(&self, plan: &Plan, summary: &Summary, signed_in: usize, opened: &Opened) -> Outcome {
        let sessions = if signed_in > 0 {
            Some(Sessions { users: signed_in as u64, signed_out: false, tokens: tokens(opened).await })
        } else {
            None
        };
        let only_sign_outs = plan.steps().all(|step| matches!(step.step, Write::SignOut { .. }));
        let kind = match &plan.kind {
            _ if only_sign_outs => DraftKind::SignOut,
            Kind::Repair => DraftKind::Repair,
            Kind::Contain => DraftKind::Contain,
            Kind::Undo { run } => DraftKind::Undo(run.clone()),
        };
        Outcome {
            kind,
            run: summary.run.to_string(),
            counts: summary.counts().map(|(count, how)| (how.to_owned(), count)).collect(),
            complete: summary.is_complete(),
            stopped: summary.stopped,
            undoable: summary.has_written() && !only_sign_outs,
            not_done: self.not_done.values().take(NOT_DONE_AT_MOST).cloned().collect(),
            not_done_in_all: self.not_done.len() as u64,
            words: self.words.clone(),
            sessions,
            signs_out: plan.kind == Kind::Repair && plan.steps().any(|step| matches!(step.step, Write::SignOut { .. })),
        }
    }

    /// Whose sessions may still carry an earlier id: it was changed, or only they were to be ended, and they were not.
    pub(super) fn signed_in(&self, plan: &Plan) -> HashSet<String> {
        let had = had_another_id(plan);
        // What was overtaken was written, and what is not known may have been.
        let may_be_written = |number: &i64| {
            let not_done = self.not_done.get(number);
            not_done.is_none_or(|it| matches!(&*it.ended, "overtaken" | "not known"))
        };
        let (mut signed_in, mut signed_out) = (HashSet::new(), HashSet::new());
        for planned in plan.steps() {
            let Some(sub) = planned.sub.as_deref() else { continue };
            match &planned.step {
                Write::SignOut { .. } if !self.not_done.contains_key(&planned.number) => drop(signed_out.insert(sub)),
                Write::SignOut { .. } if !had.contains(sub) => drop(signed_in.insert(sub)),
                Write::WriteUserId { .. } | Write::ClearUserId { .. }
                    if had.contains(sub) && may_be_written(&planned.number) =>
                {
                    signed_in.insert(sub);
                }
                _ => {}
            }
        }
        signed_in.difference(&signed_out).map(|sub| (*sub).to_owned()).collect()
    }
}
