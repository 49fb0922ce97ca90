//! Keys that records meet under: each is stored once, and leads to the first user and the first row that have it.
//!
//! They lie in parts, by their hash: a part grows alone, so that nothing ever has to be copied as a whole, and different
//! parts can be filled at the same time.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// No record, no key.
pub(crate) const NONE: u32 = u32::MAX;

/// A key, as two halves: so it needs no more room than it has bits.
type Halves = [u64; 2];

const fn halves(key: u128) -> Halves {
    [(key >> 64) as u64, key as u64]
}

/// A key that somebody has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    key: Halves,
    /// The first user.
    pub(crate) user: u32,
    /// The first row.
    pub(crate) row: u32,
}

impl Node {
    pub(crate) const fn key(&self) -> u128 {
        (self.key[0] as u128) << 64 | self.key[1] as u128
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// Where a node is, by its key.
    table: HashTable<u32>,
    nodes: Vec<Node>,
    /// Nodes that nobody has any more.
    free: Vec<u32>,
}

/// The hash of a key. It is made with a secret: whoever chooses keys cannot choose where they go.
#[derive(Clone, Debug)]
struct Hash(FixedState);

impl Hash {
    fn of(&self, key: Halves) -> u64 {
        self.0.hash_one(key)
    }
}

#[derive(Debug)]
pub(crate) struct Keys {
    parts: Vec<Part>,
    hash: Hash,
}

impl Keys {
    /// `parts` is a power of two.
    pub(crate) fn new(parts: usize, secret: u64) -> Self {
        Self { parts: vec![Part::default(); parts.max(1)], hash: Hash(FixedState::with_seed(secret)) }
    }

    /// The bits that choose the part are none of those that the part's own table looks at.
    fn part_of(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.parts.len() - 1)
    }

    fn split(&self, node: u32) -> (usize, usize) {
        let parts = self.parts.len();
        (node as usize & (parts - 1), node as usize >> parts.trailing_zeros())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.table.is_empty())
    }

    pub(crate) fn find(&self, key: u128) -> Option<u32> {
        let key = halves(key);
        let hash = self.hash.of(key);
        let at = self.part_of(hash);
        let part = &self.parts[at];
        part.find(hash, key).map(|local| self.joined(at, local))
    }

    fn joined(&self, part: usize, local: u32) -> u32 {
        local << self.parts.len().trailing_zeros() | part as u32
    }

    /// The node of a key, made where there is none.
    pub(crate) fn intern(&mut self, key: u128) -> u32 {
        let key = halves(key);
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

    pub(crate) fn key(&self, node: u32) -> Option<u128> {
        self.get(node).map(Node::key)
    }

    /// The first user with a key.
    pub(crate) fn user(&self, node: u32) -> u32 {
        self.get(node).map_or(NONE, |node| node.user)
    }

    /// The first row with a key.
    pub(crate) fn row(&self, node: u32) -> u32 {
        self.get(node).map_or(NONE, |node| node.row)
    }

    /// Forgets a key that nobody has any more.
    pub(crate) fn release(&mut self, node: u32) {
        let Some(found) = self.get(node).copied() else { return };
        if found.user != NONE || found.row != NONE {
            return;
        }
        let hash = self.hash.of(found.key);
        let (part, local) = self.split(node);
        let part = &mut self.parts[part];
        if let Ok(held) = part.table.find_entry(hash, |at| *at as usize == local) {
            held.remove();
            part.free.push(local as u32);
        }
    }
}

impl Part {
    fn find(&self, hash: u64, key: Halves) -> Option<u32> {
        self.table.find(hash, |at| self.nodes[*at as usize].key == key).copied()
    }

    fn intern(&mut self, hasher: &Hash, hash: u64, key: Halves) -> u32 {
        let Self { table, nodes, free } = self;
        let is_it = |at: &u32| nodes[*at as usize].key == key;
        match table.entry(hash, is_it, |at| hasher.of(nodes[*at as usize].key)) {
            hashbrown::hash_table::Entry::Occupied(held) => *held.get(),
            hashbrown::hash_table::Entry::Vacant(room) => {
                let node = Node { key, user: NONE, row: NONE };
                let at = match free.pop() {
                    Some(at) => {
                        room.insert(at);
                        nodes[at as usize] = node;
                        return at;
                    }
                    None => u32::try_from(nodes.len()).unwrap_or(NONE),
                };
                room.insert(at);
                nodes.push(node);
                at
            }
        }
    }
}
