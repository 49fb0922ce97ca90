//! The dashboard's repairs: the same plans, guards and steps as the commands', and nothing is written without a
//! [`Confirmed`] for just the plan that was shown.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use userlink_db::{Dismissal, History, Outcome as Ending, Recorded as Step};
use userlink_domain::{RecordRef, RowId, Step as Write};
use userlink_link::Change;
use userlink_repair::{Confirmation, Ended, Plan, Repairer, StepResult, Summary, Verdict, had_another_id};
use userlink_ui::{
    Confirmed, DraftKind, Event, HistoryOf, Level, NotDone, Outcome, PlanRef, Recorded, Request, RunDone, Running,
    Sessions, StepDone,
};

use super::draft::{Drafted, MAX_AGE_HOURS, Place, draft};
use super::planning::{Made, Planner, with};
use super::worker::Question;
use crate::clock;
use crate::start::Opened;

pub(super) type MaybeOpen = tokio::sync::Mutex<Option<Arc<Opened>>>;

/// Steps that were not done are shown one by one up to this many.
const NOT_DONE_AT_MOST: usize = 500;
/// Runs, and steps of a run, that a page of the history has at most.
const HISTORY_AT_MOST: u32 = 1_000;
/// How often the screen and the linker are told of a run, at most.
const TELL: Duration = Duration::from_millis(150);

/// The plan that was applied last.
pub(super) struct Last {
    pub(super) plan: Arc<Plan>,
    /// The numbers of the steps that were not done.
    pub(super) not_done: HashSet<i64>,
    /// The subs of those of whom something was done.
    pub(super) done: HashSet<String>,
}

#[derive(Default)]
struct Kept {
    /// The plan that is looked at.
    drafted: Option<Arc<Drafted>>,
    last: Option<Arc<Last>>,
}

#[derive(Clone)]
pub(super) struct Desk {
    opened: Arc<MaybeOpen>,
    worker: mpsc::UnboundedSender<Question>,
    to: mpsc::Sender<Event>,
    kept: Arc<Mutex<Kept>>,
}

pub(super) struct Repairs {
    desk: Desk,
    stop: CancellationToken,
    write: Option<JoinHandle<()>>,
}

impl Repairs {
    pub(super) fn new(
        opened: Arc<MaybeOpen>,
        worker: mpsc::UnboundedSender<Question>,
        to: mpsc::Sender<Event>,
    ) -> Self {
        let desk = Desk { opened, worker, to, kept: Arc::default() };
        Self { desk, stop: CancellationToken::new(), write: None }
    }

    /// Makes a plan and says how it looks.
    pub(super) fn plan(&self, request: Request) {
        let desk = self.desk.clone();
        tokio::spawn(async move {
            let answer = desk.plan(&request).await.unwrap_or_else(userlink_ui::Answer::Refused);
            desk.tell(Event::Planned { number: request.number, answer }).await;
        });
    }

    pub(super) fn lines(&self, plan: PlanRef, first: usize, len: usize) {
        let desk = self.desk.clone();
        tokio::spawn(async move {
            let Some(drafted) = desk.kept().drafted.clone().filter(|drafted| drafted.name() == plan) else { return };
            let lines = with(&desk.worker, move |engine, _| drafted.lines(&engine.linker, first, len)).await;
            if let Ok(lines) = lines {
                desk.tell(Event::PlanLines { plan, first, lines }).await;
            }
        });
    }

    /// Does what was confirmed. One run at a time: the model asks for no second one.
    pub(super) fn apply(&mut self, confirmed: Confirmed) {
        self.stop = CancellationToken::new();
        let (desk, stop) = (self.desk.clone(), self.stop.clone());
        self.write = Some(tokio::spawn(async move {
            let end = desk.apply(&confirmed, &stop).await;
            desk.tell(Event::Applied(end)).await;
        }));
    }

