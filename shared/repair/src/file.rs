//! A plan: frozen, readable, and exactly what is applied. It can be saved, and carried to a colleague.
//!
//! The digest shows a change by accident. It proves nothing of who made the plan: whoever may apply one may write one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use userlink_db::Linkage;
use userlink_domain::{PoolUser, Row, Step, Timestamp};
use uuid::Uuid;

use crate::pairs::PlannedStep;

/// The version of the file's shape.
const FORMAT: u32 = 1;
/// By so many milliseconds the clocks of two people may differ.
const CLOCKS_DIFFER: i64 = 3_600_000;

/// What kind of plan it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// In the end both pointers of every pair agree.
    Repair,
    /// Keeps a person from what is not theirs.
    Contain,
    /// Takes back what a run, or a step of it, did.
    Undo { run: String },
}

/// What a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub context: String,
    /// The account that the pool is in, where it was known.
    pub account: Option<String>,
    pub pool: String,
    pub attribute: String,
    /// The database's name; of SQLite the file's.
    pub database: String,
    pub table: String,
    /// When the scan began that it rests on.
    #[serde(with = "moment")]
    pub scanned_at: Timestamp,
    pub users: u64,
    pub rows: u64,
}

/// The repair of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEntry {
    pub situation: String,
    #[serde(default)]
    pub flags: Vec<String>,
    #[serde(default)]
    pub reason: Option<String>,
    pub pairs: Vec<PlannedPair>,
    pub steps: Vec<PlannedStep>,
    /// The situation of each record afterwards.
    pub after: Vec<After>,
    /// Rows with the user's e-mail that were shown before a row is inserted.
    #[serde(default)]
    pub rows_with_email: Vec<String>,
    /// What a choice rested on, as hashes: a step is stale where it is otherwise by then.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

/// A user and what it is tied to: a row's id, `new`, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPair {
    pub username: String,
    pub sub: String,
    pub row: Option<String>,
    #[serde(default)]
    pub new: bool,
}

/// What a record's entry was and will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// `user` or `row`.
    pub kind: String,
    /// The username, or the row's id.
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// Whether the plan names it.
    pub named: bool,
}

/// A frozen plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub format: u32,
    #[serde(with = "uuid_text")]
    pub id: Uuid,
    pub kind: Kind,
    pub made_by: String,
    #[serde(with = "moment")]
    pub made_at: Timestamp,
    pub origin: Origin,
    /// What a person should know before it is confirmed.
    #[serde(default)]
    pub notes: Vec<String>,
    pub entries: Vec<PlannedEntry>,
    /// Over everything above.
    pub digest: String,
}

/// Why a file is no plan that can be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("The file is no plan: line {line}, column {column}. Make it anew with userlink plan.")]
    Shape { line: usize, column: usize },
    #[error("The plan has the format {0}, and this version reads {FORMAT}. Use the version that made it.")]
    Format(u32),
    #[error("The plan was changed since it was made: its digest is not that of its content. Make it anew.")]
    Changed,
    #[error("The plan is for {what} {planned}, and this context has {here}. Use the context that it was made for.")]
    Elsewhere { what: &'static str, planned: String, here: String },
    #[error("The plan rests on what was read at {read_at}, more than {hours} hours ago. Scan again, and make it anew.")]
    Old { read_at: Timestamp, hours: i64 },
    #[error("The plan says that it rests on what was read at {read_at}, which is still to come. Set the clocks right.")]
    Ahead { read_at: Timestamp },
}

impl Plan {
    pub(crate) fn freeze(
        kind: Kind,
        made_by: String,
        made_at: Timestamp,
        origin: Origin,
        entries: Vec<PlannedEntry>,
        notes: Vec<String>,
        id: Uuid,
    ) -> Self {
        let mut plan =
            Self { format: FORMAT, id, kind, made_by, made_at, origin, notes, entries, digest: String::new() };
        plan.digest = plan.digested();
        plan
    }

    fn digested(&self) -> String {
        let bare = Self { digest: String::new(), ..self.clone() };
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        format!("sha256:{}", hex(&Sha256::digest(text)))
    }

