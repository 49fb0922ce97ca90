//! People sign up while a scan reads. What it says in the end, and does not call unsettled, is so.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};
use userlink_domain::{PoolUser, Sub, Timestamp};
use userlink_emulator::Faults;
use uuid::Uuid;

use crate::pty::{USERLINK, environment};
use crate::scanning::run;
use crate::town::Town;

/// The situation of each record, by sub and id.
pub(crate) fn verdicts(scan: &Value) -> HashMap<String, String> {
    let keys = |list: &Value, key: &str| {
        list.as_array().unwrap().iter().map(|record| record[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of = |entry: &Value| {
        let situation = entry["situation"].as_str().unwrap().to_owned();
        let records = keys(&entry["users"], "sub").into_iter().chain(keys(&entry["rows"], "id"));
        records.map(|record| (record, situation.clone())).collect::<Vec<_>>()
    };
    scan["entries"].as_array().unwrap().iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_sign_up_meanwhile_are_told_right_or_not_at_all() {
    let town = Town::new(1_500, true);
    let home = tempfile::tempdir().unwrap();
    let faults = Faults { latency: Duration::from_millis(150), short_pages: 0.5, ..Faults::default() };
    let pool = town.on_emulator(faults).await;
    let emulator = pool.emulator.as_ref().unwrap();
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    std::fs::write(home.path().join("town.toml"), "[contexts.town.table]\nid_type = \"uuid\"\n").unwrap();
    let arguments = [
        "scan",
        "--config",
        "town.toml",
        "--pool-id",
        &pool.id,
        "--endpoint-url",
        &pool.endpoint,
        "--rate",
        "20",
        "--format",
        "json",
        "--all",
        "-o",
        "told.json",
    ];
    let mut scan = std::process::Command::new(USERLINK);
    scan.args(arguments).env_clear().envs(environment(home.path())).current_dir(home.path());
    scan.env("USERLINK_DATABASE_URL", &url).stderr(Stdio::null());
    let mut scan = scan.spawn().unwrap();

    // Each in three steps, as the trigger makes the tie: the user, the row, the attribute. Some of them never come to the
    // last one, and some not to the second. A thousand steps a minute.
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let mut signed_up = 0_u32;
    while scan.try_wait().unwrap().is_none() {
        signed_up += 1;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let mut user = PoolUser::new(Sub::from_u128(Uuid::new_v4().as_u128()), format!("new-{signed_up}"));
        user.email = Some(format!("new{signed_up}@example.org").into());
        user.email_verified = true;
        (user.created, user.modified) =
            (Some(Timestamp::from_millis(now as i64)), Some(Timestamp::from_millis(now as i64)));
        assert!(emulator.add_user(&user));
        tokio::time::sleep(Duration::from_millis(80)).await;
        if signed_up.is_multiple_of(7) {
            continue;
        }
        let id = Uuid::new_v4().to_string();
        let insert = "INSERT INTO users (id, cognito_sub, email, created_at) VALUES (?, ?, ?, datetime('now'))";
        let inserted = sqlx::query(insert).bind(&id).bind(user.sub.to_string()).bind(user.email.as_deref());
        inserted.execute(&mut connection).await.unwrap();
        tokio::time::sleep(Duration::from_millis(80)).await;
        if !signed_up.is_multiple_of(5) {
            assert!(emulator.change_user(user.username.as_str(), |user| user.user_id = Some(id.into())));
        }
    }
    let read = || -> Value { serde_json::from_slice(&std::fs::read(home.path().join("told.json")).unwrap()).unwrap() };
    assert!(scan.wait().unwrap().success());
    let told = read();
    emulator.set_faults(Faults::default());
    assert!(run(home.path(), &arguments, &[("USERLINK_DATABASE_URL", &url)]).status.success());
    let truth = read();

    let (told, truth) = (verdicts(&told), verdicts(&truth));
    let unsettled = told.values().filter(|situation| *situation == "unsettled").count();
    let wrong: Vec<_> = told
        .iter()
        .filter(|(record, situation)| *situation != "unsettled" && truth.get(*record) != Some(situation))
        .map(|(record, situation)| (record, situation, truth.get(record)))
        .collect();
    assert!(wrong.is_empty(), "of {signed_up} who signed up: {wrong:#?}");
    assert!(signed_up >= 20, "only {signed_up} signed up meanwhile");
    assert!(unsettled * 100 < told.len(), "{unsettled} of {} are unsettled", told.len());
}

/// What the application does to its rows while a scan reads them: it takes subs away, hands them on, puts rows aside and
/// brings some back. Most of these rows were read before, and looked right.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_change_behind_the_scan_are_told_as_they_became() {
    let town = Town::new(3_000, true);
    let home = tempfile::tempdir().unwrap();
    let faults = Faults { latency: Duration::from_millis(120), ..Faults::default() };
    let pool = town.on_emulator(faults).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in [
        "PRAGMA busy_timeout = 10000",
        "ALTER TABLE users ADD COLUMN updated_at TEXT",
        "ALTER TABLE users ADD COLUMN deleted_at TEXT",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    let settings = "[contexts.town.table]\nid_type = \"uuid\"\nupdated_at = \"updated_at\"\n\
                    [contexts.town.table.where]\ndeleted_at = { null = true }\n";
    std::fs::write(home.path().join("town.toml"), settings).unwrap();
    let arguments = [
        "scan",
        "--config",
        "town.toml",
        "--pool-id",
        &pool.id,
        "--endpoint-url",
        &pool.endpoint,
        "--rate",
        "10",
        "--format",
        "json",
        "--all",
        "-o",
        "told.json",
    ];
    let mut scan = std::process::Command::new(USERLINK);
    scan.args(arguments).env_clear().envs(environment(home.path())).current_dir(home.path());
    scan.env("USERLINK_DATABASE_URL", &url).stderr(Stdio::null());
    let mut scan = scan.spawn().unwrap();

    // All of it before the users have been read: the pool needs its requests, the table was read in a moment.
    let emulator = pool.emulator.as_ref().unwrap();
    let mut changes = 0_u64;
    let anybody =
        "(SELECT id FROM users WHERE cognito_sub IS NOT NULL AND deleted_at IS NULL ORDER BY random() LIMIT 1)";
    while scan.try_wait().unwrap().is_none()
        && emulator.stats().requests.get("ListUsers").is_none_or(|asked| *asked < 40)
    {
        let change = match changes % 4 {
            0 => format!("UPDATE users SET cognito_sub = NULL, updated_at = datetime('now') WHERE id = {anybody}"),
            1 => format!("UPDATE users SET deleted_at = datetime('now'), updated_at = datetime('now') WHERE id = {anybody}"),
            2 => format!("UPDATE users SET cognito_sub = (SELECT cognito_sub FROM users WHERE id = {anybody}), updated_at = datetime('now') WHERE id = {anybody}"),
            _ => "INSERT INTO users (id, cognito_sub, updated_at) SELECT lower(hex(randomblob(4))) || '-0000-4000-8000-' || lower(hex(randomblob(6))), cognito_sub, datetime('now') FROM users WHERE cognito_sub IS NOT NULL ORDER BY random() LIMIT 1".to_owned(),
        };
        sqlx::query(sqlx::AssertSqlSafe(change)).execute(&mut connection).await.unwrap();
        changes += 1;
        // A thousand a minute.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let read = || -> Value { serde_json::from_slice(&std::fs::read(home.path().join("told.json")).unwrap()).unwrap() };
    assert!(scan.wait().unwrap().success());
    let told = read();
    // Long after.
    sqlx::query("UPDATE users SET updated_at = '2020-01-01'").execute(&mut connection).await.unwrap();
    emulator.set_faults(Faults::default());
    assert!(run(home.path(), &arguments, &[("USERLINK_DATABASE_URL", &url)]).status.success());
    let (told, truth) = (verdicts(&told), verdicts(&read()));
    let unsettled = told.values().filter(|situation| *situation == "unsettled").count();
    let of = |record: &String| (told.get(record), truth.get(record));
    let wrong: Vec<_> = told.keys().chain(truth.keys()).map(|record| (record, of(record))).collect();
    let wrong: Vec<_> =
        wrong.iter().filter(|(_, (told, is))| told != is && *told != Some(&"unsettled".to_owned())).collect();
    assert!(wrong.is_empty(), "after {changes} changes: {wrong:#?}");
    assert!(changes >= 30, "only {changes} changes meanwhile");
    assert!(unsettled * 100 < told.len(), "{unsettled} of {} are unsettled", told.len());
}