    /// No further step is begun.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    pub(super) fn history(&self, of: HistoryOf) {
        let desk = self.desk.clone();
        tokio::spawn(async move {
            let answer = desk.history(&of).await;
            desk.tell(Event::History { of, answer }).await;
        });
    }

    pub(super) fn dismiss(&self, of: RecordRef, reason: Option<String>) {
        let desk = self.desk.clone();
        tokio::spawn(async move {
            let (level, text) = match desk.dismiss(of, reason).await {
                Ok(text) => (Level::Info, text.to_owned()),
                Err(text) => (Level::Error, text),
            };
            desk.tell(Event::Message { level, text }).await;
        });
    }

    /// Brings the steps under way to their end, and begins no other.
    pub(super) async fn finish(&mut self) {
        self.stop.cancel();
        if let Some(write) = self.write.take()
            && let Err(error) = write.await
        {
            tracing::error!(%error, "the run under way did not end well");
        }
    }
}

impl Desk {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Without a dashboard there is nobody to tell.
    async fn tell(&self, event: Event) {
        drop(self.to.send(event).await);
    }

    async fn open(&self) -> Result<Arc<Opened>, String> {
        self.opened.lock().await.clone().ok_or_else(|| "Nothing is open yet.".to_owned())
    }

    async fn repairer(&self) -> Result<(Arc<Opened>, Box<Repairer>), String> {
        let opened = self.open().await?;
        let repairer = opened.repairer().await?;
        Ok((opened, repairer))
    }

    async fn plan(&self, request: &Request) -> Result<userlink_ui::Answer, String> {
        let (opened, repairer) = self.repairer().await?;
        let last = self.kept().last.clone();
        let planner = Planner { opened: opened.clone(), worker: self.worker.clone(), actor: repairer.actor.clone() };
        let (plan, left_out, can_choose) = match planner.make(request, last.as_deref()).await? {
            Made::Answer(answer) => return Ok(answer),
            Made::Plan { plan, left_out, can_choose } => (*plan, left_out, can_choose),
        };
        let tokens = if had_another_id(&plan).is_empty() { None } else { Some(tokens(&opened).await) };
        let shared_journal = repairer.journal.is_beside(&repairer.table);
        let drafted = Arc::new(Drafted::new(plan));
        self.kept().drafted = Some(drafted.clone());
        let request = request.clone();
        let draft = with(&self.worker, move |engine, _| {
            let place = Place { opened: &opened, shared_journal, tokens };
            let seen = (&engine.linker, engine.writable.as_ref());
            draft(&drafted, &place, &request, (left_out, can_choose), seen)
        });
        Ok(userlink_ui::Answer::Draft(Box::new(draft.await?)))
    }

    async fn apply(&self, confirmed: &Confirmed, stop: &CancellationToken) -> Result<Outcome, String> {
        let (opened, repairer) = self.repairer().await?;
        let drafted = self.kept().drafted.take().filter(|drafted| drafted.name() == *confirmed.plan());
        let plan =
            Arc::new(drafted.ok_or("The plan that was confirmed is not there any more: plan it again.")?.plan.clone());
        let context = &opened.context;
        let said = Confirmation {
            reason: confirmed.reason().map(str::to_owned),
            production: context
                .production
                .then(|| (context.name.clone(), confirmed.typed().unwrap_or_default().to_owned())),
            shared_journal: repairer.journal.is_beside(&repairer.table),
            max_age_hours: MAX_AGE_HOURS,
        };
        let may = repairer.confirm((*plan).clone(), &said, clock::now()).map_err(|error| error.to_string())?;
        let mut run = Run::new(self, plan.steps().count() as u64);
        let summary = repairer.run(&may, stop, |result| run.hear(result), clock::now).await;
        let run = run.end().await;
        let summary = summary.map_err(|error| error.to_string())?;
        self.look_at_stale_rows(&repairer, &run.stale_rows).await;
        let done = plan.steps().filter(|step| !run.not_done.contains_key(&step.number));
        let done: HashSet<String> = done.filter_map(|step| step.sub.clone()).collect();
        let outcome = run.outcome(&plan, &summary, &done, &opened).await;
        self.unmark(&plan, &run.not_done).await;
        let not_done = run.not_done.into_keys().collect();
        self.kept().last = Some(Arc::new(Last { plan, not_done, done }));
        Ok(outcome)
    }

