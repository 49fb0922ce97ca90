//! What the columns find is what their records say, wherever their texts lie and whatever was asked before.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use userlink_domain::{Identity, PoolUser, Row, RowId, Sub, Timestamp, UserStatus};
use userlink_find::{Columns, Far, Hits, Query, View, search};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const DAY: i64 = 86_400_000;
/// More than a chunk, so that there is one that is full and one that is not.
const MANY: usize = 5_000;

#[derive(Debug, Default)]
struct Elsewhere(Mutex<Vec<u8>>);

impl Far for Elsewhere {
    fn keep(&self, bytes: &[u8]) -> Option<u64> {
        let mut held = self.0.lock().unwrap();
        held.extend_from_slice(bytes);
        Some((held.len() - bytes.len()) as u64)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        let held = self.0.lock().unwrap();
        let there = held.get(at as usize..at as usize + into.len());
        there.map(|bytes| into.copy_from_slice(bytes)).is_some()
    }
}

#[derive(Clone, Debug)]
enum Record {
    User(PoolUser),
    Row(Row),
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,4}(\\.[a-d]{1,4})?@(example|x)\\.org",
        "[A-Z][a-zé]{0,3}@x\\.org",
        Just("李小龍@x.org".to_owned()),
        Just(String::new()),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let ids = 0..300u128;
    let user = (ids.clone(), names(), 0..4u8, any::<bool>(), 0..40i64, prop::option::of(ids.clone()), 0..4u8);
    let user = user.prop_map(|(id, email, status, enabled, age, user_id, odd)| {
        let sub = Sub::from_u128(id << 100 | id);
        let name = if odd == 1 { format!("Google_{id}") } else { sub.to_string() };
        let mut user = PoolUser::new(sub, name);
        user.email = (!email.is_empty()).then(|| email.into());
        user.status =
            [UserStatus::Confirmed, UserStatus::ExternalProvider, UserStatus::Unconfirmed, UserStatus::parse("X")]
                [usize::from(status)]
            .clone();
        user.enabled = enabled;
        user.created = (age > 0).then(|| Timestamp::from_millis(NOW.as_millis() - age * DAY));
        user.user_id =
            user_id.map(|id| if odd == 2 { format!("row{id}") } else { Sub::from_u128(id << 90).to_string() }.into());
        if odd == 3 {
            user.identities = vec![Identity { provider: "SignInWithApple".into(), user_id: "7".into() }];
        }
        Record::User(user)
    });
    let row = (ids, names(), 0..40i64, any::<bool>()).prop_map(|(id, email, age, has_sub)| {
        let mut row = Row::new(RowId::BigInt(id as i64 * 37));
        row.email = (!email.is_empty()).then(|| email.into());
        row.created_at = (age > 0).then(|| Timestamp::from_millis(NOW.as_millis() - age * DAY));
        row.sub = has_sub.then(|| Sub::from_u128(id << 100 | id).to_string().into());
        Record::Row(row)
    });
    prop_oneof![user, row]
}

/// A word as it may be typed, where what was typed before begins and ends in it, which of its letters that had if it had gaps,
/// and what stands in records.
fn words() -> impl Strategy<Value = (String, usize, usize, Vec<bool>, Vec<String>)> {
    let word = prop_oneof!["[1-3]{1,8}", "[1-2a-b-]{1,9}", "[a-b.@]{1,8}", "[a-bx1]{1,7}"];
    let text = prop_oneof!["[1-3]{1,6}", "[1-2a-b-]{1,9}", "[a-b.@x1]{1,12}"];
    word.prop_flat_map(move |word| {
        let places = 0..word.len() + 1;
        let keeps = prop::collection::vec(prop::bool::weighted(0.8), word.len());
        (Just(word), places.clone(), places, keeps, prop::collection::vec(text.clone(), 1..12))
    })
}

/// Records that hold a text wherever one can stand.
fn records_with(text: &str) -> [Record; 3] {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let sub = Sub::from_u128(u128::from_str_radix(&digits, 16).unwrap_or(7) << 36);
    let mut user = PoolUser::new(sub, text);
    user.email = Some(text.into());
    user.user_id = Some(text.into());
    let mut row = Row::new(RowId::Text(text.into()));
    row.sub = Some(text.into());
    let number = Row::new(RowId::BigInt(text.parse().unwrap_or(42)));
    [Record::User(user), Record::Row(row), Record::Row(number)]
}

