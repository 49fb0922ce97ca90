//! Repairs as commands: the same plans, guards and steps as everywhere, from `userlink_repair`.

pub(crate) mod apply;
pub(crate) mod dismiss;
pub(crate) mod history;
pub(crate) mod journal;
mod only;
pub(crate) mod plan;
mod print;
pub(crate) mod show;

use std::io::{IsTerminal as _, Write as _, stderr, stdin};
use std::path::Path;

use crate::start::Failure;

fn failure(text: impl Into<String>) -> Failure {
    Failure { text: text.into(), settings: false }
}

fn usage(text: impl Into<String>) -> Failure {
    Failure { text: text.into(), settings: true }
}

/// Asks at the terminal, and refuses where there is none.
fn ask(question: &str) -> Result<String, Failure> {
    if !stdin().is_terminal() {
        return Err(usage("Nobody is there to confirm. Look at the plan, and say --yes."));
    }
    drop(write!(stderr(), "{question} "));
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(|error| failure(format!("Nothing could be read: {}.", error.kind())))?;
    Ok(answer.trim().to_owned())
}

/// Writes a file for its owner alone. It is there when all of it is.
fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::Builder::new().prefix(".userlink-").tempfile_in(folder).and_then(|mut made| {
        writeln!(made, "{text}")?;
        made.as_file().sync_all()?;
        made.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| failure(format!("{} cannot be written: {}.", path.display(), error.kind())))
}
