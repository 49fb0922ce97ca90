//! Plans of the stories, and what came of them.

use userlink_domain::{Mate, Pair, RecordRef, Situation, Step};
use userlink_link::Entry;
use userlink_ui::{
    Candidate, Choosing, Draft, DraftKind, Guard, HistoryOf, Left, NotDone, Other, Outcome, Person, PlanLine, PlanRef,
    Recorded, RunDone, Sessions, StepDone,
};

use crate::people::{self, before, row_id};

pub(crate) fn guards(mind: bool) -> Vec<Guard> {
    let guard = |name: &str, seen: &str, holds| Guard { name: name.to_owned(), seen: seen.to_owned(), holds };
    vec![
        guard("sides", "read to their ends: 998240 users, 994611 rows", true),
        guard("threshold", "118 of the 998 users that a plan may touch", true),
        match mind {
            true => guard("attribute", "whether users can write custom:userId is not known", false),
            false => guard("attribute", "no app client lets its users write custom:userId", true),
        },
        guard("contested", "nobody outside speaks for another owner", true),
        guard("age", "scanned 3 min ago; good for 24 h, and compared again", true),
        guard("journal", "shared, in the application's database", true),
        guard("production", "yes: prod-eu is to be typed, and a reason given", true),
    ]
}

fn of(title: &str, lines: Vec<PlanLine>) -> Draft {
    Draft {
        plan: PlanRef(format!("sha256:{title}")),
        kind: DraftKind::Repair,
        title: title.to_owned(),
        entries: 1,
        users: 1,
        rows: 0,
        steps: lines.iter().filter(|line| matches!(line, PlanLine::Step { .. })).count() as u64,
        updates: 1,
        reads: 2,
        seconds: 0.2,
        rate: 5.0,
        left: 0.8,
        active: 1,
        price: 0.015,
        price_of: "0.015 each, AWS's list price of 2026-09-20".to_owned(),
        inserts: 0,
        sign_outs: 0,
        sessions: None,
        guards: guards(false),
        notes: Vec::new(),
        left_out: Vec::new(),
        people: Vec::new(),
        lines: lines.len(),
        first: lines,
        reason: None,
        wants_reason: false,
        type_name: None,
        can_choose: true,
    }
}

/// The plan for a `row_side_only` entry.
pub(crate) fn one(entry: &Entry) -> Draft {
    let user = entry.users.first();
    let title = user.and_then(|user| user.email.as_deref()).unwrap_or("one entry");
    let step = match (user, entry.rows.first()) {
        (Some(user), Some(row)) => people::write(user, row),
        _ => Step::SignOut { username: title.to_owned() },
    };
    of(title, vec![PlanLine::Step { of: title.to_owned(), step, last: false, afterwards: Some(Situation::Linked) }])
}

/// In production.
pub(crate) fn production(draft: Draft) -> Draft {
    Draft { wants_reason: true, type_name: Some("prod-eu".to_owned()), ..draft }
}

/// The n-th line of a plan for ten thousand.
pub(crate) fn line(at: usize) -> PlanLine {
    let username = format!("user-{at:05}@example.org");
    let value = row_id(at as u128).to_string();
    PlanLine::Step {
        of: username.clone(),
        step: Step::WriteUserId { username, expect: None, value },
        last: false,
        afterwards: Some(Situation::Linked),
    }
}

pub(crate) fn ten_thousand() -> Draft {
    Draft {
        users: 10_000,
        entries: 10_000,
        steps: 10_000,
        updates: 10_000,
        reads: 20_000,
        seconds: 2_000.0,
        active: 10_000,
        price: 150.0,
        lines: 10_000,
        first: (0..100).map(line).collect(),
        guards: guards(true),
        left_out: vec![("row taken: repaired one at a time".to_owned(), 12)],
        notes: vec![
            "One incident: 412 rows carry subs that no pool user has: a migrated pool, or a second pool on the table."
                .to_owned(),
        ],
        can_choose: false,
        ..of("10,000 users", Vec::new())
    }
}

/// Somebody signed in with another provider, and the row belongs to somebody else.
pub(crate) fn taken() -> Draft {
    let row = row_id(5).to_string();
    let lines = vec![
        PlanLine::Step {
            of: format!("row {row}"),
            step: Step::WriteSub {
                row: row.clone(),
                expect: Some("7f3c0a00-91b2-4c3d-8e4f-000000000005".to_owned()),
                value: "7f3c0a00-91b2-4c3d-8e4f-000000000006".to_owned(),
            },
            last: false,
            afterwards: Some(Situation::Linked),
        },
        PlanLine::Step {
            of: "eve@example.org".to_owned(),
            step: Step::WriteUserId { username: "eve".to_owned(), expect: None, value: row.clone() },
            last: false,
            afterwards: Some(Situation::Linked),
        },
        PlanLine::Turn {
            user: true,
            name: "zed@example.org".to_owned(),
            before: Some(Situation::Linked),
            after: Some(Situation::NoRow),
            named: false,
        },
    ];
    let person = |name: &str, before: String, after: String| Person { name: name.to_owned(), before, after };
    let (sees, nothing) =
        (format!("signs in and sees what belongs to row {row}"), "signs in, and finds no data of its own");
    Draft {
        people: vec![
            person("eve@example.org", nothing.to_owned(), sees.clone()),
            person("Google_109322518823", sees, nothing.to_owned()),
        ],
        sessions: Some(Sessions { users: 1, signed_out: false, tokens: "up to 1 h after they were issued".to_owned() }),
        wants_reason: true,
        reason: Some("OPS-4711 signed in with Google".to_owned()),
        users: 2,
        rows: 1,
        ..of("eve@example.org", lines)
    }
}

