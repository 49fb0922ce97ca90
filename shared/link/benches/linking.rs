//! How long linking takes and how much memory it needs, beside DuckDB on the same records.
//!
//! `cargo bench -p userlink-link --bench linking [-- MILLIONS…]`; by default 0.01, 0.1, 1 and 10 million users and as many
//! rows. DuckDB is taken from PyPI into a folder below `target`. Each figure is of a process of its own.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark tells its figures, and fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use userlink_domain::{IdKind, PoolUser, Row, RowId, Sub, Timestamp};
use userlink_link::{Change, Coverage, Linker, Place, Records, Rules};

/// Records that are linked and not shown.
#[derive(Debug)]
struct Nowhere;

impl Records for Nowhere {
    fn put_user(&mut self, _: &PoolUser) -> Place {
        Place(0)
    }

    fn put_row(&mut self, _: &Row) -> Place {
        Place(0)
    }

    fn user(&self, _: Place) -> Option<PoolUser> {
        None
    }

    fn row(&self, _: Place) -> Option<Row> {
        None
    }
}

/// A number that looks like chance, the same for the same (splitmix64).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

const fn uuid(number: u64, of: u64) -> u128 {
    let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of << 60;
    (mixed(seed) as u128) << 64 | mixed(!seed) as u128
}

/// Of twenty users sixteen are linked, three have an empty `user_id`, and one has a row without a sub and no pointer.
fn user(number: u64) -> PoolUser {
    let sub = Sub::from_u128(uuid(number, 1));
    let mut user = PoolUser::new(sub, sub.to_string());
    user.email = Some(format!("user{number}@example.org").into());
    user.email_verified = true;
    user.created = Some(Timestamp::from_millis(1_700_000_000_000 + number as i64));
    user.modified = user.created;
    if number % 20 < 16 {
        user.user_id = Some(Sub::from_u128(uuid(number, 2)).to_string().into());
    }
    user
}

/// The rows come in another order than the users.
fn row(place: u64, of: u64) -> Row {
    let number = (place.wrapping_mul(7_368_787) + 1) % of;
    let mut row = Row::new(RowId::Uuid(Sub::from_u128(uuid(number, 2)).as_uuid()));
    if number % 20 != 19 {
        row.sub = Some(Sub::from_u128(uuid(number, 1)).to_string().into());
    }
    row.email = Some(format!("user{number}@example.org").into());
    row
}

fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
}

/// A batch that takes longer than this is one after which what was gathered is taken in.
const TAKES_IN: Duration = Duration::from_millis(25);

/// Seconds in which the linker worked, the longest batch, and the peak of memory.
fn link(how: &str, records: u64) {
    let mut linker = Linker::with_records(Rules::new(IdKind::Uuid), Box::new(Nowhere));
    let bulk = how == "bulk";
    if bulk {
        linker = linker.gathering(2 * records);
    }
    let (mut worked, mut longest) = (Duration::ZERO, Duration::ZERO);
    for from in (0..records).step_by(1_000) {
        let batch = from..records.min(from + 1_000);
        let users: Vec<Change> = batch.clone().map(|number| Change::User(user(number))).collect();
        let rows: Vec<Change> = batch.map(|place| Change::Row(row(place, records))).collect();
        for changes in [users, rows] {
            let began = Instant::now();
            linker.apply(&changes);
            let took = began.elapsed();
            // Of a bulk run this is the loading, but for where what was gathered is taken in: a batch takes a millisecond, that a
            // hundred times as long.
            if !bulk || took > TAKES_IN {
                worked += took;
            }
            if !bulk {
                longest = longest.max(took);
            }
        }
    }
    let began = Instant::now();
    linker.apply(&[Change::Covered(Coverage::ALL)]);
    worked += began.elapsed();
    // What the dashboard holds besides: the list of all entries.
    let view = linker.leads(None, "");
    assert_eq!(view.len() as u64, records);
    let counts: Vec<String> = linker.counts().situations().map(|(it, count)| format!("{it}={count}")).collect();
    println!("{} {} {} {}", worked.as_secs_f64(), longest.as_secs_f64(), peak(), counts.join(","));
}

struct Figures {
    seconds: f64,
    longest: f64,
    bytes: f64,
    counts: String,
}

fn figures(command: &mut Command) -> Figures {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| words[at].parse::<f64>().unwrap();
    Figures { seconds: number(0), longest: number(1), bytes: number(2), counts: words[3].to_owned() }
}

fn duckdb() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let folder = folder.join("bench-duckdb");
    let python = folder.join("bin/python");
    if !python.exists() {
        assert!(Command::new("python3").args(["-m", "venv"]).arg(&folder).status().unwrap().success());
        let install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "duckdb"];
        assert!(Command::new(&python).args(install).status().unwrap().success());
    }
    python
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [how, records] = &arguments[..]
        && (how == "bulk" || how == "incremental")
    {
        return link(how, records.parse().unwrap());
    }
    let millions: Vec<f64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let millions = if millions.is_empty() { vec![0.01, 0.1, 1.0, 10.0] } else { millions };
    let python = duckdb();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/duckdb.py");
    println!(
        "{:>10} {:>10} {:>8} {:>11}   {:>9} {:>9} {:>12}   {:>11} {:>10}",
        "users=rows", "bulk s", "MB", "bytes/pair", "DuckDB s", "MB", "bulk/DuckDB", "in batches", "longest ms"
    );
    for millions in millions {
        let records = (millions * 1e6).round() as u64;
        let ours =
            |how: &str| figures(Command::new(std::env::current_exe().unwrap()).args([how, &records.to_string()]));
        let theirs = || figures(Command::new(&python).arg(&script).arg(records.to_string()));
        // In turn, three times: a machine's speed drifts.
        let mut runs: Vec<(Figures, Figures)> = (0..3).map(|_| (ours("bulk"), theirs())).collect();
        runs.sort_by(|(ours, theirs), (more, than)| {
            (ours.seconds / theirs.seconds).total_cmp(&(more.seconds / than.seconds))
        });
        let (bulk, theirs) = &runs[1];
        let batches = ours("incremental");
        assert_eq!(bulk.counts, batches.counts);
        println!(
            "{records:>10} {:>10.3} {:>8.0} {:>11.0}   {:>9.3} {:>9.0} {:>12.2}   {:>10.2}s {:>10.1}",
            bulk.seconds,
            batches.bytes / 1e6,
            batches.bytes / records as f64,
            theirs.seconds,
            theirs.bytes / 1e6,
            bulk.seconds / theirs.seconds,
            batches.seconds,
            batches.longest * 1e3,
        );
    }
}
