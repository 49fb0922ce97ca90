//! The commands around repairs: what they refuse, how they end, what they leave.

use userlink_emulator::Faults;

use crate::journeys::Place;
use crate::scanning::stderr;
use crate::town::Town;

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(place: &Place<'_>, arguments: &[&str]) -> Ended {
    let output = place.run(arguments);
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    Ended { code: output.status.code(), out, err: stderr(&output) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_and_how_it_ends() {
    let town = Town::new(5, true);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let emulator = pool.emulator.as_ref().unwrap();

    let refused = run(&place, &["plan", "--situation", "no_row", "-o", "p.json"]);
    assert!(refused.code == Some(2) && refused.err.contains("--only"), "{}", refused.err);
    let made = run(&place, &["plan", "-o", "p.json"]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(made.out.contains("row_side_only → linked") && made.out.contains("UserUpdate"), "{}", made.out);
    for seen in ["sides", "threshold", "attribute", "contested", "age", "journal", "production"] {
        assert!(made.out.contains(&format!("Guard {seen}")), "{seen}: {}", made.out);
    }
    assert!(made.out.contains("shared, in the application's database"), "{}", made.out);

    // The plan is what its schema says.
    let text = std::fs::read_to_string(home.path().join("p.json")).unwrap();
    let schema = serde_json::from_str(include_str!("../../schema/plan.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    let unasked = run(&place, &["apply", "p.json"]);
    assert!(unasked.code == Some(2) && unasked.err.contains("--yes"), "{}", unasked.err);
    std::fs::write(home.path().join("changed.json"), text.replacen("user-", "User-", 1)).unwrap();
    let changed = run(&place, &["apply", "changed.json", "--yes"]);
    assert!(changed.code == Some(1) && changed.err.contains("digest"), "{}", changed.err);
    let read_only = run(&place, &["apply", "p.json", "--yes", "--read-only"]);
    assert!(read_only.code == Some(2) && read_only.err.contains("Read-only"), "{}", read_only.err);

    // One of them changed meanwhile.
    let first = plan["entries"][0]["steps"][0]["username"].as_str().unwrap();
    assert!(emulator.change_user(first, |user| user.user_id = Some("theirs".into())));
    let applied = run(&place, &["apply", "p.json", "--yes", "--reason", "ticket 7"]);
    assert_eq!(applied.code, Some(3), "{}", applied.err);
    assert!(applied.out.contains("1 stale") && applied.out.contains(" done"), "{}", applied.out);
    assert_eq!(emulator.user(first).unwrap().user_id(), Some("theirs"));

    let history = run(&place, &["history", "--json", "--limit", "500"]);
    let lines: Vec<serde_json::Value> = history.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), plan["entries"].as_array().unwrap().len());
    assert!(lines.iter().all(|line| line["reason"] == "ticket 7" && line["plan"] == plan["id"]));
    assert_eq!(lines.iter().filter(|line| line["outcome"] == "stale").count(), 1);

    let shown = run(&place, &["show", first]);
    assert!(shown.code == Some(0) && shown.out.contains("provisional: dangling_user_id"), "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("recommended") && shown.out.contains("history"), "{}", shown.out);
    let email = town.people().find(|(name, _)| *name == first).unwrap().1.unwrap().to_owned();
    let by_email = run(&place, &["show", &email]);
    assert!(by_email.out.contains(&format!("user {first} ")), "{}{}", by_email.out, by_email.err);
    let nobody = run(&place, &["show", "nobody-at-all"]);
    assert_eq!(nobody.code, Some(2), "{}", nobody.err);

    let about = lines[0]["about"].as_str().unwrap();
    let erased = run(&place, &["journal", "erase", about, "--yes"]);
    assert!(erased.code == Some(0) && erased.out.contains("2 events removed"), "{}{}", erased.out, erased.err);
    let gone = run(&place, &["undo", "00000000-0000-0000-0000-000000000001", "--yes"]);
    assert!(gone.code == Some(1) && gone.err.contains("history"), "{}", gone.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_sees_another_s_data_is_contained_and_let_go_again() {
    let town = Town::new(5, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let emulator = pool.emulator.as_ref().unwrap();
    let who = town.users_of(userlink_domain::Situation::DuplicateUserId)[1].to_owned();
    let before = emulator.user(&who).unwrap();
    let plan = ["plan", "--contain", &who, "--disable", "-o", "c.json"];
    assert_eq!(run(&place, &plan).code, Some(2), "it wants a reason");
    let planned = run(&place, &[&plan[..], &["--reason", "ticket 8"]].concat());
    assert!(planned.out.contains("cannot be taken back"), "{}{}", planned.out, planned.err);
    let applied = run(&place, &["apply", "c.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.out, applied.err);
    let there = emulator.user(&who).unwrap();
    assert!(there.user_id().is_none() && !there.enabled);
    assert_eq!(emulator.stats().requests["AdminUserGlobalSignOut"], 1);
    let id: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(home.path().join("c.json")).unwrap()).unwrap();
    let undone = run(&place, &["undo", id["id"].as_str().unwrap(), "--yes"]);
    assert_eq!(undone.code, Some(0), "{}{}", undone.out, undone.err);
    let there = emulator.user(&who).unwrap();
    assert_eq!((there.user_id, there.enabled), (before.user_id, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_is_made_again_and_the_journal_forgets_when_told_to() {
    let town = Town::new(2, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let emulator = pool.emulator.as_ref().unwrap();
    let users = town.users_of(userlink_domain::Situation::RowSideOnly);
    let linked = || users.iter().filter(|user| emulator.user(user).unwrap().user_id().is_some()).count();
    let done = |arguments: &[&str]| {
        let ended = run(&place, arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.out, ended.err);
        ended.out
    };
    // The last line of a run: `run ID: 8 done`.
    let run_of = |out: &str| out.lines().last().unwrap()[4..40].to_owned();
    done(&["plan", "-o", "p.json"]);
    let first = run_of(&done(&["apply", "p.json", "--yes"]));
    assert_eq!(linked(), users.len());
    let back = run_of(&done(&["undo", &first, "--yes"]));
    assert_eq!(linked(), 0);
    // The way back is taken back: first one step of it, then the others; what has been taken back is left as it is.
    assert!(done(&["undo", &back, "--step", "3", "--yes"]).ends_with(": 1 done\n"));
    assert_eq!(linked(), 1);
    let rest = run(&place, &["undo", &back, "--yes"]);
    assert_eq!((rest.code, linked()), (Some(3), users.len()), "{}{}", rest.out, rest.err);
    assert!(rest.out.contains(&format!("{} done, 1 stale", users.len() - 1)), "{}", rest.out);

    let grants = run(&place, &["journal", "grants", "support"]);
    assert!(grants.code == Some(2) && grants.err.contains("SQLite"), "{}", grants.err);
    let unasked = run(&place, &["journal", "retain", "0"]);
    assert!(unasked.code == Some(2) && unasked.err.contains("--yes"), "{}", unasked.err);
    assert_eq!(done(&["journal", "retain", "1", "--yes"]), "0 events removed\n", "they are of today");
    // Each step was opened and closed: the run, its way back, one step of that taken back, and the attempt at all of it.
    let events = 2 * (3 * users.len() + 1);
    assert_eq!(done(&["journal", "retain", "0", "--yes"]), format!("{events} events removed\n"));
    assert_eq!(done(&["history"]), "");
    assert_eq!(linked(), users.len(), "nothing but the journal was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn production_wants_its_name_a_reason_and_the_shared_journal() {
    let town = Town::new(5, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let settings = std::fs::read_to_string(home.path().join("town.toml")).unwrap();
    let settings = settings.replacen("rate = 500", "production = true\nsnapshot = \"off\"\nrate = 500", 1);
    std::fs::write(home.path().join("town.toml"), settings).unwrap();
    assert_eq!(run(&place, &["plan", "-o", "p.json"]).code, Some(0));
    let unreasoned = run(&place, &["apply", "p.json", "--yes", "--context", "town"]);
    assert!(unreasoned.code == Some(1) && unreasoned.err.contains("--reason"), "{}", unreasoned.err);
    let unnamed = run(&place, &["apply", "p.json", "--yes", "--reason", "ticket"]);
    assert!(unnamed.code == Some(1) && unnamed.err.contains("town"), "{}", unnamed.err);
    let applied = run(&place, &["apply", "p.json", "--yes", "--reason", "ticket", "--context", "town"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.out, applied.err);
}
