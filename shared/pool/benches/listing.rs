//! How much of the quota a listing uses, against the limit and against one page after the other.
//!
//! `cargo bench -p userlink-pool --bench listing [-- USERS [LATENCY]]` lists a pool of 100,000 on the emulator, and
//! takes some twenty minutes: a listing at fifteen pages a second takes two. With a latency in milliseconds it is tried
//! alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at the first surprise, and prints")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use userlink_domain::Timestamp;
use userlink_emulator::{Emulator, Enforcement, Faults, PoolOptions as Emulated, Quotas, Source, World};
use userlink_pool::{Listed, Listing, PoolOptions, PoolReader, Rates, Shard};

/// Users a page.
const PAGE: u64 = 60;
/// Requests a second that AWS allows an account and region for listing.
const QUOTA: f64 = 30.0;

struct Took {
    seconds: f64,
    requests: u64,
    throttled: u64,
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let (users, only) = (numbers.next().unwrap_or(100_000), numbers.next());
    let world = Arc::new(World::new(users, 1, Timestamp::from_millis(1_795_428_000_000)).unwrap());
    println!("{users} users, {PAGE} a page, quota {QUOTA} a second. The limit is the requests needed at the rate.");
    println!();
    println!(
        "{:>8} {:>6}  {:<14}{:>9}{:>10}{:>9}{:>11}{:>15}",
        "latency", "rate", "quota by", "seconds", "requests", "% limit", "throttled", "one by one"
    );
    for latency in only.map_or(vec![60, 200], |latency| vec![latency]) {
        for rate in [QUOTA, Rates::default().list] {
            let one = one_by_one(&world, latency, rate).await;
            for enforcement in kinds(rate) {
                let took = listed(&world, latency, rate, enforcement, None).await;
                line(users, latency, rate, enforcement, &took, Some(one / took.seconds));
            }
        }
    }
    if only.is_some() {
        return;
    }
    println!();
    println!("the quota goes from 30 to 18 after a third of the time and back to 30 after two; the rate is 30");
    for enforcement in [Enforcement::FixedWindow, Enforcement::SlidingWindow, Enforcement::TokenBucket] {
        let third = Duration::from_secs_f64((users as f64 / PAGE as f64) / 26.0 / 3.0);
        let took = listed(&world, 60, QUOTA, enforcement, Some(third)).await;
        line(users, 60, QUOTA, enforcement, &took, None);
    }
}

/// Below the quota it makes no difference how it is enforced.
fn kinds(rate: f64) -> Vec<Enforcement> {
    match rate < QUOTA {
        true => vec![Enforcement::SlidingWindow],
        false => vec![Enforcement::FixedWindow, Enforcement::SlidingWindow, Enforcement::TokenBucket],
    }
}

fn line(users: u64, latency: u64, rate: f64, enforcement: Enforcement, took: &Took, ratio: Option<f64>) {
    let limit = users.div_ceil(PAGE) as f64 / rate;
    let kind = format!("{enforcement:?}");
    let throttled = took.throttled as f64 / took.requests as f64 * 100.0;
    let share = limit / took.seconds * 100.0;
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.1} x as long"));
    println!(
        "{latency:>6}ms {rate:>4}/s  {kind:<14}{:>9.1}{:>10}{share:>9.1}{throttled:>9.2} %{ratio:>15}",
        took.seconds, took.requests
    );
}

async fn pool(world: &Arc<World>, latency: u64, rate: f64, quotas: Option<Quotas>) -> (Emulator, PoolReader) {
    let faults = Faults { latency: Duration::from_millis(latency), ..Faults::default() };
    let emulated = Emulated { faults, quotas, ..Emulated::new(Source::World(world.clone())) };
    let emulator = Emulator::start(emulated).await.unwrap();
    let options = PoolOptions {
        pool_id: emulator.pool_id().to_owned(),
        region: None,
        aws_profile: None,
        endpoint_url: Some(emulator.endpoint_url()),
        attribute: "custom:userId".into(),
        rates: Rates { list: rate, ..Rates::default() },
        made_up_credentials: true,
    };
    let reader = PoolReader::connect(&options).await.unwrap();
    (emulator, reader)
}

async fn listed(
    world: &Arc<World>,
    latency: u64,
    rate: f64,
    enforcement: Enforcement,
    third: Option<Duration>,
) -> Took {
    let quotas = Quotas { enforcement, ..Quotas::AWS };
    let (emulator, reader) = pool(world, latency, rate, Some(quotas)).await;
    let began = Instant::now();
    let mut listing = Listing::new(reader, world.user_count());
    let mut given = 0;
    let reading = async {
        loop {
            match listing.next().await.unwrap() {
                Listed::Users(users) => given += users.len() as u64,
                Listed::Anew(_) => {}
                Listed::End => return,
            }
        }
    };
    match third {
        None => reading.await,
        Some(third) => {
            let changing = async {
                tokio::time::sleep(third).await;
                emulator.set_quotas(Some(Quotas { list: 18, ..quotas }));
                tokio::time::sleep(third).await;
                emulator.set_quotas(Some(quotas));
                std::future::pending::<()>().await;
            };
            tokio::select! { () = reading => {}, () = changing => {} }
        }
    }
    assert!(given >= world.user_count(), "{given} of {}", world.user_count());
    let stats = emulator.stats();
    Took { seconds: began.elapsed().as_secs_f64(), requests: stats.requests["ListUsers"], throttled: stats.throttled }
}

/// What every other tool does. A tenth of the pool is listed, and taken ten times: each page takes as long as the last.
async fn one_by_one(world: &Arc<World>, latency: u64, rate: f64) -> f64 {
    let (_emulator, reader) = pool(world, latency, rate, None).await;
    let began = Instant::now();
    let (mut token, mut users) = (None, 0);
    while users < world.user_count() / 10 {
        let page = reader.page_of(Shard::Whole, token.as_ref()).await.unwrap();
        users += page.users.len() as u64;
        token = page.next;
    }
    began.elapsed().as_secs_f64() * world.user_count() as f64 / users as f64
}
