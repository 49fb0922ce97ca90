//! What is asked, in a box: before a write, before a guard is lifted, before leaving.

use ratatui::Frame;
use ratatui::layout::Position;
use userlink_domain::Group;

use super::dialog::{Dialog, inner_height, inner_width, skipped};
use super::{Regions, choose, preview, running};
use crate::confirm::Question;
use crate::form::Form;
use crate::glyphs::group_sign;
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::Cells;
use crate::plan::{DraftKind, LAST_MOMENT};
use crate::repairs::{Filling, Repairing};
use crate::theme::Role;
use crate::words::counted;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout, regions: &mut Regions) {
    match &model.repairing {
        Repairing::Idle | Repairing::Over { unseen: true, .. } => {}
        Repairing::Planning(_) => waiting(model, frame, layout),
        Repairing::Choosing(choosing) => choose::draw(model, frame, layout, choosing, regions),
        Repairing::Filling(filling) => filled(model, frame, layout, filling),
        Repairing::Looking(looking) => preview::draw(model, frame, layout, looking),
        Repairing::Asking(question) => {
            preview::draw(model, frame, layout, &question.looking);
            asking(model, frame, layout, question);
        }
        Repairing::Writing(writing) if writing.quietly => {}
        Repairing::Writing(writing) => running::draw(model, frame, layout, writing),
        Repairing::Over { end: Ok(outcome), scroll, .. } => running::over(model, frame, layout, outcome, *scroll),
        Repairing::Over { end: Err(text), .. } => failed(model, frame, layout, text),
    }
}

/// Whether what is shown is a pane, or has one below it.
pub(super) fn is_pane(repairing: &Repairing) -> bool {
    match repairing {
        Repairing::Choosing(_) | Repairing::Looking(_) | Repairing::Asking(_) => true,
        Repairing::Over { end, unseen, .. } => !unseen && end.as_ref().is_ok_and(|outcome| !outcome.complete),
        _ => false,
    }
}

