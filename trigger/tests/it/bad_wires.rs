//! Many confirmations over wires that are cut, slow and mute, to a pool that throttles and fails.

use serde_json::json;
use userlink_emulator::Faults;
use userlink_kit::{moto_url, pgbouncer_url_for};

use crate::confirming::together;
use crate::queueing::{Queue, records};
use crate::town::Town;
use crate::wire::BadWire;

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
    let wires = [BadWire::before(&town.database.url).await, BadWire::before(&pgbouncer_url_for(&town.database)).await];
    let with = |url| {
        [
            ("USERLINK_DATABASE_URL", url),
            ("USERLINK_RETRY_QUEUE_URL", queue.url.as_str()),
            ("AWS_ENDPOINT_URL_SQS", moto.as_str()),
            ("USERLINK_DEADLINE_MS", "2500"),
        ]
    };
    let (direct, bounced) = (town.lambdas(&with(&wires[0].url), 8).await, town.lambdas(&with(&wires[1].url), 8).await);
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
    let [direct, bounced] = wires.map(|wire| wire.made.load(std::sync::atomic::Ordering::Relaxed));
    eprintln!(
        "{users} users: {linked} linked at once, {} messages in the queue; {direct} and {bounced} connections",
        messages.len()
    );
}
