//! What goes wrong outside: each time a sentence that says what to do, and an exit code. In the dashboard a message on
//! the screen, with what was read kept.

use std::path::Path;
use std::time::Duration;

use userlink_domain::{Situation, Timestamp};
use userlink_emulator::Faults;
use userlink_kit::{fresh_postgres_database, moto_url, postgres_url};

use crate::pty::{Pty, USERLINK, command, environment};
use crate::scanning::{run, stderr};
use crate::town::{Pool, Town};

/// A scan that has to fail with this code, and in words that hold all of these; and that shows nothing raw.
fn fails(home: &Path, arguments: &[&str], database: &str, code: i32, words: &[&str]) {
    let arguments: Vec<&str> = ["scan"].iter().chain(arguments).copied().collect();
    let output = run(home, &arguments, &[("USERLINK_DATABASE_URL", database)]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    let last = said.trim_end().lines().last().unwrap_or_default();
    for word in words {
        assert!(last.contains(word), "{arguments:?}: {word:?} is not in {last:?}");
    }
    for raw in ["panicked", "backtrace", "{\"", "RUST_BACKTRACE", "hush", "SdkError", "Os {"] {
        assert!(!said.contains(raw), "{raw} is in {said}");
    }
}

/// A town of a few on the emulator and in SQLite.
async fn few(home: &Path, faults: Faults) -> (Town, Pool, String) {
    let town = Town::new(3, false);
    let pool = town.on_emulator(faults).await;
    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    (town, pool, url)
}

fn at<'a>(pool: &'a Pool, more: &[&'a str]) -> Vec<&'a str> {
    ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--rate", "100"]
        .into_iter()
        .chain(more.iter().copied())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_pool_is_said_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (_, pool, url) = few(home, Faults::default()).await;

    let nobody = ["--pool-id", &pool.id, "--endpoint-url", "http://127.0.0.1:9", "--rate", "100"];
    fails(home, &nobody, &url, 1, &["127.0.0.1:9", "endpoint_url"]);
    let other = ["--pool-id", "eu-central-1_Nowhere", "--endpoint-url", &pool.endpoint];
    fails(home, &other, &url, 2, &["pool_id"]);
    fails(home, &["--pool-id", "us-east-1_Nowhere", "--endpoint-url", &moto_url()], &url, 2, &["pool_id"]);
    fails(home, &["--pool-id", "eu-west-1_A", "--region", "us-east-1"], &url, 2, &["eu-west-1", "us-east-1"]);
    fails(home, &["--pool-id", "nonsense"], &url, 2, &["REGION_NAME"]);
    fails(home, &at(&pool, &["--attribute", "custom:userid"]), &url, 2, &["custom:userid", "attribute"]);
    fails(home, &at(&pool, &["--attribute", "userId"]), &url, 2, &["custom:"]);

    let emulator = pool.emulator.as_ref().unwrap();
    emulator.set_faults(Faults { denied: vec!["ListUsers".to_owned()], ..Faults::default() });
    fails(home, &at(&pool, &[]), &url, 1, &["ListUsers", "allowed"]);
    emulator.set_faults(Faults { internal: 1.0, ..Faults::default() });
    fails(home, &at(&pool, &[]), &url, 1, &["Try again"]);
    emulator.set_faults(Faults { credentials_expire_after: Some(0), ..Faults::default() });
    fails(home, &at(&pool, &[]), &url, 1, &["expired", "Sign in again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_says_how_to_sign_in() {
    let home = tempfile::tempdir().unwrap();
    let mut scan = std::process::Command::new(USERLINK);
    scan.args(["scan", "--pool-id", "eu-west-1_A"]).env_clear().envs(environment(home.path())).current_dir(home.path());
    scan.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    std::fs::File::create(home.path().join("a.db")).unwrap();
    let output = scan.env("USERLINK_DATABASE_URL", "sqlite:a.db").output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("No AWS credentials were found.") && said.contains("aws sso login"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_database_is_said_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (_, pool, _) = few(home, Faults::default()).await;
    let database = fresh_postgres_database().await;
    let wrong = postgres_url();
    let (before, behind) = wrong.split_once("//").unwrap();
    let (user, server) = (behind.split(':').next().unwrap(), behind.rsplit('@').next().unwrap());

    fails(home, &at(&pool, &[]), "postgres://u:hush@127.0.0.1:9/app", 1, &["127.0.0.1:9", "cannot be reached"]);
    fails(
        home,
        &at(&pool, &[]),
        &format!("{before}//{user}:hush@{server}"),
        2,
        &["refused the user name or the password"],
    );
    fails(home, &at(&pool, &[]), &wrong.replace("/postgres", "/nowhere"), 2, &["nowhere"]);
    fails(home, &at(&pool, &[]), &database.url, 2, &["There is no table users"]);
    fails(home, &at(&pool, &["--table", "app.people"]), &database.url, 2, &["app.people"]);
    fails(home, &at(&pool, &[]), "sqlite:nowhere.db", 2, &["nowhere.db"]);
    fails(home, &at(&pool, &[]), "mysql://u:hush@h/d", 2, &["postgres://"]);
    std::fs::write(home.join("text.db"), "a text, and no database at all, of some length").unwrap();
    fails(home, &at(&pool, &[]), "sqlite:text.db", 2, &["text.db is no SQLite database"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_settings_is_said_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fails(home, &[], "", 2, &["pool_id", "userlink demo"]);
    fails(home, &["--config", "nowhere.toml"], "", 2, &["nowhere.toml"]);
    std::fs::write(home.join("typo.toml"), "[contexts.a]\npol_id = 'eu-west-1_A'\n").unwrap();
    fails(home, &["--config", "typo.toml"], "", 2, &["typo.toml", "pol_id", "pool_id"]);
    std::fs::write(home.join("syntax.toml"), "[contexts.a]\ndatabase_url = 'postgres://u:hush@h/d\n").unwrap();
    fails(home, &["--config", "syntax.toml"], "", 2, &["syntax.toml", "line 2"]);
    fails(
        home,
        &["--pool-id", "eu-west-1_A", "--database-url", "postgres://u:hush@h/d"],
        "",
        2,
        &["USERLINK_DATABASE_URL"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_keeps_what_it_read_when_credentials_expire_and_goes_on_when_asked() {
    let home = tempfile::tempdir().unwrap();
    let town = Town::new(240, false);
    let faults = Faults { latency: Duration::from_millis(30), credentials_expire_after: Some(4), ..Faults::default() };
    let pool = town.on_emulator(faults).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let mut program = command(home.path(), &at(&pool, &[]));
    program.env("USERLINK_DATABASE_URL", &url);
    let mut pty = Pty::start(program, (80, 24));
    pty.list();
    let screen = pty.see("credentials have expired");
    assert!(screen.contains("Sign in again") && screen.contains("Waiting for credentials"), "{screen}");
    let screen = pty.see("u0001@example.org");
    assert!(!screen.contains("Read everything"), "{screen}");
    // Esc dismisses the message; the keys go on working with what there is.
    pty.keys("\x1b");
    pty.see_no("credentials have expired");
    pty.keys("jj");
    pty.see("▌… u0002@example.org");
    let asked = pool.emulator.as_ref().unwrap().stats().requests["ListUsers"];
    // Signed in again: it goes on where it was.
    pool.emulator.as_ref().unwrap().set_faults(Faults::default());
    pty.keys("R");
    pty.see("Read everything");
    let more = pool.emulator.as_ref().unwrap().stats().requests["ListUsers"] - asked;
    assert!(more <= 22, "{more} more requests for the rest of 284 users in sixteen parts, one page each");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_waits_for_credentials_that_are_taken_away() {
    let home = tempfile::tempdir().unwrap();
    let town = Town::new(240, false);
    let pool = town.on_emulator(Faults { latency: Duration::from_millis(30), ..Faults::default() }).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let mut program = command(home.path(), &at(&pool, &[]));
    program.env("USERLINK_DATABASE_URL", &url);
    let mut pty = Pty::start(program, (200, 50));
    pty.list();
    pty.see("u0001@example.org");
    let emulator = pool.emulator.as_ref().unwrap();
    emulator.set_faults(Faults { credentials_unknown_after: Some(0), ..Faults::default() });
    pty.see("does not accept the AWS credentials");
    pty.see("Waiting for credentials");
    emulator.set_faults(Faults::default());
    pty.keys("R");
    pty.see("Read everything");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    // Nobody is there to sign in: it fails.
    emulator.set_faults(Faults { credentials_unknown_after: Some(0), ..Faults::default() });
    fails(home.path(), &at(&pool, &[]), &url, 1, &["does not accept the AWS credentials", "Sign in"]);
}

/// The last thing that is asked of the pool is whoever may be in the making, singly. Without an answer nothing is said of anybody.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_gone_when_it_settles_make_nobody_unsettled() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let town = Town::new(3, false);
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    let emulator = pool.emulator.as_ref().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    assert!(emulator.change_user(town.users_of(Situation::NoRow)[0], |user| {
        user.created = Some(Timestamp::from_millis(now));
    }));
    let asked = || emulator.stats().requests.values().sum::<u64>();
    let before = asked();
    let arguments = at(&pool, &[]);
    let arguments: Vec<&str> = ["scan"].into_iter().chain(arguments.iter().copied()).collect();
    let whole = run(home, &arguments, &[("USERLINK_DATABASE_URL", &url)]);
    assert!(whole.status.success(), "{}", stderr(&whole));
    let last = 2 * asked() - before - 1;
    emulator.set_faults(Faults { credentials_unknown_after: Some(last), ..Faults::default() });
    fails(home, &at(&pool, &[]), &url, 1, &["does not accept the AWS credentials", "Sign in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_says_what_it_cannot_open_and_tries_again() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, _) = few(home.path(), Faults::default()).await;
    let path = home.path().join("later.db");
    let mut program = command(home.path(), &at(&pool, &[]));
    program.env("USERLINK_DATABASE_URL", format!("sqlite://{}", path.display()));
    let mut pty = Pty::start(program, (80, 24));
    pty.see("later.db");
    // It may go on in the next line.
    let says =
        |screen: &str| screen.split_whitespace().collect::<Vec<_>>().join(" ").contains("Scan again to try once more.");
    pty.until("what to do", says);
    town.in_sqlite(&pool, &path).await;
    pty.keys("\x1b");
    pty.until("nothing to do", |screen| !says(screen));
    pty.keys("R");
    pty.see("Read everything");
    pty.list();
    // A scan that fails later leaves what the one before it read.
    pool.emulator.as_ref().unwrap().set_faults(Faults { denied: vec!["ListUsers".to_owned()], ..Faults::default() });
    pty.keys("R");
    let screen = pty.see("What the scan before it read is kept.");
    assert!(screen.contains("u0001@example.org"), "{screen}");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

/// A file of a kilobyte at most stands for a disk that is full: it is full at the start, or it becomes so.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_nothing_and_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (_, pool, url) = few(home.path(), Faults { throttled: 0.5, ..Faults::default() }).await;
    fails(home.path(), &at(&pool, &["--log-file", "/dev/full"]), &url, 2, &["/dev/full", "--log-file"]);

    let arguments = at(&pool, &["-vv", "--log-file", "small.log"]).join(" ");
    let limited = format!("trap '' XFSZ; ulimit -f 1; exec '{USERLINK}' scan --format table {arguments}");
    let mut scan = std::process::Command::new("bash");
    scan.args(["-c", &limited]).env_clear().envs(environment(home.path())).current_dir(home.path());
    // A log that is nearly full already.
    std::fs::write(home.path().join("small.log"), vec![b'\n'; 1000]).unwrap();
    let output = scan.env("USERLINK_DATABASE_URL", &url).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("The log cannot be written"), "{}", stderr(&output));
    assert!(!output.stdout.is_empty());
}

#[test]
fn without_a_terminal_the_dashboard_says_what_to_use_instead() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["demo"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("userlink scan"), "{}", stderr(&output));
}
