//! The last scan, kept on disk: the dashboard opens with it at once, a scan can be compared with it, and one that was
//! interrupted goes on from it.
//!
//! One file a context, for its owner alone, written as the scan tells and put in the place of the last one when the scan is
//! complete. It holds other people's accounts: `pointers` keeps of an e-mail, a phone number and a name only a hash, made
//! with a key of the context's own, so that what was equal stays equal; `off` keeps nothing; what is old goes.
//!
//! A file is frames: what was read, and between them how far the reading was. At its end is a picture, what a screen shows
//! first, so that a screen need not wait for the rest.

mod frames;
mod picture;
mod record;

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use userlink_domain::{IdKind, RowId, Timestamp};
use userlink_link::Change;
use userlink_pool::{Position, Shard};

use frames::{Frame, Frames, Head, MAGIC, WHOLE, damaged, key_of, open, take_up};
pub(crate) use picture::Picture;
pub(crate) use record::{AsKept, TableRow as KeptRow, User as KeptUser, is_not_kept};
use record::{Hasher, Record};

/// What is older is not shown any more, and removed.
const OLDEST_MILLIS: i64 = 30 * 24 * 3_600_000;
/// A scan goes on from a file that was written to this long ago at most: so long are the tokens of its pages good.
const GOES_ON_MILLIS: i64 = 55 * 60_000;
/// How often what was written is given to the operating system, at least.
const FLUSH: Duration = Duration::from_millis(500);

/// How a file ends that is no whole scan yet.
const UNFINISHED: &str = ".new";

/// What is kept of a scan on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Full,
    Pointers,
    Off,
}

/// What was scanned: with another pool or table, a snapshot is not this context's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct What {
    pub(crate) pool_id: String,
    pub(crate) attribute: String,
    /// As the settings name it.
    pub(crate) table: String,
    /// Which database, through which endpoint, by which columns, and which rows count: a hash, as a condition's value may
    /// say more than a file should.
    pub(crate) by: String,
}

/// What a snapshot is of, and what was found when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Of {
    pub(crate) what: What,
    pub(crate) id_kind: IdKind,
    pub(crate) sub_unique: bool,
}

/// What happened in a scan that was kept, in its order.
#[derive(Debug)]
pub(crate) enum Told {
    Changes(Vec<Change>),
    Anew(Shard),
}

/// How far a scan had come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// And how long ago that was.
    pub(crate) pool: Place<(Position, Duration)>,
    pub(crate) table: Place<RowId>,
    /// How what was read then compares with what is read now.
    pub(crate) as_kept: AsKept,
}

/// How far a side has been read.
#[derive(Clone, Debug, Default)]
pub(crate) enum Place<T> {
    #[default]
    Start,
    At(T),
    End,
}

/// The same for the same text, and tells nothing of it.
pub(crate) fn fingerprint(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What a context is called in the names of its files. Two whose names look alike in the letters that a file's name can have are
/// told apart by their fingerprint, and none is the beginning of another.
pub(crate) fn file_name(context: &str) -> String {
    let plain = context.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    let print: String = fingerprint(context).chars().take(8).collect();
    format!("{}.{print}", plain.take(40).collect::<String>())
}

/// A place for one context's snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    path: PathBuf,
    keep: Keep,
}

/// A complete scan that was kept.
pub(crate) struct Kept {
    pub(crate) of: Of,
    pub(crate) picture: Picture,
    /// How what was read compares with what is read now.
    pub(crate) as_kept: AsKept,
    frames: Frames,
}

impl Kept {
    pub(crate) fn finished(&self) -> Timestamp {
        self.picture.at()
    }

    /// Tells all of it once more.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged: what was told until then is not all.
    pub(crate) fn replay(mut self, mut told: impl FnMut(Told)) -> io::Result<()> {
        loop {
            match self.frames.next()? {
                Some(Frame::Records(records)) => {
                    told(Told::Changes(records.into_iter().map(Record::into_change).collect()));
                }
                Some(Frame::Anew(shard)) => told(Told::Anew(shard)),
                Some(Frame::Pool(..) | Frame::Table(..)) => {}
                Some(Frame::Picture(_)) => return Ok(()),
                Some(Frame::Head(_)) | None => return Err(damaged()),
            }
        }
    }
}

