//! The time that an invocation has, and what is tried again within it.
//!
//! Cognito gives up after five seconds and then calls again, whatever the function's own timeout says. So an attempt is made
//! only where it can end in time, and each phase has its share.

use std::time::{Duration, Instant, SystemTime};

use tokio::time::timeout;
use userlink_pool::wait;

/// What is kept for the way back.
const WAY_BACK: Duration = Duration::from_millis(50);
/// With less than this an attempt is not begun.
const SHORTEST: Duration = Duration::from_millis(30);
/// The database's share. The pool, which comes after it, needs at least the rest.
const DATABASE: f64 = 0.6;

/// The retry queue's share at most, where there is one, and of the whole at most a fifth.
const QUEUE: Duration = Duration::from_millis(400);
/// Everything at a sign-in, the way back included.
const SIGN_IN: Duration = Duration::from_millis(300);

/// When an invocation has to come to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) database_end: Instant,
    /// Of the database and the pool.
    pub(crate) end: Instant,
    /// Of the retry queue, too.
    pub(crate) queue_end: Instant,
}

impl Budget {
    /// `from` is when the caller began to wait, as far as that is known; `deadline` is the function's own timeout.
    pub(crate) fn new(from: Instant, limit: Duration, deadline: Option<SystemTime>, queue: bool) -> Self {
        let now = Instant::now();
        let ours = from + limit;
        let left = deadline.map(|deadline| deadline.duration_since(SystemTime::now()).unwrap_or_default());
        let end = left.map_or(ours, |left| ours.min(now + left));
        let queue_end = end.checked_sub(WAY_BACK).unwrap_or(end);
        let whole = queue_end.saturating_duration_since(now);
        let for_queue = if queue { QUEUE.min(whole / 5) } else { Duration::ZERO };
        let end = now + (whole - for_queue);
        let database_end = now + (whole - for_queue).mul_f64(DATABASE);
        Self { database_end, end, queue_end }
    }

    /// For a sign-in: somebody is waiting who could do without us.
    pub(crate) fn of_sign_in(began: Instant, deadline: Option<SystemTime>, queue: bool) -> Self {
        Self::new(began, SIGN_IN, deadline, queue)
    }
}

/// What is left until then.
pub(crate) fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

/// Does it, again where the failure may pass, until then. No attempt takes longer than `attempt`, and none is begun that has no
/// time. Waits grow, and differ, so that many functions do not come back together.
pub(crate) async fn tried<T, E>(
    end: Instant,
    attempt: Duration,
    mut act: impl AsyncFnMut(Duration) -> Result<T, E>,
    may_pass: impl Fn(&E) -> bool,
    too_slow: impl Fn() -> E,
) -> Result<T, E> {
    let mut number = 0;
    loop {
        let limit = left(end).min(attempt);
        if limit < SHORTEST {
            return Err(too_slow());
        }
        let error = match timeout(limit, act(limit)).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => error,
            Err(_) => too_slow(),
        };
        number += 1;
        if !may_pass(&error) || !pause(number, end).await {
            return Err(error);
        }
    }
}

/// In seconds that are counted, nobody waits for long: what is back a moment later has to be found.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Waits before the next attempt; false, at once, where there would be no time left for it.
pub(crate) async fn pause(number: u32, end: Instant) -> bool {
    let pause = (wait(number) / 2).min(LONGEST_PAUSE);
    if left(end) < pause + SHORTEST {
        return false;
    }
    tokio::time::sleep(pause).await;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failing(millis: u64, attempt: Duration) -> (Duration, u32) {
        let (began, mut attempts) = (Instant::now(), 0);
        let act = async |_| {
            attempts += 1;
            tokio::time::sleep(attempt).await;
            Err::<(), ()>(())
        };
        let done = tried(began + Duration::from_millis(millis), Duration::from_millis(50), act, |()| true, || ()).await;
        assert_eq!(done, Err(()));
        (began.elapsed(), attempts)
    }

    #[tokio::test]
    async fn what_fails_is_tried_again_until_the_time_is_over() {
        let (took, attempts) = failing(500, Duration::ZERO).await;
        assert!(took <= Duration::from_secs(2) && attempts >= 2, "{took:?} {attempts}");
    }

    #[tokio::test]
    async fn what_hangs_does_not_use_up_the_time() {
        let (took, attempts) = failing(500, Duration::from_secs(60)).await;
        assert!(took <= Duration::from_secs(2) && attempts >= 2, "{took:?} {attempts}");
    }

    #[tokio::test]
    async fn without_time_nothing_is_begun() {
        assert_eq!(failing(0, Duration::ZERO).await.1, 0);
    }

    #[test]
    fn the_nearer_end_counts() {
        let now = Instant::now();
        let soon = SystemTime::now() + Duration::from_secs(1);
        assert!(Budget::new(now, Duration::from_secs(4), Some(soon), false).end < now + Duration::from_millis(1001));
        let late = SystemTime::now() + Duration::from_secs(900);
        let budget = Budget::new(now, Duration::from_secs(4), Some(late), true);
        assert!(budget.end < now + Duration::from_secs(4) && budget.database_end < now + Duration::from_millis(2500));
        assert!(budget.end < budget.queue_end && budget.queue_end < now + Duration::from_secs(4));
        let short = Budget::of_sign_in(now, Some(late), true);
        assert!(short.queue_end < now + SIGN_IN && short.database_end < short.end && short.end < short.queue_end);
    }
}
