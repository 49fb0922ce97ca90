//! While a slow and broken pool is read, nothing is shown that the whole of it refutes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use userlink_domain::{Group, Situation};
use userlink_emulator::Faults;

use crate::pty::{Pty, command};
use crate::town::Town;

/// What is wrong with one state of the screen.
fn refuted(lines: &[String], truth: &HashMap<String, Situation>, totals: &BTreeMap<Group, usize>) -> Vec<String> {
    let mut wrong = Vec::new();
    for line in lines {
        // " ! row side only     u0012@example.org  confirmed  ◀──╴  0192f0c1…000c …"
        let words = line.chars().skip(3).take(18).collect::<String>().trim().replace(['_', ' '], "_");
        let Some(said) = Situation::parse(&words) else { continue };
        if matches!(said, Situation::Reading | Situation::Unsettled) {
            continue;
        }
        // The words that name records: the user's e-mail or name, and the row's id. Behind them stands the row's
        // e-mail, which may be another user's.
        let mut names: Vec<&str> = line.split_whitespace().filter(|word| truth.contains_key(*word)).collect();
        if let Some(id) = names.iter().position(|word| word.contains('…')) {
            names.truncate(id + 1);
        }
        let known: Vec<_> = names.into_iter().map(|name| (name, &truth[name])).collect();
        if known.is_empty() || known.iter().any(|(_, truth)| **truth != said) {
            wrong.push(format!("{line}\n    in truth {known:?}"));
        }
        if line.contains('✗') && line.contains("reading") {
            wrong.push(format!("{line}\n    says that something is not there"));
        }
    }
    // The counts of the tabs only grow towards the truth.
    let top: String = lines.iter().take(3).cloned().collect();
    for (group, total) in totals {
        let name = format!("{:?}", group);
        let Some(after) = top.split(&name).nth(1) else { continue };
        let digits: String = after.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        let count: usize = digits.replace(',', "").parse().unwrap_or(0);
        if count > *total && *group != Group::Unsettled {
            wrong.push(format!("{name}: {count} of {total}"));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_that_the_whole_refutes_page_by_page() {
    let reading = nothing_is_shown_that_the_whole_refutes("12").await;
    assert!(reading >= 5, "only {reading} screens were drawn while it was read");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_that_the_whole_refutes_in_sixteen_parts_at_once() {
    nothing_is_shown_that_the_whole_refutes("100").await;
}

/// Gives how many screens were drawn while it was read.
async fn nothing_is_shown_that_the_whole_refutes(rate: &str) -> usize {
    let town = Town::new(380, true);
    let home = tempfile::tempdir().unwrap();
    let faults = Faults {
        seed: 11,
        latency: Duration::from_millis(60),
        empty_pages: 0.2,
        short_pages: 0.5,
        throttled: 0.1,
        ..Faults::default()
    };
    let pool = town.on_emulator(faults).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    std::fs::write(home.path().join("town.toml"), "[contexts.town.table]\nid_type = \"uuid\"\n").unwrap();

    // The screen calls a user by its e-mail where it has one, and a row by the two ends of its id.
    let by_record = town.verdict_of();
    let mut truth = HashMap::new();
    for (username, email) in town.people() {
        truth.insert(username.to_owned(), by_record[username]);
        truth.extend(email.map(|email| (email.to_owned(), by_record[username])));
    }
    for (record, situation) in by_record.iter().filter(|(record, _)| record.len() == 36) {
        truth.insert(format!("{}…{}", &record[..8], &record[32..]), *situation);
    }
    let mut totals = BTreeMap::new();
    for verdict in town.verdicts() {
        *totals.entry(Situation::parse(&verdict.0).unwrap().group()).or_insert(0) += 1;
    }

    let seen = Arc::new(Mutex::new((Vec::new(), 0, 0)));
    let watched = seen.clone();
    let flags = ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--config", "town.toml", "--rate", rate];
    let mut program = command(home.path(), &flags);
    program.env("USERLINK_DATABASE_URL", &url);
    let mut pty = Pty::watched(program, (200, 600), move |screen| {
        let lines: Vec<String> = screen.rows(0, 200).collect();
        // The overview shows counts alone, and it is left at once.
        if lines.iter().any(|line| line.contains("What there is")) {
            return;
        }
        let reading = lines.iter().filter(|line| line.contains("… reading")).count();
        let mut seen = watched.lock().unwrap();
        seen.0.extend(refuted(&lines, &truth, &totals));
        seen.1 += usize::from(reading > 0);
        seen.2 += 1;
    });
    pty.list();
    pty.see("Read everything");
    let screen = pty.until("the final list", |screen| !screen.contains("… reading"));
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let seen = seen.lock().unwrap();
    assert!(seen.0.is_empty(), "{} of {} screens were wrong, first:\n{}", seen.0.len(), seen.2, seen.0[0]);
    for situation in town.verdicts() {
        let words = Situation::parse(&situation.0).unwrap().words().replace("user id", "user_id");
        assert!(screen.contains(&words), "{words} is not on the screen in the end");
    }
    seen.1
}
