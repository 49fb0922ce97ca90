//! The entries that a person looked at, as a file: a line each, or JSON with the pairs that were chosen.

use serde::Deserialize;
use userlink_domain::{RecordRef, RowId, Sub};
use userlink_link::Linker;
use userlink_repair::{Choice, Mate, Pair};

use super::usage;
use crate::start::Failure;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Name(String),
    Chosen(Chosen),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    entry: String,
    #[serde(default)]
    pairs: Vec<ChosenPair>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChosenPair {
    user: String,
    /// A row's id, `new` for one that is inserted, or null for none.
    row: Option<String>,
}

/// Reads the file.
pub(super) fn read(text: &str, linker: &Linker, reason: Option<&str>) -> Result<Vec<Choice>, Failure> {
    let lines: Vec<Line> = if text.trim_start().starts_with(['[', '{']) {
        let one = text.trim_start().starts_with('{');
        let read = if one { serde_json::from_str(text).map(|line| vec![line]) } else { serde_json::from_str(text) };
        read.map_err(|error| {
            usage(format!(
                "The file of --only is no list of entries, at line {}. Write names, or {{\"entry\": …, \"pairs\": \
                 [{{\"user\": …, \"row\": …}}]}}.",
                error.line()
            ))
        })?
    } else {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| Line::Name(line.to_owned())).collect()
    };
    lines.into_iter().map(|line| choice(line, linker, reason)).collect()
}

fn choice(line: Line, linker: &Linker, reason: Option<&str>) -> Result<Choice, Failure> {
    let (entry, pairs, own) = match line {
        Line::Name(entry) => (entry, Vec::new(), None),
        Line::Chosen(chosen) => (chosen.entry, chosen.pairs, chosen.reason),
    };
    let of = find(linker, &entry)?;
    let pairs = pairs.into_iter().map(|pair| {
        let user = match find(linker, &pair.user)? {
            RecordRef::User(sub) => sub,
            RecordRef::Row(_) => return Err(usage(format!("{} is a row, and a pair begins with a user.", pair.user))),
        };
        let mate = match pair.row.as_deref() {
            None => Mate::None,
            Some("new") => Mate::New,
            Some(id) => Mate::Row(
                RowId::parse(linker.rules().id_kind, id)
                    .ok_or_else(|| usage(format!("{id} is no id of this table.")))?,
            ),
        };
        Ok(Pair { user, mate })
    });
    Ok(Choice { of, pairs: pairs.collect::<Result<_, Failure>>()?, reason: own.or_else(|| reason.map(str::to_owned)) })
}

/// The record of a sub, a username or a row's id. Never by an e-mail that is not also the username.
pub(super) fn find(linker: &Linker, name: &str) -> Result<RecordRef, Failure> {
    if let Some(sub) = Sub::parse(name)
        && linker.entry(&RecordRef::User(sub)).is_some()
    {
        return Ok(RecordRef::User(sub));
    }
    if let Some(id) = RowId::parse(linker.rules().id_kind, name)
        && linker.entry(&RecordRef::Row(id.clone())).is_some()
    {
        return Ok(RecordRef::Row(id));
    }
    let entries = linker.leads(None, name).into_iter().filter_map(|lead| linker.entry_of(lead, usize::MAX));
    let found = entries.flat_map(|entry| entry.users).find(|user| user.username.as_str() == name);
    found
        .map(|user| RecordRef::User(user.sub))
        .ok_or_else(|| usage(format!("{name} is no sub, no username and no row's id of what was scanned.")))
}
