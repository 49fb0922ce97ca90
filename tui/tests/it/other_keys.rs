//! Keys that were changed: what the program says names the keys that there are.

use userlink_emulator::Faults;

use crate::pty::{Pty, command};
use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_cannot_begin_names_the_key_that_there_is() {
    let home = tempfile::tempdir().unwrap();
    let pool = Town::new(1, false).on_emulator(Faults::default()).await;
    std::fs::write(home.path().join("keys.toml"), "[keys]\nscan = [\"f5\"]\ndismiss = [\"f6\"]\n").unwrap();
    let flags = ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--config", "keys.toml"];
    let mut program = command(home.path(), &flags);
    program.env("USERLINK_DATABASE_URL", format!("sqlite://{}", home.path().join("nowhere.db").display()));
    let mut pty = Pty::start(program, (80, 24));
    let screen = pty.see("F5 scans again");
    assert!(screen.contains("nowhere.db") && !screen.contains(" R "), "{screen}");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}
