//! Ada, whose row 41 carries her sub and whose `user_id` is empty; and whoever else a test wants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio_util::sync::CancellationToken;
use userlink_db::{
    Db, DbOptions, History, Journal, JournalEntry, Linkage, Mapping, MigrateOptions, Outcome, RowWriter, migrate,
};
use userlink_domain::{IdKind, PoolUser, RecordRef, Row, RowId, Situation, Step, Sub, Timestamp};
use userlink_emulator::{Emulator, PoolOptions as Served, Quotas, Source};
use userlink_kit::{Fate, Gate, TestDatabase, fresh_postgres_database};
use userlink_link::{Linker, Rules};
use userlink_pool::{PoolOptions, PoolReader, PoolWriter, Rates};
use userlink_repair::{
    Choice, Confirmation, Ended, Limits, Maker, Origin, Patience, Plan, Process, Repairer, RowSide, Selection,
    StepResult, Summary, Verdict, plan,
};
use uuid::Uuid;

pub(crate) const UPDATE: &str = "AdminUpdateUserAttributes";
pub(crate) const GET: &str = "AdminGetUser";
pub(crate) const ADA: u64 = 41;

pub(crate) struct World {
    pub(crate) pool: Emulator,
    pub(crate) gate: Gate,
    url: String,
    postgres: Option<TestDatabase>,
    directory: tempfile::TempDir,
}

/// One world on SQLite and one on PostgreSQL, whose requests have these fates.
pub(crate) async fn both<R: FnMut(&str) -> Fate + Send + 'static>(rule: impl Fn() -> R) -> [World; 2] {
    [World::new(None, rule()).await, World::new(Some(fresh_postgres_database().await), rule()).await]
}

/// A world on SQLite.
pub(crate) async fn sqlite(rule: impl FnMut(&str) -> Fate + Send + 'static) -> World {
    World::new(None, rule).await
}

pub(crate) fn pass() -> impl FnMut(&str) -> Fate + Send + 'static {
    |_: &str| Fate::Pass
}

/// A user called by a number, which is also her row's id.
pub(crate) fn user(number: u64) -> PoolUser {
    PoolUser::new(Sub::from_u128(u128::from(number)), format!("user-{number}"))
}

pub(crate) fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap())
}

/// When every step that is open now is over.
pub(crate) fn much_later() -> Timestamp {
    Timestamp::from_millis(now().as_millis() + 16 * 60 * 1000)
}

impl World {
    async fn new(postgres: Option<TestDatabase>, rule: impl FnMut(&str) -> Fate + Send + 'static) -> Self {
        Self::of(10, None, postgres, rule).await
    }

