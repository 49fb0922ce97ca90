//! From a wish to a plan, from the plan to a question, from the answer to what came of it.
//!
//! Nothing here writes: the one way to [`Effect::Apply`] is a question that was answered with yes.

mod filling;
mod possible;

use ratatui::crossterm::event::KeyEvent;

use crate::choose::Choose;
use crate::confirm::Question;
use crate::effect::Effect;
use crate::event::Level;
use crate::form::Form;
use crate::keys::{Command, Place};
use crate::model::Model;
use crate::plan::{Answer, Outcome, PlanLine, PlanRef, Request, Running, Wish};
use crate::preview::Looking;

pub(crate) use filling::{Filling, contain, dismiss};
pub(crate) use possible::why_not;

/// What there is between a person and a repair.
#[derive(Debug, Default)]
pub(crate) enum Repairing {
    #[default]
    Idle,
    /// It is being planned.
    Planning(Request),
    /// A person chooses who gets what.
    Choosing(Box<Choose>),
    /// A person fills something in, or says that a guard is lifted.
    Filling(Box<Filling>),
    /// A plan is looked at.
    Looking(Box<Looking>),
    /// A person is asked.
    Asking(Box<Question>),
    /// It is being written.
    Writing(Writing),
    /// What came of it, or why it could not be. `unseen` while nobody has looked.
    Over { end: Result<Outcome, String>, unseen: bool, scroll: usize },
}

/// A run that is under way.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) title: String,
    pub(crate) running: Running,
    /// The person went on without waiting.
    pub(crate) quietly: bool,
    /// It was asked to stop.
    pub(crate) stopping: bool,
}

/// `r`: plans for what is marked, or for the entry under the cursor.
pub(crate) fn repair(model: &mut Model, effects: &mut Vec<Effect>) {
    match &mut model.repairing {
        Repairing::Writing(writing) if writing.quietly => {
            writing.quietly = false;
            return;
        }
        Repairing::Over { unseen, .. } if *unseen => {
            *unseen = false;
            return;
        }
        _ => {}
    }
    if model.marks.are_any() && model.opened.is_none() {
        want(model, Request::new(Wish::Marked), effects);
    } else if let Some(of) = model.subject().cloned() {
        want(model, Request::new(Wish::Entry(of)), effects);
    }
}

pub(crate) fn want(model: &mut Model, mut request: Request, effects: &mut Vec<Effect>) {
    model.requests += 1;
    request.number = model.requests;
    effects.push(Effect::Plan(request.clone()));
    model.repairing = Repairing::Planning(request);
}

/// The answer to a request. One that nobody waits for is of no use.
pub(crate) fn planned(model: &mut Model, number: u64, answer: Answer) {
    let request = match std::mem::take(&mut model.repairing) {
        Repairing::Planning(request) if request.number == number => request,
        other => {
            model.repairing = other;
            return;
        }
    };
    model.repairing = match answer {
        Answer::Refused(text) => Repairing::Over { end: Err(text), unseen: false, scroll: 0 },
        // Only where nothing may be written is there nothing to look at.
        _ if model.setup.read_only => Repairing::Idle,
        Answer::Draft(draft) => Repairing::Looking(Box::new(Looking::new(request, *draft))),
        Answer::Choose(choosing) => Repairing::Choosing(Box::new(Choose::new(request, *choosing))),
        Answer::Reason { of, text } => Repairing::Filling(Box::new(Filling::reason(of, text, request))),
        Answer::Guarded { text, lifts } => Repairing::Filling(Box::new(Filling::guarded(text, lifts, request))),
    };
}

/// Lines of the plan that is looked at.
pub(crate) fn lines(model: &mut Model, plan: &PlanRef, first: usize, lines: Vec<PlanLine>) {
    if let Repairing::Looking(looking) = &mut model.repairing {
        looking.accept(plan, first, lines);
    }
}

/// Asks for those that will be on the screen.
pub(crate) fn want_lines(model: &mut Model) -> Option<Effect> {
    let page = model.page().max(8) * 2;
    match &mut model.repairing {
        Repairing::Looking(looking) => looking.want(page),
        _ => None,
    }
}

/// What `u` takes back: the run that is looked at, or the last one.
fn wish_to_undo(model: &Model) -> Option<Wish> {
    match (&model.repairing, model.history.last()) {
        (Repairing::Over { end, unseen: false, .. }, _) => {
            // Of what came to nothing there is nothing to take back, and what was before it is not meant.
            let outcome = end.as_ref().ok().filter(|outcome| outcome.undoable);
            outcome.map(|outcome| Wish::Undo { run: outcome.run.clone(), step: None })
        }
        (_, Some(page)) => match page.subject() {
            Some((run, step, true)) => Some(Wish::Undo { run, step }),
            _ => None,
        },
        _ => model.last_run.clone().map(|run| Wish::Undo { run, step: None }),
    }
}

