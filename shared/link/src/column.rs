//! A vector in pieces: it grows without being copied, and its pieces can be worked on at once.

/// How many there are in a piece.
pub(crate) const PIECE: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct Column<T> {
    pieces: Vec<Vec<T>>,
}

impl<T> Column<T> {
    pub(crate) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    pub(crate) fn push(&mut self, value: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(value),
            _ => {
                // The first piece grows as it needs: most lists are short.
                let room = if self.pieces.is_empty() { 0 } else { PIECE };
                let mut piece = Vec::with_capacity(room);
                piece.push(value);
                self.pieces.push(piece);
            }
        }
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        self.pieces.get(at as usize / PIECE)?.get(at as usize % PIECE)
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.pieces.get_mut(at as usize / PIECE)?.get_mut(at as usize % PIECE)
    }

    /// The pieces, each with the place of its first.
    pub(crate) fn pieces_mut(&mut self) -> impl Iterator<Item = (u32, &mut [T])> {
        (0..).step_by(PIECE).zip(self.pieces.iter_mut().map(Vec::as_mut_slice))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.pieces.iter().flatten())
    }
}
