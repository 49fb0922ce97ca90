//! What is asked before a write, what is said while it is made, and what came of it.

use ratatui::Frame;
use userlink_domain::Step;

use super::dialog::{Dialog, inner_height, inner_width};
use super::{detail, title};
use crate::confirm::Question;
use crate::event::{Outcome, Proposal};
use crate::glyphs::{group_sign, situation_words};
use crate::layout::Layout;
use crate::model::{Model, Repairing};
use crate::paint::Cells;
use crate::theme::Role;
use crate::words::counted;
use userlink_domain::Group;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    match &model.repairing {
        Repairing::Idle => {}
        Repairing::Preparing(_) => {
            waiting(model, frame, layout, "Repair", "Both sides are read again first", "nothing written yet")
        }
        Repairing::Writing { of, .. } => {
            let text = "It is written, then both sides are read back to see that it holds";
            waiting(model, frame, layout, &format!("Repairing {of}"), text, "");
        }
        Repairing::Asking(question) => asking(model, frame, layout, question),
        Repairing::Over(Ok(outcome)) => over(model, frame, layout, outcome),
        Repairing::Over(Err(text)) => failed(model, frame, layout, text),
    }
}

/// How far the question can be scrolled.
pub(super) fn furthest(model: &Model, layout: &Layout) -> usize {
    let Repairing::Asking(question) = &model.repairing else { return 0 };
    proposal_lines(model, question.proposal(), inner_width(layout)).len().saturating_sub(inner_height(layout))
}

pub(super) fn draw_leaving(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let Some(leaving) = &model.leaving else { return };
    let title = leaving.to.as_ref().map_or("Leave now?".to_owned(), |name| format!("Turn to {name} now?"));
    let text = model.unfinished(leaving.to.is_none()).unwrap_or("All is finished by now.".to_owned());
    let dialog = Dialog {
        title: &title,
        title_role: Role::Strong,
        aside: "",
        lines: look.wrap(&text, Role::Plain, inner_width(layout)),
        skip: 0,
        choices: if leaving.to.is_some() { &["Stay", "Turn"] } else { &["Stay", "Leave"] },
        marked: usize::from(leaving.yes),
    };
    dialog.draw(look, frame, layout);
}

fn waiting(model: &Model, frame: &mut Frame<'_>, layout: &Layout, title: &str, text: &str, aside: &str) {
    let look = model.look();
    let mut lines = look.wrap(&format!("{text}{}", look.glyphs.more), Role::Plain, inner_width(layout) - 2);
    for (at, body) in std::mem::take(&mut lines).into_iter().enumerate() {
        let mut line = look.line();
        line.text(if at == 0 { model.spinner() } else { "" }, Role::Accent);
        line.to(2);
        line.append(body);
        lines.push(line);
    }
    Dialog { title, title_role: Role::Strong, aside, lines, skip: 0, choices: &[], marked: 0 }
        .draw(look, frame, layout);
}

fn asking(model: &Model, frame: &mut Frame<'_>, layout: &Layout, question: &Question) {
    let proposal = question.proposal();
    let name = format!("Repair {}", title(&proposal.entry));
    let dialog = Dialog {
        title: &name,
        title_role: Role::Strong,
        aside: "nothing written yet",
        lines: proposal_lines(model, proposal, inner_width(layout)),
        skip: question.scroll,
        choices: &["Cancel", "Apply"],
        marked: usize::from(question.apply),
    };
    dialog.draw(model.look(), frame, layout);
}