/// `u`: takes back what was written.
pub(crate) fn undo(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(wish) = wish_to_undo(model) {
        want(model, Request::new(wish), effects);
    }
}

/// `a` on a result: what was not done, alone.
pub(crate) fn again(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Repairing::Over { end: Ok(outcome), .. } = &model.repairing
        && !outcome.complete
    {
        let request = Request { sign_out: outcome.signs_out, ..Request::new(Wish::Again) };
        want(model, request, effects);
    }
}

/// `o`: signs out whoever had another id.
pub(crate) fn sign_out(model: &mut Model, effects: &mut Vec<Effect>) {
    match &model.repairing {
        Repairing::Looking(looking) if looking.draft.sessions.is_some() => {
            let sign_out = !looking.request.sign_out;
            let request = Request { sign_out, ..looking.request.clone() };
            want(model, request, effects);
        }
        Repairing::Over { end: Ok(outcome), .. } if outcome.sessions.is_some() => {
            want(model, Request::new(Wish::SignOut), effects);
        }
        _ => {}
    }
}

/// `c` on a preview: other candidates.
pub(crate) fn choose(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Repairing::Looking(looking) = &model.repairing
        && looking.draft.can_choose
    {
        let request = Request { choose: true, choices: Vec::new(), ..looking.request.clone() };
        want(model, request, effects);
    }
}

/// `s`: no step is begun any more; in a choice the entry is left out.
pub(crate) fn stop_or_skip(model: &mut Model, effects: &mut Vec<Effect>) {
    match std::mem::take(&mut model.repairing) {
        Repairing::Writing(writing) => {
            effects.extend((!writing.stopping).then_some(Effect::Stop));
            model.repairing = Repairing::Writing(Writing { stopping: true, ..writing });
        }
        Repairing::Choosing(choose) if choose.of.left > 1 || !choose.request.choices.is_empty() => {
            want(model, choose.pass_over(), effects);
        }
        other => model.repairing = other,
    }
}

/// Leaves out all that still have to be chosen for.
pub(crate) fn skip_the_rest(model: &mut Model, effects: &mut Vec<Effect>) {
    match std::mem::take(&mut model.repairing) {
        Repairing::Choosing(choose) if choose.request.wish == Wish::Marked => {
            want(model, Request { leave_the_rest: true, ..choose.request }, effects);
        }
        other => model.repairing = other,
    }
}

/// Enter, wherever something is being repaired.
pub(crate) fn accept(model: &mut Model, effects: &mut Vec<Effect>) {
    match std::mem::take(&mut model.repairing) {
        Repairing::Choosing(choose) => {
            let choosing = choose.of.candidates.is_empty();
            match choose.take() {
                Some(request) => want(model, request, effects),
                None if choosing => model.say(Level::Info, "There is nobody to choose."),
                None => {}
            }
        }
        Repairing::Looking(looking) => model.repairing = Repairing::Asking(Box::new(Question::new(*looking))),
        Repairing::Filling(filling) if filling.form.is_on_yes() => {
            model.repairing = Repairing::Filling(filling);
            yes(model, effects);
        }
        Repairing::Asking(question) if question.form.is_on_yes() => {
            model.repairing = Repairing::Asking(question);
            yes(model, effects);
        }
        Repairing::Filling(mut filling) if filling.form.is_typing() => {
            filling.form.next();
            model.repairing = Repairing::Filling(filling);
        }
        Repairing::Asking(mut question) if question.form.is_typing() => {
            question.form.next();
            model.repairing = Repairing::Asking(question);
        }
        Repairing::Asking(question) => back_to_looking(model, *question),
        Repairing::Filling(_) => cancelled(model),
        Repairing::Over { .. } => {}
        other => model.repairing = other,
    }
}

fn back_to_looking(model: &mut Model, question: Question) {
    model.repairing = Repairing::Looking(Box::new(question.looking));
    model.say(Level::Info, "Nothing was written.");
}

fn cancelled(model: &mut Model) {
    model.repairing = Repairing::Idle;
    model.say(Level::Info, "Cancelled: nothing was written.");
}

