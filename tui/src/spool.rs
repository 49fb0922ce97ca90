//! Where a scan's records lie while they are shown: the linker holds of each only what it compares.
//!
//! The first of them stay in memory. What does not fit goes into a file without a name, which only this process can read and
//! which is gone when it ends.

use std::fs::File;
use std::io;

use postcard::{from_bytes, to_extend};
use userlink_domain::{PoolUser, Row};
use userlink_link::{Place, Records};

use crate::snapshot::{KeptRow, KeptUser};

/// So much stays in memory before there is a file.
const IN_MEMORY: usize = 32 << 20;
/// So much is written at once.
const AT_ONCE: usize = 1 << 20;
/// Nearly every record is shorter, and so is read in one piece.
const USUAL: usize = 512;
/// The length before each record.
const LENGTH: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Spool {
    file: Option<File>,
    written: u64,
    /// What has not been written yet.
    rest: Vec<u8>,
    /// There is no file to be had, or no room in it: all stays in memory from here on.
    refused: bool,
}

impl Spool {
    fn put(&mut self, record: &impl serde::Serialize) -> Place {
        let place = Place(self.written + self.rest.len() as u64);
        let start = self.rest.len();
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend([0; LENGTH]);
        // Into memory, this cannot fail; if it did, nothing would be read back, and that is seen.
        self.rest = to_extend(record, bytes).unwrap_or_default();
        let length = self.rest.len().saturating_sub(start + LENGTH) as u32;
        if let Some(at) = self.rest.get_mut(start..start + LENGTH) {
            at.copy_from_slice(&length.to_le_bytes());
        }
        let full = if self.file.is_some() { AT_ONCE } else { IN_MEMORY };
        if self.rest.len() >= full && !self.refused {
            self.write();
        }
        place
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

    fn get<T: serde::de::DeserializeOwned>(&self, Place(at): Place) -> Option<T> {
        if let Some(from) = at.checked_sub(self.written) {
            let bytes = self.rest.get(usize::try_from(from).ok()?..)?;
            let (length, bytes) = bytes.split_first_chunk::<LENGTH>()?;
            return from_bytes(bytes.get(..u32::from_le_bytes(*length) as usize)?).ok();
        }
        let file = self.file.as_ref()?;
        let mut bytes = vec![0; USUAL.min(usize::try_from(self.written - at).ok()?)];
        read_at(file, &mut bytes, at).ok()?;
        let length = u32::from_le_bytes(*bytes.first_chunk::<LENGTH>()?) as usize;
        if bytes.len() < LENGTH + length {
            bytes.resize(LENGTH + length, 0);
            read_at(file, &mut bytes, at).ok()?;
        }
        from_bytes(&bytes[LENGTH..LENGTH + length]).ok()
    }
}

impl Records for Spool {
    fn put_user(&mut self, user: &PoolUser) -> Place {
        self.put(&KeptUser::of(user))
    }

    fn put_row(&mut self, row: &Row) -> Place {
        self.put(&KeptRow::of(row))
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
        let mut spool = Spool::default();
        let user = |n: u128| {
            let mut user = PoolUser::new(Sub::from_u128(n), format!("user {n}"));
            user.email = Some("ä".repeat(n as usize % 700).into());
            user
        };
        let row = |n: i64| Row { show: vec![None, Some("x".repeat(300).into())], ..Row::new(RowId::BigInt(n)) };
        let places: Vec<_> = (0..60_000).map(|n| (spool.put_user(&user(n)), spool.put_row(&row(n as i64)))).collect();
        assert!(spool.written > 0 && !spool.rest.is_empty(), "some are on disk, and some are not");
        for (n, (its_user, its_row)) in (0..).zip(&places).step_by(97).chain((0..).zip(&places).skip(59_990)) {
            assert!(spool.user(*its_user) == Some(user(n)) && spool.row(*its_row) == Some(row(n as i64)), "{n}");
        }
    }
}
