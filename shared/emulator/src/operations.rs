//! The operations: a request in, an answer or a refusal out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use userlink_domain::Timestamp;
use uuid::Uuid;

use crate::filter::Filter;
use crate::refusal::Refusal;
use crate::store::{Custom, Store, Stored};

/// How long a listing's token is good.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// Characters of an attribute's value at most.
const LONGEST_VALUE: usize = 2048;
/// The attributes of OpenID Connect that every pool has.
const STANDARD: [&str; 19] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
];

/// One pool.
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) store: Store,
    /// On which the age of tokens is counted.
    pub(crate) started: Instant,
    pub(crate) time_scale: f64,
    /// Pages after which a token is refused, once.
    pub(crate) token_expires_after: Option<u64>,
    pub(crate) pages: u64,
}

impl Pool {
    /// Seconds on the pool's own clock.
    fn seconds(&self) -> u64 {
        (self.started.elapsed().as_secs_f64() * self.time_scale) as u64
    }

    /// Carries out an operation. `page_size` says how many of the users that a page could hold it may.
    pub(crate) fn serve(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
        page_size: impl Fn(usize) -> usize,
    ) -> Result<Value, Refusal> {
        match operation {
            "DescribeUserPool" => Ok(self.describe()),
            "ListUsers" => self.list(input, page_size),
            "AdminGetUser" => self.get(input),
            "AdminUpdateUserAttributes" => self.update(input, now),
            "AdminDeleteUserAttributes" => self.delete_attributes(input, now),
            "AdminCreateUser" => self.create(input, now),
            "AdminSetUserPassword" => {
                let status = if input["Permanent"] == true { "CONFIRMED" } else { "FORCE_CHANGE_PASSWORD" };
                self.change(input, now, |user| user.status = status.to_owned())
            }
            "AdminConfirmSignUp" => self.change(input, now, |user| user.status = "CONFIRMED".to_owned()),
            "AdminDisableUser" => self.change(input, now, |user| user.enabled = false),
            "AdminEnableUser" => self.change(input, now, |user| user.enabled = true),
            "AdminUserGlobalSignOut" => self.change(input, now, |_| ()),
            "ListUserPoolClients" => Ok(json!({"UserPoolClients": []})),
            other => Err(Refusal::new("UnknownOperationException", format!("{other} is not served here."))),
        }
    }

    fn describe(&self) -> Value {
        let standard = STANDARD.iter().map(|name| {
            json!({"Name": name, "AttributeDataType": "String",
            "Mutable": *name != "sub", "Required": *name == "sub"})
        });
        let custom = self.store.schema.iter().map(|attribute| {
            json!({"Name": attribute.name,
            "AttributeDataType": "String", "Mutable": attribute.mutable, "Required": false})
        });
        json!({"UserPool": {
            "Id": self.id, "Name": self.name, "EstimatedNumberOfUsers": self.store.len(),
            "SchemaAttributes": standard.chain(custom).collect::<Vec<_>>(),
            "UsernameAttributes": if self.store.email_sign_in { json!(["email"]) } else { json!([]) },
        }})
    }

    fn list(&mut self, input: &Value, page_size: impl Fn(usize) -> usize) -> Result<Value, Refusal> {
        let limit = match &input["Limit"] {
            Value::Null => 60,
            limit => limit.as_u64().filter(|limit| *limit <= 60).ok_or_else(|| {
                Refusal::parameter(
                    "1 validation error detected: Value at 'limit' failed to satisfy constraint: \
                                    Member must have value less than or equal to 60",
                )
            })?,
        };
        let limit = if limit == 0 { 60 } else { usize::try_from(limit).unwrap_or(60) };
        let text = input["Filter"].as_str().unwrap_or_default();
        let filter = Filter::parse(text)?;
        let from = match input["PaginationToken"].as_str() {
            None => 0,
            Some(token) => self.read_token(token, text)?,
        };
        self.pages += 1;
        let full = page_size(limit);
        let mut users = Vec::new();
        let mut next = None;
        let wanted = input["AttributesToGet"].as_array();
        let places: Box<dyn Iterator<Item = u64>> = match &filter {
            Some(filter) => self.store.candidates(filter),
            None => Box::new(from..self.store.len()),
        };
        for index in places.filter(|index| *index >= from) {
            let Some(user) = self.store.get(index) else { continue };
            if filter.as_ref().is_some_and(|filter| !filter.admits(&user)) {
                continue;
            }
            if users.len() >= full {
                next = Some(index);
                break;
            }
            users.push(listed(&user, wanted)?);
        }
        let mut answer = json!({"Users": users});
        if let Some(next) = next {
            answer["PaginationToken"] = json!(format!("{next}.{}.{:x}", self.seconds(), fingerprint(text)));
        }
        Ok(answer)
    }

    fn read_token(&mut self, token: &str, filter: &str) -> Result<u64, Refusal> {
        let invalid = || Refusal::parameter("Invalid pagination token given.");
        if self.token_expires_after.is_some_and(|after| self.pages >= after) {
            self.token_expires_after = None;
            return Err(invalid());
        }
        let mut parts = token.split('.');
        let mut part = || parts.next().ok_or_else(invalid);
        let next = part()?.parse().map_err(|_| invalid())?;
        let made: u64 = part()?.parse().map_err(|_| invalid())?;
        let of_filter = part()? == format!("{:x}", fingerprint(filter));
        let fresh = self.seconds().saturating_sub(made) < TOKEN_LIFE.as_secs();
        if of_filter && fresh { Ok(next) } else { Err(invalid()) }
    }

