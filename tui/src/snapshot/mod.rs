//! The last scan, kept on disk: the dashboard opens with it at once, and a scan can be compared with it.
//!
//! One file a context, for its owner alone, written as the scan tells and put in the place of the last one when the scan is
//! complete. It holds other people's accounts: `pointers` keeps of an e-mail, a phone number and a name only a hash, made
//! with a key of the file's own, so that what was equal stays equal; `off` keeps nothing; what is old goes.

mod record;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use userlink_domain::{IdKind, Timestamp};
use userlink_link::{Change, Coverage};

use record::{Hasher, Record};

/// The first bytes of a file, and the version of what follows.
const MAGIC: &[u8; 9] = b"userlink\x01";
/// A frame is never longer; a length that says otherwise is damage.
const LONGEST: u32 = 64 << 20;
/// What is older is not shown any more, and removed.
const OLDEST_MILLIS: i64 = 30 * 24 * 3_600_000;

/// How a file ends that is no whole scan yet.
const UNFINISHED: &str = ".new";
/// A scan that has written nothing for so long was killed.
const LEFT_OVER: Duration = Duration::from_secs(24 * 3600);

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

#[derive(Serialize, Deserialize)]
struct Head {
    of: Of,
    began: i64,
    key: Option<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
enum Frame {
    Head(Head),
    Records(Vec<Record>),
    /// Both sides were read and settled.
    End {
        at: i64,
    },
}

/// The same for the same text, and tells nothing of it.
pub(crate) fn fingerprint(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
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
    pub(crate) finished: Timestamp,
    /// In the order in which they were told, and at the end that everything has been read.
    pub(crate) changes: Vec<Vec<Change>>,
}

impl Shelf {
    /// The usual place; none without a home directory.
    pub(crate) fn of_context(name: &str, keep: Keep) -> Option<Self> {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let dirs = directories::BaseDirs::new()?;
        Some(Self { path: dirs.data_local_dir().join("userlink").join(format!("scan-{name}.bin")), keep })
    }

    /// The last complete scan of just this; none where there is none, or it is damaged, too old, or of something else.
    pub(crate) fn last(&self, now: Timestamp) -> Option<Kept> {
        if self.keep == Keep::Off {
            // What was kept before somebody said so.
            self.forget().ok()?;
            return None;
        }
        let kept = read(&self.path).inspect_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(kind = ?error.kind(), "the last scan cannot be read");
            }
        });
        let kept = kept.ok()??;
        if now.since(kept.finished) > OLDEST_MILLIS {
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
            Keep::Pointers => Some(record::fresh_key()),
        };
        std::fs::create_dir_all(self.folder())?;
        self.sweep(|age| age > LEFT_OVER);
        // A file of its own, for its owner alone: another program of this context may be scanning, too.
        let file = tempfile::Builder::new().prefix(&self.prefix()).suffix(UNFINISHED).tempfile_in(self.folder())?;
        let mut out = BufWriter::new(file);
        out.write_all(MAGIC)?;
        let mut writer = Writer { out, shelf: self.clone(), hasher: key.map(Hasher::new) };
        writer.frame(&Frame::Head(Head { of: of.clone(), began: began.as_millis(), key }))?;
        Ok(Some(writer))
    }

    /// Removes what is kept. True where there was something.
    pub(crate) fn forget(&self) -> io::Result<bool> {
        let unfinished = self.sweep(|_| true);
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(unfinished),
            Err(error) => Err(error),
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn prefix(&self) -> String {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy();
        format!(".{name}-")
    }

    /// Removes what scans that were killed have left, as far as it is as old as is asked for. True where there was any.
    fn sweep(&self, is_meant: impl Fn(Duration) -> bool) -> bool {
        let Ok(files) = std::fs::read_dir(self.folder()) else { return false };
        let (prefix, mut any) = (self.prefix(), false);
        for file in files.flatten() {
            let name = file.file_name();
            let name = name.to_string_lossy();
            let age = || file.metadata().and_then(|it| it.modified()).ok()?.elapsed().ok();
            if name.starts_with(&prefix) && name.ends_with(UNFINISHED) && age().is_some_and(&is_meant) {
                any |= std::fs::remove_file(file.path()).is_ok();
            }
        }
        any
    }
}

/// A scan that is being kept. Dropped before its end, it is not the last scan.
#[derive(Debug)]
pub(crate) struct Writer {
    out: BufWriter<NamedTempFile>,
    shelf: Shelf,
    hasher: Option<Hasher>,
}

impl Writer {
    pub(crate) fn add(&mut self, changes: &[Change]) -> io::Result<()> {
        let records: Vec<Record> =
            changes.iter().filter_map(|change| Record::of(change, self.hasher.as_ref())).collect();
        if records.is_empty() { Ok(()) } else { self.frame(&Frame::Records(records)) }
    }

    /// The scan is complete: from now on it is the last one.
    pub(crate) fn finish(mut self, at: Timestamp) -> io::Result<()> {
        self.frame(&Frame::End { at: at.as_millis() })?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.shelf.path)?;
        Ok(())
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let bytes = postcard::to_stdvec(frame).map_err(io::Error::other)?;
        let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.out.write_all(&len.to_le_bytes())?;
        self.out.write_all(&bytes)
    }
}

