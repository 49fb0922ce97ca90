//! A pool, a database with our users table, and the function between them.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use userlink_domain::{PoolUser, Sub};
use userlink_emulator::{Emulator, PoolOptions, Source};
use userlink_kit::{TestDatabase, fresh_postgres_database};

use crate::lambda::{Lambda, record};

/// The table that `userlink migrate` makes.
pub(crate) const USERS: &str = include_str!("../../../migrations/postgres/0002_users.sql");

/// As the deployment's page has it.
const BY_EMAIL: &str = "CREATE INDEX users_by_email ON users (lower(email))";

pub(crate) struct Town {
    pub(crate) pool: Emulator,
    pub(crate) database: TestDatabase,
}

impl Drop for Town {
    fn drop(&mut self) {
        record("cognito-idp", self.pool.stats().requests.into_keys());
    }
}

pub(crate) fn sub(number: u128) -> Sub {
    Sub::from_u128(0x92f7_d159_1110_4598_bba5_0887_0000_0000 + number)
}

pub(crate) fn name(number: u128) -> String {
    format!("person{number}")
}

pub(crate) fn email(number: u128) -> String {
    format!("person{number}@example.org")
}

impl Town {
    /// With as many users, who are confirmed and not linked.
    pub(crate) async fn new(users: u128) -> Self {
        let database = fresh_postgres_database().await;
        database.run(USERS).await;
        database.run(BY_EMAIL).await;
        let user = |number| PoolUser {
            email: Some(email(number).into()),
            email_verified: true,
            ..PoolUser::new(sub(number), name(number))
        };
        let options =
            PoolOptions { email_sign_in: false, ..PoolOptions::new(Source::Users((1..=users).map(user).collect())) };
        Self { pool: Emulator::start(options).await.unwrap(), database }
    }

    pub(crate) async fn lambda(&self, more: &[(&str, &str)]) -> Lambda {
        self.lambdas(more, 1).await
    }

    /// Where the variables themselves say where the database is.
    pub(crate) async fn lambda_without_a_database(&self, more: &[(&str, &str)]) -> Lambda {
        let endpoint = self.pool.endpoint_url();
        let mut variables = vec![("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", endpoint.as_str())];
        variables.extend(more);
        Lambda::start(&variables, 1).await
    }

    pub(crate) async fn lambdas(&self, more: &[(&str, &str)], processes: usize) -> Lambda {
        let endpoint = self.pool.endpoint_url();
        let mut variables = vec![
            ("USERLINK_DATABASE_URL", self.database.url.as_str()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &endpoint),
        ];
        variables.extend(more);
        Lambda::start(&variables, processes).await
    }

    /// The event that Cognito sends for this user, with these attributes besides.
    pub(crate) fn event(&self, number: u128, more: Value) -> Value {
        let mut attributes = json!({
            "sub": sub(number).to_string(), "cognito:user_status": "CONFIRMED",
            "email": email(number), "email_verified": "true",
        });
        for (key, value) in more.as_object().unwrap() {
            attributes[key] = value.clone();
        }
        json!({
            "version": "1", "region": self.pool.region(), "userPoolId": self.pool.pool_id(), "userName": name(number),
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": null},
            "triggerSource": "PostConfirmation_ConfirmSignUp",
            "request": {"userAttributes": attributes, "clientMetadata": {"src": "web"}}, "response": {},
        })
    }

    /// The attribute that names the row.
    pub(crate) fn user_id(&self, number: u128) -> Option<String> {
        self.pool.user(&name(number)).unwrap().user_id.map(String::from)
    }

    /// How often an operation was asked for.
    pub(crate) fn asked(&self, operation: &str) -> u64 {
        self.pool.stats().requests.get(operation).copied().unwrap_or_default()
    }

    /// The first column, as texts.
    pub(crate) async fn select(&self, query: &str) -> Vec<Option<String>> {
        select(&self.database.url, query).await
    }

    /// The ids of the rows that carry this user's sub.
    pub(crate) async fn rows(&self, number: u128) -> Vec<String> {
        let ids = self.select(&format!("SELECT id::text FROM users WHERE cognito_sub = '{}'", sub(number))).await;
        ids.into_iter().flatten().collect()
    }

    /// There is one row, the attribute names it, and nothing else is there.
    pub(crate) async fn assert_linked(&self, number: u128) -> String {
        let rows = self.rows(number).await;
        assert_eq!(rows.len(), 1, "rows of user {number}");
        assert_eq!(self.user_id(number).as_ref(), rows.first());
        rows[0].clone()
    }
}

/// The first column, as texts.
pub(crate) async fn select(url: &str, query: &str) -> Vec<Option<String>> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = connection.fetch_all(AssertSqlSafe(query.to_owned())).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
