//! Numbers and moments in words a person reads at a glance.
//!
//! Never asks a clock: whoever wants "3 min ago" brings the moment it is.

use userlink_domain::Timestamp;

/// `1,203`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1,203`, `340k`, `1.0M`: at most five columns.
pub(crate) fn short(number: u64) -> String {
    match number {
        0..10_000 => thousands(number),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        1_000_000..100_000_000 => format!("{}.{}M", number / 1_000_000, number / 100_000 % 10),
        100_000_000..10_000_000_000 => format!("{}M", number / 1_000_000),
        _ => format!("{}G", number / 1_000_000_000),
    }
}

/// `1 user`, `1,203 users`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `3 min ago`, at most nine columns.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let seconds = now.since(then) / 1000;
    match seconds {
        ..10 => "just now".to_owned(),
        10..MINUTE => format!("{seconds} s ago"),
        MINUTE..HOUR => format!("{} min ago", seconds / MINUTE),
        HOUR..DAY => format!("{} h ago", seconds / HOUR),
        _ if seconds < 60 * DAY => format!("{} d ago", seconds / DAY),
        _ if seconds < 730 * DAY => format!("{} mo ago", seconds / (30 * DAY)),
        _ => format!("{} y ago", seconds / (365 * DAY)),
    }
}

/// `2026-11-22 02:14:07 UTC`.
pub(crate) fn absolute(moment: Timestamp) -> String {
    moment.to_string().replace('T', " ").replace('Z', " UTC")
}

/// `6 min left`.
pub(crate) fn left(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{} s left", seconds.max(1)),
        60..5_400 => format!("{} min left", seconds.div_ceil(60)),
        _ => format!("{} h {} min left", seconds / 3600, seconds / 60 % 60),
    }
}

/// `5 min`, `1 h`, `30 d`.
pub(crate) fn lasts(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 if seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The first letter in upper case.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators_and_stay_narrow() {
        for (number, long, narrow) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_203, "1,203", "1,203"),
            (340_112, "340,112", "340k"),
            (1_000_000, "1,000,000", "1.0M"),
            (10_000_000, "10,000,000", "10.0M"),
            (250_000_000, "250,000,000", "250M"),
        ] {
            assert_eq!(thousands(number), long);
            assert_eq!(short(number), narrow);
        }
    }

    #[test]
    fn moments_are_near_or_exact() {
        let now = Timestamp::from_millis(1_795_428_000_000);
        let before = |seconds: i64| ago(Timestamp::from_millis(now.as_millis() - seconds * 1000), now);
        assert_eq!(before(-5), "just now");
        assert_eq!(before(45), "45 s ago");
        assert_eq!(before(3 * 60), "3 min ago");
        assert_eq!(before(5 * 3600), "5 h ago");
        assert_eq!(before(40 * 86_400), "40 d ago");
        assert_eq!(before(500 * 86_400), "16 mo ago");
        assert_eq!(before(1_200 * 86_400), "3 y ago");
        assert_eq!(absolute(now), "2026-11-23 10:00:00 UTC");
        assert_eq!(ago(Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX)), "292471208 y ago");
    }

    #[test]
    fn what_is_left_is_said_roughly() {
        assert_eq!(left(0), "1 s left");
        assert_eq!(left(330), "6 min left");
        assert_eq!(left(8_000), "2 h 13 min left");
    }
}
