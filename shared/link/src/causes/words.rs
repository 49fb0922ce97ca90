//! Causes in sentences.

use userlink_domain::{Situation, UserStatus};

use super::{Cause, Circumstances, Span};

/// What the entries have in common: `4 of 6 row side only users were created on 2026-11-23 between 02:10 and 02:40 UTC.`
pub(super) fn what(cause: &Cause, circumstances: &Circumstances) -> String {
    let common = &cause.common;
    if common.writable {
        let those = match cause.situation {
            Some(situation) => format!("{} {}", number(cause.count), entries(situation, cause.count)),
            None if cause.count == 1 => "1 entry".to_owned(),
            None => format!("{} entries", number(cause.count)),
        };
        let rest = if cause.count == 1 { "rests" } else { "rest" };
        let clients = list(&circumstances.writable_by);
        return format!("{those} {rest} on an attribute that users can write themselves: {clients} them.");
    }
    let Some(situation) = cause.situation else { return String::new() };
    let those = those(cause, situation);
    if common.no_function {
        return format!("{those}: the pool calls no function after a confirmation.");
    }
    let was = if cause.count == 1 { "was" } else { "were" };
    let when = common.within.map(time).unwrap_or_default();
    if common.by_administrator {
        let made = if when.is_empty() { String::new() } else { format!(" {was} created{when}, and") };
        return format!("{those}{made} have their passwords here, and this pool lets nobody sign up.");
    }
    if let Some(status) = &common.status {
        let how = match status {
            UserStatus::ResetRequired => "imported, or had the password reset by an administrator",
            UserStatus::ForceChangePassword => "created by an administrator, and never signed in",
            UserStatus::Unconfirmed => "never confirmed",
            UserStatus::Confirmed | UserStatus::ExternalProvider | UserStatus::Other(_) => "made alike",
        };
        let made = if when.is_empty() { String::new() } else { format!(", and created{when}") };
        return format!("{those} {was} {how} ({}){made}.", status.as_str());
    }
    if let Some(provider) = &common.provider {
        let made = if when.is_empty() { String::new() } else { format!(", and {was} created{when}") };
        return format!("{those} sign in through {provider}{made}.");
    }
    match common.within {
        Some(span) if has_user(situation) => {
            format!("{those} {was} created{when}.{}", share(span))
        }
        Some(_) => format!("{those} {was} made{when}."),
        None => format!("{those}."),
    }
}

/// What follows from it. Only what a situation means by itself, or what the pool says of itself.
pub(super) fn meaning(cause: &Cause, circumstances: &Circumstances) -> String {
    let common = &cause.common;
    if common.writable {
        return "Alone it proves nothing. Take it out of WriteAttributes first.".to_owned();
    }
    let function = match circumstances.post_confirmation {
        Some(true) => "the function",
        Some(false) => "whatever ties them (the pool calls no function)",
        None => "whatever ties them",
    };
    match cause.situation {
        Some(Situation::NoRow) if common.no_function => {
            "Nothing writes a row when somebody signs up, unless the application does.".to_owned()
        }
        Some(Situation::NoRow | Situation::RowSideOnly) if common.by_administrator => {
            "An administrator creates its users, and Post Confirmation does not fire for them.".to_owned()
        }
        Some(Situation::NoRow) if common.status == Some(UserStatus::ResetRequired) => {
            "Post Confirmation is not known to fire for an import, and never for a reset.".to_owned()
        }
        Some(Situation::NoRow) if common.provider.is_some() => {
            format!("For a first federated sign-in, {function} wrote neither row nor attribute.")
        }
        Some(Situation::RowSideOnly) if common.within.is_some() => {
            format!("The row was written, the attribute was not: {function} failed after the insert.")
        }
        Some(Situation::NoRow) if common.within.is_some() => {
            format!("Neither row nor attribute was written: {function} did not run, or failed before the insert.")
        }
        Some(Situation::UserSideOnly) if common.within.is_some() => {
            "The attribute was written, the row's sub was not.".to_owned()
        }
        Some(Situation::OrphanRow) if common.within.is_some() => "They were written without a sub.".to_owned(),
        Some(Situation::DeadSub) if common.within.is_some() => {
            "Their users are not in this pool, or not any more.".to_owned()
        }
        Some(_) | None => String::new(),
    }
}

fn those(cause: &Cause, situation: Situation) -> String {
    let (about, count) = (if cause.about { "about " } else { "" }, number(cause.count));
    let kind = entries(situation, cause.of);
    if cause.count == cause.of {
        return if cause.count == 1 { format!("The 1 {kind}") } else { format!("All {count} {kind}") };
    }
    let text = format!("{about}{count} of {} {kind}", number(cause.of));
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What the entries of a situation are, in a word or a few.
fn entries(situation: Situation, count: u64) -> String {
    let one = count == 1;
    if matches!(situation, Situation::NoRow) {
        return (if one { "user without a row" } else { "users without a row" }).to_owned();
    }
    let kind = match (has_user(situation), one) {
        (true, true) => "user",
        (true, false) => "users",
        (false, true) => "row",
        (false, false) => "rows",
    };
    if matches!(situation, Situation::OrphanRow) {
        return (if one { "orphan row" } else { "orphan rows" }).to_owned();
    }
    let several = matches!(
        situation,
        Situation::DuplicateRows | Situation::DuplicateUserId | Situation::Swapped | Situation::Tangled
    );
    let kind = match (several, one) {
        (true, true) => "entry",
        (true, false) => "entries",
        (false, _) => kind,
    };
    format!("{} {kind}", situation.words())
}

fn has_user(situation: Situation) -> bool {
    !matches!(situation, Situation::OrphanRow | Situation::DeadSub)
}

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|name| format!("\u{201C}{name}\u{201D}")).collect();
    let more = names.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match names.len() {
        1 => format!("the client {} lets", shown.join("")),
        _ => format!("the clients {}{more} let", shown.join(", ")),
    }
}

/// ` on 2026-11-23 between 02:10 and 02:40 UTC`, to the minute outwards.
fn time(span: Span) -> String {
    let minute = |seconds: i64| userlink_domain::Timestamp::from_millis(seconds * 1000).to_string();
    let from = minute(span.from.as_millis().div_euclid(60_000) * 60);
    let (from_day, from_time) = (&from[..from.len() - 10], &from[from.len() - 9..from.len() - 4]);
    if span.goes_on {
        return format!(" since {from_day} {from_time} UTC");
    }
    let to = minute((span.to.as_millis().div_euclid(60_000) + 1) * 60);
    let (to_day, to_time) = (&to[..to.len() - 10], &to[to.len() - 9..to.len() - 4]);
    let days = span.to.since(span.from) / 86_400_000;
    match (from_day == to_day, days) {
        (true, _) => format!(" on {from_day} between {from_time} and {to_time} UTC"),
        (false, 0..3) => format!(" between {from_day} {from_time} and {to_day} {to_time} UTC"),
        (false, _) => format!(" between {from_day} and {to_day}"),
    }
}

/// How much of all who came in that time they are, where it is most of them.
fn share(span: Span) -> String {
    match span.share {
        50.. => format!(" That is {} % of those from that time who should be linked.", span.share),
        _ => String::new(),
    }
}

/// `1,203`.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
