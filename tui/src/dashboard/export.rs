//! Writing what is shown into a file, on a thread of its own, a few hundred entries at a time: the linker answers keys
//! in between.
//!
//! The file is there when it is whole and not before, for its owner alone, and no file is ever written over.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use userlink_domain::{Group, Timestamp};
use userlink_link::{Entry, Explanation, Lead};
use userlink_ui::{Event, Export, ExportFormat, ViewSpec, masked};

use super::worker::Question;
use crate::clock;
use crate::output::{CsvEntries, Head, JsonEntries};

/// Entries that are asked for at once.
const CHUNK: usize = 400;

/// A view as it was when the export began.
pub(super) struct Frozen {
    pub(super) leads: Vec<Lead>,
    /// Of which linker; another one knows nothing of these leads.
    pub(super) epoch: u64,
    pub(super) head: Head,
}

/// An entry with why it is what it is.
pub(super) type Explained = (Entry, Explanation);

/// An export under way.
pub(super) struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Drops it: what was written of the file goes.
    pub(super) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the export did not end well");
        }
    }
}

/// Begins an export.
pub(super) fn begin(
    export: Export,
    context: String,
    worker: mpsc::UnboundedSender<Question>,
    to: mpsc::Sender<Event>,
) -> io::Result<Running> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
        let ended = write(&export, &context, &worker, &to, &stopped);
        let ended = ended.map_err(|failed| failed.words(&export.folder));
        if !stopped.load(Ordering::Relaxed) {
            // Without a dashboard there is nobody to tell.
            drop(to.blocking_send(Event::Exported(ended)));
        }
    })?;
    Ok(Running { stop, thread })
}

/// Why there is no file.
enum Failed {
    /// Nobody wants it any more.
    Stopped,
    /// Another scan took the place of what was being written.
    Replaced,
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Failed {
    fn words(&self, folder: &str) -> String {
        match self {
            Self::Stopped => "The export was stopped: there is no file.".to_owned(),
            Self::Replaced => {
                "A new scan took the place of what was being exported: there is no file. Export again.".to_owned()
            }
            Self::Io(error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "there is no such folder".to_owned(),
                    io::ErrorKind::PermissionDenied => "you may not write there".to_owned(),
                    kind => kind.to_string(),
                };
                format!("Nothing was exported into {folder}: {why}.")
            }
        }
    }
}

fn write(
    export: &Export,
    context: &str,
    worker: &mpsc::UnboundedSender<Question>,
    to: &mpsc::Sender<Event>,
    stop: &AtomicBool,
) -> Result<(String, u64), Failed> {
    let folder = folder(&export.folder)?;
    // Made with mode 0600, and removed where it is not kept.
    let mut made = tempfile::Builder::new().prefix(".userlink-").tempfile_in(&folder)?;
    let frozen = ask(worker, |answer| Question::Freeze(export.spec.clone(), answer))?;
    let of = frozen.leads.len() as u64;
    let mut out = Out::new(export.format, BufWriter::new(made.as_file_mut()), &frozen.head)?;
    let mut written = 0;
    for leads in frozen.leads.chunks(CHUNK) {
        if stop.load(Ordering::Relaxed) {
            return Err(Failed::Stopped);
        }
        let (leads, epoch) = (leads.to_vec(), frozen.epoch);
        let entries = ask(worker, |answer| Question::Entries { leads, epoch, answer })?.ok_or(Failed::Replaced)?;
        for (entry, explanation) in entries {
            let explained = if export.masked { masked(&entry, explanation) } else { (entry, explanation) };
            out.entry(explained)?;
            written += 1;
        }
        // How far it is may be left out where nobody has time to hear it.
        drop(to.try_send(Event::Exporting { done: written, of }));
    }
    out.end()?;
    made.as_file().sync_all()?;
    let path = keep(made, &folder, &file_name(context, &export.spec, clock::now()), export.format)?;
    Ok((path.display().to_string(), written))
}

fn ask<T>(
    worker: &mpsc::UnboundedSender<Question>,
    question: impl FnOnce(oneshot::Sender<T>) -> Question,
) -> Result<T, Failed> {
    let (ask, answer) = oneshot::channel();
    worker.send(question(ask)).map_err(|_| Failed::Stopped)?;
    answer.blocking_recv().map_err(|_| Failed::Stopped)
}

/// The folder that was named; `~` is the home directory, and nothing is where the program was started.
fn folder(named: &str) -> io::Result<PathBuf> {
    let home = || directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let path = match named.trim() {
        "" => PathBuf::from("."),
        "~" => home().ok_or(io::ErrorKind::NotFound)?,
        other => match other.strip_prefix("~/") {
            Some(rest) => home().ok_or(io::ErrorKind::NotFound)?.join(rest),
            None => PathBuf::from(other),
        },
    };
    std::path::absolute(path)
}

/// `userlink-prod-eu-unlinked-20261123-100000`. The filter is left out: a name stands in it, more often than not.
fn file_name(context: &str, spec: &ViewSpec, now: Timestamp) -> String {
    let group = spec.group.map_or("all", Group::name);
    let plain: String = context.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let at: String = now.to_string().chars().filter(char::is_ascii_digit).collect();
    let (day, time) = at.split_at(8.min(at.len()));
    format!("userlink-{plain}-{group}-{day}-{time}")
}

/// Gives the file its name: the first that nobody has.
fn keep(mut made: tempfile::NamedTempFile, folder: &Path, name: &str, format: ExportFormat) -> io::Result<PathBuf> {
    for number in 1..1_000 {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{name}{number}.{}", format.extension()));
        match made.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => made = error.file,
            Err(error) => return Err(error.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

enum Out<W: Write> {
    Csv(Box<CsvEntries<W>>),
    Json(JsonEntries<W>),
}

impl<W: Write> Out<W> {
    fn new(format: ExportFormat, out: W, head: &Head) -> io::Result<Self> {
        Ok(match format {
            ExportFormat::Csv => Self::Csv(Box::new(CsvEntries::new(out)?)),
            ExportFormat::Json => Self::Json(JsonEntries::new(out, head)?),
        })
    }

    fn entry(&mut self, (entry, explanation): Explained) -> io::Result<()> {
        match self {
            Self::Csv(out) => out.entry(&entry),
            Self::Json(out) => out.entry(entry, explanation),
        }
    }

    fn end(self) -> io::Result<()> {
        match self {
            Self::Csv(out) => out.end(),
            Self::Json(out) => out.end(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn no_file_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for text in ["one", "two", "three"] {
            let mut made = tempfile::Builder::new().tempfile_in(folder.path()).unwrap();
            made.write_all(text.as_bytes()).unwrap();
            paths.push(keep(made, folder.path(), "it", ExportFormat::Csv).unwrap());
        }
        let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["it.csv", "it-2.csv", "it-3.csv"]);
        assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), "one");
    }

    #[test]
    fn the_name_says_what_and_when_and_nothing_of_a_person() {
        let spec =
            ViewSpec { group: Some(Group::Unlinked), filter: "ada@example.org".to_owned(), ..ViewSpec::default() };
        let now = Timestamp::from_millis(1_795_428_000_000);
        assert_eq!(file_name("prod/eu", &spec, now), "userlink-prod_eu-unlinked-20261123-100000");
    }

    #[test]
    fn a_folder_is_where_it_was_named() {
        assert!(folder("").unwrap().is_absolute());
        assert_eq!(folder("/tmp").unwrap(), Path::new("/tmp"));
        assert!(folder("~/x").unwrap().ends_with("x"));
        assert!(!folder("~/x").unwrap().starts_with("~"));
    }
}
