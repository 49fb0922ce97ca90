//! The linker's own thread: it takes in what the scan tells and answers what the screen asks. Questions go before news, so
//! that a key never waits for a batch.

mod answers;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use userlink_domain::{RecordRef, Timestamp};
use userlink_link::{Change, Lead, Rules};
use userlink_pool::{PoolReader, Writable};
use userlink_ui::{Counts, Event, Level, Marking, Phase, Progress, Since, ViewSpec};

use super::export::{Explained, Frozen};
use super::glance::Glance;
use super::listing::{Found, Listing};
use super::marks::Marked;
use crate::clock;
use crate::engine::Engine;
use crate::scan::News;
use crate::snapshot::Picture;

/// How often the screen is told that something changed, at most.
const TELL: Duration = Duration::from_millis(150);

/// Something that is looked at with the linker and the marks.
pub(super) type Look = Box<dyn FnOnce(&mut Engine, &mut Marked) + Send>;

/// What the screen and the repairs ask.
pub(super) enum Question {
    Window(Wanted),
    Explain(RecordRef),
    /// A change to the marks.
    Mark(Marking),
    /// Something that needs the linker for itself for a moment.
    With(Look),
    /// Whether a record is there.
    Locate(RecordRef),
    /// Records that were read afresh; the answer comes when they are taken in.
    Learn(Vec<Change>, oneshot::Sender<()>),
    /// A view as it is now, to be gone through.
    Freeze(ViewSpec, oneshot::Sender<Frozen>),
    /// Entries of such a view; none where another linker took the place of the one it was of.
    Entries {
        leads: Vec<Lead>,
        epoch: u64,
        answer: oneshot::Sender<Option<Vec<Explained>>>,
    },
    /// A new scan begins: what it tells comes from here.
    Scan {
        news: mpsc::Receiver<News>,
        pool: Option<PoolReader>,
        rows_about: Option<u64>,
        /// What it reads into.
        engine: Box<Engine>,
    },
    /// The last scan at a glance, as it was kept.
    Picture(Box<Picture>),
    /// And all of it; none where it is damaged.
    Restored(Option<Box<Engine>>),
    /// The pool or the table cannot even be opened.
    Failed(String),
}

/// A part of a view.
pub(super) struct Wanted {
    pub(super) generation: u64,
    pub(super) spec: ViewSpec,
    pub(super) first: usize,
    pub(super) len: usize,
    pub(super) anchor: Option<RecordRef>,
}

pub(super) struct Worker {
    /// What the screen shows.
    engine: Engine,
    marked: Marked,
    /// Changes to the marks that wait for the list of a view, and what waits for them.
    marking: VecDeque<Marking>,
    after_marks: Vec<Look>,
    /// The last scan at a glance, until all of it has been read.
    picture: Option<Box<Picture>>,
    to: mpsc::Sender<Event>,
    news: Option<mpsc::Receiver<News>>,
    pool: Option<PoolReader>,
    rows_about: Option<u64>,
    /// When the scan began to read, and how many users it had from before.
    began: (Instant, u64),
    revision: u64,
    /// Grows when another scan takes the place of the one that is shown.
    epoch: u64,
    listing: Listing,
    found: mpsc::UnboundedReceiver<Found>,
    /// The number of the list that the screen knows of.
    shown: u64,
    /// What is answered when its list has been made.
    wanted: Option<Wanted>,
    /// And what is exported then.
    freezing: Option<(ViewSpec, oneshot::Sender<Frozen>)>,
    told: Instant,
    /// Something changed that the screen has not been told of.
    untold: bool,
    failed: bool,
    /// The scan waits for credentials.
    paused: bool,
    finished: bool,
    /// When both sides had been read and settled.
    finished_at: Option<Timestamp>,
    /// What is shown was read from disk.
    from_disk: bool,
    /// When the scan that is shown was complete; none where it is being read.
    shown_at: Option<Timestamp>,
    /// What was counted of the one before.
    before: Option<Since>,
    meter: (Instant, u64),
    rate: f64,
    glance: Glance,
}

impl Worker {
    pub(super) fn new(rules: Rules, to: mpsc::Sender<Event>) -> Self {
        let now = Instant::now();
        let (listing, found) = Listing::new();
        Self {
            engine: Engine::new(rules),
            marked: Marked::default(),
            marking: VecDeque::new(),
            after_marks: Vec::new(),
            picture: None,
            to,
            news: None,
            pool: None,
            rows_about: None,
            began: (now, 0),
            revision: 0,
            epoch: 0,
            listing,
            found,
            shown: 0,
            wanted: None,
            freezing: None,
            told: now,
            untold: false,
            failed: false,
            paused: false,
            finished: false,
            finished_at: None,
            from_disk: false,
            shown_at: None,
            before: None,
            meter: (now, 0),
            rate: 0.0,
            glance: Glance::default(),
        }
    }