/// The definitions, read aloud, for terms of one meaning.
fn fits(term: &str, record: &Record) -> bool {
    let folded = |text: &str| text.to_lowercase().replace('é', "e");
    let holds = |text: Option<&str>, part: &str| text.is_some_and(|text| folded(text.trim()).contains(&folded(part)));
    let (field, value) = term.split_once(':').unwrap();
    match (field, record) {
        ("email", Record::User(user)) if value == "none" => user.email.is_none(),
        ("email", Record::Row(row)) if value == "none" => row.email.is_none(),
        ("email", Record::User(user)) => holds(user.email.as_deref(), value),
        ("email", Record::Row(row)) => holds(row.email.as_deref(), value),
        ("status", Record::User(user)) => match value {
            "confirmed" => user.status == UserStatus::Confirmed,
            "external" => user.status == UserStatus::ExternalProvider,
            "other" => user.status == UserStatus::parse("X"),
            _ => !user.enabled,
        },
        ("enabled", Record::User(user)) => user.enabled == (value == "yes"),
        ("created", record) => {
            let created = match record {
                Record::User(user) => user.created,
                Record::Row(row) => row.created_at,
            };
            let age = created.map(|created| NOW.since(created) / DAY);
            age.is_some_and(|age| if value == "<10d" { age <= 10 } else { age > 20 })
        }
        ("username", Record::User(user)) => holds(Some(user.username.as_str()), value),
        ("user_id", Record::User(user)) if value == "none" => user.user_id.is_none(),
        ("sub", Record::Row(row)) if value == "none" => row.sub.is_none(),
        ("provider", Record::User(user)) => {
            let own = user.is_federated().then(|| user.username.as_str().split('_').next().unwrap());
            let mut all = own.into_iter().chain(user.identities.iter().map(|it| &*it.provider));
            all.any(|provider| holds(Some(provider), value))
        }
        ("id", Record::Row(row)) => row.id.to_string() == value,
        _ => false,
    }
}

const TERMS: [&str; 17] = [
    "email:example",
    "email:B@X",
    "email:é",
    "email:none",
    "status:confirmed",
    "status:external",
    "status:other",
    "status:disabled",
    "enabled:yes",
    "created:<10d",
    "created:>20d",
    "username:google",
    "user_id:none",
    "sub:none",
    "provider:apple",
    "provider:google",
    "id:370",
];

/// Where a word is looked for.
const FIELDS: [&str; 7] = ["", "email:", "provider:", "username:", "user_id:", "sub:", "id:"];

fn columns(records: &[Record], near: usize) -> Columns {
    let mut columns = Columns::new(Some(Arc::<Elsewhere>::default()), near);
    // The same again and again, until there is more than a chunk.
    for record in records.iter().cycle().take(MANY) {
        match record {
            Record::User(user) => columns.push_user(user),
            Record::Row(row) => columns.push_row(row),
        };
    }
    columns
}

fn found(view: &View, text: &str, known: Hits, wider: Option<&Hits>) -> Hits {
    let query = Query::parse(text, NOW).unwrap();
    search(view, query.of_records().next().unwrap(), known, wider, 2, &AtomicBool::new(false)).unwrap()
}

