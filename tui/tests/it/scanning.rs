//! `userlink scan` on a pool and a table that nobody of us made, held against what was written down by hand.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use userlink_emulator::Faults;
use userlink_kit::fresh_postgres_database;

use crate::pty::{USERLINK, environment};
use crate::town::{Pool, Town, printed};

/// Runs `userlink` without a terminal.
pub(crate) fn run(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(USERLINK);
    command.args(arguments).env_clear().envs(environment(home)).current_dir(home);
    command.envs(variables.iter().copied()).output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What a scan printed as JSON, once it was held against the schema.
pub(crate) fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    let scan = serde_json::from_slice(&output.stdout).unwrap();
    let schema = serde_json::from_str(include_str!("../../schema/scan.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&scan).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    scan
}

fn agrees(town: &Town, scan: &Value) {
    let (users, rows) = town.len();
    assert_eq!((scan["users"].as_u64(), scan["rows"].as_u64()), (Some(users as u64), Some(rows as u64)));
    assert_eq!(scan["complete"], true);
    let (told, expected) = (printed(scan), town.verdicts());
    let wrong: Vec<_> = told.difference(&expected).collect();
    let missing: Vec<_> = expected.difference(&told).collect();
    assert!(wrong.is_empty() && missing.is_empty(), "told and not so: {wrong:#?}\nso and not told: {missing:#?}");
}

fn pool_flags(pool: &Pool) -> [&str; 4] {
    ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint]
}

const ALL: [&str; 6] = ["scan", "--format", "json", "--all", "--rate", "100"];

/// The settings for a database, as a file.
fn settings(home: &Path, pool: &Pool, url: &str) {
    let text = format!(
        "[contexts.town]\npool_id = \"{}\"\nendpoint_url = \"{}\"\ndatabase_url = {{ env = \"TOWN_DATABASE\" }}\nrate = 100\n\
         [contexts.town.table]\nid_type = \"uuid\"\n",
        pool.id, pool.endpoint
    );
    std::fs::write(home.join("town.toml"), text).unwrap();
    std::fs::write(home.join("url"), url).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_and_postgresql_and_sqlite_agree_with_what_was_written_down() {
    let town = Town::new(420, false);
    assert!(town.len().0 >= 450, "{:?}", town.len());
    let (home, database) = (tempfile::tempdir().unwrap(), fresh_postgres_database().await);
    let home = home.path();
    let pool = town.on_moto();
    town.in_postgres(&pool, &database.url).await;
    let flags: Vec<&str> = ALL.into_iter().chain(pool_flags(&pool)).chain(["--table", "app.users"]).collect();
    let on_postgres = json(&run(home, &flags, &[("USERLINK_DATABASE_URL", &database.url)]));
    agrees(&town, &on_postgres);

    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    settings(home, &pool, &url);
    let flags: Vec<&str> = ALL.into_iter().chain(["--config", "town.toml"]).collect();
    let on_sqlite = json(&run(home, &flags, &[("TOWN_DATABASE", &url)]));
    agrees(&town, &on_sqlite);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_and_broken_pool_gives_the_same_verdicts() {
    let town = Town::new(300, true);
    let home = tempfile::tempdir().unwrap();
    let faults = Faults {
        seed: 3,
        empty_pages: 0.2,
        short_pages: 0.3,
        throttled: 0.5,
        internal: 0.05,
        dropped: 0.05,
        token_expires_after: Some(4),
        ..Faults::default()
    };
    let pool = town.on_emulator(faults).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    settings(home.path(), &pool, &url);
    let flags: Vec<&str> = ALL.into_iter().chain(["--config", "town.toml"]).collect();
    agrees(&town, &json(&run(home.path(), &flags, &[("TOWN_DATABASE", &url)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_formats_and_the_exit_codes() {
    let town = Town::new(5, true);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    settings(home, &pool, &url);
    let scan = |more: &[&str]| {
        let flags: Vec<&str> = ["scan", "--config", "town.toml"].iter().chain(more).copied().collect();
        run(home, &flags, &[("TOWN_DATABASE", &url)])
    };

    // Linked entries are left out, and still counted.
    let output = scan(&["--format", "json"]);
    let some = json(&output);
    assert_eq!(some["situations"]["linked"], 11);
    let wrong = town.verdicts().into_iter().filter(|verdict| verdict.0 != "linked");
    assert!(printed(&some).into_iter().eq(wrong));
    let said = "userlink: 2 rows have something in their sub column that is no sub; it counts as none.\n";
    assert_eq!(stderr(&output), said, "standard error is for what a person has to know");

    // A line each says the same. In which order depends on how the pool was read.
    let lines = scan(&["--format", "jsonl"]);
    let lines: Vec<Value> =
        String::from_utf8(lines.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["situations"], some["situations"]);
    let sorted = |entries: &[Value]| entries.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&lines[1..]), sorted(some["entries"].as_array().unwrap()));
    assert_eq!(lines.len() - 1, some["entries"].as_array().unwrap().len());

    // A scheduler is told by the exit code.
    assert_eq!(scan(&["--fail-on", "swapped,tangled"]).status.code(), Some(3));
    assert_eq!(scan(&["--fail-on", "ignored"]).status.code(), Some(0));
    let typo = scan(&["--fail-on", "swaped"]);
    assert_eq!(typo.status.code(), Some(2));
    assert!(stderr(&typo).contains("did you mean swapped?"), "{}", stderr(&typo));

    // CSV has a line for each user and row, and lines of one entry share its number.
    let output = scan(&["--format", "csv", "--all", "-o", "town.csv"]);
    assert!(output.status.success() && output.stdout.is_empty());
    let text = std::fs::read_to_string(home.join("town.csv")).unwrap();
    let (users, rows) = town.len();
    assert_eq!(text.lines().count(), 1 + users + rows);
    let numbers: std::collections::BTreeSet<&str> =
        text.lines().skip(1).map(|l| l.split(',').next().unwrap()).collect();
    assert_eq!(numbers.len(), town.verdicts().len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.join("town.csv")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "people's data is for its owner alone");
    }

    let table = String::from_utf8(scan(&[]).stdout).unwrap();
    assert!(table.contains("8  unlinked   row_side_only"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_and_lists_are_checked_before_anything_is_believed() {
    let town = Town::new(3, false);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    let with = |line: &str| {
        settings(home, &pool, &url);
        let text = std::fs::read_to_string(home.join("town.toml")).unwrap();
        let text = text.replace("rate = 100\n", &format!("rate = 100\n{line}\n"));
        std::fs::write(home.join("town.toml"), text).unwrap();
        run(home, &["scan", "--config", "town.toml"], &[("TOWN_DATABASE", &url)])
    };
    let pinned = with("account = \"123456789012\"");
    assert_eq!(pinned.status.code(), Some(2));
    assert!(stderr(&pinned).contains("pinned to another"), "{}", stderr(&pinned));
    assert!(pinned.stdout.is_empty(), "nothing was read");
    let named = with("database = \"another\"");
    assert_eq!(named.status.code(), Some(2));
    assert!(stderr(&named).contains("the context is pinned to another"), "{}", stderr(&named));
    assert!(named.stdout.is_empty(), "nothing was read");
    let odd = with("protected = [\"admin@example.org\"]");
    assert_eq!(odd.status.code(), Some(2));
    assert!(stderr(&odd).contains("neither a sub nor an id"), "{}", stderr(&odd));

    // Rows come from the replica; what does not look right is read again from the primary.
    let elsewhere = Town::new(3, false).in_sqlite(&pool, &home.join("replica.db")).await;
    let replica = with(&format!("replica_url = \"{elsewhere}\""));
    assert!(replica.status.success(), "{}", stderr(&replica));
    assert!(stderr(&replica).is_empty() || !stderr(&replica).contains("does not act on it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_is_probed_with_few_requests_and_nobody_s_data_is_shown() {
    let town = Town::new(300, true);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let arguments: Vec<&str> = ["probe", "--rate", "100"].into_iter().chain(pool_flags(&pool)).collect();
    let output = run(home.path(), &arguments, &[("USERLINK_DATABASE_URL", "sqlite:none.db")]);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(text.contains("answered: 16 of 16; with users of other parts: 0"), "{text}");
    assert!(!text.contains('@') && !text.contains("user-"), "{text}");
    let asked = pool.emulator.as_ref().unwrap().stats().requests;
    assert!(asked["ListUsers"] <= 21 && asked.len() == 2, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_of_a_pool_that_refuses_takes_a_hundred_requests_at_most_and_one_of_another_account_lists_nothing() {
    let town = Town::new(300, true);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let pool = town.on_emulator(Faults { throttled: 0.5, ..Faults::default() }).await;
    settings(home, &pool, "sqlite:none.db");
    let asked = || pool.emulator.as_ref().unwrap().stats().requests.values().sum::<u64>();
    let probe = |more: &[&str]| {
        let arguments: Vec<&str> = ["probe", "--config", "town.toml"].iter().chain(more).copied().collect();
        run(home, &arguments, &[("TOWN_DATABASE", "sqlite:none.db")])
    };
    let half = probe(&[]);
    let text = String::from_utf8(half.stdout.clone()).unwrap();
    assert!(text.contains("refused as too many: "), "{text}{}", stderr(&half));
    assert!(asked() <= 100, "{}", asked());

    pool.emulator.as_ref().unwrap().set_faults(Faults::default());
    let text = std::fs::read_to_string(home.join("town.toml")).unwrap();
    let pinned = text.replace("rate = 100\n", "rate = 100\naccount = \"999999999999\"\n");
    std::fs::write(home.join("town.toml"), pinned).unwrap();
    let before = asked();
    let other = probe(&[]);
    assert_eq!((other.status.code(), asked() - before), (Some(2), 1), "{}", stderr(&other));
    assert!(stderr(&other).contains("pinned to another"), "{}", stderr(&other));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_makes_what_is_asked_for_without_a_pool() {
    let home = tempfile::tempdir().unwrap();
    let database = fresh_postgres_database().await;
    let migrate = |more: &[&str]| {
        let arguments: Vec<&str> = ["migrate"].iter().chain(more).copied().collect();
        let output = run(home.path(), &arguments, &[("USERLINK_DATABASE_URL", &database.url)]);
        (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap() + &stderr(&output))
    };
    assert_eq!(migrate(&[]), (Some(0), "0001_journal\n0003_journal_plan\n0004_dismissals\n".to_owned()));
    assert_eq!(migrate(&[]), (Some(0), "Nothing to do: everything is there.\n".to_owned()));
    assert_eq!(migrate(&["--read-only"]).0, Some(2));

    let town = Town::new(3, false);
    let pool = town.on_emulator(Faults::default()).await;
    town.in_postgres(&pool, &database.url).await;
    let unique = ["--table", "app.users", "--unique-sub"];
    let (code, text) = migrate(&unique);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("Two rows carry the same sub"), "{text}");
    database.run("DELETE FROM app.users a USING app.users b WHERE a.id > b.id AND a.cognito_sub = b.cognito_sub").await;
    assert_eq!(migrate(&unique), (Some(0), "a unique index on the sub of app.users\n".to_owned()));
    assert_eq!(migrate(&unique).1, "Nothing to do: everything is there.\n");
}
