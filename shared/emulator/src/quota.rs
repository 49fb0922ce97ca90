//! Requests a second by category, on the pool's own clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::refusal::Refusal;

/// Requests a second that the pool allows (Amazon Cognito developer guide, "Quotas").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// UserList.
    pub list: u32,
    /// UserRead.
    pub read: u32,
    /// UserUpdate.
    pub update: u32,
    /// UserCreation.
    pub create: u32,
    /// UserPoolRead.
    pub describe: u32,
    /// UserPoolClientRead and UserPoolClientUpdate, each. No single operation of them may have more than five.
    pub clients: u32,
    pub enforcement: Enforcement,
}

/// How a second is counted. AWS does not say how it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// By the clock: at the turn of a second twice as many can pass in no time.
    FixedWindow,
    /// The second before each request.
    #[default]
    SlidingWindow,
    /// A second's worth is saved up at most, and comes back evenly: in a second after a pause twice as many can pass.
    TokenBucket,
}

/// What one operation on the clients of a pool may have at most, whatever its category has (the same page). Here it is counted
/// over all pools.
const CLIENT_OPERATION: u32 = 5;
const SECOND: Duration = Duration::from_secs(1);

impl Quotas {
    /// What AWS allows an account and region.
    pub const AWS: Self = Self {
        list: 30,
        read: 120,
        update: 25,
        create: 50,
        describe: 15,
        clients: 15,
        enforcement: Enforcement::SlidingWindow,
    };

    /// The quotas that a request counts against.
    fn of(self, operation: &str) -> Vec<(&str, u32)> {
        match operation {
            "ListUsers" => vec![("UserList", self.list)],
            "AdminGetUser" => vec![("UserRead", self.read)],
            "AdminUpdateUserAttributes"
            | "AdminDeleteUserAttributes"
            | "AdminDeleteUser"
            | "AdminDisableUser"
            | "AdminEnableUser" => vec![("UserUpdate", self.update)],
            "AdminCreateUser" | "AdminConfirmSignUp" => vec![("UserCreation", self.create)],
            "DescribeUserPool" => vec![("UserPoolRead", self.describe)],
            "DescribeUserPoolClient" | "ListUserPoolClients" => {
                vec![("UserPoolClientRead", self.clients), (operation, CLIENT_OPERATION)]
            }
            "CreateUserPoolClient" => vec![("UserPoolClientUpdate", self.clients), (operation, CLIENT_OPERATION)],
            _ => Vec::new(),
        }
    }
}

/// What was asked of a category.
#[derive(Debug, Default)]
struct Meter {
    /// When the requests of the last second came.
    admitted: VecDeque<Duration>,
    /// The bucket: what was in it, and when.
    tokens: f64,
    filled: Option<Duration>,
}

impl Meter {
    fn has_room(&mut self, limit: u32, enforcement: Enforcement, now: Duration) -> bool {
        while self.admitted.front().is_some_and(|at| now.saturating_sub(*at) >= SECOND) {
            self.admitted.pop_front();
        }
        let full = f64::from(limit);
        let since = self.filled.map(|filled| now.saturating_sub(filled).as_secs_f64());
        self.tokens = since.map_or(full, |since| (self.tokens + since * full).min(full));
        self.filled = Some(now);
        let of_this_second = self.admitted.iter().filter(|at| at.as_secs() == now.as_secs());
        match enforcement {
            Enforcement::FixedWindow => of_this_second.count() < limit as usize,
            Enforcement::SlidingWindow => self.admitted.len() < limit as usize,
            Enforcement::TokenBucket => self.tokens >= 1.0,
        }
    }

    fn count(&mut self, now: Duration) {
        self.admitted.push_back(now);
        self.tokens = (self.tokens - 1.0).max(0.0);
    }
}

/// The meters of all categories. A request that is refused counts against none.
#[derive(Debug, Default)]
pub(crate) struct Meters(HashMap<String, Meter>);

