//! Each situation's way: scanned, planned, applied, scanned again, taken back. With the program as it is started by a person.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use userlink_emulator::Faults;
use userlink_kit::fresh_postgres_database;

use crate::scanning::{json as scanned, run, stderr};
use crate::town::{Pool, Town};

/// Where the town is, and how the program is told.
pub(crate) struct Place<'a> {
    home: &'a Path,
    url: String,
}

impl<'a> Place<'a> {
    pub(crate) fn new(home: &'a Path, pool: &Pool, url: &str, table: &str) -> Self {
        let text = format!(
            "[contexts.town]\npool_id = \"{}\"\nendpoint_url = \"{}\"\ndatabase_url = {{ env = \"TOWN_DATABASE\" }}\n\
             rate = 500\nwrite_rate = 500\n[contexts.town.table]\nname = \"{table}\"\nid_type = \"uuid\"\n",
            pool.id, pool.endpoint
        );
        std::fs::write(home.join("town.toml"), text).unwrap();
        let place = Self { home, url: url.to_owned() };
        let migrated = place.run(&["migrate"]);
        assert!(migrated.status.success(), "{}", stderr(&migrated));
        place
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> std::process::Output {
        self.run_with(arguments, &[])
    }

    /// With these variables in its environment, too.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> std::process::Output {
        let all: Vec<&str> = arguments.iter().copied().chain(["--config", "town.toml"]).collect();
        run(self.home, &all, &[&[("TOWN_DATABASE", &*self.url)], variables].concat())
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let out = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{out}{}", stderr(&output));
        out
    }

    fn scan(&self) -> Value {
        scanned(&self.run(&["scan", "--format", "json", "--all"]))
    }
}

/// The situation of every user and row, by what they are called.
fn verdicts(scan: &Value) -> BTreeMap<(&'static str, String), String> {
    let mut all = BTreeMap::new();
    for entry in scan["entries"].as_array().unwrap() {
        for (kind, list, key) in [("user", "users", "username"), ("row", "rows", "id")] {
            for record in entry[list].as_array().unwrap() {
                let name = record[key].as_str().unwrap().to_owned();
                all.insert((kind, name), entry["situation"].as_str().unwrap().to_owned());
            }
        }
    }
    all
}

/// Both pointers of everybody.
fn pointers(scan: &Value) -> BTreeMap<(&'static str, String), Value> {
    let mut all = BTreeMap::new();
    for entry in scan["entries"].as_array().unwrap() {
        for (kind, list, key, pointer) in [("user", "users", "username", "user_id"), ("row", "rows", "id", "sub")] {
            for record in entry[list].as_array().unwrap() {
                all.insert((kind, record[key].as_str().unwrap().to_owned()), record[pointer].clone());
            }
        }
    }
    all
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// What a person chooses for an entry; none where it is reported and no more.
fn choice(entry: &Value) -> Option<Value> {
    let (users, rows) = (entry["users"].as_array().unwrap(), entry["rows"].as_array().unwrap());
    let first = users.first().map(|user| text(user, "sub"));
    let related = |kind: &str, key: &'static str| {
        let found = entry["related"].as_array().unwrap().iter().filter(move |other| other["kind"] == kind);
        found.map(move |other| text(other, key).to_owned()).collect::<Vec<_>>()
    };
    let row = rows.first().map(|row| text(row, "id"));
    let pair = |user: &str, row: Option<&str>| json!({"user": user, "row": row});
    let carrier = |sub: &str| users.iter().find(|user| text(user, "sub") == sub);
    let pairs = match text(entry, "situation") {
        "email_match" | "no_row" | "user_side_only" => vec![],
        // What is overwritten beside others is said one by one.
        "swapped" => {
            let own = |user: &Value| rows.iter().find(|row| row["sub"] == user["sub"]).map(|row| text(row, "id"));
            users.iter().map(|user| pair(text(user, "sub"), own(user))).collect()
        }
        "duplicate_user_id" => vec![pair(text(carrier(rows[0]["sub"].as_str()?)?, "sub"), row)],
        "dangling_user_id" if row.is_some() => vec![pair(first?, row)],
        "dangling_user_id" => vec![pair(first?, Some("new"))],
        "duplicate_rows" | "dead_sub_claimed" | "recreated" | "ambiguous" => vec![pair(first?, row)],
        "tangled" => {
            let owner = carrier(rows[0]["sub"].as_str()?)?;
            let others = users.iter().filter(|user| *user != owner).map(|user| pair(text(user, "sub"), None));
            others.chain([pair(text(owner, "sub"), row)]).collect()
        }
        "stranded" => vec![pair(&related("user", "sub")[0], row), pair(first?, None)],
        "federated_twin" => {
            let native = users.iter().find(|user| text(user, "status") != "EXTERNAL_PROVIDER")?;
            vec![pair(text(native, "sub"), row)]
        }
        "row_taken" => {
            let owner = related("user", "sub").into_iter().next();
            let owner = owner.map(|owner| pair(&owner, None));
            [pair(first?, Some(&related("row", "id")[0]))].into_iter().chain(owner).collect()
        }
        _ => return None,
    };
    let lead = first.or(row)?;
    Some(json!({"entry": lead, "pairs": pairs, "reason": "ticket 7"}))
}

