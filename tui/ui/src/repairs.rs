//! From a wish to a plan, from the plan to a question, from the answer to what came of it.
//!
//! Nothing here writes: the one way to [`Effect::Apply`] is a question that was answered with yes.

use ratatui::crossterm::event::KeyEvent;
use tui_input::Input;
use userlink_domain::{RecordRef, Situation, Sub};

use crate::choose::Choose;
use crate::confirm::Question;
use crate::effect::Effect;
use crate::event::Level;
use crate::form::{Field, Form, Must, Pick};
use crate::glyphs::situation_words;
use crate::keys::{Command, Place};
use crate::model::Model;
use crate::plan::{Answer, Lifted, Outcome, PlanLine, PlanRef, Request, Running, Wish};
use crate::preview::Looking;

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

/// Something that is filled in.
#[derive(Debug)]
pub(crate) struct Filling {
    pub(crate) title: String,
    pub(crate) aside: &'static str,
    /// In sentences.
    pub(crate) text: Vec<String>,
    pub(crate) yes: &'static str,
    pub(crate) form: Form,
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    /// Why an entry is repaired that is repaired one at a time.
    Reason { of: RecordRef, request: Request },
    /// A guard is lifted.
    Lift { request: Request, lifts: Lifted },
    /// Which of these users is contained.
    Contain(Vec<Sub>),
    /// Why an entry is dismissed.
    Dismiss(RecordRef),
}

fn line(name: &str, must: Must) -> Field {
    Field { name: name.to_owned(), input: Input::default(), must }
}

/// Why nothing can be planned from here at all.
fn refusal(model: &Model) -> Option<&'static str> {
    if model.setup.read_only {
        Some("Read-only: nothing can be repaired from here.")
    } else if model.is_from_disk() {
        Some("This is an earlier scan: repairs wait until all has been read anew.")
    } else if model.is_writing() {
        Some("A repair is being written. Wait until it is over.")
    } else if model.opened.as_ref().is_some_and(|opened| opened.left) {
        Some("This entry has left the view. Go back and look at it as it is now.")
    } else {
        None
    }
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

/// Why there is nothing to plan for an entry of this situation.
fn no_repair(situation: Situation) -> Option<String> {
    match situation {
        Situation::Linked => Some("Both pointers agree: there is nothing to repair.".to_owned()),
        Situation::Reading | Situation::Unsettled => Some("There is no verdict to act on yet.".to_owned()),
        Situation::LinkedInactive
        | Situation::OrphanRow
        | Situation::DeadSub
        | Situation::UnlinkedInactive
        | Situation::JoinedProfile
        | Situation::Ignored => Some(format!("There is no repair for {}.", situation_words(situation))),
        _ => None,
    }
}

/// Why a command can do nothing now; `None` where it can, or is none of these.
pub(crate) fn why_not(model: &Model, command: Command) -> Option<String> {
    let unless = |can: bool, text: &str| (!can).then(|| text.to_owned());
    match (command, &model.repairing) {
        (Command::Repair, Repairing::Writing(writing)) if writing.quietly => None,
        (Command::Repair, Repairing::Over { unseen: true, .. }) => None,
        (Command::Repair | Command::Contain | Command::Dismiss | Command::Undo, _) => {
            refusal(model).map(str::to_owned).or_else(|| nothing_to(model, command))
        }
        (Command::Mark | Command::MarkRange, Repairing::Idle) => {
            unless(model.list.entry().is_some(), "There is no entry to mark yet.")
        }
        (Command::Unmark, _) => unless(model.marks.are_any() || model.marks.from.is_some(), "No entry is marked."),
        (Command::SignOut, Repairing::Looking(looking)) => {
            unless(looking.draft.sessions.is_some(), "Nobody had another id before.")
        }
        (Command::SignOut, Repairing::Over { end, .. }) => {
            let there = end.as_ref().is_ok_and(|outcome| outcome.sessions.is_some());
            unless(there, "Nobody had another id before.")
        }
        (Command::Choose, Repairing::Looking(looking)) => {
            unless(looking.draft.can_choose, "There is nothing else to choose.")
        }
        (Command::Again, Repairing::Over { end, .. }) => {
            unless(end.as_ref().is_ok_and(|outcome| !outcome.complete), "All of it was done.")
        }
        (Command::Stop, Repairing::Writing(writing)) => unless(!writing.stopping, "It stops already."),
        (Command::Stop, Repairing::Choosing(choose)) => {
            let more = choose.of.left > 1 || !choose.request.choices.is_empty();
            unless(more, "There is nothing else in this plan.")
        }
        (Command::SkipTheRest, Repairing::Choosing(choose)) => {
            unless(choose.request.wish == Wish::Marked, "There are no others.")
        }
        _ => None,
    }
}

