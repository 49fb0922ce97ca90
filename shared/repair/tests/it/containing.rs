//! Somebody who sees what is not theirs is kept from it, whatever else goes wrong, and nothing gives it back unasked.

use userlink_db::{History, Outcome};
use userlink_domain::RecordRef;
use userlink_kit::{Fate, fates};
use userlink_link::{Change, Linker};
use userlink_repair::{Choice, Limits, Plan, Refused, Selection, contain, plan, sift, undo};

use crate::world::{ADA, World, apply, both, by, pass, sqlite, user};

const CLEAR: &str = "AdminDeleteUserAttributes";
const SIGN_OUT: &str = "AdminUserGlobalSignOut";

fn refused() -> Fate {
    Fate::Answer(400, "{\"__type\":\"AccessDeniedException\",\"message\":\"No.\"}".into())
}

/// Ada sees what is Bob's.
async fn contained(world: &World, disable: bool) -> Plan {
    world.elsewhere(ADA, |ada| ada.user_id = Some("42".into()));
    let mut linker = world.scanned(10).await;
    let maker = world.maker(&linker).await;
    contain(&mut linker, user(ADA).sub, disable, "ticket 7", maker).unwrap()
}

/// What the linker knows with the journal beside it.
async fn scanned(world: &World) -> Linker {
    let mut linker = world.scanned(10).await;
    let ada = world.repairer("ada").await;
    for sub in ada.journal.contained(&ada.linkage()).await.unwrap() {
        linker.apply(&[Change::Contained(sub, true)]);
    }
    linker
}

async fn bulk(world: &World) -> Result<Plan, Refused> {
    let mut linker = scanned(world).await;
    let maker = world.maker(&linker).await;
    plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker)
}

fn names(plan: &Plan, number: u64) -> bool {
    plan.steps().any(|planned| planned.sub == Some(user(number).sub.to_string()))
}

async fn take_back(world: &World, of: &Plan) {
    let ada = world.repairer("ada").await;
    let recorded = ada.journal.history(&History::Run(of.id), 100).await.unwrap();
    let back = undo(&of.id.to_string(), None, &recorded, by("ada", of.origin.clone())).unwrap();
    assert!(apply(&ada, &back).await.is_complete());
}

#[tokio::test]
async fn whom_somebody_else_disabled_meanwhile_taking_back_does_not_enable() {
    let world = sqlite(pass()).await;
    let plan = contained(&world, true).await;
    world.elsewhere(ADA, |ada| ada.enabled = false);
    let ada = world.repairer("ada").await;
    let summary = apply(&ada, &plan).await;
    assert_eq!((summary.done, summary.stale), (2, 1), "{summary:?}");
    take_back(&world, &plan).await;
    let back = world.pool.user("user-41").unwrap();
    assert_eq!((back.enabled, back.user_id.as_deref()), (false, Some("42")));
}

#[tokio::test]
async fn a_clear_that_was_not_done_keeps_nobody_enabled_or_signed_in() {
    // Somebody wrote another id; the clear is refused; it is lost on the way; its answer is lost.
    for (fate, ended) in [
        (None, (0, 1, 0)),
        (Some(refused()), (0, 0, 1)),
        (Some(Fate::Lost), (0, 0, 1)),
        (Some(Fate::AnswerLost), (1, 0, 0)),
    ] {
        for world in both(|| fates(CLEAR, fate.clone())).await {
            let made = contained(&world, true).await;
            if fate.is_none() {
                world.elsewhere(ADA, |ada| ada.user_id = Some("43".into()));
            }
            let summary = apply(&world.repairer("ada").await, &made).await;
            let (clears, others) = (summary.done - 2, summary.left + summary.claimed + summary.unverified);
            assert_eq!(((clears, summary.stale, summary.failed), others), (ended, 0), "{fate:?}: {summary:?}");
            assert!(!world.pool.user("user-41").unwrap().enabled, "{fate:?}");
            assert_eq!(world.gate.count(SIGN_OUT), 1, "{fate:?}");
            assert!(world.outcomes().await.iter().all(Option::is_some), "nothing is open: {fate:?}");
        }
    }
}

