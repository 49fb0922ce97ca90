//! ListUsers is behind, AdminGetUser is not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use userlink_emulator::{Emulator, Faults, PoolOptions};

use crate::ask::{ask, attribute, listed, people, person};

/// An hour on the pool's clock, two seconds on the test's.
const HOUR: Duration = Duration::from_secs(3600);

async fn lagging() -> Emulator {
    let faults = Faults { list_lag: HOUR, ..Faults::default() };
    Emulator::start(PoolOptions { faults, time_scale: 1_800.0, ..people(2) }).await.unwrap()
}

/// Asks until the listing says this; how long that took in all is another question.
async fn until<T: PartialEq>(wanted: T, listed: impl AsyncFn() -> T) {
    let patience = Instant::now() + Duration::from_secs(30);
    while listed().await != wanted {
        assert!(Instant::now() < patience, "it is never listed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn write(user_id: &str) -> Value {
    json!({"Username": person(0).username.as_str(), "UserAttributes": [{"Name": "custom:userId", "Value": user_id}]})
}

/// What ListUsers, asked for this one user, and AdminGetUser say of the attribute.
async fn both(emulator: &Emulator) -> (Option<String>, Option<String>) {
    let filter = format!("sub = \"{}\"", person(0).sub);
    let page = ask(emulator, "ListUsers", json!({"Filter": filter})).await.unwrap();
    let user = ask(emulator, "AdminGetUser", json!({"Username": person(0).username.as_str()})).await.unwrap();
    (attribute(&page["Users"][0]["Attributes"], "custom:userId"), attribute(&user["UserAttributes"], "custom:userId"))
}

#[tokio::test]
async fn a_write_is_read_at_once_and_listed_later() {
    let emulator = lagging().await;
    let began = Instant::now();
    ask(&emulator, "AdminUpdateUserAttributes", write("1")).await.unwrap();
    assert_eq!(both(&emulator).await, (None, Some("1".into())));
    until((Some("1".into()), Some("1".into())), async || both(&emulator).await).await;
    assert!(began.elapsed() >= Duration::from_secs(2));
    ask(&emulator, "AdminUpdateUserAttributes", write("2")).await.unwrap();
    ask(&emulator, "AdminUpdateUserAttributes", write("3")).await.unwrap();
    assert_eq!(both(&emulator).await, (Some("1".into()), Some("3".into())));
    until((Some("3".into()), Some("3".into())), async || both(&emulator).await).await;
}

#[tokio::test]
async fn who_was_made_or_deleted_is_so_in_a_listing_later() {
    let emulator = lagging().await;
    assert!(emulator.add_user(&person(7)));
    assert!(emulator.delete_user(person(1).username.as_str()));
    let before = [0, 1].map(|n| person(n).sub.to_string());
    assert_eq!(listed(&emulator, json!({})).await.0, before);
    assert!(ask(&emulator, "AdminGetUser", json!({"Username": person(7).username.as_str()})).await.is_ok());
    let gone = ask(&emulator, "AdminGetUser", json!({"Username": person(1).username.as_str()})).await;
    assert_eq!(gone.unwrap_err(), "UserNotFoundException");
    let after = [0, 7].map(|n| person(n).sub.to_string()).to_vec();
    until(after, async || listed(&emulator, json!({})).await.0).await;
}

#[tokio::test]
async fn a_lag_that_begins_later_hides_nothing_that_was_listed() {
    let emulator = Emulator::start(people(1)).await.unwrap();
    ask(&emulator, "AdminUpdateUserAttributes", write("1")).await.unwrap();
    emulator.set_faults(Faults { list_lag: HOUR, ..Faults::default() });
    assert_eq!(both(&emulator).await.0, Some("1".into()));
    ask(&emulator, "AdminUpdateUserAttributes", write("2")).await.unwrap();
    assert_eq!(both(&emulator).await.0, Some("1".into()));
    emulator.set_faults(Faults::default());
    assert_eq!(both(&emulator).await.0, Some("2".into()));
}
