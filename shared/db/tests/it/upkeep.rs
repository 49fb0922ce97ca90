//! What the journal forgets of one person, and of nobody else; who may do what with it; and who was contained.

use userlink_db::{
    CONTAINED, Db, DbError, DbOptions, Dismissal, History, Journal, JournalEntry, MigrateOptions, Outcome, migrate,
};
use userlink_domain::{IdKind, RecordRef, RowId, Step, Sub, Timestamp};
use uuid::Uuid;

use crate::journal::{entry, linkage};
use crate::world::World;

const AT: Timestamp = Timestamp::from_millis(1_795_428_000_900);

async fn journal(world: &World) -> Journal {
    migrate(&world.db().await, &MigrateOptions::default()).await.unwrap();
    Journal::open(&world.db().await).await.unwrap()
}

fn sub(number: u128) -> Sub {
    Sub::from_u128(0xabc_def0 + number)
}

/// A step that was done about a user of a pool, in a run of its own.
async fn done(journal: &Journal, run: u128, pool: &str, (username, number): (&str, u128), step: Step, detail: &str) {
    let mut linkage = linkage();
    linkage.pool_id = pool.into();
    let (run, username) = (Uuid::from_u128(run), Some(username.to_owned()));
    let entry = JournalEntry { run, linkage, step, username, sub: Some(sub(number)), row: None, ..entry(1) };
    journal.opened(&entry).await.unwrap();
    journal.closed(run, 1, Outcome::Done, detail, AT).await.unwrap();
}

fn write(username: &str, value: &str) -> Step {
    Step::WriteUserId { username: username.into(), expect: None, value: value.into() }
}

fn clear(username: &str) -> Step {
    Step::ClearUserId { username: username.into(), expect: Some("7".into()) }
}

const HERE: &str = "eu-west-1_A";

/// Ada, Bob, and a namesake of Ada's in another pool. A row that was Ada's was given to Bob, where her sub stood in upper case.
async fn everybody(journal: &Journal) {
    done(journal, 1, HERE, ("ada", 1), write("ada", "7"), "").await;
    done(journal, 2, HERE, ("bob", 2), write("bob", "8"), "").await;
    done(journal, 3, "eu-west-1_B", ("ada", 3), write("ada", "9"), "").await;
    let (old, new) = (sub(1).to_string().to_uppercase(), sub(2).to_string());
    done(journal, 4, HERE, ("bob", 2), Step::WriteSub { row: "7".into(), expect: Some(old), value: new }, "").await;
    // Somebody called themselves by Ada's sub.
    let ada = sub(1).to_string();
    done(journal, 5, HERE, (&ada, 4), write(&ada, "10"), "").await;
    for of in [RecordRef::User(sub(1)), RecordRef::User(sub(2)), RecordRef::Row(RowId::BigInt(7))] {
        let evidence = "0123456789abcdef0123456789abcdef".to_owned();
        let dismissal = Dismissal { of, evidence, reason: "a test".into(), actor: "ada".into(), at: AT };
        journal.dismiss(&linkage(), &dismissal).await.unwrap();
    }
}

/// The runs that are left.
async fn left(journal: &Journal) -> Vec<u128> {
    let steps = journal.history(&History::All, 100).await.unwrap();
    let mut runs: Vec<u128> = steps.iter().map(|step| step.entry.run.as_u128()).collect();
    runs.sort_unstable();
    runs
}

#[tokio::test]
async fn one_person_is_erased_by_sub_or_username_and_nobody_else() {
    for called in [sub(1).to_string(), sub(1).to_string().to_uppercase(), "ada".to_owned()] {
        for world in World::both().await {
            let journal = journal(&world).await;
            everybody(&journal).await;
            let ada = journal.person(HERE, &called).await.unwrap();
            assert_eq!((journal.of_others(&ada).await.unwrap(), journal.open_about(&ada).await.unwrap()), (1, 0));
            // Two steps of two events each, and what was dismissed.
            assert_eq!(journal.erase(&ada).await.unwrap(), 5, "{called}");
            assert_eq!(left(&journal).await, [2, 3, 5], "the step that gave her row to Bob is gone, too: {called}");
            let standing = journal.dismissals(&linkage(), IdKind::BigInt).await.unwrap();
            let of: Vec<_> = standing.into_iter().map(|it| it.of).collect();
            assert_eq!(of, [RecordRef::User(sub(2)), RecordRef::Row(RowId::BigInt(7))], "{called}");
        }
    }
}

