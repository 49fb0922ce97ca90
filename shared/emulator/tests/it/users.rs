//! Who is there: made, changed and deleted, by a request and behind everybody's back.

use std::sync::Arc;

use serde_json::{Value, json};
use userlink_domain::{Timestamp, UserStatus};
use userlink_emulator::{Emulator, PoolOptions, Source, World};

use crate::ask::{ask, attribute, listed, people, person};

/// A million users, of whom few have been made yet.
async fn million() -> (Emulator, Arc<World>) {
    let world = Arc::new(World::new(1_000_000, 42, Timestamp::from_millis(1_795_428_000_000)).unwrap());
    (Emulator::start(PoolOptions::new(Source::World(world.clone()))).await.unwrap(), world)
}

async fn count(emulator: &Emulator) -> Value {
    ask(emulator, "DescribeUserPool", json!({})).await.unwrap()["UserPool"]["EstimatedNumberOfUsers"].clone()
}

#[tokio::test]
async fn a_deleted_user_is_gone_from_everywhere() {
    let emulator = Emulator::start(people(3)).await.unwrap();
    let asked = json!({"Username": person(1).username.as_str()});
    ask(&emulator, "AdminDeleteUser", asked.clone()).await.unwrap();
    for operation in ["AdminGetUser", "AdminDeleteUser", "AdminUpdateUserAttributes", "AdminUserGlobalSignOut"] {
        assert_eq!(ask(&emulator, operation, asked.clone()).await.unwrap_err(), "UserNotFoundException", "{operation}");
    }
    assert_eq!(listed(&emulator, json!({})).await.0, [0, 2].map(|n| person(n).sub.to_string()));
    assert_eq!(count(&emulator).await, 2);
    assert_eq!(emulator.user(person(1).username.as_str()), None);
}

#[tokio::test]
async fn of_a_million_users_one_is_changed_and_one_deleted() {
    let (emulator, world) = million().await;
    let (changed, deleted) = (world.user(500_000).unwrap(), world.user(999_999).unwrap());
    assert!(emulator.change_user(changed.username.as_str(), |user| user.email = Some("new@example.org".into())));
    assert!(emulator.delete_user(deleted.username.as_str()));
    assert_eq!(count(&emulator).await, 999_999);
    for (filter, found) in [
        (r#"email = "new@example.org""#.to_owned(), 1),
        (format!("email = \"{}\"", changed.email.as_deref().unwrap()), 0),
        (format!("sub = \"{}\"", changed.sub), 1),
        (format!("sub = \"{}\"", deleted.sub), 0),
    ] {
        assert_eq!(listed(&emulator, json!({"Filter": filter})).await.0.len(), found, "{filter}");
    }
}

#[tokio::test]
async fn what_is_changed_behind_the_back_is_served() {
    let emulator = Emulator::start(people(1)).await.unwrap();
    let name = person(0).username;
    assert!(emulator.change_user(name.as_str(), |user| {
        user.user_id = Some("42".into());
        user.status = UserStatus::ResetRequired;
        user.enabled = false;
    }));
    let user = ask(&emulator, "AdminGetUser", json!({"Username": name.as_str()})).await.unwrap();
    assert_eq!(attribute(&user["UserAttributes"], "custom:userId").as_deref(), Some("42"));
    assert_eq!((&user["UserStatus"], &user["Enabled"]), (&json!("RESET_REQUIRED"), &json!(false)));
    assert!(!emulator.change_user("nobody", |_| ()) && !emulator.delete_user("nobody"));
}

#[tokio::test]
async fn somebody_recreated_has_another_sub_and_the_same_address() {
    let emulator = Emulator::start(people(1)).await.unwrap();
    assert!(!emulator.add_user(&person(0)), "there is one already");
    assert!(emulator.delete_user(person(0).username.as_str()));
    let mut again = person(9);
    again.email = person(0).email;
    assert!(emulator.add_user(&again));
    let asked = json!({"Username": "person0@example.org"});
    let user = ask(&emulator, "AdminGetUser", asked).await.unwrap();
    assert_eq!(user["Username"], again.username.as_str());
}

#[tokio::test]
async fn an_address_is_one_users_where_people_sign_in_with_it() {
    let emulator = Emulator::start(people(2)).await.unwrap();
    let taken = person(1).email.unwrap();
    let made = ask(&emulator, "AdminCreateUser", json!({"Username": taken})).await;
    assert_eq!(made.unwrap_err(), "UsernameExistsException");
    let pair = json!([{"Name": "email", "Value": taken}]);
    let made = ask(&emulator, "AdminCreateUser", json!({"Username": "new@example.org", "UserAttributes": pair})).await;
    assert_eq!(made.unwrap_err(), "AliasExistsException");
    let asked = json!({"Username": person(0).username.as_str(), "UserAttributes": pair});
    assert_eq!(ask(&emulator, "AdminUpdateUserAttributes", asked).await.unwrap_err(), "AliasExistsException");
    let own = json!({"Username": person(1).username.as_str(), "UserAttributes": pair});
    ask(&emulator, "AdminUpdateUserAttributes", own).await.unwrap();
}

#[tokio::test]
async fn an_address_may_be_several_users_where_people_sign_in_with_names() {
    let emulator = Emulator::start(PoolOptions { email_sign_in: false, ..people(1) }).await.unwrap();
    let pair = json!([{"Name": "email", "Value": person(0).email.unwrap()}]);
    ask(&emulator, "AdminCreateUser", json!({"Username": "ada", "UserAttributes": pair})).await.unwrap();
    let again = ask(&emulator, "AdminCreateUser", json!({"Username": "ada"})).await;
    assert_eq!(again.unwrap_err(), "UsernameExistsException");
    let by_address = ask(&emulator, "AdminGetUser", json!({"Username": "person0@example.org"})).await;
    assert_eq!(by_address.unwrap_err(), "UserNotFoundException");
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let emulator = Emulator::start(people(1)).await.unwrap();
    let pairs = json!([{"Name": "custom:userId", "Value": "1"}, {"Name": "address", "Value": "a".repeat(2049)}]);
    let asked = json!({"Username": person(0).username.as_str(), "UserAttributes": pairs});
    assert_eq!(ask(&emulator, "AdminUpdateUserAttributes", asked).await.unwrap_err(), "InvalidParameterException");
    assert_eq!(emulator.user(person(0).username.as_str()).unwrap().user_id, None);
}
