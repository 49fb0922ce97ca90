//! Small random worlds in which keys and e-mails meet often.

use std::collections::HashSet;

use proptest::prelude::*;
use userlink_domain::{IdKind, Identity, PoolUser, RecordRef, Row, RowId, Sub, UserStatus};

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) kind: IdKind,
    pub(crate) users: Vec<PoolUser>,
    pub(crate) rows: Vec<Row>,
    pub(crate) protected: HashSet<RecordRef>,
    pub(crate) unsettled: HashSet<RecordRef>,
    pub(crate) writable: Option<bool>,
}

pub(crate) fn sub(n: u8) -> Sub {
    Sub::from_u128(u128::from(n) << 120 | 0x1111_4222_8333_0444_0555_0666_0777)
}

pub(crate) fn id(kind: IdKind, n: u8) -> RowId {
    let text = match kind {
        IdKind::Uuid => format!("0192f0c1-2b6a-7cde-8f00-0000000000{n:02x}"),
        IdKind::BigInt => format!("{}", i64::from(n) - 2),
        IdKind::Text => format!("user {n}"),
    };
    RowId::parse(kind, &text).unwrap()
}

/// One of a few ids, and among them those that could be taken for something else.
fn one_id(kind: IdKind, n: u8) -> RowId {
    match (kind, n) {
        (IdKind::Uuid, 4) => RowId::Uuid(sub(0).as_uuid()),
        (IdKind::Uuid, 5) => RowId::Uuid(sub(1).as_uuid()),
        (IdKind::BigInt, 4) => RowId::BigInt(i64::MIN),
        (IdKind::BigInt, 5) => RowId::BigInt(i64::MAX),
        (IdKind::Text, 2) => RowId::Text("USER 1".into()),
        (IdKind::Text, 3) => RowId::Text(" ".into()),
        (IdKind::Text, 4) => RowId::Text(sub(0).to_string().into()),
        (IdKind::Text, 5) => RowId::Text("07".into()),
        (kind, n) => id(kind, n),
    }
}

/// The id as somebody may have written it.
fn written(kind: IdKind, n: u8, style: u8) -> String {
    let text = one_id(kind, n).to_string();
    match style {
        0 => text.to_uppercase(),
        1 => text.replace('-', ""),
        2 => " ".into(),
        3 => format!("{text} "),
        4 => format!("+{text}"),
        5 => format!("0{text}"),
        _ => text,
    }
}

fn email(n: u8) -> impl Strategy<Value = Option<Box<str>>> {
    let name = ["ada@x.org", "bea@x.org", "İda@x.org"][usize::from(n % 3)];
    prop_oneof![
        1 => Just(None),
        1 => Just(Some("  ".into())),
        4 => Just(Some(name.into())),
        1 => Just(Some(format!(" {}", name.to_ascii_uppercase()).into_boxed_str())),
    ]
}

fn status() -> impl Strategy<Value = UserStatus> {
    prop_oneof![
        6 => Just(UserStatus::Confirmed),
        3 => Just(UserStatus::Unconfirmed),
        3 => Just(UserStatus::ExternalProvider),
        1 => Just(UserStatus::ResetRequired),
        1 => Just(UserStatus::ForceChangePassword),
        1 => Just(UserStatus::Other("COMPROMISED".into())),
    ]
}

/// As unique as subs are: two that differ in their case, one without an underscore, and letters whose lower case depends
/// on where they stand.
const USERNAMES: [&str; 6] = ["My_idp_a_x", "my_idp_a_X", "My_idp_2_x", "plain", "ΑΣ_4", "_5"];

/// What a native user's identities may say: (provider, user id).
const IDENTITIES: [(&str, &str); 10] = [
    ("MY_IDP", "a_x"),
    ("my", "idp_a_x"),
    ("my_idp", "a_X"),
    ("My_idp", "A_X"),
    ("My_Idp", "2_x"),
    ("my", "IDP_2_x"),
    ("plain", ""),
    ("ας", "4"),
    ("ασ", "4"),
    ("", "5"),
];

/// A user with one of a few subs.
pub(crate) fn user(kind: IdKind) -> impl Strategy<Value = PoolUser> {
    let names = prop::option::weighted(0.6, (0..6u8, 0..12u8));
    let joined = prop_oneof![
        8 => Just(vec![]),
        2 => prop::collection::vec(0..IDENTITIES.len(), 1..3),
    ];
    let verified = prop::bool::weighted(0.8);
    (0..6u8, names, (0..3u8).prop_flat_map(email), verified, status(), prop::bool::weighted(0.9), joined).prop_map(
        move |(n, names, email, email_verified, status, enabled, joined)| {
            let mut user = PoolUser::new(sub(n), USERNAMES[usize::from(n)]);
            user.user_id = names.map(|(n, style)| written(kind, n, style).into());
            user.email = email;
            user.email_verified = email_verified;
            user.status = status;
            user.enabled = enabled;
            let identity = |at: usize| Identity { provider: IDENTITIES[at].0.into(), user_id: IDENTITIES[at].1.into() };
            user.identities = joined.into_iter().map(identity).collect();
            user
        },
    )
}

pub(crate) fn row(kind: IdKind) -> impl Strategy<Value = Row> {
    let sub_text = prop_oneof![
        2 => Just(None),
        6 => (0..7u8).prop_map(|n| Some(sub(n).to_string().into_boxed_str())),
        1 => (0..7u8).prop_map(|n| Some(sub(n).to_string().to_uppercase().into_boxed_str())),
        1 => Just(Some("none".into())),
        1 => Just(Some("  ".into())),
    ];
    (0..6u8, sub_text, (0..3u8).prop_flat_map(email)).prop_map(move |(n, sub, email)| {
        let mut row = Row::new(one_id(kind, n));
        row.sub = sub;
        row.email = email;
        row
    })
}

/// One of the records that a world may have.
pub(crate) fn record(kind: IdKind) -> impl Strategy<Value = RecordRef> {
    prop_oneof![
        (0..6u8).prop_map(|n| RecordRef::User(sub(n))),
        (0..6u8).prop_map(move |n| RecordRef::Row(one_id(kind, n))),
    ]
}

/// Few records or none: in most worlds nothing is laid over the verdicts.
pub(crate) fn records(kind: IdKind) -> impl Strategy<Value = HashSet<RecordRef>> {
    prop_oneof![3 => Just(HashSet::new()), 1 => prop::collection::hash_set(record(kind), 1..3)]
}

pub(crate) fn kind() -> impl Strategy<Value = IdKind> {
    prop_oneof![Just(IdKind::Uuid), Just(IdKind::BigInt), Just(IdKind::Text)]
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    kind().prop_flat_map(|kind| {
        let users = prop::collection::vec(user(kind), 0..7);
        let rows = prop::collection::vec(row(kind), 0..7);
        (users, rows, records(kind), records(kind), any::<Option<bool>>()).prop_map(
            move |(mut users, mut rows, protected, unsettled, writable)| {
                let mut seen = HashSet::new();
                users.retain(|user| seen.insert(user.sub));
                let mut seen = HashSet::new();
                rows.retain(|row| seen.insert(row.id.clone()));
                World { kind, users, rows, protected, unsettled, writable }
            },
        )
    })
}
