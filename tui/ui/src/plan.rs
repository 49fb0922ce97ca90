//! Plans as the dashboard knows them: what one is wanted for, how it looks before anything is written, and what came of it.
//!
//! Data only. The plan itself lies with the runtime; here is a glance at it and a window of its lines, whatever its size.

use userlink_domain::{Choice, Pair, PoolUser, RecordRef, Row, Situation, Step, Sub};
use userlink_link::Entry;

/// What is to be known wherever the pool is written.
pub const LAST_MOMENT: &str = "Cognito has no conditional write: a change just before ours is lost.";

/// What a plan is to be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The marked entries.
    Marked,
    /// The entry of a record.
    Entry(RecordRef),
    /// Keep a user from what is not theirs.
    Contain {
        /// Whose id is cleared, and whose sessions are ended.
        user: Sub,
        /// Whether nobody signs in as that user any more.
        disable: bool,
        /// Why.
        reason: String,
    },
    /// Take back a run, or one step of it.
    Undo {
        /// Its name in the journal.
        run: String,
        /// Only this one.
        step: Option<i64>,
    },
    /// What was not done by the run before.
    Again,
    /// End the sessions of those whose id the run before has changed.
    SignOut,
}

/// A wish, and what was said to it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Comes back with the answer; only the answer to the newest is of use.
    pub number: u64,
    /// What for.
    pub wish: Wish,
    /// What a person chose, entry by entry.
    pub choices: Vec<Choice>,
    /// Entries that a person left out.
    pub passed_over: Vec<RecordRef>,
    /// Leave out whatever would still have to be chosen for.
    pub leave_the_rest: bool,
    /// Show the candidates even where one is recommended.
    pub choose: bool,
    /// Sign out whoever had another id.
    pub sign_out: bool,
    /// Guards that a person lifted.
    pub lifted: Lifted,
}

impl Request {
    /// A wish to which nothing was said yet.
    pub fn new(wish: Wish) -> Self {
        Self {
            number: 0,
            wish,
            choices: Vec::new(),
            passed_over: Vec::new(),
            leave_the_rest: false,
            choose: false,
            sign_out: false,
            lifted: Lifted::default(),
        }
    }
}

/// Guards that stop a plan until a person says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifted {
    /// More users than pass without a word.
    pub threshold: bool,
    /// No users, or no rows.
    pub empty_side: bool,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Frozen, tried in memory, and not yet applied.
    Draft(Box<Draft>),
    /// A person has to choose first.
    Choose(Box<Choosing>),
    /// A person has to say why first.
    Reason {
        /// The entry that it is about.
        of: RecordRef,
        /// What wants a reason.
        text: String,
    },
    /// A guard stops it, and a person may lift it.
    Guarded {
        /// What it saw.
        text: String,
        /// What lifting it is.
        lifts: Lifted,
    },
    /// There is no plan.
    Refused(String),
}

/// The name of a frozen plan: the digest of all that is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanRef(pub String);

/// What kind of plan it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DraftKind {
    /// In the end both pointers of every pair agree.
    #[default]
    Repair,
    /// Keeps a person from what is not theirs.
    Contain,
    /// Takes back a run.
    Undo(String),
    /// Ends sessions.
    SignOut,
}

/// A frozen plan at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Which one.
    pub plan: PlanRef,
    /// Of which kind.
    pub kind: DraftKind,
    /// Of whom or of how many it is, for a title.
    pub title: String,
    /// Entries that it repairs.
    pub entries: u64,
    /// Users whose attribute, sessions or row change.
    pub users: u64,
    /// Rows that change or are inserted.
    pub rows: u64,
    /// All steps.
    pub steps: u64,
    /// Requests of the quota UserUpdate.
    pub updates: u64,
    /// Requests of the quota UserRead.
    pub reads: u64,
    /// At the chosen rate, if nothing is refused.
    pub seconds: f64,
    /// Writes to the pool a second.
    pub rate: f64,
    /// The share of UserUpdate that is left to the application meanwhile, from 0 to 1.
    pub left: f64,
    /// Users who become monthly active by it.
    pub active: u64,
    /// What that costs at most, in US dollars.
    pub price: f64,
    /// What one of them costs, and where that is from.
    pub price_of: String,
    /// Rows that are inserted, and stay.
    pub inserts: u64,
    /// Users who are signed out, and stay so.
    pub sign_outs: u64,
    /// Whose tokens carry a value that changes.
    pub sessions: Option<Sessions>,
    /// Each with what it saw.
    pub guards: Vec<Guard>,
    /// What should be known before it is confirmed.
    pub notes: Vec<String>,
    /// What of the selection is not in it, and how many.
    pub left_out: Vec<(String, u64)>,
    /// What each person will see; only where somebody may lose something.
    pub people: Vec<Person>,
    /// How many lines it has.
    pub lines: usize,
    /// The first of them.
    pub first: Vec<PlanLine>,
    /// Whether it says why, where that must be said.
    pub reason: Option<String>,
    /// Whether a reason must be given.
    pub wants_reason: bool,
    /// What has to be typed, in production.
    pub type_name: Option<String>,
    /// Whether other candidates can be chosen.
    pub can_choose: bool,
}

