//! The JSON shape of the contract; `tui/schema/scan.schema.json` describes it for other programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use userlink_domain::{PoolUser, Row, Step, Timestamp};
use userlink_link::{Entry, Explanation, Lead, Linker, Related, Since};

use super::Report;

#[derive(Serialize)]
struct Scan<'a> {
    #[serde(flatten)]
    first: First<'a>,
    #[serde(serialize_with = "entries")]
    entries: &'a Report<'a>,
}

/// All but the entries.
#[derive(Serialize)]
struct First<'a> {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<SinceOut<'a>>,
}

/// What is said of a scan as a whole.
#[derive(Serialize)]
pub(crate) struct Head {
    scanned_at: String,
    pool: String,
    users: usize,
    rows: usize,
    complete: bool,
    situations: BTreeMap<&'static str, u64>,
    flags: BTreeMap<&'static str, u64>,
}

/// What is compared with, and what is no more.
#[derive(Serialize)]
struct SinceOut<'a> {
    scanned_at: String,
    #[serde(serialize_with = "all_gone")]
    gone: &'a Report<'a>,
}

#[derive(Serialize)]
struct Gone {
    situation: &'static str,
    users: Vec<String>,
    rows: Vec<String>,
}

#[derive(Serialize)]
struct EntryOut {
    situation: &'static str,
    group: &'static str,
    users: Vec<UserOut>,
    rows: Vec<RowOut>,
    flags: Vec<&'static str>,
    related: Vec<RelatedOut>,
    why: Vec<String>,
    repair: Vec<Step>,
    safe: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Change>,
}

#[derive(Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
enum Change {
    New,
    Changed { was: &'static str },
}

#[derive(Serialize)]
struct UserOut {
    username: String,
    sub: String,
    user_id: Option<Box<str>>,
    email: Option<Box<str>>,
    email_verified: bool,
    status: String,
    enabled: bool,
}

#[derive(Serialize)]
struct RowOut {
    id: String,
    sub: Option<Box<str>>,
    email: Option<Box<str>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum RelatedOut {
    User { username: String, sub: String, because: &'static str },
    Row { id: String, because: &'static str },
}

pub(super) fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Scan { first: first(report), entries: report })?;
    writeln!(out)
}

/// The same, a line each: all but the entries, then every entry.
pub(super) fn write_lines(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &first(report))?;
    writeln!(out)?;
    for entry in report.leads().into_iter().filter_map(|lead| entry(report, lead)) {
        serde_json::to_writer(&mut *out, &entry)?;
        writeln!(out)?;
    }
    Ok(())
}

impl Head {
    pub(crate) fn of(linker: &Linker, pool: &str, scanned_at: Timestamp, complete: bool) -> Self {
        let counts = linker.counts();
        let (users, rows) = linker.len();
        Self {
            scanned_at: scanned_at.to_string(),
            pool: pool.to_owned(),
            users,
            rows,
            complete,
            situations: counts.situations().map(|(situation, count)| (situation.name(), count)).collect(),
            flags: counts.flags().map(|(flag, count)| (flag.name(), count)).collect(),
        }
    }
}

fn first<'a>(report: &'a Report<'a>) -> First<'a> {
    let since = report.before.as_ref().map(|before| SinceOut { scanned_at: before.at.to_string(), gone: report });
    First { head: Head::of(report.linker, report.pool, report.scanned_at, report.complete), since }
}

/// The shape of the contract with entries as they come, one after the other.
pub(crate) struct JsonEntries<W: Write> {
    out: W,
    none_yet: bool,
}

impl<W: Write> JsonEntries<W> {
    pub(crate) fn new(mut out: W, head: &Head) -> io::Result<Self> {
        let head = serde_json::to_string(head)?;
        write!(out, "{},\"entries\":[", head.strip_suffix('}').unwrap_or(&head))?;
        Ok(Self { out, none_yet: true })
    }

    pub(crate) fn entry(&mut self, entry: Entry, explained: Explanation) -> io::Result<()> {
        self.out.write_all(if std::mem::take(&mut self.none_yet) { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.out, &entry_out(entry, explained, None))?;
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}

/// One entry after the other, so that a large result is never held twice.
fn entries<S: Serializer>(report: &Report<'_>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(report.leads().into_iter().filter_map(|lead| entry(report, lead)))
}

fn all_gone<S: Serializer>(report: &Report<'_>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(report.gone().map(gone))
}

fn entry(report: &Report<'_>, lead: Lead) -> Option<EntryOut> {
    let since = report.since(lead).map(|since| match since {
        Since::New => Change::New,
        Since::Changed(was) => Change::Changed { was: was.name() },
    });
    let entry = report.linker.entry_of(lead, usize::MAX)?;
    let explained = report.linker.explain(&entry.lead()?)?;
    Some(entry_out(entry, explained, since))
}

fn entry_out(entry: Entry, explained: Explanation, since: Option<Change>) -> EntryOut {
    EntryOut {
        situation: entry.situation.name(),
        group: entry.situation.group().name(),
        users: entry.users.into_iter().map(user).collect(),
        rows: entry.rows.into_iter().map(row).collect(),
        flags: entry.flags.iter().map(userlink_domain::Flag::name).collect(),
        related: explained.related.into_iter().map(related).collect(),
        why: explained.why,
        repair: explained.repair.steps,
        safe: explained.repair.safe,
        since,
    }
}

/// Who is gone is named by its keys: of an earlier scan no more may have been kept.
fn gone(entry: Entry) -> Gone {
    Gone {
        situation: entry.situation.name(),
        users: entry.users.iter().map(|user| user.sub.to_string()).collect(),
        rows: entry.rows.iter().map(|row| row.id.to_string()).collect(),
    }
}

fn user(user: PoolUser) -> UserOut {
    UserOut {
        username: user.username.as_str().to_owned(),
        sub: user.sub.to_string(),
        user_id: user.user_id,
        email: user.email,
        email_verified: user.email_verified,
        status: user.status.as_str().to_owned(),
        enabled: user.enabled,
    }
}

fn row(row: Row) -> RowOut {
    RowOut { id: row.id.to_string(), sub: row.sub, email: row.email }
}

fn related(related: Related) -> RelatedOut {
    match related {
        Related::User { sub, username, because } => {
            RelatedOut::User { username: username.as_str().to_owned(), sub: sub.to_string(), because: because.name() }
        }
        Related::Row { id, because } => RelatedOut::Row { id: id.to_string(), because: because.name() },
    }
}
