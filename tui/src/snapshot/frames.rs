//! A snapshot's file, frame by frame.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use userlink_domain::Timestamp;
use userlink_pool::{Position, Shard};

use super::record::{AsKept, Hasher, Id, Key, Record};
use super::{Counted, GOES_ON_MILLIS, Keep, Kept, Of, Picture, Place, Progress, Shelf, Told, Unfinished, Writer};

/// The first bytes of a file, and the version of what follows.
pub(super) const MAGIC: &[u8; 9] = b"userlink\x02";
/// The last bytes of a file that is whole. Before them stands where the picture is.
pub(super) const WHOLE: &[u8; 8] = b"complete";
/// A frame is never longer; a length that says otherwise is damage.
const LONGEST: u32 = 64 << 20;

#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) of: Of,
    pub(super) began: i64,
    pub(super) key: Option<Key>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Frame {
    Head(Head),
    Records(Vec<Record>),
    /// A part of the pool is read from its start again.
    Anew(Shard),
    /// How far the pool had been read at a moment; to its end where there is no position.
    Pool(i64, Option<Position>),
    /// The last row that had been read; the table was read to its end where there is none.
    Table(i64, Option<Id>),
    /// Both sides were read and settled.
    Picture(Box<Picture>),
}

pub(super) fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The frames of a file, one after the other.
pub(super) struct Frames {
    from: BufReader<File>,
    /// Where the next one begins.
    at: u64,
}

impl Frames {
    /// Those of a file, and its head.
    fn new(file: File) -> io::Result<(Self, Head)> {
        let mut frames = Self { from: BufReader::with_capacity(1 << 18, file), at: MAGIC.len() as u64 };
        let mut magic = [0; MAGIC.len()];
        frames.from.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(damaged());
        }
        match frames.next()? {
            Some(Frame::Head(head)) => Ok((frames, head)),
            _ => Err(damaged()),
        }
    }

    /// The next frame; none at the end, or where the rest is cut off or damaged.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut len = [0; 4];
        if !self.fill(&mut len)? {
            return Ok(None);
        }
        let len = u32::from_le_bytes(len);
        if len > LONGEST {
            return Ok(None);
        }
        let mut bytes = vec![0; len as usize];
        if !self.fill(&mut bytes)? {
            return Ok(None);
        }
        let frame = postcard::from_bytes(&bytes).ok();
        if frame.is_some() {
            self.at += 4 + u64::from(len);
        }
        Ok(frame)
    }

    /// False where the file ends before.
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        match self.from.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn seek(&mut self, to: u64) -> io::Result<()> {
        self.at = self.from.seek(SeekFrom::Start(to))?;
        Ok(())
    }
}

/// Opens a whole scan at its first record.
pub(super) fn open(path: &Path) -> io::Result<Kept> {
    let mut file = File::open(path)?;
    let mut end = [0; 16];
    file.seek(SeekFrom::End(-16)).map_err(|_| damaged())?;
    file.read_exact(&mut end)?;
    let (at, whole) = end.split_at(8);
    if whole != WHOLE {
        return Err(damaged());
    }
    let at = u64::from_le_bytes(at.try_into().map_err(|_| damaged())?);
    file.seek(SeekFrom::Start(0))?;
    let (mut frames, Head { of, key, .. }) = Frames::new(file)?;
    let first = frames.at;
    frames.seek(at)?;
    let Some(Frame::Picture(picture)) = frames.next()? else { return Err(damaged()) };
    frames.seek(first)?;
    Ok(Kept { of, picture: *picture, as_kept: AsKept::by(key), frames })
}

/// What the texts of a file were hashed with, if they were.
pub(super) fn key_of(path: &Path) -> Option<Key> {
    Frames::new(File::open(path).ok()?).ok()?.1.key
}

/// Reads what an interrupted scan was told; none where it is of something else, or has nothing to go on from.
pub(super) fn take_up(
    shelf: &Shelf,
    path: &Path,
    file: File,
    of: &Of,
    now: Timestamp,
) -> io::Result<Option<Unfinished>> {
    let (mut frames, head) = Frames::new(file)?;
    let kept_so = match shelf.keep {
        Keep::Off => false,
        Keep::Full => head.key.is_none(),
        Keep::Pointers => head.key.is_some(),
    };
    if head.of != *of || !kept_so {
        return Ok(None);
    }
    let first = frames.at;
    let (mut any, mut progress, mut latest) = (false, Progress::default(), head.began);
    while let Some(frame) = frames.next()? {
        match frame {
            Frame::Records(_) => any = true,
            Frame::Anew(_) => {}
            Frame::Pool(at, position) => {
                latest = at;
                let ago = u64::try_from(now.since(Timestamp::from_millis(at))).unwrap_or_default();
                progress.pool = position.map_or(Place::End, |it| Place::At((it, Duration::from_millis(ago))));
            }
            Frame::Table(at, after) => {
                latest = at;
                progress.table = after.map_or(Place::End, |id| Place::At(id.into()));
            }
            Frame::Head(_) | Frame::Picture(_) => return Ok(None),
        }
    }
    if !any || now.since(Timestamp::from_millis(latest)) > GOES_ON_MILLIS {
        return Ok(None);
    }
    let end = frames.at;
    frames.seek(first)?;
    let hasher = head.key.map(Hasher::new);
    progress.as_kept = AsKept::by(head.key);
    let (path, shelf) = (path.to_owned(), shelf.clone());
    Ok(Some(Unfinished { began: Timestamp::from_millis(head.began), progress, frames, end, path, shelf, hasher }))
}

impl Unfinished {
    /// Tells all that the scan was told, and gives where it goes on.
    pub(crate) fn replay(self, mut told: impl FnMut(Told)) -> io::Result<Box<Writer>> {
        let Self { mut frames, end, path, shelf, hasher, .. } = self;
        while frames.at < end {
            match frames.next()?.ok_or_else(damaged)? {
                Frame::Records(records) => {
                    told(Told::Changes(records.into_iter().map(Record::into_change).collect()));
                }
                Frame::Anew(shard) => told(Told::Anew(shard)),
                Frame::Pool(..) | Frame::Table(..) | Frame::Head(_) | Frame::Picture(_) => {}
            }
        }
        // What was cut off in the middle of a frame is read again.
        let mut file = frames.from.into_inner();
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let out = Counted { at: end, out: BufWriter::new(file) };
        Ok(Box::new(Writer { out, path, shelf, hasher, flushed: Instant::now() }))
    }
}
