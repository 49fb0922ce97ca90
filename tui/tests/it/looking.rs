//! Somebody is looked up by whatever a ticket says, and what was not looked at is said.

use userlink_domain::{Situation, Sub};
use userlink_emulator::Faults;

use crate::journeys::Place;
use crate::scanning::stderr;
use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn by_e_mail_by_sub_and_by_row_it_says_just_what_was_not_looked_at() {
    let town = Town::new(2, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), &pool, &url, "users");
    let show = |who: &str| {
        let output = place.run(&["show", who]);
        assert_eq!(output.status.code(), Some(0), "{who}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let username = town.users_of(Situation::RowSideOnly)[0];
    let user = pool.emulator.as_ref().unwrap().user(username).unwrap();
    let row = town.row_of(username);
    let (sub, email) = (user.sub.to_string(), user.email.clone().unwrap());
    assert!(Sub::parse(&sub).is_some());
    for who in [&*sub, row, username] {
        let shown = show(who);
        assert!(shown.contains("provisional: row_side_only"), "{who}: {shown}");
        assert!(shown.contains(&format!("sub {sub}")) && shown.contains(&format!("row {row}")), "{who}: {shown}");
        assert!(shown.contains("not looked at: who else carries this user id, or shares the e-mail."), "{shown}");
    }
    // Who shares the e-mail that was asked for was looked at.
    let shown = show(&email);
    assert!(shown.contains("not looked at: who else carries this user id. A scan tells."), "{shown}");
    let shown = show(&email.to_uppercase());
    assert!(shown.contains(&format!("row {row}")) && !shown.contains("shares"), "{shown}");
}
