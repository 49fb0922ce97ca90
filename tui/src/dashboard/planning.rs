//! From a wish to a frozen plan: with the linker, which tries it in memory, and what is read afresh before.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::{mpsc, oneshot};
use userlink_db::{History, Reference};
use userlink_domain::{IdKind, Mate, Pair, RecordRef, RowId, Situation, Step, Sub};
use userlink_link::{Change, Entry, Linker};
use userlink_repair::{
    Choice, Kind, Limits, Maker, Plan, PlannedEntry, Refused, Selection, contain, foretold, plan, sift, sign_out, undo,
    with_sign_outs,
};
use userlink_ui::{Answer, Choosing, Lifted, Request, Wish};
use uuid::Uuid;

use super::choosing::choosing;
use super::marks::Marked;
use super::repairs::Last;
use super::worker::Question;
use crate::clock;
use crate::engine::Engine;
use crate::snapshot::is_not_kept;
use crate::start::{Failure, Opened};

/// A selection of so many entries is read afresh before it is planned. More would take long, and each step reads again anyway.
const FRESH_AT_MOST: usize = 20;
/// Of an entry so many users and rows are read afresh.
const RECORDS_AT_MOST: usize = 20;
/// A hash would be written where an address is meant.
const NOT_KEPT: &str =
    "Of some of these names and e-mails were not kept when a scan was interrupted. Scan again (R) first.";
/// Rows for which references are counted, and how long that may take.
const ROWS_COUNTED: usize = 8;
const COUNTING: Duration = Duration::from_secs(3);

/// A plan that was made, or what there is to be said or asked instead.
pub(super) enum Made {
    Plan { plan: Box<Plan>, left_out: Vec<(String, u64)>, can_choose: bool },
    Answer(Answer),
}

impl Made {
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::Answer(Answer::Refused(text.into()))
    }

    fn plan(plan: Plan) -> Self {
        Self::Plan { plan: Box::new(plan), left_out: Vec::new(), can_choose: false }
    }
}

/// Looks at something with the linker; none where there is no linker any more.
pub(super) async fn with<T: Send + 'static>(
    worker: &mpsc::UnboundedSender<Question>,
    look: impl FnOnce(&mut Engine, &mut Marked) -> T + Send + 'static,
) -> Result<T, String> {
    let (tell, told) = oneshot::channel();
    let look = move |engine: &mut Engine, marked: &mut Marked| {
        // Whoever asked may have gone meanwhile.
        drop(tell.send(look(engine, marked)));
    };
    drop(worker.send(Question::With(Box::new(look))));
    told.await.map_err(|_| "The linker does not answer.".to_owned())
}

/// Tells the linker what was read, and waits until it knows.
pub(super) async fn learn(worker: &mpsc::UnboundedSender<Question>, changes: Vec<Change>) {
    let (ask, answer) = oneshot::channel();
    drop(worker.send(Question::Learn(changes, ask)));
    // The screen shows it a moment later where the linker is gone.
    drop(answer.await);
}

pub(super) struct Planner {
    pub(super) opened: Arc<Opened>,
    pub(super) worker: mpsc::UnboundedSender<Question>,
    pub(super) actor: String,
}

impl Planner {
    /// Makes the plan that is wished for.
    pub(super) async fn make(&self, request: &Request, last: Option<&Last>) -> Result<Made, String> {
        match &request.wish {
            Wish::Marked => {
                let marked = with(&self.worker, |engine, marked| {
                    if !engine.misses_some() {
                        marked.settle(&engine.linker);
                    }
                    // In the order of the list.
                    let mut of: Vec<RecordRef> = marked.records().cloned().collect();
                    of.sort_by_cached_key(|of| engine.linker.lead_of(of));
                    (of, engine.hashed)
                });
                let (of, hashed) = marked.await?;
                if of.len() <= FRESH_AT_MOST {
                    self.read_again(&of).await?;
                } else if hashed {
                    return Ok(Made::refused(NOT_KEPT));
                }
                self.chosen(request, of).await
            }
            Wish::Entry(of) => {
                // What was chosen may lie in other entries.
                let pairs = || request.choices.iter().flat_map(|choice| &choice.pairs);
                let rows = pairs().filter_map(|pair| match &pair.mate {
                    Mate::Row(id) => Some(RecordRef::Row(id.clone())),
                    Mate::New | Mate::None => None,
                });
                let users = pairs().map(|pair| RecordRef::User(pair.user));
                let all: Vec<RecordRef> = std::iter::once(of.clone()).chain(users).chain(rows).collect();
                self.read_again(&all).await?;
                self.chosen(request, vec![of.clone()]).await
            }
            Wish::Contain { user, disable, reason } => {
                self.read_again(&[RecordRef::User(*user)]).await?;
                let (user, disable, reason) = (*user, *disable, reason.clone());
                let made = self
                    .with_maker(false, move |engine, maker| contain(&mut engine.linker, user, disable, &reason, maker));
                Ok(made.await?.map_or_else(|refused| refusal(&refused), Made::plan))
            }
            Wish::Undo { run, step } => self.undo(run, *step, request.sign_out).await,
            Wish::Again => match last {
                Some(last) => self.again(request, last).await,
                None => Ok(Made::refused("There is no run to go on with.")),
            },
            Wish::SignOut => match last {
                Some(last) => self.sign_out(last).await,
                None => Ok(Made::refused("There is no run of which somebody could be signed out.")),
            },
        }
    }

