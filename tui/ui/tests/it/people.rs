//! The people of the stories, and what would be said of them.

use userlink_domain::{Flag, Flags, IdKind, PoolUser, Row, RowId, Situation, Step, Sub, Timestamp, UserStatus};
use userlink_link::{Because, Entry, Explanation, Related, Repair};

/// 2026-11-23 10:00:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

pub(crate) fn before(minutes: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() - minutes * 60_000)
}

pub(crate) fn user(number: u128, email: &str) -> PoolUser {
    let sub = Sub::from_u128(0x7f3c_0a00_91b2_4c3d_8e4f_0000_0000_0000 + number);
    let mut user = PoolUser::new(sub, sub.to_string());
    user.email = Some(email.into());
    user.email_verified = true;
    user.created = Some(before(number as i64 * 97 + 5));
    user.modified = user.created;
    user
}

pub(crate) fn row_id(number: u128) -> RowId {
    let text = format!("0192f0c1-2b6a-7cde-8f00-0123{:08x}", 0x4567_89ab + number * 0x111);
    RowId::parse(IdKind::Uuid, &text).unwrap()
}

pub(crate) fn row(number: u128, email: &str) -> Row {
    let mut row = Row::new(row_id(number));
    row.email = Some(email.into());
    row.created_at = Some(before(number as i64 * 97 + 4));
    row
}

pub(crate) fn entry(situation: Situation, users: Vec<PoolUser>, rows: Vec<Row>) -> Entry {
    let (user_count, row_count) = (users.len(), rows.len());
    Entry { situation, so_far: None, flags: Flags::default(), users, rows, user_count, row_count }
}

fn points(mut user: PoolUser, at: &Row) -> PoolUser {
    user.user_id = Some(at.id.to_string().into());
    user
}

fn carries(mut row: Row, sub: &PoolUser) -> Row {
    row.sub = Some(sub.sub.to_string().into());
    row
}

/// A row carries the user's sub; the attribute is empty.
pub(crate) fn row_side_only(number: u128, email: &str) -> Entry {
    let user = user(number, email);
    let row = carries(row(number, email), &user);
    entry(Situation::RowSideOnly, vec![user], vec![row])
}

pub(crate) fn linked(number: u128, email: &str) -> Entry {
    let (user, row) = (user(number, email), row(number, email));
    let (user, row) = (points(user.clone(), &row), carries(row, &user));
    entry(Situation::Linked, vec![user], vec![row])
}

/// Somebody has dismissed it.
pub(crate) fn dismissed(number: u128, email: &str) -> Entry {
    Entry { situation: Situation::Ignored, ..row_side_only(number, email) }
}

/// One of everything that a person meets.
pub(crate) fn town() -> Vec<Entry> {
    let mut carl = entry(Situation::EmailMatch, vec![user(3, "carl@example.org")], vec![row(3, "Carl@example.org")]);
    carl.flags.insert(Flag::Contested);
    let mut dora = user(4, "dora@example.org");
    dora.user_id = Some(row_id(77).to_string().into());
    let mut eve = user(5, "eve@example.org");
    eve.username = userlink_domain::Username::new("Google_109322518823");
    eve.status = UserStatus::ExternalProvider;
    let twin = entry(Situation::FederatedTwin, vec![eve, user(6, "eve@example.org")], vec![row(5, "eve@example.org")]);
    let fay = entry(Situation::NoRow, vec![user(7, "fay\u{202E}@example.org")], vec![]);
    let (gus, gus_twin) = (user(8, "gus@example.org"), row(9, "gus@example.org"));
    let (gus_row, gus_second) = (carries(row(8, "gus@example.org"), &gus), carries(gus_twin, &gus));
    let twice = entry(Situation::DuplicateRows, vec![points(gus, &gus_second)], vec![gus_row, gus_second]);
    let (hal, ida) = (user(10, "hal@example.org"), user(11, "ida@example.org"));
    let (hal_row, ida_row) = (carries(row(10, "hal@example.org"), &ida), carries(row(11, "ida@example.org"), &hal));
    let (hal, ida) = (points(hal, &hal_row), points(ida, &ida_row));
    let swapped = entry(Situation::Swapped, vec![hal, ida], vec![hal_row, ida_row]);
    let (jon, jon_row) = (user(12, "jon@example.org"), row(12, "jon@example.org"));
    let one_way = entry(Situation::UserSideOnly, vec![points(jon, &jon_row)], vec![jon_row]);
    let mut dead = row(13, "kim@example.org");
    dead.sub = Some(Sub::from_u128(0xdead).to_string().into());
    let mut lea = user(14, "lea@example.org");
    lea.status = UserStatus::ForceChangePassword;
    let mut reading = row_side_only(15, "mia@example.org");
    reading.situation = Situation::Reading;
    reading.so_far = Some(Situation::RowSideOnly);
    let mut differs = linked(16, "nia@example.org");
    differs.rows[0].email = Some("nia.old@example.org".into());
    differs.flags.insert(Flag::EmailDiffers);
    vec![
        row_side_only(1, "ada@example.org"),
        row_side_only(2, "bea@example.org"),
        carl,
        entry(Situation::DanglingUserId, vec![dora], vec![]),
        twin,
        fay,
        twice,
        swapped,
        one_way,
        entry(Situation::DeadSub, vec![], vec![dead]),
        entry(Situation::OrphanRow, vec![], vec![row(17, "old@example.org")]),
        entry(Situation::UnlinkedInactive, vec![lea], vec![]),
        reading,
        differs,
        linked(18, "ola@example.org"),
        linked(19, "pia@example.org"),
    ]
}

