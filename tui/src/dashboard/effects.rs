//! Carries out what the model wants. The only place of the dashboard that awaits the pool or the database.
//!
//! Reads may be dropped at any moment; a write is always brought to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use userlink_domain::IdKind;
use userlink_link::Rules;
use userlink_repair::Recovered;
use userlink_ui::{Effect, Event, Export, Level};

use super::beside;
use super::export;
use super::planning::{learn, with};
use super::repairs::{MaybeOpen, Repairs};
use super::worker::{Question, Wanted, Worker};
use crate::clock;
use crate::engine::Engine;
use crate::scan::{Begin, News, scan};
use crate::snapshot::{Of, Shelf, Unfinished, Writer};
use crate::start::{Opened, Repairs as Possible, Start};

/// How many batches may wait for the linker: more would only be memory.
const BATCHES: usize = 4;

pub(super) struct Effects {
    start: Arc<Start>,
    to_model: mpsc::Sender<Event>,
    worker: mpsc::UnboundedSender<Question>,
    opened: Arc<MaybeOpen>,
    /// Over when the last scan has been read back: the next one reads beside it.
    restored: watch::Receiver<()>,
    scan: Option<AbortHandle>,
    /// A scan has begun: who asks for one more wants it from the start.
    scanned: Arc<AtomicBool>,
    repairs: Repairs,
    /// The entry that is open, while it is asked for by itself.
    entry: Option<AbortHandle>,
    /// What is being found out about the entry that is open.
    beside: Option<AbortHandle>,
    export: Option<export::Running>,
}

impl Effects {
    /// Starts the linker's thread and the first scan.
    pub(super) fn begin(start: Start, to_model: mpsc::Sender<Event>) -> Self {
        let (worker, questions) = mpsc::unbounded_channel();
        let linker = Worker::new(Rules::new(IdKind::Uuid), to_model.clone());
        let runtime = tokio::runtime::Handle::current();
        let spawned = std::thread::Builder::new().name("linker".into()).spawn(move || {
            #[cfg(debug_assertions)]
            assert!(
                std::env::var_os("USERLINK_TEST_PANIC").is_none(),
                "a test wants to see what a panic leaves behind"
            );
            runtime.block_on(linker.run(questions));
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "the linker has no thread");
        }
        // Told by its end, whatever came of it.
        let (restoring, restored) = watch::channel(());
        if let Start::Context(context) = &start {
            let (context, worker) = (context.clone(), worker.clone());
            tokio::task::spawn_blocking(move || {
                let _restoring = restoring;
                let Some((kept, rules)) = context.last_scan(clock::now()) else { return };
                // Without a linker there is nobody to show it.
                drop(worker.send(Question::Picture(Box::new(kept.picture.clone()))));
                let engine = Engine::new(rules).restored(kept).map(Box::new);
                let engine =
                    engine.inspect_err(|error| tracing::warn!(kind = ?error.kind(), "the last scan is damaged")).ok();
                drop(worker.send(Question::Restored(engine)));
            });
        }
        let opened = Arc::<MaybeOpen>::default();
        let mut effects = Self {
            repairs: Repairs::new(opened.clone(), worker.clone(), to_model.clone()),
            start: Arc::new(start),
            to_model,
            worker,
            opened,
            restored,
            scan: None,
            scanned: Arc::default(),
            entry: None,
            beside: None,
            export: None,
        };
        effects.scan();
        effects
    }

