//! A row goes from one person to another, on a real terminal: both are seen, a reason is given, it is written, and taken back.

use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use userlink_domain::{PoolUser, Situation, Sub};
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, fresh_postgres_database};

use crate::many::Place;
use crate::pty::Pty;
use crate::scanning::run;
use crate::town::Town;

const LARGE: (u16, u16) = (120, 50);
const SIGN_OUT: &str = "AdminUserGlobalSignOut";

/// Opens the entry of a user, in that situation, and asks for its repair.
fn repair(pty: &mut Pty, user: &str, situation: &str) {
    pty.see("Read everything");
    pty.keys("/");
    pty.keys(user);
    pty.keys("\r");
    pty.until("the entry", |screen| screen.contains("1 match") && screen.contains(situation));
    pty.keys("r");
}

/// Goes from the candidate under the cursor to the plan, with a reason.
fn with_reason(pty: &mut Pty) -> String {
    pty.keys("\r");
    pty.see("─ Why? ─");
    pty.keys("OPS-7 signed up twice\r\t\r");
    pty.see("Guards")
}

fn apply(pty: &mut Pty, done: &str) {
    pty.keys("\r");
    let shown = pty.see("[ Cancel ]");
    assert!(shown.contains("no conditional write"), "{shown}");
    pty.keys("y");
    pty.see(done);
}

/// From what came of it.
fn take_back(pty: &mut Pty, done: &str) {
    pty.keys("u");
    pty.see("Take back");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    let shown = pty.see("Taken back, and read back");
    assert!(shown.contains(done), "{shown}");
}

impl Place {
    /// The rows of the town get a column that is shown, and orders that refer to one of them.
    async fn with_orders_of(&mut self, row: &str) {
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        let orders = "ALTER TABLE users ADD COLUMN last_login TEXT; UPDATE users SET last_login = '2026-11-01 08:15'; \
                      CREATE TABLE orders (number INTEGER PRIMARY KEY, of TEXT REFERENCES users (id)); \
                      CREATE INDEX orders_of ON orders (of);";
        let two = format!("INSERT INTO orders (of) VALUES ('{row}'), ('{row}');");
        let text = sqlx::AssertSqlSafe(format!("{orders} {two}"));
        connection.execute(sqlx::raw_sql(text)).await.unwrap();
        connection.close().await.unwrap();
        self.of_table = "show = [\"last_login\"]\n".to_owned();
    }

    fn id_of(&self, user: &str) -> Option<String> {
        let user = self.pool.emulator.as_ref().unwrap().user(user).unwrap();
        user.user_id().map(str::to_owned)
    }

