//! The demo: an embedded pool and an embedded SQLite database, filled with every situation. Nothing of it outlives the
//! program.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;
use userlink_db::{Db, DbOptions, Journal, JournalEntry, Linkage, Mapping, MigrateOptions, Outcome, migrate};
use userlink_domain::{RecordRef, Row, Situation, Step, Timestamp};
use userlink_emulator::{Client, Emulator, Faults, PoolOptions, Quotas, Source, World};
use userlink_pool::Rates;
use uuid::Uuid;

use crate::cli::DemoArgs;
use crate::clock;
use crate::settings::Context;
use crate::snapshot::Keep;
use crate::start::Failure;

/// A pool that answers at once would hide what a scan looks like.
const LATENCY: Duration = Duration::from_millis(15);
/// Steps that the demo's journal begins with.
const REMEMBERED: usize = 3;
/// Rows in one transaction.
const CHUNK: usize = 10_000;

/// The demo's world, not yet served.
#[derive(Clone, Debug)]
pub(crate) struct Demo {
    world: Arc<World>,
    folder: Arc<TempDir>,
    args: Arc<DemoArgs>,
    read_only: bool,
}

impl Demo {
    pub(crate) fn prepare(args: &DemoArgs, read_only: bool) -> anyhow::Result<Self> {
        let world = World::new(args.users, args.seed, clock::now())
            .map_err(|error| Failure { text: error.to_string(), settings: true })?;
        let folder = tempfile::Builder::new()
            .prefix("userlink-demo-")
            .tempdir()
            .context("There is no place for the demo's database")?;
        Ok(Self { world: Arc::new(world), folder: Arc::new(folder), args: Arc::new(args.clone()), read_only })
    }

    fn database_url(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("demo.db").display())
    }

    fn pool_options(&self) -> PoolOptions {
        let faults = if self.args.faults {
            Faults {
                empty_pages: 0.05,
                short_pages: 0.1,
                throttled: 0.05,
                internal: 0.01,
                dropped: 0.01,
                ..Faults::default()
            }
        } else {
            Faults::default()
        };
        let latency = self.args.latency_ms.map_or(LATENCY, Duration::from_millis);
        PoolOptions {
            faults: Faults { latency, seed: self.args.seed, ..faults },
            quotas: self.args.quotas.then_some(Quotas::AWS),
            clients: vec![web()],
            post_confirmation: Some("arn:aws:lambda:eu-central-1:000000000000:function:post-confirmation".into()),
            ..PoolOptions::new(Source::World(self.world.clone()))
        }
    }

    /// The context of the demo. The pool's address is not known before it is served.
    pub(crate) fn context(&self) -> Context {
        let pool = self.pool_options();
        // Nobody else lives from this quota; a strict pool is listed as a real one would be.
        let list = if self.args.quotas { Rates::default().list } else { 1_000.0 };
        Context {
            name: "demo".into(),
            pool: userlink_pool::PoolOptions {
                pool_id: pool.pool_id,
                region: None,
                aws_profile: None,
                endpoint_url: None,
                attribute: pool.attribute,
                rates: Rates { list, ..Rates::default() },
                made_up_credentials: true,
            },
            account: None,
            database_name: None,
            replica: None,
            database: DbOptions { read_only: self.read_only, ..DbOptions::new(self.database_url()) },
            mapping: Mapping::default(),
            read_only: self.read_only,
            production: false,
            mask: false,
            keep: Keep::Off,
            insert_function: None,
            price: None,
            limits: userlink_repair::Limits::default(),
            protected: self.world.protected().iter().map(written).collect(),
        }
    }

    /// Serves the pool and fills the database. Gives the context, and what has to be kept while it is used.
    pub(crate) async fn begin(&self) -> Result<(Context, Box<dyn Any + Send + Sync>), Failure> {
        let failed = |what: &str| Failure {
            text: format!("The demo's {what}. Is there space in the temporary directory?"),
            settings: false,
        };
        let emulator = Emulator::start(self.pool_options()).await.map_err(|_| failed("pool cannot be served"))?;
        let mut context = self.context();
        fill(&self.database_url(), &self.world, &context).await.map_err(|_| failed("database cannot be filled"))?;
        context.pool.endpoint_url = Some(emulator.endpoint_url());
        Ok((context, Box::new((emulator, self.folder.clone()))))
    }

    /// Serves both until it is stopped.
    pub(crate) async fn serve(&self) -> anyhow::Result<u8> {
        let (context, keep) = self.begin().await?;
        let line = serde_json::json!({
            "endpoint_url": context.pool.endpoint_url,
            "pool_id": context.pool.pool_id,
            "region": context.pool.pool_id.split('_').next(),
            "database_url": self.database_url(),
        });
        {
            use std::io::Write;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped?,
            _ = terminated.recv() => {}
        }
        drop(keep);
        Ok(crate::commands::DONE)
    }
}

