//! How long it takes to find and to sort among a million entries and more.
//!
//! `cargo bench -p userlink-find --bench finding [-- MILLIONS…]`; by default one million users and as many rows.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark tells its figures, and fails by panicking")]

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use userlink_domain::{PoolUser, Row, RowId, Sub, Timestamp, UserStatus};
use userlink_find::{Column, Columns, Hits, Item, Query, View, key_of_number, search, sort};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const FIRST: [&str; 16] =
    ["ada", "bea", "carl", "dora", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "lea", "mia", "nia", "ola", "anna"];
const LAST: [&str; 16] = [
    "schmidt", "miller", "garcia", "rossi", "novak", "silva", "tanaka", "kowalski", "jensen", "dubois", "haddad",
    "okafor", "petrov", "nguyen", "larsen", "weber",
];

/// A number that looks like chance, the same for the same (splitmix64).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

const fn uuid(number: u64, of: u64) -> u128 {
    let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of << 60;
    (mixed(seed) as u128) << 64 | mixed(!seed) as u128
}

fn email(number: u64) -> Box<str> {
    let dice = mixed(number);
    let (first, last) = (FIRST[dice as usize % 16], LAST[(dice >> 8) as usize % 16]);
    format!("{first}.{last}{number}@example.org").into()
}

fn user(number: u64) -> PoolUser {
    let sub = Sub::from_u128(uuid(number, 1));
    let mut user = PoolUser::new(sub, sub.to_string());
    user.email = Some(email(number));
    user.email_verified = true;
    user.created = Some(Timestamp::from_millis(1_700_000_000_000 + (mixed(number) % 90_000_000_000) as i64));
    user.user_id = Some(Sub::from_u128(uuid(number, 2)).to_string().into());
    if number.is_multiple_of(10) {
        user.status = UserStatus::Unconfirmed;
    }
    user
}

fn row(number: u64) -> Row {
    let mut row = Row::new(RowId::Uuid(Sub::from_u128(uuid(number, 2)).as_uuid()));
    row.sub = Some(Sub::from_u128(uuid(number, 1)).to_string().into());
    row.email = Some(email(number));
    row
}

fn millis(time: Duration) -> String {
    format!("{:8.1} ms", time.as_secs_f64() * 1000.0)
}

/// The median of five.
fn median(mut once: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..5).map(|_| once()).collect();
    times.sort_unstable();
    times[2]
}

fn filters(view: &View) {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{:44} {:>11} {:>11} {:>10}", "a filter", "one thread", format!("{threads} threads"), "records");
    let never = AtomicBool::new(false);
    for text in [
        "anna.schmidt4711",
        "anna",
        "schmitd",
        "jkowalski",
        "e",
        "example.org",
        "7f3c0a00",
        "zebra",
        "-example",
        "email:@example.org",
        "status:unconfirmed",
        "created:<7d",
        "sub:7f3c",
    ] {
        let query = Query::parse(text, NOW).unwrap();
        let term = query.of_records().next().unwrap();
        let mut found = 0;
        let mut on = |threads: usize| {
            median(|| {
                let began = Instant::now();
                let hits = search(view, term, Hits::default(), None, threads, &never).unwrap();
                let time = began.elapsed();
                found = (0..view.len()).filter(|number| hits.rating(*number) > 0).count();
                time
            })
        };
        let (one, all) = (on(1), on(threads));
        println!("{text:44} {:>11} {:>11} {found:>10}", millis(one), millis(all));
    }
    let of = |text: &str| Query::parse(text, NOW).unwrap().of_records().next().unwrap().clone();
    let wider = search(view, &of("schmi"), Hits::default(), None, threads, &never).unwrap();
    let time = median(|| {
        let began = Instant::now();
        search(view, &of("schmid"), Hits::default(), Some(&wider), threads, &never).unwrap();
        began.elapsed()
    });
    println!("{:44} {:>11} {:>11}", "schmid, among what schmi found", "", millis(time));
}

fn orders(view: &View, users: u32) {
    println!("{:44} {:>11} {:>11} {:>11}", "a sort", "keys", "sort", "together");
    for column in [Column::Status, Column::User, Column::Row, Column::Email, Column::Created] {
        let range = if column.is_of_rows() { users..view.len() } else { 0..users };
        let mut parts = (Duration::ZERO, Duration::ZERO);
        let all = median(|| {
            let began = Instant::now();
            let mut walk = view.walk();
            let mut items: Vec<Item> = range
                .clone()
                .map(|number| Item { key: key_of_number(&mut walk, number, column, false), number, lead: number })
                .collect();
            let keyed = began.elapsed();
            sort(&mut items, column.text().map(|which| (view, which)), false);
            parts = (keyed, began.elapsed() - keyed);
            began.elapsed()
        });
        println!("{:44} {:>11} {:>11} {:>11}", column.name(), millis(parts.0), millis(parts.1), millis(all));
    }
}

fn main() {
    let given: Vec<f64> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    for millions in if given.is_empty() { vec![1.0] } else { given } {
        let users = (millions * 1e6) as u64;
        let mut columns = Columns::new(None, usize::MAX);
        let began = Instant::now();
        for number in 0..users {
            columns.push_user(&user(number));
        }
        for place in 0..users {
            columns.push_row(&row((place.wrapping_mul(7_368_787) + 1) % users));
        }
        println!("{users} users and as many rows, put in place in {}", millis(began.elapsed()));
        filters(&columns.view());
        orders(&columns.view(), users as u32);
    }
}
