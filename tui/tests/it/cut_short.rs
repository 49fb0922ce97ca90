//! The program is killed in the middle of a write; the next start says what became of it.

use std::process::Command;

use userlink_domain::Situation;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, fates};

use crate::pty::{Pty, command};
use crate::town::{Pool, Town};

/// The program on this pool, at the gate before it.
fn start(home: &std::path::Path, pool: &Pool, gate: &Gate, url: &str) -> Pty {
    let arguments = ["--pool-id", &pool.id, "--endpoint-url", &gate.url, "--config", "town.toml"];
    let mut program = command(home, &arguments);
    program.env("USERLINK_DATABASE_URL", url);
    Pty::start(program, (200, 50))
}

/// Kills the program at the moment at which a request for this operation is held, which then has this fate; and starts it
/// again, which has to say these words. Gives whether `user_id` was written.
async fn killed(operation: &'static str, moment: Vec<Fate>, then: Fate, words: &str) -> bool {
    let town = Town::new(5, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    std::fs::write(home.path().join("town.toml"), "[contexts.town.table]\nid_type = \"uuid\"\n").unwrap();
    let mut gate = Gate::before(&pool.endpoint, fates(operation, moment)).await;
    let username = town.users_of(Situation::RowSideOnly)[0];

    let mut pty = start(home.path(), &pool, &gate, &url);
    pty.see("Read everything");
    pty.keys("2/");
    pty.keys(town.row_of(username));
    pty.keys("\r");
    pty.see("safe to repair");
    pty.keys("r");
    pty.see("∅ →");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    let held = gate.held().await;
    let process = pty.child.process_id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", "KILL", &process]).status().unwrap().success());
    pty.child.wait().unwrap();
    held.go(then);

    let mut pty = start(home.path(), &pool, &gate, &url);
    pty.see(words);
    pty.see("Read everything");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let user = pool.emulator.as_ref().unwrap().user(username).unwrap();
    user.user_id().is_some_and(|id| id == town.row_of(username))
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_write_it_was_not_done() {
    let written =
        killed("AdminUpdateUserAttributes", vec![Fate::Held], Fate::Lost, "0 of its steps had been done, 1 had not");
    assert!(!written.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_write_it_was_done() {
    let moment = vec![Fate::Pass, Fate::Held];
    let written = killed("AdminGetUser", moment, Fate::Lost, "1 of its steps had been done, 0 had not");
    assert!(written.await);
}
