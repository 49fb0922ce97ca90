//! What was done, by whom and why: the journal's runs, newest first, and the steps of one of them.

use ratatui::crossterm::event::KeyEvent;
use tui_input::Input;
use userlink_domain::{RecordRef, Situation, Step, Timestamp};

use crate::browse;
use crate::effect::Effect;
use crate::model::Model;

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    /// All runs of this pool and table.
    Runs,
    /// The steps of one run, by its name.
    Run(String),
    /// The steps about one record.
    Record(RecordRef),
}

/// What the journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Newest first, as many as were asked for at most.
    Runs(Vec<RunDone>),
    /// Newest first.
    Steps(Vec<StepDone>),
}

/// A run at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDone {
    /// Its name.
    pub run: String,
    /// When its first step was opened.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Steps that were opened.
    pub steps: u64,
    /// Steps by which something was written.
    pub done: u64,
    /// Steps that are open still.
    pub open: u64,
    /// What the entries of its steps were.
    pub situations: Vec<Situation>,
    /// Whom and which rows its steps are about.
    pub whose: Vec<String>,
    /// Whether these two are of all of its steps.
    pub known: bool,
}

/// A step as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDone {
    /// Its run.
    pub run: String,
    /// Its place in the run.
    pub number: i64,
    /// When it was opened.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// The user's name, where it is about one.
    pub about: Option<String>,
    /// What was written.
    pub step: Step,
    /// What the entry was.
    pub situation: Situation,
    /// How it ended; `None` while it is open.
    pub outcome: Option<String>,
    /// What the journal says of the end.
    pub detail: String,
    /// Whether something was written.
    pub written: bool,
}

/// A page of the history.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) of: HistoryOf,
    /// As long as it is being read for the first time there is nothing.
    pub(crate) told: Option<Result<Recorded, String>>,
    /// Whether it is being read.
    is_asked: bool,
    /// Among what is shown.
    pub(crate) cursor: usize,
    /// What is looked for; blank where all is shown.
    pub(crate) filter: String,
    /// While it is typed.
    pub(crate) typing: Option<Input>,
    /// The places of what the filter lets through.
    shown: Vec<usize>,
}

impl Page {
    fn new(of: HistoryOf) -> Self {
        Self { of, told: None, is_asked: true, cursor: 0, filter: String::new(), typing: None, shown: Vec::new() }
    }

    /// How many are shown.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    /// How many there are.
    pub(crate) fn total(&self) -> usize {
        match &self.told {
            Some(Ok(Recorded::Runs(runs))) => runs.len(),
            Some(Ok(Recorded::Steps(steps))) => steps.len(),
            _ => 0,
        }
    }

    /// Whether something is looked for.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.filter.trim().is_empty()
    }

    /// Whether whose steps a run has, and what they were, is known of all runs that are not shown either.
    pub(crate) fn knows_all(&self) -> bool {
        !matches!(&self.told, Some(Ok(Recorded::Runs(runs))) if runs.iter().any(|run| !run.known))
    }

    /// The runs that are shown, newest first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &RunDone> {
        let runs = match &self.told {
            Some(Ok(Recorded::Runs(runs))) => &runs[..],
            _ => &[],
        };
        self.shown.iter().filter_map(|at| runs.get(*at))
    }

    /// The steps that are shown, newest first.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &StepDone> {
        let steps = match &self.told {
            Some(Ok(Recorded::Steps(steps))) => &steps[..],
            _ => &[],
        };
        self.shown.iter().filter_map(|at| steps.get(*at))
    }

    fn run(&self) -> Option<&RunDone> {
        self.runs().nth(self.cursor)
    }

    fn step(&self) -> Option<&StepDone> {
        self.steps().nth(self.cursor)
    }

    /// Looks for something else. The cursor stays on what it was on where that is still shown.
    fn look_for(&mut self, filter: &str) {
        let on = self.shown.get(self.cursor).copied();
        filter.clone_into(&mut self.filter);
        let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
        self.shown = match &self.told {
            Some(Ok(Recorded::Runs(runs))) => places(runs, &words, RunDone::texts),
            Some(Ok(Recorded::Steps(steps))) => places(steps, &words, StepDone::texts),
            _ => Vec::new(),
        };
        self.cursor = self.shown.iter().position(|at| Some(*at) == on).unwrap_or(0);
    }

    /// Takes an answer. The cursor stays on what it was on where that is still shown.
    fn hear(&mut self, answer: Result<Recorded, String>) {
        let on = self.subject();
        (self.told, self.is_asked) = (Some(answer), false);
        self.look_for(&self.filter.clone());
        let at = on.and_then(|(run, number, _)| match number {
            None => self.runs().position(|it| it.run == run),
            Some(number) => self.steps().position(|it| it.run == run && it.number == number),
        });
        self.cursor = at.unwrap_or(0);
    }

    /// The run under the cursor, and the step where the page is of steps; whether something was written by it.
    pub(crate) fn subject(&self) -> Option<(String, Option<i64>, bool)> {
        let run = self.run().map(|run| (run.run.clone(), None, run.done > 0));
        run.or_else(|| self.step().map(|step| (step.run.clone(), Some(step.number), step.written)))
    }
}

