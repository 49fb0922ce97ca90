//! Too many requests, and slow ones.

use std::time::{Duration, Instant};

use serde_json::json;
use userlink_emulator::{Emulator, Enforcement, Faults, PoolOptions, Quotas};

use crate::ask::{ask, people, person};

/// So many listings at once; how many are answered.
async fn burst(emulator: &Emulator, count: usize) -> usize {
    let mut answered = 0;
    for _ in 0..count {
        match ask(emulator, "ListUsers", json!({})).await {
            Ok(_) => answered += 1,
            Err(refusal) => assert_eq!(refusal, "TooManyRequestsException"),
        }
    }
    answered
}

/// A second of this pool is a minute of the test: no second passes by itself.
async fn with(quotas: Quotas) -> Emulator {
    Emulator::start(PoolOptions { quotas: Some(quotas), time_scale: 1.0 / 60.0, ..people(1) }).await.unwrap()
}

#[tokio::test]
async fn every_enforcement_lets_the_quota_pass_and_no_more() {
    for enforcement in [Enforcement::FixedWindow, Enforcement::SlidingWindow, Enforcement::TokenBucket] {
        let emulator = with(Quotas { enforcement, ..Quotas::AWS }).await;
        assert_eq!(burst(&emulator, 35).await, 30, "{enforcement:?}");
        assert_eq!(emulator.stats().throttled, 5);
        assert!(ask(&emulator, "DescribeUserPool", json!({})).await.is_ok(), "another quota");
    }
}

#[tokio::test]
async fn a_quota_changes_while_the_pool_runs() {
    let emulator = with(Quotas { list: 18, ..Quotas::AWS }).await;
    assert_eq!(burst(&emulator, 35).await, 18);
    emulator.set_quotas(Some(Quotas::AWS));
    assert_eq!(burst(&emulator, 35).await, 12, "those of the last second count");
    emulator.set_quotas(None);
    assert_eq!(burst(&emulator, 35).await, 35);
}

#[tokio::test]
async fn a_second_of_the_pools_later_the_quota_is_there_again() {
    // That second is four of the test's.
    let options = PoolOptions { quotas: Some(Quotas::AWS), time_scale: 0.25, ..people(1) };
    let (began, emulator) = (Instant::now(), Emulator::start(options).await.unwrap());
    assert_eq!(burst(&emulator, 31).await, 30);
    while burst(&emulator, 1).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "it never is");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(4));
}

#[tokio::test]
async fn slow_requests_wait_side_by_side() {
    let faults = Faults { latency: Duration::from_millis(300), ..Faults::default() };
    let emulator = Emulator::start(PoolOptions { faults, ..people(1) }).await.unwrap();
    let (emulator, began) = (&emulator, Instant::now());
    let username = person(0).username;
    let name = username.as_str();
    let ask_it = |number: usize| async move {
        let operation = ["ListUsers", "AdminGetUser", "AdminUserGlobalSignOut"][number % 3];
        ask(emulator, operation, json!({"Username": name})).await.unwrap();
    };
    let mut all: Vec<_> = (0..20).map(|number| Box::pin(ask_it(number))).collect();
    // All twenty are begun before the first one is waited for.
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(3),
        "one after the other would take 6 s: {took:?}"
    );
}
