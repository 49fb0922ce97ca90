//! The dashboard: a model, `update` and `view`.
//!
//! Both are pure. There is no clock, no I/O, no environment and no thread in this crate, and it depends on nothing
//! that has any: time comes in with each event, and what must be done goes out as [`Effect`]s. The model holds a
//! few screens of entries, so that a frame costs the same at ten entries and at ten million.

#![warn(missing_docs)]

mod beside;
mod browse;
mod choose;
mod command;
mod confirm;
mod contexts;
mod effect;
mod event;
mod evidence;
mod export;
mod form;
mod glyphs;
mod help;
mod history;
mod kept;
mod keys;
mod layout;
mod list;
mod marks;
mod messages;
mod model;
mod over;
mod overview;
mod paint;
mod pairs;
mod palette;
mod paste;
mod plan;
mod preview;
mod privacy;
mod repairs;
mod safe_text;
mod theme;
mod ticket;
mod update;
mod view;
mod words;

pub use beside::{Done, Lives, Pairing, Part, Refers};
pub use browse::{KeptColumn, Pointer, Press, Target};
pub use confirm::Confirmed;
pub use contexts::{ContextChoice, JournalPlace};
pub use effect::Effect;
pub use event::{Counts, Event, Level, Phase, Progress, ViewSpec, Window};
pub use export::{Export, ExportFormat};
pub use history::{HistoryOf, Recorded, RunDone, StepDone};
pub use kept::Kept;
pub use keys::{KeyLine, Keys, KeysError};
pub use layout::{SMALLEST, is_large_enough};
pub use marks::Marking;
pub use model::{Model, Names, Setup};
pub use overview::{News, Since, Spent};
pub use plan::{
    Answer, Candidate, Choosing, Draft, DraftKind, Guard, LAST_MOMENT, Left, Lifted, NotDone, Other, Outcome, Person,
    PlanLine, PlanRef, Request, Running, Sessions, Wish,
};
pub use privacy::masked;
pub use safe_text::{fitted, is_odd_text, safe_text};
pub use theme::{Theme, Tint};
pub use ticket::Found;
pub use update::update;
pub use view::{Regions, view};
