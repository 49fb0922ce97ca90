//! Many at once, on a real terminal: marked, looked at, applied, stopped, killed, gone on with, and taken back.

use std::process::Command;

use userlink_domain::Situation;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate};

use crate::pty::{Pty, command};
use crate::scanning::{run, stderr};
use crate::town::{Pool, Town};

const SMALL: (u16, u16) = (80, 24);

pub(crate) struct Place {
    pub(crate) town: Town,
    pub(crate) pool: Pool,
    pub(crate) url: String,
    pub(crate) home: tempfile::TempDir,
    /// What else is set of the table.
    pub(crate) of_table: String,
}

impl Place {
    /// So many users more who are `row_side_only`.
    async fn new(more: usize) -> Self {
        let emails: Vec<String> = (0..more).map(|number| format!("many{number:03}@example.org")).collect();
        let mut town = Town::new(5, true);
        town.add_row_side_only(&emails.iter().map(String::as_str).collect::<Vec<_>>());
        Self::of(town).await
    }

    pub(crate) async fn of(town: Town) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pool = town.on_emulator(Faults::default()).await;
        let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
        Self { town, pool, url, home, of_table: String::new() }
    }

    fn set(&self, endpoint: &str, settings: &str) {
        let text = format!(
            "[contexts.town]\npool_id = \"{}\"\nendpoint_url = \"{endpoint}\"\ndatabase_url = {{ env = \"TOWN_DATABASE\" }}\n\
             rate = 500\nwrite_rate = 500\n{settings}\n[contexts.town.table]\nid_type = \"uuid\"\n{}",
            self.pool.id, self.of_table
        );
        std::fs::write(self.home.path().join("town.toml"), text).unwrap();
    }

    pub(crate) fn start(&self, endpoint: &str, settings: &str, size: (u16, u16)) -> Pty {
        self.set(endpoint, settings);
        let mut program = command(self.home.path(), &["--config", "town.toml"]);
        program.env("TOWN_DATABASE", &self.url);
        Pty::start(program, size)
    }

    fn migrate(&self) {
        let variables = [("TOWN_DATABASE", self.url.as_str())];
        let made = run(self.home.path(), &["migrate", "--config", "town.toml"], &variables);
        assert!(made.status.success(), "{}", stderr(&made));
    }

    /// How many of the many are linked.
    fn linked(&self) -> usize {
        let emulator = self.pool.emulator.as_ref().unwrap();
        let of = self.town.people().filter(|(_, email)| email.is_some_and(|email| email.starts_with("many")));
        of.filter(|(username, _)| {
            let user = emulator.user(username).unwrap();
            user.user_id().is_some_and(|id| id == self.town.row_of(username))
        })
        .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_marked_looked_at_applied_and_taken_back() {
    let place = Place::new(30).await;
    let mut pty = place.start(&place.pool.endpoint.clone(), "", SMALL);
    pty.see("Read everything");
    pty.keys("2/many\r");
    pty.see("30 matches");
    // All of the filter but one.
    pty.keys("A");
    pty.see("◆ 30 marked");
    pty.keys(" ");
    pty.see("◆ 29 marked");
    // Another view, another order, a new scan: marks hold on to their records.
    pty.keys("\x1b");
    pty.see_no("Filter");
    pty.keys("7");
    pty.see("◆ 29 marked");
    pty.keys("R");
    pty.see("Read everything");
    pty.keys("r");
    let shown = pty.see("Guards");
    assert!(shown.contains("Repair 29 users") && shown.contains("nothing written yet"), "{shown}");
    assert!(
        shown.contains("29 to the pool, 0 to the table") && shown.contains("all of it can be taken back"),
        "{shown}"
    );
    pty.keys("G");
    pty.see_no("more below");
    assert_eq!(place.linked(), 0, "looking writes nothing");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    // A reason, and then yes.
    pty.keys("\x1b[Z");
    pty.keys("OPS-4711 backfill\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    let shown = pty.see("Repaired, and read back");
    assert!(shown.contains("29 done"), "{shown}");
    assert_eq!(place.linked(), 29);
    pty.keys("\r");
    pty.see_no("marked");
    // Who repaired them, and why; and back, from there.
    pty.keys("H");
    pty.see("Today");
    let shown = pty.see("OPS-4711 backfill");
    assert!(shown.contains("29 of 29 steps done") && shown.contains("tester@"), "{shown}");
    pty.keys("\r");
    pty.see("step 29 ");
    pty.keys("\x1b");
    pty.see_no("step 29 ");
    pty.keys("u");
    let shown = pty.see("Guards");
    assert!(shown.contains("Take back 29 users") && shown.contains("row side only"), "{shown}");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    assert_eq!(place.linked(), 29);
    pty.keys("y");
    pty.see("29 done");
    assert_eq!(place.linked(), 0);
    pty.keys("\r");
    pty.see_no("29 done");
    pty.keys("\x1b");
    pty.see_no("History");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_chosen_for_contained_and_dismissed() {
    let place = Place::new(1).await;
    let mut pty = place.start(&place.pool.endpoint.clone(), "", (120, 50));
    pty.see("Read everything");
    // A row that is somebody else's is moved by a person alone, with a reason, who sees both.
    let taken = place.town.users_of(Situation::RowTaken)[0].to_owned();
    pty.keys("/");
    pty.keys(&taken);
    pty.keys("\r");
    pty.until("the entry", |screen| screen.contains("1 match") && screen.contains("! row taken"));
    pty.keys("r");
    pty.see("has another owner");
    pty.keys("j");
    let shown = pty.see("HAS IT TODAY");
    assert!(shown.contains("GETS THE ROW") && shown.contains("Why not"), "{shown}");
    pty.keys("\x1b");
    pty.see("Cancelled");

    // Contained: the id goes, the sessions end, and nobody signs in.
    let linked = place.town.users_of(Situation::Linked)[0].to_owned();
    let user = |username: &str| place.pool.emulator.as_ref().unwrap().user(username).unwrap();
    assert!(user(&linked).user_id().is_some() && user(&linked).enabled);
    pty.keys("/");
    for _ in 0..taken.len() {
        pty.keys("\x7f");
    }
    pty.keys(&linked);
    pty.keys("\r");
    pty.until("the entry", |screen| screen.contains("1 match") && screen.contains("✓ linked"));
    pty.keys("X");
    pty.see("Disable the user, too");
    pty.keys("sees the data of another\r");
    pty.see("[ no ]");
    pty.keys(" ");
    pty.see("[ yes ]");
    pty.keys("\t\t\r");
    let shown = pty.see("Guards");
    assert!(shown.contains("cannot sign in") && shown.contains("cannot be taken back: 1 sign-out"), "{shown}");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    pty.see("3 done");
    assert!(user(&linked).user_id().is_none() && !user(&linked).enabled);
    pty.keys("\r");

    // Dismissed with a reason: it is ignored in this run of the program and in the next.
    let orphan = "many000@example.org";
    pty.keys("/");
    for _ in 0..linked.len() {
        pty.keys("\x7f");
    }
    pty.keys(orphan);
    pty.keys("\r");
    pty.until("the entry", |screen| screen.contains("1 match") && screen.contains("! row side only"));
    pty.keys("d");
    pty.see("Dismiss many000");
    pty.keys("a test account\r\t\r");
    pty.see("Dismissed: it is ignored");
    pty.see("ignored");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let mut pty = place.start(&place.pool.endpoint.clone(), "", (120, 50));
    pty.see("Read everything");
    pty.keys("/");
    pty.keys(orphan);
    pty.keys("\r");
    pty.until("the entry", |screen| screen.contains("1 match") && screen.contains("ignored"));
    pty.keys("d");
    pty.see("Take up many000@example.org again?");
    // It stands on Cancel.
    pty.keys("\r");
    pty.see("Cancelled");
    pty.keys("d");
    pty.see("[ Cancel ]");
    pty.keys("y");
    pty.see("taken up again");
    pty.see("row side only");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_many_the_next_start_finds_out_and_finishes() {
    let place = Place::new(20).await;
    // The eighth write is held: seven have been made, and others may be under way beside it.
    let mut count = 0;
    let mut gate = Gate::before(&place.pool.endpoint, move |operation| {
        count += usize::from(operation == "AdminUpdateUserAttributes");
        if operation == "AdminUpdateUserAttributes" && count == 8 { Fate::Held } else { Fate::Pass }
    })
    .await;
    let mut pty = place.start(&gate.url, "", SMALL);
    pty.see("Read everything");
    pty.keys("2/many\r");
    pty.see("20 matches");
    pty.keys("A");
    pty.see("◆ 20 marked");
    pty.keys("r");
    pty.see("Guards");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    let held = gate.held().await;
    let process = pty.child.process_id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", "KILL", &process]).status().unwrap().success());
    pty.child.wait().unwrap();
    // It arrives all the same.
    held.go(Fate::AnswerLost);

    let mut pty = place.start(&place.pool.endpoint.clone(), "", SMALL);
    pty.see("An earlier run had stopped in the middle");
    pty.see("Read everything");
    let before = place.linked();
    assert!((7..20).contains(&before), "{before}");
    pty.keys("\x1b");
    pty.see_no("An earlier run");
    pty.keys("2/many\r");
    let left = format!("{} match", 20 - before);
    pty.see(&left);
    pty.keys("A");
    pty.see("marked");
    pty.keys("r");
    pty.see("Guards");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    pty.see("Repaired, and read back");
    assert_eq!(place.linked(), 20, "as an undisturbed run leaves it");
    pty.keys("\rq");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_typed_and_a_run_that_is_stopped_goes_on_later() {
    let place = Place::new(12).await;
    let settings = "production = true\ntls = \"off\"\nsnapshot = \"off\"";
    // Each write waits until the test has seen the screen.
    let mut gate = Gate::before(&place.pool.endpoint, {
        let mut count = 0;
        move |operation| {
            count += usize::from(operation == "AdminUpdateUserAttributes");
            if operation == "AdminUpdateUserAttributes" && count == 3 { Fate::Held } else { Fate::Pass }
        }
    })
    .await;
    place.set(&gate.url, settings);
    place.migrate();
    let mut pty = place.start(&gate.url, settings, SMALL);
    pty.see("Read everything");
    pty.keys("2/many\r");
    pty.see("12 matches");
    pty.keys("Ar");
    pty.see("shared, in the application's database");
    pty.keys("\r");
    pty.see("Type town");
    // Without a reason, and with another name, nothing goes on.
    pty.keys("\t\t\ty");
    pty.see("Reason is wanted");
    pty.keys("OPS-1\r");
    pty.keys("prod\t\t\r");
    pty.see("Type town to go on");
    pty.keys("\x7f\x7f\x7f\x7ftown\t");
    pty.see("[ Cancel ]");
    pty.keys("y");
    pty.see("Repairing 12 users");
    let held = gate.held().await;
    pty.keys("s");
    pty.see("It stops");
    held.go(Fate::Pass);
    let shown = pty.see("Stopped before its end");
    assert!(shown.contains("left"), "{shown}");
    let before = place.linked();
    assert!(before < 12, "{before}");
    // What was not done, alone.
    pty.keys("a");
    pty.see("Guards");
    pty.keys("\r");
    pty.see("Type town");
    pty.keys("OPS-1\rtown\ty");
    let shown = pty.see("Repaired, and read back");
    assert!(shown.contains(&format!("{} done", 12 - before)), "{shown}");
    assert_eq!(place.linked(), 12);
    pty.keys("\rq");
    assert_eq!(pty.end(), 0);
}
