//! What is said of why things are as they are, and what is not.

use userlink_domain::{IdKind, PoolUser, Row, RowId, Situation, Sub, Timestamp, UserStatus, Username};
use userlink_link::{Cause, Circumstances, Linker, Rules, Survey};

const DAY: i64 = 86_400_000;
/// 2026-11-23, midnight UTC.
const TODAY: i64 = 1_795_392_000_000;

/// A town that grows: so many linked users, spread evenly over two years.
#[derive(Default)]
struct Town {
    users: Vec<PoolUser>,
    rows: Vec<Row>,
}

impl Town {
    fn linked(count: usize) -> Self {
        let mut town = Self::default();
        for n in 0..count {
            let at = TODAY - 730 * DAY + n as i64 * (729 * DAY / count as i64);
            let (user, row) = town.pair(at);
            town.add(PoolUser { user_id: Some(row.id.to_string().into()), ..user }, Some(row));
        }
        town
    }

    /// A user and the row that carries its sub, made at this moment.
    fn pair(&self, at: i64) -> (PoolUser, Row) {
        let n = self.users.len() as u128 + 1;
        let mut user = PoolUser::new(Sub::from_u128(n << 64 | 7), format!("user-{n}"));
        user.created = Some(Timestamp::from_millis(at));
        let mut row = Row::new(RowId::BigInt(n as i64));
        row.sub = Some(user.sub.to_string().into());
        row.created_at = user.created;
        (user, row)
    }

    fn add(&mut self, user: PoolUser, row: Option<Row>) {
        self.users.push(user);
        self.rows.extend(row);
    }

    fn row_side_only(&mut self, at: i64) {
        let (user, row) = self.pair(at);
        self.add(user, Some(row));
    }

    fn no_row(&mut self, at: i64, what: impl FnOnce(&mut PoolUser)) {
        let (mut user, _) = self.pair(at);
        what(&mut user);
        self.add(user, None);
    }

    /// A row whose user is gone.
    fn dead(&mut self, at: i64) {
        let n = 1_000_000 + self.rows.len() as i64;
        let mut row = Row::new(RowId::BigInt(n));
        row.sub = Some(Sub::from_u128(n as u128).to_string().into());
        row.created_at = Some(Timestamp::from_millis(at));
        self.rows.push(row);
    }

    fn causes(self, known: &Circumstances) -> Vec<Cause> {
        let linker = Linker::bulk(self.users, self.rows, Rules::new(IdKind::BigInt));
        let mut survey = Survey::new();
        let mut pieces = 0;
        while !survey.go_on(&linker, 50) {
            pieces += 1;
            assert!(pieces < 100_000, "it comes to an end");
        }
        survey.causes(known)
    }
}

fn words(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(|cause| format!("{} {}", cause.what, cause.meaning).trim().to_owned()).collect()
}

fn with_function() -> Circumstances {
    let read_at = Some(Timestamp::from_millis(TODAY));
    Circumstances { read_at, self_sign_up: Some(true), post_confirmation: Some(true), writable_by: Vec::new() }
}

#[test]
fn a_night_in_which_the_function_failed_is_named_to_the_minute() {
    let mut town = Town::linked(2_000);
    for n in 0..118 {
        town.row_side_only(TODAY - DAY + 2 * 3_600_000 + 601_000 + n * 15_000);
    }
    for n in 0..30 {
        town.row_side_only(TODAY - 700 * DAY + n * 23 * DAY);
    }
    let causes = town.causes(&with_function());
    assert_eq!(
        words(&causes),
        [
            "118 of 148 row side only users were created on 2026-11-22 between 02:10 and 02:40 UTC. That is 100 % of those \
          from that time who should be linked. The row was written, the attribute was not: the function failed after the insert."
        ]
    );
    assert_eq!((causes[0].situation, causes[0].count, causes[0].of), (Some(Situation::RowSideOnly), 118, 148));
}

#[test]
fn what_is_spread_like_everybody_else_has_no_cause() {
    let mut town = Town::linked(2_000);
    for n in 0..70 {
        town.row_side_only(TODAY - 720 * DAY + n * 10 * DAY);
        town.no_row(TODAY - 719 * DAY + n * 10 * DAY, |_| ());
        town.dead(TODAY - 718 * DAY + n * 10 * DAY);
    }
    assert_eq!(town.causes(&with_function()), []);
}