    /// Works until nobody asks any more.
    pub(super) async fn run(mut self, mut questions: mpsc::UnboundedReceiver<Question>) {
        loop {
            tokio::select! {
                biased;
                question = questions.recv() => {
                    let Some(question) = question else { return };
                    for question in newest(question, &mut questions) {
                        if self.answer(question).await.is_err() {
                            return;
                        }
                    }
                }
                Some(found) = self.found.recv() => self.listing.take(found),
                news = receive(&mut self.news), if !self.engine.is_turning() => self.hear(news).await,
                () = std::future::ready(()), if self.engine.is_turning() => self.turn().await,
                () = std::future::ready(()), if self.listing.has_work() => {}
                () = std::future::ready(()), if self.glance.is_looking() => {
                    // A piece at a time: a key never waits for all of it.
                    let circumstances = self.engine.circumstances(self.shown_at);
                    if let Some(causes) = self.glance.go_on(&self.engine.linker, &circumstances)
                        && self.to.send(Event::Overview(causes)).await.is_err()
                    {
                        return;
                    }
                }
                () = tokio::time::sleep(TELL), if self.untold || self.is_reading() => {}
            }
            if self.go_on().await.is_err() {
                return;
            }
            if (self.untold || self.is_reading()) && self.told.elapsed() >= TELL && self.tell().await.is_err() {
                return;
            }
        }
    }

    fn is_reading(&self) -> bool {
        self.news.is_some()
    }

    async fn hear(&mut self, news: Option<News>) {
        match news {
            Some(News::Failed { text, settings }) => {
                self.fail(&text).await;
                self.engine.take(News::Failed { text, settings });
            }
            Some(News::Paused(text)) => {
                self.paused = true;
                let text = format!("{text} The scan waits, and goes on where it is.");
                drop(self.tell().await);
                drop(self.to.send(Event::Message { level: Level::Error, text }).await);
            }
            Some(News::GoesOn) => {
                self.paused = false;
                self.untold = true;
            }
            Some(news) => {
                let goes_on = matches!(news, News::Keep(_));
                if self.engine.take(news) {
                    self.revision += 1;
                }
                if goes_on {
                    // What was told until now had been read by then.
                    self.began = (Instant::now(), self.engine.came().0);
                }
                if self.engine.is_turning() {
                    // From here on it is no more what it was then, and not yet settled.
                    self.before = self.counted().or(self.before.take());
                    self.shown_at = None;
                    self.epoch += 1;
                    self.glance.stop();
                }
                self.untold = true;
            }
            None => {
                self.news = None;
                self.engine.finish(clock::now());
                self.finished = true;
                self.finished_at = Some(clock::now());
                if self.engine.is_whole() {
                    self.shown_at = self.finished_at;
                    self.glance.replaced(self.before.take());
                    self.glance.begin();
                }
                self.untold = true;
            }
        }
    }

    /// Says that the scan failed, and why.
    async fn fail(&mut self, text: &str) {
        self.failed = true;
        let kept = match self.engine.is_beside() {
            true => "What the scan before it read is kept.",
            false => "What was read so far is kept.",
        };
        let message = Event::Message { level: Level::Error, text: format!("{text} {kept}") };
        // The state goes before the words: it has the key that scans again. Without a screen there is nobody to tell.
        drop(self.tell().await);
        drop(self.to.send(message).await);
    }

    /// Goes on with what a scan has read beside what is shown, and takes its place.
    async fn turn(&mut self) {
        let goes_on = self.engine.turn();
        self.revision += 1;
        self.untold = true;
        if goes_on {
            return;
        }
        self.epoch += 1;
        self.from_disk = false;
        // That a side failed has been said.
        if !self.failed
            && let Some(lost) = self.engine.failures.first().map(|(text, _)| text.clone())
        {
            self.fail(&lost).await;
        }
        if self.engine.is_complete() {
            self.glance.begin();
        }
        // What waited for it.
        drop(self.mark().await);
    }

    /// What is counted of the complete scan that is shown.
    fn counted(&self) -> Option<Since> {
        let at = self.shown_at?;
        if let Some(picture) = &self.picture {
            return Some(Since { at, situations: picture.situations.clone(), flags: picture.flags.clone() });
        }
        let counts = self.engine.linker.counts();
        let (situations, flags) = (counts.situations().collect(), counts.flags().collect());
        self.engine.is_complete().then_some(Since { at, situations, flags })
    }