fn read(path: &Path) -> io::Result<Option<Kept>> {
    let mut from = BufReader::new(File::open(path)?);
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Ok(None);
    }
    let Some(Frame::Head(Head { of, .. })) = next(&mut from)? else { return Ok(None) };
    let mut changes = Vec::new();
    while let Some(frame) = next(&mut from)? {
        match frame {
            Frame::Records(records) => changes.push(records.into_iter().map(Record::into_change).collect()),
            Frame::End { at } => {
                changes.push(vec![Change::Covered(Coverage::ALL)]);
                return Ok(Some(Kept { of, finished: Timestamp::from_millis(at), changes }));
            }
            Frame::Head(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// The next frame; none at the end, or where the rest is cut off.
fn next(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut len = [0; 4];
    if let Err(error) = from.read_exact(&mut len) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let len = u32::from_le_bytes(len);
    if len > LONGEST {
        return Ok(None);
    }
    let mut bytes = vec![0; len as usize];
    if let Err(error) = from.read_exact(&mut bytes) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    Ok(postcard::from_bytes(&bytes).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use userlink_domain::{PoolUser, Row, RowId, Sub};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn of() -> Of {
        Of {
            what: What {
                pool_id: "eu-west-1_A".into(),
                attribute: "custom:userId".into(),
                table: "app.users".into(),
                by: String::new(),
            },
            id_kind: IdKind::BigInt,
            sub_unique: false,
        }
    }

    fn shelf(folder: &Path, keep: Keep) -> Shelf {
        Shelf { path: folder.join("scan-a.bin"), keep }
    }

    fn changes() -> Vec<Change> {
        let mut user = PoolUser::new(Sub::from_u128(7), "ada@example.org");
        user.email = Some(" Ada@Example.org".into());
        user.email_verified = true;
        user.phone = Some("+491701234567".into());
        user.user_id = Some("42".into());
        let mut row = Row::new(RowId::BigInt(42));
        row.email = Some("ada@example.ORG".into());
        row.sub = Some(Sub::from_u128(7).to_string().into());
        row.show = vec![Some("gold".into()), None];
        vec![
            Change::User(user),
            Change::Row(row),
            Change::UserGone(Sub::from_u128(9)),
            Change::RowGone(RowId::BigInt(1)),
        ]
    }

    fn keep(shelf: &Shelf) {
        let mut writer = shelf.begin(&of(), NOW).unwrap().unwrap();
        writer.add(&changes()).unwrap();
        writer.finish(NOW).unwrap();
    }

    #[test]
    fn what_was_kept_in_full_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), Keep::Full);
        assert!(shelf.last(NOW).is_none());
        keep(&shelf);
        let kept = shelf.last(NOW).unwrap();
        assert_eq!((kept.of, kept.finished), (of(), NOW));
        assert_eq!(format!("{:?}", kept.changes[0]), format!("{:?}", changes()));
        let [Change::User(was), Change::Row(row), ..] = &kept.changes[0][..] else { panic!() };
        let [Change::User(is), Change::Row(is_row), ..] = &changes()[..] else { panic!() };
        assert!(was == is && row == is_row);
    }

    #[test]
    fn pointers_hold_nobody_s_name_and_what_was_equal_stays_equal() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), Keep::Pointers);
        keep(&shelf);
        let bytes = std::fs::read(&shelf.path).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for name in ["ada", "example", "1701234567", "gold"] {
            assert!(!text.contains(name), "{name}");
        }
        let kept = shelf.last(NOW).unwrap();
        let [Change::User(user), Change::Row(row), ..] = &kept.changes[0][..] else { panic!() };
        assert_eq!(user.verified_email(), row.email_key());
        assert_eq!(user.user_id(), Some("42"));
    }

    #[cfg(unix)]
    #[test]
    fn it_is_for_its_owner_alone_and_can_be_forgotten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), Keep::Full);
        keep(&shelf);
        assert_eq!(std::fs::metadata(&shelf.path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(shelf.forget().unwrap());
        assert!(!shelf.forget().unwrap());
        assert!(shelf.last(NOW).is_none());
    }

    #[test]
    fn what_is_cut_off_damaged_or_old_is_not_the_last_scan() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), Keep::Full);
        keep(&shelf);
        let whole = std::fs::read(&shelf.path).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&shelf.path, &whole[..end]).unwrap();
            assert!(shelf.last(NOW).is_none(), "cut off at {end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            std::fs::write(&shelf.path, &damaged).unwrap();
            drop(shelf.last(NOW)); // It may be read, and must not panic.
        }
        std::fs::write(&shelf.path, &whole).unwrap();
        let later = Timestamp::from_millis(NOW.as_millis() + OLDEST_MILLIS + 1);
        assert!(shelf.last(later).is_none());
        assert!(!shelf.path.exists(), "what is old goes");
    }

    #[test]
    fn an_unfinished_scan_leaves_the_last_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), Keep::Full);
        keep(&shelf);
        let mut writer = shelf.begin(&of(), NOW).unwrap().unwrap();
        writer.add(&changes()).unwrap();
        std::mem::forget(writer); // As a program does that is killed.
        assert!(shelf.last(NOW).is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(shelf.forget().unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing of it is left");
        assert!(Shelf { keep: Keep::Off, ..shelf }.begin(&of(), NOW).unwrap().is_none());
    }
}
