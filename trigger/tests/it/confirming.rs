//! Who is tied to which row.

use std::time::Duration;

use serde_json::json;
use userlink_domain::UserStatus;
use userlink_emulator::Faults;
use userlink_kit::pgbouncer_url_for;

use crate::town::{Town, sub};
use crate::wire::HeardWire;

const READ: &str = "AdminGetUser";
const WRITE: &str = "AdminUpdateUserAttributes";

#[tokio::test]
async fn a_confirmed_user_gets_a_row_and_its_id_with_one_call() {
    let town = Town::new(1).await;
    let lambda = town.lambda(&[]).await;
    lambda.passes(&town.event(1, json!({}))).await;
    let id = town.assert_linked(1).await;
    assert_eq!(town.select("SELECT email FROM users").await, [Some("person1@example.org".into())]);
    assert_eq!((town.asked(READ), town.asked(WRITE)), (0, 1));

    // Delivered again as it was: the user is looked at, and nothing is written.
    lambda.passes(&town.event(1, json!({}))).await;
    assert_eq!((town.asked(READ), town.asked(WRITE)), (1, 1));
    // And with the right id in it: the pool is not asked at all.
    lambda.passes(&town.event(1, json!({"custom:userId": id}))).await;
    assert_eq!((town.asked(READ), town.asked(WRITE)), (1, 1));
    assert_eq!(town.assert_linked(1).await, id);
}

/// What does not depend on a machine: how much is asked for.
#[tokio::test]
async fn a_new_user_costs_one_transaction_and_one_request_and_a_repeated_delivery_one_read() {
    const WORDS: [&str; 5] = ["BEGIN", "UNION ALL", "SELECT", "INSERT", "COMMIT"];
    let town = Town::new(4).await;
    let wire = HeardWire::before(&town.database.url).await;
    let lambda = town.lambda(&[("USERLINK_DATABASE_URL", &wire.url)]).await;
    lambda.passes(&town.event(1, json!({}))).await;
    let asked = |town: &Town| (town.asked(READ), town.asked(WRITE));
    assert_eq!(asked(&town), (0, 1));
    wire.said(WORDS);

    // By the sub and by the e-mail in one statement, and the insert.
    lambda.passes(&town.event(2, json!({}))).await;
    assert_eq!((wire.said(WORDS), asked(&town)), ([1, 1, 2, 1, 1], (0, 2)));
    let id = town.assert_linked(2).await;
    lambda.passes(&town.event(2, json!({"custom:userId": id}))).await;
    assert_eq!((wire.said(WORDS), asked(&town)), ([1, 1, 2, 0, 1], (0, 2)));
    // An old copy of the event: the user is read, and nothing is written.
    lambda.passes(&town.event(2, json!({}))).await;
    assert_eq!((wire.said(WORDS), asked(&town)), ([1, 1, 2, 0, 1], (1, 2)));

    // Where no index finds an e-mail the table is read for whoever has no row, and for nobody else.
    town.database.run("DROP INDEX users_by_email").await;
    let lambda = town.lambda(&[("USERLINK_DATABASE_URL", &wire.url)]).await;
    lambda.passes(&town.event(3, json!({}))).await;
    let id = town.assert_linked(3).await;
    assert!(lambda.last().await["advice"].as_str().unwrap().contains("make an index on lower(email)"));
    wire.said(WORDS);
    lambda.passes(&town.event(4, json!({}))).await;
    assert_eq!(wire.said(WORDS), [1, 0, 2, 1, 1]);
    lambda.passes(&town.event(3, json!({"custom:userId": id}))).await;
    assert_eq!((wire.said(WORDS), asked(&town)), ([1, 0, 1, 0, 1], (1, 4)));
}

/// Twelve deliveries at once for each of twenty users, to twelve processes, half of them through PgBouncer.
#[tokio::test]
async fn however_often_at_once_there_is_one_row_and_one_id() {
    let town = Town::new(20).await;
    let bounced = pgbouncer_url_for(&town.database);
    let direct = town.lambdas(&[], 6).await;
    let pooled = town.lambdas(&[("USERLINK_DATABASE_URL", &bounced)], 6).await;
    for user in 1..=20 {
        let event = town.event(user, json!({}));
        let deliveries = (0..12).map(|at| {
            let (lambda, event) = (if at % 2 == 0 { &direct } else { &pooled }, &event);
            async move { lambda.passes(event).await }
        });
        together(deliveries).await;
        town.assert_linked(user).await;
    }
    assert_eq!(town.select("SELECT count(*)::text FROM users").await, [Some("20".into())]);
}

