//! A vector in pieces: it grows without being copied, and its pieces can be worked on at once.

use crate::threads::{on_threads, shares};

/// How many there are in a piece, where nothing else is said.
pub(crate) const PIECE: usize = 1 << 16;

#[derive(Clone, Debug)]
pub(crate) struct Column<T, const OF: usize = PIECE> {
    pieces: Vec<Vec<T>>,
}

impl<T, const OF: usize> Default for Column<T, OF> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const OF: usize> Column<T, OF> {
    pub(crate) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    /// Becomes as many of the same, in the room that there is already.
    pub(crate) fn fill(&mut self, len: u32, with: T, threads: usize)
    where
        T: Copy + Send + Sync,
    {
        let len = len as usize;
        self.pieces.resize_with(len.div_ceil(OF), Vec::new);
        on_threads(shares(self.pieces.iter_mut().enumerate(), threads), |pieces| {
            for (number, piece) in pieces {
                piece.clear();
                piece.resize(OF.min(len - number * OF), with);
            }
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * OF + last.len())
    }

    pub(crate) fn push(&mut self, value: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < OF => last.push(value),
            _ => {
                // The first piece grows as it needs: most lists are short.
                let room = if self.pieces.is_empty() { 0 } else { OF };
                let mut piece = Vec::with_capacity(room);
                piece.push(value);
                self.pieces.push(piece);
            }
        }
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        self.pieces.get(at as usize / OF)?.get(at as usize % OF)
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.pieces.get_mut(at as usize / OF)?.get_mut(at as usize % OF)
    }

    /// What begins with a place, by pieces.
    pub(crate) fn since(&self, first: u32) -> impl Iterator<Item = (u32, &[T])> {
        let (piece, at) = (first as usize / OF, first as usize % OF);
        let begun = self.pieces.get(piece).map(|piece| (first, &piece[at..]));
        let starts = ((piece + 1) * OF..).step_by(OF).map(|start| start as u32);
        begun.into_iter().chain(starts.zip(self.pieces.iter().skip(piece + 1).map(Vec::as_slice)))
    }

    /// The same, to be changed.
    pub(crate) fn since_mut(&mut self, first: u32) -> impl Iterator<Item = &mut [T]> {
        let (piece, at) = (first as usize / OF, first as usize % OF);
        let mut pieces = self.pieces.iter_mut().skip(piece);
        let begun = pieces.next().map(|piece| &mut piece[at..]);
        begun.into_iter().chain(pieces.map(Vec::as_mut_slice))
    }

    /// The pieces, each with the place of its first.
    pub(crate) fn pieces_mut(&mut self) -> impl Iterator<Item = (u32, &mut [T])> {
        (0..).step_by(OF).zip(self.pieces.iter_mut().map(Vec::as_mut_slice))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.pieces.iter().flatten())
    }
}

impl<T, const OF: usize> IntoIterator for Column<T, OF> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.pieces.into_iter().flatten()
    }
}