/// The application, which lets its users write their e-mail and nothing else.
fn web() -> Client {
    let client = Client::new("web");
    Client { write_attributes: Some(vec!["email".into()]), id_token_minutes: Some(60), ..client }
}

/// A record as the settings write it.
fn written(of: &RecordRef) -> String {
    match of {
        RecordRef::User(sub) => sub.to_string(),
        RecordRef::Row(id) => id.to_string(),
    }
}

/// The users table as many applications have it: nothing in it forbids that a sub stands twice.
const TABLE: &str = "CREATE TABLE users (id UUID_TEXT NOT NULL, cognito_sub TEXT, email TEXT, created_at TEXT)";
/// Its indexes, made when it is filled: in millions of rows that come in no order each one would be put in its place.
const INDEXES: &str =
    "CREATE UNIQUE INDEX users_id ON users (id); CREATE INDEX users_cognito_sub ON users (cognito_sub)";

/// Makes the users table and the journal, and fills in the world's rows.
async fn fill(url: &str, world: &World, context: &Context) -> anyhow::Result<()> {
    let db = Db::connect(&DbOptions { create_if_missing: true, ..DbOptions::new(url) }).await?;
    migrate(&db, &MigrateOptions { users_table: false, journal: true }).await?;
    db.close().await;
    // It is gone with the program: nothing has to survive a crash.
    let options: SqliteConnectOptions = url.parse()?;
    let options = options.synchronous(SqliteSynchronous::Off).journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::raw_sql(TABLE).execute(&pool).await?;
    let mut rows = world.rows().peekable();
    while rows.peek().is_some() {
        let mut transaction = pool.begin().await?;
        for row in rows.by_ref().take(CHUNK) {
            insert(&mut transaction, row).await?;
        }
        transaction.commit().await?;
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql(INDEXES).execute(&pool).await?;
    pool.close().await;
    remember(url, world, context).await?;
    Ok(())
}

/// What somebody repaired yesterday: a history that begins today would be empty.
async fn remember(url: &str, world: &World, context: &Context) -> anyhow::Result<()> {
    let db = Db::connect(&DbOptions::new(url)).await?;
    let journal = Journal::open(&db).await?;
    let table = db.open(context.mapping.clone()).await?.full_name();
    let (pool_id, attribute) = (context.pool.pool_id.clone(), context.pool.attribute.clone());
    let linkage = Linkage { pool_id, attribute, table };
    let (run, yesterday) = (Uuid::now_v7(), clock::now().as_millis() - 24 * 3_600_000);
    for (step_no, row) in (1..).zip(world.rows().take(REMEMBERED)) {
        let Some(sub) = row.sub() else { continue };
        let username = world.index_of_sub(sub).and_then(|index| world.user(index)).map(|user| user.username);
        let Some(username) = username.map(|name| name.as_str().to_owned()) else { continue };
        let at = Timestamp::from_millis(yesterday + step_no * 400);
        let entry = JournalEntry {
            run,
            step_no,
            plan: None,
            linkage: linkage.clone(),
            process: None,
            step: Step::WriteUserId { username: username.clone(), expect: None, value: row.id.to_string() },
            situation: Situation::RowSideOnly,
            actor: "kim@support-desk".to_owned(),
            reason: Some("OPS-4711 backfill".to_owned()),
            at,
            username: Some(username),
            sub: Some(sub),
            row: Some(row.id.to_string()),
        };
        journal.opened(&entry).await?;
        journal.closed(run, step_no, Outcome::Done, "", at).await?;
    }
    db.close().await;
    Ok(())
}

async fn insert(connection: &mut sqlx::SqliteConnection, row: Row) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO users (id, cognito_sub, email, created_at) VALUES (?, ?, ?, ?)";
    let query = sqlx::query(text).bind(row.id.to_string()).bind(row.sub.map(String::from));
    let created = row.created_at.map(|at| at.to_string());
    query.bind(row.email.map(String::from)).bind(created).execute(connection).await.map(drop)
}