    async fn with_maker<T: Send + 'static>(
        &self,
        sign_out: bool,
        make: impl FnOnce(&mut Engine, Maker) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (opened, by) = (self.opened.clone(), self.actor.clone());
        let rows = userlink_db::RowWriter::new(opened.sources.table.clone(), opened.context.insert_function.as_deref());
        let rows = rows.map_err(|error| error.to_string())?;
        let account = opened.account().await?;
        with(&self.worker, move |engine, _| {
            let maker = Maker {
                id: Uuid::now_v7(),
                by,
                at: clock::now(),
                origin: opened.origin(account, engine.began, engine.users, engine.rows),
                sign_out,
                unfilled: (rows.unfilled(true), rows.unfilled(false)),
            };
            make(engine, maker)
        })
        .await
    }

    /// What was marked, or one entry: chosen for as far as a person has, and as recommended where that will do.
    async fn chosen(&self, request: &Request, of: Vec<RecordRef>) -> Result<Made, String> {
        let request = request.clone();
        let alone = of.len() == 1;
        let limits = limits(&self.opened.context.limits, request.lifted);
        let asked = self.with_maker(request.sign_out, move |engine, maker| {
            choose_or_plan(&mut engine.linker, &request, &of, &limits, maker)
        });
        match asked.await? {
            Next::Plan(plan, _) if writes_a_hash(&plan) => Ok(Made::refused(NOT_KEPT)),
            Next::Plan(plan, left_out) => Ok(Made::Plan { plan, left_out, can_choose: alone }),
            Next::Answer(answer) => Ok(Made::Answer(answer)),
            Next::Choose(choosing, rows) => {
                let mut choosing = *choosing;
                let references = self.references(rows).await;
                for candidate in &mut choosing.candidates {
                    let found = candidate.row.as_ref().and_then(|row| references.iter().find(|(id, _)| *id == row.id));
                    candidate.references = match found {
                        Some((_, texts)) => texts.clone(),
                        None => vec!["not counted".to_owned()],
                    };
                }
                Ok(Made::Answer(Answer::Choose(Box::new(choosing))))
            }
        }
    }

    /// How many rows of other tables refer to each of these, as far as that is quick to say.
    async fn references(&self, rows: Vec<RowId>) -> Vec<(RowId, Vec<String>)> {
        let table = &self.opened.sources.table;
        let counted = rows.into_iter().take(ROWS_COUNTED).map(|id| async move {
            let texts = match tokio::time::timeout(COUNTING, table.references(&id)).await {
                Ok(Ok(found)) => found.iter().map(Reference::to_string).collect(),
                Ok(Err(_)) => vec!["not known".to_owned()],
                Err(_) => vec!["not known: it took too long".to_owned()],
            };
            (id, texts)
        });
        futures_util::stream::iter(counted).buffered(ROWS_COUNTED).collect().await
    }

    /// Reads the records of these entries again, with ListUsers, which bills nobody, and tells the linker. Whoever came after the scan
    /// is read with whom it names.
    async fn read_again(&self, of: &[RecordRef]) -> Result<(), String> {
        let wanted = of.to_vec();
        let entries: Vec<Option<Entry>> =
            with(&self.worker, move |engine, _| wanted.iter().map(|of| engine.linker.entry(of)).collect()).await?;
        let said = |error: Failure| error.to_string();
        let (pool, table) = (&self.opened.sources.pool, &self.opened.sources.table);
        let mut read = Vec::new();
        for (of, entry) in of.iter().zip(entries) {
            let is_new = entry.is_none();
            let (subs, mut ids): (Vec<Sub>, Vec<RowId>) = match (entry, of) {
                (Some(entry), _) => (
                    entry.users.iter().take(RECORDS_AT_MOST).map(|user| user.sub).collect(),
                    entry.rows.into_iter().take(RECORDS_AT_MOST).map(|row| row.id).collect(),
                ),
                (None, RecordRef::User(sub)) => (vec![*sub], Vec::new()),
                (None, RecordRef::Row(id)) => {
                    let rows = table.by_ids(std::slice::from_ref(id)).await.map_err(|error| said(error.into()))?;
                    (rows.iter().filter_map(userlink_domain::Row::sub).collect(), vec![id.clone()])
                }
            };
            for sub in &subs {
                let there = pool.by_sub(*sub).await.map_err(|error| said(error.into()))?;
                let named = there.as_ref().and_then(|user| RowId::parse(table.schema().id_kind, user.user_id()?));
                ids.extend(named.filter(|id| is_new && !ids.contains(id)));
                read.push(there.map_or(Change::UserGone(*sub), Change::User));
            }
            let by_ids = table.by_ids(&ids).await.map_err(|error| said(error.into()))?;
            let gone = ids.iter().filter(|id| by_ids.iter().all(|row| row.id != **id));
            read.extend(gone.map(|id| Change::RowGone(id.clone())));
            let by_subs = table.by_subs(&subs).await.map_err(|error| said(error.into()))?;
            read.extend(by_ids.into_iter().chain(by_subs).map(Change::Row));
        }
        if !read.is_empty() {
            learn(&self.worker, read).await;
        }
        Ok(())
    }

    async fn undo(&self, run: &str, step: Option<i64>, sign_out: bool) -> Result<Made, String> {
        let run_id = Uuid::try_parse(run).map_err(|_| "This run has no name that can be looked for.".to_owned())?;
        let journal = self.opened.journal.as_ref().map_err(Clone::clone)?;
        let recorded = journal.history(&History::Run(run_id), u32::MAX / 2).await.map_err(|error| error.to_string())?;
        let run = run.to_owned();
        let made = self.with_maker(sign_out, move |engine, maker| {
            let plan = undo(&run, step, &recorded, maker)?;
            Ok::<_, userlink_repair::NoUndo>(foretold(&mut engine.linker, plan))
        });
        Ok(made.await?.map_or_else(|refused| Made::refused(refused.to_string()), Made::plan))
    }

    /// Ends the sessions of those in whose hands an earlier id may still be.
    async fn sign_out(&self, last: &Last) -> Result<Made, String> {
        let (earlier, signed_in) = (last.plan.clone(), last.signed_in.clone());
        let made = self.with_maker(false, move |_, maker| sign_out(&earlier, |sub| signed_in.contains(sub), maker));
        Ok(made.await?.map_or_else(|| Made::refused("Nobody is left to be signed out."), Made::plan))
    }

    /// What was not done of the plan before. Pairs are planned anew on what is there now, and whoever was not signed out is
    /// signed out; what rests on no pairs is the same plan again, of which what is done is passed over.
    async fn again(&self, request: &Request, last: &Last) -> Result<Made, String> {
        if last.plan.kind != Kind::Repair {
            return Ok(Made::plan((*last.plan).clone()));
        }
        let kind = self.opened.rules.id_kind;
        let left = last.plan.entries.iter().filter(|entry| {
            let mut pointers = entry.steps.iter().filter(|step| !matches!(step.step, Step::SignOut { .. }));
            pointers.any(|step| last.not_done.contains(&step.number))
        });
        let choices: Vec<Choice> = left.filter_map(|entry| choice(entry, kind)).collect();
        let of: Vec<RecordRef> = choices.iter().map(|choice| choice.of.clone()).collect();
        let signs_out = request.sign_out && !last.signed_in.is_empty();
        if of.is_empty() && signs_out {
            return self.sign_out(last).await;
        }
        if of.len() <= FRESH_AT_MOST {
            self.read_again(&of).await?;
        }
        let count = of.len() as u64;
        // What came to be right meanwhile, or changed what it is, is left out and said to be.
        let request = Request { choices, leave_the_rest: true, ..request.clone() };
        match self.chosen(&request, of).await? {
            Made::Plan { plan, left_out, can_choose } if signs_out => {
                let plan = with_sign_outs(*plan, &last.plan, |sub| last.signed_in.contains(sub));
                Ok(Made::Plan { plan: Box::new(plan), left_out, can_choose })
            }
            Made::Answer(Answer::Refused(_)) if signs_out => {
                let left_out = vec![("that cannot be planned again".to_owned(), count)];
                match self.sign_out(last).await? {
                    Made::Plan { plan, can_choose, .. } => Ok(Made::Plan { plan, left_out, can_choose }),
                    answer @ Made::Answer(_) => Ok(answer),
                }
            }
            other => Ok(other),
        }
    }
}

