//! What an event does to the model, and what it asks of the runtime.
//!
//! Pure: time comes in as a value, and nothing here waits, reads or writes.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use userlink_domain::{Group, RecordRef, Timestamp};
use userlink_link::Entry;

use crate::effect::Effect;
use crate::event::{Event, Level, Phase, Progress};
use crate::keys::{self, Command, Place};
use crate::model::Model;
use crate::{beside, browse, command, export, history, over, overview, repairs, ticket};

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
        Event::Progress(progress) => effects.extend(on_progress(model, progress)),
        Event::Counts(counts) => {
            model.counts = counts;
            effects.extend(model.list.changed(model.page()));
        }
        Event::Changed => effects.extend(model.list.changed(model.page())),
        Event::Window(window) => {
            effects.extend(model.list.accept(window, model.page()));
            effects.extend(follow_opened(model));
            browse::arrived(model);
        }
        Event::Explained { of, explanation } => {
            if model.asked_why.as_ref().is_some_and(|(asked, _)| *asked == of) {
                model.explained = Some((of, explanation));
            }
        }
        Event::Entry { of, entry } => opened_is(model, &of, entry),
        Event::Located { of, found } => browse::located(model, &of, found, &mut effects),
        Event::Marked(count) => {
            model.marks.told(count);
            effects.extend(model.list.changed(model.page()));
        }
        Event::Planned { number, answer } => repairs::planned(model, number, answer),
        Event::PlanLines { plan, first, lines } => repairs::lines(model, &plan, first, lines),
        Event::Running(running) => repairs::running(model, running),
        Event::Applied(end) => {
            repairs::applied(model, end);
            beside::forget(model);
            effects.extend(ticket::again(model));
            effects.extend(history::again(model));
        }
        Event::History { of, answer } => history::told(model, &of, answer),
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
    // What is said below may take lines from the list.
    model.list.show_cursor(model.page());
    effects.extend(model.list.want(model.page()));
    effects.extend(repairs::want_lines(model));
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
    model.browse.opens_next = false;
    let place = model.place();
    let asks = matches!(place, Place::Question | Place::Leaving | Place::Export);
    let answers = asks || matches!(place, Place::Form | Place::Preview | Place::Result);
    let said = key.code == KeyCode::Enter || (key.code == KeyCode::Char('y') && place != Place::Form);
    if answers && key.kind == KeyEventKind::Repeat && said {
        return; // A key that is held down answers no question.
    }
    // What is not seen, because the terminal is too small for it, is not answered either.
    let unseen = asks && model.layout().is_none();
    if unseen && matches!(key.code, KeyCode::Enter | KeyCode::Char(_)) && !key.modifiers.contains(KeyModifiers::CONTROL)
    {
        return;
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
                Place::Form => repairs::typed(model, key),
                Place::HistoryFilter => history::type_key(model, key),
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
        let help = model.keys.key_at(place, Command::Help).map(|help| format!(" {help} shows all keys."));
        model.hint(format!("{key} does nothing here.{}", help.unwrap_or_default()));
    }
}

fn on_progress(model: &mut Model, progress: Progress) -> Option<Effect> {
    let again = matches!(model.phase(), Phase::Complete | Phase::Failed);
    if progress.phase == Phase::Connecting || (again && progress.phase == Phase::Reading) {
        model.reached = 0;
    }
    model.reached = model.reached.max(thousandths(&progress));
    let completed = progress.phase == Phase::Complete && model.phase() != Phase::Complete;
    model.progress = Some(progress);
    completed.then(|| model.list.completed(model.page())).flatten()
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

/// Keeps the entry on the whole screen up to date. It may have left the list, by its repair or by the filter, and is asked
/// for by itself then.
fn follow_opened(model: &mut Model) -> Option<Effect> {
    let opened = model.opened.as_mut().filter(|opened| opened.found.is_none())?;
    match model.list.holding(&opened.of) {
        Some(entry) => {
            opened.entry = entry.clone();
            opened.left = false;
            None
        }
        None => Some(Effect::Entry(opened.of.clone())),
    }
}

/// The entry on the whole screen as it is now, if it is there still.
fn opened_is(model: &mut Model, of: &RecordRef, entry: Option<Box<Entry>>) {
    let Some(opened) = model.opened.as_mut().filter(|opened| opened.found.is_none() && opened.of == *of) else {
        return;
    };
    opened.left = entry.is_none();
    if let Some(entry) = entry {
        opened.entry = *entry;
    }
}

/// The group of a tab, counted from 0.
pub(crate) fn group_of(tab: usize) -> Option<Group> {
    tab.checked_sub(1).and_then(|at| Group::ALL.get(at).copied())
}
