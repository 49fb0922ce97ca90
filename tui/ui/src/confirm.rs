//! The question before a write, and the only place where a [`Confirmed`] can come from.
//!
//! The question holds the frozen plan that it asks about. It stands on Cancel, so that a key held or hit by mistake writes
//! nothing; in production it wants a reason, and the context's name typed.

use tui_input::Input;

use crate::form::{Field, Form, Must};
use crate::plan::PlanRef;
use crate::preview::Looking;

/// A plan that a person was shown and said yes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Confirmed {
    plan: PlanRef,
    reason: Option<String>,
    typed: Option<String>,
}

impl Confirmed {
    /// What was confirmed.
    pub fn plan(&self) -> &PlanRef {
        &self.plan
    }

    /// Why, where that was said.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What was typed for the context's name, in production.
    pub fn typed(&self) -> Option<&str> {
        self.typed.as_deref()
    }
}

/// The question.
#[derive(Debug)]
pub(crate) struct Question {
    /// What was looked at.
    pub(crate) looking: Looking,
    pub(crate) form: Form,
}

impl Question {
    pub(crate) fn new(looking: Looking) -> Self {
        let draft = &looking.draft;
        let reason = Field {
            name: "Reason".to_owned(),
            input: Input::new(draft.reason.clone().unwrap_or_default()),
            must: if draft.wants_reason { Must::Something } else { Must::Nothing },
        };
        let name = draft.type_name.clone().map(|name| Field {
            name: format!("Type {name}"),
            input: Input::default(),
            must: Must::Be(name),
        });
        let form = Form::new([reason].into_iter().chain(name).collect(), Vec::new());
        Self { looking, form }
    }

    /// Yes; or the question again, where something is lacking.
    pub(crate) fn confirmed(self) -> Result<Confirmed, Box<Self>> {
        if self.form.lacking().is_some() {
            return Err(Box::new(self));
        }
        let (reason, typed) = (self.form.value(0), self.form.value(1));
        Ok(Confirmed { plan: self.looking.draft.plan, reason, typed })
    }
}
