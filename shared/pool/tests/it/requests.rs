//! Requests behind a gate where they are lost, refused and answered otherwise. moto and cognito-local are the ones that
//! `tests/run` starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use userlink_domain::{PoolUser, RowId, Sub, Username};
use userlink_emulator::{Client, Emulator, PoolOptions as Served, Source};
use userlink_kit::{Fate, Gate, boto3, cognito_local_url, fates, moto_url};
use userlink_pool::{AppClients, Attribute, PoolError, PoolOptions, PoolReader, PoolWriter, Rates, Remedy, Writable};

const UPDATE: &str = "AdminUpdateUserAttributes";
const DELETE: &str = "AdminDeleteUserAttributes";

fn options(endpoint: &str, pool_id: &str) -> PoolOptions {
    PoolOptions {
        pool_id: pool_id.into(),
        region: Some("us-east-1".into()),
        aws_profile: None,
        endpoint_url: Some(endpoint.into()),
        attribute: "custom:userId".into(),
        rates: Rates { list: 100.0, read: 100.0, update: 100.0, describe: 100.0 },
        made_up_credentials: true,
    }
}

async fn reader(endpoint: &str, pool_id: &str) -> PoolReader {
    PoolReader::connect(&options(endpoint, pool_id)).await.unwrap()
}

/// A pool with Ada in it.
async fn served() -> Emulator {
    let users = vec![PoolUser::new(Sub::from_u128(1), "ada")];
    Emulator::start(Served::new(Source::Users(users))).await.unwrap()
}

fn ada() -> Username {
    Username::new("ada")
}

fn refusal(code: &str) -> String {
    json!({"__type": code, "message": "No."}).to_string()
}

/// What comes of a write whose first request has this fate, and how many requests were sent.
async fn written(fate: Fate) -> (Option<PoolError>, usize, Option<String>) {
    let pool = served().await;
    let gate = Gate::before(&pool.endpoint_url(), fates(UPDATE, [fate])).await;
    let writer = PoolWriter::new(reader(&gate.url, pool.pool_id()).await);
    let error = writer.write_user_id(writer.turn().await, &ada(), &RowId::BigInt(7)).await.err();
    let there = pool.user("ada").unwrap().user_id.map(String::from);
    (error, gate.count(UPDATE), there)
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_becomes_of_it() {
    let (error, sent, there) = written(Fate::Pass).await;
    assert_eq!((error, sent, there.as_deref()), (None, 1, Some("7")));

    let failed = Fate::Answer(500, refusal("InternalErrorException"));
    for (fate, value) in [(Fate::Lost, None), (Fate::AnswerLost, Some("7")), (failed, None)] {
        let (error, sent, there) = written(fate.clone()).await;
        assert!(error.unwrap().may_have_been_done(), "{fate:?}");
        assert_eq!((sent, there.as_deref()), (1, value), "{fate:?}");
    }
    for (code, remedy) in [
        ("TooManyRequestsException", Remedy::Throttled),
        ("AccessDeniedException", Remedy::NotPermitted),
        ("UserNotFoundException", Remedy::UserMissing),
    ] {
        let (error, sent, there) = written(Fate::Answer(400, refusal(code))).await;
        let error = error.unwrap();
        assert_eq!((error.remedy(), error.may_have_been_done()), (remedy, false));
        assert_eq!((sent, there), (1, None), "{code}");
    }
}

#[tokio::test]
async fn clearing_is_sent_once_too() {
    let pool = served().await;
    let gate = Gate::before(&pool.endpoint_url(), fates(DELETE, [Fate::Lost])).await;
    let writer = PoolWriter::new(reader(&gate.url, pool.pool_id()).await);
    assert!(writer.clear_user_id(writer.turn().await, &ada()).await.unwrap_err().may_have_been_done());
    assert_eq!(gate.count(DELETE), 1);
}

#[tokio::test]
async fn a_read_is_made_again_until_it_is_answered() {
    let pool = served().await;
    let failing = [Fate::Lost, Fate::AnswerLost, Fate::Answer(400, refusal("TooManyRequestsException"))];
    let gate = Gate::before(&pool.endpoint_url(), fates("AdminGetUser", failing)).await;
    let writer = PoolWriter::new(reader(&gate.url, pool.pool_id()).await);
    assert_eq!(writer.current(&ada()).await.unwrap().sub, Sub::from_u128(1));
    assert_eq!(gate.count("AdminGetUser"), 4);
}

#[tokio::test]
async fn an_id_that_would_delete_the_attribute_is_never_sent() {
    let pool = served().await;
    let writer = PoolWriter::new(reader(&pool.endpoint_url(), pool.pool_id()).await);
    for id in [" ".to_owned(), "x".repeat(2049)] {
        let error = writer.write_user_id(writer.turn().await, &ada(), &RowId::Text(id.into())).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::IdUnusable);
    }
    assert_eq!(pool.stats().requests.get(UPDATE), None);
}

