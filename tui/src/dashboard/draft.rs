//! A frozen plan as a person looks at it: at a glance, and a window of its lines.

use std::collections::HashMap;

use userlink_domain::{Mate, PoolUser, RecordRef, Situation, Step, Sub};
use userlink_link::Linker;
use userlink_pool::Writable;
use userlink_repair::{
    After, Here, Kind, LIST_PRICE, LIST_PRICE_OF, Plan, PlannedEntry, Preview, guards, had_another_id, is_final,
};
use userlink_ui::{Draft, DraftKind, Guard, Person, PlanLine, PlanRef, Request, Sessions, Wish};

use super::choosing::user_of;
use crate::cli::MAX_AGE_HOURS;
use crate::clock;
use crate::start::Opened;

/// So many lines are seen without being asked for.
const AT_A_GLANCE: usize = 10;
/// So many lines come with the plan itself.
const FIRST: usize = 100;

/// What is given to whoever gets no row that is there.
const NEW_ROW: &str = "a new row";

/// A plan, and where its lines begin: first those of what each entry names, then what else changes through each.
pub(super) struct Drafted {
    pub(super) plan: Plan,
    /// The first line of each entry, once for either part, and behind them the number of all.
    begins: Vec<usize>,
    /// How many records change that the plan does not name.
    unnamed: usize,
}

impl Drafted {
    pub(super) fn new(plan: Plan) -> Self {
        let mut begins = vec![0];
        let mut go_on = |len: usize| begins.push(begins.last().copied().unwrap_or_default() + len);
        plan.entries.iter().for_each(|entry| go_on(entry.steps.len() + unwritten(entry).count()));
        let unnamed_of = plan.entries.iter().map(|entry| unnamed(entry).count());
        let unnamed = unnamed_of.inspect(|len| go_on(*len)).sum();
        Self { plan, begins, unnamed }
    }

    pub(super) fn name(&self) -> PlanRef {
        PlanRef(self.plan.digest.clone())
    }

    fn count(&self) -> usize {
        self.begins.last().copied().unwrap_or_default()
    }

    /// Lines of the plan, with people called as they are known.
    pub(super) fn lines(&self, linker: &Linker, first: usize, len: usize) -> Vec<PlanLine> {
        let at = self.begins.partition_point(|begin| *begin <= first).saturating_sub(1);
        let skip = first - self.begins.get(at).copied().unwrap_or(first);
        let named = self.plan.entries.iter().map(|entry| (entry, true));
        let parts = named.chain(self.plan.entries.iter().map(|entry| (entry, false))).skip(at);
        let lines =
            parts.flat_map(|(entry, named)| if named { lines_of(linker, entry) } else { unnamed(entry).collect() });
        lines.skip(skip).take(len).collect()
    }
}

/// Lines of an entry besides its steps: whom it names and writes nothing of, and what else is to be known.
fn unwritten(entry: &PlannedEntry) -> impl Iterator<Item = PlanLine> + '_ {
    let written = |name: &str| entry.pairs.iter().any(|pair| pair.username == name && has_step(entry, &pair.sub));
    let turns = entry.after.iter().filter(move |after| after.named && after.kind == "user" && !written(&after.name));
    let emails = (!entry.rows_with_email.is_empty())
        .then(|| PlanLine::Note(format!("Rows with the same e-mail are there: {}", entry.rows_with_email.join(", "))));
    turns.map(turn).chain(emails)
}

/// What changes through an entry without being named by the plan.
fn unnamed(entry: &PlannedEntry) -> impl Iterator<Item = PlanLine> + '_ {
    entry.after.iter().filter(|after| !after.named).map(turn)
}

fn turn(after: &After) -> PlanLine {
    let parse = |name: &Option<String>| name.as_deref().and_then(Situation::parse);
    PlanLine::Turn {
        user: after.kind == "user",
        name: after.name.clone(),
        before: parse(&after.before),
        after: parse(&after.after),
        named: after.named,
    }
}

fn has_step(entry: &PlannedEntry, sub: &str) -> bool {
    entry.steps.iter().any(|step| step.sub.as_deref() == Some(sub))
}

fn lines_of(linker: &Linker, entry: &PlannedEntry) -> Vec<PlanLine> {
    let after: HashMap<(&str, &str), Situation> = entry
        .after
        .iter()
        .filter_map(|after| Some(((&*after.kind, &*after.name), Situation::parse(after.after.as_deref()?)?)))
        .collect();
    let mut lines: Vec<PlanLine> = Vec::with_capacity(entry.steps.len());
    for planned in &entry.steps {
        let sub = planned.sub.as_deref();
        let pair = entry.pairs.iter().find(|pair| Some(&*pair.sub) == sub);
        let of_user = pair.and_then(|pair| after.get(&("user", &*pair.username)));
        let (of, then) = match &planned.step {
            Step::WriteSub { row, .. } | Step::ClearSub { row, .. } => {
                (format!("row {row}"), after.get(&("row", &**row)).or(of_user))
            }
            _ => (called(linker, sub, pair.map(|pair| &*pair.username)), of_user),
        };
        let (step, last) = (planned.step.clone(), is_final(&planned.step));
        lines.push(PlanLine::Step { of, step, last, afterwards: then.copied() });
    }
    lines.extend(unwritten(entry));
    lines
}