    /// Reads a plan, and sees to it that it is as it was made.
    ///
    /// # Errors
    /// What is wrong with it. Nothing of its content is repeated.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_str(text)
            .map_err(|error| PlanError::Shape { line: error.line(), column: error.column() })?;
        if plan.format != FORMAT {
            return Err(PlanError::Format(plan.format));
        }
        if plan.digest != plan.digested() {
            return Err(PlanError::Changed);
        }
        Ok(plan)
    }

    /// Whether it is for this account, as far as that is known, for this pool, attribute and table, and not too old.
    pub(crate) fn check(
        &self,
        (linkage, database, account): (&Linkage, &String, Option<&str>),
        now: Timestamp,
        max_age_hours: i64,
    ) -> Result<(), PlanError> {
        let origin = &self.origin;
        if let (Some(planned), Some(here)) = (origin.account.as_deref(), account)
            && planned != here
        {
            let (planned, here) = (planned.to_owned(), here.to_owned());
            return Err(PlanError::Elsewhere { what: "the account", planned, here });
        }
        for (what, planned, here) in [
            ("the pool", &origin.pool, &linkage.pool_id),
            ("the attribute", &origin.attribute, &linkage.attribute),
            ("the database", &origin.database, database),
            ("the table", &origin.table, &linkage.table),
        ] {
            if planned != here {
                return Err(PlanError::Elsewhere { what, planned: planned.clone(), here: here.clone() });
            }
        }
        let read_at = self.read_at();
        if now.since(read_at) > max_age_hours.saturating_mul(3_600_000) {
            return Err(PlanError::Old { read_at, hours: max_age_hours });
        }
        if read_at.since(now) > CLOCKS_DIFFER {
            return Err(PlanError::Ahead { read_at });
        }
        Ok(())
    }

    /// How old it is: a repair is as old as the scan that it rests on, however late it was made.
    pub(crate) fn read_at(&self) -> Timestamp {
        match self.kind {
            Kind::Repair => self.origin.scanned_at,
            // Nobody has to scan first who keeps somebody from what is not theirs, or takes back what the journal has.
            Kind::Contain | Kind::Undo { .. } => self.made_at,
        }
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.entries.iter().flat_map(|entry| &entry.steps)
    }

    /// As it is written to a file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Whether a step cannot be taken back.
pub fn is_final(step: &Step) -> bool {
    matches!(step, Step::InsertRow { .. } | Step::SignOut { .. })
}

/// What of a user a choice rests on, besides the pointers.
pub(crate) fn facts_of_user(plan: Uuid, user: &PoolUser) -> String {
    let email = user.email.as_deref().unwrap_or_default();
    hash(
        plan,
        &[email, if user.email_verified { "verified" } else { "" }, user.status.as_str(), &user.enabled.to_string()],
    )
}

/// What the user named when the plan was made. While rows are written it is still so.
pub(crate) fn facts_of_pointer(plan: Uuid, user: &PoolUser) -> String {
    hash(plan, &["user id", user.user_id().unwrap_or_default()])
}

/// What of a row a choice rests on, besides the pointer.
pub(crate) fn facts_of_row(plan: Uuid, row: &Row) -> String {
    hash(plan, &[row.email.as_deref().unwrap_or_default()])
}

/// Salted with the plan, so that the same e-mail in two plans does not look the same.
fn hash(plan: Uuid, parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(plan.as_bytes());
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok());
        text
    })
}

/// RFC 3339, to the millisecond.
mod moment {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use userlink_domain::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(at.as_millis()) {
            Ok(at) => to.collect_str(&at),
            Err(_) => Err(serde::ser::Error::custom("a moment out of range")),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        let at: jiff::Timestamp = text.parse().map_err(|_| D::Error::custom("no moment"))?;
        Ok(Timestamp::from_millis(at.as_millisecond()))
    }
}

/// 8-4-4-4-12.
mod uuid_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
        Uuid::try_parse(&String::deserialize(from)?).map_err(|_| D::Error::custom("no uuid"))
    }
}
