//! Listing a whole pool: everybody, nobody twice, and no more requests than it takes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use userlink_domain::{PoolUser, Sub, Timestamp};
use userlink_emulator::{Emulator, Faults, PoolOptions as Emulated, Source, World};
use userlink_kit::{boto3, cognito_local_url, moto_url};
use userlink_pool::{Listed, Listing, PoolOptions, PoolReader, Rates, Remedy, Shard};

const USERS: u64 = 6_000;

async fn pool(faults: Faults) -> (Emulator, PoolReader) {
    let emulator = emulator(USERS, faults).await;
    let reader = reader(&emulator, 1_000.0).await;
    (emulator, reader)
}

async fn emulator(users: u64, faults: Faults) -> Emulator {
    let world = Arc::new(World::new(users, 7, Timestamp::from_millis(1_795_428_000_000)).unwrap());
    Emulator::start(Emulated { faults, ..Emulated::new(Source::World(world)) }).await.unwrap()
}

async fn reader(emulator: &Emulator, list: f64) -> PoolReader {
    reader_of(emulator.pool_id(), emulator.endpoint_url(), list).await
}

async fn reader_of(pool_id: &str, endpoint_url: String, list: f64) -> PoolReader {
    let options = PoolOptions {
        pool_id: pool_id.to_owned(),
        region: None,
        aws_profile: None,
        endpoint_url: Some(endpoint_url),
        attribute: "custom:userId".into(),
        rates: Rates { list, ..Rates::default() },
        made_up_credentials: true,
    };
    PoolReader::connect(&options).await.unwrap()
}

/// What a listing has given so far.
#[derive(Default)]
struct Given {
    users: HashMap<Sub, PoolUser>,
    /// Of parts that begin anew: who has come again.
    again: Vec<(Shard, Vec<Sub>)>,
    errors: u32,
}

impl Given {
    /// Goes on to the end, or to an error.
    async fn take_all(&mut self, listing: &mut Listing) -> Result<(), Remedy> {
        loop {
            match listing.next().await.map_err(|error| error.remedy())? {
                Listed::Users(users) => {
                    for user in users {
                        for (shard, again) in &mut self.again {
                            if shard.holds(user.sub) {
                                again.push(user.sub);
                            }
                        }
                        self.users.insert(user.sub, user);
                    }
                }
                Listed::Anew(shard) => self.again.push((shard, Vec::new())),
                Listed::End => {
                    for (shard, again) in &self.again {
                        self.users.retain(|sub, _| !shard.holds(*sub) || again.contains(sub));
                    }
                    return Ok(());
                }
            }
        }
    }

    fn is_everybody(&self) {
        assert_eq!(self.users.len() as u64, USERS);
    }
}