/// How far what is shown can be scrolled.
pub(super) fn furthest(model: &Model, layout: &Layout) -> usize {
    match &model.repairing {
        Repairing::Looking(looking) => preview::furthest(model, layout, looking),
        Repairing::Choosing(choose) => choose.of.candidates.len().saturating_sub(1),
        Repairing::Over { end: Ok(outcome), .. } => running::furthest(model, layout, outcome),
        _ => 0,
    }
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

fn waiting(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let text = format!("What would be done is worked out, and tried in memory{}", look.glyphs.more);
    let mut lines = look.wrap(&text, Role::Plain, inner_width(layout) - 2);
    for (at, body) in std::mem::take(&mut lines).into_iter().enumerate() {
        let mut line = look.line();
        line.text(if at == 0 { model.spinner() } else { "" }, Role::Accent);
        line.to(2);
        line.append(body);
        lines.push(line);
    }
    Dialog {
        title: "Plan",
        title_role: Role::Strong,
        aside: "nothing written yet",
        lines,
        skip: 0,
        choices: &[],
        marked: 0,
    }
    .draw(look, frame, layout);
}

fn asking(model: &Model, frame: &mut Frame<'_>, layout: &Layout, question: &Question) {
    let look = model.look();
    let draft = &question.looking.draft;
    let width = inner_width(layout);
    let mut lines = Vec::new();
    if model.setup.production {
        let mut line = look.line();
        line.text("PRODUCTION", Role::Danger);
        line.text(&format!("  {}", model.setup.context), Role::Strong);
        lines.extend([line, look.line()]);
    }
    let what = counted(draft.steps, "step is", "steps are");
    let undo = match (draft.inserts + draft.sign_outs, draft.steps) {
        (0, _) => "All of it can be taken back.".to_owned(),
        (last, _) => format!("{} cannot be taken back.", counted(last, "of them", "of them")),
    };
    let of = counted(draft.users, "user", "users");
    lines.extend(look.wrap(&format!("{what} written for {of}. {undo}"), Role::Plain, width));
    let at = lines.len();
    lines.extend(form_lines(model, &question.form, width));
    if draft.updates > draft.sign_outs {
        lines.push(look.line());
        lines.extend(look.wrap(LAST_MOMENT, Role::Muted, width));
    }
    let of = model.called(&draft.title);
    let title = match draft.kind {
        DraftKind::Undo(_) => format!("Take back {of}?"),
        DraftKind::Contain => format!("Contain {of}?"),
        DraftKind::SignOut => format!("Sign out {of}?"),
        DraftKind::Repair => format!("Apply to {of}?"),
    };
    form_dialog(model, frame, layout, (&title, "nothing written yet", "Apply"), lines, &question.form, at);
}

fn filled(model: &Model, frame: &mut Frame<'_>, layout: &Layout, filling: &Filling) {
    let look = model.look();
    let width = inner_width(layout);
    let mut lines: Vec<_> =
        filling.text.iter().flat_map(|text| look.wrap(&model.told(text), Role::Plain, width)).collect();
    let at = lines.len();
    lines.extend(form_lines(model, &filling.form, width));
    let title = model.told(&filling.title);
    let names = (&*title, filling.aside, filling.yes);
    form_dialog(model, frame, layout, names, lines, &filling.form, at);
}

/// Columns of a name in a form.
const NAME: usize = 22;

/// A blank line, then a line each.
fn form_lines(model: &Model, form: &Form, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = Vec::new();
    if !form.fields.is_empty() || !form.picks.is_empty() {
        lines.push(look.line());
    }
    for (at, field) in form.fields.iter().enumerate() {
        let here = form.focus == at;
        let mut line = look.line();
        line.cell(&field.name, if here { Role::Accent } else { Role::Muted }, name_width(model, form, width));
        line.text(" ", Role::Plain);
        let room = width.saturating_sub(line.width() + 1).max(1);
        let (seen, _) = seen(model, field.input.value(), field.input.cursor(), room);
        line.cell(&seen, Role::Strong, room);
        lines.push(line);
    }
    for (at, pick) in form.picks.iter().enumerate() {
        let here = form.focus == form.fields.len() + at;
        let mut line = look.line();
        line.cell(&pick.name, if here { Role::Accent } else { Role::Muted }, name_width(model, form, width));
        line.text(" ", Role::Plain);
        let value = pick.options.get(pick.at).map(String::as_str).unwrap_or_default();
        // Whoever is out of sight is told from the others by the number.
        let value = match pick.people {
            true => format!("{} ({} of {})", model.called(value), pick.at + 1, pick.options.len()),
            false => value.to_owned(),
        };
        let text = if here { format!("[ {value} ]") } else { format!("  {value}  ") };
        let room = width.saturating_sub(line.width());
        line.cell(&text, if here { Role::Selection } else { Role::Plain }, look.width(&text).min(room));
        lines.push(line);
    }
    lines
}

fn name_width(model: &Model, form: &Form, width: usize) -> usize {
    let names = form.fields.iter().map(|field| &field.name).chain(form.picks.iter().map(|pick| &pick.name));
    let widest = names.map(|name| model.look().width(name)).max().unwrap_or(0);
    widest.min(NAME.max(width / 2))
}

/// The part of a line around its cursor, and the cursor's column in it.
fn seen(model: &Model, value: &str, cursor: usize, room: usize) -> (String, usize) {
    let look = model.look();
    let before: Vec<char> = value.chars().take(cursor).collect();
    let mut from = 0;
    let wide = |from: usize| look.width(&before[from..].iter().collect::<String>());
    while from < before.len() && wide(from) + 1 > room {
        from += 1;
    }
    (value.chars().skip(from).collect(), wide(from))
}

fn form_dialog(
    model: &Model,
    frame: &mut Frame<'_>,
    layout: &Layout,
    (title, aside, yes): (&str, &str, &str),
    lines: Vec<Cells>,
    form: &Form,
    first: usize,
) {
    let look = model.look();
    let width = inner_width(layout);
    // No button is marked while a line is typed.
    let marked = form.button().unwrap_or(usize::MAX);
    let at = first + 1 + form.focus;
    let (all, room) = (lines.len(), inner_height(layout));
    let skip = match form.button() {
        None => skipped(at, all, room),
        // On Cancel the beginning is seen, and on yes the end.
        Some(0) => 0,
        Some(_) => all.saturating_sub(room),
    };
    let dialog = Dialog { title, title_role: Role::Strong, aside, lines, skip, choices: &["Cancel", yes], marked };
    let area = dialog.draw(look, frame, layout);
    if let Some(field) = form.fields.get(form.focus) {
        let from = name_width(model, form, width) + 1;
        let room = width.saturating_sub(from + 1).max(1);
        let (_, column) = seen(model, field.input.value(), field.input.cursor(), room);
        let x = area.x + 2 + u16::try_from(from + column).unwrap_or(0);
        let y = area.y + u16::try_from(at - skip).unwrap_or(0);
        if model.help.is_none() && model.leaving.is_none() {
            frame.set_cursor_position(Position::new(x, y));
        }
    }
}

fn failed(model: &Model, frame: &mut Frame<'_>, layout: &Layout, text: &str) {
    let look = model.look();
    let (sign, role) = group_sign(Group::Conflict, look.ascii());
    let text = model.told(text);
    let lines = text.lines().flat_map(|line| look.wrap(line, Role::Plain, inner_width(layout))).collect();
    let name = format!("{sign} Not repaired");
    Dialog { title: &name, title_role: role, aside: "", lines, skip: 0, choices: &["Close"], marked: 0 }
        .draw(look, frame, layout);
}
