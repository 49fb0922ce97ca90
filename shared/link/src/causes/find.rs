//! From what was seen to causes.

use userlink_domain::{Situation, Timestamp, UserStatus};

use super::bursts::{burst, sets_apart, within};
use super::survey::{KNOWN, Seen, Survey, is_asked};
use super::{Cause, Circumstances, Common, Span, words};

/// Bursts of one situation.
const BURSTS: usize = 3;
/// More causes than a person reads at once are not given.
const MOST: usize = 12;

pub(super) fn causes(survey: &Survey, circumstances: &Circumstances) -> Vec<Cause> {
    let mut found = Vec::new();
    for situation in Situation::ALL.into_iter().filter(|situation| is_asked(*situation)) {
        found.extend(of_situation(survey, situation, circumstances));
    }
    found.extend(writable(survey, circumstances));
    found.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    found.truncate(MOST);
    for cause in &mut found {
        cause.what = words::what(cause, circumstances);
        cause.meaning = words::meaning(cause, circumstances);
    }
    found
}

/// Who rests on an attribute that its users can write.
fn writable(survey: &Survey, circumstances: &Circumstances) -> Option<Cause> {
    if circumstances.writable_by.is_empty() {
        return None;
    }
    let resting = Situation::ALL.into_iter().filter(|it| it.rests_on_attribute());
    let of: Vec<_> = resting.map(|it| (it, survey.of(it).1)).filter(|(_, count)| *count > 0).collect();
    let count: u64 = of.iter().map(|(_, count)| count).sum();
    let situation = match &of[..] {
        [(only, _)] => Some(*only),
        _ => None,
    };
    let common = Common { writable: true, ..Common::default() };
    (count > 0).then(|| cause(situation, common, count, count, false))
}

fn cause(situation: Option<Situation>, common: Common, count: u64, of: u64, about: bool) -> Cause {
    Cause { situation, common, count, of, about, what: String::new(), meaning: String::new() }
}

/// What some of the entries have in common besides when they were made.
struct Trait {
    common: Common,
    has: Box<dyn Fn(&Seen) -> bool>,
    count: usize,
}

fn of_situation(survey: &Survey, situation: Situation, circumstances: &Circumstances) -> Vec<Cause> {
    let (seen, all, each) = survey.of(situation);
    let of_users = seen.iter().any(|it| it.status.is_some() || it.expected);
    let (others, their_each) =
        if of_users { (&survey.other_users, survey.each().0) } else { (&survey.other_rows, survey.each().1) };
    // Users who need no row say nothing about those who do.
    let others: Vec<&Seen> = others.iter().filter(|it| it.situation != situation && it.expected == of_users).collect();
    let scale = |count: usize| (count as u64).saturating_mul(each).min(all);
    let mut found = Vec::new();
    let alike = a_trait(survey, situation, seen, &others, circumstances);

    let mut sorted: Vec<(i64, bool)> =
        seen.iter().filter_map(|it| Some((it.made?, alike.as_ref().is_some_and(|alike| (alike.has)(it))))).collect();
    sorted.sort_unstable();
    let mut their_moments: Vec<i64> = others.iter().filter_map(|it| it.made).collect();
    their_moments.sort_unstable();

    let mut told = alike.is_none();
    for _ in 0..BURSTS {
        let moments: Vec<i64> = sorted.iter().map(|it| it.0).collect();
        let Some(burst) = burst(&moments, seen.len(), &their_moments) else { break };
        let (from, to) = (moments[burst.first], moments[burst.last]);
        let in_it: Vec<_> = sorted.drain(burst.first..=burst.last).collect();
        let beside = within(&their_moments, from, to) as u64 * their_each;
        let (ours, both) = (in_it.len() as u64 * each, in_it.iter().filter(|it| it.1).count());
        let span = Span {
            from: Timestamp::from_millis(from * 1000),
            to: Timestamp::from_millis(to * 1000),
            goes_on: circumstances.read_at.is_some_and(|at| at.as_millis() / 1000 - to <= burst.gap),
            // Of many only some were looked at: that none of them was made then does not make it none.
            share: u8::try_from(ours * 100 / (ours + beside).max(1)).unwrap_or(100).min(if their_each > 1 {
                99
            } else {
                100
            }),
        };
        let mut common = Common { within: Some(span), ..Common::default() };
        // Where nearly all of a burst are the nearly all of a trait, it is one thing, and said once.
        if let Some(alike) = &alike
            && !told
            && both * 5 >= in_it.len() * 4
            && both * 5 >= alike.count * 4
        {
            told = true;
            common = Common { within: Some(span), ..alike.common.clone() };
            found.push(cause(Some(situation), common, scale(both), all, each > 1));
            continue;
        }
        found.push(cause(Some(situation), common, scale(in_it.len()), all, each > 1));
    }
    if let Some(alike) = alike.filter(|_| !told) {
        found.push(cause(Some(situation), alike.common, scale(alike.count), all, each > 1));
    }
    let no_row = matches!(situation, Situation::NoRow);
    if no_row && all > 0 && circumstances.post_confirmation == Some(false) && found.is_empty() {
        let common = Common { no_function: true, ..Common::default() };
        found.push(cause(Some(situation), common, all, all, false));
    }
    found
}

/// What most of the entries have in common, and the others have not.
fn a_trait(
    survey: &Survey,
    situation: Situation,
    seen: &[Seen],
    others: &[&Seen],
    circumstances: &Circumstances,
) -> Option<Trait> {
    let native = |it: &Seen| {
        let external = KNOWN.iter().position(|known| *known == UserStatus::ExternalProvider);
        it.status.is_some_and(|status| Some(usize::from(status)) != external)
    };
    // Where nobody can sign up, it needs no comparison to tell who made a user: it is so of all who have a password here.
    if circumstances.self_sign_up == Some(false) && matches!(situation, Situation::NoRow | Situation::RowSideOnly) {
        let count = seen.iter().filter(|it| native(it)).count();
        if count * 10 >= seen.len() * 6 && count > 0 {
            let common = Common { by_administrator: true, ..Common::default() };
            return Some(Trait { common, has: Box::new(native), count });
        }
    }
    // That a person's status is an ordinary one explains nothing.
    let statuses = KNOWN.iter().enumerate().filter(|(_, status)| {
        matches!(status, UserStatus::ResetRequired | UserStatus::Unconfirmed | UserStatus::ForceChangePassword)
    });
    let by_status = statuses.map(|(at, status)| {
        let is = move |it: &Seen| it.status.is_some_and(|of| usize::from(of) == at);
        let common = Common { status: Some(status.clone()), ..Common::default() };
        (common, Box::new(is) as Box<dyn Fn(&Seen) -> bool>)
    });
    let by_provider = survey.providers.iter().enumerate().map(|(at, provider)| {
        let is = move |it: &Seen| it.provider.is_some_and(|of| usize::from(of) == at);
        let common = Common { provider: Some(provider.clone()), ..Common::default() };
        (common, Box::new(is) as Box<dyn Fn(&Seen) -> bool>)
    });
    // By its meaning, one of them is always federated.
    let by_provider = by_provider.filter(|_| !matches!(situation, Situation::FederatedTwin | Situation::Stranded));
    let traits = by_status.chain(by_provider).filter_map(|(common, has)| {
        let count = seen.iter().filter(|it| has(it)).count();
        let theirs = others.iter().filter(|it| has(it)).count();
        let most = count >= 3 && count * 10 >= seen.len() * 6;
        (most && sets_apart(count, seen.len(), theirs, others.len(), 0.0)).then_some(Trait { common, has, count })
    });
    traits.max_by_key(|it| it.count)
}
