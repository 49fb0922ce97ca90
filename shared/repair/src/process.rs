//! Which runs of the program have ended on this machine.
//!
//! A step that was left open by a run that has ended can be looked at at once; one of a run that may still be at it, here or
//! elsewhere, cannot. Each run holds a lock on a file of its own, which the operating system lets go of however the run ends.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

/// What a run leaves behind is removed by one that begins so much later. By then its steps are over by their age.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// This run of the program. It is under way until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Process {
    id: Uuid,
    /// The runs that had ended when this one began.
    ended: Arc<HashSet<Uuid>>,
    _lock: Option<Arc<File>>,
}

impl Process {
    /// Begins a run that later ones on this machine can see to have ended. The folder is made where there is none.
    ///
    /// # Errors
    /// Where no file can be made or locked there.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let ended = ended(folder);
        let id = Uuid::now_v7();
        // It has its name only when it is locked: without a lock it would say that this run has ended.
        let unnamed = folder.join(format!("{id}.new"));
        let file = File::create(&unnamed)?;
        file.lock()?;
        fs::rename(&unnamed, path(folder, id))?;
        Ok(Self { id, ended: Arc::new(ended), _lock: Some(Arc::new(file)) })
    }

    /// A run whose end nobody can see, and which sees nobody's.
    pub fn unseen() -> Self {
        Self { id: Uuid::now_v7(), ended: Arc::default(), _lock: None }
    }

    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whether another run is known to have ended before this one began. Of one on another machine nothing is known.
    pub fn has_ended(&self, other: Uuid) -> bool {
        self.ended.contains(&other)
    }
}

fn path(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.run"))
}

/// The runs whose locks nobody holds. What is old of them goes.
fn ended(folder: &Path) -> HashSet<Uuid> {
    let mut ended = HashSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_suffix(".run")).and_then(|id| Uuid::try_parse(id).ok());
        let Some(run) = run.filter(|_| File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())) else {
            continue;
        };
        ended.insert(run);
        let began = entry.metadata().and_then(|metadata| metadata.modified());
        if began.ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > KEPT) {
            // Somebody else may remove it at the same time.
            drop(fs::remove_file(entry.path()));
        }
    }
    ended
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_run_has_ended_when_nothing_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Process::begin(folder.path()).unwrap(), Process::begin(folder.path()).unwrap());
        let first_id = first.id();
        assert!(!second.has_ended(first_id) && !second.has_ended(second.id()));
        let clone = first.clone();
        drop(first);
        assert!(!Process::begin(folder.path()).unwrap().has_ended(first_id), "a part of it still runs");
        drop(clone);
        let later = Process::begin(folder.path()).unwrap();
        assert!(later.has_ended(first_id) && !later.has_ended(second.id()));
        assert!(!later.has_ended(Uuid::now_v7()), "it may be on another machine");
        assert!(!Process::unseen().has_ended(first_id));
    }

    #[test]
    fn what_a_run_left_behind_is_seen_once_more_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let old = Process::begin(folder.path()).unwrap().id();
        let file = File::options().write(true).open(path(folder.path(), old)).unwrap();
        file.set_modified(std::time::SystemTime::now() - 2 * KEPT).unwrap();
        drop(file);
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        assert!(Process::begin(folder.path()).unwrap().has_ended(old));
        assert!(!path(folder.path(), old).exists() && folder.path().join("notes.txt").exists());
    }
}