    /// What a row is by now whose step was stale is not among what was read.
    async fn look_at_stale_rows(&self, repairer: &Repairer, rows: &[RowId]) {
        for rows in rows.chunks(500) {
            if let Ok(found) = repairer.table.by_ids(rows).await {
                let gone = rows.iter().filter(|id| found.iter().all(|row| row.id != **id));
                let gone: Vec<Change> = gone.map(|id| Change::RowGone(id.clone())).collect();
                super::planning::learn(&self.worker, found.into_iter().map(Change::Row).chain(gone).collect()).await;
            }
        }
    }

    /// What is done is not marked any more.
    async fn unmark(&self, plan: &Arc<Plan>, not_done: &BTreeMap<i64, NotDone>) {
        let entries =
            plan.entries.iter().filter(|entry| entry.steps.iter().all(|step| !not_done.contains_key(&step.number)));
        let subs: Vec<_> =
            entries.flat_map(|entry| &entry.pairs).filter_map(|pair| userlink_domain::Sub::parse(&pair.sub)).collect();
        let unmarked = with(&self.worker, move |engine, marked| {
            for entry in subs.iter().filter_map(|sub| engine.linker.entry(&RecordRef::User(*sub))) {
                marked.forget(&entry);
            }
        });
        drop(unmarked.await);
    }

