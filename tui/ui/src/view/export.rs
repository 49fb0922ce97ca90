//! The question before what is shown is written into a file.

use ratatui::Frame;

use super::dialog::{Dialog, inner_width};
use crate::export::{ExportFormat, Field, Form};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::Cells;
use crate::theme::Role;
use crate::words::counted;

/// Columns before the values.
const LABEL: usize = 9;

pub(super) fn draw(model: &Model, form: &Form, frame: &mut Frame<'_>, layout: &Layout) {
    let look = model.look();
    let width = inner_width(layout);
    let count = counted(model.list.total() as u64, "entry", "entries");
    let title = format!("Export {count}");
    let mut lines = vec![shown(model, width), format(model, form), folder(model, form, width), look.line()];
    let text = if model.is_masked() {
        "E-mails, names and phones are masked as on the screen; ids are in it as they are."
    } else {
        "It holds people's e-mails, usernames and ids as they are."
    };
    lines.extend(look.wrap(text, Role::Attention, width));
    let text = "The file is for you alone (mode 0600) and stays until you remove it. None is written over.";
    lines.extend(look.wrap(text, Role::Plain, width));
    let choices = &["Cancel", "Export"];
    let marked = if form.on == Field::Choice { usize::from(form.yes) } else { usize::MAX };
    Dialog { title: &title, title_role: Role::Strong, aside: "", lines, skip: 0, choices, marked }
        .draw(look, frame, layout);
}

/// Which entries: the group, and the filter.
fn shown(model: &Model, width: usize) -> Cells {
    let spec = &model.list.spec;
    let mut line = model.look().line();
    line.cell("Shown", Role::Muted, LABEL);
    line.text(spec.group.map_or("all groups", userlink_domain::Group::name), Role::Plain);
    let filter = spec.filter.trim();
    if !filter.is_empty() {
        line.text(", filtered by ", Role::Plain);
        let room = width.saturating_sub(line.width());
        line.cell(&model.looked_for(filter), Role::Strong, room);
    }
    line
}

fn format(model: &Model, form: &Form) -> Cells {
    let mut line = model.look().line();
    line.cell("Format", Role::Muted, LABEL);
    for (format, name) in [(ExportFormat::Csv, "CSV"), (ExportFormat::Json, "JSON")] {
        let role = match (form.format == format, form.on == Field::Format) {
            (true, true) => Role::Selection,
            (true, false) => Role::Strong,
            (false, _) => Role::Muted,
        };
        let name = if form.format == format { format!("[{name}]") } else { format!(" {name} ") };
        line.text(&name, role);
        line.text(" ", Role::Plain);
    }
    line
}

/// The folder; while it is typed, with a cursor that every terminal shows.
fn folder(model: &Model, form: &Form, width: usize) -> Cells {
    let look = model.look();
    let mut line = look.line();
    line.cell("Into", Role::Muted, LABEL);
    let room = width.saturating_sub(LABEL + 1);
    let (value, cursor) = (form.folder.value(), form.folder.cursor());
    if form.on != Field::Folder {
        line.id(value, Role::Strong, room);
        return line;
    }
    // What stands before the cursor is seen, from its end.
    let before: Vec<char> = value.chars().take(cursor).collect();
    let mut from = before.len();
    let mut used = 1;
    while from > 0 {
        used += look.width(&before[from - 1].to_string());
        if used > room {
            break;
        }
        from -= 1;
    }
    line.text(&before[from..].iter().collect::<String>(), Role::Strong);
    let mut rest = value.chars().skip(cursor);
    line.text(&rest.next().unwrap_or(' ').to_string(), Role::Selection);
    let room = (LABEL + room).saturating_sub(line.width());
    line.cell(&rest.collect::<String>(), Role::Strong, room);
    line
}
