//! A wire before the database: it can be cut, go mute, lose things by chance, or be cut at one message.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// What a wire does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Through,
    /// Connections are refused, and those that were there are cut.
    Refuse,
    /// Everything is taken, and nothing comes out.
    Swallow,
}

pub(crate) struct Wire {
    pub(crate) url: String,
    mode: watch::Sender<Mode>,
    server: Arc<Mutex<String>>,
}

/// The server of a URL, and the URL through this address.
fn through(url: &str, address: impl std::fmt::Display) -> (String, String) {
    let (head, rest) = url.rsplit_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    (server.to_owned(), format!("{head}@{address}/{name}"))
}

impl Wire {
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server, through) = through(url, listener.local_addr().unwrap());
        let (mode, modes) = watch::channel(Mode::Through);
        let server = Arc::new(Mutex::new(server));
        let leads_to = server.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut modes) = (leads_to.lock().unwrap().clone(), modes.clone());
                tokio::spawn(async move {
                    if *modes.borrow_and_update() == Mode::Refuse {
                        return;
                    }
                    // Where nobody listens the client is refused, too.
                    let Ok(mut server) = TcpStream::connect(&server).await else { return };
                    let open = async {
                        if *modes.borrow() == Mode::Through {
                            tokio::select! {
                                _ = copy_bidirectional(&mut client, &mut server) => return,
                                _ = modes.changed() => {}
                            }
                        }
                        // Held open without a word; only a cut ends it.
                        while *modes.borrow() != Mode::Refuse && modes.changed().await.is_ok() {}
                    };
                    open.await;
                });
            }
        });
        Self { url: through, mode, server }
    }

    /// From now on new connections go to the server of this URL, as when a name is given to another.
    pub(crate) fn lead_to(&self, url: &str) {
        *self.server.lock().unwrap() = through(url, "").0;
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

/// Where a wire is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    /// The first connection is not made.
    Connect,
    /// The message does not arrive.
    Before(usize),
    /// It arrives, and what it does is done; the answer does not come back.
    After(usize),
}

/// A wire that goes mute at one message of the client's, counted over all of its connections.
pub(crate) struct CutWire {
    /// Where it begins, `host:port`.
    pub(crate) address: String,
    pub(crate) reached: Arc<Notify>,
}

impl CutWire {
    /// Before a database; its URL through the wire is the second.
    pub(crate) async fn before(url: &str, cut: Cut) -> (Self, String) {
        let (server, _) = through(url, "");
        let wire = Self::before_address(server, cut).await;
        let (_, through) = through(url, &wire.address);
        (wire, through)
    }

    pub(crate) async fn before_address(server: String, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let reached = Arc::new(Notify::new());
        let (told, sent) = (reached.clone(), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if cut == Cut::Connect {
                    told.notify_one();
                    continue;
                }
                let (server, told, sent) = (server.clone(), told.clone(), sent.clone());
                tokio::spawn(async move { drop(cut_at(client, &server, cut, &sent, &told).await) });
            }
        });
        Self { address, reached }
    }
}

async fn cut_at(
    mut client: TcpStream,
    server: &str,
    cut: Cut,
    sent: &AtomicUsize,
    told: &Notify,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut up, mut down) = ([0; 16384], [0; 16384]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                let number = sent.fetch_add(1, Ordering::Relaxed);
                if cut == Cut::Before(number) {
                    told.notify_one();
                    return Ok(());
                }
                server.write_all(&up[..read]).await?;
                if cut == Cut::After(number) {
                    // What it does is done once the server has something to say.
                    server.readable().await?;
                    told.notify_one();
                    return Ok(());
                }
            }
            read = server.read(&mut down) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                client.write_all(&down[..read]).await?;
            }
        }
    }
}

/// A wire on which every connection has a fate of its own, by its number: some are cut soon, some begin slowly, some go mute. Those
/// that go through are cut after a while, so that there is always another.
pub(crate) struct BadWire {
    pub(crate) url: String,
    /// How many connections were made so far.
    pub(crate) made: Arc<AtomicUsize>,
}

impl BadWire {
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server, through) = through(url, listener.local_addr().unwrap());
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::Relaxed) as u64;
                let server = server.clone();
                tokio::spawn(async move { drop(ill_fated(client, &server, number).await) });
            }
        });
        Self { url: through, made }
    }
}

async fn ill_fated(mut client: TcpStream, server: &str, number: u64) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let soon = Duration::from_millis(5 + number * 37 % 300);
    let life = Duration::from_millis(200 + number * 61 % 1300);
    if number % 5 == 2 {
        tokio::time::sleep(soon).await;
    }
    let life = if matches!(number % 5, 1 | 3) { soon } else { life };
    let ended = tokio::time::timeout(life, copy_bidirectional(&mut client, &mut server)).await.is_ok();
    if number % 5 == 3 && !ended {
        // Mute: everything is taken, and nothing comes out.
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    Ok(())
}

/// A wire that keeps what the client says.
pub(crate) struct HeardWire {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl HeardWire {
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server, through) = through(url, listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = heard.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (keep, server) = (keep.clone(), TcpStream::connect(&server).await.unwrap());
                let (mut from, mut to) = client.into_split();
                let (mut answers, mut questions) = server.into_split();
                tokio::spawn(async move { drop(tokio::io::copy(&mut answers, &mut to).await) });
                tokio::spawn(async move {
                    let mut bytes = [0; 16384];
                    while let Ok(read @ 1..) = from.read(&mut bytes).await {
                        keep.lock().unwrap().extend_from_slice(&bytes[..read]);
                        if questions.write_all(&bytes[..read]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url: through, heard }
    }

    /// How often each of these was said since it was asked last.
    pub(crate) fn said<const N: usize>(&self, words: [&str; N]) -> [usize; N] {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        words.map(|word| heard.windows(word.len()).filter(|part| *part == word.as_bytes()).count())
    }
}