/// All of them at once.
pub(crate) async fn together<F: Future>(all: impl Iterator<Item = F>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn an_id_that_came_with_the_sign_up_proves_nothing() {
    let town = Town::new(2).await;
    let lambda = town.lambda(&[]).await;
    lambda.passes(&town.event(1, json!({}))).await;
    let victim = town.assert_linked(1).await;

    town.pool.change_user("person2", |user| user.user_id = Some(victim.as_str().into()));
    lambda.passes(&town.event(2, json!({"custom:userId": victim}))).await;
    assert_ne!(town.assert_linked(2).await, victim);
    assert_eq!(town.assert_linked(1).await, victim);
    let line = lambda.last().await;
    assert!(line["level"] == "WARN" && line["attack"].is_string(), "{line}");

    // The same once more, where the hostile user's row is there already.
    town.pool.change_user("person2", |user| user.user_id = Some(victim.as_str().into()));
    lambda.passes(&town.event(2, json!({"custom:userId": victim}))).await;
    assert_ne!(town.assert_linked(2).await, victim);
}

#[tokio::test]
async fn a_late_delivery_does_not_undo_a_repair() {
    let town = Town::new(1).await;
    let lambda = town.lambda(&[]).await;
    let old = town.event(1, json!({"custom:userId": "an-old-value"}));
    lambda.passes(&town.event(1, json!({}))).await;
    town.assert_linked(1).await;
    // Support gives the user another row, and both pointers with it.
    town.database.run("UPDATE users SET cognito_sub = NULL").await;
    town.database.run(&format!("INSERT INTO users (cognito_sub) VALUES ('{}')", sub(1))).await;
    let repaired = town.rows(1).await.remove(0);
    town.pool.change_user("person1", |user| user.user_id = Some(repaired.as_str().into()));
    lambda.passes(&old).await;
    assert_eq!(town.assert_linked(1).await, repaired);

    // Where the attribute was changed and the row was not, nothing is written over it.
    town.pool.change_user("person1", |user| user.user_id = Some("something-newer".into()));
    assert!(lambda.invoke(&old.to_string()).await.failed);
    assert_eq!(town.user_id(1).as_deref(), Some("something-newer"));
    assert_eq!(lambda.last().await["outcome"], "tangled");
}

#[tokio::test]
async fn an_unverified_email_takes_nobodys_row_and_is_not_stored() {
    let town = Town::new(1).await;
    town.database.run("INSERT INTO users (email) VALUES ('person1@example.org')").await;
    let lambda = town.lambda(&[("USERLINK_ADOPT_VERIFIED_EMAIL", "true")]).await;
    // Nor does it make a second row beside the first, unless that was asked for.
    let unproved = town.event(1, json!({"email_verified": "false"}));
    lambda.passes(&unproved).await;
    assert_eq!((town.rows(1).await.len(), lambda.last().await["outcome"].as_str()), (0, Some("email_taken")));
    let lambda = town.lambda(&[("USERLINK_ON_EMAIL_TAKEN", "insert")]).await;
    lambda.passes(&unproved).await;
    let id = town.assert_linked(1).await;
    let email = format!("SELECT email FROM users WHERE id = '{id}'");
    assert_eq!(town.select(&email).await, [None]);
    assert_eq!(town.select("SELECT count(*)::text FROM users").await, [Some("2".into())]);
}

/// A free row, and two who have proved its e-mail. Listings are so far behind.
async fn town_of_two_with_one_email(lag: Duration) -> Town {
    let town = Town::new(2).await;
    town.pool.set_faults(Faults { list_lag: lag, ..Faults::default() });
    town.database.run("INSERT INTO users (email) VALUES ('Shared@example.org')").await;
    for user in ["person1", "person2"] {
        assert!(town.pool.change_user(user, |user| user.email = Some("shared@example.org".into())));
    }
    town
}

#[tokio::test]
async fn of_two_who_race_for_a_row_one_gets_it() {
    for _ in 0..5 {
        // Neither is seen by the other.
        let town = town_of_two_with_one_email(Duration::from_secs(60)).await;
        let lambda = town.lambdas(&[("USERLINK_ADOPT_VERIFIED_EMAIL", "true")], 2).await;
        let shared = json!({"email": "shared@example.org"});
        let (one, two) = (town.event(1, shared.clone()), town.event(2, shared));
        tokio::join!(lambda.passes(&one), lambda.passes(&two));
        let (one, two) = (town.rows(1).await.len(), town.rows(2).await.len());
        assert_eq!(one + two, 1, "the other is held: {:#?}", lambda.log());
        let winner = if one == 1 { 1 } else { 2 };
        town.assert_linked(winner).await;
        assert_eq!(town.user_id(3 - winner), None);
    }
}

#[tokio::test]
async fn a_row_whose_email_two_have_proved_is_adopted_by_neither() {
    let town = town_of_two_with_one_email(Duration::ZERO).await;
    let lambda = town.lambda(&[("USERLINK_ADOPT_VERIFIED_EMAIL", "true")]).await;
    let event = town.event(1, json!({"email": "shared@example.org"}));
    lambda.passes(&event).await;
    assert_eq!((town.rows(1).await.len(), lambda.last().await["outcome"].as_str()), (0, Some("ambiguous")));
    // A profile of another provider's is a person's to decide, too.
    town.pool.change_user("person2", |user| user.status = UserStatus::ExternalProvider);
    lambda.passes(&event).await;
    assert_eq!((town.rows(1).await.len(), lambda.last().await["outcome"].as_str()), (0, Some("federated_twin")));
    // Once it is one's own, the row is, too; and what an old event says of an e-mail is not enough.
    town.pool.change_user("person2", |user| user.email = None);
    town.pool.change_user("person1", |user| user.email_verified = false);
    lambda.passes(&event).await;
    assert_eq!((town.rows(1).await.len(), lambda.last().await["outcome"].as_str()), (0, Some("email_match")));
    town.pool.change_user("person1", |user| user.email_verified = true);
    lambda.passes(&event).await;
    town.assert_linked(1).await;
    assert_eq!(lambda.last().await["row"], "adopted");
    assert_eq!(town.select("SELECT count(*)::text FROM users").await, [Some("1".into())]);
}

/// Rule: while a row has the e-mail, none is inserted without a person being shown it; whether or not the column is unique.
#[tokio::test]
async fn no_second_row_is_made_for_an_email_that_a_row_has() {
    // An index finds no white space around an e-mail.
    for (index, email) in [(true, "PERSON1@example.org"), (false, " PERSON1@example.org")] {
        let town = Town::new(4).await;
        if !index {
            town.database.run("DROP INDEX users_by_email").await;
        }
        town.database
            .run(&format!(
                "INSERT INTO users (email, cognito_sub) VALUES ('{email}', NULL), ('person2@example.org', '{}'), \
                 ('person4@example.org', NULL), ('Person4@example.org', '{}')",
                sub(77),
                sub(78)
            ))
            .await;
        let lambda = town.lambda(&[]).await;
        for (user, outcome) in [(1, "email_match"), (2, "row_taken"), (3, "linked"), (4, "ambiguous")] {
            lambda.passes(&town.event(user, json!({}))).await;
            assert_eq!(lambda.last().await["outcome"], outcome, "user {user}, with an index: {index}");
        }
        assert_eq!(town.select("SELECT count(*)::text FROM users").await, [Some("5".into())]);
    }
}

#[tokio::test]
async fn an_email_that_is_taken_is_held_refused_or_left_out() {
    for (setting, failed, rows) in [("hold", false, 0), ("error", true, 0), ("insert", false, 1)] {
        let town = Town::new(1).await;
        town.database
            .run(
                "CREATE UNIQUE INDEX ON users (lower(email)); INSERT INTO users (email) VALUES ('PERSON1@example.org')",
            )
            .await;
        let lambda = town.lambda(&[("USERLINK_ON_EMAIL_TAKEN", setting)]).await;
        let answer = lambda.invoke(&town.event(1, json!({})).to_string()).await;
        assert_eq!((answer.failed, town.rows(1).await.len()), (failed, rows), "{setting}");
        if rows == 0 {
            assert_eq!((lambda.last().await["outcome"].as_str(), town.user_id(1)), (Some("email_match"), None));
        } else {
            town.assert_linked(1).await;
        }
    }
}

#[tokio::test]
async fn a_reset_password_ensures_the_link_and_inserts_nothing() {
    let town = Town::new(2).await;
    town.database.run(&format!("INSERT INTO users (cognito_sub) VALUES ('{}')", sub(1))).await;
    let lambda = town.lambda(&[]).await;
    for user in [1, 2] {
        let mut event = town.event(user, json!({}));
        event["triggerSource"] = json!("PostConfirmation_ConfirmForgotPassword");
        lambda.passes(&event).await;
    }
    town.assert_linked(1).await;
    assert_eq!((town.rows(2).await.len(), lambda.last().await["outcome"].as_str()), (0, Some("no_row")));
}

#[tokio::test]
async fn users_of_every_kind_are_linked_and_columns_filled() {
    let town = Town::new(3).await;
    town.database.run("ALTER TABLE users ADD full_name varchar(80), ADD phone text").await;
    let columns = ("USERLINK_COLUMNS", "name=full_name,phone_number=phone");
    let lambda = town.lambda(&[columns]).await;
    let gone = json!(null);
    let phone =
        json!({"email": gone, "email_verified": gone, "phone_number": "+4930", "phone_number_verified": "true"});
    lambda.passes(&town.event(1, phone)).await;
    lambda
        .passes(&town.event(2, json!({"name": "Ada \u{202e}L\u{0}", "cognito:user_status": "EXTERNAL_PROVIDER"})))
        .await;
    lambda.passes(&town.event(3, json!({"name": "Ada's \"L\""}))).await;
    for user in 1..=3 {
        town.assert_linked(user).await;
    }
    let all = town.select("SELECT concat_ws('|', full_name, phone, email) FROM users ORDER BY cognito_sub").await;
    let all: Vec<_> = all.into_iter().flatten().collect();
    assert_eq!(all, ["+4930", "person2@example.org", "Ada's \"L\"|person3@example.org"]);
}

#[tokio::test]
async fn without_a_unique_index_nobody_is_linked_and_the_log_says_what_to_run() {
    let town = Town::new(1).await;
    town.database.run("ALTER TABLE users DROP CONSTRAINT users_cognito_sub_key").await;
    let lambda = town.lambda(&[]).await;
    assert!(lambda.invoke(&town.event(1, json!({})).to_string()).await.failed);
    let line = lambda.last().await;
    assert!(line["cause"].as_str().unwrap().contains("userlink migrate --unique-sub"), "{line}");
    // Once it is there it is seen, without a new process.
    town.database.run("ALTER TABLE users ADD UNIQUE (cognito_sub)").await;
    lambda.passes(&town.event(1, json!({}))).await;
    town.assert_linked(1).await;
}

/// A pool that throttles, fails and hangs up: whoever was not linked is linked by a later delivery, and no id ever changes.
#[tokio::test]
async fn with_a_bad_pool_nobody_has_two_rows_and_no_id_changes() {
    const USERS: u128 = 60;
    let town = Town::new(USERS).await;
    let bounced = pgbouncer_url_for(&town.database);
    let direct = town.lambdas(&[("USERLINK_DEADLINE_MS", "1500")], 3).await;
    let pooled = town.lambdas(&[("USERLINK_DEADLINE_MS", "1500"), ("USERLINK_DATABASE_URL", &bounced)], 3).await;
    town.pool.set_faults(Faults { seed: 7, throttled: 0.15, internal: 0.15, dropped: 0.15, ..Faults::default() });
    let deliveries = (1..=USERS).flat_map(|user| (0..=user % 3).map(move |at| (user, at))).map(|(user, at)| {
        let lambda = if (user + at) % 2 == 0 { &direct } else { &pooled };
        let event = town.event(user, json!({})).to_string();
        async move { drop(lambda.invoke(&event).await) }
    });
    together(deliveries).await;
    let before: Vec<_> = (1..=USERS).map(|user| town.user_id(user)).collect();
    assert!(before.iter().flatten().count() > 30, "most are linked all the same");
    town.pool.set_faults(Faults::default());
    for (user, before) in (1..=USERS).zip(before) {
        direct.passes(&town.event(user, json!({}))).await;
        let id = town.assert_linked(user).await;
        assert!(before.is_none_or(|before| before == id), "user {user}");
    }
    assert_eq!(town.select("SELECT count(*)::text FROM users").await, [Some(USERS.to_string())]);
    let mut warm: Vec<f64> =
        direct.log().iter().rev().filter_map(|line| line["ms"]["total"].as_f64()).take(50).collect();
    warm.sort_by(f64::total_cmp);
    eprintln!("warm, in this build: p50 {} ms, p98 {} ms", warm[25], warm[48]);
}
