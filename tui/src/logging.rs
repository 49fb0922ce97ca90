//! The log: into a file where one is named, and the last of it in memory for the dashboard. It holds no names, e-mails or secrets, because nothing that is
//! logged does.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::settings::SettingsError;

/// Begins to log into the file, if there is one; else, if more is asked for and nobody draws there, to standard error.
pub(crate) fn begin(file: Option<&Path>, verbose: u8, to_stderr: bool) -> Result<(), SettingsError> {
    let Some(path) = file else {
        return match (verbose, to_stderr) {
            (0, true) => Ok(()),
            (_, true) => log_to(io::stderr, verbose),
            (_, false) => log_to(|| Recent, verbose),
        };
    };
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options
        .open(path)
        .and_then(|mut file| writeln!(file, "userlink {} begins", env!("CARGO_PKG_VERSION")).map(|()| file));
    let file = opened.map_err(|error| {
        SettingsError::new(format!(
            "The log file {} cannot be written: {}. Name another with --log-file.",
            path.display(),
            error.kind()
        ))
    })?;
    let file = Mutex::new(Patient(file));
    if to_stderr { log_to(file, verbose) } else { log_to((|| Recent).and(file), verbose) }
}

fn log_to(to: impl for<'a> MakeWriter<'a> + Send + Sync + 'static, verbose: u8) -> Result<(), SettingsError> {
    let level = match verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    // What libraries say at finer levels may quote values.
    let filter = EnvFilter::new(format!(
        "warn,userlink={level},userlink_pool={level},userlink_db={level},userlink_repair={level}"
    ));
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(to).finish();
    tracing::subscriber::set_global_default(logger).map_err(|_| SettingsError::new("The log was begun twice."))
}

/// So many lines of the log are kept in memory.
const LINES: usize = 500;
/// And so much of one, in bytes.
const LONGEST: usize = 1_000;

/// The last lines of the log.
static RECENT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
/// How many there have been.
static LOGGED: AtomicU64 = AtomicU64::new(0);

/// Keeps the last lines in memory. One event is written at once, with its end of line.
struct Recent;

impl Write for Recent {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]).trim_end().to_owned();
        if let Ok(mut recent) = RECENT.lock() {
            if recent.len() == LINES {
                recent.pop_front();
            }
            recent.push_back(text);
            LOGGED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The last lines of the log, oldest first.
pub(crate) fn lines() -> Vec<String> {
    RECENT.lock().map(|recent| recent.iter().cloned().collect()).unwrap_or_default()
}

/// How many lines have been logged: it grows when there is something new.
pub(crate) fn logged() -> u64 {
    LOGGED.load(Ordering::Relaxed)
}

/// A log that cannot be written any more, because the disk is full say, stops nothing: it is said, once.
struct Patient(std::fs::File);

/// Whether a line of the log could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

impl Write for Patient {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.write_all(line).is_err() {
            LOST.store(true, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sentence for the person where lines of the log were lost since it was last asked.
pub(crate) fn complaint() -> Option<&'static str> {
    LOST.swap(false, Ordering::Relaxed).then_some("The log cannot be written: look at the space on its disk.")
}
