//! Draws the model. One view, one small file below this one.
//!
//! Never changes anything and never looks further than the window that the model holds: a frame costs the same at
//! ten entries and at ten million.

mod beside;
mod choose;
mod columns;
mod detail;
mod dialog;
mod empty;
mod entries;
mod evidence;
mod export;
mod fields;
mod foot;
mod head;
mod help;
mod history;
mod over;
mod overview;
mod pane;
mod preview;
mod progress;
mod question;
mod running;
mod sheet;
mod tabs;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use userlink_domain::{Group, PoolUser, Row};
use userlink_find::Column;
use userlink_link::Entry;

use crate::browse::Target;
use crate::keys::Place;
use crate::layout::{Layout, SMALLEST};
use crate::model::Model;
use crate::paint::draw_all;
use crate::privacy::is_hidden;
use crate::theme::Role;

/// What was drawn where, for the mouse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// The list.
    pub list: Rect,
    /// The entries on the screen, each with its place in the view.
    pub entries: Vec<(Rect, usize)>,
    /// The tabs, each with its group; `None` is all.
    pub tabs: Vec<(Rect, Option<Group>)>,
    /// The heads of the columns that can be sorted by.
    pub heads: Vec<(Rect, Column)>,
    /// What can be chosen on the page that lies on top, in its order; what is scrolled away stands nowhere.
    pub choices: Vec<Rect>,
    /// The entry in words.
    pub detail: Rect,
}

impl Regions {
    /// What stands at a place of the screen.
    pub fn hit(&self, column: u16, line: u16) -> Target {
        let at = Position { x: column, y: line };
        let choice = self.choices.iter().position(|place| place.contains(at)).map(Target::Choice);
        let entry = || self.entries.iter().find(|(place, _)| place.contains(at)).map(|(_, it)| Target::Entry(*it));
        let tab = || self.tabs.iter().find(|(place, _)| place.contains(at)).map(|(_, it)| Target::Tab(*it));
        let head = || self.heads.iter().find(|(place, _)| place.contains(at)).map(|(_, it)| Target::Head(*it));
        choice.or_else(entry).or_else(tab).or_else(head).unwrap_or(Target::Elsewhere)
    }
}

/// Draws the model, and says what stands where.
pub fn view(model: &Model, frame: &mut Frame<'_>) -> Regions {
    let regions = draw(model, frame);
    model.setup.theme.ground(frame.buffer_mut());
    regions
}

fn draw(model: &Model, frame: &mut Frame<'_>) -> Regions {
    let mut regions = Regions::default();
    let area = frame.area();
    let layout = model.layout().filter(|layout| layout.keys.bottom() <= area.height && layout.keys.width <= area.width);
    let Some(layout) = layout else {
        too_small(model, frame);
        return regions;
    };
    head::draw(model, frame, &layout);
    if model.is_overview() {
        overview::draw(model, frame, &layout, &mut regions);
    } else {
        tabs::draw(model, frame, &layout, &mut regions);
        progress::draw(model, frame, layout.progress);
        if model.opened.is_some() {
            fields::draw(model, frame, &layout);
        } else {
            entries::draw(model, frame, &layout, &mut regions);
            detail::draw(model, frame, &layout);
            regions.detail = layout.detail;
        }
    }
    foot::draw(model, frame, &layout);
    if model.evidence.is_some() {
        evidence::draw(model, frame, &layout);
    }
    if let Some(page) = model.history.last() {
        history::draw(model, frame, &layout, page, &mut regions);
    }
    question::draw(model, frame, &layout, &mut regions);
    if model.browse.choosing.is_some() {
        columns::draw(model, frame, &layout, &mut regions);
    }
    over::draw(model, frame, &layout, &mut regions);
    let help_on_top = model.is_help_on_top();
    if model.help.is_some() && !help_on_top {
        help::draw(model, frame, &layout);
    }
    if model.leaving.is_some() {
        question::draw_leaving(model, frame, &layout);
    }
    if help_on_top {
        help::draw(model, frame, &layout);
    }
    regions
}

/// How far a page can be scrolled.
pub(crate) fn furthest(model: &Model, place: Place) -> usize {
    let Some(layout) = model.layout() else { return 0 };
    match place {
        Place::Entry => fields::furthest(model, &layout),
        Place::Help => help::furthest(model, &layout),
        Place::Messages | Place::Log => over::furthest(model, place, &layout),
        Place::Choose | Place::Preview | Place::Result => question::furthest(model, &layout),
        Place::History | Place::HistoryFilter => crate::history::furthest(model),
        Place::Evidence => evidence::furthest(model, &layout),
        _ => 0,
    }
}

/// What a person calls an entry: its first user, or its first row.
pub(crate) fn title(entry: &Entry) -> String {
    let user = entry.users.first().map(user_name);
    user.or_else(|| entry.rows.first().map(row_name)).unwrap_or_else(|| "an empty entry".to_owned())
}

/// What a person calls a user: the e-mail, and for a profile at another provider its username.
pub(crate) fn user_name(user: &PoolUser) -> String {
    let email = user.email.as_deref().filter(|email| !email.trim().is_empty() && !user.is_federated());
    // Of whom neither address nor name may be seen, the sub still tells one from another.
    let hidden = email.is_some_and(is_hidden) || (email.is_none() && is_hidden(user.username.as_str()));
    if hidden {
        return user.sub.to_string();
    }
    email.unwrap_or(user.username.as_str()).to_owned()
}

fn row_name(row: &Row) -> String {
    let email = row.email.as_deref().filter(|email| !email.trim().is_empty());
    let seen = email.filter(|email| !is_hidden(email));
    seen.map_or_else(|| format!("row {}", row.id), str::to_owned)
}

fn too_small(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let (width, height) = SMALLEST;
    let text = format!(
        "userlink needs {width} columns and {height} lines. This terminal has {} and {}.",
        area.width, area.height
    );
    let mut lines = model.look().wrap(&text, Role::Plain, usize::from(area.width));
    let setup = &model.setup;
    let production = if setup.production { " (PRODUCTION)" } else { "" };
    let role = if setup.production { Role::Danger } else { Role::Muted };
    lines.extend(model.look().wrap(&format!("{}{production}", setup.context), role, usize::from(area.width)));
    draw_all(lines, 0, frame, area);
}

/// Whether a pane is below: it takes everything under the top line.
fn is_pane(model: &Model) -> bool {
    !model.history.is_empty() || question::is_pane(&model.repairing)
}

/// The area of a page that lies over the screen: all that is below the line on the scan, or the whole of a pane.
fn page(model: &Model, layout: &Layout) -> Rect {
    if is_pane(model) {
        pane::area(layout)
    } else if model.is_overview() {
        overview::area(layout)
    } else {
        layout.body
    }
}

/// Where the lines `from..to` of a page stand in an area, of which so many are left out at the top.
fn lines_on(area: Rect, skip: usize, from: usize, to: usize) -> Rect {
    let line = |at: usize| u16::try_from(at.saturating_sub(skip)).unwrap_or(u16::MAX).min(area.height);
    let (from, to) = (line(from), line(to));
    Rect { y: area.y + from, height: to - from, ..area }
}

/// How many are marked, for the title of a page that has the line with it below.
fn marked_on_page(model: &Model) -> Option<String> {
    if is_pane(model) { progress::marks(model) } else { None }
}
