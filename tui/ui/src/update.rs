//! What an event does to the model, and what it asks of the runtime.
//!
//! Pure: time comes in as a value, and nothing here waits, reads or writes.

use userlink_domain::{Group, RecordRef, Timestamp};

use crate::beside;
use crate::browse;
use crate::command;
use crate::confirm::Question;
use crate::effect::Effect;
use crate::event::{Event, Level, Outcome, Phase, Progress, Proposal};
use crate::export;
use crate::keys::{self, Command, Place};
use crate::list::holds;
use crate::model::{Model, Repairing};
use crate::over;
use crate::overview;
use crate::ticket;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

/// Takes in one event. `now` is the moment it happened.
pub fn update(model: &mut Model, event: Event, now: Timestamp) -> Vec<Effect> {
    model.now = now;
    if model.word.as_ref().is_some_and(|word| now >= word.until) {
        model.word = None;
    }
    let mut effects = Vec::new();
    match event {
        Event::Key(key) => on_key(model, key, &mut effects),
        Event::Paste(text) => browse::paste(model, &text, &mut effects),
        Event::Mouse(pointer) => browse::clicked(model, pointer, &mut effects),
        Event::Resize(width, height) => {
            model.size = (width, height);
            model.list.show_cursor(model.page());
        }
        Event::Tick => {}
        Event::Progress(progress) => on_progress(model, progress),
        Event::Counts(counts) => {
            model.counts = counts;
            effects.extend(model.list.changed(model.page()));
        }
        Event::Changed => effects.extend(model.list.changed(model.page())),
        Event::Window(window) => {
            effects.extend(model.list.accept(window, model.page()));
            follow_opened(model);
            browse::arrived(model);
        }
        Event::Explained { of, explanation } => {
            if model.asked_why.as_ref().is_some_and(|(asked, _)| *asked == of) {
                model.explained = Some((of, explanation));
            }
        }
        Event::Located { of, found } => browse::located(model, &of, found, &mut effects),
        Event::Prepared { of, answer } => on_prepared(model, &of, answer),
        Event::Repaired(answer) => {
            on_repaired(model, answer);
            beside::forget(model);
        }
        Event::Overview(news) => overview::hear(model, news),
        Event::LookedUp { asked, answer } => ticket::hear(model, &asked, answer),
        Event::Beside { of, part } => beside::hear(model, &of, part),
        Event::Message { level, text } => model.say(level, text),
        Event::Log(lines) => model.log = lines,
        Event::Exporting { done, of } => export::on_progress(model, done, of),
        Event::Exported(answer) => export::on_end(model, answer),
        Event::Journal(place) => model.journal = Some(place),
        Event::NotTurned(text) => {
            model.turning = None;
            model.say(Level::Error, text);
        }
    }
    effects.extend(model.list.want(model.page()));
    effects.extend(why(model));
    effects.extend(beside::want(model));
    effects
}

/// Asks for the explanation of what is shown, if what is known of it is older than what is shown.
fn why(model: &mut Model) -> Option<Effect> {
    let revision = model.list.revision();
    let subject = model.subject()?;
    if model.asked_why.as_ref().is_some_and(|(of, then)| of == subject && *then == revision) {
        return None;
    }
    let subject = subject.clone();
    model.asked_why = Some((subject.clone(), revision));
    Some(Effect::Explain(subject))
}

fn on_key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    let place = model.place();
    let answers = matches!(place, Place::Question | Place::Leaving | Place::Result);
    if answers && key.kind == KeyEventKind::Repeat && matches!(key.code, KeyCode::Enter | KeyCode::Char('y')) {
        return; // A key that is held down answers no question.
    }
    match model.keys.command(place, key) {
        Some(command) => {
            model.word = None;
            command::run(model, place, command, effects);
        }
        None => {
            model.word = None;
            let typed = match place {
                Place::Filter => browse::type_filter(model, key, effects),
                Place::Ticket => ticket::type_key(model, key),
                _ if place.is_typing() => over::typed(model, key),
                _ => false,
            };
            if !typed {
                no_command(model, place, key);
            }
        }
    }
}

/// A key that means nothing here is answered, too.
fn no_command(model: &mut Model, place: Place, key: KeyEvent) {
    if place.is_typing() && browse::request(key).is_some() {
        model.hint("The line ends here.");
    } else if let Some(key) = keys::shown(key) {
        let help = model.keys.key_of(Command::Help);
        model.hint(format!("{key} does nothing here. {help} shows all keys."));
    }
}

fn on_progress(model: &mut Model, progress: Progress) {
    let again = matches!(model.phase(), Phase::Complete | Phase::Failed);
    if progress.phase == Phase::Connecting || (again && progress.phase == Phase::Reading) {
        model.reached = 0;
    }
    model.reached = model.reached.max(thousandths(&progress));
    model.progress = Some(progress);
}

/// How much of the pool is read. What is only about right never makes it whole.
fn thousandths(progress: &Progress) -> u16 {
    match (progress.phase, progress.users_about) {
        (Phase::Complete, _) => 1_000,
        (_, Some(about)) if about > 0 => {
            let part = u128::from(progress.users) * 1_000 / u128::from(about);
            u16::try_from(part.min(990)).unwrap_or(990)
        }
        _ => 0,
    }
}

/// Keeps the entry on the whole screen up to date.
fn follow_opened(model: &mut Model) {
    let Some(opened) = model.opened.as_mut().filter(|opened| opened.found.is_none()) else { return };
    match model.list.holding(&opened.of) {
        Some(entry) => {
            opened.entry = entry.clone();
            opened.left = false;
        }
        None => opened.left = true,
    }
}

fn on_prepared(model: &mut Model, of: &RecordRef, answer: Result<Proposal, String>) {
    if !matches!(&model.repairing, Repairing::Preparing(asked) if asked == of) {
        return; // Nobody waits for this one any more.
    }
    match answer {
        Ok(proposal) => {
            // Only where nothing may be written is there nothing to ask.
            model.repairing = if model.setup.read_only || proposal.steps.is_empty() {
                let text = "There is nothing to write any more: both sides were read again, and agree.";
                Repairing::Over(Err(text.to_owned()))
            } else {
                Repairing::Asking(Question::new(proposal))
            };
        }
        Err(text) => model.repairing = Repairing::Over(Err(text)),
    }
}

fn on_repaired(model: &mut Model, answer: Result<Outcome, String>) {
    let Repairing::Writing { quietly, .. } = model.repairing else { return };
    model.leaving = None;
    model.repairing = if quietly { Repairing::Idle } else { Repairing::Over(answer.clone()) };
    if quietly {
        match answer {
            Ok(outcome) if outcome.done => model.say(Level::Info, outcome.words.join(" ")),
            Ok(outcome) => model.say(Level::Error, outcome.words.join(" ")),
            Err(text) => model.say(Level::Error, text),
        }
    }
}

/// The group of a tab, counted from 0.
pub(crate) fn group_of(tab: usize) -> Option<Group> {
    tab.checked_sub(1).and_then(|at| Group::ALL.get(at).copied())
}

/// A record as a person knows it.
pub(crate) fn name_of(model: &Model, of: &RecordRef) -> String {
    let entry = model.entry().filter(|entry| holds(entry, of));
    entry.map_or_else(|| "this entry".to_owned(), crate::view::title)
}
