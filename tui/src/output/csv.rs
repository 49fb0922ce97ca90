//! CSV: one line a user or row, with the number of its entry.

use std::io::{self, Write};

use userlink_link::Entry;

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

/// Entries as they come, one after the other.
pub(crate) struct CsvEntries<W: Write> {
    csv: ::csv::Writer<W>,
    number: u64,
}

impl<W: Write> CsvEntries<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let mut csv = ::csv::Writer::from_writer(out);
        csv.write_record(HEAD).map_err(of_io)?;
        Ok(Self { csv, number: 0 })
    }

    pub(crate) fn entry(&mut self, entry: &Entry) -> io::Result<()> {
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
            self.csv.write_record(head.iter().chain(&cells)).map_err(of_io)?;
        }
        for row in &entry.rows {
            let (sub, email) = (row.sub.as_deref().unwrap_or_default(), row.email.as_deref().unwrap_or_default());
            let cells = ["row", &row.id.to_string(), sub, "", email, "", "", ""].map(harmless);
            self.csv.write_record(head.iter().chain(&cells)).map_err(of_io)?;
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
    let mut csv = CsvEntries::new(out)?;
    for entry in report.leads().into_iter().filter_map(|lead| report.linker.entry_of(lead, usize::MAX)) {
        csv.entry(&entry)?;
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
