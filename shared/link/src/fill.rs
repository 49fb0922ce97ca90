//! Many keys at once, on all processors.
//!
//! They are sorted by the part that they belong to, so that each part is filled by one thread, and while it lies in the
//! processor's own memory.

use crate::column::Column;
use crate::facts::Key;
use crate::keys::{First, Hash, Keys, NONE, Node, Part};
use crate::threads::{on_threads, shares};

/// In the place of a part: the record has no such key.
const NO_KEY: u16 = u16::MAX;

/// A part is read into the processor's memory where one in so many of its keys is asked for.
const WORTH_FETCHING: usize = 8;

/// What a key is to a record.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// Its own: whoever had it before is not there any more.
    Own,
    /// It shares it with others.
    Shared,
}

/// The node of a key, and who follows the record in the chain.
#[derive(Clone, Copy)]
pub(crate) struct Met {
    pub(crate) node: u32,
    pub(crate) next: u32,
}

type FirstOf = fn(&mut Node) -> &mut First;

/// A kind of key, to a kind of record.
#[derive(Clone, Copy)]
pub(crate) struct Kind<R> {
    pub(crate) role: Role,
    /// Whether a record has one.
    pub(crate) has: fn(&R) -> bool,
    /// Where a node notes the first of these records.
    pub(crate) first: FirstOf,
    /// Notes with a record what came of its key.
    pub(crate) note: fn(&mut R, Met),
}

/// A key on its way to its part; and then, in its place, what came of it.
#[derive(Clone, Copy)]
struct Item {
    key: Key,
    slot: u32,
}

impl Item {
    const NONE: Self = Self { key: [0; 2], slot: NONE };

    const fn met(self) -> Met {
        Met { node: self.key[0] as u32, next: self.key[1] as u32 }
    }
}

/// The keys of a piece of records, by their parts.
#[derive(Default)]
struct Sorted {
    items: Vec<Item>,
    /// Where the items of each part begin, and where the last ends.
    starts: Vec<u32>,
    /// The part of each record's key, in the order of the records.
    parts: Vec<u16>,
}

/// How many threads work, and the room in which they sort: what it is made of is used for one kind of key after the other.
pub(crate) struct Desk {
    pub(crate) threads: usize,
    room: Vec<Sorted>,
}

impl Desk {
    pub(crate) const fn new(threads: usize) -> Self {
        Self { threads, room: Vec::new() }
    }
}

impl Keys {
    /// Takes in the keys of all records from `first` on. Gives who is not there any more.
    pub(crate) fn take_in<R: Send + Sync>(
        &mut self,
        keys: &[Key],
        records: &mut Column<R>,
        first: u32,
        kind: Kind<R>,
        desk: &mut Desk,
    ) -> Vec<u32> {
        let threads = desk.threads;
        let pieces = records.since(first).map(|(at, piece)| (at, piece, &keys[(at - first) as usize..]));
        let count = records.since(first).count();
        if desk.room.len() < count {
            desk.room.resize_with(count, Sorted::default);
        }
        let sorted = &mut desk.room[..count];
        on_threads(shares(pieces.zip(sorted.iter_mut()), threads), |pieces| {
            for ((at, piece, keys), sorted) in pieces {
                self.sort(at, piece, keys, kind.has, sorted);
            }
        });
        if sorted.iter().all(|sorted| sorted.items.is_empty()) {
            return Vec::new();
        }
        self.used = true;

        let superseded = self.fill(sorted, (kind.role, kind.first), threads);

        on_threads(shares(records.since_mut(first).zip(sorted), threads), |pieces| {
            for (records, Sorted { items, starts: next, parts }) in pieces {
                for (record, part) in records.iter_mut().zip(parts).filter(|(_, part)| **part != NO_KEY) {
                    let at = &mut next[usize::from(*part)];
                    (kind.note)(record, items[*at as usize].met());
                    *at += 1;
                }
            }
        });
        superseded
    }

    fn sort<R>(&self, first: u32, records: &[R], keys: &[Key], has: fn(&R) -> bool, into: &mut Sorted) {
        let Sorted { items, starts, parts } = into;
        starts.clear();
        starts.resize(self.parts.len() + 1, 0);
        parts.clear();
        for (record, key) in records.iter().zip(keys) {
            let part = has(record).then(|| self.part_of(self.hash.of(*key)));
            if let Some(part) = part {
                starts[part + 1] += 1;
            }
            parts.push(part.map_or(NO_KEY, |part| part as u16));
        }
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        items.resize(starts[self.parts.len()] as usize, Item::NONE);
        let mut next = starts.clone();
        for ((slot, key), part) in (first..).zip(keys).zip(&*parts).filter(|(_, part)| **part != NO_KEY) {
            let at = &mut next[usize::from(*part)];
            items[*at as usize] = Item { key: *key, slot };
            *at += 1;
        }
    }

    /// Puts the keys into their parts; each thread has some parts for itself.
    fn fill(&mut self, sorted: &mut [Sorted], (role, first): (Role, FirstOf), threads: usize) -> Vec<u32> {
        let each = self.parts.len().div_ceil(threads);
        let bits = self.parts.len().trailing_zeros();
        let mut work: Vec<Filling<'_>> = self
            .parts
            .chunks_mut(each)
            .enumerate()
            .map(|(number, parts)| Filling { first: number * each, parts, units: Vec::new() })
            .collect();
        for Sorted { items, starts, .. } in sorted {
            let mut rest = &mut items[..];
            for filling in &mut work {
                let starts = &starts[filling.first..=filling.first + filling.parts.len()];
                let (mine, others) = rest.split_at_mut((starts[starts.len() - 1] - starts[0]) as usize);
                filling.units.push((mine, starts));
                rest = others;
            }
        }
        let hash = &self.hash;
        on_threads(work, |filling| filling.fill(hash, bits, role, first)).into_iter().flatten().collect()
    }
}

/// Some parts, and the keys that belong there.
struct Filling<'a> {
    first: usize,
    parts: &'a mut [Part],
    units: Vec<(&'a mut [Item], &'a [u32])>,
}

impl Filling<'_> {
    fn fill(mut self, hash: &Hash, bits: u32, role: Role, first_of: FirstOf) -> Vec<u32> {
        let mut superseded = Vec::new();
        for (at, part) in self.parts.iter_mut().enumerate() {
            let keys: u32 = self.units.iter().map(|(_, starts)| starts[at + 1] - starts[at]).sum();
            if keys as usize > part.nodes.len() / WORTH_FETCHING {
                part.fetch();
            }
            for (items, starts) in &mut self.units {
                let (from, to) = (starts[at] - starts[0], starts[at + 1] - starts[0]);
                for item in &mut items[from as usize..to as usize] {
                    let local = part.intern(hash, hash.of(item.key), item.key);
                    let Some(node) = part.nodes.get_mut(local) else { continue };
                    let first = first_of(node);
                    let next = match role {
                        Role::Shared => first.put(item.slot),
                        Role::Own if first.is_nobody() => first.put(item.slot),
                        Role::Own => {
                            superseded.push(first.slot());
                            first.replace(item.slot);
                            NONE
                        }
                    };
                    item.key = [u64::from(local << bits | (self.first + at) as u32), u64::from(next)];
                }
            }
        }
        superseded
    }
}
