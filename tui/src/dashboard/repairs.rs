//! The dashboard's repairs: the same plans, guards and steps as the commands', and nothing is written without a
//! [`Confirmed`] for just the plan that was shown.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use userlink_db::Dismissal;
use userlink_domain::{RecordRef, RowId, Step, Sub};
use userlink_link::Change;
use userlink_repair::{Confirmation, Kind, Plan, PlannedStep, Repairer, had_another_id};
use userlink_ui::{Confirmed, Event, HistoryOf, Level, NotDone, Outcome, PlanRef, Request};

use super::draft::{Drafted, Place, draft};
use super::history::history;
use super::planning::{Made, Planner, with};
use super::run::Run;
use super::worker::Question;
use crate::cli::MAX_AGE_HOURS;
use crate::clock;
use crate::sessions::tokens;
use crate::start::Opened;

pub(super) type MaybeOpen = tokio::sync::Mutex<Option<Arc<Opened>>>;

/// The plan that was applied last.
pub(super) struct Last {
    pub(super) plan: Arc<Plan>,
    /// The numbers of the steps that were not done.
    pub(super) not_done: HashSet<i64>,
    /// The subs of those whose sessions may still carry an earlier id.
    pub(super) signed_in: HashSet<String>,
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
    pub(super) worker: mpsc::UnboundedSender<Question>,
    pub(super) to: mpsc::Sender<Event>,
    kept: Arc<Mutex<Kept>>,
}

pub(super) struct Repairs {
    desk: Desk,
    stop: CancellationToken,
    write: Option<JoinHandle<()>>,
    /// What makes the plan that was asked for last.
    planning: Option<JoinHandle<()>>,
}

impl Repairs {
    pub(super) fn new(
        opened: Arc<MaybeOpen>,
        worker: mpsc::UnboundedSender<Question>,
        to: mpsc::Sender<Event>,
    ) -> Self {
        let desk = Desk { opened, worker, to, kept: Arc::default() };
        Self { desk, stop: CancellationToken::new(), write: None, planning: None }
    }

    /// Makes a plan and says how it looks. One that nobody waits for any more is not made.
    pub(super) fn plan(&mut self, request: Request) {
        let desk = self.desk.clone();
        let planning = tokio::spawn(async move {
            let answer = desk.plan(&request).await.unwrap_or_else(userlink_ui::Answer::Refused);
            desk.tell(Event::Planned { number: request.number, answer }).await;
        });
        if let Some(before) = self.planning.replace(planning) {
            before.abort();
        }
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
            let answer = match desk.open().await {
                Ok(opened) => history(&opened, &of).await,
                Err(why) => Err(why),
            };
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

/// Who is contained by steps that were done, and who is not any more: as the journal has it.
fn contained<'a>(kind: &Kind, done: impl Iterator<Item = &'a PlannedStep>) -> impl Iterator<Item = Change> {
    let contains = *kind == Kind::Contain;
    done.filter_map(move |planned| {
        let is_contained = match planned.step {
            Step::ClearUserId { .. } if contains => true,
            Step::WriteUserId { .. } => false,
            _ => return None,
        };
        Some(Change::Contained(Sub::parse(planned.sub.as_deref()?)?, is_contained))
    })
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
            account: opened.account().await?,
            max_age_hours: MAX_AGE_HOURS,
        };
        let may = repairer.confirm((*plan).clone(), &said, clock::now()).map_err(|error| error.to_string())?;
        let mut run = Run::new(self, plan.steps().count() as u64);
        let summary = repairer.run(&may, stop, |result| run.hear(result), clock::now).await;
        let run = run.end().await;
        let summary = summary.map_err(|error| error.to_string())?;
        self.look_at_stale_rows(&repairer, &run.stale_rows).await;
        let done = plan.steps().filter(|step| !run.not_done.contains_key(&step.number));
        super::planning::learn(&self.worker, contained(&plan.kind, done).collect()).await;
        let signed_in = run.signed_in(&plan);
        let outcome = run.outcome(&plan, &summary, signed_in.len(), &opened).await;
        self.unmark(&plan, &run.not_done).await;
        let not_done = run.not_done.into_keys().collect();
        self.kept().last = Some(Arc::new(Last { plan, not_done, signed_in }));
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
                    "Dismissed: it is ignored until what its verdict rests on changes. Dismissing it again takes it up.",
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
}
