//! CSV: one line a user or row, with the number of its entry.

use std::io::{self, Write};

use userlink_link::{Entry, Since};

use super::Report;

const HEAD: [&str; 12] = [
    "entry",
    "situation",
    "group",
    "flags",
    "kind",
    "username_or_id",
    "sub",
    "user_id",
    "email",
    "email_verified",
    "status",
    "enabled",
];

/// What has become of an entry, and what it was, where it is compared with an earlier scan.
const SINCE: [&str; 2] = ["change", "was"];

/// Entries as they come, one after the other.
pub(crate) struct CsvEntries<W: Write> {
    csv: ::csv::Writer<W>,
    number: u64,
}

impl<W: Write> CsvEntries<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        Self::with_head(out, &HEAD)
    }

    fn with_head(out: W, head: &[&str]) -> io::Result<Self> {
        let mut csv = ::csv::Writer::from_writer(out);
        csv.write_record(head).map_err(of_io)?;
        Ok(Self { csv, number: 0 })
    }

    pub(crate) fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.entry_and(entry, &[])
    }

    /// An entry with more cells at the end of each line.
    fn entry_and(&mut self, entry: &Entry, more: &[&str]) -> io::Result<()> {
        let more: Vec<String> = more.iter().map(|cell| (*cell).to_owned()).collect();
        self.number += 1;
        let flags: Vec<_> = entry.flags.iter().map(userlink_domain::Flag::name).collect();
        let head = [&self.number.to_string(), entry.situation.name(), entry.situation.group().name(), &flags.join(" ")]
            .map(str::to_owned);
        for user in &entry.users {
            let cells = [
                "user",
                user.username.as_str(),
                &user.sub.to_string(),
                user.user_id.as_deref().unwrap_or_default(),
                user.email.as_deref().unwrap_or_default(),
                if user.email_verified { "true" } else { "false" },
                user.status.as_str(),
                if user.enabled { "true" } else { "false" },
            ]
            .map(harmless);
            self.csv.write_record(head.iter().chain(&cells).chain(&more)).map_err(of_io)?;
        }
        for row in &entry.rows {
            let (sub, email) = (row.sub.as_deref().unwrap_or_default(), row.email.as_deref().unwrap_or_default());
            let cells = ["row", &row.id.to_string(), sub, "", email, "", "", ""].map(harmless);
            self.csv.write_record(head.iter().chain(&cells).chain(&more)).map_err(of_io)?;
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

fn of_io(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let compared = report.before.is_some();
    let head: Vec<&str> = HEAD.into_iter().chain(SINCE.into_iter().filter(|_| compared)).collect();
    let mut csv = CsvEntries::with_head(out, &head)?;
    for lead in report.leads() {
        let Some(entry) = report.linker.entry_of(lead, usize::MAX) else { continue };
        match report.since(lead) {
            Some(Since::New) => csv.entry_and(&entry, &["new", ""])?,
            Some(Since::Changed(was)) => csv.entry_and(&entry, &["changed", was.name()])?,
            None => csv.entry(&entry)?,
        }
    }
    for entry in report.gone() {
        csv.entry_and(&super::keys_alone(entry), &["gone", ""])?;
    }
    csv.end()
}

/// A cell that a spreadsheet would run as a formula gets an apostrophe before it. A plain number is none.
fn harmless(cell: &str) -> String {
    let risky = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    if risky && cell.parse::<i64>().is_err() { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_left_alone() {
        assert_eq!(harmless("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(harmless("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(harmless("-7"), "-7");
        assert_eq!(harmless("-7+cmd|' /C calc'!A0"), "'-7+cmd|' /C calc'!A0");
        assert_eq!(harmless("ada@example.org"), "ada@example.org");
    }
}
