//! A town in which everything that can be wrong is wrong twice, and who says so: users, rows, and the verdict on each.
//!
//! It is written by hand, so that no code of the product decides what is right.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use userlink_domain::{Identity, PoolUser, Situation, Sub, Timestamp, UserStatus};
use userlink_emulator::{Emulator, Faults, PoolOptions, Source};
use uuid::Uuid;

use crate::pty::{Pty, command};

/// A verdict: the situation, the usernames, the ids of the rows.
pub(crate) type Verdict = (String, BTreeSet<String>, BTreeSet<String>);

#[derive(Clone)]
struct Person {
    username: String,
    email: Option<String>,
    verified: bool,
    user_id: Option<String>,
    status: &'static str,
    enabled: bool,
    identity: Option<(&'static str, String)>,
}

enum SubOf {
    Nobody,
    /// A user of the town.
    User(String),
    /// What stands there as it stands there.
    Text(String),
}

struct Plot {
    id: String,
    sub: SubOf,
    email: Option<String>,
}

pub(crate) struct Town {
    people: Vec<Person>,
    plots: Vec<Plot>,
    verdicts: Vec<Verdict>,
}

impl Pool {
    pub(crate) fn sub_of(&self, username: &str) -> &str {
        &self.subs[username]
    }
}

/// A pool with the town's users in it.
pub(crate) struct Pool {
    pub(crate) endpoint: String,
    pub(crate) id: String,
    subs: HashMap<String, String>,
    pub(crate) emulator: Option<Emulator>,
}

fn id(number: usize) -> String {
    Uuid::from_u128(0x0192_f0c1_2b6a_7cde_8f00_0000_0000_0000 + number as u128).to_string()
}

fn gone() -> String {
    Uuid::new_v4().to_string()
}

impl Town {
    /// So many users are linked; `federated` adds what only a pool with other providers has.
    pub(crate) fn new(linked: usize, federated: bool) -> Self {
        let mut town = Self { people: Vec::new(), plots: Vec::new(), verdicts: Vec::new() };
        for _ in 0..linked {
            town.linked();
        }
        for round in 0..2 {
            town.everything_that_is_wrong();
            if federated {
                town.federated(round);
            }
        }
        town
    }

    /// The dashboard on this town in SQLite, one request in ten seconds: the scan takes longer than any story, and what it has read
    /// stays where it is.
    pub(crate) async fn hardly_begun(&self, home: &Path, size: (u16, u16)) -> (Pool, Pty) {
        let pool = self.on_emulator(Faults { latency: Duration::from_millis(20), ..Faults::default() }).await;
        let url = self.in_sqlite(&pool, &home.join("town.db")).await;
        std::fs::write(home.join("town.toml"), "[contexts.town.table]\nid_type = \"uuid\"\n").unwrap();
        let flags = ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--config", "town.toml", "--rate", "0.1"];
        let mut program = command(home, &flags);
        program.env("USERLINK_DATABASE_URL", &url);
        let pty = Pty::start(program, size);
        (pool, pty)
    }

    /// What a scan has to say.
    pub(crate) fn verdicts(&self) -> BTreeSet<Verdict> {
        self.verdicts.iter().cloned().collect()
    }

    /// The verdict on each user and row, by username and id.
    pub(crate) fn verdict_of(&self) -> HashMap<String, Situation> {
        let of = |verdict: &Verdict| {
            let situation = Situation::parse(&verdict.0).unwrap();
            verdict.1.iter().chain(&verdict.2).map(move |record| (record.clone(), situation)).collect::<Vec<_>>()
        };
        self.verdicts.iter().flat_map(of).collect()
    }

    /// A user's e-mail, by which the screen calls it.
    pub(crate) fn people(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.people.iter().map(|person| (&*person.username, person.email.as_deref()))
    }

    pub(crate) fn len(&self) -> (usize, usize) {
        (self.people.len(), self.plots.len())
    }

    /// The users of a verdict.
    pub(crate) fn users_of(&self, situation: Situation) -> Vec<&str> {
        let of = self.verdicts.iter().filter(|verdict| verdict.0 == situation.name());
        of.flat_map(|verdict| verdict.1.iter().map(String::as_str)).collect()
    }

    /// The id of the row that carries a user's sub.
    pub(crate) fn row_of(&self, username: &str) -> &str {
        let carries = |plot: &&Plot| matches!(&plot.sub, SubOf::User(name) if name == username);
        &self.plots.iter().find(carries).unwrap().id
    }

