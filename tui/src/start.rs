//! Opening what a context names: the pool, the table, the journal.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use secrecy::ExposeSecret;
use userlink_db::{Condition, Db, DbError, Journal, JournalError, Linkage, Literal, RowWriter, UsersTable};
use userlink_domain::Timestamp;
use userlink_link::{Change, Evidence, Rules};
use userlink_pool::{AppClients, PoolError, PoolReader, PoolWriter, Remedy};
use userlink_repair::{Origin, Patience, Process, Repairer};
use userlink_ui::JournalPlace;

use crate::actor::Actor;
use crate::demo::Demo;
use crate::scan::{Sources, wrong_account};
use crate::settings::Context;
use crate::snapshot::{Kept, Of, Shelf, What};

/// What to open: a context of the settings, or the demo's own world.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    Context(Box<Context>),
    Demo(Demo),
}

/// Everything open.
pub(crate) struct Opened {
    pub(crate) sources: Sources,
    pub(crate) rules: Rules,
    /// What was opened.
    pub(crate) context: Context,
    pub(crate) repairs: Repairs,
    /// Who is said to do it.
    pub(crate) actor: Actor,
    /// What was done, for whoever asks; where it cannot be read, why.
    pub(crate) journal: Result<Journal, String>,
    /// For how long a token may be used, once that was asked.
    pub(crate) tokens: tokio::sync::OnceCell<String>,
    /// The app clients, once they have been looked at.
    clients: tokio::sync::OnceCell<AppClients>,
    /// The account that the pool is in, once that was asked.
    account: tokio::sync::OnceCell<Option<String>>,
    /// Where the journal lies, where repairs are possible.
    pub(crate) journal_place: Option<JournalPlace>,
    /// Where scans are kept, and what they are of.
    pub(crate) shelf: Option<(Shelf, Of)>,
    /// Whether steps that earlier runs left open have been looked for.
    pub(crate) looked: AtomicBool,
    /// What has to stay alive as long as this is used: the demo's pool.
    _keep: Option<Box<dyn Any + Send + Sync>>,
}

impl Opened {
    /// The app clients, looked at once.
    pub(crate) async fn app_clients(&self) -> Result<&AppClients, PoolError> {
        self.clients.get_or_try_init(|| self.sources.pool.app_clients()).await
    }
}

/// Whether repairs can be made, and if not, why.
pub(crate) enum Repairs {
    Possible(Box<Repairer>),
    Refused(String),
}

/// Something that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) settings: bool,
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self { text: error.to_string(), settings: error.is_settings() }
    }
}

impl From<userlink_pool::PoolError> for Failure {
    fn from(error: userlink_pool::PoolError) -> Self {
        Self { text: error.to_string(), settings: error.is_settings() }
    }
}

impl From<crate::settings::SettingsError> for Failure {
    fn from(error: crate::settings::SettingsError) -> Self {
        Self { text: error.to_string(), settings: true }
    }
}

impl Start {
    pub(crate) fn context_name(&self) -> &str {
        match self {
            Self::Context(context) => &context.name,
            Self::Demo(_) => "demo",
        }
    }

    pub(crate) async fn open(&self) -> Result<Opened, Failure> {
        match self {
            Self::Context(context) => open(context, None).await,
            Self::Demo(demo) => {
                let (context, keep) = demo.begin().await?;
                open(&context, Some(keep)).await
            }
        }
    }
}

impl Context {
    pub(crate) fn shelf(&self) -> Option<Shelf> {
        Shelf::of_context(&self.name, self.keep)
    }

    fn what(&self) -> What {
        What {
            pool_id: self.pool.pool_id.clone(),
            attribute: self.pool.attribute.clone(),
            table: self.mapping.table.clone(),
            by: self.fingerprint(),
        }
    }

    /// What else tells one context's rows from another's.
    fn fingerprint(&self) -> String {
        let url = url::Url::parse(self.database.url.expose_secret());
        let database =
            url.map(|url| format!("{:?} {:?} {}", url.host_str(), url.port(), url.path())).unwrap_or_default();
        let mapping = &self.mapping;
        let conditions = mapping.conditions.iter().map(|(column, condition)| match condition {
            Condition::Equals(Literal::Text(text)) => format!("{column} = {text:?}"),
            Condition::Equals(Literal::Integer(number)) => format!("{column} = {number}"),
            Condition::Equals(Literal::Bool(truth)) => format!("{column} = {truth}"),
            Condition::Null => format!("{column} is null"),
            Condition::NotNull => format!("{column} is not null"),
        });
        let columns = [&mapping.id, &mapping.sub].into_iter().chain(&mapping.email).chain(&mapping.created_at);
        let columns: Vec<&String> = columns.chain(&mapping.updated_at).chain(&mapping.show).collect();
        let conditions: Vec<String> = conditions.collect();
        let whole = format!("{database}\n{:?}\n{columns:?}\n{conditions:?}", self.pool.endpoint_url);
        crate::snapshot::fingerprint(&whole)
    }