/// cognito-local refuses a write to an unknown user as it would refuse anybody who may not write: only the read tells.
#[tokio::test]
async fn an_unknown_user_is_missing_on_every_pool() {
    let emulator = served().await;
    let moto = boto3(&json!({"do": "make", "endpoint": moto_url(), "users": []}));
    let local = boto3(&json!({"do": "make", "endpoint": cognito_local_url(), "users": []}));
    let (moto, local) = (moto["pool_id"].as_str().unwrap(), local["pool_id"].as_str().unwrap());
    for (endpoint, pool_id) in
        [(emulator.endpoint_url(), emulator.pool_id()), (moto_url(), moto), (cognito_local_url(), local)]
    {
        let writer = PoolWriter::new(reader(&endpoint, pool_id).await);
        let bob = Username::new("bob");
        assert_eq!(writer.current(&bob).await.unwrap_err().remedy(), Remedy::UserMissing, "{endpoint}");
        let refused = writer.write_user_id(writer.turn().await, &bob, &RowId::BigInt(7)).await.unwrap_err();
        let remedy = if endpoint == cognito_local_url() { Remedy::NotPermitted } else { Remedy::UserMissing };
        assert_eq!((refused.remedy(), refused.may_have_been_done()), (remedy, false), "{endpoint}");
    }
}

#[tokio::test]
async fn what_the_pool_says_of_itself() {
    let made = boto3(&json!({"do": "make", "endpoint": moto_url(), "users": []}));
    let described = reader(&moto_url(), made["pool_id"].as_str().unwrap()).await.describe().await.unwrap();
    assert_eq!((described.account.as_deref(), described.attribute), (Some("123456789012"), Attribute::Mutable));
    let pool = served().await;
    let elsewhere = PoolOptions { attribute: "custom:other".into(), ..options(&pool.endpoint_url(), pool.pool_id()) };
    let described = PoolReader::connect(&elsewhere).await.unwrap().describe().await.unwrap();
    assert_eq!(described.attribute, Attribute::Missing);
    assert!(described.self_sign_up && !described.post_confirmation);
    let source = Source::Users(Vec::new());
    let arn = Some("arn:aws:lambda:eu-west-1:123456789012:function:tie".to_owned());
    let closed = Served { self_sign_up: false, post_confirmation: arn, ..Served::new(source) };
    let pool = Emulator::start(closed).await.unwrap();
    let described = reader(&pool.endpoint_url(), pool.pool_id()).await.describe().await.unwrap();
    assert!(!described.self_sign_up && described.post_confirmation);
}

#[tokio::test]
async fn how_long_tokens_are_good_is_said_by_each_client_or_is_as_usual() {
    let clients = vec![Client { id_token_minutes: Some(5), ..Client::new("web") }, Client::new("mobile")];
    let pool = Emulator::start(Served { clients, ..Served::new(Source::Users(Vec::new())) }).await.unwrap();
    let AppClients::Known(found) = reader(&pool.endpoint_url(), pool.pool_id()).await.app_clients().await.unwrap()
    else {
        panic!("they can be seen")
    };
    let lives = found.iter().map(|it| (it.name.as_str(), it.id_token.as_secs(), it.refresh_token.as_secs()));
    let month = 30 * 86_400;
    assert_eq!(lives.collect::<Vec<_>>(), [("web", 300, month), ("mobile", 3_600, month)]);
}

#[tokio::test]
async fn the_budget_tells_of_every_category() {
    let pool = served().await;
    let gate = Gate::before(
        &pool.endpoint_url(),
        fates("ListUsers", [Fate::Answer(400, refusal("TooManyRequestsException"))]),
    )
    .await;
    let reader = reader(&gate.url, pool.pool_id()).await;
    reader.describe().await.unwrap();
    reader.by_sub(Sub::from_u128(1)).await.unwrap();
    let used = reader.used().map(|it| (it.category, it.made, it.refused));
    assert_eq!(used, [("UserList", 2, 1), ("UserRead", 0, 0), ("UserUpdate", 0, 0), ("UserPoolRead", 1, 0)]);
    let [list, ..] = reader.used();
    assert!(list.rate < list.full && list.full > list.quota, "it was refused, and slows down");
}

/// What is found out about the app clients `a`, `b` and `c` where asking for each of them has this answer.
async fn writable(answers: [Fate; 3]) -> Result<Writable, PoolError> {
    let (_pool, _gate, reader) = of_clients(answers).await;
    reader.writable().await
}

/// A reader of a pool with the app clients `a`, `b` and `c`, where asking for each of them has this answer.
async fn of_clients(answers: [Fate; 3]) -> (Emulator, Gate, PoolReader) {
    let pool = served().await;
    let mut answers = answers.into_iter();
    let rule = move |operation: &str| match operation {
        "ListUserPoolClients" => {
            let listed = ["a", "b", "c"].map(|name| json!({"ClientId": name, "ClientName": name}));
            Fate::Answer(200, json!({"UserPoolClients": listed}).to_string())
        }
        "DescribeUserPoolClient" => answers.next().unwrap_or(Fate::Pass),
        _ => Fate::Pass,
    };
    let gate = Gate::before(&pool.endpoint_url(), rule).await;
    let reader = reader(&gate.url, pool.pool_id()).await;
    (pool, gate, reader)
}

