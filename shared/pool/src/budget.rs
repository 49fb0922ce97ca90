//! The request budget: how many requests a second may be made, by category.
//!
//! The application's sign-ins live from the same quotas, so a budget starts at what it was told and never goes above
//! it. What the pool really allows may be less, and may change. A refusal lowers the rate by a fourteenth at once; then it comes
//! back as TCP CUBIC does (RFC 9438): soon to just below where it was refused, slowly past that, and faster the longer
//! nothing is refused. So a steady quota is used nearly in full with few refusals, and one that grew again is found.

use std::sync::atomic::{AtomicU64, Ordering};
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
    /// Listing for a person who waits: it counts as [`Category::List`], and goes before what a scan has queued.
    Look,
}

impl Category {
    const fn bucket(self) -> usize {
        match self {
            Self::List | Self::Look => 0,
            Self::Read => 1,
            Self::Update => 2,
            Self::Describe => 3,
        }
    }
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

/// One category of requests, for a meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// AWS's name of the quota.
    pub category: &'static str,
    /// What AWS allows by default, in requests a second, for all pools of the account and region together.
    pub quota: f64,
    /// What was set, in requests a second.
    pub full: f64,
    /// What may be used now: less where the pool has refused.
    pub rate: f64,
    /// Requests so far.
    pub made: u64,
    /// Requests that the pool refused as too many, so far.
    pub refused: u64,
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
    /// How many requests that only read may still be made.
    left: AtomicU64,
}

/// Requests are made at this share of the rate. Thirty a second exactly are thirty-one in some seconds, as not every
/// request travels as long as the one before it.
const PACE: f64 = 0.99;
/// What a refusal leaves of the rate.
const LOWERED: f64 = 0.93;
/// How fast the rate comes back: requests a second, a second cubed. Thirty a second that were refused are thirty again after
/// four seconds, and eighteen are thirty after eleven.
const REGAIN: f64 = 0.03;

#[derive(Debug)]
struct Bucket {
    /// What was set, in requests a second.
    full: f64,
    /// When the rate was lowered, and what it was then.
    lowered: Option<(Instant, f64)>,
    /// When the next request may go.
    next: Instant,
    made: u64,
    refused: u64,
    /// How long the last answer took.
    took: Duration,
}

impl Budget {
    pub(crate) fn new(rates: Rates) -> Self {
        let bucket = |rate: f64| {
            let full = if rate.is_finite() { rate.clamp(0.1, 1_000.0) } else { 1.0 };
            let now = Instant::now();
            Mutex::new(Bucket::new(full, now))
        };
        let buckets = [bucket(rates.list), bucket(rates.read), bucket(rates.update), bucket(rates.describe)];
        Self { buckets, left: AtomicU64::new(u64::MAX) }
    }

    /// From here on no more than so many requests that only read are made.
    pub(crate) fn limit(&self, requests: u64) {
        self.left.store(requests, Ordering::Relaxed);
    }

    /// Takes one of these; false where none is left.
    pub(crate) fn spend(&self) -> bool {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        spent.is_ok()
    }