    fn found(&self, input: &Value) -> Result<(u64, Stored), Refusal> {
        let username = input["Username"].as_str().unwrap_or_default();
        let index = self.store.find(username).ok_or_else(Refusal::no_user)?;
        Ok((index, self.store.get(index).ok_or_else(Refusal::no_user)?))
    }

    fn get(&self, input: &Value) -> Result<Value, Refusal> {
        let (_, user) = self.found(input)?;
        Ok(json!({
            "Username": user.username, "UserStatus": user.status, "Enabled": user.enabled,
            "UserCreateDate": seconds(user.created), "UserLastModifiedDate": seconds(user.modified),
            "UserAttributes": attributes(&user, None)?,
        }))
    }

    fn change(&mut self, input: &Value, now: Timestamp, what: impl FnOnce(&mut Stored)) -> Result<Value, Refusal> {
        let (index, mut user) = self.found(input)?;
        what(&mut user);
        user.modified = now;
        self.store.put(index, user);
        Ok(json!({}))
    }

    /// Whether the attribute may be set to this, on a user that is there (`changing`) or that is being made.
    fn check(&self, name: &str, value: &str, changing: bool) -> Result<(), Refusal> {
        let custom = self.store.schema.iter().find(|attribute| attribute.name == name);
        if custom.is_none() && !STANDARD.contains(&name) {
            return Err(Refusal::parameter(format!("user.{name}: Attribute does not exist in the schema.")));
        }
        if changing && (name == "sub" || custom.is_some_and(|attribute| !attribute.mutable)) {
            return Err(Refusal::parameter(format!("user.{name}: Attribute cannot be updated, as it is not mutable.")));
        }
        if value.chars().count() > LONGEST_VALUE {
            return Err(Refusal::parameter(format!(
                "user.{name}: String must be no longer than {LONGEST_VALUE} characters"
            )));
        }
        Ok(())
    }

    fn update(&mut self, input: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let (index, mut user) = self.found(input)?;
        for (name, value) in pairs(&input["UserAttributes"]) {
            self.check(name, value, true)?;
            if value.trim().is_empty() {
                user.attributes.remove(name);
            } else {
                user.attributes.insert(name.to_owned(), value.to_owned());
            }
        }
        user.modified = now;
        self.store.put(index, user);
        Ok(json!({}))
    }

    fn delete_attributes(&mut self, input: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let (index, mut user) = self.found(input)?;
        for name in input["UserAttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.check(name, "", true)?;
            user.attributes.remove(name);
        }
        user.modified = now;
        self.store.put(index, user);
        Ok(json!({}))
    }

    fn create(&mut self, input: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let given = input["Username"].as_str().filter(|name| !name.is_empty());
        let given = given.ok_or_else(|| Refusal::parameter("Username should be given."))?;
        if self.store.find(given).is_some() {
            return Err(Refusal::new("UsernameExistsException", "User account already exists"));
        }
        let sub = Uuid::new_v4().to_string();
        let mut user = Stored {
            username: if self.store.email_sign_in { sub.clone() } else { given.to_owned() },
            attributes: [("sub".to_owned(), sub)].into(),
            status: "FORCE_CHANGE_PASSWORD".into(),
            enabled: true,
            created: now,
            modified: now,
        };
        if self.store.email_sign_in {
            user.attributes.insert("email".into(), given.to_owned());
        }
        for (name, value) in pairs(&input["UserAttributes"]) {
            self.check(name, value, false)?;
            user.attributes.insert(name.to_owned(), value.to_owned());
        }
        let answer = json!({"User": listed(&user, None)?});
        self.store.add(user);
        Ok(answer)
    }
}

/// The schema that a new pool is asked to have.
pub(crate) fn schema(input: &Value) -> Vec<Custom> {
    let asked = input["Schema"].as_array().into_iter().flatten();
    asked
        .filter_map(|attribute| {
            let name = attribute["Name"].as_str().filter(|name| !STANDARD.contains(name))?;
            Some(Custom { name: format!("custom:{name}"), mutable: attribute["Mutable"] != false })
        })
        .collect()
}

fn pairs(list: &Value) -> impl Iterator<Item = (&str, &str)> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair["Name"].as_str()?, pair["Value"].as_str().unwrap_or_default())))
}

fn listed(user: &Stored, wanted: Option<&Vec<Value>>) -> Result<Value, Refusal> {
    Ok(json!({
        "Username": user.username, "UserStatus": user.status, "Enabled": user.enabled,
        "UserCreateDate": seconds(user.created), "UserLastModifiedDate": seconds(user.modified),
        "Attributes": attributes(user, wanted)?,
    }))
}

/// All attributes, or those that are wanted: a user who lacks one of them makes the request fail.
fn attributes(user: &Stored, wanted: Option<&Vec<Value>>) -> Result<Value, Refusal> {
    let pair = |name: &str, value: &str| json!({"Name": name, "Value": value});
    match wanted {
        None => Ok(user.attributes.iter().map(|(name, value)| pair(name, value)).collect()),
        Some(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(|name| match user.attributes.get(name) {
                Some(value) => Ok(pair(name, value)),
                None => Err(Refusal::parameter("One or more requested attributes do not exist.")),
            })
            .collect(),
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millis() as f64 / 1000.0
}

/// Binds a token to its filter.
fn fingerprint(filter: &str) -> u64 {
    filter.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
