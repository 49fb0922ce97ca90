//! Pages, tokens and filters.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use userlink_domain::Timestamp;
use userlink_emulator::{Emulator, Faults, PoolOptions, Source, World};

use crate::ask::{ask, listed, people};

async fn thousand(faults: Faults) -> Emulator {
    let world = World::new(1_000, 42, Timestamp::from_millis(1_795_428_000_000)).unwrap();
    Emulator::start(PoolOptions { faults, ..PoolOptions::new(Source::World(Arc::new(world))) }).await.unwrap()
}

#[tokio::test]
async fn sixteen_shards_add_up_to_the_pool() {
    let emulator = thousand(Faults::default()).await;
    let whole = listed(&emulator, json!({"Limit": 60})).await;
    assert_eq!((whole.0.len(), whole.1), (1_000, 17));
    let mut subs = HashSet::new();
    for digit in 0..16 {
        let (shard, requests) = listed(&emulator, json!({"Filter": format!("sub ^= \"{digit:x}\"")})).await;
        assert_eq!(requests, shard.len().div_ceil(60));
        subs.extend(shard);
    }
    assert_eq!(subs, whole.0.into_iter().collect());
}

#[tokio::test]
async fn a_pool_that_filters_after_paging_makes_each_shard_cost_the_whole() {
    let emulator = thousand(Faults { filter_after_paging: true, ..Faults::default() }).await;
    let (shard, requests) = listed(&emulator, json!({"Filter": "sub ^= \"0\""})).await;
    assert!(shard.len() < 120 && requests == 17, "{} users in {requests} requests", shard.len());
}

#[tokio::test]
async fn short_and_empty_pages_hide_nobody() {
    let emulator = thousand(Faults { empty_pages: 0.2, short_pages: 0.3, seed: 1, ..Faults::default() }).await;
    let (subs, requests) = listed(&emulator, json!({})).await;
    assert!(requests > 17);
    assert_eq!((subs.len(), subs.into_iter().collect::<HashSet<_>>().len()), (1_000, 1_000));
}

#[tokio::test]
async fn a_token_is_good_for_an_hour_and_for_its_filter() {
    let emulator = Emulator::start(PoolOptions { time_scale: 36_000.0, ..people(61) }).await.unwrap();
    let first = ask(&emulator, "ListUsers", json!({})).await.unwrap();
    let with = |filter: &str| json!({"PaginationToken": first["PaginationToken"], "Filter": filter});
    let other = ask(&emulator, "ListUsers", with("sub ^= \"0\"")).await;
    assert_eq!(other.unwrap_err(), "InvalidParameterException");
    // Ten hours a second.
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(ask(&emulator, "ListUsers", with("")).await.unwrap_err(), "InvalidParameterException");
}

#[tokio::test]
async fn a_status_is_found_in_any_case_and_a_name_in_its_own() {
    let emulator = Emulator::start(people(3)).await.unwrap();
    for (filter, found) in [
        (r#"cognito:user_status = "confirmed""#, 3),
        (r#"status = "Enabled""#, 3),
        (r#"status = "enabled""#, 0),
        (r#"email = "PERSON1@example.org""#, 0),
        (r#"email = "person1@example.org""#, 1),
    ] {
        assert_eq!(listed(&emulator, json!({"Filter": filter})).await.0.len(), found, "{filter}");
    }
}