/// Names that try to be something else.
pub(crate) fn hostile() -> Vec<Entry> {
    let names = [
        "fay\u{202E}gro.elpmaxe@example.org",
        "zoe\u{200B}@example.org",
        "👩\u{200D}👩\u{200D}👧\u{200D}👦 family@example.org",
        "李小龍李小龍李小龍李小龍@例え.jp",
        "🇩🇪🇫🇷🇯🇵 flags@example.org",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}@example.org",
        "\u{1B}[31mred\u{1B}[0m@example.org",
        "line\nbreak\tand tab@example.org",
        "tag\u{E0041}\u{E0042}@example.org",
        "soft\u{AD}hyphen@example.org",
        "שלום@example.org",
        "ｶﾞｷﾞｸﾞ@example.org",
        "👍🏽 thumbs@example.org",
        "",
    ];
    let entries = names.iter().zip(30..).map(|(name, number)| row_side_only(number, name));
    entries.collect()
}

/// What would be said of an entry.
pub(crate) fn explanation(entry: &Entry) -> Explanation {
    let (Some(user), row) = (entry.users.first(), entry.rows.first()) else {
        return Explanation {
            summary: "The row carries a sub that no pool user has.".to_owned(),
            why: vec!["the pool was read to its end, and nobody has this sub".to_owned()],
            repair: Repair { words: "Nothing to repair.".to_owned(), ..Repair::default() },
            ..Explanation::default()
        };
    };
    match (entry.situation, row) {
        (Situation::RowSideOnly, Some(row)) => Explanation {
            summary: format!("Row {} carries this user's sub; custom:userId is empty.", row.id),
            why: vec![
                "the row carries her sub; custom:userId is empty".to_owned(),
                "nobody else claims the row".to_owned(),
            ],
            why_not: vec![format!("linked: custom:userId would have to be {}", row.id)],
            today: "Signs in, and the application does not know who it is.".to_owned(),
            after: format!("Signs in to row {}, from the next sign-in, or when the token is renewed.", row.id),
            related: vec![],
            repair: Repair {
                words: format!("Write custom:userId = {}", row.id),
                steps: vec![write(user, row)],
                safe: true,
            },
        },
        (Situation::Linked, _) => Explanation {
            summary: "Both pointers agree.".to_owned(),
            repair: Repair { words: "Nothing to repair.".to_owned(), ..Repair::default() },
            ..Explanation::default()
        },
        _ => Explanation {
            summary: "The pointers do not agree; a person has to look.".to_owned(),
            why: vec!["no row carries this user's sub".to_owned()],
            why_not: vec!["linked: a row would have to carry the sub".to_owned()],
            today: "Signs in to an empty account.".to_owned(),
            after: String::new(),
            related: vec![Related::User {
                sub: Sub::from_u128(7),
                username: userlink_domain::Username::new("zed"),
                because: Because::SameEmail,
            }],
            repair: Repair { words: "Choose which row it is.".to_owned(), ..Repair::default() },
        },
    }
}

pub(crate) fn write(user: &PoolUser, row: &Row) -> Step {
    Step::WriteUserId { username: user.username.as_str().to_owned(), expect: None, value: row.id.to_string() }
}