fn journeys(place: &Place<'_>, expected: &[&str]) {
    let mut seen = BTreeSet::new();
    for situation in expected {
        let before = place.scan();
        let entries = before["entries"].as_array().unwrap();
        let wanted: Vec<&Value> = entries.iter().filter(|entry| entry["situation"] == *situation).collect();
        let mut choices: Vec<Value> = wanted.iter().filter_map(|entry| choice(entry)).collect();
        let alone = ["row_taken", "federated_twin"].contains(situation);
        if *situation == "row_side_only" {
            place.done(&["plan", "-o", "plan.json"]);
        } else {
            // The owner of the row that is taken is linked to it.
            for chosen in choices.iter_mut().filter(|_| *situation == "row_taken") {
                let row = chosen["pairs"][0]["row"].clone();
                let holds = |entry: &&Value| entry["rows"].as_array().unwrap().iter().any(|other| other["id"] == row);
                let owner = entries.iter().find(holds).unwrap()["users"][0]["sub"].clone();
                chosen["pairs"] = json!([chosen["pairs"][0], {"user": owner, "row": null}]);
            }
            assert!(!choices.is_empty(), "there is nothing to repair for {situation}");
            choices.truncate(if alone { 1 } else { choices.len() });
            std::fs::write(place.home.join("only.json"), json!(choices).to_string()).unwrap();
            place.done(&["plan", "--situation", situation, "--only", "only.json", "-o", "plan.json"]);
        }
        let path = place.home.join("plan.json");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let plan: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let applied = place.done(&["apply", "plan.json", "--yes"]);
        assert!(applied.contains(" done") && !applied.contains("stale"), "{situation}: {applied}");

        let after = place.scan();
        let told = verdicts(&after);
        let mut inserted = 0;
        for entry in plan["entries"].as_array().unwrap() {
            inserted += entry["steps"].as_array().unwrap().iter().filter(|step| step["step"] == "insert_row").count();
            for promised in entry["after"].as_array().unwrap() {
                let kind = if promised["kind"] == "user" { "user" } else { "row" };
                let there = &told[&(kind, text(promised, "name").to_owned())];
                assert_eq!(there, text(promised, "after"), "{situation}: {promised}");
            }
        }
        // Applied again it does nothing.
        let again = place.done(&["apply", "plan.json", "--yes"]);
        assert!(again.contains("done before") && !again.contains(" stale"), "{situation}: {again}");

        place.done(&["undo", text(&plan, "id"), "--yes"]);
        let back = place.scan();
        let (was, is) = (pointers(&before), pointers(&back));
        for (record, pointer) in &was {
            assert_eq!(is.get(record), Some(pointer), "{situation}: {record:?}");
        }
        assert_eq!(is.len(), was.len() + inserted, "{situation}: only inserted rows are left");
        assert!(is.iter().filter(|(record, _)| !was.contains_key(record)).all(|(_, sub)| sub.is_null()));
        seen.insert(*situation);
    }
    assert_eq!(seen.len(), expected.len());
}

async fn on_moto_and_postgresql(situations: &[&str]) {
    let town = Town::new(5, false);
    let (home, database) = (tempfile::tempdir().unwrap(), fresh_postgres_database().await);
    let pool = town.on_moto();
    town.in_postgres(&pool, &database.url).await;
    let place = Place::new(home.path(), &pool, &database.url, "app.users");
    journeys(&place, situations);
}

async fn on_the_emulator_and_sqlite(situations: &[&str]) {
    let town = Town::new(5, true);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    journeys(&place, situations);
}

const BY_SUBS: [&str; 5] = ["row_side_only", "duplicate_rows", "duplicate_user_id", "swapped", "tangled"];
const BY_IDS: [&str; 3] = ["dangling_user_id", "dead_sub_claimed", "user_side_only"];
const BY_EMAILS: [&str; 5] = ["email_match", "recreated", "ambiguous", "row_taken", "no_row"];

#[tokio::test(flavor = "multi_thread")]
async fn what_subs_tell_is_repaired_and_taken_back_on_moto_and_postgresql() {
    on_moto_and_postgresql(&BY_SUBS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ids_tell_is_repaired_and_taken_back_on_moto_and_postgresql() {
    on_moto_and_postgresql(&BY_IDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_e_mails_tell_is_repaired_and_taken_back_on_moto_and_postgresql() {
    on_moto_and_postgresql(&BY_EMAILS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_subs_and_ids_tell_is_repaired_and_taken_back_on_the_emulator_and_sqlite() {
    on_the_emulator_and_sqlite(&[&BY_SUBS[..], &BY_IDS].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_e_mails_and_other_providers_tell_is_repaired_and_taken_back_on_the_emulator_and_sqlite() {
    on_the_emulator_and_sqlite(&[&BY_EMAILS[..], &["stranded", "federated_twin"]].concat()).await;
}
