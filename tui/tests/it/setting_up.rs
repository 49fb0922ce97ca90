//! The first start: nothing is set up, a few questions, and the dashboard.

use userlink_emulator::Faults;

use crate::pty::{Pty, command};
use crate::scanning::{run, stderr};
use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_asks_checks_each_answer_and_opens_the_dashboard() {
    let town = Town::new(3, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let mut program = command(home.path(), &["--endpoint-url", &pool.endpoint]);
    program.env("APP_DATABASE_URL", &url);
    let mut pty = Pty::start(program, (100, 40));
    pty.see("A name for this pool and table [default]:");
    pty.keys("town\r");
    pty.see("The user pool's id");
    pty.keys("eu-central-1_Nowhere\r");
    pty.see("An AWS profile");
    pty.keys("\r");
    pty.see("The attribute that names the row [custom:userId]:");
    pty.keys("\r");
    pty.see("There is no such user pool");
    pty.keys(&format!("{}\r\r\r", pool.id));
    pty.see("and the attribute custom:userId.");
    pty.see("Do people depend on it");
    pty.keys("\r");
    pty.see("The variable that holds the database's URL");
    pty.keys("APP_DATABASE_URI\r");
    pty.see("Did you mean APP_DATABASE_URL?");
    pty.keys("APP_DATABASE_URL\r");
    pty.see("The users table [users]:");
    pty.keys("people\r");
    pty.see("There is no table people");
    pty.keys("users\r");
    pty.see("The table main.users fits.");
    pty.see("Shall repairs be possible from here?");
    pty.keys("n\r");
    let screen = pty.see("Read everything");
    assert!(screen.contains("READ-ONLY") && screen.contains("town"), "{screen}");
    pty.keys("q");
    assert_eq!(pty.end(), 0);

    // It stays set up; the password stays where it was.
    let path = home.path().join(".config/userlink/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("database_url = { env = \"APP_DATABASE_URL\" }"), "{text}");
    assert!(!text.contains("town.db"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let scan = run(home.path(), &["scan"], &[("APP_DATABASE_URL", &url)]);
    assert!(scan.status.success(), "{}", stderr(&scan));

    // A second one is added without touching the first; nobody is asked where nobody is there.
    let more = ["init", "--context", "other", "--pool-id", &pool.id, "--endpoint-url", &pool.endpoint];
    let added = run(home.path(), &more, &[("USERLINK_DATABASE_URL", &url)]);
    assert!(added.status.success(), "{}", stderr(&added));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with(&text));
    let twice = run(home.path(), &more, &[("USERLINK_DATABASE_URL", &url)]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(stderr(&twice).contains("There is a context other"), "{}", stderr(&twice));
}
