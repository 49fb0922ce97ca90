//! The operations: a request in, an answer or a refusal out.

use serde_json::{Value, json};
use userlink_domain::{PoolUser, Timestamp};
use uuid::Uuid;

use crate::clients::Registered;
use crate::clock::Moment;
use crate::faults::Faults;
use crate::refusal::Refusal;
use crate::schema::Schema;
use crate::store::Store;
use crate::user::Stored;

/// Characters of a username at most (API reference, AdminCreateUser, `Username`).
const LONGEST_USERNAME: usize = 128;

/// One pool.
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) schema: Schema,
    pub(crate) store: Store,
    pub(crate) clients: Vec<Registered>,
    /// Whether people can sign up by themselves.
    pub(crate) self_sign_up: bool,
    /// The function that would be called after a confirmation. Nobody confirms anything here, so that it never is.
    pub(crate) post_confirmation: Option<String>,
    /// Pages after which a token is refused, once.
    pub(crate) token_expires_after: Option<u64>,
    pub(crate) pages: u64,
}

/// A request, with what it meets.
pub(crate) struct Asked<'a> {
    pub(crate) input: &'a Value,
    pub(crate) at: Moment,
    pub(crate) faults: &'a Faults,
    /// How many requests came before it.
    pub(crate) number: u64,
}

impl Pool {
    /// Carries out an operation.
    pub(crate) fn serve(&mut self, operation: &str, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let status = |status: &'static str| move |user: &mut Stored| status.clone_into(&mut user.status);
        match operation {
            "DescribeUserPool" => Ok(self.describe()),
            "ListUsers" => self.list(asked),
            "AdminGetUser" => self.get(asked),
            "AdminUpdateUserAttributes" => self.update(asked),
            "AdminDeleteUserAttributes" => self.delete_attributes(asked),
            "AdminCreateUser" => self.create(asked),
            "AdminDeleteUser" => self.delete(asked),
            "AdminSetUserPassword" if asked.input["Permanent"] == true => self.change(asked, status("CONFIRMED")),
            "AdminSetUserPassword" => self.change(asked, status("FORCE_CHANGE_PASSWORD")),
            "AdminResetUserPassword" => self.change(asked, status("RESET_REQUIRED")),
            "AdminConfirmSignUp" => self.change(asked, status("CONFIRMED")),
            "AdminDisableUser" => self.change(asked, |user| user.enabled = false),
            "AdminEnableUser" => self.change(asked, |user| user.enabled = true),
            // Nobody is signed in, and nothing of the user changes.
            "AdminUserGlobalSignOut" => self.found(asked).map(|_| json!({})),
            "ListUserPoolClients" => self.list_clients(asked),
            "DescribeUserPoolClient" => self.describe_client(asked),
            "CreateUserPoolClient" => self.create_client(asked),
            other => Err(Refusal::new("UnknownOperationException", format!("{other} is not served here."))),
        }
    }

    pub(crate) fn describe(&self) -> Value {
        json!({"UserPool": {
            "Id": self.id, "Name": self.name, "EstimatedNumberOfUsers": self.store.count(),
            "SchemaAttributes": self.schema.describe(),
            "UsernameAttributes": if self.store.email_sign_in { json!(["email"]) } else { json!([]) },
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": !self.self_sign_up},
            "LambdaConfig": self.post_confirmation.as_ref().map_or_else(|| json!({}), |arn| json!({"PostConfirmation": arn})),
        }})
    }

    fn found(&self, asked: &Asked<'_>) -> Result<(u64, Stored), Refusal> {
        self.store.find(asked.input["Username"].as_str().unwrap_or_default()).ok_or_else(Refusal::no_user)
    }

    fn get(&self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let (_, user) = self.found(asked)?;
        let mut answer = common(&user);
        answer["UserAttributes"] = attributes(&user, None)?;
        Ok(answer)
    }

    fn change(&mut self, asked: &Asked<'_>, what: impl FnOnce(&mut Stored)) -> Result<Value, Refusal> {
        let (index, mut user) = self.found(asked)?;
        what(&mut user);
        user.modified = asked.at.date;
        self.store.put(index, user, asked.at);
        Ok(json!({}))
    }

    fn update(&mut self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let (index, mut user) = self.found(asked)?;
        let pairs: Vec<_> = pairs(&asked.input["UserAttributes"]).collect();
        for (name, value) in &pairs {
            self.schema.check(name, value, true)?;
            let value = Some(*value).filter(|value| !value.trim().is_empty());
            let other = value != user.attribute(name);
            if let ("email", Some(email), true) = (*name, value, other) {
                self.check_alias(email, Some(index))?;
            }
            user.set(name, value);
            // A new address is unverified until somebody says otherwise.
            let verified = format!("{name}_verified");
            if other && ["email", "phone_number"].contains(name) && !pairs.iter().any(|(name, _)| *name == verified) {
                user.set(&verified, value.map(|_| "false"));
            }
        }
        user.modified = asked.at.date;
        self.store.put(index, user, asked.at);
        Ok(json!({}))
    }

