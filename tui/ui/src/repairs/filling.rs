//! What is filled in on the way to a plan: a reason, whom to contain, a guard that is lifted; and why an entry is dismissed.

use tui_input::Input;
use userlink_domain::{Choice, RecordRef, Situation, Sub};

use super::{Repairing, want};
use crate::effect::Effect;
use crate::form::{Field, Form, Must, Pick};
use crate::model::Model;
use crate::plan::{Lifted, Request, Wish};

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
    /// An entry that was dismissed is taken up again.
    TakeUp(RecordRef),
}

fn line(name: &str, must: Must) -> Field {
    Field { name: name.to_owned(), input: Input::default(), must }
}

impl Filling {
    /// Why an entry is repaired that is repaired one at a time.
    pub(super) fn reason(of: RecordRef, text: String, request: Request) -> Self {
        Self {
            title: "Why?".to_owned(),
            aside: "nothing written yet",
            text: vec![text],
            yes: "Go on",
            form: Form::new(vec![line("Reason", Must::Something)], Vec::new()),
            purpose: Purpose::Reason { of, request },
        }
    }

    /// A guard stops it, and a person may lift it.
    pub(super) fn guarded(text: String, lifts: Lifted, request: Request) -> Self {
        Self {
            title: "A guard stops this".to_owned(),
            aside: "nothing written yet",
            text: vec![text],
            yes: "Plan it all the same",
            form: Form::default_on_cancel(),
            purpose: Purpose::Lift { request, lifts },
        }
    }

    /// Goes on with what was filled in.
    pub(super) fn filled(self, model: &mut Model, effects: &mut Vec<Effect>) {
        let reason = self.form.value(0).unwrap_or_default();
        match self.purpose {
            Purpose::Reason { of, mut request } => {
                match request.choices.iter_mut().find(|choice| choice.of == of) {
                    Some(choice) => choice.reason = Some(reason),
                    None => request.choices.push(Choice { of, pairs: Vec::new(), reason: Some(reason) }),
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
                let disable = self.form.picked(0) == 1;
                if let Some(user) = users.get(self.form.picked(1)) {
                    want(model, Request::new(Wish::Contain { user: *user, disable, reason }), effects);
                }
            }
            Purpose::Dismiss(of) => effects.push(Effect::Dismiss { of, reason: Some(reason) }),
            Purpose::TakeUp(of) => effects.push(Effect::Dismiss { of, reason: None }),
        }
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
        picks.push(Pick { name: "Whom".to_owned(), options: names, at: 0, people: true });
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

/// `d`: an entry is dismissed until its evidence changes; one that was is taken up again. Either is asked about.
pub(crate) fn dismiss(model: &mut Model) {
    let (Some(of), Some(entry)) = (model.subject().cloned(), model.entry()) else { return };
    let name = crate::view::title(entry);
    let filling = if entry.situation == Situation::Ignored {
        let text = "It is shown as what it is from then on. That it was dismissed, and why, stays in the journal.";
        Filling {
            title: format!("Take up {name} again?"),
            aside: "nothing written yet",
            text: vec![text.to_owned()],
            yes: "Take it up",
            form: Form::default_on_cancel(),
            purpose: Purpose::TakeUp(of),
        }
    } else {
        let text = "It is shown as ignored, under Expected, until anything that its verdict rests on changes. The reason is kept.";
        Filling {
            title: format!("Dismiss {name}"),
            aside: "",
            text: vec![text.to_owned()],
            yes: "Dismiss",
            form: Form::new(vec![line("Reason", Must::Something)], Vec::new()),
            purpose: Purpose::Dismiss(of),
        }
    };
    model.repairing = Repairing::Filling(Box::new(filling));
}
