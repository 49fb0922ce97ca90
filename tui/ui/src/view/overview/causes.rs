//! Why it looks like this: incidents and causes in sentences, and what is said where there are none.

use userlink_domain::Group;

use super::{Line, rule};
use crate::event::Phase;
use crate::model::Model;
use crate::overview::Item;
use crate::paint::{Cells, Look};
use crate::theme::Role;
use crate::words::thousands;

/// Lines that a cause takes at most where not all of them have room. The selected one is always whole.
const FEW: usize = 4;
/// Columns before a sentence: the bar of the cursor, the number, blanks.
const BEFORE: usize = 5;

/// A title, and the lines for so many of the screen.
pub(super) fn lines(model: &Model, items: &[Item<'_>], on: usize, width: usize, room: usize) -> Vec<Line> {
    let look = model.look();
    let mut lines = vec![(None, rule(look, "Why it looks like this", "", width))];
    let causes: Vec<(usize, Item<'_>)> =
        items.iter().copied().enumerate().filter(|(_, item)| item.is_cause()).collect();
    if causes.is_empty() {
        lines.extend(look.wrap(&nothing(model), Role::Muted, width.saturating_sub(3)).into_iter().map(|body| {
            let mut line = look.line();
            line.to(2);
            line.append(body);
            (None, line)
        }));
        return lines;
    }
    let blocks = |most: usize| -> Vec<Vec<Line>> {
        let block = |(number, (at, item)): (usize, &(usize, Item<'_>))| {
            let most = if *at == on { usize::MAX } else { most };
            let block = block(look, number + 1, *item, *at == on, width, most);
            block.into_iter().map(|line| (Some(*at), line)).collect()
        };
        causes.iter().enumerate().map(block).collect()
    };
    let whole = blocks(usize::MAX);
    let count = whole.iter().map(Vec::len).sum::<usize>();
    let (whole, gaps) = match room.saturating_sub(1) {
        room if count + whole.len() <= room + 1 => (whole, true),
        room if count <= room => (whole, false),
        _ => (blocks(FEW), false),
    };
    for (at, block) in whole.into_iter().enumerate() {
        if gaps && at > 0 {
            lines.push((None, look.line()));
        }
        lines.extend(block);
    }
    lines
}

fn block(look: Look, number: usize, item: Item<'_>, selected: bool, width: usize, most: usize) -> Vec<Cells> {
    let (what, meaning, role) = match item {
        Item::Incident(incident) => {
            let what = format!("One incident: {} {}.", thousands(incident.count), incident.words);
            (what, incident.proposal.to_owned(), Role::Danger)
        }
        Item::Cause(cause) => (cause.what.clone(), cause.meaning.clone(), Role::Strong),
        Item::Group(_) | Item::Situation(_) | Item::Flag(_) => return Vec::new(),
    };
    let room = width.saturating_sub(BEFORE + 1);
    let mut bodies = look.wrap(&what, role, room);
    let beside = bodies.last().map_or(room, Cells::width) + 1 + look.width(&meaning);
    let behind = look.wrap(&meaning, Role::Plain, room);
    match bodies.last_mut() {
        Some(last) if !meaning.is_empty() && beside <= room => {
            last.text(" ", Role::Plain);
            last.text(&meaning, Role::Plain);
        }
        _ if !meaning.is_empty() => bodies.extend(behind),
        _ => {}
    }
    if bodies.len() > most {
        bodies.truncate(most);
        bodies.iter_mut().skip(most - 1).for_each(|last| last.text(look.glyphs.more, Role::Muted));
    }
    let mut lines = Vec::new();
    for (at, body) in bodies.into_iter().enumerate() {
        let mut line = look.line();
        let bar = selected && at == 0;
        line.text(if bar { look.glyphs.bar } else { " " }, Role::Accent);
        if bar {
            line.select();
        }
        let label = if at == 0 { format!("{number:>2} ") } else { "   ".to_owned() };
        line.text(&label, Role::Muted);
        line.to(BEFORE);
        line.append(body);
        lines.push(line);
    }
    lines
}

/// What stands where there is no cause.
fn nothing(model: &Model) -> String {
    let more = model.look().glyphs.more;
    let wrong = [Group::Unlinked, Group::Duplicate, Group::Conflict, Group::Orphan];
    let wrong: u64 = wrong.into_iter().map(|group| model.counts.of(Some(group))).sum();
    match (model.phase(), &model.overview.causes) {
        (Phase::Connecting | Phase::Reading | Phase::Paused, None) => {
            "Causes are told when both sides have been read: what sets entries apart is known only then.".to_owned()
        }
        (Phase::Failed, None) => "The scan stopped before its end: causes are told of a whole one.".to_owned(),
        (Phase::Complete, None) => format!("Looking what the entries have in common{more}"),
        (_, Some(_)) if wrong == 0 => "Nothing to explain: everybody who should be linked is.".to_owned(),
        (_, Some(_)) => {
            "No cause stands out: by time, status and provider these entries are like all the others.".to_owned()
        }
    }
}