fn list_requests(emulator: &Emulator) -> u64 {
    emulator.stats().requests["ListUsers"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_pool_is_listed_in_sixteen_parts_at_once() {
    let (emulator, reader) = pool(Faults { latency: Duration::from_millis(20), ..Faults::default() }).await;
    let (mut listing, mut given) = (Listing::new(reader, USERS), Given::default());
    given.take_all(&mut listing).await.unwrap();
    given.is_everybody();
    assert!(given.again.is_empty());
    // A hundred pages; two to measure, and one that is not full for each part.
    assert!(list_requests(&emulator) <= 100 + 2 + 16, "{}", list_requests(&emulator));
}

/// The first page and a part's first page are asked for side by side then.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_was_left_before_its_first_page_came_goes_on() {
    let (_emulator, reader) = pool(Faults { latency: Duration::from_millis(100), ..Faults::default() }).await;
    let mut left = Listing::new(reader.clone(), USERS);
    let mut given = Given::default();
    assert!(tokio::time::timeout(Duration::from_millis(50), given.take_all(&mut left)).await.is_err());
    let position = left.position().unwrap();
    drop(left);
    let mut listing = Listing::going_on(reader, USERS, position, Duration::ZERO);
    given.take_all(&mut listing).await.unwrap();
    given.is_everybody();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_much_smaller_than_it_says_is_listed_all_the_same() {
    let emulator = emulator(World::FEWEST, Faults { latency: Duration::from_millis(20), ..Faults::default() }).await;
    let reader = reader(&emulator, 1_000.0).await;
    let mut pool = HashMap::new();
    // What is on one page, too, once most of them are deleted.
    for left in [World::FEWEST as usize, 30] {
        for user in pool.drain().map(|(_, user): (Sub, PoolUser)| user).skip(left) {
            assert!(emulator.delete_user(user.username.as_str()));
        }
        let before = emulator.stats().requests.get("ListUsers").copied().unwrap_or_default();
        let (mut listing, mut given) = (Listing::new(reader.clone(), USERS), Given::default());
        given.take_all(&mut listing).await.unwrap();
        assert_eq!(given.users.len(), left);
        assert!(list_requests(&emulator) - before <= 1 + left.div_ceil(60) as u64);
        pool = given.users;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_answers_as_fast_as_the_budget_allows_is_listed_page_by_page() {
    let emulator = emulator(600, Faults::default()).await;
    let reader = reader(&emulator, 10.0).await;
    let (mut listing, mut given) = (Listing::new(reader, 600), Given::default());
    given.take_all(&mut listing).await.unwrap();
    assert_eq!(given.users.len(), 600);
    assert_eq!(list_requests(&emulator), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_applied_after_paging_is_noticed_and_costs_one_request() {
    let faults = Faults { latency: Duration::from_millis(20), filter_after_paging: true, ..Faults::default() };
    let (emulator, reader) = pool(faults).await;
    let (mut listing, mut given) = (Listing::new(reader, USERS), Given::default());
    given.take_all(&mut listing).await.unwrap();
    given.is_everybody();
    assert_eq!(list_requests(&emulator), USERS / 60 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_pool_gives_everybody_all_the_same() {
    let faults = Faults {
        seed: 5,
        latency: Duration::from_millis(5),
        empty_pages: 0.1,
        short_pages: 0.1,
        throttled: 0.1,
        internal: 0.03,
        dropped: 0.03,
        token_expires_after: Some(60),
        ..Faults::default()
    };
    let (_emulator, reader) = pool(faults).await;
    let (mut listing, mut given) = (Listing::new(reader, USERS), Given::default());
    given.take_all(&mut listing).await.unwrap();
    given.is_everybody();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_where_the_credentials_ran_out() {
    let faults = Faults { latency: Duration::from_millis(20), credentials_expire_after: Some(50), ..Faults::default() };
    let (emulator, reader) = pool(faults).await;
    let (mut listing, mut given) = (Listing::new(reader, USERS), Given::default());
    while let Err(remedy) = given.take_all(&mut listing).await {
        assert_eq!(remedy, Remedy::CredentialsExpired);
        given.errors += 1;
        if given.errors == 3 {
            assert!(given.users.len() > 1_000);
            emulator.set_faults(Faults::default());
        }
    }
    given.is_everybody();
    assert!(list_requests(&emulator) <= 100 + 2 + 16 + 3 * 16, "{}", list_requests(&emulator));
}

/// Somebody is deleted and somebody signs up meanwhile: neither makes the parts look as if they did not add up.
#[tokio::test(flavor = "multi_thread")]
async fn people_who_come_and_go_meanwhile_do_not_stop_it() {
    let (emulator, reader) = pool(Faults { latency: Duration::from_millis(20), ..Faults::default() }).await;
    let (mut listing, mut given) = (Listing::new(reader, USERS), Given::default());
    let Listed::Users(first) = listing.next().await.unwrap() else { panic!("the first page") };
    for user in &first[..5] {
        assert!(emulator.delete_user(user.username.as_str()));
    }
    given.take_all(&mut listing).await.unwrap();
    // The first page of a part was asked for beside it, and came before they were gone.
    let (still, gone): (Vec<_>, Vec<_>) = first[..5].iter().partition(|user| given.users.contains_key(&user.sub));
    assert!(still.iter().all(|user| Shard::Digit(0).holds(user.sub)));
    assert_eq!(given.users.len(), USERS as usize - gone.len());
    assert!(given.again.is_empty());
}

/// moto has pages; cognito-local gives whatever it has at once, and takes no filter for what it is.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_listed_in_pools_that_are_not_ours() {
    let names: Vec<String> = (0..130).map(|number| format!("user{number}")).collect();
    let users: Vec<_> = names
        .iter()
        .map(|name| json!({"username": name, "status": "FORCE_CHANGE_PASSWORD", "enabled": true, "attributes": {}}))
        .collect();
    for endpoint in [moto_url(), cognito_local_url()] {
        let made = boto3(&json!({"do": "make", "endpoint": endpoint, "users": users}));
        let pool = reader_of(made["pool_id"].as_str().unwrap(), endpoint.clone(), 1_000.0).await;
        // One page after the other; and where a pool looks large and slow enough, in parts after a look whether it answers them.
        for about in [130, USERS] {
            let mut given = Given::default();
            given.take_all(&mut Listing::new(pool.clone(), about)).await.unwrap();
            let mut listed: Vec<_> = given.users.values().map(|user| user.username.as_str().to_owned()).collect();
            let mut names = names.clone();
            listed.sort();
            names.sort();
            assert_eq!(listed, names, "{endpoint}, about {about}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_are_made_than_were_allowed() {
    let (emulator, reader) = pool(Faults { throttled: 1.0, ..Faults::default() }).await;
    reader.limit(3);
    let refused = reader.page_of(Shard::Whole, None).await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::Throttled);
    assert_eq!(emulator.stats().requests["ListUsers"], 3);
}
