//! A circuit breaker, for sign-ins: a database that is down shall not cost every one of them its time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many failures one after the other open the circuit.
const FAILURES: u32 = 3;
/// For so long nothing is tried. Then one attempt is, and either closes the circuit or opens it again.
const OPEN: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether an attempt may be made now.
    pub(crate) fn lets_through(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open_until.is_none_or(|until| now >= until)
    }

    pub(crate) fn went(&self, well: bool, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if well {
            *state = State::default();
            return;
        }
        state.failures += 1;
        if state.failures >= FAILURES {
            state.open_until = Some(now + OPEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_open_it_and_one_success_closes_it() {
        let (breaker, mut now) = (Breaker::default(), Instant::now());
        for _ in 0..2 {
            breaker.went(false, now);
            assert!(breaker.lets_through(now));
        }
        breaker.went(false, now);
        assert!(!breaker.lets_through(now) && !breaker.lets_through(now + OPEN / 2));
        now += OPEN;
        assert!(breaker.lets_through(now), "one is tried");
        breaker.went(false, now);
        assert!(!breaker.lets_through(now), "and opens it at once");
        now += OPEN;
        breaker.went(true, now);
        breaker.went(false, now);
        assert!(breaker.lets_through(now));
    }
}