#[tokio::test]
async fn nothing_that_means_something_to_a_pattern_means_anything_here() {
    for world in World::both().await {
        let journal = journal(&world).await;
        everybody(&journal).await;
        let all = left(&journal).await;
        let sub_of_nobody = Sub::from_u128(5).to_string();
        for called in [
            "%",
            "_",
            "sub",
            "value",
            "username",
            "7",
            "write_user_id",
            "",
            "a%",
            "ad_",
            "Ada",
            "ada ",
            "\\",
            "'",
            "\"",
            "%\"%",
            "user",
            "row 7",
            "' OR '1' = '1",
            "*",
            "ada\u{0}",
            &sub_of_nobody,
            "________-____-____-____-____________",
        ] {
            // PostgreSQL has no text with a zero in it: whoever is called so is not in it.
            let Ok(person) = journal.person(HERE, called).await else { continue };
            assert_eq!(journal.of_others(&person).await.unwrap(), 0, "{called:?}");
            assert_eq!(journal.open_about(&person).await.unwrap(), 0, "{called:?}");
            assert_eq!(journal.erase(&person).await.unwrap(), 0, "{called:?}");
        }
        assert_eq!(left(&journal).await, all);
        assert_eq!(journal.dismissals(&linkage(), IdKind::BigInt).await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn what_is_open_about_a_person_is_found_by_either_name_and_as_a_value() {
    for world in World::both().await {
        let journal = journal(&world).await;
        done(&journal, 1, HERE, ("ada", 1), write("ada", "7"), "").await;
        let expect = Some(sub(1).to_string());
        let step = Step::WriteSub { row: "7".into(), expect, value: sub(2).to_string() };
        let open = JournalEntry { step, username: Some("bob".into()), sub: Some(sub(2)), ..entry(1) };
        journal.opened(&open).await.unwrap();
        for called in ["ada", "bob", &sub(1).to_string(), &sub(2).to_string()] {
            let person = journal.person(HERE, called).await.unwrap();
            assert_eq!(journal.open_about(&person).await.unwrap(), 1, "{called}");
        }
    }
}

#[tokio::test]
async fn whoever_was_contained_is_known_until_the_id_is_written_again() {
    for world in World::both().await {
        let journal = journal(&world).await;
        let contained = async || journal.contained(&linkage()).await.unwrap();
        done(&journal, 1, HERE, ("ada", 1), write("ada", "7"), "").await;
        // Taken back, or cleared by a repair: nobody meant that she keeps away.
        done(&journal, 2, HERE, ("ada", 1), clear("ada"), "").await;
        assert_eq!(contained().await, []);
        done(&journal, 3, HERE, ("ada", 1), clear("ada"), CONTAINED).await;
        assert_eq!(contained().await, [sub(1)]);
        let elsewhere = userlink_db::Linkage { table: "public.staff".into(), ..linkage() };
        assert_eq!(journal.contained(&elsewhere).await.unwrap(), []);
        // What came to nothing changes nothing.
        let stale = JournalEntry {
            run: Uuid::from_u128(4),
            step: write("ada", "7"),
            username: Some("ada".into()),
            sub: Some(sub(1)),
            ..entry(1)
        };
        journal.opened(&stale).await.unwrap();
        journal.closed(stale.run, 1, Outcome::Stale, "", AT).await.unwrap();
        assert_eq!(contained().await, [sub(1)]);
        done(&journal, 5, HERE, ("ada", 1), write("ada", "7"), "").await;
        assert_eq!(contained().await, []);
        // One that was cut short may have been made.
        let open = JournalEntry { run: Uuid::from_u128(6), step: clear("ada"), ..stale };
        journal.opened(&open).await.unwrap();
        assert_eq!(contained().await, [sub(1)]);
        journal.closed(open.run, 1, Outcome::FoundDone, "found after a stop", AT).await.unwrap();
        assert_eq!(contained().await, [sub(1)]);
    }
}

/// The grants that are printed, given to a role that has nothing else.
#[tokio::test]
async fn the_grants_let_a_role_add_and_read_and_do_nothing_else() {
    let world = World::postgres().await;
    let owned = journal(&world).await;
    let (url, role) = world.role("").await;
    let db = Db::connect(&DbOptions::new(&url)).await.unwrap();
    assert!(Journal::open(&db).await.is_err(), "it has nothing yet");
    world.run(&owned.grants(&role).unwrap()).await;
    let journal = Journal::open(&db).await.unwrap();
    everybody(&journal).await;
    assert_eq!(left(&journal).await.len(), 5);
    assert_eq!(journal.dismissals(&linkage(), IdKind::BigInt).await.unwrap().len(), 3);
    let ada = journal.person(HERE, "ada").await.unwrap();
    assert!(matches!(journal.erase(&ada).await, Err(DbError::Permission { .. })));
    assert!(matches!(journal.retain_since(AT).await, Err(DbError::Permission { .. })));
    let mut as_role = world;
    as_role.url = url;
    for table in ["userlink_journal", "userlink_dismissals"] {
        for forbidden in
            [format!("DELETE FROM {table}"), format!("TRUNCATE {table}"), format!("UPDATE {table} SET actor = 'eve'")]
        {
            let refused = as_role.try_run(&forbidden).await.unwrap_err().to_string();
            assert!(refused.contains("permission denied"), "{forbidden}: {refused}");
        }
    }
    assert_eq!(left(&journal).await.len(), 5);
}
