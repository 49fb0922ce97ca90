//! How every request to the pool is made: through the budget, and, if it only reads, through the one retry loop.
//!
//! A request that writes is sent once. When its answer is lost nobody knows whether it was carried out, and sending it
//! again could undo what somebody else wrote meanwhile: whoever has it sent reads before it is sent again.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use tokio::time::Instant;

use crate::budget::{Budget, Category};
use crate::error::{PoolError, Remedy, classify};

/// How often a request is made again after a refusal for being too many. Waits grow to five seconds each, so that this
/// is well over a minute in all.
const THROTTLED_AT_MOST: u32 = 20;
/// How often a request is made again after another failure that may pass.
const FAILED_AT_MOST: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Makes a request that changes nothing, again where what failed may pass.
pub(crate) async fn call<T, E, F>(
    budget: &Budget,
    category: Category,
    operation: &'static str,
    place: &(dyn fmt::Display + Sync),
    mut request: impl FnMut() -> F,
) -> Result<T, PoolError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (mut throttled, mut failed) = (0, 0);
    loop {
        if !budget.spend() {
            let text = format!("{operation}: no more requests are made than were allowed.");
            return Err(PoolError::new(Remedy::Throttled, text));
        }
        budget.take(category).await;
        let error = match once(budget, category, operation, place, request()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let attempt = if error.remedy() == Remedy::Throttled {
            throttled += 1;
            throttled
        } else {
            failed += 1;
            failed
        };
        if !error.is_transient() || throttled > THROTTLED_AT_MOST || failed > FAILED_AT_MOST {
            return Err(error);
        }
        tracing::debug!(operation, attempt, remedy = ?error.remedy(), "the request is made again");
        tokio::time::sleep(wait(attempt)).await;
    }
}

/// Makes a request, this once, whose turn in the budget has come.
pub(crate) async fn once<T, E>(
    budget: &Budget,
    category: Category,
    operation: &'static str,
    place: &(dyn fmt::Display + Sync),
    request: impl Future<Output = Result<T, SdkError<E>>>,
) -> Result<T, PoolError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let went = Instant::now();
    let answer = request.await;
    match answer {
        Ok(answer) => {
            budget.answered(category, went);
            Ok(answer)
        }
        Err(error) => {
            let error = classify(operation, place, &error);
            if error.remedy() == Remedy::Throttled {
                budget.lower(category, went);
            }
            Err(error)
        }
    }
}

/// How long to wait after a request has failed this often. Doubles from 100 ms up to five seconds, and takes between half
/// and all of that, so that callers do not come back together.
pub fn wait(attempt: u32) -> Duration {
    let whole = Duration::from_millis(100).saturating_mul(1 << attempt.min(10)).min(LONGEST_WAIT) / 2;
    let share = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.5, |now| f64::from(now.subsec_nanos() % 1_000_000) / 1_000_000.0);
    whole + whole.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_five_seconds() {
        assert!(wait(1) >= Duration::from_millis(100) && wait(1) <= Duration::from_millis(200));
        assert!(wait(30) <= LONGEST_WAIT);
    }
}
