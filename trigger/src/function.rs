//! The function: what lives as long as its process.

use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;
use userlink_db::Linking;
use userlink_pool::{PoolError, PoolOptions, PoolReader, PoolWriter, Rates};

use crate::breaker::Breaker;
use crate::budget::Budget;
use crate::database::{Database, DatabaseError};
use crate::event::{Trigger, trigger, trigger_name};
use crate::queue::Queue;
use crate::report::{Refusal, Report};
use crate::settings::{OnEmailTaken, OnFailure, Settings};

/// What connecting may take before the first event is asked for. Lambda counts it, and a user is waiting.
const WARM_UP: Duration = Duration::from_millis(500);
/// The first event comes this soon where it is why the process was started.
const AT_ONCE: Duration = Duration::from_millis(250);

/// One connection to the database, one client of the pool, kept from one event to the next.
pub struct Function {
    pub(crate) settings: Settings,
    pub(crate) database: Database,
    pub(crate) queue: Option<Queue>,
    pub(crate) breaker: Breaker,
    pool: Mutex<Option<PoolWriter>>,
    started: Instant,
    ready: OnceLock<Instant>,
    called: AtomicBool,
}

impl Function {
    /// `started` is when the process was: on a cold start Cognito has been waiting since then. Nothing is connected yet.
    pub fn new(settings: Settings, started: Instant) -> Self {
        Self {
            database: Database::new(&settings),
            queue: settings.retry_queue_url.clone().map(|url| Queue::new(url, settings.region.clone())),
            breaker: Breaker::default(),
            pool: Mutex::default(),
            started,
            ready: OnceLock::new(),
            called: AtomicBool::new(false),
            settings,
        }
    }

    /// Connects to the database and looks at the table, for half a second at most. Whatever fails is tried again, and said,
    /// with the first event.
    pub async fn warm_up(&self) {
        // While the database is waited for.
        drop(std::thread::Builder::new().spawn(userlink_pool::read_root_certificates));
        let linking: Pin<Box<dyn Future<Output = Result<Linking, DatabaseError>> + Send + '_>> =
            Box::pin(self.linking());
        drop(timeout(WARM_UP, linking).await);
        self.ready.get_or_init(Instant::now);
    }

    /// Answers one event: with the event as it came, or with an error that says nothing of anybody. One line in the log, and
    /// one of metrics.
    ///
    /// # Errors
    /// Where the user was not linked, and the settings want that to be an error.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Refusal> {
        // Boxed, so that whoever calls this is spared what it is made of: the compiler counts how deep futures are.
        let answer: Pin<Box<dyn Future<Output = Result<Value, Refusal>> + '_>> = Box::pin(self.answer(event));
        answer.await
    }

    async fn answer(&self, event: LambdaEvent<Value>) -> Result<Value, Refusal> {
        let began = Instant::now();
        let LambdaEvent { payload, context } = event;
        let is_first = !self.called.swap(true, Ordering::Relaxed);
        let waited = self.ready.get().map_or(Duration::ZERO, Instant::elapsed);
        let cold = is_first && waited < AT_ONCE;
        // Where the process was started ahead of time nobody has been waiting since.
        let from = if cold { self.started } else { began };
        let deadline = (context.deadline > 0).then(|| context.deadline());
        let has_queue = self.queue.is_some();
        let budget = Budget::new(from, self.settings.deadline, deadline, has_queue);

        let mut report = Report { cold, ..Report::default() };
        match trigger(&payload) {
            Trigger::Retry(records) => return Ok(self.retry(records, deadline, &context.request_id).await),
            Trigger::Look { pool } => return Ok(self.look(pool, deadline, &context.request_id).await),
            Trigger::SignIn => {
                let budget = Budget::of_sign_in(began, deadline, has_queue);
                self.sign_in(&payload, budget, &mut report).await;
            }
            Trigger::ConfirmSignUp => {
                self.confirm(&payload, budget, true, &mut report).await;
                report.refused = self.is_refused(&report);
            }
            // The password is changed already; whoever fails here locks somebody out.
            Trigger::ConfirmForgotPassword => self.confirm(&payload, budget, false, &mut report).await,
            Trigger::Other => {}
        }
        if cold {
            report.advice = self.advice().await;
        }
        report.total = began.elapsed();
        report.write(&context.request_id, &trigger_name(&payload));
        if report.refused { Err(Refusal::NotLinked) } else { Ok(payload) }
    }

    fn is_refused(&self, report: &Report) -> bool {
        match report.outcome {
            Some("linked") | None => false,
            Some("email_taken") => self.settings.on_email_taken == OnEmailTaken::Error,
            // As for an e-mail that is taken, which is what it is.
            Some("row_taken" | "ambiguous" | "email_match" | "federated_twin") => {
                self.settings.on_email_taken == OnEmailTaken::Error
            }
            Some(_) => self.settings.on_failure == OnFailure::Error,
        }
    }

    /// The table, looked at once.
    pub(crate) async fn linking(&self) -> Result<Linking, DatabaseError> {
        self.database.linking().await
    }

    /// The table may have been changed: it is looked at again.
    pub(crate) async fn forget_table(&self) {
        self.database.forget_table().await;
    }

    /// What would make this quicker.
    async fn advice(&self) -> Option<&'static str> {
        let linking = self.database.known().await?;
        linking.reads_all_for_an_email().then_some(
            "every confirmation reads the whole table, to see whether a row has the e-mail: make an index on lower(email)",
        )
    }

    /// A client of this pool.
    pub(crate) async fn pool(&self, pool_id: &str) -> Result<PoolWriter, PoolError> {
        let mut kept = self.pool.lock().await;
        if let Some(pool) = kept.as_ref().filter(|pool| pool.reader().pool_id() == pool_id) {
            return Ok(pool.clone());
        }
        // One event, one request: the quota is kept by whoever confirms.
        let rates = Rates { list: 1000.0, read: 1000.0, update: 1000.0, describe: 1000.0 };
        let options = self.pool_options(pool_id, rates);
        let reader = PoolReader::connect(&options).await?;
        Ok(kept.insert(PoolWriter::new(reader)).clone())
    }

    pub(crate) fn pool_options(&self, pool_id: &str, rates: Rates) -> PoolOptions {
        let endpoint_url = self.settings.endpoint_url.clone();
        PoolOptions {
            pool_id: pool_id.to_owned(),
            region: self.settings.region.clone().filter(|_| endpoint_url.is_some()),
            aws_profile: None,
            endpoint_url,
            attribute: self.settings.attribute.clone(),
            rates,
            made_up_credentials: false,
        }
    }
}

/// The settings have a password in them.
impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Function")
    }
}
