//! The answer of all records to one term. It is kept: what is read later is asked later, and who goes on typing looks among
//! the candidates alone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::chunk::{CHUNK, Chunk, Records};
use crate::columns::View;
use crate::query::Term;
use crate::word::{CLOSE, NONE, Scratch};

/// Fewer chunks are not worth a thread.
const WORTH_A_THREAD: usize = 4;

/// A rating for each record. Chunks in which nothing fits take no room.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    chunks: Vec<Option<Box<[u8]>>>,
    upto: u32,
}

impl Hits {
    /// How many records were asked.
    pub fn upto(&self) -> u32 {
        self.upto
    }

    /// How well a record fits, from 2 to 255; 0 where it does not.
    pub fn rating(&self, number: u32) -> u8 {
        let rating = self.candidate(number);
        if rating >= CLOSE { rating } else { NONE }
    }

    fn candidate(&self, number: u32) -> u8 {
        let chunk = self.chunks.get(number as usize / CHUNK).and_then(Option::as_deref);
        chunk.and_then(|chunk| chunk.get(number as usize % CHUNK)).copied().unwrap_or(NONE)
    }
}

/// Asks all records that were not asked before, `known` being what is known already: the answer to the same term as far as it
/// was asked and, where there is one, the answer to a wider term. `None` where it was told to stop.
pub fn search(
    view: &View,
    term: &Term,
    known: Hits,
    wider: Option<&Hits>,
    threads: usize,
    stop: &AtomicBool,
) -> Option<Hits> {
    let mut hits = known;
    // The last chunk may have grown.
    let full = hits.upto as usize / CHUNK;
    hits.chunks.truncate(full);
    let missing = view.chunks.get(full..).unwrap_or_default();
    let wider = wider.filter(|wider| wider.upto as usize >= full * CHUNK);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scratch = Scratch::default();
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = missing.get(at) else { break };
            let among = wider.filter(|wider| wider.upto as usize >= (full + at) * CHUNK + chunk.len());
            let among = among.map(|wider| wider.chunks.get(full + at).and_then(Option::as_deref));
            done.push((at, rate(chunk, term, among, &mut scratch)));
        }
        done
    };
    let threads = threads.min(missing.len() / WORTH_A_THREAD).max(1);
    let mut done = if threads == 1 {
        work()
    } else {
        thread::scope(|scope| {
            let others: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = others.into_iter().map(|thread| thread.join());
            joined.flat_map(|done| done.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))).collect()
        })
    };
    if done.len() < missing.len() {
        return None;
    }
    done.sort_unstable_by_key(|(at, _)| *at);
    hits.chunks.extend(done.into_iter().map(|(_, ratings)| ratings));
    hits.upto = view.len();
    Some(hits)
}

/// `among` are the ratings of a wider term: nothing fits beside them.
fn rate(chunk: &Chunk, term: &Term, among: Option<Option<&[u8]>>, scratch: &mut Scratch) -> Option<Box<[u8]>> {
    let mut ratings = vec![NONE; chunk.len()];
    match among {
        Some(None) => return None,
        Some(Some(wider)) => {
            let texts = chunk.texts();
            for (at, record) in Records(&texts).enumerate() {
                if wider.get(at).is_some_and(|rating| *rating > NONE) {
                    ratings[at] = term.rate(chunk, at, record, scratch);
                }
            }
        }
        None if term.reads_texts() => {
            let texts = chunk.texts();
            for ((at, record), rating) in Records(&texts).enumerate().zip(&mut ratings) {
                *rating = term.rate(chunk, at, record, scratch);
            }
        }
        None => {
            for (at, rating) in ratings.iter_mut().enumerate() {
                *rating = term.rate(chunk, at, &[], scratch);
            }
        }
    }
    ratings.iter().any(|rating| *rating > NONE).then(|| ratings.into_boxed_slice())
}
