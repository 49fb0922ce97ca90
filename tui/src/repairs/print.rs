//! A plan as a person reads it.

use std::io::{self, Write};

use userlink_domain::Step;
use userlink_pool::Writable;
use userlink_repair::{
    Here, Kind, LIST_PRICE, LIST_PRICE_OF, Plan, PlannedEntry, Preview, guards, had_another_id, in_words, is_final,
    overwrites,
};
use userlink_ui::{LAST_MOMENT, safe_text};

use crate::clock;
use crate::sessions::tokens;
use crate::start::Opened;

/// More entries than these are not printed one by one, but only the first few, and whatever overwrites something.
const ENTRIES: usize = 20;
const FEW: usize = 4;

/// Where a plan is printed: what the guards look at, and for how long tokens live where that matters.
pub(super) struct Place<'a> {
    opened: &'a Opened,
    here: Here,
    tokens: Option<String>,
}

impl<'a> Place<'a> {
    pub(super) async fn of(
        opened: &'a Opened,
        plan: &Plan,
        writable: Option<&Writable>,
        max_age_hours: i64,
    ) -> Place<'a> {
        let context = &opened.context;
        let here = Here {
            now: clock::now(),
            production: context.production.then(|| context.name.clone()),
            shared_journal: opened.journal.as_ref().is_ok_and(|journal| journal.is_beside(&opened.sources.table)),
            writable_by: match writable {
                Some(Writable::No) => Some(Vec::new()),
                Some(Writable::By(clients)) => Some(clients.clone()),
                Some(Writable::Unknown(_)) | None => None,
            },
            max_age_hours,
        };
        let tokens = if had_another_id(plan).is_empty() { None } else { Some(tokens(opened).await) };
        Self { opened, here, tokens }
    }
}

/// The preview: each step before and after, each record's situation afterwards, the totals, and what each guard saw.
pub(super) fn preview(plan: &Plan, place: &Place<'_>, out: &mut impl Write) -> io::Result<()> {
    let context = &place.opened.context;
    let few = if plan.entries.len() > ENTRIES { FEW } else { ENTRIES };
    let is_shown = |at: usize, entry: &PlannedEntry| {
        at < few || entry.steps.iter().any(|planned| matches!(plan.kind, Kind::Repair) && overwrites(&planned.step))
    };
    let shown: Vec<&PlannedEntry> =
        (0..).zip(&plan.entries).filter(|(at, entry)| is_shown(*at, entry)).map(|(_, entry)| entry).collect();
    for entry in &shown {
        let flags = if entry.flags.is_empty() { String::new() } else { format!(" ({})", entry.flags.join(", ")) };
        writeln!(out, "{}{flags}", entry.situation)?;
        for planned in &entry.steps {
            let (what, before, after) = in_words(&planned.step);
            let shown = |value: Option<String>| value.map_or_else(|| "-".to_owned(), |value| safe_text(&value));
            let last = if is_final(&planned.step) { "   cannot be taken back" } else { "" };
            writeln!(out, "  {:>4}  {}: {} → {}{last}", planned.number, safe_text(&what), shown(before), shown(after))?;
        }
        for after in &entry.after {
            let (before, then) = (after.before.as_deref().unwrap_or("-"), after.after.as_deref().unwrap_or("gone"));
            let outside = if after.named { "" } else { "   not named by the plan" };
            writeln!(out, "        {} {}: {before} → {then}{outside}", after.kind, safe_text(&after.name))?;
        }
        if !entry.rows_with_email.is_empty() {
            writeln!(
                out,
                "        rows with the same e-mail are there: {}",
                safe_text(&entry.rows_with_email.join(", "))
            )?;
        }
    }
    if plan.entries.len() > shown.len() {
        writeln!(out, "… and {} more entries, which stand in the file.", plan.entries.len() - shown.len())?;
    }
    if plan.entries.iter().all(|entry| entry.after.is_empty()) && matches!(plan.kind, Kind::Undo { .. }) {
        writeln!(out, "What each record is afterwards is not told without a scan; the dashboard's history tells it.")?;
    }
    for note in &plan.notes {
        writeln!(out, "Note: {}", safe_text(note))?;
    }
    let rate = context.pool.rates.update;
    let price = context.price.unwrap_or(LIST_PRICE);
    let of = Preview::of(plan, rate, price);
    let price_of =
        if context.price.is_some() { "as set".to_owned() } else { format!("AWS's list price of {LIST_PRICE_OF}") };
    writeln!(
        out,
        "{} entries, {} users, {} rows; {} steps cannot be taken back.",
        of.entries, of.users, of.rows, of.finals
    )?;
    writeln!(
        out,
        "Requests: {} of UserUpdate, {} of UserRead; about {:.0} s at {rate} a second, {:.0} % of the quota left.",
        of.updates,
        of.reads,
        of.seconds,
        of.left * 100.0
    )?;
    writeln!(
        out,
        "{} users become monthly active by it: at most {:.2} USD ({price} each, {price_of}).",
        of.active, of.price
    )?;
    if let Some(tokens) = &place.tokens {
        let users = had_another_id(plan).len();
        writeln!(out, "Sessions: {users} users had another id; tokens may still carry it: {}.", safe_text(tokens))?;
    }
    if plan.steps().any(|planned| matches!(planned.step, Step::WriteUserId { .. } | Step::ClearUserId { .. })) {
        writeln!(out, "{LAST_MOMENT}")?;
    }
    for guard in guards(plan, &context.limits, &place.here) {
        let mind = if guard.holds { "" } else { "   mind this" };
        writeln!(out, "Guard {:<10} {}{mind}", guard.name, safe_text(&guard.seen))?;
    }
    Ok(())
}
