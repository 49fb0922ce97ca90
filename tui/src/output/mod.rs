//! The result of a scan, for scripts and for people: JSON, CSV, a table.
//!
//! It goes to standard output or into a file, and nothing else does.

mod csv;
mod json;
mod table;

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use userlink_domain::{PoolUser, Situation, Timestamp};
use userlink_link::{Earlier, Entry, Lead, Linker, Since};

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
    pub(crate) earlier: Earlier,
}

impl Report<'_> {
    /// The entries that are printed, in the order in which they were read.
    fn leads(&self) -> Vec<Lead> {
        if self.before.is_none() {
            return self.linker.leads_of(|situation| self.all || situation != Situation::Linked).collect();
        }
        // A user who was linked from the beginning is no news; one who is now, is.
        let is_news = |lead: &Lead| match self.since(*lead) {
            None => false,
            Some(Since::Changed(_)) => true,
            Some(Since::New) => {
                self.all || self.linker.judged(*lead).is_some_and(|(situation, _)| situation != Situation::Linked)
            }
        };
        self.linker.leads_of(|_| true).filter(is_news).collect()
    }

    /// What happened to an entry. None where nothing did, or there is nothing to compare with.
    fn since(&self, lead: Lead) -> Option<Since> {
        self.linker.since(&self.before.as_ref()?.earlier, lead)
    }

    /// How many entries of the earlier scan there are of which no record is there any more.
    fn gone_count(&self) -> usize {
        self.before.as_ref().map_or(0, |before| self.linker.gone_since(&before.earlier).count())
    }

    /// And these entries.
    fn gone(&self) -> impl Iterator<Item = Entry> {
        let before = self.before.iter();
        before.flat_map(|before| {
            let gone = self.linker.gone_since(&before.earlier);
            gone.filter_map(|lead| self.linker.gone_entry(&before.earlier, lead))
        })
    }
}

/// Who is gone is named by its keys: of an earlier scan no more may have been kept.
fn keys_alone(mut entry: Entry) -> Entry {
    for user in &mut entry.users {
        *user = PoolUser { status: user.status.clone(), enabled: user.enabled, ..PoolUser::new(user.sub, "") };
    }
    for row in &mut entry.rows {
        row.email = None;
    }
    entry
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
