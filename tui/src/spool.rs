//! Where a scan's records lie while they are shown: the linker holds of each only what it compares.
//!
//! The first of them stay in memory. What does not fit goes into a file without a name, which only this process can read and
//! which is gone when it ends.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use postcard::{from_bytes, to_extend};
use userlink_domain::{PoolUser, Row};
use userlink_find::{Columns, Far};
use userlink_link::{Place, Records};

use crate::snapshot::{KeptRow, KeptUser};

/// So much stays in memory before there is a file.
const IN_MEMORY: usize = 32 << 20;
/// So much is written at once.
const AT_ONCE: usize = 1 << 20;
/// So much of what is searched stays in memory: the texts of a million users and as many rows, of some seventy bytes each.
const SEARCHED_IN_MEMORY: usize = 160 << 20;

/// What is searched and sorted by: filled where records come, and looked at where somebody asks.
pub(crate) type Searched = Arc<Mutex<Columns>>;

/// A place is the number of a record.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    file: Option<File>,
    written: u64,
    /// What has not been written yet.
    rest: Vec<u8>,
    /// There is no file to be had, or no room in it: all stays in memory from here on.
    refused: bool,
    pieces: Vec<Piece>,
    searched: Option<Searched>,
}

/// Where some thousand records lie, two bytes each.
#[derive(Debug)]
struct Piece {
    start: u64,
    lengths: Vec<u16>,
    /// Those that are longer than can be said in two bytes.
    long: Vec<(usize, u64)>,
}

impl Piece {
    const RECORDS: usize = 4096;
    const LONG: u16 = u16::MAX;

    fn push(&mut self, length: u64) {
        match u16::try_from(length) {
            Ok(length) if length < Self::LONG => self.lengths.push(length),
            _ => {
                self.long.push((self.lengths.len(), length - u64::from(Self::LONG)));
                self.lengths.push(Self::LONG);
            }
        }
    }

    /// Where the n-th of them begins.
    fn start_of(&self, at: usize) -> u64 {
        let before: u64 = self.lengths.iter().take(at).map(|length| u64::from(*length)).sum();
        let more: u64 = self.long.iter().filter(|(long, _)| *long < at).map(|(_, more)| *more).sum();
        self.start + before + more
    }
}

impl Spool {
    /// One whose records can be searched and sorted, and where.
    pub(crate) fn searched() -> (Self, Searched) {
        let columns = Columns::new(Some(Arc::<Overflow>::default()), SEARCHED_IN_MEMORY);
        let searched = Arc::new(Mutex::new(columns));
        (Self { searched: Some(searched.clone()), ..Self::default() }, searched)
    }

    fn put(&mut self, record: &impl serde::Serialize) -> Place {
        let start = self.rest.len();
        // Into memory, this cannot fail; if it did, nothing would be read back, and that is seen.
        self.rest = to_extend(record, std::mem::take(&mut self.rest)).unwrap_or_default();
        let length = self.rest.len().saturating_sub(start) as u64;
        let piece = match self.pieces.last_mut() {
            Some(last) if last.lengths.len() < Piece::RECORDS => last,
            _ => {
                let start = self.written + start as u64;
                self.pieces.push(Piece { start, lengths: Vec::new(), long: Vec::new() });
                let last = self.pieces.len() - 1;
                &mut self.pieces[last]
            }
        };
        piece.push(length);
        let number = piece.lengths.len() - 1 + (self.pieces.len() - 1) * Piece::RECORDS;
        let full = if self.file.is_some() { AT_ONCE } else { IN_MEMORY };
        if self.rest.len() >= full && !self.refused {
            self.write();
        }
        Place(number as u64)
    }

    fn write(&mut self) {
        if let Err(error) = self.try_to_write() {
            tracing::warn!(kind = ?error.kind(), "no room for records on disk: they stay in memory");
            self.refused = true;
        }
    }

    fn try_to_write(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(unnamed()?),
        };
        write_at(file, &self.rest, self.written)?;
        self.written += self.rest.len() as u64;
        self.rest.clear();
        self.rest.shrink_to(2 * AT_ONCE);
        Ok(())
    }

    fn get<T: serde::de::DeserializeOwned>(&self, Place(number): Place) -> Option<T> {
        let number = usize::try_from(number).ok()?;
        let (piece, at) = (self.pieces.get(number / Piece::RECORDS)?, number % Piece::RECORDS);
        if at >= piece.lengths.len() {
            return None;
        }
        let (start, end) = (piece.start_of(at), piece.start_of(at + 1));
        if let Some(from) = start.checked_sub(self.written) {
            let from = usize::try_from(from).ok()?;
            return from_bytes(self.rest.get(from..from + usize::try_from(end - start).ok()?)?).ok();
        }
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        read_at(self.file.as_ref()?, &mut bytes, start).ok()?;
        from_bytes(&bytes).ok()
    }

    fn search(&self, push: impl FnOnce(&mut Columns) -> u32, at: Place) {
        if let Some(searched) = &self.searched {
            let number = push(&mut searched.lock().unwrap_or_else(PoisonError::into_inner));
            debug_assert_eq!(u64::from(number), at.0, "both count the same records");
        }
    }
}