/// What these commands have nothing to do with.
fn nothing_to(model: &Model, command: Command) -> Option<String> {
    let entry = model.entry();
    match command {
        Command::Repair if model.marks.are_any() && model.opened.is_none() => None,
        Command::Repair => match entry {
            Some(entry) => no_repair(entry.situation),
            None => Some("There is no entry to repair yet.".to_owned()),
        },
        Command::Contain => {
            let nobody = entry.is_none_or(|entry| entry.users.is_empty());
            nobody.then(|| "There is no user in this entry who could be contained.".to_owned())
        }
        Command::Dismiss => match entry.map(|entry| entry.situation) {
            None => Some("There is no entry to dismiss yet.".to_owned()),
            Some(Situation::Reading | Situation::Unsettled) => Some("There is no verdict to dismiss yet.".to_owned()),
            Some(Situation::Linked) => Some("Both pointers agree: there is nothing to dismiss.".to_owned()),
            Some(_) => None,
        },
        Command::Undo => match wish_to_undo(model) {
            Some(_) => None,
            None if matches!(model.place(), Place::Browse | Place::Entry) => Some(
                "Nothing was repaired from here yet. The history shows earlier runs, and takes them back.".to_owned(),
            ),
            None => Some("Nothing was written by this that could be taken back.".to_owned()),
        },
        _ => None,
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
        Answer::Reason { of, text } => Repairing::Filling(Box::new(Filling {
            title: "Why?".to_owned(),
            aside: "nothing written yet",
            text: vec![text],
            yes: "Go on",
            form: Form::new(vec![line("Reason", Must::Something)], Vec::new()),
            purpose: Purpose::Reason { of, request },
        })),
        Answer::Guarded { text, lifts } => Repairing::Filling(Box::new(Filling {
            title: "A guard stops this".to_owned(),
            aside: "nothing written yet",
            text: vec![text],
            yes: "Plan it all the same",
            form: Form::default_on_cancel(),
            purpose: Purpose::Lift { request, lifts },
        })),
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

/// `X`: keeps a user of the entry from what is not theirs.
pub(crate) fn contain(model: &mut Model) {
    let users = model.entry().map(|entry| &entry.users[..]).unwrap_or_default();
    let (subs, names): (Vec<Sub>, Vec<String>) =
        users.iter().map(|user| (user.sub, crate::view::user_name(user))).unzip();
    let mut picks = vec![Pick::tick("Disable the user, too")];
    let title = if names.len() == 1 { format!("Contain {}", names[0]) } else { "Contain a user".to_owned() };
    if names.len() > 1 {
        picks.push(Pick { name: "Whom".to_owned(), options: names, at: 0 });
    }
    model.repairing = Repairing::Filling(Box::new(Filling {
        title,
        aside: "nothing written yet",
        text: vec![
            "For somebody who sees another's data: the id is cleared, and every session ends. Whoever is disabled cannot sign in \
             again. All but the ending of sessions can be undone."
                .to_owned(),
        ],
        yes: "Look at the plan",
        form: Form::new(vec![line("Reason", Must::Something)], picks),
        purpose: Purpose::Contain(subs),
    }));
}

/// `d`: an entry is dismissed until its evidence changes; one that was is taken up again.
pub(crate) fn dismiss(model: &mut Model, effects: &mut Vec<Effect>) {
    let (Some(of), Some(entry)) = (model.subject().cloned(), model.entry()) else { return };
    if entry.situation == Situation::Ignored {
        return effects.push(Effect::Dismiss { of, reason: None });
    }
    let text =
        "It is shown as ignored, under Expected, until anything that its verdict rests on changes. The reason is kept.";
    model.repairing = Repairing::Filling(Box::new(Filling {
        title: format!("Dismiss {}", crate::view::title(entry)),
        aside: "",
        text: vec![text.to_owned()],
        yes: "Dismiss",
        form: Form::new(vec![line("Reason", Must::Something)], Vec::new()),
        purpose: Purpose::Dismiss(of),
    }));
}

/// What `u` takes back: the run that is looked at, or the last one.
fn wish_to_undo(model: &Model) -> Option<Wish> {
    match (&model.repairing, model.history.last()) {
        (Repairing::Over { end: Ok(outcome), unseen: false, .. }, _) => {
            outcome.undoable.then(|| Wish::Undo { run: outcome.run.clone(), step: None })
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
    if matches!(&model.repairing, Repairing::Over { end: Ok(outcome), .. } if !outcome.complete) {
        want(model, Request::new(Wish::Again), effects);
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
            None => filled(model, *filling, effects),
        },
        other => model.repairing = other,
    }
}

fn filled(model: &mut Model, filling: Filling, effects: &mut Vec<Effect>) {
    let reason = filling.form.value(0).unwrap_or_default();
    match filling.purpose {
        Purpose::Reason { of, mut request } => {
            match request.choices.iter_mut().find(|choice| choice.of == of) {
                Some(choice) => choice.reason = Some(reason),
                None => request.choices.push(userlink_domain::Choice { of, pairs: Vec::new(), reason: Some(reason) }),
            }
            want(model, request, effects);
        }
        Purpose::Lift { request, lifts } => {
            let lifted = Lifted {
                threshold: request.lifted.threshold || lifts.threshold,
                empty_side: request.lifted.empty_side || lifts.empty_side,
            };
            want(model, Request { lifted, ..request }, effects);
        }
        Purpose::Contain(users) => {
            let disable = filling.form.picked(0) == 1;
            if let Some(user) = users.get(filling.form.picked(1)) {
                want(model, Request::new(Wish::Contain { user: *user, disable, reason }), effects);
            }
        }
        Purpose::Dismiss(of) => effects.push(Effect::Dismiss { of, reason: Some(reason) }),
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
            Ok(_) => model.say(Level::Error, "The repair is over, and not all of it was done: r shows what was not."),
            Err(text) => model.say(Level::Error, text.clone()),
        }
    }
    model.repairing =
        if quietly && well { Repairing::Idle } else { Repairing::Over { end, unseen: quietly, scroll: 0 } };
}