    /// Whose sub the row carries.
    async fn owner_of(&self, row: &str) -> Option<String> {
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        let sub: Option<String> = sqlx::query_scalar("SELECT cognito_sub FROM users WHERE id = ?1")
            .bind(row)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let of = self.town.people().map(|(name, _)| name).find(|name| sub.as_deref() == Some(self.pool.sub_of(name)));
        of.map(str::to_owned)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_taken_is_moved_and_taken_back() {
    let mut place = Place::of(Town::new(5, true)).await;
    let (taker, row, owner) = place.town.taken();
    let (taker, row, owner) = (&*taker.to_owned(), &*row.to_owned(), &*owner.to_owned());
    place.with_orders_of(row).await;
    let mut pty = place.start(&place.pool.endpoint, "", LARGE);
    repair(&mut pty, taker, "! row taken");
    pty.see("has another owner");
    pty.keys("j");
    let shown = pty.see("HAS IT TODAY");
    assert!(shown.contains("GETS THE ROW") && shown.contains(&format!("sees what belongs to row {row}")), "{shown}");
    assert!(shown.contains("signs in, and finds no data of its own"), "{shown}");
    assert!(shown.contains("orders 2") && shown.contains("last_login 2026-11-01 08:15"), "{shown}");
    let shown = with_reason(&mut pty);
    assert!(shown.contains("Who ") && shown.contains("finds no data of its own"), "{shown}");
    assert_eq!(place.owner_of(row).await.as_deref(), Some(owner), "looking writes nothing");
    apply(&mut pty, "3 done");
    assert_eq!(place.owner_of(row).await.as_deref(), Some(taker));
    assert_eq!((place.id_of(taker).as_deref(), place.id_of(owner)), (Some(row), None));
    take_back(&mut pty, "3 done");
    assert_eq!(place.owner_of(row).await.as_deref(), Some(owner));
    assert_eq!((place.id_of(taker), place.id_of(owner).as_deref()), (None, Some(row)));
    pty.keys("\rq");
    assert_eq!(pty.end(), 0);
    // The command says it, too.
    let show = |who: &str| {
        let variables = [("TOWN_DATABASE", &*place.url)];
        let shown = run(place.home.path(), &["show", who, "--config", "town.toml"], &variables);
        String::from_utf8(shown.stdout).unwrap()
    };
    let shown = show(row);
    assert!(shown.contains("orders 2") && shown.contains("last_login: 2026-11-01 08:15"), "{shown}");
}

/// Somebody calls who signed up after the scan.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_came_after_the_scan_is_looked_up_repaired_and_seen_as_repaired() {
    let place = Place::of(Town::new(5, false)).await;
    let mut pty = place.start(&place.pool.endpoint, "", LARGE);
    pty.see("Read everything");
    let (sub, row) = (Sub::from_u128(4711), "0192f0c1-0000-7000-8000-000000004711");
    let mut bea = PoolUser::new(sub, "bea");
    (bea.email, bea.email_verified) = (Some("bea@example.org".into()), true);
    assert!(place.pool.emulator.as_ref().unwrap().add_user(&bea));
    let mut connection = SqliteConnection::connect(&place.url).await.unwrap();
    let insert = format!("INSERT INTO users (id, cognito_sub, email) VALUES ('{row}', '{sub}', 'bea@example.org')");
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(insert))).await.unwrap();
    connection.close().await.unwrap();
    pty.keys("obea@example.org\r");
    pty.until("the verdict", |screen| screen.contains("provisional") && screen.contains("row side only"));
    pty.keys("r");
    let shown = pty.see("Guards");
    assert!(shown.contains(row) && shown.contains("bea@example.org"), "{shown}");
    apply(&mut pty, "1 done");
    assert_eq!(place.id_of("bea").as_deref(), Some(row));
    pty.keys("\r");
    pty.until("how it is now", |screen| screen.contains("provisional") && !screen.contains("row side only"));
    pty.keys("\x1b");
    pty.see_no("provisional");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_of_a_profiles_twin_is_moved_and_taken_back() {
    let mut town = Town::new(5, true);
    let (twin, native) = town.add_twin_of_somebody_linked();
    let place = Place::of(town).await;
    let row = place.town.row_of(&native);
    let mut pty = place.start(&place.pool.endpoint, "", LARGE);
    repair(&mut pty, &twin, "! federated twin");
    let shown = pty.see("HAS IT TODAY");
    assert!(shown.contains("has another owner") && shown.contains(&native), "{shown}");
    let shown = with_reason(&mut pty);
    assert!(shown.contains(&twin) && shown.contains("finds no data of its own"), "{shown}");
    apply(&mut pty, "3 done");
    assert_eq!(place.owner_of(row).await.as_deref(), Some(&*twin));
    assert_eq!((place.id_of(&twin).as_deref(), place.id_of(&native)), (Some(row), None));
    take_back(&mut pty, "3 done");
    assert_eq!(place.owner_of(row).await.as_deref(), Some(&*native));
    assert_eq!((place.id_of(&twin), place.id_of(&native).as_deref()), (None, Some(row)));
    pty.keys("\rq");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_of_a_joined_profile_goes_to_the_native_user_and_back() {
    let place = Place::of(Town::new(5, true)).await;
    let profile = place.town.users_of(Situation::Stranded)[0];
    let row = place.town.row_of(profile);
    let mut pty = place.start(&place.pool.endpoint, "", LARGE);
    repair(&mut pty, profile, "stranded");
    let shown = pty.see("HAS IT TODAY");
    assert!(shown.contains("joined to this user") && shown.contains("does not sign in by itself"), "{shown}");
    pty.keys("\r");
    let shown = pty.see("Guards");
    assert!(shown.contains("joined profile") && shown.contains("✓ linked"), "{shown}");
    apply(&mut pty, "2 done");
    let native = place.owner_of(row).await.unwrap();
    assert_ne!(native, profile);
    assert_eq!((place.id_of(&native).as_deref(), place.id_of(profile)), (Some(row), None));
    take_back(&mut pty, "2 done");
    assert_eq!(place.owner_of(row).await.as_deref(), Some(profile));
    pty.keys("\rq");
    assert_eq!(pty.end(), 0);
}

/// A user whose wrong id is written anew, who is to be signed out, and is not.
async fn not_signed_out(place: &Place) -> (Pty, Gate) {
    let mut refused = false;
    let gate = Gate::before(&place.pool.endpoint, move |operation| {
        if operation == SIGN_OUT && !std::mem::replace(&mut refused, true) {
            let body = r#"{"__type":"NotAuthorizedException","message":"not now"}"#;
            return Fate::Answer(400, body.to_owned());
        }
        Fate::Pass
    })
    .await;
    let mut pty = place.start(&gate.url, "", LARGE);
    // The second of the two dangles, and a row carries its sub.
    let user = place.town.users_of(Situation::DanglingUserId)[1];
    repair(&mut pty, user, "dangling");
    pty.see("o sign out, too");
    pty.keys("o");
    pty.see("will be signed out");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    let shown = pty.see("Not repaired as planned");
    assert!(shown.contains("1 done") && shown.contains("1 failed") && shown.contains("o signs out"), "{shown}");
    (pty, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_the_sign_out_failed_it_is_made_again_alone() {
    for key in ["a", "o"] {
        let place = Place::of(Town::new(5, false)).await;
        let (mut pty, gate) = not_signed_out(&place).await;
        let before = gate.count("AdminUpdateUserAttributes");
        pty.keys(key);
        let shown = pty.see("Guards");
        assert!(shown.contains("Sign out ") && shown.contains("cannot be taken back: 1 sign-out"), "{key}: {shown}");
        pty.keys("\r");
        let shown = pty.see("[ Cancel ]");
        assert!(!shown.contains("no conditional write"), "{shown}");
        pty.keys("y");
        let shown = pty.see("Signed out");
        assert!(shown.contains("1 done"), "{shown}");
        assert_eq!(gate.count(SIGN_OUT), 2);
        assert_eq!(gate.count("AdminUpdateUserAttributes"), before, "nothing else is written");
        pty.keys("\rq");
        assert_eq!(pty.end(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_an_id_that_is_taken_back_is_signed_out_with_it_or_afterwards() {
    for with_it in [true, false] {
        let place = Place::of(Town::new(5, false)).await;
        let gate = Gate::before(&place.pool.endpoint, |_| Fate::Pass).await;
        let mut pty = place.start(&gate.url, "", LARGE);
        let user = place.town.users_of(Situation::DanglingUserId)[1].to_owned();
        let before = place.id_of(&user);
        repair(&mut pty, &user, "dangling");
        pty.see("Guards");
        apply(&mut pty, "1 done");
        assert_eq!(place.id_of(&user).as_deref(), Some(place.town.row_of(&user)));
        pty.keys("u");
        pty.see("o sign out, too");
        if with_it {
            pty.keys("o");
            pty.see("will be signed out");
        }
        pty.keys("\r");
        pty.see("[ Cancel ]");
        assert_eq!(gate.count(SIGN_OUT), 0);
        pty.keys("y");
        let shown = pty.see("Taken back, and read back");
        assert_eq!(place.id_of(&user), before);
        if with_it {
            assert!(shown.contains("2 done"), "{shown}");
        } else {
            assert_eq!(gate.count(SIGN_OUT), 0, "not without being told to");
            pty.keys("o");
            pty.see("cannot be taken back: 1 sign-out");
            pty.keys("\r");
            pty.see("[ Cancel ]");
            pty.keys("y");
            let shown = pty.see("Signed out");
            assert!(shown.contains("1 done"), "{shown}");
        }
        assert_eq!(gate.count(SIGN_OUT), 1);
        pty.keys("\rq");
        assert_eq!(pty.end(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_a_row_is_not_known_where_it_takes_too_long_to_count() {
    let town = Town::new(5, true);
    let (home, database) = (tempfile::tempdir().unwrap(), fresh_postgres_database().await);
    let pool = town.on_emulator(Faults::default()).await;
    town.in_postgres(&pool, &database.url).await;
    let mut other = PgConnection::connect(&database.url).await.unwrap();
    let orders = "CREATE TABLE app.orders (of uuid REFERENCES app.users (id)); CREATE INDEX ON app.orders (of); \
                  BEGIN; LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE";
    // For as long as this connection is open nobody else reads them.
    for statement in orders.split(';') {
        other.execute(sqlx::raw_sql(statement)).await.unwrap();
    }
    let of_table = "name = \"app.users\"\n".to_owned();
    let place = Place { town, pool, url: database.url.clone(), home, of_table };
    let mut pty = place.start(&place.pool.endpoint, "", LARGE);
    repair(&mut pty, place.town.taken().0, "! row taken");
    pty.see("has another owner");
    pty.keys("j");
    pty.see("orders not known");
    pty.keys("\x1b");
    pty.see_no("HAS IT TODAY");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    drop(other);
}