/// Where the searched texts lie that do not fit into memory: like the records, in a file without a name.
#[derive(Debug, Default)]
struct Overflow(Mutex<Option<(File, u64)>>);

impl Far for Overflow {
    fn keep(&self, bytes: &[u8]) -> Option<u64> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = || {
            let (file, end) = match &mut *held {
                Some(held) => held,
                None => held.insert((unnamed()?, 0)),
            };
            let at = *end;
            write_at(file, bytes, at)?;
            *end += bytes.len() as u64;
            io::Result::Ok(at)
        };
        kept().inspect_err(|error| tracing::warn!(kind = ?error.kind(), "what is searched stays in memory")).ok()
    }

    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(file, _)| file.try_clone());
        let Some(Ok(file)) = file else { return false };
        let read = read_at(&file, into, at);
        read.inspect_err(|error| tracing::warn!(kind = ?error.kind(), "what is searched cannot be read")).is_ok()
    }
}

impl Records for Spool {
    fn put_user(&mut self, user: &PoolUser) -> Place {
        let at = self.put(&KeptUser::of(user));
        self.search(|columns| columns.push_user(user), at);
        at
    }

    fn put_row(&mut self, row: &Row) -> Place {
        let at = self.put(&KeptRow::of(row));
        self.search(|columns| columns.push_row(row), at);
        at
    }

    fn supersede(&mut self, Place(number): Place) {
        if let (Some(searched), Ok(number)) = (&self.searched, u32::try_from(number)) {
            searched.lock().unwrap_or_else(PoisonError::into_inner).supersede(number);
        }
    }

    fn user(&self, at: Place) -> Option<PoolUser> {
        self.get::<KeptUser>(at).map(PoolUser::from)
    }

    fn row(&self, at: Place) -> Option<Row> {
        self.get::<KeptRow>(at).map(Row::from)
    }
}

/// Beside what is kept of scans: a temporary folder may be memory itself.
fn unnamed() -> io::Result<File> {
    let Some(dirs) = directories::BaseDirs::new() else { return tempfile::tempfile() };
    let folder = dirs.data_local_dir().join("userlink");
    std::fs::create_dir_all(&folder)?;
    tempfile::tempfile_in(folder)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        (bytes, at) = (&bytes[written..], at + written as u64);
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (bytes, at) = (&mut bytes[read..], at + read as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use userlink_domain::{RowId, Sub};

    use super::*;

    #[test]
    fn what_was_put_is_read_back_from_memory_and_from_disk() {
        let (mut spool, _) = Spool::searched();
        let user = |n: u128| {
            let mut user = PoolUser::new(Sub::from_u128(n), format!("user {n}"));
            user.email = Some("ä".repeat(n as usize % 700).into());
            user
        };
        let row = |n: i64| {
            // One in a thousand is longer than is usual, or than can be said in two bytes.
            let long = if n % 1000 == 7 { 70_000 } else { 300 };
            Row { show: vec![None, Some("x".repeat(long).into())], ..Row::new(RowId::BigInt(n)) }
        };
        let places: Vec<_> = (0..60_000).map(|n| (spool.put_user(&user(n)), spool.put_row(&row(n as i64)))).collect();
        assert!(spool.written > 0 && !spool.rest.is_empty(), "some are on disk, and some are not");
        let some = (0..).zip(&places).step_by(97).chain((0..).zip(&places).skip(7).step_by(1000));
        for (n, (its_user, its_row)) in some.chain((0..).zip(&places).skip(59_990)) {
            assert!(spool.user(*its_user) == Some(user(n)) && spool.row(*its_row) == Some(row(n as i64)), "{n}");
        }
        assert_eq!(spool.user(Place(120_000)), None);
    }

    #[test]
    fn texts_that_are_searched_are_read_back_from_where_there_is_room() {
        let overflow = Overflow::default();
        let (first, second) = (overflow.keep(b"first").unwrap(), overflow.keep(b"second").unwrap());
        let mut into = [0; 6];
        assert!(overflow.read(second, &mut into) && &into == b"second");
        assert!(overflow.read(first, &mut into[..5]) && &into[..5] == b"first");
        assert!(!overflow.read(100, &mut into), "there is nothing");
    }
}
