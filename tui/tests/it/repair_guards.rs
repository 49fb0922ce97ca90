//! What stands between a command and a write: whose account and context it is, how much it may touch, and what it says of it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use userlink_domain::Situation;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, fates, fresh_postgres_database};

use crate::journeys::Place;
use crate::pty::{USERLINK, environment};
use crate::scanning::{json as scanned, run as start, stderr};
use crate::town::{Pool, Town};

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(place: &Place<'_>, arguments: &[&str]) -> Ended {
    run_with(place, arguments, &[])
}

fn run_with(place: &Place<'_>, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let output = place.run_with(arguments, variables);
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    Ended { code: output.status.code(), out, err: stderr(&output) }
}

fn done(place: &Place<'_>, arguments: &[&str]) -> String {
    let ended = run(place, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.out, ended.err);
    ended.out
}

/// Adds a line to the context's settings.
fn set(home: &Path, line: &str) {
    let path = home.join("town.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, settings.replacen("rate = 500", &format!("{line}\nrate = 500"), 1)).unwrap();
}

fn plan_in(home: &Path, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(home.join(name)).unwrap()).unwrap()
}

async fn town(home: &Path, more: usize) -> (Town, Pool, String) {
    let emails: Vec<String> = (0..more).map(|number| format!("many{number:03}@example.org")).collect();
    let mut town = Town::new(5, false);
    town.add_row_side_only(&emails.iter().map(String::as_str).collect::<Vec<_>>());
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    (town, pool, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn for_production_the_context_is_typed_and_no_variable_says_yes() {
    let home = tempfile::tempdir().unwrap();
    let (_, pool, url) = town(home.path(), 0).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    set(home.path(), "production = true\nsnapshot = \"off\"");
    done(&place, &["plan", "-o", "p.json"]);
    let apply = ["apply", "p.json", "--yes", "--reason", "ticket"];
    let unnamed = run_with(&place, &apply, &[("USERLINK_CONTEXT", "town")]);
    assert!(unnamed.code == Some(1) && unnamed.err.contains("--context town"), "{}", unnamed.err);
    assert_eq!(done(&place, &["history"]), "");
    // Before the command or behind it, whatever the variable says.
    let named = [&["--context", "town"], &apply[..]].concat();
    let applied = run_with(&place, &named, &[("USERLINK_CONTEXT", "elsewhere")]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let again = run(&place, &[&apply[..], &["--context", "town"]].concat());
    assert_eq!(again.code, Some(0), "{}", again.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_without_the_shared_journal_writes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 0).await;
    let settings = format!(
        "[contexts.town]\npool_id = \"{}\"\nendpoint_url = \"{}\"\nsnapshot = \"off\"\nproduction = true\n\
         [contexts.town.table]\nid_type = \"uuid\"\n",
        pool.id, pool.endpoint
    );
    std::fs::write(home.path().join("town.toml"), settings).unwrap();
    let variables = [("USERLINK_DATABASE_URL", url.as_str())];
    let in_town =
        |arguments: &[&str]| start(home.path(), &[arguments, &["--config", "town.toml"]].concat(), &variables);
    assert!(in_town(&["plan", "-o", "p.json"]).status.success());
    let apply = ["apply", "p.json", "--yes", "--reason", "ticket", "--context", "town"];
    let refused = in_town(&apply);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("shared journal: run userlink migrate first"), "{}", stderr(&refused));
    let user = town.users_of(Situation::RowSideOnly)[0];
    assert_eq!(pool.emulator.as_ref().unwrap().user(user).unwrap().user_id(), None);
    assert!(in_town(&["migrate"]).status.success());
    assert!(in_town(&apply).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn how_much_a_plan_may_touch_is_set_and_a_count_that_is_given_is_meant() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 20).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let all = town.users_of(Situation::RowSideOnly).len();
    let refused = |more: &[&str], limit: u64| {
        let ended = run(&place, &[&["plan", "-o", "p.json"], more].concat());
        let words = format!("touches {all} users, more than the {limit} that a plan may");
        assert!(ended.code == Some(1) && ended.err.contains(&words), "{more:?}: {}", ended.err);
    };
    done(&place, &["plan", "-o", "p.json"]);
    refused(&["--max-users", "10"], 10);
    set(home.path(), "max_users = 3");
    refused(&[], 3);
    let made = done(&place, &["plan", "-o", "p.json", "--max-users", "100"]);
    assert!(made.contains(&format!("{all} users, over the 3 that pass unasked: you said so   mind this")), "{made}");
    set(home.path(), "max_percent = 100");
    let made = done(&place, &["plan", "-o", "p.json"]);
    let (users, _) = town.len();
    assert!(made.contains(&format!("{all} of the {users} users that a plan may touch\n")), "{made}");
    refused(&["--max-users", "10"], 10);
    set(home.path(), "max_percent = 101");
    // A key that stands there twice is an error, too; either way it is the settings' fault.
    assert_eq!(run(&place, &["plan", "-o", "p.json"]).code, Some(2));
}

/// moto's pools say which account they are in.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_the_account_and_is_refused_where_the_context_is_pinned_to_another() {
    let town = Town::new(2, false);
    let (home, pool) = (tempfile::tempdir().unwrap(), town.on_moto());
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    done(&place, &["plan", "-o", "p.json"]);
    assert_eq!(plan_in(home.path(), "p.json")["origin"]["account"], "123456789012", "without a pin");
    set(home.path(), "account = \"999999999999\"");
    let refused = run(&place, &["apply", "p.json", "--yes"]);
    assert!(refused.code == Some(2) && refused.err.contains("pinned to another"), "{}", refused.err);
    assert_eq!(done(&place, &["history"]), "", "nothing was begun");
    let settings = std::fs::read_to_string(home.path().join("town.toml")).unwrap();
    std::fs::write(home.path().join("town.toml"), settings.replace("999999999999", "123456789012")).unwrap();
    done(&place, &["apply", "p.json", "--yes"]);
    let settings = std::fs::read_to_string(home.path().join("town.toml")).unwrap();
    std::fs::write(home.path().join("town.toml"), settings.replace("123456789012", "999999999999")).unwrap();
    let id = plan_in(home.path(), "p.json")["id"].as_str().unwrap().to_owned();
    let refused = run(&place, &["undo", &id, "--yes"]);
    assert!(refused.code == Some(2) && refused.err.contains("pinned to another"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_overwritten_in_a_large_plan_is_printed_with_its_old_value() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 25).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let many: Vec<&str> = town.users_of(Situation::RowSideOnly);
    let circle = town.users_of(Situation::Swapped)[0];
    let only = |last: Value| {
        let choices: Vec<Value> = many.iter().map(|user| json!(user)).chain([last]).collect();
        std::fs::write(home.path().join("only.json"), json!(choices).to_string()).unwrap();
        run(&place, &["plan", "--only", "only.json", "-o", "p.json"])
    };
    let refused = only(json!(circle));
    assert!(refused.code == Some(1) && refused.err.contains("wants the pairs said for it"), "{}", refused.err);
    let scan = scanned(&place.run(&["scan", "--format", "json", "--all"]));
    let entries = scan["entries"].as_array().unwrap();
    let of_circle = |entry: &&Value| entry["users"].as_array().unwrap().iter().any(|user| user["username"] == circle);
    let entry = entries.iter().find(of_circle).unwrap();
    let users = || entry["users"].as_array().unwrap().iter();
    let pairs: Vec<Value> = users()
        .map(|user| json!({"user": user["username"], "row": town.row_of(user["username"].as_str().unwrap())}))
        .collect();
    let made = only(json!({"entry": circle, "pairs": pairs}));
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(made.out.contains("more entries, which stand in the file"), "{}", made.out);
    for user in users() {
        let (name, old) = (user["username"].as_str().unwrap(), user["user_id"].as_str().unwrap());
        assert!(made.out.contains(&format!("user {name}: user id: {old} → ")), "{name}: {}", made.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_contained_is_left_out_and_undo_signs_out_where_it_is_told_to() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 0).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let emulator = pool.emulator.as_ref().unwrap();
    let who = town.users_of(Situation::Linked)[0];
    let planned = done(&place, &["plan", "--contain", who, "--reason", "ticket 8", "-o", "c.json"]);
    assert!(planned.contains("Note: Row ") && planned.contains("No bulk plan writes its id back"), "{planned}");
    done(&place, &["apply", "c.json", "--yes"]);
    let made = done(&place, &["plan", "-o", "p.json"]);
    assert!(
        made.contains("Note: 1 more are row side only and held back: the user id was cleared to contain"),
        "{made}"
    );
    assert!(!std::fs::read_to_string(home.path().join("p.json")).unwrap().contains(&format!("\"{who}\"")));
    std::fs::write(home.path().join("only.txt"), format!("{who}\n")).unwrap();
    done(&place, &["plan", "--only", "only.txt", "-o", "by-name.json"]);
    done(&place, &["apply", "by-name.json", "--yes"]);
    assert!(emulator.user(who).unwrap().user_id().is_some());

    done(&place, &["apply", "p.json", "--yes"]);
    let signed_out = || emulator.stats().requests.get("AdminUserGlobalSignOut").copied().unwrap_or_default();
    let before = signed_out();
    let plan = plan_in(home.path(), "p.json");
    let users = plan["entries"].as_array().unwrap().len() as u64;
    let undone = done(&place, &["undo", plan["id"].as_str().unwrap(), "--sign-out", "--yes"]);
    assert!(undone.ends_with(&format!(": {} done\n", 2 * users)), "{undone}");
    assert_eq!(signed_out() - before, users);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_dismissed_listed_and_taken_up_again() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 0).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let who = town.users_of(Situation::NoRow)[0];
    let count = |situation: &str| {
        let scan = scanned(&place.run(&["scan", "--format", "json"]));
        scan["situations"][situation].as_u64().unwrap_or_default()
    };
    let before = (count("no_row"), count("ignored"));
    let unreasoned = run(&place, &["dismiss", who]);
    assert!(unreasoned.code == Some(2) && unreasoned.err.contains("--reason"), "{}", unreasoned.err);
    let nobody = run(&place, &["dismiss", "nobody-at-all", "--reason", "a test"]);
    assert_eq!(nobody.code, Some(2), "{}", nobody.err);
    let read_only = run(&place, &["dismiss", who, "--reason", "a test", "--read-only"]);
    assert!(read_only.code == Some(2) && read_only.err.contains("Read-only"), "{}", read_only.err);
    let unknown = run(&place, &["dismiss", who, "--take-up"]);
    assert!(unknown.code == Some(1) && unknown.err.contains("was not dismissed"), "{}", unknown.err);
    assert_eq!(done(&place, &["dismiss"]), "");

    let said = run(&place, &["dismiss", who, "--reason", "a test account\x1b[31m"]);
    assert!(said.code == Some(0) && said.err.contains("is ignored as no row until"), "{}", said.err);
    assert_eq!((count("no_row"), count("ignored")), (before.0 - 1, before.1 + 1));
    let listed = done(&place, &["dismiss"]);
    assert!(listed.contains("tester@") && listed.contains(": a test account") && !listed.contains('\x1b'), "{listed}");
    assert_eq!(listed.lines().count(), 1);
    done(&place, &["dismiss", who, "--take-up"]);
    assert_eq!(done(&place, &["dismiss"]), "");
    assert_eq!((count("no_row"), count("ignored")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_what_is_under_way_and_begins_nothing_more() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 30).await;
    let mut gate = Gate::before(&pool.endpoint, fates("AdminUpdateUserAttributes", [Fate::Held])).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let settings = std::fs::read_to_string(home.path().join("town.toml")).unwrap();
    let settings = settings.replace("write_rate = 500", "write_rate = 10").replace(&pool.endpoint, &gate.url);
    std::fs::write(home.path().join("town.toml"), settings).unwrap();
    done(&place, &["plan", "-o", "p.json"]);
    let mut apply = Command::new(USERLINK);
    apply.args(["apply", "p.json", "--yes", "--config", "town.toml"]).env_clear().envs(environment(home.path()));
    apply.env("TOWN_DATABASE", &url).current_dir(home.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = apply.spawn().unwrap();
    let held = gate.held().await;
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    held.go(Fate::Pass);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", stderr(&ended));
    let out = String::from_utf8(ended.stdout).unwrap();
    let last = out.lines().last().unwrap();
    assert!(last.contains(" done, ") && last.ends_with(" left"), "{last}");
    let history = done(&place, &["history", "--json", "--limit", "500"]);
    let lines: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["outcome"] == "done"), "{history}");
    // It is gone on with.
    let applied = done(&place, &["apply", "p.json", "--yes"]);
    assert!(applied.contains(&format!("{} done before", lines.len())), "{applied}");
    let all = town.users_of(Situation::RowSideOnly);
    assert!(all.iter().all(|user| pool.emulator.as_ref().unwrap().user(user).unwrap().user_id().is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_mapping_cannot_fill_is_made_by_the_application_s_function() {
    let town = Town::new(2, false);
    let (home, database) = (tempfile::tempdir().unwrap(), fresh_postgres_database().await);
    let pool = town.on_emulator(Faults::default()).await;
    town.in_postgres(&pool, &database.url).await;
    let sql = "ALTER TABLE app.users ADD plan text; UPDATE app.users SET plan = 'free';
               ALTER TABLE app.users ALTER plan SET NOT NULL;
               CREATE FUNCTION app.create_user(sub text, email text) RETURNS void LANGUAGE sql AS
               $$ INSERT INTO app.users (cognito_sub, email, plan) VALUES (sub, email, 'new') $$";
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    let place = Place::new(home.path(), &pool, &database.url, "app.users");
    let who = town.users_of(Situation::NoRow)[0];
    std::fs::write(home.path().join("only.txt"), format!("{who}\n")).unwrap();
    let plan = ["plan", "--only", "only.txt", "-o", "p.json"];
    let refused = run(&place, &plan);
    assert!(refused.code == Some(1) && refused.err.contains("nothing gives a value to plan."), "{}", refused.err);
    let settings = std::fs::read_to_string(home.path().join("town.toml")).unwrap();
    let settings = settings.replacen("id_type", "insert_function = \"app.create_user\"\nid_type", 1);
    std::fs::write(home.path().join("town.toml"), settings).unwrap();
    done(&place, &plan);
    done(&place, &["apply", "p.json", "--yes"]);
    let user = pool.emulator.as_ref().unwrap().user(who).unwrap();
    let made: i64 = sqlx::query_scalar("SELECT count(*) FROM app.users WHERE plan = 'new' AND id::text = $1")
        .bind(user.user_id().unwrap())
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(made, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_erased_by_a_pattern() {
    let home = tempfile::tempdir().unwrap();
    let (town, pool, url) = town(home.path(), 0).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    done(&place, &["plan", "-o", "p.json"]);
    done(&place, &["apply", "p.json", "--yes"]);
    for hostile in ["%", "sub", "user-%", "_"] {
        let ended = run(&place, &["journal", "erase", hostile, "--yes"]);
        assert_eq!((ended.code, &*ended.out), (Some(0), "0 events removed\n"), "{hostile}: {}", ended.err);
    }
    let who = town.users_of(Situation::RowSideOnly)[0];
    assert_eq!(done(&place, &["journal", "erase", who, "--yes"]), "2 events removed\n");
}