/// Two people and a row with one e-mail; the row is one of theirs.
pub(crate) fn choosing(left: u64) -> Choosing {
    let entry = people::town().swap_remove(4);
    let (federated, native, row) = (entry.users[0].clone(), entry.users[1].clone(), entry.rows[0].clone());
    let pair = |user: &userlink_domain::PoolUser, mate| Pair { user: user.sub, mate };
    let candidate = |user: &userlink_domain::PoolUser, why: &str, why_not: &str| Candidate {
        pair: pair(user, Mate::Row(row.id.clone())),
        user: user.clone(),
        row: Some(row.clone()),
        sees: format!("signs in and sees what belongs to row {}", row.id),
        owner: None,
        leaves: None,
        other: None,
        why: vec![why.to_owned()],
        why_not: vec![why_not.to_owned()],
        references: vec!["orders 14".to_owned(), "invoices 3".to_owned()],
    };
    let mut first =
        candidate(&native, "the user's verified e-mail is the row's", "another profile has the e-mail, too");
    let mut second = candidate(&federated, "the user's verified e-mail is the row's", "the row has another owner");
    second.owner = Some(native.clone());
    let sees = "signs in, and finds no data of its own".to_owned();
    second.leaves = Some(Left { pair: pair(&native, Mate::None), sees });
    first.other = Some(Other { user: federated.clone(), names_it: false, more: 0 });
    let third = Candidate {
        pair: pair(&native, Mate::New),
        row: None,
        sees: "signs in and sees a new, empty account".to_owned(),
        owner: None,
        leaves: None,
        other: None,
        why: vec!["a new row touches nobody else's data".to_owned()],
        why_not: vec!["an inserted row is not taken back".to_owned()],
        references: Vec::new(),
        user: native,
    };
    Choosing {
        of: entry.lead().unwrap(),
        recommended: Some((
            vec![first.pair.clone()],
            "the verified e-mail is the row's, and both were created within a minute".to_owned(),
        )),
        candidates: vec![first, second, third],
        entry,
        left,
    }
}

pub(crate) fn outcome(done: bool) -> Outcome {
    let run = "01932f0c-12b6-7cde-8f00-0123456789ab".to_owned();
    if done {
        let words = vec!["Written, and read back: both pointers agree.".to_owned()];
        return Outcome {
            kind: DraftKind::Repair,
            run,
            counts: vec![("done".to_owned(), 1)],
            complete: true,
            undoable: true,
            words,
            ..Outcome::default()
        };
    }
    let step = Step::WriteUserId { username: "bea".to_owned(), expect: None, value: row_id(2).to_string() };
    let not_done = |number, ended: &str, words: &str| NotDone {
        number,
        step: step.clone(),
        ended: ended.to_owned(),
        words: words.to_owned(),
    };
    Outcome {
        kind: DraftKind::Repair,
        run,
        counts: vec![("done".to_owned(), 115), ("stale".to_owned(), 2), ("failed".to_owned(), 1)],
        undoable: true,
        not_done: vec![
            not_done(4, "stale", "Nothing was written: the user id is no longer empty. Scan again."),
            not_done(17, "failed", "It reads back otherwise than written: somebody else writes, too. Scan again."),
            not_done(90, "stale", "Nothing was written: the user is gone. Scan again."),
        ],
        not_done_in_all: 3,
        ..Outcome::default()
    }
}

pub(crate) fn runs() -> Recorded {
    let run = |minutes, actor: &str, reason: Option<&str>, steps, done, open| RunDone {
        run: format!("01932f0c-12b6-7cde-8f00-{minutes:012}"),
        at: before(minutes),
        actor: actor.to_owned(),
        reason: reason.map(str::to_owned),
        steps,
        done,
        open,
        situations: vec![if done > 100 { Situation::RowSideOnly } else { Situation::NoRow }],
        whose: vec![format!("user-{minutes}@example.org")],
        known: true,
    };
    Recorded::Runs(vec![
        run(
            20,
            "arn:aws:sts::123456789012:assumed-role/support/ada",
            Some("OPS-4711 backfill after the 02:10 incident"),
            118,
            115,
            0,
        ),
        run(95, "bob@laptop", None, 1, 0, 1),
        run(24 * 60, "arn:aws:sts::123456789012:assumed-role/support/bob", Some("OPS-4698"), 12, 12, 0),
        run(9 * 24 * 60, "carl@laptop", Some("a trial"), 2, 2, 0),
    ])
}

pub(crate) fn steps() -> Recorded {
    let step = |number, outcome: Option<&str>, detail: &str| StepDone {
        run: "01932f0c-12b6-7cde-8f00-000000000020".to_owned(),
        number,
        at: before(20),
        actor: "bob@laptop".to_owned(),
        reason: Some("OPS-4711".to_owned()),
        about: Some(format!("user-{number}@example.org")),
        step: Step::WriteUserId { username: "u".to_owned(), expect: None, value: row_id(number as u128).to_string() },
        situation: Situation::RowSideOnly,
        outcome: outcome.map(str::to_owned),
        detail: detail.to_owned(),
        written: outcome == Some("done"),
    };
    Recorded::Steps(vec![
        step(3, None, ""),
        step(2, Some("stale"), "the user id is no longer empty."),
        step(1, Some("done"), ""),
    ])
}

pub(crate) fn of_runs() -> HistoryOf {
    HistoryOf::Runs
}

pub(crate) fn record(entry: &Entry) -> RecordRef {
    entry.lead().unwrap()
}