#[test]
fn who_was_imported_is_told_from_who_signed_up() {
    let mut town = Town::linked(2_000);
    for n in 0..412 {
        town.no_row(TODAY - 30 * DAY + n * 200, |user| user.status = UserStatus::ResetRequired);
    }
    for n in 0..18 {
        town.no_row(TODAY - 700 * DAY + n * 31 * DAY, |_| ());
    }
    assert_eq!(
        words(&town.causes(&with_function())),
        [
            "412 of 430 users without a row were imported, or had the password reset by an administrator (RESET_REQUIRED), \
          and created on 2026-10-24 between 00:00 and 00:02 UTC. Post Confirmation is not known to fire for an import, \
          and never for a reset."
        ],
        "it is one thing that happened, and said once"
    );
}

#[test]
fn a_status_that_everybody_has_explains_nothing() {
    let mut town = Town::linked(500);
    for user in &mut town.users {
        user.status = UserStatus::ResetRequired;
    }
    for n in 0..40 {
        town.no_row(TODAY - 700 * DAY + n * 17 * DAY, |user| user.status = UserStatus::ResetRequired);
    }
    assert_eq!(town.causes(&with_function()), []);
}

#[test]
fn a_provider_is_named_where_the_others_come_another_way() {
    let mut town = Town::linked(900);
    for n in 0..40 {
        town.no_row(TODAY - 700 * DAY + n * 17 * DAY, |user| {
            user.username = Username::new(format!("Google_{n}"));
            user.status = UserStatus::ExternalProvider;
        });
    }
    assert_eq!(
        words(&town.causes(&with_function())),
        [
            "All 40 users without a row sign in through Google. For a first federated sign-in, the function wrote neither \
          row nor attribute."
        ]
    );
}

#[test]
fn where_nobody_can_sign_up_the_trigger_does_not_fire() {
    let mut town = Town::linked(300);
    for n in 0..40 {
        town.no_row(TODAY - 700 * DAY + n * 17 * DAY, |_| ());
    }
    let known = Circumstances { self_sign_up: Some(false), ..with_function() };
    assert_eq!(
        words(&town.causes(&known)),
        ["All 40 users without a row have their passwords here, and this pool lets nobody sign up. An administrator \
          creates its users, and Post Confirmation does not fire for them."]
    );
}

#[test]
fn a_pool_without_a_function_is_said_to_have_none() {
    let mut town = Town::linked(300);
    for n in 0..4 {
        town.no_row(TODAY - 700 * DAY + n * 170 * DAY, |_| ());
    }
    let known = Circumstances { post_confirmation: Some(false), ..Circumstances::default() };
    let said = words(&town.causes(&known));
    assert_eq!(
        said,
        [
            "All 4 users without a row: the pool calls no function after a confirmation. Nothing writes a row when somebody \
          signs up, unless the application does."
        ]
    );
}

#[test]
fn what_goes_on_is_said_to_and_of_whom() {
    let mut town = Town::linked(1_000);
    // Since three days nobody who signs up gets a row, but for one.
    for n in 0..60 {
        town.no_row(TODAY - 3 * DAY + 180_000 + n * 4_300_000, |_| ());
    }
    let causes = town.causes(&with_function());
    assert_eq!(
        words(&causes),
        [
            "All 60 users without a row were created since 2026-11-20 00:03 UTC. That is 96 % of those from that time who \
          should be linked. Neither row nor attribute was written: the function did not run, or failed before the insert."
        ]
    );
}

#[test]
fn rows_without_their_users_are_compared_with_rows() {
    let mut town = Town::linked(800);
    for n in 0..90 {
        town.dead(TODAY - 300 * DAY + n * 1_000);
    }
    assert_eq!(
        words(&town.causes(&with_function())),
        [
            "All 90 dead sub rows were made on 2026-01-27 between 00:00 and 00:02 UTC. Their users are not in this pool, or \
          not any more."
        ]
    );
}

#[test]
fn clients_that_let_their_users_write_the_attribute_are_named() {
    let mut town = Town::linked(300);
    town.users[7].user_id = Some("9999999".into());
    town.users[80].user_id = Some("9999998".into());
    let known = Circumstances { writable_by: vec!["web".into()], ..with_function() };
    assert_eq!(
        words(&town.causes(&known)),
        [
            "2 dangling user id users rest on an attribute that users can write themselves: the client \u{201C}web\u{201D} \
          lets them. Alone it proves nothing. Take it out of WriteAttributes first."
        ]
    );
}

#[test]
fn of_very_many_a_part_is_looked_at_and_the_numbers_say_so() {
    let mut town = Town::linked(2_000);
    for n in 0..30_000 {
        town.no_row(TODAY - 40 * DAY + n * 100, |_| ());
    }
    let causes = town.causes(&with_function());
    let [cause] = &causes[..] else { panic!("{causes:?}") };
    assert!(cause.about && cause.of == 30_000 && (29_000..=30_000).contains(&cause.count), "{cause:?}");
}
