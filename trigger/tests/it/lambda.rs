//! Lambda, as a function sees it: a Runtime API on loopback, and the program as one or more processes that ask it for events.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use userlink_kit::{Fate, Gate, moto_url};

const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:post-confirmation";
const PATIENCE: Duration = Duration::from_secs(30);

/// The services whose operations are kept, by the variable that says where they are.
const SERVICES: [(&str, &str); 2] =
    [("AWS_ENDPOINT_URL_SQS", "sqs"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager")];

/// Keeps what a function asked a service for. When the whole suite has run, `tests/run` holds the template's permissions
/// against all of it.
pub(crate) fn record(service: &str, operations: impl IntoIterator<Item = String>) {
    let Some(directory) = std::env::var_os("USERLINK_TEST_OPERATIONS") else { return };
    let lines: String = operations.into_iter().map(|operation| format!("{service}:{operation}\n")).collect();
    let file = PathBuf::from(directory).join(uuid::Uuid::new_v4().to_string());
    std::fs::write(file, lines).expect("keep what was asked for");
}

/// What the function said to an event.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether it was an error.
    pub(crate) failed: bool,
    pub(crate) body: String,
    pub(crate) took: Duration,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

struct Invocation {
    id: String,
    event: String,
}

struct Api {
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<(bool, String)>>>,
    function_timeout: Duration,
}

/// One function and its processes; they end with this.
pub(crate) struct Lambda {
    api: Arc<Api>,
    events: mpsc::UnboundedSender<Invocation>,
    /// Of the Runtime API.
    pub(crate) address: String,
    program: PathBuf,
    variables: Vec<(String, String)>,
    processes: Vec<Child>,
    log: Arc<Mutex<Vec<String>>>,
    /// What stands before services of AWS's, and keeps what they are asked for.
    services: Vec<(&'static str, Gate)>,
}

impl Lambda {
    /// With these variables, and as many processes.
    pub(crate) async fn start(variables: &[(&str, &str)], processes: usize) -> Self {
        Self::start_program(env!("CARGO_BIN_EXE_post-confirmation").into(), variables, processes).await
    }

    /// Another build of the program.
    pub(crate) async fn start_program(program: PathBuf, variables: &[(&str, &str)], processes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, queue) = mpsc::unbounded_channel();
        let function_timeout = Duration::from_secs(30);
        let api = Arc::new(Api { queue: queue.into(), waiting: Mutex::default(), function_timeout });
        tokio::spawn(accept(listener, api.clone()));
        let mut services = Vec::new();
        let mut own = Vec::new();
        for (name, value) in variables {
            let mut value = (*value).to_owned();
            if let Some((_, service)) = SERVICES.iter().find(|(variable, _)| variable == name)
                && value == moto_url()
            {
                let gate = Gate::before(&value, |_| Fate::Pass).await;
                value.clone_from(&gate.url);
                services.push((*service, gate));
            }
            own.push(((*name).to_owned(), value));
        }
        let (variables, processes_of, log) = (own, Vec::new(), Arc::default());
        let mut lambda = Self { api, events, address, program, variables, processes: processes_of, log, services };
        for _ in 0..processes {
            lambda.add_process();
        }
        lambda
    }

    /// From now on processes are started with this variable.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn add_process(&mut self) {
        let mut process = Command::new(&self.program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &self.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "post-confirmation")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, log) = (process.stdout.take().unwrap(), self.log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                log.lock().unwrap().push(line);
            }
        });
        self.processes.push(process);
    }

    /// Kills every process, wherever it is.
    pub(crate) fn kill(&mut self) {
        for mut process in self.processes.drain(..) {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends one event, and waits for what the function says to it.
    pub(crate) async fn invoke(&self, event: &str) -> Answer {
        let id = uuid::Uuid::new_v4().to_string();
        let (tell, told) = oneshot::channel();
        self.api.waiting.lock().unwrap().insert(id.clone(), tell);
        let began = Instant::now();
        assert!(self.events.send(Invocation { id, event: event.to_owned() }).is_ok());
        let told = tokio::time::timeout(PATIENCE, told).await.expect("an answer from the function");
        let (failed, body) = told.unwrap();
        Answer { failed, body, took: began.elapsed() }
    }

    /// The event comes back as it was.
    pub(crate) async fn passes(&self, event: &Value) -> Duration {
        let answer = self.invoke(&event.to_string()).await;
        assert!(!answer.failed, "{}\n{:#?}", answer.body, self.log());
        assert_eq!(answer.json(), *event);
        answer.took
    }

    /// The lines of the log so far that tell of events.
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.log.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The line about the last event.
    pub(crate) async fn last(&self) -> Value {
        // The line is written before the answer, but comes by another way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.log().into_iter().rev().find(|line| line.get("_aws").is_none()).expect("a line")
    }

    /// Stops and resumes every process, as Lambda does between events.
    pub(crate) fn signal(&self, signal: &str) {
        for process in &self.processes {
            assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        }
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.kill();
        for (service, gate) in &self.services {
            record(service, gate.operations());
        }
    }
}

async fn accept(listener: TcpListener, api: Arc<Api>) {
    while let Ok((stream, _)) = listener.accept().await {
        let api = api.clone();
        let service = service_fn(move |request| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(answer(&api, request).await) }
        });
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            // A process may be killed in the middle.
            drop(http.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(api: &Api, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().strip_prefix("/2018-06-01/runtime/").expect("the Runtime API").to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["invocation", "next"] => {
            // Where the test has ended nothing comes any more.
            let Some(next) = api.queue.lock().await.recv().await else { return std::future::pending().await };
            let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + api.function_timeout;
            Response::builder()
                .header("content-type", "application/json")
                .header("lambda-runtime-aws-request-id", next.id)
                .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
                .header("lambda-runtime-invoked-function-arn", ARN)
                .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
                .body(Full::new(next.event.into()))
                .unwrap()
        }
        ["invocation", id, kind @ ("response" | "error")] => {
            let tell = api.waiting.lock().unwrap().remove(id).expect("an event that was sent");
            drop(tell.send((kind == "error", String::from_utf8(body.to_vec()).unwrap())));
            let accepted = Full::new(r#"{"status":"OK"}"#.into());
            Response::builder().status(202).header("content-type", "application/json").body(accepted).unwrap()
        }
        _ => panic!("the function asked for {path}"),
    }
}
