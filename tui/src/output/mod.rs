//! The result of a scan, for scripts and for people: JSON, CSV, a table.
//!
//! It goes to standard output or into a file, and nothing else does.

mod csv;
mod json;
mod table;

use std::io::{self, BufWriter, Write};
use std::path::Path;

use userlink_domain::{Group, RecordRef, Timestamp};
use userlink_link::Linker;

use crate::cli::Format;

/// What is printed.
pub(crate) struct Report<'a> {
    pub(crate) linker: &'a Linker,
    pub(crate) pool: &'a str,
    pub(crate) scanned_at: Timestamp,
    pub(crate) complete: bool,
    /// Whether linked entries are printed, too.
    pub(crate) all: bool,
}

impl Report<'_> {
    /// One record of each entry that is printed, in the order in which they were read.
    fn entries(&self) -> Vec<RecordRef> {
        self.linker.of_situation(|situation| self.all || situation.group() != Group::Linked)
    }
}

/// Writes the report to a file, or to standard output.
pub(crate) fn write(report: &Report<'_>, format: Format, file: Option<&Path>) -> io::Result<()> {
    match file {
        Some(path) => {
            let mut out = BufWriter::new(private_file(path)?);
            write_to(report, format, &mut out)?;
            out.flush()
        }
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            write_to(report, format, &mut out)?;
            out.flush()
        }
    }
}

/// A file of people's data is for its owner alone.
fn private_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_to(report: &Report<'_>, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => json::write(report, out),
        Format::Csv => csv::write(report, out),
        Format::Table => table::write(report, out),
    }
}
