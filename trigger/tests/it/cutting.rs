//! Fail at every step, repeat every step: the wire is cut before and after each message, the process is killed there, and the
//! event is delivered again, three times at once. One row, one id.

use serde_json::json;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, fates, moto_url, pgbouncer_url_for};

use crate::confirming::together;
use crate::queueing::{Queue, records};
use crate::town::Town;
use crate::wire::{Cut, CutWire, bad_wire};

/// More messages than one confirmation has, the connection and the first look at the table included.
const MESSAGES: usize = 120;

#[tokio::test]
async fn killed_at_any_message_to_the_database_and_delivered_again_there_is_one_row() {
    let town = Town::new(2 * MESSAGES as u128).await;
    let clean = town.lambdas(&[], 3).await;
    let (mut user, mut cuts, mut ids) = (0, 0, Vec::new());
    for before in [true, false] {
        for number in 0..MESSAGES {
            user += 1;
            let event = town.event(user, json!({}));
            let cut = if before { Cut::Before(number) } else { Cut::After(number) };
            let wire = CutWire::before(&town.database.url, cut).await;
            // What is cut is not waited for: the process is killed there.
            let mut lambda = town.lambda(&[("USERLINK_DATABASE_URL", &wire.url)]).await;
            let text = event.to_string();
            let is_cut = tokio::select! {
                () = wire.reached.notified() => true,
                answer = lambda.invoke(&text) => {
                    assert!(!answer.failed);
                    false
                }
            };
            lambda.kill();
            let row = town.rows(user).await;
            together((0..3).map(|_| clean.passes(&event))).await;
            let id = town.assert_linked(user).await;
            assert!(row.first().is_none_or(|row| *row == id), "{cut:?}");
            ids.push(id);
            if !is_cut {
                break;
            }
            cuts += 1;
        }
    }
    assert!(cuts > 20, "the connection, the look at the table, and the transaction: {cuts}");
    assert!(cuts < 2 * MESSAGES - 2, "every message was reached");
    eprintln!("cut at {cuts} places");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u128, user);
}

/// The write to the pool, and the message to the queue: killed before each arrives, and before its answer does.
#[tokio::test]
async fn killed_at_a_request_and_delivered_again_it_is_the_same_id() {
    let town = Town::new(8).await;
    let queue = Queue::new().await;
    let clean = town.lambdas(&[], 3).await;
    let mut user = 0;
    for fate in [Fate::Lost, Fate::AnswerLost, Fate::Pass] {
        for of_queue in [false, true] {
            user += 1;
            let operation = if of_queue { "SendMessage" } else { "AdminUpdateUserAttributes" };
            let behind = if of_queue { moto_url() } else { town.pool.endpoint_url() };
            let mut gate = Gate::before(&behind, fates(operation, [Fate::Held])).await;
            let at = gate.url.clone();
            let variables = [
                ("USERLINK_RETRY_QUEUE_URL", queue.url.as_str()),
                if of_queue {
                    ("AWS_ENDPOINT_URL_SQS", at.as_str())
                } else {
                    ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &at)
                },
            ];
            let dropped = if of_queue { 1.0 } else { 0.0 };
            town.pool.set_faults(Faults { dropped, ..Faults::default() });
            let mut lambda = town.lambda(&variables).await;
            let event = town.event(user, json!({}));
            let text = event.to_string();
            let held = tokio::select! {
                answer = lambda.invoke(&text) => panic!("answered: {answer:?}"),
                held = gate.held() => held,
            };
            if matches!(fate, Fate::Pass) {
                held.go(fate.clone());
                lambda.kill();
            } else {
                lambda.kill();
                held.go(fate.clone());
            }
            town.pool.set_faults(Faults::default());
            let row = town.rows(user).await;
            together((0..3).map(|_| clean.passes(&event))).await;
            assert_eq!([town.assert_linked(user).await], row[..], "{fate:?} {operation}");
        }
    }
}

/// Confirmations, sixteen at a time, each delivered one to three times at once, over wires that are cut, slow and mute, to a pool
/// that throttles and fails: nobody has two rows, no id changes, nobody is neither linked nor queued, and the queue links them.
///
/// `USERLINK_TEST_CONFIRMATIONS=2000` makes as many; it takes some minutes.
#[tokio::test]
async fn over_bad_wires_nobody_has_two_rows_and_nobody_is_forgotten() {
    let users: u128 = match std::env::var("USERLINK_TEST_CONFIRMATIONS") {
        Ok(number) => number.parse().expect("a number of confirmations"),
        Err(_) => 96,
    };
    let town = Town::new(users).await;
    let queue = Queue::new().await;
    let moto = moto_url();
    let direct = bad_wire(&town.database.url).await;
    let bounced = bad_wire(&pgbouncer_url_for(&town.database)).await;
    let with = |url| {
        [
            ("USERLINK_DATABASE_URL", url),
            ("USERLINK_RETRY_QUEUE_URL", queue.url.as_str()),
            ("AWS_ENDPOINT_URL_SQS", moto.as_str()),
            ("USERLINK_DEADLINE_MS", "2500"),
        ]
    };
    let (direct, bounced) = (town.lambdas(&with(&direct), 8).await, town.lambdas(&with(&bounced), 8).await);
    town.pool.set_faults(Faults { seed: 11, throttled: 0.1, internal: 0.1, dropped: 0.1, ..Faults::default() });
    let (town_ref, mut before) = (&town, Vec::new());
    let all: Vec<u128> = (1..=users).collect();
    // Eight users are sixteen deliveries.
    for eight in all.chunks(8) {
        let deliveries = eight.iter().flat_map(|user| (0..=user % 3).map(move |at| (*user, at))).map(|(user, at)| {
            let lambda = if (user + at) % 2 == 0 { &direct } else { &bounced };
            let event = town_ref.event(user, json!({})).to_string();
            async move { drop(lambda.invoke(&event).await) }
        });
        together(deliveries).await;
        before.extend(eight.iter().map(|user| town_ref.user_id(*user)));
    }
    town.pool.set_faults(Faults::default());
    let messages = queue.messages().await;
    let queued: std::collections::HashSet<String> =
        messages.iter().map(|message| message["Body"].to_string()).collect();
    let mut linked = 0;
    for (user, before) in (1..=users).zip(&before) {
        let is_queued = queued.iter().any(|body| body.contains(&crate::town::sub(user).to_string()));
        assert!(before.is_some() || is_queued, "user {user} is neither linked nor queued");
        linked += usize::from(before.is_some());
    }
    let clean = town.lambda(&[("USERLINK_RETRY_QUEUE_URL", &queue.url), ("AWS_ENDPOINT_URL_SQS", &moto)]).await;
    for ten in messages.chunks(10) {
        let answer = clean.invoke(&records(ten, 1).to_string()).await;
        assert_eq!(answer.json(), json!({"batchItemFailures": []}), "{:#?}", clean.last().await);
    }
    for (user, before) in (1..=users).zip(before) {
        let id = town.assert_linked(user).await;
        assert!(before.is_none_or(|before| before == id), "user {user}");
    }
    assert_eq!(town.select("SELECT count(*)::text FROM users").await, [Some(users.to_string())]);
    eprintln!("{users} users: {linked} linked at once, {} messages in the queue", messages.len());
}
