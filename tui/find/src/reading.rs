//! Whether one record fits one term, and how well.

use crate::chunk::{Bits, Chunk, Fields, Kind, field};
use crate::query::{Field, Term, What};
use crate::word::{CLOSE, NONE, Scratch, Word, rate_uuid};

/// It fits, and there is no better or worse.
const FITS: u8 = u8::MAX;

impl Term {
    /// Whether the texts of a record matter.
    pub(crate) fn reads_texts(&self) -> bool {
        matches!(self.what, What::Word { .. } | What::Part(..) | What::Without(_))
    }

    /// How well a record fits: [`CLOSE`] and more are counted.
    pub(crate) fn rate(&self, chunk: &Chunk, at: usize, texts: &[u8], scratch: &mut Scratch) -> u8 {
        let bits = chunk.bits(at);
        let fits = |fits: bool| if fits { FITS } else { NONE };
        match &self.what {
            What::Word { word, exact } => word.anywhere(texts, *exact, scratch),
            What::Part(of, word) => part(*of, word, bits, texts),
            What::Without(of) => fits(is_without(*of, bits, texts)),
            What::Status { among, disabled } => {
                let has = among & (1 << bits.status()) != 0 || (*disabled && !bits.is_enabled());
                fits(!bits.is_row() && has)
            }
            What::Enabled(enabled) => fits(!bits.is_row() && bits.is_enabled() == *enabled),
            What::Created((from, until)) => fits((*from..*until).contains(&chunk.created(at))),
            What::Situation(_) | What::Flag(_) => NONE,
        }
    }
}

impl Word {
    fn anywhere(&self, texts: &[u8], exact: bool, scratch: &mut Scratch) -> u8 {
        let digits = self.digits();
        let mut best = NONE;
        for (kind, text) in Fields(texts) {
            // Asked in this order, every record takes nearly the same way through it.
            let rating = if matches!(kind, Kind::Sub | Kind::Id | Kind::UserId) {
                match (digits, text.try_into()) {
                    (Some(digits), Ok(uuid)) => rate_uuid(digits, uuid),
                    _ => NONE,
                }
            } else if matches!(kind, Kind::Email | Kind::Name) {
                if exact { self.rate_as_it_stands(text).unwrap_or(NONE) } else { self.rate(text, scratch) }
            } else if kind == Kind::Provider {
                NONE
            } else {
                self.rate_id(text)
            };
            best = best.max(rating);
        }
        best
    }
}

fn part(of: Field, word: &Word, bits: Bits, texts: &[u8]) -> u8 {
    let (uuids, letters) = match of {
        Field::Username if bits.is_named_by_sub() => (Some(Kind::Sub), None),
        other => other.kinds(),
    };
    let of_rows = matches!(of, Field::Id);
    if of_rows != bits.is_row() && !matches!(of, Field::Email | Field::Sub) {
        return NONE;
    }
    let mut best = NONE;
    for (kind, text) in Fields(texts) {
        let rating = if Some(kind) == uuids {
            match (word.digits_of_part(), text.try_into()) {
                (Some(digits), Ok(uuid)) => rate_uuid(digits, uuid),
                _ => NONE,
            }
        } else if Some(kind) == letters {
            match kind {
                Kind::IdText | Kind::UserIdText => word.rate_id(text),
                _ => word.rate_as_it_stands(text).unwrap_or(NONE),
            }
        } else {
            NONE
        };
        best = best.max(rating);
    }
    debug_assert!(best == NONE || best >= CLOSE, "a part is there or not");
    best
}

fn is_without(of: Field, bits: Bits, texts: &[u8]) -> bool {
    let asked = match of {
        Field::Email => true,
        Field::Sub | Field::Id => bits.is_row(),
        Field::Username | Field::UserId | Field::Provider => !bits.is_row(),
    };
    let (uuids, letters) = of.kinds();
    asked && uuids.into_iter().chain(letters).all(|kind| field(texts, kind).is_none())
}