    /// The last complete scan of just this context, and what it is judged by. It takes as long as it takes to read it.
    pub(crate) fn last_scan(&self, now: Timestamp) -> Option<(Kept, Rules)> {
        let kept = self.shelf()?.last(now).filter(|kept| kept.of.what == self.what())?;
        let protected = self.protected(kept.of.id_kind).ok()?;
        let rules = Rules { sub_unique: kept.of.sub_unique, protected, ..Rules::new(kept.of.id_kind) };
        Some((kept, rules))
    }
}

async fn open(context: &Context, keep: Option<Box<dyn Any + Send + Sync>>) -> Result<Opened, Failure> {
    let pool = PoolReader::connect(&context.pool).await?;
    let actor = Actor::begin(&pool);
    let db = Db::connect(&context.database).await?;
    let table = db.open(context.mapping.clone()).await?;
    is_meant(context, &table)?;
    let schema = table.schema();
    let rules = Rules {
        // In a text column the same sub can stand twice, in upper and in lower case.
        sub_unique: schema.sub_unique && schema.sub_is_uuid,
        protected: context.protected(schema.id_kind)?,
        ..Rules::new(schema.id_kind)
    };
    let journal = if context.read_only { journal_to_read(context, &db).await } else { journal(context, &db).await };
    let mut place = None;
    let repairs = if context.read_only {
        Repairs::Refused("Read-only: nothing is written.".into())
    } else {
        match journal.clone() {
            Ok(journal) => {
                place = Some(if journal.is_beside(&table) { JournalPlace::Shared } else { JournalPlace::Local });
                let pool = PoolWriter::new(pool.clone());
                let (table, patience) = (table.clone(), Patience::default());
                // The demo leaves nothing behind, and no later run could find its steps.
                let process = if keep.is_none() { process() } else { Process::unseen() };
                let rows = RowWriter::new(table.clone(), context.insert_function.as_deref())?;
                // Whoever plans or writes asks for the name first.
                let unnamed = String::new();
                Repairs::Possible(Box::new(Repairer { pool, table, rows, journal, actor: unnamed, process, patience }))
            }
            Err(refused) => Repairs::Refused(refused),
        }
    };
    let replica = match &context.replica {
        Some(options) => {
            let replica = Db::connect(options).await?.open(context.mapping.clone()).await?;
            is_meant(context, &replica)?;
            Some(replica)
        }
        None => None,
    };
    let sources = Sources { pool, table, replica, account: context.account.clone(), go_on: Arc::default() };
    let shelf = context.shelf().map(|shelf| {
        let (id_kind, sub_unique) = (rules.id_kind, rules.sub_unique);
        (shelf, Of { what: context.what(), id_kind, sub_unique })
    });
    Ok(Opened {
        sources,
        rules,
        context: context.clone(),
        repairs,
        actor,
        journal,
        journal_place: place,
        tokens: tokio::sync::OnceCell::new(),
        clients: tokio::sync::OnceCell::new(),
        account: tokio::sync::OnceCell::new(),
        shelf,
        looked: AtomicBool::new(false),
        _keep: keep,
    })
}

impl Opened {
    /// Who repairs here, by name; or why nobody can.
    pub(crate) async fn repairer(&self) -> Result<Box<Repairer>, String> {
        match &self.repairs {
            Repairs::Possible(repairer) => {
                Ok(Box::new(Repairer { actor: self.actor.name().await, ..(**repairer).clone() }))
            }
            Repairs::Refused(why) => Err(why.clone()),
        }
    }

    /// What is tied to what here.
    pub(crate) fn linkage(&self) -> Linkage {
        Linkage {
            pool_id: self.context.pool.pool_id.clone(),
            attribute: self.context.pool.attribute.clone(),
            table: self.sources.table.full_name(),
        }
    }

    /// What people decided, for the linker: what was dismissed, if only up to some moment, and who was contained. None where that
    /// cannot be read; without a journal nobody has decided anything.
    pub(crate) async fn decisions(&self, until: Option<Timestamp>) -> Option<Vec<Change>> {
        let Ok(journal) = &self.journal else { return Some(Vec::new()) };
        let standing = journal.dismissals(&self.linkage(), self.rules.id_kind).await;
        let standing =
            standing.inspect_err(|error| tracing::warn!(%error, "what was dismissed cannot be read")).ok()?;
        let standing = standing.into_iter().filter(|it| until.is_none_or(|until| it.at <= until));
        let dismissed = standing.filter_map(|it| Some(Change::Dismissed(it.of, Some(Evidence::parse(&it.evidence)?))));
        let contained = journal.contained(&self.linkage()).await;
        let contained =
            contained.inspect_err(|error| tracing::warn!(%error, "who was contained cannot be read")).ok()?;
        Some(dismissed.chain(contained.into_iter().map(|sub| Change::Contained(sub, true))).collect())
    }

