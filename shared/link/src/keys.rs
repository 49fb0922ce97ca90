//! Keys that records meet under: each is stored once, and leads to the first user and the first row that have it.
//!
//! They lie in parts, by their hash: a part grows alone, so that nothing ever has to be copied as a whole, and different
//! parts can be filled at the same time. All parts are about as large, and would double at about the same time: so what is large
//! in them grows in pieces.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::column::Column;
use crate::facts::Key;
use crate::threads::{on_threads, shares};

/// No record, no key.
pub(crate) const NONE: u32 = u32::MAX;

/// The first of the records of a kind that have a key, and whether there may be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First(u32);

impl First {
    const NOBODY: Self = Self(NONE);
    const MORE: u32 = 1 << 30;

    pub(crate) const fn slot(self) -> u32 {
        if self.0 == NONE { NONE } else { self.0 & !Self::MORE }
    }

    /// The only one.
    const fn only(self) -> Option<u32> {
        if self.0 & Self::MORE == 0 { Some(self.0) } else { None }
    }

    pub(crate) const fn is_nobody(self) -> bool {
        self.0 == NONE
    }

    /// Puts a record first, and gives the one that was.
    pub(crate) const fn put(&mut self, slot: u32) -> u32 {
        let before = self.slot();
        self.0 = if before == NONE { slot } else { slot | Self::MORE };
        before
    }

    /// Notes that there is another one behind the first.
    pub(crate) const fn and_more(&mut self) {
        self.0 |= Self::MORE;
    }

    /// Puts another one in its place, or nobody. Whether there are more is not looked at.
    pub(crate) const fn replace(&mut self, slot: u32) {
        self.0 = if slot == NONE { NONE } else { slot | self.0 & Self::MORE };
    }
}

/// A key that somebody has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) key: Key,
    pub(crate) user: First,
    pub(crate) row: First,
}

/// So many nodes of a part are a piece.
const NODES: usize = 1 << 12;

#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// Where a node is, by its key.
    table: HashTable<u32>,
    pub(crate) nodes: Column<Node, NODES>,
    /// Nodes that nobody has any more.
    free: Vec<u32>,
}

/// The hash of a key. It is made with a secret: whoever chooses keys cannot choose where they go.
#[derive(Clone, Debug)]
pub(crate) struct Hash(FixedState);

impl Hash {
    pub(crate) fn of(&self, key: Key) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write_u64(key[0]);
        hasher.write_u64(key[1]);
        hasher.finish()
    }
}

#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) parts: Vec<Part>,
    pub(crate) hash: Hash,
    /// Whether there has been any key.
    pub(crate) used: bool,
}

impl Keys {
    /// Keys in so many parts, a power of two.
    pub(crate) fn new(parts: usize, secret: u64) -> Self {
        Self { parts: vec![Part::default(); parts.max(1)], hash: Hash(FixedState::with_seed(secret)), used: false }
    }

    /// Makes room for about so many keys.
    pub(crate) fn reserve(&mut self, about: usize) {
        // Parts differ, by chance, by a few per cent.
        let each = about / self.parts.len() * 17 / 16;
        for part in &mut self.parts {
            let Part { table, nodes, .. } = part;
            table.reserve(each.saturating_sub(nodes.len()), |at| self.hash.of(key_of(nodes, *at)));
        }
    }

