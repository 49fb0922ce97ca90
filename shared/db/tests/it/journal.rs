//! The journal: claimed once, closed once, never changed.

use userlink_db::{Dismissal, History, Journal, JournalEntry, JournalError, Linkage, MigrateOptions, Outcome, migrate};
use userlink_domain::{IdKind, RecordRef, RowId, Situation, Step, Sub, Timestamp};
use uuid::Uuid;

use crate::world::World;

pub(crate) const RUN: Uuid = Uuid::from_u128(7);

pub(crate) fn linkage() -> Linkage {
    Linkage { pool_id: "eu-west-1_A".into(), attribute: "custom:userId".into(), table: "public.users".into() }
}

/// A step of the run, by Ada. Each is about another user.
pub(crate) fn entry(step_no: i64) -> JournalEntry {
    JournalEntry {
        run: RUN,
        step_no,
        plan: None,
        linkage: linkage(),
        process: Some(Uuid::from_u128(9)),
        step: Step::WriteUserId { username: "bob@example.org".into(), expect: None, value: "41".into() },
        situation: Situation::RowSideOnly,
        actor: "ada".into(),
        reason: Some("ticket 7".into()),
        at: Timestamp::from_millis(1_795_428_000_000 + step_no),
        username: Some("bob@example.org".into()),
        sub: Some(sub(step_no)),
        row: Some("41".into()),
    }
}

fn sub(step_no: i64) -> Sub {
    Sub::from_u128(4 + u128::from(step_no.unsigned_abs()))
}

/// The same step in a run of somebody else's.
fn of(actor: &str, run: u128, entry: JournalEntry) -> JournalEntry {
    JournalEntry { actor: actor.into(), run: Uuid::from_u128(run), ..entry }
}

async fn open(journal: &Journal) -> Vec<JournalEntry> {
    let open = journal.open_entries(&linkage()).await.unwrap();
    assert_eq!(open.unreadable, 0);
    open.entries
}

async fn journal(world: &World) -> Journal {
    let db = world.db().await;
    assert_eq!(Journal::open(&db).await.err(), Some(JournalError::Missing));
    migrate(&db, &MigrateOptions::default()).await.unwrap();
    Journal::open(&db).await.unwrap()
}

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_500);

#[tokio::test]
async fn runs_are_told_at_a_glance_and_those_of_other_tables_are_not() {
    for world in World::both().await {
        let journal = journal(&world).await;
        for step_no in 1..=4 {
            journal.opened(&entry(step_no)).await.unwrap();
        }
        journal.closed(RUN, 1, Outcome::Done, "", NOW).await.unwrap();
        journal.closed(RUN, 2, Outcome::Stale, "", NOW).await.unwrap();
        journal.closed(RUN, 3, Outcome::FoundDone, "", NOW).await.unwrap();
        let later = Timestamp::from_millis(NOW.as_millis() + 9_000);
        journal.opened(&JournalEntry { at: later, ..of("bob", 8, entry(5)) }).await.unwrap();
        let elsewhere = Linkage { table: "other.users".into(), ..linkage() };
        journal.opened(&JournalEntry { linkage: elsewhere.clone(), ..of("eve", 9, entry(6)) }).await.unwrap();

        let runs = journal.runs(&linkage(), 10).await.unwrap();
        let seen: Vec<_> = runs.iter().map(|run| (&*run.actor, run.steps, run.written, run.open)).collect();
        assert_eq!(seen, [("bob", 1, 0, 1), ("ada", 4, 2, 1)], "newest first");
        assert_eq!((runs[1].run, runs[1].at, runs[1].reason.as_deref()), (RUN, entry(1).at, Some("ticket 7")));
        assert_eq!(journal.runs(&linkage(), 1).await.unwrap().len(), 1);
        assert_eq!(journal.runs(&elsewhere, 10).await.unwrap()[0].actor, "eve");
    }
}