    /// A user with each of these e-mails, all `row_side_only`.
    pub(crate) fn add_row_side_only(&mut self, emails: &[&str]) {
        for email in emails {
            let person = self.person();
            self.people[person].email = Some((*email).to_owned());
            let plot = self.plot_of(person);
            self.verdict(Situation::RowSideOnly, &[person], &[plot]);
        }
    }

    /// A profile at another provider with the e-mail of a native user who is linked. Gives both.
    pub(crate) fn add_twin_of_somebody_linked(&mut self) -> (String, String) {
        let (twin, native) = (self.person(), self.linked());
        self.people[twin].username = "Google_4000".to_owned();
        self.people[twin].status = "EXTERNAL_PROVIDER";
        self.people[twin].email = self.email(native);
        self.verdict(Situation::FederatedTwin, &[twin], &[]);
        (self.name(twin), self.name(native))
    }

    /// So many who are linked to rows with this e-mail, which is none of theirs.
    pub(crate) fn add_linked_to_rows_of(&mut self, email: &str, count: usize) {
        for _ in 0..count {
            self.linked();
            self.plots.last_mut().unwrap().email = Some(email.to_owned());
        }
    }

    /// Somebody with whose e-mail there is a row, and whose that is: the user, the row, its owner.
    pub(crate) fn taken(&self) -> (&str, &str, &str) {
        let taker = self.users_of(Situation::RowTaken)[0];
        let email = self.people().find(|(name, _)| *name == taker).and_then(|(_, email)| email);
        let plot = self.plots.iter().find(|plot| plot.email.as_deref() == email).unwrap();
        let SubOf::User(owner) = &plot.sub else { panic!("it has no owner") };
        (taker, &plot.id, owner)
    }

    /// So many rows whose users are gone.
    pub(crate) fn add_dead_subs(&mut self, count: usize) {
        for _ in 0..count {
            let plot = self.plot(SubOf::Text(gone()), None);
            self.verdict(Situation::DeadSub, &[], &[plot]);
        }
    }

    fn person(&mut self) -> usize {
        let number = self.people.len();
        let username = format!("user-{number:04}");
        let email = Some(format!("u{number:04}@example.org"));
        self.people.push(Person {
            username,
            email,
            verified: true,
            user_id: None,
            status: "CONFIRMED",
            enabled: true,
            identity: None,
        });
        number
    }

    fn plot(&mut self, sub: SubOf, email: Option<String>) -> usize {
        let number = self.plots.len();
        self.plots.push(Plot { id: id(number), sub, email });
        number
    }

    fn name(&self, person: usize) -> String {
        self.people[person].username.clone()
    }

    fn email(&self, person: usize) -> Option<String> {
        self.people[person].email.clone()
    }

    /// A row that carries the user's sub, with the same e-mail.
    fn plot_of(&mut self, person: usize) -> usize {
        let (sub, email) = (SubOf::User(self.name(person)), self.email(person));
        self.plot(sub, email)
    }

    fn names(&mut self, person: usize, plot: usize) {
        self.people[person].user_id = Some(self.plots[plot].id.clone());
    }

    fn verdict(&mut self, situation: Situation, people: &[usize], plots: &[usize]) {
        let people = people.iter().map(|person| self.name(*person)).collect();
        let plots = plots.iter().map(|plot| self.plots[*plot].id.clone()).collect();
        self.verdicts.push((situation.name().to_owned(), people, plots));
    }

    fn linked(&mut self) -> usize {
        let person = self.person();
        let plot = self.plot_of(person);
        self.names(person, plot);
        self.verdict(Situation::Linked, &[person], &[plot]);
        person
    }