fn ratings(view: &View, hits: &Hits) -> Vec<u8> {
    (0..view.len()).map(|number| hits.rating(number)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_field_finds_what_its_definition_says(records in prop::collection::vec(record(), 1..40)) {
        let (near, far) = (columns(&records, usize::MAX).view(), columns(&records, 0).view());
        for term in TERMS {
            let hits = found(&near, term, Hits::default(), None);
            for (number, record) in records.iter().enumerate() {
                prop_assert_eq!(hits.rating(number as u32) > 0, fits(term, record), "{} {:?}", term, record);
            }
            prop_assert_eq!(ratings(&near, &hits), ratings(&far, &found(&far, term, Hits::default(), None)));
        }
    }

    #[test]
    fn nothing_that_fits_stands_beside_the_candidates_of_a_wider_word(
        (word, from, to, keeps, texts) in words(),
    ) {
        // What was typed before is a part of the word, or has gaps.
        let part: String = word.chars().zip(&keeps).filter(|(_, keep)| **keep).map(|(letter, _)| letter).collect();
        let texts = texts.iter().chain([&word, &part]);
        let records: Vec<_> = texts.flat_map(|text| records_with(text)).collect();
        let view = columns(&records, usize::MAX).view();
        let term = |text: &str| Query::parse(text, NOW).ok().and_then(|query| query.of_records().next().cloned());
        let before = [&word[from.min(to)..from.max(to)], &part];
        for (before, field) in before.into_iter().flat_map(|before| FIELDS.map(|field| (before, field))) {
            let (before, word) = (format!("{field}{before}"), format!("{field}{word}"));
            let (Some(wider), Some(term)) = (term(&before), term(&word)) else { continue };
            if wider.is_wider_than(&term) {
                let among = found(&view, &before, Hits::default(), None);
                let hits = found(&view, &word, Hits::default(), Some(&among));
                let fresh = found(&view, &word, Hits::default(), None);
                prop_assert_eq!(ratings(&view, &hits), ratings(&view, &fresh), "{} after {}", word, before);
            }
        }
    }

    #[test]
    fn whoever_goes_on_typing_finds_what_is_found_at_once(
        records in prop::collection::vec(record(), 1..40),
        word in "[a-d.@]{2,7}",
        first in 100..4_500usize,
    ) {
        let all = columns(&records, 0);
        let view = all.view();
        let mut wider: Option<Hits> = None;
        let mut before: Option<userlink_find::Term> = None;
        for (field, end) in FIELDS.iter().flat_map(|field| (1..=word.len()).map(move |end| (field, end))) {
            let text = format!("{field}{} status:conf", &word[..end]);
            let Ok(query) = Query::parse(&text, NOW) else { continue };
            let term = query.of_records().next().unwrap().clone();
            let among = wider.as_ref().filter(|_| before.as_ref().is_some_and(|before| before.is_wider_than(&term)));
            let hits = search(&view, &term, Hits::default(), among, 2, &AtomicBool::new(false)).unwrap();
            let fresh = search(&view, &term, Hits::default(), None, 1, &AtomicBool::new(false)).unwrap();
            prop_assert_eq!(ratings(&view, &hits), ratings(&view, &fresh), "{}", text);
            (wider, before) = (Some(hits), Some(term));
        }
        // And what comes later is asked later.
        let mut growing = Columns::new(None, usize::MAX);
        let mut hits = Hits::default();
        for (number, record) in records.iter().cycle().take(MANY).enumerate() {
            if number == first {
                hits = found(&growing.view(), "email:example", hits, None);
            }
            match record {
                Record::User(user) => growing.push_user(user),
                Record::Row(row) => growing.push_row(row),
            };
        }
        let grown = growing.view();
        let hits = found(&grown, "email:example", hits, None);
        prop_assert_eq!(ratings(&grown, &hits), ratings(&grown, &found(&grown, "email:example", Hits::default(), None)));
    }
}

#[test]
fn who_is_told_to_stop_gives_nothing() {
    let view = columns(&[Record::Row(Row::new(RowId::BigInt(1)))], 0).view();
    let query = Query::parse("ada", NOW).unwrap();
    let stopped = AtomicBool::new(true);
    assert!(search(&view, query.of_records().next().unwrap(), Hits::default(), None, 2, &stopped).is_none());
}

#[test]
fn who_came_once_more_is_found_as_it_is_now_and_what_is_read_of_it_takes_no_more_room() {
    let elsewhere = Arc::new(Elsewhere::default());
    let user = |number: usize, domain: &str| PoolUser {
        email: Some(format!("ada{number}@{domain}").into()),
        ..PoolUser::new(Sub::from_u128(number as u128), format!("user {number}"))
    };
    // There is room for the texts of all, and not for those of all twice.
    let mut all = Columns::new(Some(elsewhere.clone()), 3 * MANY * 60);
    let kept = || elsewhere.0.lock().unwrap().len();
    for round in 0..5 {
        for number in 0..MANY {
            all.push_user(&user(number, if round % 2 == 0 { "old.org" } else { "new.org" }));
            if round > 0 {
                all.supersede(((round - 1) * MANY + number) as u32);
            }
        }
        assert_eq!(kept(), 0, "in round {round}");
    }
    let view = all.view();
    assert_eq!(view.len() as usize, 5 * MANY);
    let hits = ratings(&view, &found(&view, "email:old.org", Hits::default(), None));
    assert!(hits[4 * MANY..].iter().all(|rating| *rating > 0), "all of them as they are now");
    assert!(hits[..4096].iter().all(|rating| *rating == 0), "nobody asks for these");
}
