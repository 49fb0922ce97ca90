//! The pool over HTTP: AWS's JSON protocol, on a free port of the loopback interface.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use userlink_domain::{PoolUser, Timestamp};
use uuid::Uuid;

use crate::clients::{Client, Registered};
use crate::clock::{Clock, Moment};
use crate::faults::{Fate, Faults};
use crate::operations::{Asked, Pool};
use crate::quota::{Meters, Quotas};
use crate::refusal::Refusal;
use crate::schema::Schema;
use crate::store::Store;
use crate::user::Stored;
use crate::world::World;

/// Bytes of a request at most.
const LARGEST: usize = 1 << 20;

/// Where the users come from.
#[derive(Debug)]
pub enum Source {
    /// These, in this order.
    Users(Vec<PoolUser>),
    /// Computed when they are asked for.
    World(Arc<World>),
}

/// A pool to be served.
#[derive(Debug)]
pub struct PoolOptions {
    pub pool_id: String,
    pub source: Source,
    /// The attribute that names the row; it is mutable.
    pub attribute: String,
    /// Whether people sign in by e-mail, so that usernames of new users are subs.
    pub email_sign_in: bool,
    /// The app clients that it has from the beginning.
    pub clients: Vec<Client>,
    /// Whether people can sign up by themselves; else an administrator makes every user.
    pub self_sign_up: bool,
    /// The ARN of the function that the pool says it calls after a confirmation.
    pub post_confirmation: Option<String>,
    pub quotas: Option<Quotas>,
    pub faults: Faults,
    /// How many of the pool's seconds pass in one: for the age of tokens, the quotas and the lag of listings. Dates of users
    /// and [`Faults::latency`] are by everybody's clock.
    pub time_scale: f64,
}

impl PoolOptions {
    pub fn new(source: Source) -> Self {
        Self {
            pool_id: "eu-central-1_Demo00001".into(),
            source,
            attribute: "custom:userId".into(),
            email_sign_in: true,
            clients: Vec::new(),
            self_sign_up: true,
            post_confirmation: None,
            quotas: None,
            faults: Faults::default(),
            time_scale: 1.0,
        }
    }
}

/// What was asked of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests by operation.
    pub requests: BTreeMap<String, u64>,
    /// Requests that were refused as too many.
    pub throttled: u64,
}

/// A running pool. It stops when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    pool_id: String,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

struct Shared {
    pools: Mutex<HashMap<String, Pool>>,
    faults: Mutex<Faults>,
    quotas: Mutex<(Option<Quotas>, Meters)>,
    stats: Mutex<Stats>,
    clock: Clock,
    number: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Emulator {
    /// Serves the pool on a free port.
    ///
    /// # Errors
    /// Where no port can be listened on.
    pub async fn start(options: PoolOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let clients = (0..).zip(options.clients).map(|(number, client)| Registered::first(number, client, now()));
        let pool = Pool {
            id: options.pool_id.clone(),
            name: "demo".into(),
            schema: Schema::with(&options.attribute),
            store: Store::new(options.source, options.attribute, options.email_sign_in),
            clients: clients.collect(),
            self_sign_up: options.self_sign_up,
            post_confirmation: options.post_confirmation,
            token_expires_after: options.faults.token_expires_after,
            pages: 0,
        };
        let shared = Arc::new(Shared {
            pools: Mutex::new(HashMap::from([(options.pool_id.clone(), pool)])),
            faults: Mutex::new(options.faults),
            quotas: Mutex::new((options.quotas, Meters::default())),
            stats: Mutex::default(),
            clock: Clock::start(options.time_scale),
            number: AtomicU64::new(0),
        });
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, shared.clone(), stop.clone()));
        Ok(Self { address, pool_id: options.pool_id, shared, _stop: stop.drop_guard() })
    }

    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pool_id(&self) -> &str {
        &self.pool_id
    }

    /// The part of the pool's id before the underscore.
    pub fn region(&self) -> &str {
        self.pool_id.split('_').next().unwrap_or_default()
    }

    /// From now on these things go wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.with_pool(|pool, _| {
            pool.token_expires_after = faults.token_expires_after.map(|after| pool.pages + after);
        });
        *lock(&self.shared.faults) = faults;
    }

    /// From now on so many requests a second are allowed; those of the last second count.
    pub fn set_quotas(&self, quotas: Option<Quotas>) {
        lock(&self.shared.quotas).0 = quotas;
    }

    pub fn stats(&self) -> Stats {
        lock(&self.shared.stats).clone()
    }

    /// A user as it is now, without asking over HTTP.
    pub fn user(&self, username: &str) -> Option<PoolUser> {
        self.with_pool(|pool, _| pool.store.find(username)?.1.pool_user(&pool.store.attribute))?
    }

    /// Somebody signs up. Says whether they could: not where there is somebody of this username or sub.
    pub fn add_user(&self, user: &PoolUser) -> bool {
        let add = |pool: &mut Pool, at| {
            let keys = [user.username.as_str(), &user.sub.to_string()];
            let is_new = keys.into_iter().all(|key| pool.store.find(key).is_none());
            if is_new {
                let stored = Stored::of(user, &pool.store.attribute);
                pool.store.add(stored, at);
            }
            is_new
        };
        self.with_pool(add).unwrap_or_default()
    }

    /// Somebody changes a user, and no schema stands in the way. Says whether there was one; its username and sub stay.
    pub fn change_user(&self, username: &str, change: impl FnOnce(&mut PoolUser)) -> bool {
        self.with_pool(|pool, at| pool.put_user(username, change, at)).unwrap_or_default()
    }

    /// Somebody deletes a user. Says whether there was one.
    pub fn delete_user(&self, username: &str) -> bool {
        let delete = |pool: &mut Pool, at| match pool.store.find(username) {
            Some((index, _)) => {
                pool.store.delete(index, at);
                true
            }
            None => false,
        };
        self.with_pool(delete).unwrap_or_default()
    }

    fn with_pool<T>(&self, what: impl FnOnce(&mut Pool, Moment) -> T) -> Option<T> {
        let lag = lock(&self.shared.faults).list_lag;
        let mut pools = lock(&self.shared.pools);
        Some(what(pools.get_mut(&self.pool_id)?, self.shared.moment(lag)))
    }
}

