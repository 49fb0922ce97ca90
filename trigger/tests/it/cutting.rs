//! Fail at every step, repeat every step: the wire is cut before and after each message, the process is killed there, and the
//! event is delivered again, three times at once. One row, one id.

use serde_json::json;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, fates, moto_url};

use crate::confirming::together;
use crate::lambda::Lambda;
use crate::queueing::{Queue, records};
use crate::town::Town;
use crate::wire::{Cut, CutWire};

/// More messages than one confirmation has, the connection and the first look at the table included.
const MESSAGES: usize = 120;

#[tokio::test]
async fn killed_at_any_message_to_the_database_and_delivered_again_there_is_one_row() {
    let town = Town::new(2 * MESSAGES as u128 + 1).await;
    let clean = town.lambdas(&[], 3).await;
    let (mut user, mut cuts, mut ids) = (0, 0, Vec::new());
    let of_kind = |kind: usize| {
        (0..MESSAGES).map(move |number| match kind {
            0 => Cut::Before(number),
            _ => Cut::After(number),
        })
    };
    for kind in [vec![Cut::Connect], of_kind(0).collect(), of_kind(1).collect()] {
        for cut in kind {
            user += 1;
            let event = town.event(user, json!({}));
            let (wire, url) = CutWire::before(&town.database.url, cut).await;
            // What is cut is not waited for: the process is killed there.
            let mut lambda = town.lambda(&[("USERLINK_DATABASE_URL", &url)]).await;
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
            together((0..=user % 3).map(|_| clean.passes(&event))).await;
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

/// The write to the pool, and the message to the queue: killed before each arrives, before its answer does, and when it has
/// just been let go. Then the event is delivered again, or the queue is worked off.
#[tokio::test]
async fn killed_at_a_request_and_delivered_again_it_is_the_same_id() {
    let town = Town::new(12).await;
    let queue = Queue::new().await;
    let moto = moto_url();
    let clean = town.lambdas(&[("USERLINK_RETRY_QUEUE_URL", &queue.url), ("AWS_ENDPOINT_URL_SQS", &moto)], 3).await;
    let mut user = 0;
    for fate in [Fate::Lost, Fate::AnswerLost, Fate::Pass] {
        for (of_queue, by_queue) in [(false, false), (true, false), (true, true)] {
            let arrives = !matches!(fate, Fate::Lost);
            if by_queue && !arrives {
                continue;
            }
            user += 1;
            let operation = if of_queue { "SendMessage" } else { "AdminUpdateUserAttributes" };
            let behind = if of_queue { moto.clone() } else { town.pool.endpoint_url() };
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
            if by_queue {
                work_off(&clean, &queue).await;
            } else {
                together((0..=user % 3).map(|_| clean.passes(&event))).await;
            }
            assert_eq!([town.assert_linked(user).await], row[..], "{fate:?} {operation}");
            if of_queue && arrives && !by_queue {
                // Its message is worked off all the same, after the user was linked.
                work_off(&clean, &queue).await;
                assert_eq!([town.assert_linked(user).await], row[..], "{fate:?} {operation}");
            }
        }
    }
    assert!(queue.messages().await.is_empty() && queue.dead_letters().await.is_empty());
}

/// Waits for the one message that is in the queue, or will be in a moment, and has it worked off.
async fn work_off(lambda: &Lambda, queue: &Queue) {
    let mut messages = queue.messages().await;
    while messages.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        messages = queue.messages().await;
    }
    assert_eq!(messages.len(), 1);
    let answer = lambda.invoke(&records(&messages, 1).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": []}), "{:#?}", lambda.log());
    queue.delete(&messages).await;
}

/// The way back: the process is killed when everything is done and the answer has not arrived at the Runtime API, and when it
/// has and was not acknowledged. With somebody who was linked, and with somebody who was queued.
#[tokio::test]
async fn killed_when_the_event_returns_and_delivered_again_it_is_the_same_id() {
    let town = Town::new(6).await;
    let queue = Queue::new().await;
    let moto = moto_url();
    let variables = [("USERLINK_RETRY_QUEUE_URL", queue.url.as_str()), ("AWS_ENDPOINT_URL_SQS", &moto)];
    let clean = town.lambdas(&variables, 3).await;
    let mut user = 0;
    // The first message asks for the event.
    for cut in [Cut::Before(1), Cut::After(1)] {
        for (queued, by_queue) in [(false, false), (true, false), (true, true)] {
            user += 1;
            let mut lambda = town.lambdas(&variables, 0).await;
            let wire = CutWire::before_address(lambda.address.clone(), cut).await;
            lambda.set("AWS_LAMBDA_RUNTIME_API", &wire.address);
            lambda.set("USERLINK_DEADLINE_MS", "1500");
            let dropped = if queued { 1.0 } else { 0.0 };
            town.pool.set_faults(Faults { dropped, ..Faults::default() });
            lambda.add_process();
            let event = town.event(user, json!({}));
            let text = event.to_string();
            tokio::select! {
                () = wire.reached.notified() => {}
                answer = lambda.invoke(&text) => {
                    assert!(matches!(cut, Cut::After(_)) && answer.failed == queued, "{answer:?}");
                    wire.reached.notified().await;
                }
            }
            lambda.kill();
            town.pool.set_faults(Faults::default());
            let row = town.rows(user).await;
            assert_eq!((row.len(), town.user_id(user).is_some()), (1, !queued), "{cut:?}");
            if by_queue {
                work_off(&clean, &queue).await;
            } else {
                together((0..=user % 3).map(|_| clean.passes(&event))).await;
            }
            assert_eq!([town.assert_linked(user).await], row[..], "{cut:?}");
            if queued && !by_queue {
                work_off(&clean, &queue).await;
                assert_eq!([town.assert_linked(user).await], row[..], "{cut:?}");
            }
        }
    }
    assert!(queue.messages().await.is_empty() && queue.dead_letters().await.is_empty());
}
