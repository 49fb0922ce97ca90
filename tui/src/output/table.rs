//! For people: the counts, then a line for each user and row.

use std::io::{self, Write};

use userlink_domain::Situation;
use userlink_ui::fitted;

use super::Report;

pub(super) fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let counts = report.linker.counts();
    let (users, rows) = report.linker.len();
    writeln!(out, "{}: {users} users, {rows} rows, read {}", report.pool, report.scanned_at)?;
    if !report.complete {
        writeln!(out, "NOT READ TO THE END: what is called reading cannot be known yet.")?;
    }
    writeln!(out)?;
    for (situation, count) in counts.situations() {
        writeln!(out, "{count:>10}  {:<11}{situation}", situation.group().name())?;
    }
    for (flag, count) in counts.flags() {
        writeln!(out, "{count:>10}  {:<11}{}", "flag", flag.name())?;
    }
    let leads = report.leads();
    if let Some(before) = &report.before {
        writeln!(
            out,
            "\nSince {}: {} entries new or different, {} gone.",
            before.at,
            leads.len(),
            report.gone_count()
        )?;
    } else if leads.is_empty() {
        return writeln!(out, "\nEverything that was read is linked.");
    }
    writeln!(out)?;
    for entry in leads.into_iter().filter_map(|lead| report.linker.entry_of(lead, usize::MAX)) {
        let mut situation: Option<Situation> = Some(entry.situation);
        for at in 0..entry.users.len().max(entry.rows.len()) {
            let (user, row) = (entry.users.get(at), entry.rows.get(at));
            let name = user.map_or("", |user| user.email.as_deref().unwrap_or(user.username.as_str()));
            let id = row.map(|row| row.id.to_string()).unwrap_or_default();
            let line = [
                fitted(situation.take().map_or("", Situation::name), 18),
                fitted(name, 36),
                fitted(&id, 36),
                fitted(row.and_then(|row| row.email.as_deref()).unwrap_or_default(), 36),
            ];
            writeln!(out, "{}", line.join("  ").trim_end())?;
        }
    }
    Ok(())
}
