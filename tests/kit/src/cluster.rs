//! A PostgreSQL server of a test's own, which can be stopped and started again, and followed by another.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::{execute, part};

const PASSWORD: &str = "of-a-test";
/// On a machine that has other work to do, too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is stopped.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// Everybody is told, and what was written goes to whoever follows.
    Fast,
    /// At once, as when the power fails.
    Immediate,
}

/// A server with data of its own. It ends, and its data is gone, when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    /// The maintenance database, as the superuser.
    pub url: String,
    directory: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// An empty server, started.
    pub async fn new() -> Self {
        let mut cluster = Self::place();
        let password = cluster.directory.path().join("password");
        std::fs::write(&password, PASSWORD).expect("a file for the password");
        own(&password);
        cluster.run(
            as_user("initdb")
                .args([
                    "--username",
                    "userlink",
                    "--auth",
                    "scram-sha-256",
                    "--encoding",
                    "UTF8",
                    "--locale",
                    "C.UTF-8",
                ])
                .args(["--no-sync", "--pwfile"])
                .arg(&password)
                .arg("--pgdata")
                .arg(cluster.data()),
        );
        cluster.start().await;
        cluster
    }

    /// A server that follows this one, started: it takes no writes until it is promoted.
    pub async fn follower(&self) -> Self {
        let mut cluster = Self::place();
        let mut copy = as_user("pg_basebackup");
        copy.args(["--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"]);
        cluster.run(copy.args(["--dbname", &self.url]).arg("--pgdata").arg(cluster.data()));
        cluster.start().await;
        cluster
    }

    fn place() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        own(directory.path());
        // Below the ports that the kernel gives to connections, as this one is needed again after a stop.
        let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let by_chance = std::iter::repeat_with(|| 15_000 + (uuid::Uuid::new_v4().as_u128() % 17_000) as u16);
        let port = by_chance.take(1000).find(is_free).expect("a free port");
        let url = format!("postgres://userlink:{PASSWORD}@127.0.0.1:{port}/postgres");
        Self { url, directory, port, server: None }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Runs a program of PostgreSQL's to its end.
    fn run(&self, program: &mut Command) {
        let done =
            program.current_dir(self.directory.path()).stdin(Stdio::null()).output().expect("start PostgreSQL's");
        assert!(done.status.success(), "{program:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Starts the server, and waits until it answers.
    pub async fn start(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let log = std::fs::File::create(self.directory.path().join("log")).expect("a log");
        let mut server = as_user("postgres");
        server.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=40"] {
            server.args(["-c", setting]);
        }
        server.current_dir(self.directory.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.server = Some(server.spawn().expect("start PostgreSQL"));
        let answers = async {
            while PgConnection::connect(&self.url).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, answers).await.is_ok(), "PostgreSQL does not answer: {}", self.log());
    }

    /// Stops the server; afterwards nobody listens.
    pub fn stop(&mut self, how: Stop) {
        let Some(mut server) = self.server.take() else { return };
        let signal = match how {
            Stop::Fast => "-INT",
            Stop::Immediate => "-QUIT",
        };
        let told = Command::new("kill").args([signal, &server.id().to_string()]).status().expect("run kill");
        assert!(told.success(), "PostgreSQL had ended by itself: {}", self.log());
        server.wait().expect("wait for PostgreSQL");
    }

    /// Makes a server that followed one that takes writes.
    pub async fn promote(&self) {
        execute(&self.url, "SELECT pg_promote()".to_owned()).await.expect("promote");
    }

    /// Makes a server that is stopped one that takes no writes when it is started again, as an old primary is after a failover.
    pub fn demote(&self) {
        assert!(self.server.is_none(), "it still runs");
        let signal = self.data().join("standby.signal");
        std::fs::write(&signal, "").expect("a file");
        own(&signal);
    }

    /// The URL of the maintenance database for this user.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs statements as the superuser.
    pub async fn execute(&self, statements: &str) {
        execute(&self.url, statements.to_owned()).await.expect("run the test's statements");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Its children end with it, and the data is thrown away.
            drop(Command::new("kill").args(["-QUIT", &server.id().to_string()]).status());
            drop(server.wait());
        }
    }
}

/// A program of PostgreSQL's, as a user whom PostgreSQL runs as: it refuses root. Should the test be killed, so is it.
fn as_user(program: &str) -> Command {
    let program = Path::new(&part("USERLINK_TEST_POSTGRES_BIN")).join(program);
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((user, group)) = user().as_deref().and_then(|user| user.split_once(':')) {
        command.args(["--reuid", user, "--regid", group, "--clear-groups"]);
    }
    command.arg(program);
    command
}

/// With its group, `user:group`; none where this user will do.
fn user() -> Option<String> {
    std::env::var("USERLINK_TEST_POSTGRES_USER").ok().filter(|user| !user.is_empty())
}

fn own(path: &Path) {
    if let Some(user) = user() {
        assert!(Command::new("chown").arg(&user).arg(path).status().is_ok_and(|done| done.success()), "chown {user}");
    }
}