    fn everything_that_is_wrong(&mut self) {
        let person = self.person();
        let plot = self.plot_of(person);
        self.names(person, plot);
        self.people[person].enabled = false;
        self.verdict(Situation::LinkedInactive, &[person], &[plot]);

        let person = self.person();
        let plots = [self.plot_of(person), self.plot_of(person)];
        self.verdict(Situation::DuplicateRows, &[person], &plots);

        // Nobody has that sub any more, and still two rows share it.
        let sub = gone();
        let plots = [self.plot(SubOf::Text(sub.clone()), None), self.plot(SubOf::Text(sub.to_uppercase()), None)];
        self.verdict(Situation::DuplicateRows, &[], &plots);

        let people = [self.person(), self.person()];
        let plot = self.plot_of(people[0]);
        people.iter().for_each(|person| self.names(*person, plot));
        self.verdict(Situation::DuplicateUserId, &people, &[plot]);

        let people = [self.person(), self.person()];
        let plots = [self.plot_of(people[0]), self.plot_of(people[1])];
        self.names(people[0], plots[1]);
        self.names(people[1], plots[0]);
        self.verdict(Situation::Swapped, &people, &plots);

        let people = [self.person(), self.person()];
        let plot = self.plot_of(people[1]);
        self.names(people[0], plot);
        self.verdict(Situation::Tangled, &people, &[plot]);

        let person = self.person();
        self.people[person].user_id = Some(gone());
        self.verdict(Situation::DanglingUserId, &[person], &[]);
        let person = self.person();
        let plot = self.plot_of(person);
        self.people[person].user_id = Some("no-id-at-all".to_owned());
        self.verdict(Situation::DanglingUserId, &[person], &[plot]);

        let person = self.person();
        let plot = self.plot(SubOf::Text(gone()), self.email(person));
        self.names(person, plot);
        self.verdict(Situation::DeadSubClaimed, &[person], &[plot]);

        for _ in 0..3 {
            let person = self.person();
            let plot = self.plot_of(person);
            self.verdict(Situation::RowSideOnly, &[person], &[plot]);
        }
        let person = self.person();
        self.people[person].status = "RESET_REQUIRED";
        let plot = self.plot_of(person);
        self.verdict(Situation::RowSideOnly, &[person], &[plot]);

        let person = self.person();
        // What stands in the sub is no sub.
        let plot = self.plot(SubOf::Text("n/a".to_owned()), self.email(person));
        self.names(person, plot);
        self.verdict(Situation::UserSideOnly, &[person], &[plot]);

        let person = self.person();
        let shouted = self.email(person).map(|email| format!(" {} ", email.to_ascii_uppercase()));
        let plot = self.plot(SubOf::Nobody, shouted);
        self.verdict(Situation::EmailMatch, &[person], &[plot]);

        let person = self.person();
        let plot = self.plot(SubOf::Text(gone()), self.email(person));
        self.verdict(Situation::Recreated, &[person], &[plot]);

        let person = self.person();
        let plots = [self.plot(SubOf::Nobody, self.email(person)), self.plot(SubOf::Nobody, self.email(person))];
        self.verdict(Situation::Ambiguous, &[person], &plots);

        // Somebody else is linked to the row with this e-mail.
        let (person, owner) = (self.person(), self.linked());
        let taken = self.people[owner].user_id.clone();
        let email = self.email(person);
        for plot in self.plots.iter_mut().filter(|plot| Some(&plot.id) == taken.as_ref()) {
            plot.email.clone_from(&email);
        }
        self.verdict(Situation::RowTaken, &[person], &[]);

        let person = self.person();
        self.verdict(Situation::NoRow, &[person], &[]);
        // An e-mail that is not verified is no evidence: user and row stay apart.
        let person = self.person();
        self.people[person].verified = false;
        let plot = self.plot(SubOf::Nobody, self.email(person));
        self.verdict(Situation::NoRow, &[person], &[]);
        self.verdict(Situation::OrphanRow, &[], &[plot]);

        let plot = self.plot(SubOf::Text(gone()), Some("left@example.org".to_owned()));
        self.verdict(Situation::DeadSub, &[], &[plot]);

        let person = self.person();
        self.people[person].status = "FORCE_CHANGE_PASSWORD";
        self.verdict(Situation::UnlinkedInactive, &[person], &[]);
        // Who has proved nothing yet claims somebody's row: it does not count.
        let (person, victim) = (self.person(), self.linked());
        self.people[person].status = "UNCONFIRMED";
        self.people[person].verified = false;
        self.people[person].user_id = self.people[victim].user_id.clone();
        self.verdict(Situation::UnlinkedInactive, &[person], &[]);
    }

    fn federated(&mut self, round: usize) {
        let mut profile = |provider: &'static str, number: usize| {
            let person = self.person();
            self.people[person].username = format!("{provider}_{number}");
            self.people[person].status = "EXTERNAL_PROVIDER";
            person
        };
        let (stranded, joined, twin) =
            (profile("Google", 1000 + round), profile("Google", 2000 + round), profile("Sign_In_Apple", 3000 + round));

        let native = self.person();
        self.people[native].identity = Some(("google", (1000 + round).to_string()));
        let plot = self.plot_of(stranded);
        self.verdict(Situation::Stranded, &[stranded], &[plot]);
        self.verdict(Situation::NoRow, &[native], &[]);

        let native = self.linked();
        self.people[native].identity = Some(("Google", (2000 + round).to_string()));
        self.verdict(Situation::JoinedProfile, &[joined], &[]);

        let native = self.person();
        self.people[native].email = self.email(twin);
        let plot = self.plot(SubOf::Nobody, self.email(twin));
        self.verdict(Situation::FederatedTwin, &[twin, native], &[plot]);
    }

