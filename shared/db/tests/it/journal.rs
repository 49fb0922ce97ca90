//! The journal: claimed once, closed once, never changed.

use userlink_db::{History, Journal, JournalEntry, JournalError, MigrateOptions, Outcome, migrate};
use userlink_domain::{Situation, Step, Sub, Timestamp};
use uuid::Uuid;

use crate::world::World;

pub(crate) const RUN: Uuid = Uuid::from_u128(7);

/// A step of the run, by Ada.
pub(crate) fn entry(step_no: i64) -> JournalEntry {
    JournalEntry {
        run: RUN,
        step_no,
        step: Step::WriteUserId { username: "bob@example.org".into(), expect: None, value: "41".into() },
        situation: Situation::RowSideOnly,
        actor: "ada".into(),
        reason: Some("ticket 7".into()),
        at: Timestamp::from_millis(1_795_428_000_000 + step_no),
        username: Some("bob@example.org".into()),
        sub: Some(Sub::from_u128(5)),
        row: Some("41".into()),
    }
}

async fn journal(world: &World) -> Journal {
    let db = world.db().await;
    assert_eq!(Journal::open(&db).await.err(), Some(JournalError::Missing));
    migrate(&db, &MigrateOptions::default()).await.unwrap();
    Journal::open(&db).await.unwrap()
}

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_500);

#[tokio::test]
async fn a_step_is_opened_and_closed_and_comes_back_as_it_was() {
    for world in World::both().await {
        let journal = journal(&world).await;
        journal.opened(&entry(1)).await.unwrap();
        journal.opened(&JournalEntry { reason: None, username: None, sub: None, row: None, ..entry(2) }).await.unwrap();
        journal.closed(RUN, 1, Outcome::Done, "written and read back", NOW).await.unwrap();
        let open = journal.open_entries().await.unwrap();
        assert_eq!(open.iter().map(|entry| entry.step_no).collect::<Vec<_>>(), [2], "what a crash would leave");

        let all = journal.history(&History::All, 10).await.unwrap();
        assert_eq!(all.iter().map(|step| step.entry.step_no).collect::<Vec<_>>(), [2, 1], "newest first");
        assert_eq!(all[1].entry, entry(1));
        let closing = all[1].closing.as_ref().unwrap();
        assert_eq!((closing.outcome, &*closing.detail, closing.at), (Outcome::Done, "written and read back", NOW));
        assert_eq!(journal.history(&History::All, 1).await.unwrap().len(), 1);

        let ours =
            [History::Username("bob@example.org".into()), History::Sub(Sub::from_u128(5)), History::Row("41".into())];
        for of in ours {
            assert_eq!(journal.history(&of, 10).await.unwrap().len(), 1, "{of:?}");
        }
        assert_eq!(journal.history(&History::Run(RUN), 10).await.unwrap().len(), 2);
        assert!(journal.history(&History::Run(Uuid::nil()), 10).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_a_step_one_gets_it() {
    for world in World::both().await {
        let journal = journal(&world).await;
        let mut claims = tokio::task::JoinSet::new();
        for n in 0..16 {
            let journal = journal.clone();
            claims.spawn(async move { journal.opened(&JournalEntry { actor: format!("p{n}"), ..entry(1) }).await });
        }
        let claims = claims.join_all().await;
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
        let winner = journal.open_entries().await.unwrap().remove(0).actor;
        for claim in claims.into_iter().filter_map(Result::err) {
            assert!(matches!(claim, JournalError::Claimed { actor, step_no: 1, .. } if actor == winner));
        }
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
        assert_eq!(journal.open_entries().await.unwrap(), [entry(1)]);
    }
}

#[tokio::test]
async fn a_journal_of_one_s_own_is_made_where_there_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("50% of #7?.db");
    Journal::open_local(&file).await.unwrap().opened(&entry(1)).await.unwrap();
    assert_eq!(Journal::open_local(&file).await.unwrap().open_entries().await.unwrap(), [entry(1)]);
    assert!(file.exists());
}

/// Usernames are often e-mail addresses.
#[test]
fn an_entry_in_a_log_names_nobody() {
    assert!(!format!("{:?}", entry(1)).contains("bob@"));
}