    pub(super) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Window { generation, spec, first, len, anchor } => {
                self.ask(Question::Window(Wanted { generation, spec, first, len, anchor }));
            }
            Effect::Explain(of) => self.ask(Question::Explain(of)),
            Effect::Mark(marking) => self.ask(Question::Mark(marking)),
            Effect::Plan(request) => self.repairs.plan(request),
            Effect::PlanLines { plan, first, len } => self.repairs.lines(plan, first, len),
            Effect::Apply(confirmed) => self.repairs.apply(confirmed),
            Effect::Stop => self.repairs.stop(),
            Effect::History(of) => self.repairs.history(of),
            Effect::Dismiss { of, reason } => self.repairs.dismiss(of, reason),
            Effect::Entry(of) => {
                let (worker, to) = (self.worker.clone(), self.to_model.clone());
                if let Some(before) = self.entry.take() {
                    before.abort();
                }
                let asking = tokio::spawn(async move {
                    let asked = of.clone();
                    let entry = with(&worker, move |engine, _| engine.linker.entry(&asked).map(Box::new)).await;
                    // Without a linker nothing is known, and nothing is gone.
                    if let Ok(entry) = entry {
                        drop(to.send(Event::Entry { of, entry }).await);
                    }
                });
                self.entry = Some(asking.abort_handle());
            }
            Effect::Locate(of) => self.ask(Question::Locate(of)),
            Effect::LookUp(who) => {
                let (start, opened) = (self.start.clone(), self.opened.clone());
                let (worker, to) = (self.worker.clone(), self.to_model.clone());
                tokio::spawn(async move {
                    let answer = match open(&start, &opened).await {
                        Ok(opened) => beside::look_up(&opened, &worker, &who).await,
                        Err(text) => Err(text),
                    };
                    drop(to.send(Event::LookedUp { asked: who, answer }).await);
                });
            }
            Effect::LookBeside { of, entry } => {
                let opened = self.opened.clone();
                let (worker, to) = (self.worker.clone(), self.to_model.clone());
                if let Some(before) = self.beside.take() {
                    before.abort();
                }
                let looking = tokio::spawn(async move {
                    let opened = opened.lock().await.clone();
                    beside::look(opened, &worker, of, entry, &to).await;
                });
                self.beside = Some(looking.abort_handle());
            }
            Effect::Refresh => self.scan(),
            Effect::GoOn => {
                let opened = self.opened.clone();
                tokio::spawn(async move {
                    if let Some(opened) = &*opened.lock().await {
                        opened.sources.go_on.notify_one();
                    }
                });
            }
            Effect::Log => {
                // A log that is not brought this time is brought the next.
                drop(self.to_model.try_send(Event::Log(crate::logging::lines())));
            }
            Effect::Export(wanted) => self.export(wanted),
            // The loop's own.
            Effect::Quit | Effect::Suspend | Effect::Turn(_) | Effect::Mouse(_) | Effect::Copy(_) => {}
        }
    }

    fn export(&mut self, wanted: Export) {
        let context = self.start.context_name().to_owned();
        match export::begin(wanted, context, self.worker.clone(), self.to_model.clone()) {
            Ok(running) => self.export = Some(running),
            Err(error) => {
                let text = format!("Nothing was exported: no thread could be started ({}).", error.kind());
                drop(self.to_model.try_send(Event::Exported(Err(text))));
            }
        }
    }

    /// Brings the steps under way to their end, and drops all else.
    pub(super) async fn finish(&mut self) {
        if let Some(export) = self.export.take() {
            export.end();
        }
        if let Some(scan) = self.scan.take() {
            scan.abort();
        }
        self.repairs.finish().await;
    }

    fn ask(&self, question: Question) {
        if self.worker.send(question).is_err() {
            tracing::error!("the linker does not answer");
        }
    }

    fn scan(&mut self) {
        if let Some(scan) = self.scan.take() {
            scan.abort();
        }
        let (start, opened, worker, to) =
            (self.start.clone(), self.opened.clone(), self.worker.clone(), self.to_model.clone());
        let mut restored = self.restored.clone();
        let scanned = self.scanned.clone();
        let task = tokio::spawn(async move {
            let now_open = match open(&start, &opened).await {
                Ok(now_open) => now_open,
                Err(text) => {
                    drop(worker.send(Question::Failed(format!("{text} Scan again to try once more."))));
                    return;
                }
            };
            if let Some(place) = now_open.journal_place {
                drop(to.send(Event::Journal(place)).await);
            }
            while restored.changed().await.is_ok() {}
            let is_first = !scanned.swap(true, Ordering::Relaxed);
            let mut unfinished = if is_first { unfinished(&now_open).await } else { None };
            let (begin, news) = loop {
                // What had been decided before it is read what has been by now.
                let taken_back = with(&worker, |engine, _| engine.linker.taken_back()).await.unwrap_or_default();
                let decisions = now_open.decisions(None).await;
                let (news, heard) = mpsc::channel(BATCHES);
                let mut engine = Engine::new(now_open.rules.clone());
                match &unfinished {
                    Some(unfinished) => engine = engine.awaiting(unfinished),
                    None => engine.keep_in(now_open.shelf.as_ref().and_then(|(shelf, of)| keep(shelf, of))),
                }
                let about = Question::Scan {
                    news: heard,
                    pool: Some(now_open.sources.pool.clone()),
                    rows_about: now_open.sources.table.schema().estimated_rows,
                    engine: Box::new(engine),
                };
                drop(worker.send(about));
                if let Some(decisions) = decisions {
                    learn(&worker, [taken_back, decisions].concat()).await;
                }
                let Some(unfinished) = unfinished.take() else { break (Begin::default(), news) };
                let text = format!(
                    "This goes on with the scan that began at {}. Once it is over, scan again to begin anew.",
                    unfinished.began
                );
                drop(to.send(Event::Message { level: Level::Info, text }).await);
                // What cannot be read back is read anew.
                if let Some(begin) = go_on(unfinished, &news).await {
                    break (begin, news);
                }
            };
            look_for_open_steps(&now_open, &to).await;
            scan(now_open.sources.clone(), begin, news).await;
        });
        self.scan = Some(task.abort_handle());
    }
}

