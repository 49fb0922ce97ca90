//! Dates as they are typed: `2026-11-01`, `>=2026-11`, `<7d`, `yesterday`, `2026-11-01..2026-11-08`. All of them UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Moment, ToSpan as _};
use userlink_domain::Timestamp;

/// Seconds since 1970, from the first on and before the second.
pub(crate) type Seconds = (u32, u32);

/// 0 stands for a moment that is not known.
const FIRST: u32 = 1;
const NEVER_OVER: u32 = u32::MAX;

/// The moments that are meant; none where it cannot be read.
pub(crate) fn moments(text: &str, now: Timestamp) -> Option<Seconds> {
    let text = text.trim();
    if let Some((from, until)) = text.split_once("..") {
        let from = if from.is_empty() { FIRST } else { span(from, now)?.from };
        let until = if until.is_empty() { NEVER_OVER } else { span(until, now)?.until };
        return Some((from, until));
    }
    let (sign, value) = text.split_at(text.len() - text.trim_start_matches(['<', '>', '=']).len());
    let it = span(value, now)?;
    match (sign, it.is_ago) {
        // Of ages the smaller is the later.
        ("" | "<" | "<=", true) => Some((it.from, NEVER_OVER)),
        (">" | ">=", true) => Some((FIRST, it.from)),
        ("" | "=", false) => Some((it.from, it.until)),
        (">", false) => Some((it.until, NEVER_OVER)),
        (">=", false) => Some((it.from, NEVER_OVER)),
        ("<", false) => Some((FIRST, it.from)),
        ("<=", false) => Some((FIRST, it.until)),
        _ => None,
    }
}

struct Moments {
    from: u32,
    until: u32,
    is_ago: bool,
}

fn span(text: &str, now: Timestamp) -> Option<Moments> {
    let text = text.trim();
    let now = Moment::from_millisecond(now.as_millis()).ok()?;
    let today = TimeZone::UTC.to_datetime(now).date();
    let days = |first: Date, after: Span| between(first, first.checked_add(after).ok()?);
    match text {
        "today" => return days(today, 1.day()),
        "yesterday" => return days(today.yesterday().ok()?, 1.day()),
        _ => {}
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if let Ok(count) = text[..text.len() - unit.len()].parse::<i64>()
        && let Some(ago) = seconds_in(unit)
    {
        let at = seconds(now).saturating_sub(u32::try_from(count.checked_mul(ago)?).unwrap_or(u32::MAX)).max(FIRST);
        return Some(Moments { from: at, until: at, is_ago: true });
    }
    match text.len() {
        4 => days(Date::new(text.parse().ok()?, 1, 1).ok()?, 1.year()),
        7 => days(format!("{text}-01").parse().ok()?, 1.month()),
        10 => days(text.parse().ok()?, 1.day()),
        _ => {
            let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
            let from = TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?;
            let length = if text.len() <= 16 { 60 } else { 1 };
            let from = seconds(from);
            Some(Moments { from, until: from.saturating_add(length), is_ago: false })
        }
    }
}

fn between(first: Date, after: Date) -> Option<Moments> {
    let at = |date: Date| Some(seconds(TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?));
    Some(Moments { from: at(first)?, until: at(after)?, is_ago: false })
}

fn seconds(moment: Moment) -> u32 {
    u32::try_from(moment.as_second().max(i64::from(FIRST))).unwrap_or(NEVER_OVER)
}

fn seconds_in(unit: &str) -> Option<i64> {
    const HOUR: i64 = 3600;
    Some(match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => HOUR,
        "d" => 24 * HOUR,
        "w" => 7 * 24 * HOUR,
        "mo" => 30 * 24 * HOUR,
        "y" => 365 * 24 * HOUR,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 10:00:00 UTC.
    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
    const DAY: u32 = 86_400;
    const TODAY: u32 = 1_795_392_000;

    #[test]
    fn days_months_years_and_moments() {
        let of = |text| moments(text, NOW);
        assert_eq!(of("2026-11-23"), Some((TODAY, TODAY + DAY)));
        assert_eq!(of("today"), of("2026-11-23"));
        assert_eq!(of("yesterday"), of("=2026-11-22"));
        assert_eq!(of(">2026-11-22"), Some((TODAY, NEVER_OVER)), "after that day");
        assert_eq!(of(">=2026-11-23"), Some((TODAY, NEVER_OVER)));
        assert_eq!(of("<2026-11-23"), Some((FIRST, TODAY)));
        assert_eq!(of("<=2026-11-22"), Some((FIRST, TODAY)));
        assert_eq!(of("2026-11"), Some((TODAY - 22 * DAY, TODAY + 8 * DAY)));
        assert_eq!(of("2026").map(|(from, until)| (until - from) / DAY), Some(365));
        assert_eq!(of("2026-11-22T02:10"), Some((TODAY - DAY + 7800, TODAY - DAY + 7860)));
        assert_eq!(of("2026-11-22T02:10:05Z"), Some((TODAY - DAY + 7805, TODAY - DAY + 7806)));
        assert_eq!(of("2026-11-21..2026-11-22"), Some((TODAY - 2 * DAY, TODAY)), "both days");
        assert_eq!(of("2026-11-21.."), Some((TODAY - 2 * DAY, NEVER_OVER)));
    }

    #[test]
    fn ages_count_backwards() {
        let of = |text| moments(text, NOW);
        let now = TODAY + 10 * 3600;
        assert_eq!(of("<7d"), Some((now - 7 * DAY, NEVER_OVER)), "younger than that");
        assert_eq!(of("7d"), of("<7d"));
        assert_eq!(of(">2w"), Some((FIRST, now - 14 * DAY)), "older than that");
        assert_eq!(of("30m"), Some((now - 1800, NEVER_OVER)));
        assert_eq!(of("7d..3d"), Some((now - 7 * DAY, now - 3 * DAY)));
        assert_eq!(of(">999999y"), Some((FIRST, FIRST)), "before there was anything");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "<", "2026-13-01", "2026-11-31", "soon", "7x", "=7d", "><7d", "2026-11-22T25:00", "..x"] {
            assert_eq!(moments(text, NOW), None, "{text}");
        }
    }
}
