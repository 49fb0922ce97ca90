//! The result of a scan, for scripts and for people: JSON, CSV, a table.
//!
//! It goes to standard output or into a file, and nothing else does.

mod csv;
mod json;
mod table;

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use userlink_domain::{RecordRef, Situation, Timestamp};
use userlink_link::{Entry, Linker};

use crate::cli::Format;
use crate::commands::Stop;

pub(crate) use csv::CsvEntries;
pub(crate) use json::{Head, JsonEntries};

/// What is printed.
pub(crate) struct Report<'a> {
    pub(crate) linker: &'a Linker,
    pub(crate) pool: &'a str,
    pub(crate) scanned_at: Timestamp,
    pub(crate) complete: bool,
    /// Whether linked entries are printed, too.
    pub(crate) all: bool,
    /// What this scan is compared with.
    pub(crate) before: Option<Before>,
}

/// An earlier scan.
pub(crate) struct Before {
    pub(crate) at: Timestamp,
    pub(crate) linker: Linker,
}

/// What happened to an entry since an earlier scan.
pub(crate) enum Since {
    /// None of its records was there.
    New,
    /// A record of it was in an entry of another situation.
    Changed(Situation),
}

impl Report<'_> {
    /// One record of each entry that is printed, in the order in which they were read.
    fn entries(&self) -> Vec<RecordRef> {
        if self.before.is_none() {
            return self.linker.of_situation(|situation| self.all || situation != Situation::Linked);
        }
        // A user who was linked from the beginning is no news; one who is now, is.
        let is_news = |of: &RecordRef| match self.since(of) {
            None => false,
            Some(Since::Changed(_)) => true,
            Some(Since::New) => {
                self.all || self.linker.entry(of).is_some_and(|entry| entry.situation != Situation::Linked)
            }
        };
        self.linker.of_situation(|_| true).into_iter().filter(is_news).collect()
    }

    /// What happened to the entry of a record. None where nothing did, or there is nothing to compare with.
    fn since(&self, of: &RecordRef) -> Option<Since> {
        let before = &self.before.as_ref()?.linker;
        let entry = self.linker.entry(of)?;
        let mut was = records(&entry).filter_map(|of| before.entry(&of)).peekable();
        if was.peek().is_none() {
            return Some(Since::New);
        }
        // Who has another row than before is news, though both are linked.
        let of_now: HashSet<RecordRef> = records(&entry).collect();
        let is_other = |was: &Entry| was.situation != entry.situation || records(was).collect::<HashSet<_>>() != of_now;
        was.find(is_other).map(|was| Since::Changed(was.situation))
    }

    /// The entries of the earlier scan of which no record is there any more.
    fn gone(&self) -> Vec<Entry> {
        let Some(before) = &self.before else { return Vec::new() };
        let all = before.linker.of_situation(|_| true);
        let entries = all.iter().filter_map(|of| before.linker.entry(of));
        entries.filter(|entry| records(entry).all(|of| self.linker.entry(&of).is_none())).collect()
    }
}

fn records(entry: &Entry) -> impl Iterator<Item = RecordRef> {
    let users = entry.users.iter().map(|user| RecordRef::User(user.sub));
    users.chain(entry.rows.iter().map(|row| RecordRef::Row(row.id.clone())))
}

/// Writes the report to a file, or to standard output, until it is told to stop.
///
/// A file is there when all of it is, and is for its owner alone: what was there before stays until then.
pub(crate) fn write(report: &Report<'_>, format: Format, file: Option<&Path>, stop: &Stop) -> io::Result<()> {
    let Some(path) = file else {
        let mut out = BufWriter::new(Stoppable { out: io::stdout().lock(), stop });
        write_to(report, format, &mut out)?;
        return out.flush();
    };
    // What is no plain file, as a terminal or a pipe is none, cannot be replaced.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let mut out = BufWriter::new(Stoppable { out: OpenOptions::new().write(true).open(path)?, stop });
        write_to(report, format, &mut out)?;
        return out.flush();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600, and removed where it is not kept.
    let mut made = tempfile::Builder::new().prefix(".userlink-").tempfile_in(folder)?;
    let mut out = BufWriter::new(Stoppable { out: made.as_file_mut(), stop });
    write_to(report, format, &mut out)?;
    out.flush()?;
    drop(out);
    made.persist(path)?;
    Ok(())
}

struct Stoppable<'a, W> {
    out: W,
    stop: &'a Stop,
}

impl<W: Write> Write for Stoppable<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write_to(report: &Report<'_>, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => json::write(report, out),
        Format::Jsonl => json::write_lines(report, out),
        Format::Csv => csv::write(report, out),
        Format::Table => table::write(report, out),
    }
}
