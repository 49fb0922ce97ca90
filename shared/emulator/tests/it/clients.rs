//! What an audit of the app clients finds.

use serde_json::{Value, json};
use userlink_emulator::{Client, Emulator, PoolOptions};

use crate::ask::{ask, people};

async fn with_clients(clients: Vec<Client>) -> Emulator {
    Emulator::start(PoolOptions { clients, ..people(0) }).await.unwrap()
}

async fn described(emulator: &Emulator, id: &Value) -> Value {
    ask(emulator, "DescribeUserPoolClient", json!({"ClientId": id})).await.unwrap()["UserPoolClient"].clone()
}

#[tokio::test]
async fn a_client_says_what_it_may_write_only_where_that_was_set() {
    let listing = Client { write_attributes: Some(vec!["email".into(), "custom:userId".into()]), ..Client::new("web") };
    let emulator = with_clients(vec![listing, Client::new("mobile")]).await;
    let page = ask(&emulator, "ListUserPoolClients", json!({"MaxResults": 60})).await.unwrap();
    let clients = page["UserPoolClients"].as_array().unwrap();
    assert_eq!([&clients[0]["ClientName"], &clients[1]["ClientName"]], ["web", "mobile"]);
    assert!(clients[0]["WriteAttributes"].is_null(), "only a description says it");
    let web = described(&emulator, &clients[0]["ClientId"]).await;
    assert_eq!(web["WriteAttributes"], json!(["email", "custom:userId"]));
    assert!(web.get("ClientSecret").is_none());
    assert!(described(&emulator, &clients[1]["ClientId"]).await.get("WriteAttributes").is_none());
}

#[tokio::test]
async fn whoever_may_look_at_a_client_sees_its_secret() {
    let emulator = with_clients(Vec::new()).await;
    let asked = json!({"ClientName": "server", "GenerateSecret": true, "WriteAttributes": ["email"]});
    let made = ask(&emulator, "CreateUserPoolClient", asked).await.unwrap()["UserPoolClient"].clone();
    assert_eq!(made["ClientSecret"].as_str().unwrap().len(), 52);
    assert_eq!(described(&emulator, &made["ClientId"]).await, made);
}

#[tokio::test]
async fn what_is_not_in_the_schema_cannot_be_written_by_a_client() {
    let emulator = with_clients(Vec::new()).await;
    let asked = json!({"ClientName": "web", "WriteAttributes": ["custom:other"]});
    let refused = ask(&emulator, "CreateUserPoolClient", asked).await;
    assert_eq!(refused.unwrap_err(), "InvalidParameterException");
}

#[tokio::test]
async fn a_client_that_is_not_there_is_not_found() {
    let emulator = with_clients(Vec::new()).await;
    let refused = ask(&emulator, "DescribeUserPoolClient", json!({"ClientId": "nobody"})).await;
    assert_eq!(refused.unwrap_err(), "ResourceNotFoundException");
}

#[tokio::test]
async fn clients_come_in_pages_of_sixty_at_most() {
    let emulator = with_clients((0..65).map(|n| Client::new(format!("client {n}"))).collect()).await;
    for wrong in [0, 61] {
        let refused = ask(&emulator, "ListUserPoolClients", json!({"MaxResults": wrong})).await;
        assert_eq!(refused.unwrap_err(), "InvalidParameterException");
    }
    let first = ask(&emulator, "ListUserPoolClients", json!({"MaxResults": 60})).await.unwrap();
    let asked = json!({"MaxResults": 60, "NextToken": first["NextToken"]});
    let last = ask(&emulator, "ListUserPoolClients", asked).await.unwrap();
    assert_eq!(first["UserPoolClients"].as_array().unwrap().len(), 60);
    assert_eq!(last["UserPoolClients"].as_array().unwrap().len(), 5);
    assert!(last.get("NextToken").is_none());
    let refused = ask(&emulator, "ListUserPoolClients", json!({"NextToken": "made-up"})).await;
    assert_eq!(refused.unwrap_err(), "InvalidParameterException");
}
