//! The request budget: how many requests a second may be made, by category.
//!
//! The application's sign-ins live from the same quotas, so a budget starts at what it was told and never goes above
//! it. A refusal by the pool halves it at once; each second without one gives a tenth of the full rate back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The quota that a request counts against. Cognito's own, a second, for all pools of an account and region together:
/// UserList 30, UserRead 120, UserUpdate 25, UserPoolRead 15 (Amazon Cognito developer guide, "Quotas").
#[derive(Clone, Copy, Debug)]
pub(crate) enum Category {
    List,
    Read,
    Update,
    Describe,
}

/// Requests a second to make at most, by category.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    pub list: f64,
    pub read: f64,
    pub update: f64,
    pub describe: f64,
}

/// Half of what can be listed, a fifth of what can be written, and less still where little is asked for.
impl Default for Rates {
    fn default() -> Self {
        Self { list: 15.0, read: 15.0, update: 5.0, describe: 5.0 }
    }
}

/// What the budget has been doing, for a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    /// Requests that listed, so far.
    pub listed: u64,
    /// Requests that the pool refused as too many, so far.
    pub throttled: u64,
    /// What listing may use now, in requests a second.
    pub list_rate: f64,
}

#[derive(Debug)]
pub(crate) struct Budget {
    buckets: [Mutex<Bucket>; 4],
}

#[derive(Debug)]
struct Bucket {
    /// What was set, in requests a second.
    full: f64,
    /// What is used now.
    rate: f64,
    /// When the next request may go.
    next: Instant,
    raised: Instant,
    made: u64,
    refused: u64,
}

impl Budget {
    pub(crate) fn new(rates: Rates) -> Self {
        let bucket = |rate: f64| {
            let full = if rate.is_finite() { rate.clamp(0.1, 1_000.0) } else { 1.0 };
            let now = Instant::now();
            Mutex::new(Bucket { full, rate: full, next: now, raised: now, made: 0, refused: 0 })
        };
        Self { buckets: [bucket(rates.list), bucket(rates.read), bucket(rates.update), bucket(rates.describe)] }
    }

    fn with<T>(&self, category: Category, what: impl FnOnce(&mut Bucket) -> T) -> T {
        what(&mut self.buckets[category as usize].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until a request of this category may be made.
    pub(crate) async fn take(&self, category: Category) {
        let at = self.with(category, |bucket| bucket.take(Instant::now()));
        tokio::time::sleep_until(at).await;
    }

    /// The pool said that there were too many.
    pub(crate) fn lower(&self, category: Category) {
        self.with(category, |bucket| bucket.lower(Instant::now()));
    }

    pub(crate) fn meter(&self) -> Meter {
        self.with(Category::List, |bucket| Meter {
            listed: bucket.made,
            throttled: bucket.refused,
            list_rate: bucket.rate,
        })
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> Instant {
        self.raise(now);
        let at = self.next.max(now);
        self.next = at + Duration::from_secs_f64(1.0 / self.rate);
        self.made += 1;
        at
    }

    fn raise(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.raised).as_secs_f64();
        if self.rate < self.full && seconds > 0.0 {
            self.rate = (self.rate + self.full / 10.0 * seconds).min(self.full);
        }
        self.raised = self.raised.max(now);
    }

    /// Requests that were under way together are refused together: within a second that counts as one refusal.
    fn lower(&mut self, now: Instant) {
        self.refused += 1;
        if self.raised <= now {
            self.rate = (self.rate / 2.0).max(self.full / 16.0).max(0.1);
            self.raised = now + Duration::from_secs(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rate: f64) -> (Bucket, Instant) {
        let now = Instant::now();
        (Bucket { full: rate, rate, next: now, raised: now, made: 0, refused: 0 }, now)
    }

    #[test]
    fn requests_are_spread_evenly() {
        let (mut bucket, now) = bucket(10.0);
        let times: Vec<_> = (0..3).map(|_| (bucket.take(now) - now).as_millis()).collect();
        assert_eq!(times, [0, 100, 200]);
    }

    #[test]
    fn unused_time_is_not_saved_up_for_a_burst() {
        let (mut bucket, now) = bucket(10.0);
        bucket.take(now);
        let later = now + Duration::from_secs(60);
        bucket.take(later);
        assert_eq!((bucket.take(later) - later).as_millis(), 100);
    }

    #[test]
    fn a_refusal_halves_the_rate_once_a_second_and_it_comes_back_slowly() {
        let (mut bucket, now) = bucket(16.0);
        bucket.lower(now);
        bucket.lower(now + Duration::from_millis(10));
        assert!((bucket.rate - 8.0).abs() < 0.001, "two refusals at once count as one");
        bucket.raise(now + Duration::from_secs(2));
        assert!((bucket.rate - 9.6).abs() < 0.001, "{}", bucket.rate);
        bucket.raise(now + Duration::from_secs(60));
        assert!((bucket.rate - 16.0).abs() < 0.001, "never above what was set");
    }
}
