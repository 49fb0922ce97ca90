//! Wires before the pool and the database that take their time, and work out how long that has to be waited for.
//!
//! What waits for an answer before it asks takes as long as both; what is asked at the same time takes as long as the
//! slowest. That is counted in the wires' own time: how fast this machine is has no part in it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How far the time of all of the wires has come: the latest answer that was heard.
#[derive(Clone, Default)]
pub(crate) struct Wires {
    heard: Arc<Mutex<Duration>>,
    slow: Arc<Mutex<bool>>,
}

impl Wires {
    /// A wire to this server (`host:port`), whose answers take so long. Gives where it begins.
    pub(crate) async fn before(&self, server: &str, latency: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (wires, server) = (self.clone(), server.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (wires, server) = (wires.clone(), server.clone());
                // A connection that ends is nobody's failure here.
                tokio::spawn(async move { drop(wires.converse(client, &server, latency).await) });
            }
        });
        address
    }

    /// From here on they take their time.
    pub(crate) fn begin(&self) {
        *self.slow.lock().unwrap() = true;
        *self.heard.lock().unwrap() = Duration::ZERO;
    }

    /// How long was waited since then.
    pub(crate) fn waited(&self) -> Duration {
        *self.heard.lock().unwrap()
    }

    async fn converse(&self, mut client: TcpStream, server: &str, latency: Duration) -> std::io::Result<()> {
        let mut server = TcpStream::connect(server).await?;
        let (mut asked, mut told) = ([0; 65536], [0; 65536]);
        // When the answer that is waited for has come.
        let mut due = None;
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let read = read?;
                    if read == 0 {
                        return Ok(());
                    }
                    let now = self.waited();
                    due.get_or_insert(now + latency);
                    server.write_all(&asked[..read]).await?;
                }
                read = server.read(&mut told) => {
                    let read = read?;
                    if read == 0 {
                        return Ok(());
                    }
                    if let Some(due) = due.take() {
                        let slow = *self.slow.lock().unwrap();
                        // As long as it would be, so that what is asked at the same time is.
                        tokio::time::sleep(if slow { latency } else { Duration::ZERO }).await;
                        let mut heard = self.heard.lock().unwrap();
                        *heard = due.max(*heard);
                    }
                    client.write_all(&told[..read]).await?;
                }
            }
        }
    }
}
