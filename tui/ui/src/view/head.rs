//! The top line: which pool, which table, production or not, read-only or not. And what must be known before all.
//!
//! The right half is never cut: a person must not have to look for it.

use ratatui::Frame;

use crate::contexts::JournalPlace;
use crate::layout::Layout;
use crate::model::Model;
use crate::theme::{Role, Tint};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, layout: &Layout) {
    let (look, setup) = (model.look(), &model.setup);
    let width = usize::from(layout.header.width);
    let wanted = [&setup.context, &setup.pool, &setup.table].map(|name| look.width(name));
    let ties = format!(" {} ", look.glyphs.ties);
    let between = look.width(&ties) + 6;
    let names = wanted.iter().sum::<usize>() + between;
    let mut right = look.line();
    if setup.production {
        right.text(" PRODUCTION ", Role::Badge(Some(setup.tint.unwrap_or(Tint::Red))));
    } else {
        right.text("not production", Role::Muted);
    }
    right.text(&format!(" {} ", look.glyphs.dot), Role::Muted);
    if setup.read_only {
        right.text("READ-ONLY ", Role::Calm);
    } else {
        right.text("CAN WRITE ", Role::Attention);
        let journal = model.journal.map(|journal| match journal {
            JournalPlace::Shared => ("shared journal ", Role::Muted),
            JournalPlace::Local => ("local journal ", Role::Attention),
        });
        // It gives way to names, and to nothing else.
        let has_room = |words: &str| names + right.width() + look.width(words) + 3 <= width;
        if let Some((words, role)) = journal.filter(|(words, _)| has_room(words)) {
            right.text(&format!("{} ", look.glyphs.dot), Role::Muted);
            right.text(words, role);
        }
    }

    let mut line = look.line();
    let program = " userlink  ";
    let fits = program.len() + names + right.width() <= width;
    line.text(if fits { program } else { " " }, Role::Muted);
    let room = width.saturating_sub(line.width() + between + right.width());
    let [context, pool, table] = share(wanted, room);
    let badge = Role::Badge(Some(setup.tint.unwrap_or_else(|| Tint::of(&setup.context))));
    line.text(" ", badge);
    line.id(&setup.context, badge, context);
    line.text(" ", badge);
    line.text("  ", Role::Plain);
    line.id(&setup.pool, Role::Plain, pool);
    line.text(&ties, Role::Muted);
    line.id(&setup.table, Role::Plain, table);
    line.to(width.saturating_sub(right.width()));
    line.append(right);
    line.draw(frame, layout.header, layout.header.y);

    if model.notice() {
        let mut line = look.line();
        let clients = model.progress.as_ref().map(|progress| progress.writable_by.join(", ")).unwrap_or_default();
        let text = format!(" Users can write {} themselves: alone it proves nothing. ({clients})", model.names.user_id);
        line.cell(&text, Role::Danger, width);
        line.draw(frame, layout.notice, layout.notice.y);
    }
}

/// Cuts the widest until all of them fit.
fn share(mut widths: [usize; 3], room: usize) -> [usize; 3] {
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max() else { break };
        *widest = widest.saturating_sub(1);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_widest_gives_way() {
        assert_eq!(share([4, 20, 9], 100), [4, 20, 9]);
        assert_eq!(share([4, 20, 9], 23), [4, 10, 9]);
        assert_eq!(share([4, 20, 9], 0), [0, 0, 0]);
    }
}
