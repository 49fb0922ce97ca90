//! What the dashboard asks of the runtime. It does nothing itself.

use userlink_domain::RecordRef;
use userlink_link::Entry;

use crate::confirm::Confirmed;
use crate::event::ViewSpec;
use crate::export::Export;
use crate::history::HistoryOf;
use crate::marks::Marking;
use crate::plan::{PlanRef, Request};

/// One thing to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Give the entries `first..first + len` of a view, and say where the anchor's entry stands in it. The answer
    /// may begin elsewhere where the anchor has moved; only the answer to the newest generation is of use.
    Window {
        /// Comes back with the answer.
        generation: u64,
        /// Of which view.
        spec: ViewSpec,
        /// The place of the first entry wanted.
        first: usize,
        /// How many entries are wanted.
        len: usize,
        /// The record under the cursor.
        anchor: Option<RecordRef>,
    },
    /// Explain the entry of a record. Only the newest is of use.
    Explain(RecordRef),
    /// Give the entry of a record as it is now. Only the newest is of use.
    Entry(RecordRef),
    /// Say whether a record is there.
    Locate(RecordRef),
    /// Mark entries, or not any more, and say how many are marked.
    Mark(Marking),
    /// Make a plan, read afresh as far as it is small, freeze it, and say what it would do. Only the newest is of use.
    Plan(Request),
    /// Give the lines `first..first + len` of the plan that was made last.
    PlanLines {
        /// Of which plan.
        plan: PlanRef,
        /// The first line wanted.
        first: usize,
        /// How many are wanted.
        len: usize,
    },
    /// Do exactly this, verify it by reading it back, and say what came of it.
    Apply(Confirmed),
    /// Begin no further step of what is being applied.
    Stop,
    /// Say what the journal has.
    History(HistoryOf),
    /// Dismiss the entry of a record for a reason; without one, take it up again.
    Dismiss {
        /// Whose entry.
        of: RecordRef,
        /// Why.
        reason: Option<String>,
    },
    /// Look this up in pool and table at once: an e-mail, a sub, a username or a row's id.
    LookUp(String),
    /// Find out what stands beside an entry: pairs, references, history, tokens.
    LookBeside {
        /// The record by which it was opened.
        of: RecordRef,
        /// As it was last seen.
        entry: Entry,
    },
    /// Give this to the terminal's clipboard. It holds nothing but what can be seen.
    Copy(String),
    /// Scan again.
    Refresh,
    /// Give the program's own log.
    Log,
    /// Write what is shown into a file, beside all else, and say how far it is and how it ends.
    Export(Export),
    /// Open another context of the settings, and show it in the place of this one. A write under way is finished first.
    Turn(String),
    /// Look at once for what the scan waits for.
    GoOn,
    /// Hear of the mouse from here on, or leave it to the terminal.
    Mouse(bool),
    /// Leave. A write under way is finished first.
    Quit,
    /// Stop as Ctrl-Z stops a program.
    Suspend,
}