    fn delete_attributes(&mut self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let (index, mut user) = self.found(asked)?;
        for name in asked.input["UserAttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.schema.check(name, "", true)?;
            user.set(name, None);
        }
        user.modified = asked.at.date;
        self.store.put(index, user, asked.at);
        Ok(json!({}))
    }

    fn delete(&mut self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let (index, _) = self.found(asked)?;
        self.store.delete(index, asked.at);
        Ok(json!({}))
    }

    fn create(&mut self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let given = asked.input["Username"].as_str().unwrap_or_default();
        if given.is_empty() || given.chars().count() > LONGEST_USERNAME || given.contains(char::is_whitespace) {
            let text = format!("Username has 1 to {LONGEST_USERNAME} characters, and none of them is a space.");
            return Err(Refusal::parameter(text));
        }
        if self.store.email_sign_in && !given.contains('@') {
            return Err(Refusal::parameter("Username should be an email."));
        }
        // In a pool with sign-in by e-mail that is whoever has the address.
        if self.store.find(given).is_some() {
            return Err(Refusal::new("UsernameExistsException", "User account already exists"));
        }
        let sub = Uuid::new_v4().to_string();
        let mut user = Stored {
            username: if self.store.email_sign_in { sub.clone() } else { given.to_owned() },
            attributes: [("sub".to_owned(), sub)].into(),
            status: "FORCE_CHANGE_PASSWORD".into(),
            enabled: true,
            created: asked.at.date,
            modified: asked.at.date,
        };
        if self.store.email_sign_in {
            user.set("email", Some(given));
        }
        for (name, value) in pairs(&asked.input["UserAttributes"]) {
            self.schema.check(name, value, false)?;
            if name == "email" {
                self.check_alias(value, None)?;
            }
            user.set(name, Some(value).filter(|value| !value.trim().is_empty()));
        }
        let answer = json!({"User": listed(&user, None)?});
        self.store.add(user, asked.at);
        Ok(answer)
    }

    /// Whether an address is free to sign in with.
    fn check_alias(&self, email: &str, user: Option<u64>) -> Result<(), Refusal> {
        match self.store.holder(email) {
            Some(holder) if Some(holder) != user => {
                Err(Refusal::new("AliasExistsException", "An account with the given email already exists."))
            }
            _ => Ok(()),
        }
    }

    /// What a test does behind everybody's back: no schema, no alias stands in its way.
    pub(crate) fn put_user(&mut self, username: &str, change: impl FnOnce(&mut PoolUser), at: Moment) -> bool {
        let Some((index, mut stored)) = self.store.find(username) else { return false };
        let Some(mut user) = stored.pool_user(&self.store.attribute) else { return false };
        let before = user.modified;
        change(&mut user);
        stored.take_over(&user, &self.store.attribute);
        stored.modified = user.modified.filter(|modified| Some(*modified) != before).unwrap_or(at.date);
        self.store.put(index, stored, at);
        true
    }
}

fn pairs(list: &Value) -> impl Iterator<Item = (&str, &str)> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair["Name"].as_str()?, pair["Value"].as_str().unwrap_or_default())))
}

fn common(user: &Stored) -> Value {
    json!({
        "Username": user.username, "UserStatus": user.status, "Enabled": user.enabled,
        "UserCreateDate": seconds(user.created), "UserLastModifiedDate": seconds(user.modified),
    })
}

/// A user as a listing has it.
pub(crate) fn listed(user: &Stored, wanted: Option<&Vec<Value>>) -> Result<Value, Refusal> {
    let mut answer = common(user);
    answer["Attributes"] = attributes(user, wanted)?;
    Ok(answer)
}

/// All attributes, or those that are wanted: a user who lacks one of them makes the request fail.
fn attributes(user: &Stored, wanted: Option<&Vec<Value>>) -> Result<Value, Refusal> {
    let pair = |name: &str, value: &str| json!({"Name": name, "Value": value});
    match wanted {
        None => Ok(user.attributes.iter().map(|(name, value)| pair(name, value)).collect()),
        Some(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(|name| match user.attribute(name) {
                Some(value) => Ok(pair(name, value)),
                None => Err(Refusal::parameter("One or more requested attributes do not exist.")),
            })
            .collect(),
    }
}

/// A date as the protocol has it.
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_millis() as f64 / 1000.0
}