#[tokio::test]
async fn a_step_is_opened_and_closed_and_comes_back_as_it_was() {
    for world in World::both().await {
        let journal = journal(&world).await;
        journal.opened(&entry(1)).await.unwrap();
        journal.opened(&JournalEntry { reason: None, username: None, sub: None, row: None, ..entry(2) }).await.unwrap();
        journal.closed(RUN, 1, Outcome::Done, "written and read back", NOW).await.unwrap();
        let open = open(&journal).await;
        assert_eq!(open.iter().map(|entry| entry.step_no).collect::<Vec<_>>(), [2], "what a crash would leave");

        let all = journal.history(&History::All, 10).await.unwrap();
        assert_eq!(all.iter().map(|step| step.entry.step_no).collect::<Vec<_>>(), [2, 1], "newest first");
        assert_eq!(all[1].entry, entry(1));
        let closing = all[1].closing.as_ref().unwrap();
        assert_eq!((closing.outcome, &*closing.detail, closing.at), (Outcome::Done, "written and read back", NOW));
        assert_eq!(journal.history(&History::All, 1).await.unwrap().len(), 1);

        let ours = [History::Username("bob@example.org".into()), History::Sub(sub(1)), History::Row("41".into())];
        for of in ours {
            assert_eq!(journal.history(&of, 10).await.unwrap().len(), 1, "{of:?}");
        }
        assert_eq!(journal.history(&History::Run(RUN), 10).await.unwrap().len(), 2);
        assert!(journal.history(&History::Run(Uuid::nil()), 10).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_a_user_one_gets_it() {
    for world in World::both().await {
        let journal = journal(&world).await;
        // Three times over: what was closed does not stand in the way of the next.
        for round in 0..3 {
            let mut claims = tokio::task::JoinSet::new();
            for n in 0..16 {
                let journal = journal.clone();
                claims.spawn(async move { journal.opened(&of(&format!("p{n}"), round * 100 + n, entry(1))).await });
            }
            let claims = claims.join_all().await;
            assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
            let winner = open(&journal).await.remove(0);
            for claim in claims.into_iter().filter_map(Result::err) {
                assert_eq!(claim, JournalError::Claimed { by: winner.actor.clone(), since: winner.at });
            }
            journal.closed(winner.run, 1, Outcome::Done, "", NOW).await.unwrap();
        }
    }
}

/// Each of two processes of two people has connections of its own.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_one_gets_a_user_again_and_again() {
    for world in World::both().await {
        let journals = [journal(&world).await, Journal::open(&world.db().await).await.unwrap()];
        for round in 1..=40 {
            let [ada, bob] = &journals;
            let (by_ada, by_bob) = (of("ada", round, entry(1)), of("bob", 1000 + round, entry(1)));
            let (ada, bob) = tokio::join!(ada.opened(&by_ada), bob.opened(&by_bob));
            assert!(ada.is_ok() != bob.is_ok(), "{ada:?} {bob:?}");
            let winner = open(&journals[0]).await.remove(0);
            assert!(matches!(ada.and(bob), Err(JournalError::Claimed { by, .. }) if by == winner.actor));
            journals[1].closed(winner.run, 1, Outcome::Done, "", NOW).await.unwrap();
        }
    }
}

/// Where every transaction sees the database as it was when it began.
#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_isolation_makes_no_second_claim() {
    for level in ["repeatable read", "serializable"] {
        let world = World::postgres().await;
        let name = &world.postgres.as_ref().unwrap().name;
        world.run(&format!("ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")).await;
        let journal = journal(&world).await;
        let mut claims = tokio::task::JoinSet::new();
        for n in 0..16 {
            let journal = journal.clone();
            claims.spawn(async move { journal.opened(&of(&format!("p{n}"), n, entry(1))).await });
        }
        let claims = claims.join_all().await;
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1, "{level}");
        let told = |claim: &Result<(), _>| matches!(claim, Err(JournalError::Claimed { .. }));
        assert_eq!(claims.iter().filter(|claim| told(claim)).count(), 15, "{level}: {claims:?}");
    }
}

#[tokio::test]
async fn who_claims_a_user_is_in_nobody_else_s_way() {
    for world in World::both().await {
        let journal = journal(&world).await;
        journal.opened(&entry(1)).await.unwrap();
        let again = journal.opened(&of("bob", 8, entry(1))).await;
        assert_eq!(again, Err(JournalError::Claimed { by: "ada".into(), since: entry(1).at }));
        // Not even another table or attribute makes it another user.
        let elsewhere = Linkage { attribute: "custom:other".into(), table: "b".into(), ..linkage() };
        let again = journal.opened(&JournalEntry { linkage: elsewhere, ..of("bob", 8, entry(1)) }).await;
        assert!(matches!(again, Err(JournalError::Claimed { .. })));
        let text = again.unwrap_err().to_string();
        assert!(text.contains("ada") && text.contains("2026-11-23T10:00:00Z"), "{text}");

        journal.opened(&of("bob", 8, entry(2))).await.unwrap();
        let nobody = JournalEntry { sub: None, ..entry(3) };
        journal.opened(&nobody).await.unwrap();
        journal.opened(&of("bob", 8, nobody)).await.unwrap();
        journal.closed(RUN, 1, Outcome::Failed, "", NOW).await.unwrap();
        journal.opened(&of("bob", 9, entry(1))).await.unwrap();
    }
}

