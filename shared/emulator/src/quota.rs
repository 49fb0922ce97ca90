//! Requests a second by category, enforced over a sliding second.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::refusal::Refusal;

/// Requests a second that the pool allows. AWS's own are 30, 120, 25 and 15 (Amazon Cognito developer guide, "Quotas").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub list: u32,
    pub read: u32,
    pub update: u32,
    pub describe: u32,
}

impl Quotas {
    /// What AWS allows an account and region.
    pub const AWS: Self = Self { list: 30, read: 120, update: 25, describe: 15 };

    fn of(self, operation: &str) -> Option<(&'static str, u32)> {
        match operation {
            "ListUsers" => Some(("list", self.list)),
            "AdminGetUser" => Some(("read", self.read)),
            "AdminUpdateUserAttributes" | "AdminDeleteUserAttributes" => Some(("update", self.update)),
            "DescribeUserPool" | "DescribeUserPoolClient" | "ListUserPoolClients" => Some(("describe", self.describe)),
            _ => None,
        }
    }
}

/// When the requests of the last second came.
#[derive(Debug, Default)]
pub(crate) struct Window {
    seen: HashMap<&'static str, VecDeque<Instant>>,
}

impl Window {
    pub(crate) fn admit(&mut self, quotas: Quotas, operation: &str, now: Instant) -> Result<(), Refusal> {
        let Some((category, limit)) = quotas.of(operation) else { return Ok(()) };
        let seen = self.seen.entry(category).or_default();
        while seen.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            seen.pop_front();
        }
        if seen.len() >= limit as usize {
            return Err(too_many());
        }
        seen.push_back(now);
        Ok(())
    }
}

/// Cognito sends this with status 400, not 429.
pub(crate) fn too_many() -> Refusal {
    Refusal::new("TooManyRequestsException", "Rate exceeded")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_thirty_first_listing_of_a_second_is_refused() {
        let (mut window, now) = (Window::default(), Instant::now());
        for _ in 0..30 {
            window.admit(Quotas::AWS, "ListUsers", now).unwrap();
        }
        assert_eq!(window.admit(Quotas::AWS, "ListUsers", now).unwrap_err().code, "TooManyRequestsException");
        window.admit(Quotas::AWS, "AdminGetUser", now).unwrap();
        window.admit(Quotas::AWS, "ListUsers", now + Duration::from_secs(1)).unwrap();
    }
}
