//! What stands where there are no entries: why there are none, and what to do.

use ratatui::Frame;
use ratatui::layout::Rect;
use userlink_domain::Group;

use crate::event::Phase;
use crate::keys::Command;
use crate::model::Model;
use crate::paint::draw_all;
use crate::theme::Role;
use crate::words::{ago, short};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (first, second) = words(model);
    let room = Rect { x: area.x + 3, width: area.width.saturating_sub(4), ..area };
    let look = model.look();
    let mut lines = look.wrap(&first, Role::Plain, usize::from(room.width));
    lines.extend(look.wrap(&second, Role::Muted, usize::from(room.width)));
    let above = usize::from(area.height / 4).min(2);
    let room = Rect { y: area.y + above as u16, height: area.height - above as u16, ..room };
    draw_all(lines, 0, frame, room);
}

fn words(model: &Model) -> (String, String) {
    let spec = &model.list.spec;
    let filter = spec.filter.trim();
    let shown = model.looked_for(filter);
    let more = model.look().glyphs.more;
    let Some(progress) = &model.progress else {
        return (format!("Reading the pool{more}"), "Entries appear here as they are found.".to_owned());
    };
    if !model.list.is_of_the_whole() {
        let first = if progress.users + progress.rows == 0 { "Reading the pool" } else { "Looking" };
        return (format!("{first}{more}"), "Entries appear here as they are found.".to_owned());
    }
    if !filter.is_empty() {
        let group = spec.group.map(|group| format!(" {}", group.name())).unwrap_or_default();
        return (
            format!("Nothing{group} matches \u{201C}{shown}\u{201D} in {}.", covered(model)),
            "Esc clears the filter.".to_owned(),
        );
    }
    let none = match spec.group {
        None => "No entries",
        Some(Group::Unlinked) => "Nobody is unlinked",
        Some(Group::Duplicate) => "No duplicates",
        Some(Group::Conflict) => "No conflicts",
        Some(Group::Orphan) => "No orphaned rows",
        Some(Group::Expected) => "Nobody is expected to be without a row",
        Some(Group::Linked) => "Nobody is linked",
        Some(Group::Unsettled) => "Nothing is unsettled",
    };
    let scan = model.keys.key_of(Command::Scan);
    match progress.phase {
        Phase::Connecting => (format!("Connecting{more}"), "Entries appear here as they are found.".to_owned()),
        Phase::Reading | Phase::Paused if progress.shown_from.is_some() => {
            (format!("{none} in {}.", covered(model)), "The pool and the table are being read anew.".to_owned())
        }
        Phase::Reading | Phase::Paused => {
            (format!("{none} so far, in {}.", covered(model)), "More appears here as it is found.".to_owned())
        }
        Phase::Complete => {
            let when = progress.finished_at.map(|at| format!(", {}", ago(at, model.now))).unwrap_or_default();
            (format!("{none}."), format!("The last scan read everything{when}. {scan} scans again."))
        }
        Phase::Failed => {
            (format!("{none} in {}.", covered(model)), format!("The scan stopped before its end. {scan} scans again."))
        }
    }
}

/// How much has been searched: `the 340k of about 1.0M users read so far`.
pub(super) fn covered(model: &Model) -> String {
    let Some(progress) = &model.progress else { return "what was read".to_owned() };
    if let Some(at) = progress.shown_from {
        return format!("everything of the scan of {}", ago(at, model.now));
    }
    let users = short(progress.users);
    match (progress.phase, progress.users_about) {
        (Phase::Complete, _) => "everything".to_owned(),
        (_, Some(about)) if !progress.users_done => {
            format!("{users} of about {} users", short(about.max(progress.users)))
        }
        _ => format!("{users} users and {} rows", short(progress.rows)),
    }
}
