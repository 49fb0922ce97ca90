//! What can be done now, and why the rest cannot.

use userlink_domain::Situation;

use super::{Repairing, wish_to_undo};
use crate::glyphs::situation_words;
use crate::keys::{Command, Place};
use crate::model::Model;
use crate::plan::Wish;

/// Why nothing can be planned from here at all.
fn refusal(model: &Model) -> Option<String> {
    let text = if model.setup.read_only {
        "Read-only: nothing can be repaired from here."
    } else if model.is_from_disk() {
        "This is an earlier scan: repairs wait until all has been read anew."
    } else if model.is_writing() {
        "A repair is being written. Wait until it is over."
    } else if matches!(model.repairing, Repairing::Over { unseen: true, .. }) {
        let key = model.keys.key_of(Command::Repair);
        return Some(format!("Look first at what came of the last repair: {key} shows it."));
    } else if model.opened.as_ref().is_some_and(|opened| opened.left) {
        "This entry has left the view. Go back and look at it as it is now."
    } else {
        return None;
    };
    Some(text.to_owned())
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
            refusal(model).or_else(|| nothing_to(model, command))
        }
        (Command::Mark | Command::MarkRange, Repairing::Idle) => {
            unless(model.list.entry().is_some(), "There is no entry to mark yet.")
        }
        (Command::Unmark, _) => unless(model.marks.are_any() || model.marks.from.is_some(), "No entry is marked."),
        (Command::SignOut, Repairing::Looking(looking)) => {
            unless(looking.draft.sessions.is_some(), "Nobody had another id before.")
        }
        (Command::Again | Command::SignOut, Repairing::Over { end: Err(_), .. }) => {
            Some("Nothing was planned or written.".to_owned())
        }
        (Command::SignOut, Repairing::Over { end: Ok(outcome), .. }) => {
            unless(outcome.sessions.is_some(), "Nobody is left to be signed out.")
        }
        (Command::Choose, Repairing::Looking(looking)) => {
            unless(looking.draft.can_choose, "There is nothing else to choose.")
        }
        (Command::Again, Repairing::Over { end: Ok(outcome), .. }) => unless(!outcome.complete, "All of it was done."),
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
