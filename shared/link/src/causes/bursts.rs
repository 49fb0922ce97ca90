//! A time in which more was made of one kind than of the others.

/// Within so many seconds of each other, moments belong together: ten minutes, an hour, six, a day.
const GAPS: [i64; 4] = [600, 3_600, 21_600, 86_400];
/// Fewer than these are no burst.
const FEWEST: usize = 3;

/// A burst among sorted moments: the first and the last that belong to it, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Burst {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) gap: i64,
}

impl Burst {
    pub(super) const fn count(self) -> usize {
        self.last - self.first + 1
    }
}

/// The largest burst among `moments` of `all` entries, compared with the moments of others. Both are sorted.
pub(super) fn burst(moments: &[i64], all: usize, others: &[i64]) -> Option<Burst> {
    let found = GAPS.map(|gap| largest(moments, all, others, gap));
    let most = found.iter().flatten().map(|burst| burst.count()).max()?;
    // The narrowest that holds most of what the widest does.
    found.into_iter().flatten().find(|burst| burst.count() * 10 >= most * 7)
}

fn largest(moments: &[i64], all: usize, others: &[i64], gap: i64) -> Option<Burst> {
    let mut best: Option<Burst> = None;
    let mut first = 0;
    for at in 0..moments.len() {
        if moments.get(at + 1).is_some_and(|next| next - moments[at] <= gap) {
            continue;
        }
        let burst = Burst { first, last: at, gap };
        first = at + 1;
        let count = burst.count();
        let within = within(others, moments[burst.first], moments[at]);
        let worth = count >= FEWEST && count * 5 >= all && best.is_none_or(|best| best.count() < count);
        // Where a burst may be is tried at every moment, so that chance gets more than one try.
        let tries = 2.0 * (moments.len() as f64).ln();
        if worth && sets_apart(count, all, within, others.len(), tries) {
            best = Some(burst);
        }
    }
    best
}

/// How many of sorted moments lie between two, both included.
pub(super) fn within(moments: &[i64], from: i64, to: i64) -> usize {
    moments.partition_point(|at| *at <= to) - moments.partition_point(|at| *at < from)
}

/// Whether `count` of `all` having something is far from what chance would give, if of `others` so many have it.
///
/// What was seen of the others is taken for a little more than it is, so that what is rare among few is not taken for
/// never. The bound is Chernoff's, at one in a million, and lower by `tries`.
pub(super) fn sets_apart(count: usize, all: usize, having: usize, others: usize, tries: f64) -> bool {
    if count == 0 || all == 0 {
        return false;
    }
    let (n, part) = (all as f64, count as f64 / all as f64);
    let usual = (having as f64 + 1.0) / (others as f64 + 2.0);
    if part < 3.0 * usual {
        return false;
    }
    let rest = if count == all { 0.0 } else { (1.0 - part) * ((1.0 - part) / (1.0 - usual)).ln() };
    n * (part * (part / usual).ln() + rest) >= 13.8 + tries
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    /// Moments spread evenly over two years.
    fn spread(count: i64) -> Vec<i64> {
        (0..count).map(|n| n * 730 * DAY / count).collect()
    }

    #[test]
    fn a_night_stands_out_from_two_years() {
        let night: Vec<i64> = (0..40).map(|n| 400 * DAY + 7_800 + n * 45).collect();
        let mut moments = spread(20);
        moments.extend(&night);
        moments.sort_unstable();
        let found = burst(&moments, moments.len(), &spread(5_000)).map(|it| (moments[it.first], moments[it.last]));
        assert_eq!(found, Some((night[0], night[39])));
    }

    #[test]
    fn what_is_spread_as_all_the_others_are_is_no_burst() {
        assert_eq!(burst(&spread(500), 500, &spread(10_000)), None);
        assert_eq!(burst(&spread(3), 3, &spread(10_000)), None);
    }

    #[test]
    fn a_night_in_which_everybody_came_explains_nothing() {
        let night: Vec<i64> = (0..60).map(|n| 400 * DAY + n * 30).collect();
        let mut others = spread(1_000);
        others.extend((0..900).map(|n| 400 * DAY + n * 2));
        others.sort_unstable();
        assert_eq!(burst(&night, 60, &others), None, "nearly half of all signed up that night");
    }

    #[test]
    fn two_are_no_burst_and_of_many_a_few_are_none() {
        assert_eq!(burst(&[100, 130], 2, &spread(100_000)), None);
        let mut moments = spread(400);
        moments.extend([100 * DAY + 1, 100 * DAY + 2, 100 * DAY + 3]);
        moments.sort_unstable();
        assert_eq!(burst(&moments, moments.len(), &spread(100_000)), None, "less than a fifth");
    }

    #[test]
    fn what_all_have_sets_nobody_apart() {
        assert!(!sets_apart(100, 100, 900, 1_000, 0.0));
        assert!(!sets_apart(100, 100, 0, 0, 0.0), "there is nobody to compare with");
        assert!(sets_apart(90, 100, 1, 1_000, 0.0));
        assert!(!sets_apart(2, 2, 10, 100, 0.0), "too few to tell");
    }
}
