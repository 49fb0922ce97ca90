//! The pool over HTTP: AWS's JSON protocol, on a free port of the loopback interface.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

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

use crate::faults::{Fate, Faults};
use crate::operations::{Pool, schema};
use crate::quota::{Quotas, Window};
use crate::refusal::Refusal;
use crate::store::{Custom, Store};
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
    pub quotas: Option<Quotas>,
    pub faults: Faults,
    /// How many of the pool's seconds pass in one.
    pub time_scale: f64,
}

impl PoolOptions {
    pub fn new(source: Source) -> Self {
        Self {
            pool_id: "eu-central-1_Demo00001".into(),
            source,
            attribute: "custom:userId".into(),
            email_sign_in: true,
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
    window: Mutex<Window>,
    stats: Mutex<Stats>,
    quotas: Option<Quotas>,
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
        let custom = vec![Custom { name: options.attribute.clone(), mutable: true }];
        let pool = Pool {
            id: options.pool_id.clone(),
            name: "demo".into(),
            store: Store::new(options.source, options.attribute, custom, options.email_sign_in),
            started: Instant::now(),
            time_scale: options.time_scale,
            token_expires_after: options.faults.token_expires_after,
            pages: 0,
        };
        let shared = Arc::new(Shared {
            pools: Mutex::new(HashMap::from([(options.pool_id.clone(), pool)])),
            faults: Mutex::new(options.faults),
            window: Mutex::default(),
            stats: Mutex::default(),
            quotas: options.quotas,
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
        if let Some(pool) = lock(&self.shared.pools).get_mut(&self.pool_id) {
            pool.token_expires_after = faults.token_expires_after.map(|after| pool.pages + after);
        }
        *lock(&self.shared.faults) = faults;
    }

    pub fn stats(&self) -> Stats {
        lock(&self.shared.stats).clone()
    }

    /// A user as it is now, without asking over HTTP.
    pub fn user(&self, username: &str) -> Option<PoolUser> {
        lock(&self.shared.pools).get(&self.pool_id)?.store.peek(username)
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
    if let Some(quotas) = shared.quotas {
        lock(&shared.window).admit(quotas, operation, Instant::now())?;
    }
    let malformed = |_| Refusal::new("SerializationException", "The request is no JSON.");
    let input: Value = serde_json::from_slice(body).map_err(malformed)?;
    let mut pools = lock(&shared.pools);
    if operation == "CreateUserPool" {
        return Ok(create_pool(&mut pools, &input));
    }
    let id = input["UserPoolId"].as_str().unwrap_or_default();
    let missing = || Refusal::new("ResourceNotFoundException", format!("User pool {id} does not exist."));
    let pool = pools.get_mut(id).ok_or_else(missing)?;
    pool.serve(operation, &input, now(), |full| faults.page_size(full, number))
}

fn create_pool(pools: &mut HashMap<String, Pool>, input: &Value) -> Value {
    let id = format!("eu-central-1_{}", &Uuid::new_v4().simple().to_string()[..9]);
    let name = input["PoolName"].as_str().unwrap_or_default().to_owned();
    let by_email = input["UsernameAttributes"].as_array().is_some_and(|list| list.contains(&json!("email")));
    let store = Store::new(Source::Users(Vec::new()), "custom:userId".into(), schema(input), by_email);
    let pool = Pool {
        id: id.clone(),
        name: name.clone(),
        store,
        started: Instant::now(),
        time_scale: 1.0,
        token_expires_after: None,
        pages: 0,
    };
    pools.insert(id.clone(), pool);
    json!({"UserPool": {"Id": id, "Name": name}})
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