/// An entry's pairs, chosen again.
fn choice(entry: &PlannedEntry, kind: IdKind) -> Option<Choice> {
    let pairs = entry.pairs.iter().filter_map(|pair| {
        let mate = match (&pair.row, pair.new) {
            (Some(row), _) => Mate::Row(RowId::parse(kind, row)?),
            (None, true) => Mate::New,
            (None, false) => Mate::None,
        };
        Some(Pair { user: Sub::parse(&pair.sub)?, mate })
    });
    let pairs: Vec<Pair> = pairs.collect();
    let of = RecordRef::User(pairs.first()?.user);
    Some(Choice { of, pairs, reason: entry.reason.clone() })
}

/// What comes next with a selection.
enum Next {
    Plan(Box<Plan>, Vec<(String, u64)>),
    Answer(Answer),
    /// A person chooses; and the rows of which should be said what refers to them.
    Choose(Box<Choosing>, Vec<RowId>),
}

/// Whether a row would get what only stands for a text.
fn writes_a_hash(plan: &Plan) -> bool {
    plan.steps().any(|planned| match &planned.step {
        Step::InsertRow { email, columns, .. } => email.iter().chain(columns.values()).any(|text| is_not_kept(text)),
        _ => false,
    })
}

fn choose_or_plan(linker: &mut Linker, request: &Request, of: &[RecordRef], limits: &Limits, maker: Maker) -> Next {
    let alone = of.len() == 1;
    if alone && let Some(said) = of.first().and_then(|of| settled(linker, of)) {
        return Next::Answer(Answer::Refused(said));
    }
    let mut sifted = sift(linker, of, &request.choices, &request.passed_over);
    if request.choose {
        sifted.look.extend(std::mem::take(&mut sifted.choices).into_iter().map(|choice| choice.of));
    }
    if request.leave_the_rest {
        let rest = std::mem::take(&mut sifted.look).len() as u64;
        if rest > 0 {
            sifted.left_out.insert("that have to be chosen for".to_owned(), rest);
        }
    }
    if let Some(of) = sifted.look.first() {
        let left = sifted.look.len() as u64;
        return match choosing(linker, of, left) {
            Some((choosing, rows)) => Next::Choose(Box::new(choosing), rows),
            None => Next::Answer(Answer::Refused("The entry is gone.".to_owned())),
        };
    }
    let left_out: Vec<(String, u64)> = sifted.left_out.into_iter().collect();
    // A reason is only wanted of one by itself.
    let first = sifted.choices.first().map(|choice| choice.of.clone());
    match plan(linker, &Selection::Chosen(sifted.choices), limits, maker) {
        Ok(plan) => Next::Plan(Box::new(plan), left_out),
        Err(Refused::Nothing) if !left_out.is_empty() => {
            let parts: Vec<String> = left_out.iter().map(|(why, count)| format!("{count} {why}")).collect();
            Next::Answer(Answer::Refused(format!("There is nothing to do. Left out: {}.", parts.join("; "))))
        }
        Err(Refused::NeedsReason(name, situation)) => {
            let text =
                format!("{name} is {}: that is repaired by a person, one at a time, with a reason.", situation.words());
            Next::Answer(
                first.map_or_else(|| Answer::Refused(text.clone()), |of| Answer::Reason { of, text: text.clone() }),
            )
        }
        Err(refused) => match refusal(&refused) {
            Made::Answer(answer) => Next::Answer(answer),
            Made::Plan { plan, left_out, .. } => Next::Plan(plan, left_out),
        },
    }
}