/// One table may serve two pools, and one pool two tables: the same sub means nothing in another pool, and nobody
/// sees the other's open steps.
#[tokio::test]
async fn two_pools_on_one_table_keep_their_steps_apart() {
    for world in World::both().await {
        let journal = journal(&world).await;
        let other = [
            Linkage { pool_id: "eu-west-1_B".into(), ..linkage() },
            Linkage { attribute: "custom:other".into(), ..linkage() },
            Linkage { table: "public.staff".into(), ..linkage() },
        ];
        journal.opened(&entry(1)).await.unwrap();
        let of_b = JournalEntry { linkage: other[0].clone(), ..of("bob", 8, entry(1)) };
        journal.opened(&of_b).await.unwrap();
        assert_eq!(open(&journal).await, [entry(1)]);
        assert_eq!(journal.open_entries(&other[0]).await.unwrap().entries, [of_b]);
        for other in &other[1..] {
            assert!(journal.open_entries(other).await.unwrap().entries.is_empty(), "{other:?}");
        }
    }
}

#[tokio::test]
async fn a_step_of_a_newer_version_is_counted_and_hides_no_other() {
    for world in World::both().await {
        let journal = journal(&world).await;
        journal.opened(&entry(1)).await.unwrap();
        world
            .run(
                "INSERT INTO userlink_journal (run, step_no, event, at_ms, step, situation, actor, pool_id, attribute, \
                 table_name) VALUES ('00000000-0000-0000-0000-000000000001', 1, 'opened', 1, '{\"step\":\"knit\"}', \
                 'no_row', 'eve', 'eu-west-1_A', 'custom:userId', 'public.users')",
            )
            .await;
        let open = journal.open_entries(&linkage()).await.unwrap();
        assert_eq!((open.entries, open.unreadable), (vec![entry(1)], 1));
    }
}

#[tokio::test]
async fn only_an_open_step_can_be_closed_and_only_once() {
    for world in World::both().await {
        let journal = journal(&world).await;
        assert_eq!(journal.closed(RUN, 1, Outcome::Done, "", NOW).await, Err(JournalError::NotOpen { step_no: 1 }));
        journal.opened(&entry(1)).await.unwrap();
        journal.closed(RUN, 1, Outcome::Stale, "", NOW).await.unwrap();
        let again = journal.closed(RUN, 1, Outcome::Done, "", NOW).await;
        assert_eq!(again, Err(JournalError::Closed { step_no: 1, outcome: Outcome::Stale }));
    }
}

#[tokio::test]
async fn what_is_written_stays() {
    for world in World::both().await {
        let journal = journal(&world).await;
        journal.opened(&entry(1)).await.unwrap();
        for change in ["UPDATE userlink_journal SET actor = 'eve'", "DELETE FROM userlink_journal"] {
            assert!(world.try_run(change).await.is_err(), "{change}");
        }
        assert_eq!(open(&journal).await, [entry(1)]);
    }
}

#[tokio::test]
async fn a_journal_of_one_s_own_is_made_where_there_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("50% of #7?.db");
    Journal::open_local(&file).await.unwrap().opened(&entry(1)).await.unwrap();
    assert_eq!(open(&Journal::open_local(&file).await.unwrap()).await, [entry(1)]);
    assert!(file.exists());
}

/// Usernames are often e-mail addresses.
#[test]
fn an_entry_in_a_log_names_nobody() {
    assert!(!format!("{:?}", entry(1)).contains("bob@"));
}

#[tokio::test]
async fn what_is_dismissed_stands_until_it_is_taken_up_and_is_of_its_table_alone() {
    for world in World::both().await {
        let journal = journal(&world).await;
        let (ada, row) = (RecordRef::User(sub(1)), RecordRef::Row(RowId::BigInt(41)));
        let dismissal = |of: &RecordRef, reason: &str| Dismissal {
            of: of.clone(),
            evidence: "0123456789abcdef0123456789abcdef".into(),
            reason: reason.into(),
            actor: "ada".into(),
            at: NOW,
        };
        let standing = async || journal.dismissals(&linkage(), IdKind::BigInt).await.unwrap();
        assert_eq!(standing().await, []);
        journal.dismiss(&linkage(), &dismissal(&ada, "a test account")).await.unwrap();
        journal.dismiss(&linkage(), &dismissal(&row, "imported")).await.unwrap();
        journal.dismiss(&linkage(), &dismissal(&ada, "still a test account")).await.unwrap();
        let expected = [dismissal(&row, "imported"), dismissal(&ada, "still a test account")];
        assert_eq!(standing().await, expected, "the last one counts");
        let elsewhere = Linkage { table: "other.users".into(), ..linkage() };
        assert_eq!(journal.dismissals(&elsewhere, IdKind::BigInt).await.unwrap(), []);

        journal.take_up(&linkage(), &row, "bob", NOW).await.unwrap();
        assert_eq!(standing().await, [dismissal(&ada, "still a test account")]);
        // One person's data is erased, and with it what was dismissed about her.
        let person = journal.person("eu-west-1_A", &sub(1).to_string()).await.unwrap();
        assert_eq!(journal.erase(&person).await.unwrap(), 2);
        assert_eq!(standing().await, []);
    }
}