fn proposal_lines(model: &Model, proposal: &Proposal, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = Vec::new();
    if model.setup.production {
        let mut line = look.line();
        line.text("PRODUCTION", Role::Danger);
        line.text(&format!("  {}", model.setup.context), Role::Strong);
        lines.extend([line, look.line()]);
    }
    for step in &proposal.steps {
        let (what, of, before, after) = step_words(model, step);
        let mut line = look.line();
        line.text(&what, Role::Strong);
        line.text(" of ", Role::Muted);
        line.cell(&of, Role::Plain, look.width(&of).min(width.saturating_sub(line.width())));
        lines.push(line);
        let empty = look.glyphs.empty;
        let change = format!(
            "{} {} {}",
            before.as_deref().unwrap_or(empty),
            look.glyphs.becomes,
            after.as_deref().unwrap_or(empty)
        );
        for body in look.wrap(&change, Role::Strong, width - 2) {
            let mut line = look.line();
            line.to(2);
            line.append(body);
            lines.push(line);
        }
    }
    lines.push(look.line());
    let mut then = look.line();
    then.cell("Afterwards", Role::Muted, 12);
    let (sign, role) = group_sign(proposal.afterwards.group(), look.ascii());
    then.text(&format!("{sign} {}", situation_words(proposal.afterwards)), role);
    lines.push(then);
    let mut cost = look.line();
    cost.cell("Takes", Role::Muted, 12);
    cost.text(&counted(u64::from(proposal.requests), "request to the pool", "requests to the pool"), Role::Plain);
    lines.push(cost);
    let mut undo = look.line();
    undo.cell("Undo", Role::Muted, 12);
    if proposal.undoable {
        undo.text("the journal keeps the value to go back to", Role::Plain);
    } else {
        undo.text("cannot be undone", Role::Danger);
    }
    lines.push(undo);
    for flag in proposal.entry.flags.iter() {
        for (at, body) in look
            .wrap(&detail::flag_sentence(flag, &model.names.user_id), Role::Attention, width - 12)
            .into_iter()
            .enumerate()
        {
            let mut line = look.line();
            line.cell(if at == 0 { "Mind" } else { "" }, Role::Muted, 12);
            line.append(body);
            lines.push(line);
        }
    }
    lines
}

/// What is written, of whom, what must be there before, and what is there afterwards.
fn step_words(model: &Model, step: &Step) -> (String, String, Option<String>, Option<String>) {
    let (user_id, sub) = (model.names.user_id.clone(), model.names.sub.clone());
    match step.clone() {
        Step::WriteUserId { username, expect, value } => (user_id, username, expect, Some(value)),
        Step::ClearUserId { username, expect } => (user_id, username, expect, None),
        Step::WriteSub { row, expect, value } => (sub, format!("row {row}"), expect, Some(value)),
        Step::ClearSub { row, expect } => (sub, format!("row {row}"), expect, None),
        Step::InsertRow { sub: of, email, .. } => ("new row".to_owned(), of, None, Some(email.unwrap_or_default())),
        Step::SignOut { username } => ("sign-out".to_owned(), username, None, Some("signed out".to_owned())),
        Step::DisableUser { username } => ("enabled".to_owned(), username, Some("yes".into()), Some("no".to_owned())),
        Step::EnableUser { username } => ("enabled".to_owned(), username, Some("no".into()), Some("yes".to_owned())),
    }
}

fn over(model: &Model, frame: &mut Frame<'_>, layout: &Layout, outcome: &Outcome) {
    let look = model.look();
    let group = if outcome.done { Group::Linked } else { Group::Conflict };
    let (sign, role) = group_sign(group, look.ascii());
    let name = if outcome.done {
        format!("{sign} Repaired, and read back")
    } else {
        format!("{sign} Not repaired as planned")
    };
    let width = inner_width(layout);
    let mut lines: Vec<_> = outcome.words.iter().flat_map(|text| look.wrap(text, Role::Plain, width)).collect();
    lines.push(look.line());
    let mut run = look.line();
    run.text("Run ", Role::Muted);
    run.cell(&outcome.run, Role::Muted, width - 4);
    lines.push(run);
    Dialog { title: &name, title_role: role, aside: "", lines, skip: 0, choices: &["Close"], marked: 0 }
        .draw(look, frame, layout);
}

fn failed(model: &Model, frame: &mut Frame<'_>, layout: &Layout, text: &str) {
    let look = model.look();
    let (sign, role) = group_sign(Group::Conflict, look.ascii());
    let lines = text.lines().flat_map(|line| look.wrap(line, Role::Plain, inner_width(layout))).collect();
    let name = format!("{sign} Not repaired");
    Dialog { title: &name, title_role: role, aside: "", lines, skip: 0, choices: &["Close"], marked: 0 }
        .draw(look, frame, layout);
}
