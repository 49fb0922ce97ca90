//! What goes wrong on purpose. Which request is hit follows from the seed and the request's number.

use std::time::Duration;

use crate::permutation::mix;
use crate::quota::too_many;
use crate::refusal::Refusal;

/// What the pool does wrong. Shares are of all requests, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    pub seed: u64,
    /// Pages that hold nothing and are not the last.
    pub empty_pages: f64,
    /// Pages that hold fewer users than they could.
    pub short_pages: f64,
    /// Requests refused as too many.
    pub throttled: f64,
    /// Requests answered with status 500.
    pub internal: f64,
    /// Connections that end without an answer.
    pub dropped: f64,
    /// A listing's token is refused once, after this many pages.
    pub token_expires_after: Option<u64>,
    /// From this request on the credentials are said to have expired.
    pub credentials_expire_after: Option<u64>,
    /// From this request on the credentials are no longer known.
    pub credentials_unknown_after: Option<u64>,
    /// Operations that the role may not call.
    pub denied: Vec<String>,
    /// How long each answer takes, by everybody's clock. Requests of several connections wait side by side.
    pub latency: Duration,
    /// How far ListUsers is behind, on the pool's own clock: it shows what was there that long ago. AdminGetUser is never
    /// behind.
    pub list_lag: Duration,
    /// A filter only thins out the pages of the whole pool, so that a listing by shards costs sixteen times as much.
    pub filter_after_paging: bool,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Served,
    Refused(Refusal),
    Dropped,
}

impl Faults {
    fn hits(&self, share: f64, kind: u64, number: u64) -> bool {
        share > 0.0 && (mix(self.seed ^ kind << 56 ^ number) >> 11) as f64 / ((1u64 << 53) as f64) < share
    }

    /// What happens to the request with this number.
    pub(crate) fn fate(&self, operation: &str, number: u64) -> Fate {
        if self.credentials_expire_after.is_some_and(|after| number >= after) {
            let text = "The security token included in the request is expired";
            return Fate::Refused(Refusal::new("ExpiredTokenException", text));
        }
        if self.credentials_unknown_after.is_some_and(|after| number >= after) {
            let text = "The security token included in the request is invalid.";
            return Fate::Refused(Refusal::new("UnrecognizedClientException", text));
        }
        if self.denied.iter().any(|denied| denied == operation) {
            let text = "User is not authorized to perform this action";
            return Fate::Refused(Refusal::new("AccessDeniedException", text));
        }
        if self.hits(self.dropped, 1, number) {
            Fate::Dropped
        } else if self.hits(self.internal, 2, number) {
            Fate::Refused(Refusal::internal())
        } else if self.hits(self.throttled, 3, number) {
            Fate::Refused(too_many())
        } else {
            Fate::Served
        }
    }

    /// How many users a page may hold that could hold so many.
    pub(crate) fn page_size(&self, full: usize, number: u64) -> usize {
        if self.hits(self.empty_pages, 4, number) {
            0
        } else if self.hits(self.short_pages, 5, number) {
            (full / 3).max(1)
        } else {
            full
        }
    }
}
