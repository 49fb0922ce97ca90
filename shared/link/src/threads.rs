//! The same work on many shares, each in the hands of one thread.

use std::num::NonZero;
use std::thread;

/// Less than this is not worth a thread.
const WORTH_A_THREAD: usize = 50_000;
/// More processors than these wait for the same memory.
const AT_MOST: usize = 8;

/// How many threads to use for so many records.
pub(crate) fn threads_for(records: usize) -> usize {
    if records < WORTH_A_THREAD { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(AT_MOST) }
}

/// Does the same to every share; on this thread where there is only one.
pub(crate) fn on_threads<S: Send, T: Send>(shares: Vec<S>, work: impl Fn(S) -> T + Sync) -> Vec<T> {
    if shares.len() <= 1 {
        return shares.into_iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || work(share))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)))
            .collect()
    })
}

/// Deals things out: each share has every so many'th of them.
pub(crate) fn shares<T>(things: impl Iterator<Item = T>, threads: usize) -> Vec<Vec<T>> {
    let mut shares: Vec<Vec<T>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, thing) in things.enumerate() {
        shares[number % threads].push(thing);
    }
    shares
}