impl Meters {
    pub(crate) fn admit(&mut self, quotas: Quotas, operation: &str, now: Duration) -> Result<(), Refusal> {
        let limits = quotas.of(operation);
        for (name, limit) in &limits {
            if !self.0.entry((*name).to_owned()).or_default().has_room(*limit, quotas.enforcement, now) {
                return Err(too_many());
            }
        }
        for (name, _) in limits {
            if let Some(meter) = self.0.get_mut(name) {
                meter.count(now);
            }
        }
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

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// How many of a hundred listings at once are admitted.
    fn burst(meters: &mut Meters, quotas: Quotas, now: Duration) -> usize {
        (0..100).filter(|_| meters.admit(quotas, "ListUsers", now).is_ok()).count()
    }

    fn enforced(enforcement: Enforcement) -> Quotas {
        Quotas { enforcement, ..Quotas::AWS }
    }

    #[test]
    fn the_thirty_first_listing_of_a_second_is_refused() {
        let mut meters = Meters::default();
        assert_eq!(burst(&mut meters, Quotas::AWS, at(0)), 30);
        let refused = meters.admit(Quotas::AWS, "ListUsers", at(0)).unwrap_err();
        assert_eq!((refused.status, refused.code), (400, "TooManyRequestsException"));
        meters.admit(Quotas::AWS, "AdminGetUser", at(0)).unwrap();
        meters.admit(Quotas::AWS, "ListUsers", at(1_000)).unwrap();
    }

    #[test]
    fn the_windows_and_the_bucket_differ_at_the_turn_of_a_second() {
        // Everything that can pass at 0.9 s, then at 1.1 s, then at 1.9 s.
        for (enforcement, passed) in [
            (Enforcement::FixedWindow, [30, 30, 0]),
            (Enforcement::SlidingWindow, [30, 0, 30]),
            (Enforcement::TokenBucket, [30, 6, 24]),
        ] {
            let (mut meters, quotas) = (Meters::default(), enforced(enforcement));
            let bursts = [900, 1_100, 1_900].map(|millis| burst(&mut meters, quotas, at(millis)));
            assert_eq!(bursts, passed, "{enforcement:?}");
        }
    }

    #[test]
    fn no_second_of_a_sliding_window_holds_more_and_a_bucket_never_saves_up_more_than_one() {
        let (mut meters, quotas) = (Meters::default(), enforced(Enforcement::SlidingWindow));
        let admitted: Vec<u64> =
            (0..5_000).step_by(7).filter(|millis| meters.admit(quotas, "ListUsers", at(*millis)).is_ok()).collect();
        for (from, last) in admitted.iter().zip(admitted.iter().skip(30)) {
            assert!(last - from >= 1_000);
        }
        let (mut meters, quotas) = (Meters::default(), enforced(Enforcement::TokenBucket));
        assert_eq!(burst(&mut meters, quotas, at(60_000)), 30);
        assert_eq!(burst(&mut meters, quotas, at(120_000)), 30);
    }

    #[test]
    fn a_quota_can_be_lowered_and_raised_while_it_counts() {
        for enforcement in [Enforcement::FixedWindow, Enforcement::SlidingWindow, Enforcement::TokenBucket] {
            let mut meters = Meters::default();
            let (all, fewer) = (enforced(enforcement), Quotas { list: 18, ..enforced(enforcement) });
            assert_eq!(burst(&mut meters, all, at(10_000)), 30, "{enforcement:?}");
            assert_eq!(burst(&mut meters, fewer, at(10_000)), 0, "{enforcement:?}");
            assert_eq!(burst(&mut meters, fewer, at(11_000)), 18, "{enforcement:?}");
            assert_eq!(burst(&mut meters, fewer, at(12_000)), 18, "{enforcement:?}");
            assert_eq!(burst(&mut meters, all, at(13_000)), 30, "{enforcement:?}");
        }
    }

    #[test]
    fn writes_share_a_quota_and_an_operation_on_clients_has_its_own_besides() {
        let mut meters = Meters::default();
        for operation in
            ["AdminUpdateUserAttributes", "AdminDeleteUserAttributes", "AdminDeleteUser"].iter().cycle().take(25)
        {
            meters.admit(Quotas::AWS, operation, at(0)).unwrap();
        }
        assert!(meters.admit(Quotas::AWS, "AdminDisableUser", at(0)).is_err());
        for _ in 0..5 {
            meters.admit(Quotas::AWS, "DescribeUserPoolClient", at(0)).unwrap();
        }
        assert!(meters.admit(Quotas::AWS, "DescribeUserPoolClient", at(0)).is_err());
        meters.admit(Quotas::AWS, "ListUserPoolClients", at(0)).unwrap();
    }
}
