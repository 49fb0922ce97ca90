//! The block of evidence, as it is about to be copied.

use ratatui::Frame;

use super::dialog::{Dialog, inner_height, inner_width};
use crate::evidence::{LABEL, lines};
use crate::layout::Layout;
use crate::model::Model;
use crate::paint::Cells;
use crate::theme::Role;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let Some(showing) = model.evidence else { return };
    let dialog = Dialog {
        title: "Copy as evidence",
        title_role: Role::Strong,
        aside: if showing.whole { "with personal data" } else { "without personal data" },
        lines: body(model, layout),
        skip: showing.scroll,
        choices: &["Without personal data", "With it"],
        marked: usize::from(showing.whole),
    };
    dialog.draw(model.look(), frame, layout);
}

pub(super) fn furthest(model: &Model, layout: &Layout) -> usize {
    body(model, layout).len().saturating_sub(inner_height(layout))
}

/// What is on the screen stays hidden while it is masked, whatever is copied.
fn body(model: &Model, layout: &Layout) -> Vec<Cells> {
    let Some(showing) = model.evidence else { return Vec::new() };
    let look = model.look();
    let block = lines(model, showing.whole && !model.is_masked());
    let width = inner_width(layout);
    let lines = block.iter().flat_map(|text| {
        // What is too long for the box goes on below the value that it belongs to.
        let label = text.char_indices().nth(LABEL).map_or(0, |(at, _)| at);
        let (label, value) = if text.starts_with("userlink") { ("", &**text) } else { text.split_at(label) };
        let indent = look.width(label);
        look.wrap(value, Role::Plain, width.saturating_sub(indent)).into_iter().enumerate().map(move |(at, body)| {
            let mut line = look.line();
            line.text(if at == 0 { label } else { "" }, Role::Muted);
            line.to(indent);
            line.append(body);
            line
        })
    });
    lines.collect()
}
