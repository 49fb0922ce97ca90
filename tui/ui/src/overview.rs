//! The overview: what there is, what changed since the last scan, why it looks like this, and what the pool is asked.
//!
//! It holds what it was told and what the cursor is on. The causes come from the linker; nothing is worked out here.

use userlink_domain::{Flag, Group, Situation, Timestamp};
use userlink_link::{Cause, Incident, incidents};

use crate::browse;
use crate::command;
use crate::effect::Effect;
use crate::event::Phase;
use crate::keys::Command;
use crate::model::Model;

/// News for the overview.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The counts of the scan before the one that is shown; none where there was none.
    Since(Option<Since>),
    /// What is asked of the pool, by category.
    Spent(Vec<Spent>),
    /// What was found; none while it is not known.
    Causes(Option<Vec<Cause>>),
}

/// What an earlier scan counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// When it was complete.
    pub at: Timestamp,
    /// Each situation at most once.
    pub situations: Vec<(Situation, u64)>,
    /// Each flag at most once.
    pub flags: Vec<(Flag, u64)>,
}

impl Since {
    fn of(&self, wanted: impl Fn(Situation) -> bool) -> u64 {
        self.situations.iter().filter(|(situation, _)| wanted(*situation)).map(|(_, count)| count).sum()
    }
}

/// What one category of requests has used of its budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    /// AWS's name of the quota.
    pub category: String,
    /// Requests a second, just now.
    pub per_second: f64,
    /// What may be used now, in requests a second.
    pub rate: f64,
    /// What was set, in requests a second.
    pub full: f64,
    /// What AWS allows all pools of the account and region together by default, in requests a second.
    pub quota: f64,
    /// Requests so far.
    pub made: u64,
    /// Requests that the pool refused as too many.
    pub refused: u64,
}

/// The state of the overview.
#[derive(Debug, Default)]
pub(crate) struct Overview {
    /// Whether it is what the screen shows, with nothing over it.
    pub(crate) open: bool,
    pub(crate) since: Option<Since>,
    pub(crate) spent: Vec<Spent>,
    pub(crate) causes: Option<Vec<Cause>>,
    /// What was selected by hand. Counts come and go while a scan is under way; what is selected stays.
    on: Option<On>,
}

/// What the cursor is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Group(Group),
    Situation(Situation),
    Flag(Flag),
    /// The n-th of the incidents and causes.
    Cause(usize),
}

/// Something that a person can look into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    Group(Group),
    Situation(Situation),
    Flag(Flag),
    Incident(Incident),
    Cause(&'a Cause),
}

impl Item<'_> {
    fn situation(self) -> Option<Situation> {
        match self {
            Self::Situation(situation) => Some(situation),
            Self::Incident(incident) => Some(incident.situation),
            Self::Cause(cause) => cause.situation,
            Self::Group(_) | Self::Flag(_) => None,
        }
    }

    /// Whether it says why, and not only how many.
    pub(crate) fn is_cause(self) -> bool {
        matches!(self, Self::Incident(_) | Self::Cause(_))
    }
}

impl Model {
    /// Opens on the overview.
    #[must_use]
    pub fn with_overview(mut self) -> Self {
        self.overview.open = true;
        self
    }

    /// What can be looked into, in the order of the page: the groups that hold anything, below each its situations, the
    /// flags; then the incidents, and the causes.
    pub(crate) fn items(&self) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for group in Group::ALL.into_iter().filter(|group| self.counts.of(Some(*group)) > 0) {
            items.push(Item::Group(group));
            items.extend(self.parts(group).into_iter().map(|(situation, _)| Item::Situation(situation)));
        }
        items.extend(Flag::ALL.into_iter().filter(|flag| self.counts.with(*flag) > 0).map(Item::Flag));
        items.extend(self.causes());
        items
    }

    /// The situations of a group that there are, always in the same order. A group that is one situation of its own name
    /// has no parts.
    pub(crate) fn parts(&self, group: Group) -> Vec<(Situation, u64)> {
        let all = self.counts.situations.iter().copied();
        let mut parts: Vec<_> = all.filter(|(it, count)| it.group() == group && *count > 0).collect();
        parts.sort_by_key(|(situation, _)| Situation::ALL.iter().position(|it| it == situation));
        let is_itself = |part: &Situation| part.name() == group.name() || *part == Situation::Reading;
        if matches!(&parts[..], [(only, _)] if is_itself(only)) { Vec::new() } else { parts }
    }

    /// The incidents, and then the causes.
    fn causes(&self) -> Vec<Item<'_>> {
        let (users, rows) = self.progress.as_ref().map_or((0, 0), |it| (it.users, it.rows));
        let complete = self.phase() == Phase::Complete;
        let counted = |situation| self.counts.of_situation(situation);
        let incidents = if complete { incidents(counted, users, rows) } else { Vec::new() };
        let causes = self.overview.causes.iter().flatten().map(Item::Cause);
        incidents.into_iter().map(Item::Incident).chain(causes).collect()
    }

    /// Which of the items is selected: until one is, the first that says why, where that is seen from the beginning.
    pub(crate) fn selected(&self, items: &[Item<'_>]) -> usize {
        let is_seen = self.layout().is_some_and(|layout| layout.splits_overview());
        let first = items.iter().position(|item| item.is_cause()).unwrap_or(items.len());
        let place = |on| match on {
            On::Group(of) => items.iter().position(|item| matches!(item, Item::Group(it) if *it == of)),
            On::Situation(of) => items.iter().position(|item| matches!(item, Item::Situation(it) if *it == of)),
            On::Flag(of) => items.iter().position(|item| matches!(item, Item::Flag(it) if *it == of)),
            On::Cause(number) => Some(first + number).filter(|at| *at < items.len()),
        };
        let begin = if is_seen && first < items.len() { first } else { 0 };
        self.overview.on.and_then(place).unwrap_or(begin)
    }

    /// How many more entries there are than there were, of those that are wanted.
    pub(crate) fn change(&self, wanted: impl Fn(Situation) -> bool) -> Option<i64> {
        let since = self.overview.since.as_ref()?;
        let now: u64 = self.counts.situations.iter().filter(|(it, _)| wanted(*it)).map(|(_, count)| count).sum();
        let difference = i128::from(now) - i128::from(since.of(wanted));
        i64::try_from(difference).ok()
    }
}