    /// The bits that choose the part are none of those that the part's own table looks at.
    pub(crate) fn part_of(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.parts.len() - 1)
    }

    fn split(&self, node: u32) -> (usize, u32) {
        let parts = self.parts.len();
        (node as usize & (parts - 1), node >> parts.trailing_zeros())
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.used
    }

    pub(crate) fn find(&self, key: Key) -> Option<u32> {
        let hash = self.hash.of(key);
        let at = self.part_of(hash);
        let part = &self.parts[at];
        part.find(hash, key).map(|local| self.joined(at, local))
    }

    fn joined(&self, part: usize, local: u32) -> u32 {
        local << self.parts.len().trailing_zeros() | part as u32
    }

    /// The node of a key, made where there is none.
    pub(crate) fn intern(&mut self, key: Key) -> u32 {
        self.used = true;
        let hash = self.hash.of(key);
        let at = self.part_of(hash);
        let local = self.parts[at].intern(&self.hash, hash, key);
        self.joined(at, local)
    }

    pub(crate) fn get(&self, node: u32) -> Option<&Node> {
        let (part, local) = self.split(node);
        if node == NONE { None } else { self.parts[part].nodes.get(local) }
    }

    pub(crate) fn get_mut(&mut self, node: u32) -> Option<&mut Node> {
        let (part, local) = self.split(node);
        if node == NONE { None } else { self.parts[part].nodes.get_mut(local) }
    }

    pub(crate) fn key(&self, node: u32) -> Option<Key> {
        self.get(node).map(|node| node.key)
    }

    /// The first user with a key.
    pub(crate) fn user(&self, node: u32) -> u32 {
        self.get(node).map_or(NONE, |node| node.user.slot())
    }

    /// The first row with a key.
    pub(crate) fn row(&self, node: u32) -> u32 {
        self.get(node).map_or(NONE, |node| node.row.slot())
    }

    /// Calls `found` with each user and row that have a key with nobody else. Gives whether a row has any key.
    pub(crate) fn each_two(&self, threads: usize, found: impl Fn(u32, u32) + Sync) -> bool {
        let among = |parts: Vec<&Part>| {
            let mut any_row = false;
            for node in parts.into_iter().flat_map(|part| part.nodes.iter()).map(|(_, node)| node) {
                any_row |= !node.row.is_nobody();
                if let (Some(user), Some(row)) = (node.user.only(), node.row.only()) {
                    found(user, row);
                }
            }
            any_row
        };
        on_threads(shares(self.parts.iter(), threads), among).into_iter().any(|any_row| any_row)
    }

    /// Forgets a key that nobody has any more.
    pub(crate) fn release(&mut self, node: u32) {
        let Some(found) = self.get(node).copied() else { return };
        if !found.user.is_nobody() || !found.row.is_nobody() {
            return;
        }
        let hash = self.hash.of(found.key);
        let (part, local) = self.split(node);
        let part = &mut self.parts[part];
        if let Ok(held) = part.table.find_entry(hash, |at| *at == local) {
            held.remove();
            part.free.push(local);
        }
    }
}

/// The key of a node that a table leads to.
fn key_of(nodes: &Column<Node, NODES>, at: u32) -> Key {
    nodes.get(at).map_or([0; 2], |node| node.key)
}

impl Part {
    fn find(&self, hash: u64, key: Key) -> Option<u32> {
        self.table.find(hash, |at| key_of(&self.nodes, *at) == key).copied()
    }

    /// Reads all of it from one end to the other: it is in the processor's memory then, and came at once, and not line by line
    /// in the order of chance.
    pub(crate) fn fetch(&self) {
        let nodes = self.nodes.iter().step_by(2).fold(0, |all, (_, node)| all ^ node.user.0);
        std::hint::black_box(self.table.iter().fold(nodes, |all, at| all ^ at));
    }

    pub(crate) fn intern(&mut self, hasher: &Hash, hash: u64, key: Key) -> u32 {
        let Self { table, nodes, free } = self;
        match table.entry(hash, |at| key_of(nodes, *at) == key, |at| hasher.of(key_of(nodes, *at))) {
            hashbrown::hash_table::Entry::Occupied(held) => *held.get(),
            hashbrown::hash_table::Entry::Vacant(room) => {
                let node = Node { key, user: First::NOBODY, row: First::NOBODY };
                let again = free.pop();
                let at = again.unwrap_or(nodes.len() as u32);
                room.insert(at);
                match again.and_then(|at| nodes.get_mut(at)) {
                    Some(freed) => *freed = node,
                    None => nodes.push(node),
                }
                at
            }
        }
    }
}
