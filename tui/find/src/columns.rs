//! All records as far as they are searched and sorted by, numbered in the order of their coming.
//!
//! A record is never changed: one that is read anew comes once more, and whoever looks knows which of them is meant.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use userlink_domain::{PoolUser, Row};

use crate::chunk::{CHUNK, Chunk, Records};

/// Where texts lie that do not fit into memory.
pub trait Far: Debug + Send + Sync {
    /// Keeps these bytes, and says where; none where there is no room. Then they stay in memory.
    fn keep(&self, bytes: &[u8]) -> Option<u64>;

    /// Reads what was kept; false where it cannot be read any more. It is not found then, and nothing else happens.
    fn read(&self, at: u64, into: &mut [u8]) -> bool;
}

/// The columns.
#[derive(Debug)]
pub struct Columns {
    sealed: Vec<Arc<Chunk>>,
    tail: Chunk,
    far: Option<Arc<dyn Far>>,
    near: usize,
    at_most_near: usize,
    /// How many of the first chunks have been moved because there are more than fit.
    moved: usize,
    /// How many records of each chunk nobody asks for any more.
    superseded: Vec<u16>,
}

impl Columns {
    /// Keeps texts in memory as long as they take at most so many bytes. When there are more, all of them go elsewhere, bit by
    /// bit: then there are so many records that memory is what is short. All stay where there is no such place.
    pub fn new(far: Option<Arc<dyn Far>>, at_most_near: usize) -> Self {
        Self {
            sealed: Vec::new(),
            tail: Chunk::default(),
            far,
            near: 0,
            at_most_near,
            moved: 0,
            superseded: Vec::new(),
        }
    }

    /// Takes a user in, and gives its number.
    pub fn push_user(&mut self, user: &PoolUser) -> u32 {
        self.tail.push_user(user);
        self.pushed()
    }

    /// Takes a row in, and gives its number.
    pub fn push_row(&mut self, row: &Row) -> u32 {
        self.tail.push_row(row);
        self.pushed()
    }

    /// Nobody asks for a record any more, as it came once more. What is asked of a chunk of such records alone takes no room.
    pub fn supersede(&mut self, number: u32) {
        let at = number as usize / CHUNK;
        if self.superseded.len() <= at {
            self.superseded.resize(at + 1, 0);
        }
        self.superseded[at] = self.superseded[at].saturating_add(1);
        if usize::from(self.superseded[at]) == CHUNK
            && let Some(chunk) = self.sealed.get_mut(at)
        {
            self.near -= chunk.near();
            *chunk = Arc::new(chunk.emptied());
        }
    }

    fn pushed(&mut self) -> u32 {
        let number = self.sealed.len() * CHUNK + self.tail.len() - 1;
        if self.tail.len() == CHUNK {
            let full = std::mem::take(&mut self.tail).sealed();
            let fits = self.moved == 0 && self.near + full.near() <= self.at_most_near;
            let kept = match self.far.clone() {
                Some(far) if !fits => {
                    self.move_first(&far);
                    full.moved_to(&far)
                }
                _ => full,
            };
            self.near += kept.near();
            self.sealed.push(Arc::new(kept));
        }
        number as u32
    }

    /// Moves the first chunk that is still in memory.
    fn move_first(&mut self, far: &Arc<dyn Far>) {
        if let Some(first) = self.sealed.get_mut(self.moved) {
            let moved = first.copied().moved_to(far);
            self.near -= first.near() - moved.near();
            *first = Arc::new(moved);
            self.moved += 1;
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        (self.sealed.len() * CHUNK + self.tail.len()) as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What there is by now. It stays as it is, may be looked at on any thread, and costs next to nothing.
    pub fn view(&self) -> View {
        let tail = (self.tail.len() > 0).then(|| Arc::new(self.tail.copied()));
        View { chunks: self.sealed.iter().cloned().chain(tail).collect() }
    }
}

/// The columns as they were at some moment.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) chunks: Arc<[Arc<Chunk>]>,
}

impl View {
    /// How many records there are.
    pub fn len(&self) -> u32 {
        let last = self.chunks.last().map_or(0, |chunk| chunk.len());
        (self.chunks.len().saturating_sub(1) * CHUNK + last) as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn place(&self, number: u32) -> Option<(&Arc<Chunk>, usize)> {
        let (chunk, place) = (number as usize / CHUNK, number as usize % CHUNK);
        self.chunks.get(chunk).map(|chunk| (chunk, place))
    }

    /// Goes through the texts of records whose numbers grow, as they nearly always do.
    pub fn walk(&self) -> Walk {
        Walk { view: self.clone(), at: None }
    }
}

/// The texts of the chunk that was looked at last.
#[derive(Debug)]
struct At {
    chunk: usize,
    bytes: Vec<u8>,
    /// The number in the chunk, and where its record begins.
    next: (usize, usize),
}

/// Reads texts in their order: a chunk that lies elsewhere is read once.
#[derive(Debug)]
pub struct Walk {
    view: View,
    at: Option<At>,
}

impl Walk {
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The texts of a record.
    pub(crate) fn texts_of(&mut self, number: u32) -> Cow<'_, [u8]> {
        let (chunk, place) = (number as usize / CHUNK, number as usize % CHUNK);
        let Some(held) = self.view.chunks.get(chunk) else { return Cow::Borrowed(&[]) };
        if held.near() > 0 {
            return held.texts_of(place);
        }
        if self.at.as_ref().is_none_or(|at| at.chunk != chunk) {
            self.at = Some(At { chunk, bytes: held.texts().into_owned(), next: (0, 0) });
        }
        let Some(at) = &mut self.at else { return Cow::Borrowed(&[]) };
        if place < at.next.0 {
            at.next = (0, 0);
        }
        let (first, start) = at.next;
        let mut records = Records(at.bytes.get(start..).unwrap_or_default());
        let found = records.nth(place - first).unwrap_or_default();
        at.next = (place + 1, at.bytes.len() - records.0.len());
        Cow::Borrowed(found)
    }
}