/// A write that goes on after a stale one is for containing alone: a repair leaves what rests on it.
#[tokio::test]
async fn other_plans_leave_what_comes_after_a_step_that_was_not_done() {
    let world = sqlite(fates("AdminEnableUser", [refused()])).await;
    let made = contained(&world, true).await;
    let ada = world.repairer("ada").await;
    assert!(apply(&ada, &made).await.is_complete());
    let recorded = ada.journal.history(&History::Run(made.id), 100).await.unwrap();
    let back = undo(&made.id.to_string(), None, &recorded, by("ada", made.origin.clone())).unwrap();
    let summary = apply(&ada, &back).await;
    assert_eq!((summary.failed, summary.left), (1, 1), "{summary:?}");
    assert_eq!(world.user_id(ADA), None);
}

#[tokio::test]
async fn whoever_was_contained_is_in_no_bulk_plan_until_somebody_says_otherwise() {
    for world in both(pass).await {
        let made = contained(&world, false).await;
        assert!(made.notes.iter().any(|note| note.contains("Row 41") && note.contains("--only")), "{:?}", made.notes);
        let before = world.pointers(10).await;
        let ada = world.repairer("ada").await;
        assert!(apply(&ada, &made).await.is_complete());
        assert_eq!(world.endings().await.last(), Some(&Some((Outcome::Done, "contained".into()))));

        let of = RecordRef::User(user(ADA).sub);
        let linker = scanned(&world).await;
        assert_eq!(linker.entry(&of).unwrap().situation.name(), "row_side_only");
        let explained = linker.explain(&of).unwrap().repair;
        assert!(!explained.safe && explained.words.contains("contained"), "{explained:?}");
        let made_in_bulk = bulk(&world).await.unwrap();
        assert!(!names(&made_in_bulk, ADA) && names(&made_in_bulk, ADA + 1));
        let note = made_in_bulk.notes.iter().find(|note| note.contains("contain")).unwrap();
        assert!(note.starts_with("1 more are row side only and held back") && note.contains("--only"), "{note}");
        // Marked with others, it is looked at.
        let marked = [of.clone(), RecordRef::User(user(ADA + 1).sub)];
        let sifted = sift(&linker, &marked, &[], &[]);
        assert_eq!((sifted.choices.len(), &sifted.look), (1, &vec![of.clone()]));
        // Where nothing else is left, it is said why.
        assert!(apply(&ada, &made_in_bulk).await.is_complete());
        let refused = bulk(&world).await.unwrap_err();
        assert!(refused.to_string().contains("contain"), "{refused}");

        take_back(&world, &made_in_bulk).await;
        assert_eq!(ada.journal.contained(&ada.linkage()).await.unwrap(), [user(ADA).sub], "an undo contains nobody");
        take_back(&world, &made).await;
        assert_eq!(world.pointers(10).await, before);
        assert_eq!(ada.journal.contained(&ada.linkage()).await.unwrap(), []);

        // By name it is written; and then it is as any other.
        let again = contained(&world, false).await;
        assert!(apply(&ada, &again).await.is_complete());
        let choice = Choice { of, pairs: Vec::new(), reason: None };
        let by_name = world.planned(10, Selection::Chosen(vec![choice])).await;
        assert!(apply(&ada, &by_name).await.is_complete());
        assert_eq!(ada.journal.contained(&ada.linkage()).await.unwrap(), []);
    }
}

#[tokio::test]
async fn where_there_is_nothing_to_clear_the_plan_says_what_keeps_it_so() {
    let world = sqlite(pass()).await;
    let mut linker = world.scanned(10).await;
    for (disable, notes) in [(false, 1), (true, 0)] {
        let maker = world.maker(&linker).await;
        let made = contain(&mut linker, user(ADA).sub, disable, "ticket 7", maker).unwrap();
        assert_eq!(made.notes.len(), notes, "{:?}", made.notes);
        assert!(made.notes.iter().all(|note| note.contains("dismiss the entry")), "{:?}", made.notes);
    }
}
