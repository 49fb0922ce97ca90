//! What stands beside an entry on its page: read in the background, and shown as it comes.

use userlink_domain::{RecordRef, Timestamp};

use crate::effect::Effect;
use crate::model::Model;

/// Something that was found out about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The pairs that could be made, best first.
    Candidates(Vec<Pairing>),
    /// What refers to each row, or why it is not known.
    References(Vec<Refers>),
    /// What the journal has of the entry, the newest first; or why it is not known.
    History(Result<Vec<Done>, String>),
    /// How long tokens that were issued go on saying what they said; or why it is not known.
    Tokens(Result<Vec<Lives>, String>),
}

/// What refers to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refers {
    /// `row 42`.
    pub row: String,
    /// `orders 14`, `sessions 2`; or why it is not known.
    pub tables: Result<Vec<String>, String>,
}

/// A pair that could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// The username.
    pub user: String,
    /// `row 42`, `a new row`, `no row`.
    pub mate: String,
    /// Why it is recommended, if it is.
    pub recommended: Option<String>,
    /// What speaks for it.
    pub why: Vec<String>,
    /// What speaks against it.
    pub why_not: Vec<String>,
}

/// A step that was done, or tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What: `custom:userId: - → 42`.
    pub what: String,
    /// `done`, `stale`, `failed`, `open`.
    pub outcome: String,
    /// The ticket, or whatever was given as a reason.
    pub reason: Option<String>,
}

/// How long the tokens of one app client are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lives {
    /// The name of the client.
    pub client: String,
    /// Of an ID token, in seconds.
    pub id_token: u64,
    /// Of a refresh token, in seconds.
    pub refresh_token: u64,
}

/// What is known by now of the entry that is open.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// The record that was asked about.
    asked: Option<RecordRef>,
    pub(crate) candidates: Option<Vec<Pairing>>,
    pub(crate) references: Option<Vec<Refers>>,
    pub(crate) history: Option<Result<Vec<Done>, String>>,
    pub(crate) tokens: Option<Result<Vec<Lives>, String>>,
}

/// Asks for what stands beside the entry that is open, once.
pub(crate) fn want(model: &mut Model) -> Option<Effect> {
    let opened = model.opened.as_ref()?;
    if model.beside.asked.as_ref() == Some(&opened.of) {
        return None;
    }
    model.beside = Beside { asked: Some(opened.of.clone()), ..Beside::default() };
    Some(Effect::LookBeside { of: opened.of.clone(), entry: opened.entry.clone() })
}

/// What was known is out of date.
pub(crate) fn forget(model: &mut Model) {
    model.beside = Beside::default();
}

/// Takes a part in, if it is of the entry that is open.
pub(crate) fn hear(model: &mut Model, of: &RecordRef, part: Part) {
    if model.opened.as_ref().is_none_or(|opened| opened.of != *of) {
        return;
    }
    let beside = &mut model.beside;
    match part {
        Part::Candidates(candidates) => beside.candidates = Some(candidates),
        Part::References(references) => beside.references = Some(references),
        Part::History(history) => beside.history = Some(history),
        Part::Tokens(tokens) => beside.tokens = Some(tokens),
    }
}