/// As a person calls a user: by the e-mail where there is one, else by the username.
fn called(linker: &Linker, sub: Option<&str>, username: Option<&str>) -> String {
    let user = sub.and_then(Sub::parse).and_then(|sub| user_of(linker, sub));
    let email =
        user.filter(|user| !user.is_federated()).and_then(|user| user.email).filter(|email| !email.trim().is_empty());
    email.map(String::from).or_else(|| username.map(str::to_owned)).unwrap_or_else(|| "a user".to_owned())
}

/// What has to be known of where it would be applied.
pub(super) struct Place<'a> {
    pub(super) opened: &'a Opened,
    pub(super) shared_journal: bool,
    pub(super) tokens: Option<String>,
}

/// The plan at a glance.
pub(super) fn draft(
    drafted: &Drafted,
    place: &Place<'_>,
    request: &Request,
    (left_out, can_choose): (Vec<(String, u64)>, bool),
    (linker, writable): (&Linker, Option<&Writable>),
) -> Draft {
    let (plan, context) = (&drafted.plan, &place.opened.context);
    let rate = context.pool.rates.update;
    let each = context.price.unwrap_or(LIST_PRICE);
    let of = Preview::of(plan, rate, each);
    let writable_by = match writable {
        Some(Writable::No) => Some(Vec::new()),
        Some(Writable::By(clients)) => Some(clients.clone()),
        Some(Writable::Unknown(_)) | None => None,
    };
    let here = Here {
        now: clock::now(),
        production: context.production.then(|| context.name.clone()),
        shared_journal: place.shared_journal,
        writable_by,
        max_age_hours: MAX_AGE_HOURS,
    };
    let seen = guards(plan, &context.limits, &here);
    let guards =
        seen.into_iter().map(|it| Guard { name: it.name.to_owned(), seen: it.seen, holds: it.holds }).collect();
    let count = |wanted: fn(&Step) -> bool| plan.steps().filter(|planned| wanted(&planned.step)).count() as u64;
    let sign_outs = count(|step| matches!(step, Step::SignOut { .. }));
    let inserts = count(|step| matches!(step, Step::InsertRow { .. }));
    let kind = match (&plan.kind, &request.wish) {
        (Kind::Contain, Wish::SignOut | Wish::Again) if plan.steps().count() as u64 == sign_outs => DraftKind::SignOut,
        (Kind::Undo { run }, _) => DraftKind::Undo(run.clone()),
        (Kind::Contain, _) => DraftKind::Contain,
        (Kind::Repair, _) => DraftKind::Repair,
    };
    let changed = had_another_id(plan).len() as u64;
    let sessions = place.tokens.clone().filter(|_| changed > 0).map(|tokens| Sessions {
        users: changed,
        signed_out: sign_outs > 0,
        tokens,
    });
    // Whoever is contained is signed out anyway.
    let sessions = sessions.filter(|_| plan.kind != Kind::Contain || sign_outs > 0);
    let alone = plan.entries.len() == 1;
    let reason = plan.entries.iter().find_map(|entry| entry.reason.clone());
    let moves = kind == DraftKind::Repair && plan.steps().any(|planned| takes(&planned.step));
    let people = if alone && (reason.is_some() || moves || kind == DraftKind::Contain) {
        plan.entries.first().map(|entry| people(linker, entry)).unwrap_or_default()
    } else {
        Vec::new()
    };
    let price_of = match context.price {
        Some(_) => format!("{each} each, as set"),
        None => format!("{each} each, AWS's list price of {LIST_PRICE_OF}"),
    };
    Draft {
        plan: drafted.name(),
        title: title(linker, plan, of.users as u64),
        entries: of.entries as u64,
        users: of.users as u64,
        rows: of.rows as u64,
        steps: plan.steps().count() as u64,
        updates: of.updates as u64,
        reads: of.reads as u64,
        seconds: of.seconds,
        rate,
        left: of.left,
        active: of.active as u64,
        price: of.price,
        price_of,
        inserts,
        sign_outs,
        sessions,
        guards,
        notes: notes(drafted),
        left_out,
        people,
        lines: drafted.count(),
        first: drafted.lines(linker, 0, FIRST),
        wants_reason: context.production || (alone && reason.is_some()) || kind == DraftKind::Contain,
        reason,
        type_name: context.production.then(|| context.name.clone()),
        can_choose: can_choose && kind == DraftKind::Repair,
        kind,
    }
}

/// Whether a step takes a row from one that somebody may see, or an id that somebody goes by.
fn takes(step: &Step) -> bool {
    match step {
        Step::WriteUserId { expect, .. }
        | Step::ClearUserId { expect, .. }
        | Step::WriteSub { expect, .. }
        | Step::ClearSub { expect, .. } => expect.as_deref().is_some_and(|was| !was.trim().is_empty()),
        Step::InsertRow { .. } | Step::SignOut { .. } | Step::DisableUser { .. } | Step::EnableUser { .. } => false,
    }
}