    /// So many users, all `row_side_only`, in a pool with these quotas.
    pub(crate) async fn of(
        size: u64,
        quotas: Option<Quotas>,
        postgres: Option<TestDatabase>,
        rule: impl FnMut(&str) -> Fate + Send + 'static,
    ) -> Self {
        let users = (ADA..ADA + size).map(user).collect();
        let options = Served { quotas, ..Served::new(Source::Users(users)) };
        let pool = Emulator::start(options).await.unwrap();
        let gate = Gate::before(&pool.endpoint_url(), rule).await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.db");
        std::fs::File::create(&file).unwrap();
        let url = postgres.as_ref().map_or(format!("sqlite://{}", file.display()), |database| database.url.clone());
        let world = Self { pool, gate, url, postgres, directory };
        world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text)").await;
        let values: Vec<String> = (ADA..ADA + size).map(|n| format!("({n}, '{}')", user(n).sub)).collect();
        world.run(&format!("INSERT INTO users VALUES {}", values.join(", "))).await;
        migrate(&world.db().await, &MigrateOptions::default()).await.unwrap();
        world
    }

    pub(crate) async fn db(&self) -> Db {
        Db::connect(&DbOptions::new(&self.url)).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        if self.postgres.is_some() {
            PgConnection::connect(&self.url).await.unwrap().execute(sql).await.unwrap();
        } else {
            SqliteConnection::connect(&self.url).await.unwrap().execute(sql).await.unwrap();
        }
    }

    /// Somebody with connections of their own, on another machine.
    pub(crate) async fn repairer(&self, actor: &str) -> Repairer {
        let rates = Rates { list: 1000.0, read: 1000.0, update: 1000.0, describe: 1000.0 };
        self.repairer_at(actor, rates).await
    }

    /// The same, with these rates.
    pub(crate) async fn repairer_at(&self, actor: &str, rates: Rates) -> Repairer {
        let options = PoolOptions {
            pool_id: self.pool.pool_id().into(),
            region: None,
            aws_profile: None,
            endpoint_url: Some(self.gate.url.clone()),
            attribute: "custom:userId".into(),
            rates,
            made_up_credentials: true,
        };
        let db = self.db().await;
        let mapping = Mapping { email: None, created_at: None, ..Mapping::default() };
        let table = db.open(mapping).await.unwrap();
        Repairer {
            pool: PoolWriter::new(PoolReader::connect(&options).await.unwrap()),
            rows: RowWriter::new(table.clone(), None).unwrap(),
            table,
            journal: Journal::open(&db).await.unwrap(),
            actor: actor.into(),
            process: Process::unseen(),
            patience: Patience { throttled: Duration::from_secs(1), landing: Duration::from_millis(300) },
        }
    }

    /// As [`Self::repairer`], on this machine: later runs see this one end.
    pub(crate) async fn run_of(&self, actor: &str) -> Repairer {
        Repairer { process: Process::begin(&self.directory.path().join("runs")).unwrap(), ..self.repairer(actor).await }
    }

    /// A user and her row, as they were shown.
    pub(crate) async fn shown(&self, number: u64) -> Fresh {
        let id = RowId::BigInt(i64::try_from(number).unwrap());
        let row = self.repairer("").await.table.by_ids(&[id]).await.unwrap().remove(0);
        Fresh { user: user(number), row }
    }

    pub(crate) fn user_id(&self, number: u64) -> Option<String> {
        self.pool.user(&format!("user-{number}"))?.user_id.map(String::from)
    }

    /// Somebody else changes a user.
    pub(crate) fn elsewhere(&self, number: u64, change: impl FnOnce(&mut PoolUser)) {
        assert!(self.pool.change_user(&format!("user-{number}"), change));
    }

    /// How the steps of the journal ended, newest first; `None` where they are open.
    pub(crate) async fn endings(&self) -> Vec<Option<(Outcome, String)>> {
        let steps = self.repairer("").await.journal.history(&History::All, 100).await.unwrap();
        steps.into_iter().map(|step| step.closing.map(|closing| (closing.outcome, closing.detail))).collect()
    }

    /// The outcomes alone.
    pub(crate) async fn outcomes(&self) -> Vec<Option<Outcome>> {
        self.endings().await.into_iter().map(|ending| ending.map(|(outcome, _)| outcome)).collect()
    }

    /// A step about a user that Bob left open at this moment.
    pub(crate) async fn left_open(&self, number: u64, at: Timestamp) -> JournalEntry {
        let entry = JournalEntry {
            run: Uuid::now_v7(),
            step_no: 1,
            plan: None,
            linkage: Linkage {
                pool_id: self.pool.pool_id().into(),
                attribute: "custom:userId".into(),
                table: self.repairer("").await.table.full_name(),
            },
            process: None,
            step: Step::WriteUserId { username: format!("user-{number}"), expect: None, value: number.to_string() },
            situation: Situation::RowSideOnly,
            actor: "bob".into(),
            reason: None,
            at,
            username: Some(format!("user-{number}")),
            sub: Some(user(number).sub),
            row: Some(number.to_string()),
        };
        self.repairer("bob").await.journal.opened(&entry).await.unwrap();
        entry
    }

    /// Everything as it is now, for planning.
    pub(crate) async fn scanned(&self, size: u64) -> Linker {
        let users = (ADA..ADA + size).filter_map(|number| self.pool.user(&format!("user-{number}"))).collect();
        let rows = self.repairer("").await.table.page(None, 100_000).await.unwrap();
        Linker::bulk(users, rows, Rules { writable: Some(false), ..Rules::new(IdKind::BigInt) })
    }

    /// A plan for everything that is safe, or for what was chosen.
    pub(crate) async fn planned(&self, size: u64, selection: Selection) -> Plan {
        let mut linker = self.scanned(size).await;
        let maker = self.maker(&linker).await;
        plan(&mut linker, &selection, &Limits { users: u64::MAX, ..Limits::default() }, maker).unwrap()
    }

    /// Ada, who plans on what was scanned.
    pub(crate) async fn maker(&self, linker: &Linker) -> Maker {
        let (users, rows) = linker.len();
        let origin = Origin {
            context: "test".into(),
            account: None,
            pool: self.pool.pool_id().into(),
            attribute: "custom:userId".into(),
            database: self.repairer("").await.table.schema().database.clone(),
            table: self.repairer("").await.table.full_name(),
            scanned_at: now(),
            users: users as u64,
            rows: rows as u64,
        };
        by("ada", origin)
    }

    /// Both pointers of everybody.
    pub(crate) async fn pointers(&self, size: u64) -> Vec<String> {
        let users = (ADA..ADA + size).map(|number| format!("user-{number} {:?}", self.user_id(number)));
        let rows = self.repairer("").await.table.page(None, 100_000).await.unwrap();
        users.chain(rows.iter().map(|row| format!("row {} {:?}", row.id, row.sub))).collect()
    }
}