/// Users who had another id before, and may be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// How many.
    pub users: u64,
    /// Whether they are signed out.
    pub signed_out: bool,
    /// For how long a token may still carry the old id.
    pub tokens: String,
}

/// A guard, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// What it guards.
    pub name: String,
    /// In a few words.
    pub seen: String,
    /// Whether there is nothing to mind.
    pub holds: bool,
}

/// Somebody whom a plan is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As a person calls them.
    pub name: String,
    /// What they see today.
    pub before: String,
    /// And what afterwards.
    pub after: String,
}

/// A line of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanLine {
    /// A write, with what must be there before and what is there afterwards.
    Step {
        /// Whom or what it is about, as a person calls them.
        of: String,
        /// What is written.
        step: Step,
        /// Whether it cannot be taken back.
        last: bool,
        /// What its user, or its row, will be.
        afterwards: Option<Situation>,
    },
    /// A record whose situation changes without being written.
    Turn {
        /// A user, or a row.
        user: bool,
        /// As a person calls it.
        name: String,
        /// What it is.
        before: Option<Situation>,
        /// What it will be.
        after: Option<Situation>,
        /// Whether the plan names it.
        named: bool,
    },
    /// Something to know of the entry above.
    Note(String),
}

/// An entry for which a person chooses, and from what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choosing {
    /// A record of it.
    pub of: RecordRef,
    /// As it is now.
    pub entry: Entry,
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// What is recommended, and why.
    pub recommended: Option<(Vec<Pair>, String)>,
    /// How many entries have to be chosen for, this one among them.
    pub left: u64,
}

/// A pair that could be made, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who gets what.
    pub pair: Pair,
    /// Who gets it.
    pub user: PoolUser,
    /// The row, where there is one already.
    pub row: Option<Row>,
    /// What the user sees afterwards.
    pub sees: String,
    /// Who has the row today, if that is somebody else.
    pub owner: Option<PoolUser>,
    /// What is left to the owner, where that follows.
    pub leaves: Option<Left>,
    /// Who else may be meant, where nobody has the row.
    pub other: Option<Other>,
    /// What speaks for it.
    pub why: Vec<String>,
    /// What speaks against it.
    pub why_not: Vec<String>,
    /// What refers to the row in other tables: "orders 14".
    pub references: Vec<String>,
}

/// What is left to the one who has a row that somebody else gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The owner, and another row of theirs or none.
    pub pair: Pair,
    /// What the owner sees afterwards.
    pub sees: String,
}

/// Somebody else who may be meant by a row that nobody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The first of them.
    pub user: PoolUser,
    /// Whether the user's id names the row.
    pub names_it: bool,
    /// How many more there are.
    pub more: usize,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Running {
    /// Steps that have ended.
    pub made: u64,
    /// All steps.
    pub total: u64,
    /// Of those that have ended, the ones that were not done.
    pub not_done: u64,
    /// Steps a second.
    pub per_second: f64,
    /// Seconds.
    pub seconds_left: Option<u64>,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What kind of plan it was.
    pub kind: DraftKind,
    /// Its name in the journal.
    pub run: String,
    /// How many steps ended how, in words; none that nobody came to.
    pub counts: Vec<(String, u64)>,
    /// Whether every step of the plan has been done by now.
    pub complete: bool,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// Whether anything was done that could be taken back.
    pub undoable: bool,
    /// What was not done, the first few hundred.
    pub not_done: Vec<NotDone>,
    /// How many were not done in all.
    pub not_done_in_all: u64,
    /// For a single step: what happened.
    pub words: Vec<String>,
    /// Who had another id, where somebody was not signed out.
    pub sessions: Option<Sessions>,
    /// Whether the plan was to sign out whoever had another id.
    pub signs_out: bool,
}

/// A step that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDone {
    /// Its place in the plan.
    pub number: i64,
    /// What it was about.
    pub step: Step,
    /// `stale`, `failed`, …
    pub ended: String,
    /// Why.
    pub words: String,
}