/// The places of those in whose texts every word stands, in whatever case.
fn places<T>(all: &[T], words: &[String], texts: impl Fn(&T) -> String) -> Vec<usize> {
    let matches = |of: &T| {
        let texts = texts(of).to_lowercase();
        words.iter().all(|word| texts.contains(word))
    };
    all.iter().enumerate().filter(|(_, of)| words.is_empty() || matches(of)).map(|(at, _)| at).collect()
}

impl RunDone {
    /// What a filter looks into, a line each.
    fn texts(&self) -> String {
        let mut texts = [&self.run, &self.actor, self.reason.as_deref().unwrap_or_default()].join("\n");
        for situation in &self.situations {
            texts.extend(["\n", situation.name(), "\n", &situation.words()]);
        }
        self.whose.iter().for_each(|whose| texts.extend(["\n", whose]));
        texts
    }
}

impl StepDone {
    /// What a filter looks into, a line each.
    fn texts(&self) -> String {
        let (reason, about) = (self.reason.as_deref().unwrap_or_default(), self.about.as_deref().unwrap_or_default());
        let outcome = self.outcome.as_deref().unwrap_or("open");
        let situation = self.situation.words();
        [&self.run, &self.actor, reason, about, outcome, self.situation.name(), &situation].join("\n")
    }
}

/// The pages that lie on each other, the newest last.
pub(crate) type Pages = Vec<Page>;

pub(crate) fn open(model: &mut Model, of: HistoryOf, effects: &mut Vec<Effect>) {
    model.history.push(Page::new(of.clone()));
    effects.push(Effect::History(of));
}

/// `H`: everything; from an entry what was done to it.
pub(crate) fn from_here(model: &mut Model, effects: &mut Vec<Effect>) {
    let of = model.opened.as_ref().map_or(HistoryOf::Runs, |opened| HistoryOf::Record(opened.of.clone()));
    open(model, of, effects);
}

/// Why there is nothing to go into.
pub(crate) fn why_not_enter(model: &Model) -> Option<&'static str> {
    let page = model.history.last()?;
    match &page.told {
        _ if page.run().is_some() => None,
        None => Some("The journal is still being read."),
        Some(Ok(Recorded::Steps(_))) => Some("These are the steps: nothing lies below them."),
        Some(_) => Some("There is no run here to go into."),
    }
}

/// The steps of the run under the cursor.
pub(crate) fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    let run = model.history.last().and_then(Page::run).map(|run| run.run.clone());
    if let Some(run) = run {
        open(model, HistoryOf::Run(run), effects);
    }
}

/// The cursor of the page on top.
pub(crate) fn cursor(model: &mut Model) -> Option<&mut usize> {
    model.history.last_mut().map(|page| &mut page.cursor)
}

/// The last place of the cursor.
pub(crate) fn furthest(model: &Model) -> usize {
    model.history.last().map_or(0, |page| page.len().saturating_sub(1))
}

pub(crate) fn told(model: &mut Model, of: &HistoryOf, answer: Result<Recorded, String>) {
    if let Some(page) = model.history.iter_mut().rev().find(|page| page.of == *of && page.is_asked) {
        page.hear(answer);
    }
}

/// Something was written: every page is read anew.
pub(crate) fn again(model: &mut Model) -> impl Iterator<Item = Effect> {
    model.history.iter_mut().map(|page| {
        page.is_asked = true;
        Effect::History(page.of.clone())
    })
}

/// `/`: something is looked for on the page on top.
pub(crate) fn filter(model: &mut Model) {
    if let Some(page) = model.history.last_mut() {
        page.typing = Some(Input::new(page.filter.clone()));
    }
}

/// The line in which is typed what is looked for.
pub(crate) fn typing(model: &Model) -> Option<&Input> {
    model.history.last()?.typing.as_ref()
}

/// A key that is no command, while it is typed. Gives whether anything came of it.
pub(crate) fn type_key(model: &mut Model, key: KeyEvent) -> bool {
    change(model, |input| browse::edit(input, key))
}

/// Pasted text is looked for.
pub(crate) fn paste(model: &mut Model, text: &str) {
    if typing(model).is_none() {
        filter(model);
    }
    change(model, |input| browse::insert(input, text));
}

fn change(model: &mut Model, edit: impl FnOnce(&mut Input) -> bool) -> bool {
    let Some(page) = model.history.last_mut() else { return false };
    let Some(input) = &mut page.typing else { return false };
    let changed = edit(input);
    let filter = input.value().to_owned();
    if filter != page.filter {
        page.look_for(&filter);
    }
    changed
}

/// Enter while it is typed.
pub(crate) fn keep_filter(model: &mut Model) {
    if let Some(page) = model.history.last_mut() {
        page.typing = None;
    }
}

/// Esc: what is looked for goes first, and then the page.
pub(crate) fn back(model: &mut Model) {
    match model.history.last_mut() {
        Some(page) if page.typing.is_some() || page.is_filtered() => {
            page.typing = None;
            page.look_for("");
        }
        _ => drop(model.history.pop()),
    }
}
