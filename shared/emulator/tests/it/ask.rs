//! A client of our own: one request a connection, nothing retried.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use userlink_domain::{PoolUser, Sub};
use userlink_emulator::{Emulator, PoolOptions, Source};

/// Asks the pool. A refusal is the name of its exception.
pub(crate) async fn ask(emulator: &Emulator, operation: &str, mut input: Value) -> Result<Value, String> {
    if input["UserPoolId"].is_null() {
        input["UserPoolId"] = json!(emulator.pool_id());
    }
    let (body, url) = (input.to_string(), emulator.endpoint_url());
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let mut request = String::new();
    write!(
        request,
        "POST / HTTP/1.1\r\nHost: pool\r\nConnection: close\r\nContent-Length: {}\r\n\
         X-Amz-Target: AWSCognitoIdentityProviderService.{operation}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    if head.starts_with("HTTP/1.1 200") { Ok(body) } else { Err(body["__type"].as_str().unwrap().to_owned()) }
}

/// Number so-and-so of some people.
pub(crate) fn person(n: u128) -> PoolUser {
    let sub = Sub::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 | n);
    let mut user = PoolUser::new(sub, sub.to_string());
    user.email = Some(format!("person{n}@example.org").into());
    user
}

/// Options of a pool that holds the first so many people.
pub(crate) fn people(count: u128) -> PoolOptions {
    PoolOptions::new(Source::Users((0..count).map(person).collect()))
}

/// All subs that a listing gives, page after page, and how many requests it took.
pub(crate) async fn listed(emulator: &Emulator, input: Value) -> (Vec<String>, usize) {
    let (mut subs, mut requests, mut input) = (Vec::new(), 0, input);
    loop {
        let page = ask(emulator, "ListUsers", input.clone()).await.unwrap();
        requests += 1;
        subs.extend(
            page["Users"].as_array().unwrap().iter().map(|user| attribute(&user["Attributes"], "sub").unwrap()),
        );
        if page["PaginationToken"].is_null() {
            return (subs, requests);
        }
        input["PaginationToken"] = page["PaginationToken"].clone();
    }
}

/// One of a list of attributes.
pub(crate) fn attribute(list: &Value, name: &str) -> Option<String> {
    let pair = list.as_array()?.iter().find(|pair| pair["Name"] == name)?;
    pair["Value"].as_str().map(str::to_owned)
}
