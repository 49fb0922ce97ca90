//! A plan as a person reads it.

use std::io::{self, Write};

use userlink_repair::{LIST_PRICE, LIST_PRICE_OF, Plan, Preview, in_words, is_final};
use userlink_ui::safe_text;

use crate::settings::Context;

/// More entries than these are not printed one by one, but only the first few.
const ENTRIES: usize = 20;
const FEW: usize = 4;

/// The preview: each step before and after, each record's situation afterwards, and the totals.
pub(super) fn preview(plan: &Plan, context: &Context, out: &mut impl Write) -> io::Result<()> {
    let shown = if plan.entries.len() > ENTRIES { FEW } else { ENTRIES };
    for entry in plan.entries.iter().take(shown) {
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
    if plan.entries.len() > shown {
        writeln!(out, "… and {} more entries, which stand in the file.", plan.entries.len() - shown)?;
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
    )
}