fn client(writes: &[&str]) -> Fate {
    Fate::Answer(200, json!({"UserPoolClient": {"WriteAttributes": writes}}).to_string())
}

#[tokio::test]
async fn an_app_client_that_was_deleted_meanwhile_lets_nobody_write() {
    let deleted = || Fate::Answer(400, refusal("ResourceNotFoundException"));
    let found = writable([client(&["email"]), deleted(), client(&["custom:userId"])]).await.unwrap();
    assert_eq!(found, Writable::By(vec!["c".into()]));
    assert_eq!(writable([deleted(), deleted(), deleted()]).await.unwrap(), Writable::No);
}

#[tokio::test]
async fn why_the_app_clients_are_unknown_is_said() {
    let denied = || Fate::Answer(400, refusal("AccessDeniedException"));
    assert_eq!(
        writable([client(&[]), denied(), denied()]).await.unwrap(),
        Writable::Unknown(Remedy::NotPermitted),
        "what was seen before it was refused is not half an answer"
    );
}

/// For how long tokens carry what they carry: the longest of any client, and an hour where a client says nothing.
#[tokio::test]
async fn how_long_tokens_last_is_told_by_the_app_clients() {
    let says = |fields: &str| Fate::Answer(200, format!("{{\"UserPoolClient\":{{\"ClientName\":\"c\"{fields}}}}}"));
    let ask = async |answers: [Fate; 3]| {
        let (_pool, _gate, reader) = of_clients(answers).await;
        reader.token_validity().await.unwrap()
    };
    let hour = Duration::from_secs(3_600);
    assert_eq!(ask([says(""), says(""), says("")]).await, Some(hour));
    let short = ",\"AccessTokenValidity\":5,\"IdTokenValidity\":10,\
                 \"TokenValidityUnits\":{\"AccessToken\":\"minutes\",\"IdToken\":\"minutes\"}";
    let long = ",\"IdTokenValidity\":1,\"TokenValidityUnits\":{\"IdToken\":\"days\"}";
    assert_eq!(
        ask([says(short), says(short), says(short)]).await,
        Some(Duration::from_secs(600)),
        "shorter than an hour"
    );
    assert_eq!(ask([says(short), says(long), says("")]).await, Some(24 * hour));
    let denied = || Fate::Answer(400, refusal("AccessDeniedException"));
    assert_eq!(ask([says(short), denied(), denied()]).await, None, "unknown where it is not permitted");
}

#[tokio::test]
async fn app_clients_are_looked_at_five_a_second() {
    let clients = (0..11).map(|number| Client::new(format!("client-{number}"))).collect();
    let pool = Emulator::start(Served { clients, ..Served::new(Source::Users(Vec::new())) }).await.unwrap();
    let asked = PoolOptions { rates: Rates::default(), ..options(&pool.endpoint_url(), pool.pool_id()) };
    let reader = PoolReader::connect(&asked).await.unwrap();
    let began = Instant::now();
    reader.writable().await.unwrap();
    let [.., described] = reader.used();
    assert_eq!((described.category, described.made), ("UserPoolRead", 12), "the list, and each of them");
    // A timer counts whole milliseconds.
    assert!(began.elapsed() >= Duration::from_millis(11 * 200 - 12), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_mistyped_profile_is_named() {
    let profile = Some("no-such-profile-of-userlink".to_owned());
    let asked =
        PoolOptions { aws_profile: profile, made_up_credentials: false, ..options("http://127.0.0.1:9", "x_y") };
    let error = PoolReader::connect(&asked).await.unwrap_err();
    assert!(error.is_settings());
    assert!(error.to_string().starts_with("There is no AWS profile no-such-profile-of-userlink."), "{error}");
}

/// After a refusal the next write waits for its turn, and what is read is read after that.
#[tokio::test]
async fn a_refused_write_slows_the_next_one() {
    let pool = served().await;
    let refused = Arc::new(AtomicUsize::new(0));
    let count = refused.clone();
    let gate = Gate::before(&pool.endpoint_url(), move |operation| {
        if operation != UPDATE {
            return Fate::Pass;
        }
        count.fetch_add(1, Ordering::SeqCst);
        Fate::Answer(400, refusal("TooManyRequestsException"))
    })
    .await;
    let slow = PoolOptions { rates: Rates { update: 2.0, ..Rates::default() }, ..options(&gate.url, pool.pool_id()) };
    let writer = PoolWriter::new(PoolReader::connect(&slow).await.unwrap());
    let began = std::time::Instant::now();
    for _ in 0..2 {
        let error = writer.write_user_id(writer.turn().await, &ada(), &RowId::BigInt(7)).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::Throttled);
    }
    // The first at once, the second half a second later, the third a whole one after that.
    drop(writer.turn().await);
    assert!(began.elapsed().as_millis() >= 1_000, "{:?}", began.elapsed());
    assert_eq!(refused.load(Ordering::SeqCst), 2);
}
