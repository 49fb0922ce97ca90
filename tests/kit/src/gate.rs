//! A gate before a pool: every request passes through it, and a test decides what becomes of each.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It is carried out and answered.
    Pass,
    /// It never arrives: the connection ends.
    Lost,
    /// It is carried out, and the connection ends without the answer.
    AnswerLost,
    /// The gate answers in the pool's place, with this status and JSON.
    Answer(u16, String),
    /// It waits until the test says what becomes of it.
    Held,
}

/// A request that waits at the gate. Where this is dropped, so is the connection.
#[derive(Debug)]
pub struct Held(oneshot::Sender<Fate>);

impl Held {
    /// Lets it go on.
    pub fn go(self, fate: Fate) {
        assert!(self.0.send(fate).is_ok(), "the request has gone");
    }
}

type Rule = Box<dyn FnMut(&str) -> Fate + Send>;

/// Closed when this is dropped.
#[derive(Debug)]
pub struct Gate {
    /// Where requests go instead of to the pool.
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
    held: mpsc::UnboundedReceiver<Held>,
    serving: JoinHandle<()>,
}

impl Gate {
    /// A gate before the pool at this endpoint (`http://host:port`). The rule is asked for every request's fate, with the
    /// name of its operation.
    pub async fn before(endpoint: &str, rule: impl FnMut(&str) -> Fate + Send + 'static) -> Self {
        let pool = endpoint.strip_prefix("http://").expect("an endpoint without TLS").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(rule)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (hold, held) = mpsc::unbounded_channel();
        let log = seen.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (pool, rule, log, hold) = (pool.clone(), rule.clone(), log.clone(), hold.clone());
                // A connection that ends early is nobody's failure here.
                tokio::spawn(async move { drop(converse(stream, &pool, &rule, &log, &hold).await) });
            }
        });
        Self { url, seen, held, serving }
    }

    /// The next request that is held, once it has come.
    pub async fn held(&mut self) -> Held {
        self.held.recv().await.expect("a request")
    }

    /// The operations that were asked for so far, in their order.
    pub fn operations(&self) -> Vec<String> {
        self.seen.lock().expect("the log").clone()
    }

    /// How many requests for this operation have come.
    pub fn count(&self, operation: &str) -> usize {
        self.seen.lock().expect("the log").iter().filter(|seen| *seen == operation).count()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A rule for one operation: the first request for it, the second and so on have these fates, and all others pass.
pub fn fates(operation: &'static str, fates: impl IntoIterator<Item = Fate>) -> impl FnMut(&str) -> Fate + Send {
    let mut fates = fates.into_iter().collect::<Vec<_>>().into_iter();
    move |asked| if asked == operation { fates.next().unwrap_or(Fate::Pass) } else { Fate::Pass }
}

async fn converse(
    mut client: TcpStream,
    pool: &str,
    rule: &Mutex<Rule>,
    log: &Mutex<Vec<String>>,
    hold: &mpsc::UnboundedSender<Held>,
) -> std::io::Result<()> {
    loop {
        let Some(request) = message(&mut client).await? else { return Ok(()) };
        let head = String::from_utf8_lossy(&request).into_owned();
        let operation = header(&head, "x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        log.lock().expect("the log").push(operation.to_owned());
        let mut fate = (rule.lock().expect("the rule"))(operation);
        if matches!(fate, Fate::Held) {
            let (go, gone) = oneshot::channel();
            drop(hold.send(Held(go)));
            fate = gone.await.unwrap_or(Fate::Lost);
        }
        match fate {
            Fate::Pass => client.write_all(&forward(pool, &request).await?).await?,
            Fate::Lost | Fate::Held => return Ok(()),
            Fate::AnswerLost => return forward(pool, &request).await.map(drop),
            Fate::Answer(status, json) => {
                let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.1\r\n");
                let text = format!("{head}content-length: {}\r\n\r\n{json}", json.len());
                client.write_all(text.as_bytes()).await?;
            }
        }
    }
}

async fn forward(pool: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut pool = TcpStream::connect(pool).await?;
    pool.write_all(request).await?;
    message(&mut pool).await?.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

/// A request or an answer with its body, or nothing where the other side has ended.
async fn message(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut wanted = None;
    loop {
        if wanted.is_some_and(|wanted| bytes.len() >= wanted) {
            return Ok(Some(bytes));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() { Ok(None) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) };
        }
        if let (None, Some(end)) = (wanted, bytes.windows(4).position(|four| four == b"\r\n\r\n")) {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let body = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            wanted = Some(end + 4 + body);
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim()))
}