/// Yes to a question.
pub(crate) fn yes(model: &mut Model, effects: &mut Vec<Effect>) {
    match std::mem::take(&mut model.repairing) {
        Repairing::Asking(question) => {
            let title = question.looking.draft.title.clone();
            let total = question.looking.draft.steps;
            match question.confirmed() {
                Ok(confirmed) => {
                    let running = Running { total, ..Running::default() };
                    model.repairing = Repairing::Writing(Writing { title, running, quietly: false, stopping: false });
                    effects.push(Effect::Apply(confirmed));
                }
                Err(mut question) => {
                    let lacking = question.form.complain();
                    model.repairing = Repairing::Asking(question);
                    lacking.into_iter().for_each(|text| model.say(Level::Info, text));
                }
            }
        }
        Repairing::Filling(mut filling) => match filling.form.complain() {
            Some(text) => {
                model.repairing = Repairing::Filling(filling);
                model.say(Level::Info, text);
            }
            None => filling.filled(model, effects),
        },
        other => model.repairing = other,
    }
}

/// One step back.
pub(crate) fn back(model: &mut Model) {
    match std::mem::take(&mut model.repairing) {
        Repairing::Writing(writing) => {
            model.repairing = Repairing::Writing(Writing { quietly: true, ..writing });
        }
        Repairing::Asking(question) => back_to_looking(model, *question),
        Repairing::Looking(_) | Repairing::Choosing(_) | Repairing::Filling(_) => cancelled(model),
        Repairing::Idle | Repairing::Planning(_) | Repairing::Over { .. } => {}
    }
}

/// Chooses the candidate under the cursor, or not any more.
pub(crate) fn pick(model: &mut Model) {
    if let Repairing::Choosing(choose) = &mut model.repairing {
        choose.toggle();
    }
}

/// How far what is shown is scrolled, or where its cursor is.
pub(crate) fn scroll(model: &mut Model) -> Option<&mut usize> {
    match &mut model.repairing {
        Repairing::Looking(looking) => Some(&mut looking.scroll),
        Repairing::Choosing(choose) => Some(&mut choose.cursor),
        Repairing::Over { scroll, .. } => Some(scroll),
        _ => None,
    }
}

/// The form that keys go into.
pub(crate) fn form(model: &mut Model) -> Option<&mut Form> {
    match &mut model.repairing {
        Repairing::Filling(filling) => Some(&mut filling.form),
        Repairing::Asking(question) => Some(&mut question.form),
        _ => None,
    }
}

/// Types a key into the form. Gives whether anything came of it.
pub(crate) fn typed(model: &mut Model, key: KeyEvent) -> bool {
    form(model).is_some_and(|form| form.type_key(key))
}

/// Where keys go while something is being repaired.
pub(crate) fn place(repairing: &Repairing) -> Option<Place> {
    let of_form = |form: &Form| if form.is_typing() { Place::Form } else { Place::Question };
    match repairing {
        Repairing::Idle | Repairing::Over { unseen: true, .. } => None,
        Repairing::Writing(writing) => (!writing.quietly).then_some(Place::Running),
        Repairing::Planning(_) => Some(Place::Waiting),
        Repairing::Choosing(_) => Some(Place::Choose),
        Repairing::Filling(filling) => Some(of_form(&filling.form)),
        Repairing::Asking(question) => Some(of_form(&question.form)),
        Repairing::Looking(_) => Some(Place::Preview),
        Repairing::Over { .. } => Some(Place::Result),
    }
}

pub(crate) fn running(model: &mut Model, running: Running) {
    if let Repairing::Writing(writing) = &mut model.repairing {
        writing.running = running;
    }
}

/// A run has ended.
pub(crate) fn applied(model: &mut Model, end: Result<Outcome, String>) {
    let Repairing::Writing(Writing { quietly, .. }) = model.repairing else { return };
    model.leaving = None;
    if let Ok(outcome) = &end
        && outcome.undoable
    {
        model.last_run = Some(outcome.run.clone());
    }
    let well = end.as_ref().is_ok_and(|outcome| outcome.complete);
    if quietly {
        match &end {
            _ if well => model.say(Level::Info, "The repair is over: all of it was done."),
            Ok(_) => {
                let key = model.keys.key_of(Command::Repair);
                let text = format!("The repair is over, and not all of it was done: {key} shows what was not.");
                model.say(Level::Error, text);
            }
            Err(text) => model.say(Level::Error, text.clone()),
        }
    }
    model.repairing =
        if quietly && well { Repairing::Idle } else { Repairing::Over { end, unseen: quietly, scroll: 0 } };
}
