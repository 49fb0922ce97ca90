//! The pool's own clock: hours of it can pass in a second.

use std::time::{Duration, Instant};

use userlink_domain::Timestamp;

/// Counts from the pool's beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// How many of the pool's seconds pass in one.
    scale: f64,
}

impl Clock {
    pub(crate) fn start(scale: f64) -> Self {
        Self { started: Instant::now(), scale }
    }

    pub(crate) fn elapsed(self) -> Duration {
        Duration::try_from_secs_f64(self.started.elapsed().as_secs_f64() * self.scale).unwrap_or_default()
    }
}

/// When a request is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// What is written on users.
    pub(crate) date: Timestamp,
    /// Since the pool's beginning, on its own clock.
    pub(crate) clock: Duration,
    /// How far behind a listing is, on the same clock.
    pub(crate) lag: Duration,
}

impl Moment {
    /// Before anything has happened.
    pub(crate) const BEGINNING: Self =
        Self { date: Timestamp::from_millis(0), clock: Duration::ZERO, lag: Duration::ZERO };

    /// The moment that a listing shows.
    pub(crate) fn listed(self) -> Duration {
        self.clock.saturating_sub(self.lag)
    }
}
