//! How long somebody waits for the first picture where there is a scan that was kept: from the start of the program to the
//! first entries on a real pseudo-terminal.
//!
//! `cargo bench -p userlink --bench opening [-- USERS…]` prints a table; without numbers it takes 1,000, 100,000 and
//! 1,000,000 users. The pool is the demo's, served by a process of its own. Every start follows one that is not counted.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at the first surprise, and prints")]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

const USERLINK: &str = env!("CARGO_BIN_EXE_userlink");
const SIZE: (u16, u16) = (200, 50);
const STARTS: usize = 7;

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 100_000, 1_000_000] } else { asked };
    println!("from the start of the program to the first entries of a kept scan, {} x {}", SIZE.0, SIZE.1);
    println!("{:>10}{:>10}{:>10}{:>12}{:>12}", "users", "median", "worst", "scan", "kept");
    for users in sizes {
        let home = tempfile::tempdir().unwrap();
        let world = World::serve(home.path(), users);
        let began = Instant::now();
        let scanned = world.userlink(home.path()).args(["scan", "--config", "bench.toml"]).output().unwrap();
        assert!(scanned.status.success(), "{}", String::from_utf8_lossy(&scanned.stderr));
        let scan = began.elapsed();
        let mut times: Vec<Duration> = (0..=STARTS).map(|_| world.first_entries(home.path())).skip(1).collect();
        times.sort_unstable();
        let kept = bytes_below(&home.path().join("state")) as f64 / 1e6;
        let [median, worst] = [STARTS / 2, STARTS - 1].map(|at| times[at].as_secs_f64() * 1e3);
        println!("{users:>10}{median:>8.1}ms{worst:>8.1}ms{:>11.1}s{kept:>10.1}MB", scan.as_secs_f64());
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let each = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let size = each.map(|entry| match entry.metadata().unwrap() {
        meta if meta.is_dir() => bytes_below(&entry.path()),
        meta => meta.len(),
    });
    size.sum()
}

/// A pool and a table, served by a process of their own.
struct World {
    served: Child,
    environment: Vec<(&'static str, OsString)>,
}

impl World {
    fn serve(home: &Path, users: u64) -> Self {
        let mut environment: Vec<(&str, OsString)> =
            ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"]
                .map(|name| (name, home.join("state").into()))
                .to_vec();
        std::fs::create_dir(home.join("state")).unwrap();
        environment.extend([
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
            ("AWS_ACCESS_KEY_ID", "made-up".into()),
            ("AWS_SECRET_ACCESS_KEY", "made-up".into()),
        ]);
        let mut serve = Command::new(USERLINK);
        serve.args(["demo", "--serve", "--latency-ms", "0", "--users", &users.to_string()]);
        let mut served = serve.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(served.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let settings = format!(
            "[contexts.bench]\npool_id = {}\nendpoint_url = {}\nrate = 1000\ndatabase_url = {}\nread_only = true\n",
            told["pool_id"], told["endpoint_url"], told["database_url"]
        );
        std::fs::write(home.join("bench.toml"), settings).unwrap();
        Self { served, environment }
    }

    fn userlink(&self, home: &Path) -> Command {
        let mut command = Command::new(USERLINK);
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(home);
        command
    }

    fn first_entries(&self, home: &Path) -> Duration {
        let size = PtySize { rows: SIZE.1, cols: SIZE.0, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(USERLINK);
        command.args(["--config", "bench.toml"]);
        command.env_clear();
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command.cwd(home);
        let began = Instant::now();
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut from = pair.master.try_clone_reader().unwrap();
        let mut keys = pair.master.take_writer().unwrap();
        let mut terminal = vt100::Parser::new(NonZeroU16::new(SIZE.1).unwrap(), NonZeroU16::new(SIZE.0).unwrap(), 0);
        let mut buffer = [0; 65536];
        let mut overview = true;
        let took = loop {
            let read = from.read(&mut buffer).unwrap();
            assert!(read > 0, "{}", terminal.screen().contents());
            terminal.process(&buffer[..read]);
            // It opens on the overview; the list is behind it.
            if overview && terminal.screen().contents().contains("What there is") {
                overview = false;
                keys.write_all(b"\x1b").unwrap();
            }
            if terminal.screen().contents().matches('@').count() >= 20 {
                break began.elapsed();
            }
        };
        // A thousand users may have been read by now.
        let screen = terminal.screen().contents();
        assert!(screen.contains("shown is the scan of") || screen.contains("Read everything"), "{screen}");
        keys.write_all(b"q").unwrap();
        std::thread::spawn(move || std::io::copy(&mut from, &mut std::io::sink()));
        child.wait().unwrap();
        took
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.served.kill());
        drop(self.served.wait());
    }
}