    /// Tells the screen how far the scan is and that entries changed.
    async fn tell(&mut self) -> Result<(), mpsc::error::SendError<Event>> {
        self.told = Instant::now();
        self.untold = false;
        let counts = match &self.picture {
            Some(picture) => Counts { situations: picture.situations.clone(), flags: picture.flags.clone() },
            None => {
                let counts = self.engine.linker.counts();
                Counts { situations: counts.situations().collect(), flags: counts.flags().collect() }
            }
        };
        let progress = self.progress();
        self.to.send(Event::Progress(progress)).await?;
        for news in self.glance.news(self.pool.as_ref().map(PoolReader::used)) {
            self.to.send(Event::Overview(news)).await?;
        }
        let stands = self.picture.is_none() && !self.engine.is_turning() && !self.engine.misses_some();
        if stands && self.marked.settle_in_time(&self.engine.linker, self.revision) {
            self.to.send(Event::Marked(self.marked.count())).await?;
        }
        self.to.send(Event::Counts(counts)).await
    }

    fn progress(&mut self) -> Progress {
        let meter = self.pool.as_ref().map(PoolReader::meter).unwrap_or_default();
        let (since, before) = self.meter;
        if since.elapsed() >= Duration::from_secs(1) {
            self.rate = (meter.listed.saturating_sub(before)) as f64 / since.elapsed().as_secs_f64();
            self.meter = (Instant::now(), meter.listed);
        }
        let engine = &self.engine;
        let ((users, rows), coverage) = (engine.came(), engine.covered());
        let complete = self.finished && engine.is_whole() && !self.failed;
        let seconds_left = engine.users_about.filter(|_| self.is_reading() && !coverage.users).and_then(|about| {
            let left = about.saturating_sub(users);
            let (began, before) = self.began;
            let speed = users.saturating_sub(before) as f64 / began.elapsed().as_secs_f64();
            (speed > 0.0).then(|| (left as f64 / speed).ceil() as u64)
        });
        Progress {
            phase: match (self.failed, complete, self.is_reading()) {
                (true, _, _) => Phase::Failed,
                (_, true, _) => Phase::Complete,
                (_, _, true) if self.paused => Phase::Paused,
                (_, _, true) => Phase::Reading,
                _ => Phase::Connecting,
            },
            users,
            users_about: engine.users_about,
            rows,
            rows_about: self.rows_about,
            users_done: coverage.users,
            rows_done: coverage.rows,
            requests_per_second: self.rate,
            throttled: self.is_reading() && meter.throttled > 0 && meter.list_rate < self.full_rate() * 0.9,
            seconds_left,
            finished_at: self.finished_at.filter(|_| complete),
            shown_from: self.shown_at.filter(|_| !complete),
            from_disk: self.from_disk,
            malformed_subs: engine.malformed_subs(),
            writable_by: match &engine.writable {
                Some(Writable::By(clients)) => clients.clone(),
                Some(Writable::No | Writable::Unknown(_)) | None => Vec::new(),
            },
        }
    }

    fn full_rate(&self) -> f64 {
        self.pool.as_ref().map_or(0.0, PoolReader::list_rate)
    }
}

/// All that is asked by now, without what a newer question of its kind has replaced: who types faster than a list is
/// made waits for one list, not for all.
fn newest(first: Question, more: &mut mpsc::UnboundedReceiver<Question>) -> Vec<Question> {
    let mut asked = vec![first];
    asked.extend(std::iter::from_fn(|| more.try_recv().ok()));
    let windows = asked.iter().filter(|question| matches!(question, Question::Window(_))).count();
    let whys = asked.iter().filter(|question| matches!(question, Question::Explain(_))).count();
    let (mut window, mut why) = (0, 0);
    asked.retain(|question| match question {
        Question::Window(_) => {
            window += 1;
            window == windows
        }
        Question::Explain(_) => {
            why += 1;
            why == whys
        }
        _ => true,
    });
    asked
}