/// What a person should know. What the list of a large plan ends with would else be seen by nobody.
fn notes(drafted: &Drafted) -> Vec<String> {
    let besides = match drafted.unnamed {
        _ if drafted.count() <= AT_A_GLANCE => None,
        0 => None,
        1 => Some("1 record that the plan does not name changes, too: it stands at the end of the list.".to_owned()),
        count => {
            Some(format!("{count} records that the plan does not name change, too: they stand at the end of the list."))
        }
    };
    besides.into_iter().chain(drafted.plan.notes.iter().cloned()).collect()
}

fn title(linker: &Linker, plan: &Plan, users: u64) -> String {
    match &plan.entries[..] {
        [entry] => match entry.pairs.first() {
            Some(pair) if entry.pairs.len() == 1 => called(linker, Some(&pair.sub), Some(&pair.username)),
            Some(pair) => {
                let more = entry.pairs.len() - 1;
                let first = called(linker, Some(&pair.sub), Some(&pair.username));
                format!("{first} and {more} more")
            }
            None => "one entry".to_owned(),
        },
        _ if users == 1 => "1 user".to_owned(),
        _ => format!("{users} users"),
    }
}

/// What everybody whom an entry is about sees today, and what afterwards.
fn people(linker: &Linker, entry: &PlannedEntry) -> Vec<Person> {
    let users = entry.after.iter().filter(|after| after.kind == "user");
    let people = users.map(|after| {
        let pair = entry.pairs.iter().find(|pair| pair.username == after.name);
        let sub = pair.and_then(|pair| Sub::parse(&pair.sub));
        let now = sub.and_then(|sub| linker.entry(&RecordRef::User(sub)));
        let row = now.and_then(|now| {
            let user = now.users.iter().find(|user| Some(user.sub) == sub)?;
            let tied =
                now.rows.iter().find(|row| row.sub() == sub && user.user_id() == Some(row.id.to_string().as_str()));
            tied.map(|row| row.id.to_string())
        });
        let given = pair.and_then(|pair| if pair.new { Some(NEW_ROW.to_owned()) } else { pair.row.clone() });
        let situation = |name: &Option<String>| name.as_deref().and_then(Situation::parse);
        let signs_out = entry.steps.iter().any(|step| {
            matches!(step.step, Step::SignOut { .. }) && step.sub.as_deref() == pair.map(|pair| &*pair.sub)
        });
        let disabled = entry.steps.iter().any(|step| {
            matches!(step.step, Step::DisableUser { .. }) && step.sub.as_deref() == pair.map(|pair| &*pair.sub)
        });
        let mut then = sees(situation(&after.after), given.as_deref());
        if disabled {
            then = "cannot sign in".to_owned();
        } else if signs_out {
            then = format!("is signed out everywhere; then {then}");
        }
        Person {
            name: called(linker, pair.map(|pair| &*pair.sub), Some(&after.name)),
            before: sees(situation(&after.before), row.as_deref()),
            after: then,
        }
    });
    people.collect()
}

/// What a user sees who was given this row, or none.
pub(super) fn will_see(linker: &Linker, user: &PoolUser, mate: &Mate) -> String {
    match mate {
        Mate::Row(id) if linker.is_joined(user.sub) || !user.is_expected() => {
            sees(Some(Situation::LinkedInactive), Some(&id.to_string()))
        }
        Mate::Row(id) => sees(Some(Situation::Linked), Some(&id.to_string())),
        Mate::New => sees(Some(Situation::Linked), Some(NEW_ROW)),
        Mate::None if linker.is_joined(user.sub) || !user.is_expected() => "does not sign in by itself".to_owned(),
        Mate::None => "signs in, and finds no data of its own".to_owned(),
    }
}

fn sees(situation: Option<Situation>, row: Option<&str>) -> String {
    match (situation, row) {
        (Some(Situation::Linked), Some(NEW_ROW)) => "signs in and sees a new, empty account".to_owned(),
        (Some(Situation::Linked), Some(row)) => format!("signs in and sees what belongs to row {row}"),
        (Some(Situation::Linked), None) => "signs in and sees a row's data".to_owned(),
        (Some(Situation::LinkedInactive | Situation::Stranded), Some(row)) => {
            format!("does not sign in by itself; has row {row}")
        }
        (Some(Situation::RowSideOnly), _) => "signs in, and the application does not know who it is".to_owned(),
        (Some(Situation::UserSideOnly | Situation::DeadSubClaimed | Situation::DanglingUserId), _) => {
            "signs in with an id that no row confirms".to_owned()
        }
        (
            Some(
                Situation::LinkedInactive
                | Situation::Stranded
                | Situation::UnlinkedInactive
                | Situation::JoinedProfile,
            ),
            _,
        ) => "does not sign in by itself".to_owned(),
        (Some(other), _) => format!("signs in, and finds no data of its own ({})", other.words()),
        (None, _) => "is not there".to_owned(),
    }
}