    fn with<T>(&self, category: Category, what: impl FnOnce(&mut Bucket) -> T) -> T {
        what(&mut self.buckets[category.bucket()].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until a request of this category may be made.
    pub(crate) async fn take(&self, category: Category) {
        let now = Instant::now();
        let ahead = matches!(category, Category::Look);
        let at = self.with(category, |bucket| if ahead { bucket.take_ahead(now) } else { bucket.take(now) });
        // A timer counts whole milliseconds, and one that is over already takes the rest of this one.
        if at > now {
            tokio::time::sleep_until(at).await;
        }
    }

    /// The pool answered a request that went at this moment.
    pub(crate) fn answered(&self, category: Category, went: Instant) {
        self.with(category, |bucket| bucket.took = went.elapsed());
    }

    /// How long the last answer took.
    pub(crate) fn took(&self, category: Category) -> Duration {
        self.with(category, |bucket| bucket.took)
    }

    /// The pool said of a request that went at this moment that there were too many.
    pub(crate) fn lower(&self, category: Category, went: Instant) {
        self.with(category, |bucket| bucket.lower(Instant::now(), went));
    }

    pub(crate) fn meter(&self) -> Meter {
        self.with(Category::List, |bucket| Meter {
            listed: bucket.made,
            throttled: bucket.refused,
            list_rate: bucket.rate(Instant::now()),
        })
    }
}

impl Budget {
    /// Every category, in AWS's words (Amazon Cognito developer guide, "Quotas").
    pub(crate) fn used(&self) -> [Used; 4] {
        let of = |at: Category, category, quota| {
            self.with(at, |bucket| Used {
                category,
                quota,
                full: bucket.full,
                rate: bucket.rate(Instant::now()),
                made: bucket.made,
                refused: bucket.refused,
            })
        };
        [
            of(Category::List, "UserList", 30.0),
            of(Category::Read, "UserRead", 120.0),
            of(Category::Update, "UserUpdate", 25.0),
            of(Category::Describe, "UserPoolRead", 15.0),
        ]
    }
}

impl Bucket {
    fn new(full: f64, now: Instant) -> Self {
        Self { full, lowered: None, next: now, made: 0, refused: 0, took: Duration::ZERO }
    }

    /// Requests a second that may be made now.
    fn rate(&self, now: Instant) -> f64 {
        let Some((since, before)) = self.lowered else { return self.full };
        let until_back = (before * (1.0 - LOWERED) / REGAIN).cbrt();
        let past = now.saturating_duration_since(since).as_secs_f64() - until_back;
        (before + REGAIN * past.powi(3)).clamp(0.1, self.full)
    }

    fn take(&mut self, now: Instant) -> Instant {
        let rate = self.rate(now);
        let at = self.next.max(now);
        self.next = at + Duration::from_secs_f64(1.0 / (rate * PACE));
        self.made += 1;
        at
    }

    /// A turn at once. Whoever queues after it comes that much later, so that the rate is kept over a second or two.
    fn take_ahead(&mut self, now: Instant) -> Instant {
        self.take(now);
        now
    }

    /// What went before the rate was lowered says nothing of the rate that it was lowered to.
    fn lower(&mut self, now: Instant, went: Instant) {
        self.refused += 1;
        if self.lowered.is_none_or(|(since, _)| went >= since) {
            self.lowered = Some((now, self.rate(now)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(now: Instant, seconds: f64) -> Instant {
        now + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn requests_are_spread_evenly() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, now);
        let times: Vec<_> = (0..3).map(|_| (bucket.take(now) - now).as_millis()).collect();
        assert_eq!(times, [0, 101, 202]);
    }

    #[test]
    fn who_looks_somebody_up_goes_first_and_the_others_wait_for_it() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, now);
        let queued: Vec<_> = (0..3).map(|_| bucket.take(now)).collect();
        assert_eq!(bucket.take_ahead(now), now);
        assert_eq!((bucket.take(now) - queued[2]).as_millis(), 202, "one turn was given away");
    }

    #[test]
    fn unused_time_is_not_saved_up_for_a_burst() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, now);
        bucket.take(now);
        let later = after(now, 60.0);
        bucket.take(later);
        assert_eq!((bucket.take(later) - later).as_millis(), 101);
    }

    #[test]
    fn a_refusal_lowers_the_rate_and_what_went_before_it_lowers_it_no_more() {
        let now = Instant::now();
        let mut bucket = Bucket::new(30.0, now);
        let lowered = after(now, 1.0);
        bucket.lower(lowered, now);
        assert!((bucket.rate(lowered) - 27.9).abs() < 0.001, "{}", bucket.rate(lowered));
        bucket.lower(after(now, 1.1), after(now, 0.9));
        assert!(bucket.rate(after(now, 1.1)) >= 27.9, "it went at the old rate");
        bucket.lower(after(now, 1.2), after(now, 1.1));
        assert!(bucket.rate(after(now, 1.2)) < 27.0, "it went at the new one");
    }

    #[test]
    fn the_rate_comes_back_and_never_goes_above_what_was_set() {
        let now = Instant::now();
        let mut bucket = Bucket::new(30.0, now);
        for second in 0..7 {
            bucket.lower(after(now, f64::from(second) * 0.2), after(now, f64::from(second) * 0.2));
        }
        let low = bucket.rate(after(now, 1.2));
        assert!(low < 22.0, "{low}");
        let mut last = low;
        for second in 1..60 {
            let rate = bucket.rate(after(now, 1.2 + f64::from(second)));
            assert!(rate >= last && rate <= 30.0);
            last = rate;
        }
        assert!((last - 30.0).abs() < 0.001, "{last}");
    }

    /// A pool that allows eighteen a second, then thirty again, to a budget of thirty.
    #[test]
    fn a_quota_that_is_hidden_is_used_nearly_in_full_with_few_refusals() {
        let now = Instant::now();
        let mut bucket = Bucket::new(30.0, now);
        let mut window: std::collections::VecDeque<Instant> = std::collections::VecDeque::new();
        let (mut at, mut served, mut refused) = (now, [0; 3], [0; 3]);
        while at < after(now, 180.0) {
            at = bucket.take(at);
            let part = ((at - now).as_secs() / 60).min(2) as usize;
            let quota = [30, 18, 30][part];
            while window.front().is_some_and(|first| at - *first >= Duration::from_secs(1)) {
                window.pop_front();
            }
            if window.len() < quota {
                window.push_back(at);
                served[part] += 1;
            } else {
                refused[part] += 1;
                bucket.lower(at, at);
            }
        }
        assert!(served[0] >= 60 * 30 * 97 / 100, "{served:?}");
        assert!(served[1] >= 60 * 18 * 94 / 100, "{served:?}");
        assert!(served[2] >= 60 * 30 * 93 / 100, "{served:?}");
        let all: usize = served.iter().sum();
        assert!(refused.iter().sum::<usize>() * 100 < all * 2, "{refused:?} of {all}");
    }
}
