//! Entries that a person has dismissed, with a reason, until what their verdict rests on changes.
//!
//! They lie beside the journal, and are only ever added to like it: the last event about a record counts.

use userlink_domain::{IdKind, RecordRef, RowId, Sub, Timestamp};
use uuid::Uuid;

use crate::statements::fixed;
use crate::transaction::Value;
use crate::{DbError, Journal, JournalError, Linkage};

const ADD: &str = "
INSERT INTO userlink_dismissals (id, pool_id, attribute, table_name, record, evidence, reason, actor, at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The last event about each record, where it is a dismissal.
const STANDING: &str = "
SELECT d.record, d.evidence, d.reason, d.actor, d.at_ms FROM userlink_dismissals d
WHERE d.pool_id = $1 AND d.attribute = $2 AND d.table_name = $3 AND d.evidence IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM userlink_dismissals later WHERE later.pool_id = d.pool_id
    AND later.attribute = d.attribute AND later.table_name = d.table_name AND later.record = d.record AND later.id > d.id)
ORDER BY d.id";

/// An entry that was dismissed, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dismissal {
    /// A record of it.
    pub of: RecordRef,
    /// What the verdict rested on, as text.
    pub evidence: String,
    pub reason: String,
    pub actor: String,
    pub at: Timestamp,
}

impl Journal {
    /// The dismissals that stand, oldest first. Where the table was never made there are none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dismissals(&self, of: &Linkage, kind: IdKind) -> Result<Vec<Dismissal>, JournalError> {
        let of = [&of.pool_id, &of.attribute, &of.table].map(|name| Value::Text(name.clone())).to_vec();
        let records = match self.db().read(fixed(STANDING), of).await {
            Err(DbError::SchemaChanged { .. }) => return Ok(Vec::new()),
            read => read?,
        };
        let mut standing = Vec::new();
        for record in records {
            // What a newer version may have written of another kind of record is not for this one.
            let Some(of) = parse(&record.name(0)?, kind) else { continue };
            standing.push(Dismissal {
                of,
                evidence: record.name(1)?,
                reason: record.name(2)?,
                actor: record.name(3)?,
                at: Timestamp::from_millis(record.integer(4)?.unwrap_or_default()),
            });
        }
        Ok(standing)
    }

    /// Writes down that an entry is dismissed.
    ///
    /// # Errors
    /// [`JournalError::Missing`] where the table was never made; those of the database.
    pub async fn dismiss(&self, linkage: &Linkage, dismissal: &Dismissal) -> Result<(), JournalError> {
        let Dismissal { of, evidence, reason, actor, at } = dismissal;
        self.note(linkage, of, (Some(evidence.clone()), Some(reason.clone())), (actor, *at)).await
    }

    /// Writes down that an entry is taken up again.
    ///
    /// # Errors
    /// [`JournalError::Missing`] where the table was never made; those of the database.
    pub async fn take_up(
        &self,
        linkage: &Linkage,
        of: &RecordRef,
        actor: &str,
        at: Timestamp,
    ) -> Result<(), JournalError> {
        self.note(linkage, of, (None, None), (actor, at)).await
    }

    async fn note(
        &self,
        linkage: &Linkage,
        of: &RecordRef,
        (evidence, reason): (Option<String>, Option<String>),
        (actor, at): (&str, Timestamp),
    ) -> Result<(), JournalError> {
        let values = vec![
            Value::Text(Uuid::now_v7().to_string()),
            Value::Text(linkage.pool_id.clone()),
            Value::Text(linkage.attribute.clone()),
            Value::Text(linkage.table.clone()),
            Value::Text(name(of)),
            Value::MaybeText(evidence),
            Value::MaybeText(reason),
            Value::Text(actor.to_owned()),
            Value::Integer(at.as_millis()),
        ];
        match self.add(fixed(ADD), values).await {
            Ok(_) => Ok(()),
            Err(DbError::SchemaChanged { .. }) => Err(JournalError::Missing),
            Err(error) => Err(error.into()),
        }
    }
}

fn name(of: &RecordRef) -> String {
    match of {
        RecordRef::User(sub) => format!("user {sub}"),
        RecordRef::Row(id) => format!("row {id}"),
    }
}

fn parse(name: &str, kind: IdKind) -> Option<RecordRef> {
    match name.split_once(' ')? {
        ("user", sub) => Sub::parse(sub).map(RecordRef::User),
        ("row", id) => RowId::parse(kind, id).map(RecordRef::Row),
        _ => None,
    }
}