    /// A pool on moto, made by boto3.
    pub(crate) fn on_moto(&self) -> Pool {
        let users: Vec<Value> = self.people.iter().map(as_json).collect();
        let endpoint = userlink_kit::moto_url();
        let made = userlink_kit::boto3(&json!({"do": "make", "endpoint": endpoint, "users": users}));
        let subs = serde_json::from_value(made["subs"].clone()).unwrap();
        Pool { endpoint, id: made["pool_id"].as_str().unwrap().to_owned(), subs, emulator: None }
    }

    /// A pool on the emulator, with these faults.
    pub(crate) async fn on_emulator(&self, faults: Faults) -> Pool {
        let users: Vec<PoolUser> = self.people.iter().map(as_user).collect();
        let subs = users.iter().map(|user| (user.username.as_str().to_owned(), user.sub.to_string())).collect();
        let emulator = Emulator::start(PoolOptions { faults, ..PoolOptions::new(Source::Users(users)) }).await.unwrap();
        Pool { endpoint: emulator.endpoint_url(), id: emulator.pool_id().to_owned(), subs, emulator: Some(emulator) }
    }

    /// The table `users` in an SQLite database at this path. Gives its URL.
    pub(crate) async fn in_sqlite(&self, pool: &Pool, path: &Path) -> String {
        std::fs::File::create(path).unwrap();
        let url = format!("sqlite://{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let table = "CREATE TABLE users (id TEXT NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || \
                     hex(randomblob(2)) || '-4aaa-8aaa-' || hex(randomblob(6)))), cognito_sub TEXT, email TEXT, created_at TEXT)";
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(format!("{table}; {}", self.inserts(pool, "users")))))
            .await
            .unwrap();
        connection.close().await.unwrap();
        url
    }

    /// The table `app.users` in this PostgreSQL database.
    pub(crate) async fn in_postgres(&self, pool: &Pool, url: &str) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let table = "CREATE SCHEMA app; CREATE TABLE app.users \
                     (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), cognito_sub text, email text, created_at timestamptz DEFAULT now())";
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(format!("{table}; {}", self.inserts(pool, "app.users")))))
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    fn inserts(&self, pool: &Pool, table: &str) -> String {
        let quoted =
            |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")));
        let insert = |plot: &Plot| {
            let sub = match &plot.sub {
                SubOf::Nobody => None,
                SubOf::User(name) => Some(pool.subs[name].as_str()),
                SubOf::Text(text) => Some(text.as_str()),
            };
            let (sub, email) = (quoted(sub), quoted(plot.email.as_deref()));
            format!("INSERT INTO {table} (id, cognito_sub, email) VALUES ('{}', {sub}, {email});", plot.id)
        };
        self.plots.iter().map(insert).collect()
    }
}

fn as_json(person: &Person) -> Value {
    assert!(person.identity.is_none() && person.status != "EXTERNAL_PROVIDER", "moto knows no other providers");
    let mut attributes = serde_json::Map::new();
    if let Some(email) = &person.email {
        attributes.insert("email".into(), json!(email));
        attributes.insert("email_verified".into(), json!(if person.verified { "true" } else { "false" }));
    }
    if let Some(id) = &person.user_id {
        attributes.insert("custom:userId".into(), json!(id));
    }
    json!({"username": person.username, "status": person.status, "enabled": person.enabled, "attributes": attributes})
}

/// Users of the emulator have been there for long: nothing about them has to settle.
fn as_user(person: &Person) -> PoolUser {
    let long_ago = Some(Timestamp::from_millis(1_700_000_000_000));
    PoolUser {
        user_id: person.user_id.as_deref().map(Into::into),
        email: person.email.as_deref().map(Into::into),
        email_verified: person.verified,
        status: UserStatus::parse(person.status),
        enabled: person.enabled,
        identities: person
            .identity
            .iter()
            .map(|(provider, user_id)| Identity { provider: (*provider).into(), user_id: user_id.as_str().into() })
            .collect(),
        created: long_ago,
        modified: long_ago,
        ..PoolUser::new(Sub::from_u128(Uuid::new_v4().as_u128()), person.username.as_str())
    }
}

/// The verdicts that `userlink scan --format json` printed.
pub(crate) fn printed(scan: &Value) -> BTreeSet<Verdict> {
    let texts = |list: &Value, key: &str| {
        list.as_array().unwrap().iter().map(|record| record[key].as_str().unwrap().to_owned()).collect()
    };
    let verdict = |entry: &Value| {
        let situation = entry["situation"].as_str().unwrap().to_owned();
        (situation, texts(&entry["users"], "username"), texts(&entry["rows"], "id"))
    };
    scan["entries"].as_array().unwrap().iter().map(verdict).collect()
}
