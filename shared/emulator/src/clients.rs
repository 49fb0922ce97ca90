//! The pool's app clients: which attributes each lets its users read and write.
//!
//! Only the record is kept here. Nobody signs up or in at this pool, so nothing is ever read or written through a client.

use serde_json::{Value, json};
use userlink_domain::Timestamp;
use uuid::Uuid;

use crate::operations::{Asked, Pool, seconds};
use crate::permutation::mix;
use crate::refusal::Refusal;
use crate::schema::Schema;

/// App clients of a page at most (API reference, ListUserPoolClients, `MaxResults`).
const PAGE: u64 = 60;

/// An app client that the pool has from the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub name: String,
    /// What its users may read; `None` where that was never said.
    pub read_attributes: Option<Vec<String>>,
    /// What its users may write; `None` where that was never said, and then DescribeUserPoolClient does not say it, either.
    pub write_attributes: Option<Vec<String>>,
    /// Whether it has a secret, which DescribeUserPoolClient then gives to whoever asks.
    pub has_secret: bool,
    /// How long an ID token is good, in minutes; `None` where that was never said, and then it is an hour.
    pub id_token_minutes: Option<u64>,
}

impl Client {
    /// A client of this name, of which nothing else was said.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// A client with what the pool gave it.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    id: String,
    secret: Option<String>,
    created: Timestamp,
    client: Client,
}

impl Registered {
    /// The client number so many of a pool's beginning; it has the same id every time.
    pub(crate) fn first(number: u64, client: Client, created: Timestamp) -> Self {
        let part = |salt: u64| u128::from(mix(number ^ salt << 32));
        Self::new(part(1) << 64 | part(2), part(3) << 64 | part(4), client, created)
    }

    fn new(id: u128, secret: u128, client: Client, created: Timestamp) -> Self {
        Self { id: letters(id), secret: client.has_secret.then(|| letters(secret).repeat(2)), created, client }
    }

    fn describe(&self, pool_id: &str) -> Value {
        let mut described = json!({
            "UserPoolId": pool_id, "ClientId": self.id, "ClientName": self.client.name,
            "CreationDate": seconds(self.created), "LastModifiedDate": seconds(self.created),
            "RefreshTokenValidity": 30, "AllowedOAuthFlowsUserPoolClient": false, "EnableTokenRevocation": true,
        });
        let lists =
            [("ReadAttributes", &self.client.read_attributes), ("WriteAttributes", &self.client.write_attributes)];
        for (name, list) in lists {
            if let Some(list) = list {
                described[name] = json!(list);
            }
        }
        if let Some(minutes) = self.client.id_token_minutes {
            described["IdTokenValidity"] = json!(minutes);
            described["TokenValidityUnits"] = json!({"IdToken": "minutes"});
        }
        if let Some(secret) = &self.secret {
            described["ClientSecret"] = json!(secret);
        }
        described
    }
}

impl Pool {
    pub(crate) fn create_client(&mut self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let input = asked.input;
        let name = input["ClientName"].as_str().unwrap_or_default();
        let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_+=,.@-".contains(c);
        if name.is_empty() || name.chars().count() > 128 || !name.chars().all(fits) {
            return Err(Refusal::parameter("The name of a client has 1 to 128 letters, digits, spaces and _+=,.@-."));
        }
        let client = Client {
            name: name.to_owned(),
            read_attributes: attributes(&input["ReadAttributes"], "read", &self.schema)?,
            write_attributes: attributes(&input["WriteAttributes"], "write", &self.schema)?,
            has_secret: input["GenerateSecret"] == true,
            id_token_minutes: id_token_minutes(input)?,
        };
        let (id, secret) = (Uuid::new_v4().as_u128(), Uuid::new_v4().as_u128());
        let client = Registered::new(id, secret, client, asked.at.date);
        let answer = json!({"UserPoolClient": client.describe(&self.id)});
        self.clients.push(client);
        Ok(answer)
    }

    pub(crate) fn list_clients(&self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let most = match &asked.input["MaxResults"] {
            Value::Null => PAGE,
            most => most
                .as_u64()
                .filter(|most| (1..=PAGE).contains(most))
                .ok_or_else(|| Refusal::too_large("maxResults", PAGE))?,
        };
        let invalid = || Refusal::parameter("Invalid pagination token given.");
        let from = match asked.input["NextToken"].as_str() {
            None => 0,
            Some(token) => {
                let place = token.strip_prefix("client.").and_then(|place| place.parse().ok());
                place.filter(|place| *place < self.clients.len()).ok_or_else(invalid)?
            }
        };
        let end = self.clients.len().min(from + usize::try_from(most).unwrap_or_default());
        let page = self.clients[from..end]
            .iter()
            .map(|client| json!({"ClientId": client.id, "UserPoolId": self.id, "ClientName": client.client.name}));
        let mut answer = json!({"UserPoolClients": page.collect::<Vec<_>>()});
        if end < self.clients.len() {
            answer["NextToken"] = json!(format!("client.{end}"));
        }
        Ok(answer)
    }

    pub(crate) fn describe_client(&self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let id = asked.input["ClientId"].as_str().unwrap_or_default();
        let missing = || Refusal::missing(format!("User pool client {id} does not exist."));
        let client = self.clients.iter().find(|client| client.id == id).ok_or_else(missing)?;
        Ok(json!({"UserPoolClient": client.describe(&self.id)}))
    }
}

/// How long an ID token is to be good: five minutes to a day (API reference, CreateUserPoolClient, `IdTokenValidity`).
fn id_token_minutes(input: &Value) -> Result<Option<u64>, Refusal> {
    let Some(validity) = input["IdTokenValidity"].as_u64() else { return Ok(None) };
    let minutes = match input["TokenValidityUnits"]["IdToken"].as_str().unwrap_or("hours") {
        "seconds" => validity / 60,
        "minutes" => validity,
        "hours" => validity * 60,
        _ => validity * 24 * 60,
    };
    let refused = || Refusal::parameter("Invalid range for token validity.");
    if (5..=24 * 60).contains(&minutes) { Ok(Some(minutes)) } else { Err(refused()) }
}

/// A list of attributes that the schema has to know.
fn attributes(list: &Value, what: &str, schema: &Schema) -> Result<Option<Vec<String>>, Refusal> {
    let Some(list) = list.as_array() else { return Ok(None) };
    let names: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if names.iter().any(|name| !schema.knows(name)) {
        return Err(Refusal::parameter(format!("Invalid {what} attributes specified while creating a client")));
    }
    Ok(Some(names))
}

/// A number as the pool writes its ids: 26 small letters and digits.
fn letters(mut number: u128) -> String {
    let mut text = String::new();
    for _ in 0..26 {
        text.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
    }
    text
}