/// A user and her row, as they were shown.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) user: PoolUser,
    pub(crate) row: Row,
}

/// What came of a plan for one user.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) verdict: Verdict,
    pub(crate) words: Vec<String>,
    pub(crate) user: Option<PoolUser>,
    pub(crate) rows: Option<RowSide>,
}

/// Somebody else has the user in hand.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) by: String,
    pub(crate) words: String,
}

pub(crate) trait WriteOne {
    /// Plans for one user as she was shown, confirms and applies.
    fn write_user_id(
        &self,
        shown: &Fresh,
        now: impl Fn() -> Timestamp + Send + Sync + Clone,
    ) -> impl Future<Output = Result<Applied, Claimed>> + Send;
}

impl WriteOne for Repairer {
    async fn write_user_id(
        &self,
        shown: &Fresh,
        now: impl Fn() -> Timestamp + Send + Sync + Clone,
    ) -> Result<Applied, Claimed> {
        let rules = Rules { writable: Some(false), ..Rules::new(IdKind::BigInt) };
        let mut linker = Linker::bulk(vec![shown.user.clone()], vec![shown.row.clone()], rules);
        let linkage = self.linkage();
        let origin = Origin {
            context: "test".into(),
            account: None,
            pool: linkage.pool_id,
            attribute: linkage.attribute,
            database: self.table.schema().database.clone(),
            table: linkage.table,
            scanned_at: crate::world::now(),
            users: 1,
            rows: 1,
        };
        let maker = by(&self.actor, origin);
        let choice = Choice { of: RecordRef::User(shown.user.sub), pairs: Vec::new(), reason: None };
        let plan = plan(&mut linker, &Selection::Chosen(vec![choice]), &Limits::default(), maker).unwrap();
        let confirmed = self.confirm(plan, &sure(), crate::world::now()).unwrap();
        let mut ended = Vec::new();
        let stop = CancellationToken::new();
        self.run(&confirmed, &stop, |result| ended.push(result.clone()), now).await.unwrap();
        assert_eq!(ended.len(), 1, "one step");
        let StepResult { ended, words, user, rows, .. } = ended.remove(0);
        match ended {
            Ended::Made(verdict) => Ok(Applied { verdict, words, user, rows }),
            Ended::Claimed { by } => Err(Claimed { by, words: words.join(" ") }),
            other => panic!("{other:?}"),
        }
    }
}

/// Somebody plans, now.
pub(crate) fn by(name: &str, origin: Origin) -> Maker {
    let unfilled = (Vec::new(), Vec::new());
    Maker { id: Uuid::now_v7(), by: name.into(), at: now(), origin, sign_out: false, unfilled }
}

/// What a person says who is sure.
pub(crate) fn sure() -> Confirmation {
    Confirmation { reason: None, production: None, shared_journal: true, account: None, max_age_hours: 24 }
}

/// Applies a plan to its end.
pub(crate) async fn apply(repairer: &Repairer, plan: &Plan) -> Summary {
    let confirmed = repairer.confirm(plan.clone(), &sure(), now()).unwrap();
    repairer.run(&confirmed, &CancellationToken::new(), |_| {}, now).await.unwrap()
}