/// Shows it, or goes to the list.
pub(crate) fn toggle(model: &mut Model) {
    model.overview.open = model.opened.is_some() || !model.overview.open;
    model.opened = None;
}

/// What a command does here; false where it does what it does in the list, and that is then shown.
pub(crate) fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) -> bool {
    const PAGE: isize = 5;
    match command {
        Command::Up => step(model, -1, command),
        Command::Down => step(model, 1, command),
        Command::PageUp => step(model, -PAGE, command),
        Command::PageDown => step(model, PAGE, command),
        Command::Top => step(model, isize::MIN, command),
        Command::Bottom => step(model, isize::MAX, command),
        Command::Open => look(model, effects),
        Command::Group(_) | Command::NextGroup | Command::PreviousGroup | Command::Filter => {
            model.overview.open = false;
            return false;
        }
        _ => return false,
    }
    true
}

/// Takes in news.
pub(crate) fn hear(model: &mut Model, news: News) {
    let overview = &mut model.overview;
    match news {
        News::Since(since) => overview.since = since,
        News::Spent(spent) => overview.spent = spent,
        News::Causes(causes) => overview.causes = causes,
    }
}

/// Moves the cursor by so many items.
fn step(model: &mut Model, by: isize, command: Command) {
    let items = model.items();
    let before = model.selected(&items);
    let after = before.saturating_add_signed(by).min(items.len().saturating_sub(1));
    select(model, after);
    if after == before {
        command::at_the_end(model, command);
    }
}

/// Puts the cursor on an item.
pub(crate) fn select(model: &mut Model, at: usize) {
    let items = model.items();
    let causes = items.iter().filter(|item| item.is_cause()).count();
    let on = items.get(at).map(|item| match item {
        Item::Group(group) => On::Group(*group),
        Item::Situation(situation) => On::Situation(*situation),
        Item::Flag(flag) => On::Flag(*flag),
        Item::Incident(_) | Item::Cause(_) => On::Cause(at + causes - items.len()),
    });
    model.overview.on = on.or(model.overview.on);
}

/// Shows the entries of what the cursor is on, in the list.
fn look(model: &mut Model, effects: &mut Vec<Effect>) {
    let items = model.items();
    let Some(item) = items.get(model.selected(&items)).copied() else { return };
    let filter = filter(item);
    let group = if let Item::Group(group) = item { Some(group) } else { None };
    model.overview.open = false;
    model.opened = None;
    browse::leave_trail(model);
    effects.extend(model.list.turn(group, model.page()));
    effects.extend(model.list.filter(&filter, model.page()));
}

/// What narrows the list down to these entries, as a person would type it.
fn filter(item: Item<'_>) -> String {
    let mut parts: Vec<String> = item.situation().map(|it| format!("situation:{}", it.name())).into_iter().collect();
    if let Item::Flag(flag) = item {
        parts.push(format!("flag:{}", flag.name()));
    }
    if let Item::Cause(cause) = item {
        let common = &cause.common;
        parts.extend(common.status.as_ref().map(|status| format!("status:{}", status.as_str().to_ascii_lowercase())));
        parts.extend(common.provider.as_ref().map(|provider| format!("provider:\"{provider}\"")));
        if common.writable {
            parts.push("flag:writable".to_owned());
        }
        if let Some(span) = common.within {
            parts.push(format!("created:{}..{}", span.from, span.to));
        }
    }
    parts.join(" ")
}