/// A scan that was interrupted.
async fn unfinished(opened: &Arc<Opened>) -> Option<Unfinished> {
    let opened = opened.clone();
    let found = tokio::task::spawn_blocking(move || {
        let (shelf, of) = opened.shelf.as_ref()?;
        shelf.unfinished(of, clock::now())
    });
    found.await.ok().flatten()
}

/// Tells all that it had read, and gives where it goes on; none where that cannot be read back.
async fn go_on(unfinished: Unfinished, news: &mpsc::Sender<News>) -> Option<Begin> {
    let news = news.clone();
    // Where nobody listens there is nobody to tell.
    let told = tokio::task::spawn_blocking(move || Begin::told(unfinished, |told| drop(news.blocking_send(told))));
    told.await.ok()?.inspect_err(|error| tracing::warn!(kind = ?error.kind(), "a scan cannot be taken up")).ok()
}

/// Begins to keep a scan. One that cannot be kept is made all the same.
fn keep(shelf: &Shelf, of: &Of) -> Option<Box<Writer>> {
    let begun = shelf.begin(of, clock::now());
    begun.inspect_err(|error| tracing::warn!(kind = ?error.kind(), "the scan is not kept")).ok()?.map(Box::new)
}

/// Opens pool and table once; what could not be opened is tried again by the next scan.
async fn open(start: &Start, opened: &MaybeOpen) -> Result<Arc<Opened>, String> {
    let mut opened = opened.lock().await;
    if let Some(opened) = &*opened {
        return Ok(opened.clone());
    }
    let now_open = Arc::new(start.open().await.map_err(|failure| failure.to_string())?);
    *opened = Some(now_open.clone());
    Ok(now_open)
}

/// Once in a program's life, and beside the scan: an earlier run may have been stopped in the middle of a step.
async fn look_for_open_steps(opened: &Opened, to: &mpsc::Sender<Event>) {
    let Possible::Possible(repairer) = &opened.repairs else { return };
    if opened.looked.swap(true, Ordering::Relaxed) {
        return;
    }
    let (repairer, to) = (repairer.clone(), to.clone());
    tokio::spawn(async move {
        let found = repairer.recover(clock::now).await.map_err(|error| error.to_string());
        if let Some((level, text)) = about_open_steps(found) {
            // Without a dashboard there is nobody to tell.
            drop(to.send(Event::Message { level, text }).await);
        }
    });
}

/// What a person has to know of it.
fn about_open_steps(found: Result<Recovered, String>) -> Option<(Level, String)> {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let text = format!("What an earlier run may have left open could not be looked at. {error}");
            return Some((Level::Error, text));
        }
    };
    let mut text = Vec::new();
    if found.found_done + found.not_done > 0 {
        text.push(format!(
            "An earlier run had stopped in the middle: {} of its steps had been done, {} had not. Both are journalled.",
            found.found_done, found.not_done
        ));
    }
    if found.unseen > 0 {
        text.push(format!(
            "{} steps of earlier runs could not be looked at; the next start tries again.",
            found.unseen
        ));
    }
    (!text.is_empty()).then(|| (Level::Error, text.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_steps_are_told_of_where_there_is_something_to_know() {
        assert_eq!(about_open_steps(Ok(Recovered { under_way: 2, left: 1, ..Recovered::default() })), None);
        let text = |found| about_open_steps(found).map(|(_, text)| text).unwrap_or_default();
        assert!(text(Ok(Recovered { found_done: 2, ..Recovered::default() })).contains("2 of its steps had been done"));
        assert!(text(Ok(Recovered { unseen: 3, ..Recovered::default() })).contains("3 steps"));
        assert!(text(Err("No network.".into())).ends_with("No network."));
    }
}
