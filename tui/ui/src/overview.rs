//! The overview: what there is, what changed since the last scan, why it looks like this, and what the pool is asked.
//!
//! It holds what it was told and where the cursor is. The causes come from the linker; nothing is worked out here.

use userlink_domain::{Flag, Situation, Timestamp};
use userlink_link::{Cause, Incident, incidents};

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
    /// Which of the lines is selected.
    pub(crate) cursor: usize,
}

/// Something that a person can look into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    Incident(Incident),
    Cause(&'a Cause),
}

impl Item<'_> {
    pub(crate) fn situation(self) -> Option<Situation> {
        match self {
            Self::Incident(incident) => Some(incident.situation),
            Self::Cause(cause) => cause.situation,
        }
    }
}

impl Model {
    /// Opens on the overview.
    #[must_use]
    pub fn with_overview(mut self) -> Self {
        self.overview.open = true;
        self
    }

    /// The incidents, and then the causes.
    pub(crate) fn items(&self) -> Vec<Item<'_>> {
        let (users, rows) = self.progress.as_ref().map_or((0, 0), |it| (it.users, it.rows));
        let complete = self.phase() == Phase::Complete;
        let counted = |situation| self.counts.of_situation(situation);
        let incidents = if complete { incidents(counted, users, rows) } else { Vec::new() };
        let causes = self.overview.causes.iter().flatten().map(Item::Cause);
        incidents.into_iter().map(Item::Incident).chain(causes).collect()
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
    model.overview.cursor = model.overview.cursor.min(model.items().len().saturating_sub(1));
}

/// Moves the cursor by so many lines.
fn step(model: &mut Model, by: isize, command: Command) {
    let last = model.items().len().saturating_sub(1);
    let before = model.overview.cursor;
    model.overview.cursor = before.saturating_add_signed(by).min(last);
    if model.overview.cursor == before {
        command::at_the_end(model, command);
    }
}

/// Shows the entries of what the cursor is on, in the list.
fn look(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(item) = model.items().get(model.overview.cursor).copied() else { return };
    let filter = filter(item);
    model.overview.open = false;
    model.opened = None;
    effects.extend(model.list.turn(None, model.page()));
    effects.extend(model.list.filter(&filter, model.page()));
}

/// What narrows the list down to these entries, as a person would type it.
fn filter(item: Item<'_>) -> String {
    let mut parts: Vec<String> = item.situation().map(|it| format!("situation:{}", it.name())).into_iter().collect();
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