    /// The account that the pool is in, as the pool's ARN says it; where this role may not describe the pool, that of the
    /// credentials: nobody reaches another account's pools. None where neither is known, as with an emulator.
    ///
    /// # Errors
    /// Where it is not the one that the context is pinned to, or cannot be seen to be.
    pub(crate) async fn account(&self) -> Result<Option<String>, String> {
        let pinned = self.context.account.as_ref();
        let ask = async || match self.sources.pool.describe().await {
            Ok(described) if described.account.is_some() => Ok(described.account),
            Err(error) if pinned.is_some() && error.remedy() != Remedy::NotPermitted => Err(error.to_string()),
            Ok(_) | Err(_) => Ok(self.actor.account().await),
        };
        let found = self.account.get_or_try_init(ask).await?;
        match pinned {
            Some(_) if pinned != found.as_ref() => Err(wrong_account(found.as_deref())),
            _ => Ok(found.clone()),
        }
    }

    /// What a plan is made from that was scanned at this moment.
    pub(crate) fn origin(&self, account: Option<String>, scanned_at: Timestamp, users: u64, rows: u64) -> Origin {
        let (context, table) = (&self.context, &self.sources.table);
        Origin {
            context: context.name.clone(),
            account,
            pool: context.pool.pool_id.clone(),
            attribute: context.pool.attribute.clone(),
            database: table.schema().database.clone(),
            table: table.full_name(),
            scanned_at,
            users,
            rows,
        }
    }
}

/// Whether this is the database that the context is pinned to.
fn is_meant(context: &Context, table: &UsersTable) -> Result<(), Failure> {
    let found = &table.schema().database;
    match &context.database_name {
        Some(pinned) if pinned != found => Err(Failure {
            text: format!(
                "The database is {found}, and the context is pinned to {pinned}. Check database_url, replica_url and database."
            ),
            settings: true,
        }),
        _ => Ok(()),
    }
}

/// The journal in the application's database where it was made there, else in a file of ours. Production wants the shared
/// one: with a local journal two people cannot know of each other.
pub(crate) async fn journal(context: &Context, db: &Db) -> Result<Journal, String> {
    match Journal::open(db).await {
        Ok(journal) => return Ok(journal),
        Err(JournalError::Missing) => {}
        Err(error) => return Err(error.to_string()),
    }
    if context.production {
        return Err("Production writes only with the shared journal: run userlink migrate first.".into());
    }
    let path = local_journal(&context.name).ok_or("There is no place for the journal: no home directory.")?;
    let failed = |why: String| format!("The journal {} cannot be opened: {why}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(error.kind().to_string()))?;
    }
    private(&path).map_err(|error| failed(error.kind().to_string()))?;
    Journal::open_local(&path).await.map_err(|error| failed(error.to_string()))
}

/// The journal that is there, and none is made.
async fn journal_to_read(context: &Context, db: &Db) -> Result<Journal, String> {
    match Journal::open(db).await {
        Ok(journal) => return Ok(journal),
        Err(JournalError::Missing) => {}
        Err(error) => return Err(error.to_string()),
    }
    match local_journal(&context.name) {
        Some(path) if path.exists() => Journal::open_local(&path).await.map_err(|error| error.to_string()),
        _ => Err("There is no journal yet: nothing has been repaired.".to_owned()),
    }
}

/// Makes the file for its owner alone before anything is in it.
fn private(path: &std::path::Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn local_journal(context: &str) -> Option<PathBuf> {
    let name: String = context.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let dirs = directories::BaseDirs::new()?;
    Some(dirs.data_local_dir().join("userlink").join(format!("journal-{name}.db")))
}

/// This run, as later ones on this machine can see it end. Where there is no place for that, what it leaves open has to grow
/// old before anybody looks at it.
fn process() -> Process {
    let folder = directories::BaseDirs::new().map(|dirs| dirs.data_local_dir().join("userlink").join("runs"));
    let begun = folder.and_then(|folder| {
        Process::begin(&folder)
            .inspect_err(|error| tracing::warn!(%error, "this run cannot be seen by later ones"))
            .ok()
    });
    begun.unwrap_or_else(Process::unseen)
}