/// A scan that was interrupted, and can go on.
pub(crate) struct Unfinished {
    pub(crate) began: Timestamp,
    pub(crate) progress: Progress,
    frames: Frames,
    /// Where the last whole frame ends.
    end: u64,
    path: PathBuf,
    shelf: Shelf,
    hasher: Option<Hasher>,
}

impl Shelf {
    /// The usual place; none without a home directory.
    pub(crate) fn of_context(name: &str, keep: Keep) -> Option<Self> {
        let dirs = directories::BaseDirs::new()?;
        Some(Self { path: dirs.data_local_dir().join("userlink").join(format!("scan-{}.bin", file_name(name))), keep })
    }

    /// The last complete scan of just this; none where there is none, or it is damaged, too old, or of something else. Only
    /// its picture has been read.
    pub(crate) fn last(&self, now: Timestamp) -> Option<Kept> {
        self.sweep();
        if self.keep == Keep::Off {
            // What was kept before somebody said so.
            self.forget().ok()?;
            return None;
        }
        let kept = open(&self.path).inspect_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(kind = ?error.kind(), "the last scan cannot be read");
            }
        });
        let kept = kept.ok()?;
        if now.since(kept.finished()) > OLDEST_MILLIS {
            std::fs::remove_file(&self.path).ok()?;
            return None;
        }
        Some(kept)
    }

    /// Begins to keep a scan.
    pub(crate) fn begin(&self, of: &Of, began: Timestamp) -> io::Result<Option<Writer>> {
        let key = match self.keep {
            Keep::Off => return Ok(None),
            Keep::Full => None,
            // What this scan reads compares with what the last one kept.
            Keep::Pointers => Some(key_of(&self.path).unwrap_or_else(record::fresh_key)),
        };
        std::fs::create_dir_all(self.folder())?;
        self.sweep();
        // A file of its own, for its owner alone: another program of this context may be scanning, too.
        let file = tempfile::Builder::new().prefix(&self.prefix()).suffix(UNFINISHED).tempfile_in(self.folder())?;
        let (file, path) = file.keep()?;
        // Held as long as the scan lasts, so that nobody takes it for one that was interrupted.
        file.lock()?;
        let mut out = Counted { at: 0, out: BufWriter::new(file) };
        out.write_all(MAGIC)?;
        let flushed = Instant::now();
        let mut writer = Writer { out, path, shelf: self.clone(), hasher: key.map(Hasher::new), flushed };
        writer.frame(&Frame::Head(Head { of: of.clone(), began: began.as_millis(), key }))?;
        Ok(Some(writer))
    }

    /// A scan of just this that was interrupted a short while ago.
    pub(crate) fn unfinished(&self, of: &Of, now: Timestamp) -> Option<Unfinished> {
        if self.keep == Keep::Off {
            return None;
        }
        // One that was complete since then says more.
        let last = open(&self.path).ok().filter(|kept| kept.of.what == of.what).map(|kept| kept.finished());
        self.left_over().into_iter().find_map(|(path, file)| {
            let found = take_up(self, &path, file, of, now);
            let found = found.map(|found| found.filter(|it| last.is_none_or(|last| last <= it.began)));
            found.inspect_err(|error| tracing::warn!(kind = ?error.kind(), "a scan cannot be taken up")).ok()?
        })
    }

    /// Removes what is kept. True where there was something.
    pub(crate) fn forget(&self) -> io::Result<bool> {
        let mut any = false;
        for (path, _) in self.left_over() {
            any |= std::fs::remove_file(path).is_ok();
        }
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(any),
            Err(error) => Err(error),
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn prefix(&self) -> String {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy();
        format!(".{name}.")
    }

    /// Removes what scans of this context have left that nobody goes on with any more, and what is too old of any context:
    /// one that is never opened again would keep people's names for ever.
    fn sweep(&self) {
        let is_older = |file: io::Result<Metadata>, millis: i64| {
            let age = file.and_then(|it| it.modified()).ok().and_then(|at| at.elapsed().ok());
            age.is_some_and(|age| age.as_millis() > millis as u128)
        };
        for (path, file) in self.left_over() {
            if is_older(file.metadata(), GOES_ON_MILLIS) {
                drop(std::fs::remove_file(path));
            }
        }
        let Ok(files) = std::fs::read_dir(self.folder()) else { return };
        for file in files.flatten() {
            let name = file.file_name();
            let name = name.to_string_lossy();
            let is_scan = (name.starts_with("scan-") && name.ends_with(".bin"))
                || (name.starts_with(".scan-") && name.ends_with(UNFINISHED));
            if is_scan && is_older(file.metadata(), OLDEST_MILLIS) {
                drop(std::fs::remove_file(file.path()));
            }
        }
    }

    /// The files of scans that are over without being whole, held so that nobody else takes them.
    fn left_over(&self) -> Vec<(PathBuf, File)> {
        let Ok(files) = std::fs::read_dir(self.folder()) else { return Vec::new() };
        let prefix = self.prefix();
        let is_meant = |name: &str| name.starts_with(&prefix) && name.ends_with(UNFINISHED);
        let meant = files.flatten().filter(|file| is_meant(&file.file_name().to_string_lossy()));
        let opened = meant.filter_map(|file| {
            let opened = File::options().read(true).write(true).open(file.path()).ok()?;
            opened.try_lock().ok()?;
            Some((file.path(), opened))
        });
        opened.collect()
    }
}

