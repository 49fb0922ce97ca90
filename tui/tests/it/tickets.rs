//! A ticket is answered in less than a second, however far away pool and database are.

use std::time::Duration;

use userlink_domain::Situation;
use userlink_emulator::Faults;
use userlink_kit::fresh_postgres_database;

use crate::pty::{Pty, command};
use crate::town::Town;
use crate::wires::Wires;

/// The answers of a pool on another continent.
const POOL: Duration = Duration::from_millis(200);
/// And those of a database behind a tunnel.
const TABLE: Duration = Duration::from_millis(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_takes_few_requests_one_after_the_other_whatever_the_ticket_says() {
    let mut town = Town::new(20, false);
    let shared = "office@example.org";
    town.add_linked_to_rows_of(shared, 6);
    let (home, database) = (tempfile::tempdir().unwrap(), fresh_postgres_database().await);
    let pool = town.on_emulator(Faults::default()).await;
    town.in_postgres(&pool, &database.url).await;
    let wires = Wires::default();
    let endpoint = wires.before(pool.endpoint.strip_prefix("http://").unwrap(), POOL).await;
    let (login, rest) = database.url.rsplit_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let table = wires.before(server, TABLE).await;
    let endpoint = format!("http://{endpoint}");
    let flags = ["--pool-id", &pool.id, "--endpoint-url", &endpoint, "--table", "app.users", "--rate", "100"];
    let mut program = command(home.path(), &flags);
    program.env("USERLINK_DATABASE_URL", format!("{login}@{table}/{name}"));
    let mut pty = Pty::start(program, (200, 50));
    pty.see("Read everything");
    wires.begin();

    let emulator = pool.emulator.as_ref().unwrap();
    let linked = town.users_of(Situation::Linked)[0];
    let tangled = town.users_of(Situation::Tangled)[0];
    let of = |username: &str| emulator.user(username).unwrap();
    let email = of(linked).email.unwrap().to_string();
    for who in [
        email.clone(),
        email.to_uppercase(),
        of(linked).sub.to_string(),
        linked.to_owned(),
        town.row_of(linked).to_owned(),
        // Whose pointers lead on to others.
        of(tangled).email.unwrap().to_string(),
        tangled.to_owned(),
        of(tangled).user_id.unwrap().to_string(),
        // Rows of one e-mail lead to as many users.
        shared.to_owned(),
    ] {
        pty.keys(&format!("o{who}"));
        pty.see(&who);
        let (asked, began) = (emulator.stats().requests["ListUsers"], wires.waited());
        pty.keys("\r");
        pty.see("provisional");
        let waited = wires.waited() - began;
        let asked = emulator.stats().requests["ListUsers"] - asked;
        assert!(asked <= if who == shared { 8 } else { 4 }, "{who}: {asked} requests");
        assert!(waited < Duration::from_secs(1), "{who}: {waited:?}");
        // What stands beside it comes at its end.
        pty.keys("G");
        pty.see("Nothing was done to it from here.");
        pty.keys("\x1b");
        pty.see_no("Nothing was done to it from here.");
    }
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}