    /// Dismisses an entry for a reason, or takes it up again; first in the journal, then on the screen.
    async fn dismiss(&self, of: RecordRef, reason: Option<String>) -> Result<&'static str, String> {
        let (opened, repairer) = self.repairer().await?;
        let (journal, linkage) = (&repairer.journal, repairer.linkage());
        let said = |error: userlink_db::JournalError| error.to_string();
        let wanted = of.clone();
        let seen =
            with(&self.worker, move |engine, _| (engine.linker.evidence(&wanted), engine.linker.dismissed_by(&wanted)));
        let (evidence, by) = seen.await?;
        let (evidence, text) = match reason {
            Some(reason) => {
                let evidence = evidence.ok_or("Nothing can be dismissed before all has been read.")?;
                let dismissal = Dismissal {
                    of: of.clone(),
                    evidence: evidence.to_string(),
                    reason,
                    actor: repairer.actor.clone(),
                    at: clock::now(),
                };
                journal.dismiss(&linkage, &dismissal).await.map_err(said)?;
                (
                    Some(evidence),
                    "Dismissed: it is ignored until what its verdict rests on changes. d takes it up again.",
                )
            }
            None if by.is_empty() => {
                return Err("It is on the protected list of the settings, and is taken off there.".to_owned());
            }
            None => {
                for of in &by {
                    journal.take_up(&linkage, of, &repairer.actor, clock::now()).await.map_err(said)?;
                }
                (None, "It is taken up again.")
            }
        };
        drop(opened);
        let records = if evidence.is_some() { vec![of] } else { by };
        let changes = records.into_iter().map(|of| Change::Dismissed(of, evidence)).collect();
        super::planning::learn(&self.worker, changes).await;
        Ok(text)
    }

    async fn history(&self, of: &HistoryOf) -> Result<Recorded, String> {
        let opened = self.open().await?;
        let journal = opened.journal.as_ref().map_err(Clone::clone)?;
        let said = |error: userlink_db::JournalError| error.to_string();
        let whose = match of {
            HistoryOf::Runs => {
                let runs = journal.runs(&opened.linkage(), HISTORY_AT_MOST).await.map_err(said)?;
                let runs = runs.into_iter().map(|run| RunDone {
                    run: run.run.to_string(),
                    at: run.at,
                    actor: run.actor,
                    reason: run.reason,
                    steps: run.steps,
                    done: run.written,
                    open: run.open,
                });
                return Ok(Recorded::Runs(runs.collect()));
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
        written: outcome.is_some_and(Ending::is_written),
    }
}

/// For how long tokens may still carry what was before, asked once.
pub(super) async fn tokens(opened: &Opened) -> String {
    let ask = async {
        match tokio::time::timeout(Duration::from_secs(5), opened.sources.pool.token_validity()).await {
            Ok(Ok(Some(longest))) => format!("up to {} after they were issued", lasts(longest)),
            Ok(Ok(None)) => "for how long is not known, as the app clients may not be looked at".to_owned(),
            Ok(Err(_)) | Err(_) => "for how long is not known".to_owned(),
        }
    };
    opened.tokens.get_or_init(|| ask).await.clone()
}

fn lasts(long: Duration) -> String {
    let minutes = long.as_secs().div_ceil(60);
    match minutes {
        0..60 => format!("{minutes} min"),
        _ if minutes.is_multiple_of(60) => format!("{} h", minutes / 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// A run as its steps end.
struct Run<'a> {
    desk: &'a Desk,
    began: Instant,
    told: Instant,
    running: Running,
    /// What was read, and the linker has not been told.
    read: Vec<Change>,
    not_done: BTreeMap<i64, NotDone>,
    stale_rows: Vec<RowId>,
    words: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(desk: &'a Desk, total: u64) -> Self {
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

    fn hear(&mut self, result: &StepResult) {
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
    async fn end(mut self) -> Self {
        super::planning::learn(&self.desk.worker, std::mem::take(&mut self.read)).await;
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

    async fn outcome(&self, plan: &Plan, summary: &Summary, done: &HashSet<String>, opened: &Opened) -> Outcome {
        let counts = [
            (summary.done, "done"),
            (summary.before, "done before"),
            (summary.stale, "stale"),
            (summary.failed, "failed"),
            (summary.unverified, "not known"),
            (summary.claimed, "in somebody else's hand"),
            (summary.left, "left"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, how)| (how.to_owned(), count));
        let had = had_another_id(plan);
        let changed = had.iter().filter(|sub| done.contains(**sub)).count() as u64;
        let signed_out = plan.steps().any(|step| matches!(step.step, Write::SignOut { .. }));
        let is_repair = plan.kind == userlink_repair::Kind::Repair;
        let sessions = if changed > 0 && !signed_out && is_repair {
            Some(Sessions { users: changed, signed_out: false, tokens: tokens(opened).await })
        } else {
            None
        };
        let only_sign_outs = plan.steps().all(|step| matches!(step.step, Write::SignOut { .. }));
        let kind = match &plan.kind {
            _ if only_sign_outs => DraftKind::SignOut,
            userlink_repair::Kind::Repair => DraftKind::Repair,
            userlink_repair::Kind::Contain => DraftKind::Contain,
            userlink_repair::Kind::Undo { run } => DraftKind::Undo(run.clone()),
        };
        Outcome {
            kind,
            run: summary.run.to_string(),
            counts: counts.collect(),
            complete: summary.is_complete(),
            stopped: summary.stopped,
            undoable: summary.done > 0 && !only_sign_outs,
            not_done: self.not_done.values().take(NOT_DONE_AT_MOST).cloned().collect(),
            not_done_in_all: self.not_done.len() as u64,
            words: self.words.clone(),
            sessions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validity_is_told_in_hours_and_minutes() {
        for (seconds, told) in [(300, "5 min"), (3_600, "1 h"), (5_400, "1 h 30 min"), (86_400, "24 h")] {
            assert_eq!(lasts(Duration::from_secs(seconds)), told);
        }
    }
}