/// A scan that is being kept.
#[derive(Debug)]
pub(crate) struct Writer {
    out: Counted,
    path: PathBuf,
    shelf: Shelf,
    hasher: Option<Hasher>,
    flushed: Instant,
}

/// A file, and where in it the next byte goes.
#[derive(Debug)]
struct Counted {
    at: u64,
    out: BufWriter<File>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Writer {
    pub(crate) fn add(&mut self, changes: &[Change]) -> io::Result<()> {
        let records: Vec<Record> =
            changes.iter().filter_map(|change| Record::of(change, self.hasher.as_ref())).collect();
        if records.is_empty() { Ok(()) } else { self.frame(&Frame::Records(records)) }
    }

    pub(crate) fn anew(&mut self, shard: Shard) -> io::Result<()> {
        self.frame(&Frame::Anew(shard))
    }

    /// How far the pool has been read: what was added until now is all until there.
    pub(crate) fn pool_at(&mut self, position: Option<Position>, now: Timestamp) -> io::Result<()> {
        self.frame(&Frame::Pool(now.as_millis(), position))?;
        self.now_and_then()
    }

    /// How far the table has been read.
    pub(crate) fn table_at(&mut self, after: Option<&RowId>, now: Timestamp) -> io::Result<()> {
        self.frame(&Frame::Table(now.as_millis(), after.map(record::of_id)))?;
        self.now_and_then()
    }

    fn now_and_then(&mut self) -> io::Result<()> {
        if self.flushed.elapsed() < FLUSH {
            return Ok(());
        }
        self.flushed = Instant::now();
        self.out.flush()
    }

    /// The scan is complete: from now on it is the last one.
    pub(crate) fn finish(mut self, picture: &Picture) -> io::Result<()> {
        let at = self.out.at;
        let picture = picture.kept(self.hasher.as_ref());
        self.frame(&Frame::Picture(Box::new(picture)))?;
        self.out.write_all(&at.to_le_bytes())?;
        self.out.write_all(WHOLE)?;
        self.out.flush()?;
        self.out.out.get_ref().sync_all()?;
        std::fs::rename(&self.path, &self.shelf.path)
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let bytes = postcard::to_stdvec(frame).map_err(io::Error::other)?;
        let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.out.write_all(&len.to_le_bytes())?;
        self.out.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests;