/// The next news, or never where no scan is under way.
async fn receive(news: &mut Option<mpsc::Receiver<News>>) -> Option<News> {
    match news {
        Some(news) => news.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use userlink_domain::{IdKind, PoolUser, RecordRef, Sub};

    use super::*;
    use crate::scan::Side;

    fn rules() -> Rules {
        Rules::new(IdKind::Uuid)
    }

    /// A new scan begins.
    async fn scan(worker: &mut Worker) {
        let (_, news) = mpsc::channel(1);
        let engine = Box::new(Engine::new(rules()));
        assert!(worker.answer(Question::Scan { news, pool: None, rows_about: None, engine }).await.is_ok());
    }

    /// It reads these users.
    async fn reads(worker: &mut Worker, numbers: std::ops::Range<u128>) {
        let user = |number| PoolUser::new(Sub::from_u128(number), format!("user-{number}"));
        let batch = numbers.map(|number| Change::User(user(number))).collect();
        worker.hear(Some(News::Batch(batch))).await;
        turns(worker).await;
    }

    async fn turns(worker: &mut Worker) {
        while worker.engine.is_turning() {
            worker.turn().await;
        }
    }

    async fn fails(worker: &mut Worker) {
        worker.hear(Some(News::Failed { text: "No network.".to_owned(), settings: false })).await;
        worker.hear(None).await;
    }

    async fn ends(worker: &mut Worker) {
        for news in [News::End(Side::Pool), News::End(Side::Table), News::Done] {
            worker.hear(Some(news)).await;
            turns(worker).await;
        }
        worker.hear(None).await;
    }

    fn held(worker: &Worker) -> Vec<u128> {
        let linker = &worker.engine.linker;
        (1..20).filter(|number| linker.entry(&RecordRef::User(Sub::from_u128(*number))).is_some()).collect()
    }

    #[tokio::test]
    async fn what_a_scan_had_read_that_failed_stays_until_as_much_has_been_read_anew() {
        let (to, _events) = mpsc::channel(1_000);
        let mut worker = Worker::new(rules(), to);
        scan(&mut worker).await;
        reads(&mut worker, 1..4).await;
        assert_eq!(held(&worker), [1, 2, 3], "it is shown while it is read");
        fails(&mut worker).await;
        for again in ["fails", "goes on"] {
            scan(&mut worker).await;
            reads(&mut worker, 2..4).await;
            assert_eq!((held(&worker), worker.engine.came()), (vec![1, 2, 3], (2, 0)), "{again}");
            if again == "fails" {
                fails(&mut worker).await;
                assert_eq!(held(&worker), [1, 2, 3]);
            }
        }
        reads(&mut worker, 4..6).await;
        assert_eq!((held(&worker), worker.engine.came()), (vec![2, 3, 4, 5], (4, 0)), "nothing of the one that failed");
        reads(&mut worker, 6..7).await;
        assert_eq!(held(&worker), [2, 3, 4, 5, 6], "and what comes then is shown as it is read");
        ends(&mut worker).await;
        assert_eq!((held(&worker), worker.engine.came()), (vec![2, 3, 4, 5, 6], (5, 0)));
        assert!(worker.shown_at.is_some());
    }

    #[tokio::test]
    async fn what_only_looks_different_is_seen_before_all_has_been_read_and_half_a_turn_is_not_looked_at() {
        let (to, _events) = mpsc::channel(10_000);
        let mut worker = Worker::new(rules(), to);
        scan(&mut worker).await;
        reads(&mut worker, 1..3_000).await;
        ends(&mut worker).await;
        scan(&mut worker).await;
        let revision = worker.revision;
        reads(&mut worker, 1..3_000).await;
        assert_eq!(worker.revision, revision, "the same is no news");
        let user = |number: u128| PoolUser::new(Sub::from_u128(number), format!("user-{number}"));
        let phone = PoolUser { phone: Some("+491701234567".into()), ..user(7) };
        worker.hear(Some(News::Batch(vec![Change::User(phone)]))).await;
        assert_eq!(worker.revision, revision + 1, "lists are made anew: it lies elsewhere by now");
        let other = |number| PoolUser { user_id: Some("0192f0c1-2b6a-7cde-8f00-000000000001".into()), ..user(number) };
        worker.hear(Some(News::Batch((1..3_000).map(|number| Change::User(other(number))).collect()))).await;
        worker.hear(Some(News::End(Side::Pool))).await;
        worker.hear(Some(News::End(Side::Table))).await;
        worker.turn().await;
        assert!(worker.engine.is_turning());
        let (look, mut looked) = oneshot::channel();
        let question = Question::With(Box::new(move |engine, _| {
            let situations = engine.linker.counts().situations().count();
            look.send(situations).unwrap_or_default();
        }));
        assert!(worker.answer(question).await.is_ok());
        assert!(looked.try_recv().is_err(), "it waits");
        turns(&mut worker).await;
        assert_eq!(looked.await.unwrap_or(0), 1, "all of them name one row that is not there");
    }

    #[tokio::test]
    async fn a_complete_scan_stays_as_it_was_until_the_next_has_read_all() {
        let (to, _events) = mpsc::channel(1_000);
        let mut worker = Worker::new(rules(), to);
        scan(&mut worker).await;
        reads(&mut worker, 1..4).await;
        ends(&mut worker).await;
        let (epoch, shown_at) = (worker.epoch, worker.shown_at);
        for again in ["fails", "is complete"] {
            scan(&mut worker).await;
            reads(&mut worker, 3..6).await;
            assert_eq!((held(&worker), worker.engine.came()), (vec![1, 2, 3], (3, 0)), "{again}");
            if again == "fails" {
                fails(&mut worker).await;
                assert_eq!((held(&worker), worker.shown_at), (vec![1, 2, 3], shown_at));
            }
        }
        assert_eq!(worker.epoch, epoch, "an export under way goes on");
        ends(&mut worker).await;
        assert_eq!(held(&worker), [3, 4, 5]);
        assert!(worker.epoch > epoch && worker.shown_at >= shown_at);
    }
}