impl Shared {
    /// To be asked for while the pools are locked, so that changes are in the order of their moments.
    fn moment(&self, lag: Duration) -> Moment {
        Moment { date: now(), clock: self.clock.elapsed(), lag }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        tokio::spawn(converse(stream, shared.clone(), stop.clone()));
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { answer(&shared, request).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = stop.cancelled() => {}
        // A client that hangs up is no fault of the pool's.
        ended = connection => drop(ended),
    }
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AWSCognitoIdentityProviderService.").unwrap_or_default().to_owned();
    let body = Limited::new(request.into_body(), LARGEST).collect().await.map_err(|_| Dropped)?.to_bytes();
    let number = shared.number.fetch_add(1, Ordering::Relaxed);
    let faults = lock(&shared.faults).clone();
    *lock(&shared.stats).requests.entry(operation.clone()).or_default() += 1;
    tokio::time::sleep(faults.latency).await;
    let outcome = match faults.fate(&operation, number) {
        Fate::Dropped => return Err(Dropped),
        Fate::Refused(refusal) => Err(refusal),
        Fate::Served => serve(shared, &operation, &body, &faults, number),
    };
    Ok(match outcome {
        Ok(value) => reply(200, &value),
        Err(refusal) => {
            if refusal.code == "TooManyRequestsException" {
                lock(&shared.stats).throttled += 1;
            }
            reply(refusal.status, &json!({"__type": refusal.code, "message": refusal.message}))
        }
    })
}

fn serve(shared: &Shared, operation: &str, body: &[u8], faults: &Faults, number: u64) -> Result<Value, Refusal> {
    {
        let mut guard = lock(&shared.quotas);
        let (quotas, meters) = &mut *guard;
        if let Some(quotas) = quotas {
            meters.admit(*quotas, operation, shared.clock.elapsed())?;
        }
    }
    let malformed = |_| Refusal::new("SerializationException", "The request is no JSON.");
    let input: Value = serde_json::from_slice(body).map_err(malformed)?;
    let mut pools = lock(&shared.pools);
    if operation == "CreateUserPool" {
        return create_pool(&mut pools, &input);
    }
    let id = input["UserPoolId"].as_str().unwrap_or_default();
    let missing = || Refusal::missing(format!("User pool {id} does not exist."));
    let pool = pools.get_mut(id).ok_or_else(missing)?;
    pool.serve(operation, &Asked { input: &input, at: shared.moment(faults.list_lag), faults, number })
}

fn create_pool(pools: &mut HashMap<String, Pool>, input: &Value) -> Result<Value, Refusal> {
    let id = format!("eu-central-1_{}", &Uuid::new_v4().simple().to_string()[..9]);
    let by_email = input["UsernameAttributes"].as_array().is_some_and(|list| list.contains(&json!("email")));
    let pool = Pool {
        id: id.clone(),
        name: input["PoolName"].as_str().unwrap_or_default().to_owned(),
        schema: Schema::parse(input)?,
        store: Store::new(Source::Users(Vec::new()), "custom:userId".into(), by_email),
        clients: Vec::new(),
        self_sign_up: input["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] != true,
        post_confirmation: input["LambdaConfig"]["PostConfirmation"].as_str().map(str::to_owned),
        token_expires_after: None,
        pages: 0,
    };
    let answer = pool.describe();
    pools.insert(id, pool);
    Ok(answer)
}

fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or_default())
}

fn reply(status: u16, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let kind = hyper::header::HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    response
}
