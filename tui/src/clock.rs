//! The one place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use userlink_domain::Timestamp;

/// Now, by the system's clock.
pub(crate) fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