/// What there is to say of an entry that was looked at again and wants no repair any more.
fn settled(linker: &Linker, of: &RecordRef) -> Option<String> {
    match linker.entry(of).map(|entry| entry.situation) {
        None => Some("Both sides were read again, and the record is gone.".to_owned()),
        Some(Situation::Linked) => {
            Some("There is nothing to write any more: both sides were read again, and agree.".to_owned())
        }
        Some(_) => None,
    }
}

/// The guards that stand, as a person has lifted them.
fn limits(set: &Limits, lifted: Lifted) -> Limits {
    let users = if lifted.threshold { u64::MAX } else { set.users };
    Limits { users, empty_side: lifted.empty_side, ..*set }
}

fn refusal(refused: &Refused) -> Made {
    Made::Answer(match refused {
        Refused::OverThreshold { users, limit, of } => Answer::Guarded {
            text: format!(
                "The plan touches {users} users, more than the {limit} that pass unasked ({of} users are in the pool). Look at a few \
                 of them first."
            ),
            lifts: Lifted { threshold: true, ..Lifted::default() },
        },
        Refused::EmptySide { users, rows } => Answer::Guarded {
            text: format!("One side is empty: {users} users and {rows} rows. Do pool and table belong together?"),
            lifts: Lifted { empty_side: true, ..Lifted::default() },
        },
        other => Answer::Refused(other.to_string()),
    })
}
