//! For people: the counts, then a line for each user and row.

use std::io::{self, Write};

use userlink_domain::Situation;
use userlink_link::{Entry, Since};
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
    for lead in leads {
        let Some(entry) = report.linker.entry_of(lead, usize::MAX) else { continue };
        let change = report.since(lead).map(|since| match since {
            Since::New => "new".to_owned(),
            Since::Changed(was) if was == entry.situation => "changed".to_owned(),
            Since::Changed(was) => format!("was {}", was.name()),
        });
        lines(&entry, change.as_deref(), out)?;
    }
    for entry in report.gone() {
        lines(&super::keys_alone(entry), Some("gone"), out)?;
    }
    Ok(())
}

/// A line for each user and row of an entry; what has become of it stands first, where it is compared.
fn lines(entry: &Entry, change: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    let (mut situation, mut change) = (Some(entry.situation), change);
    let compared = change.is_some();
    for at in 0..entry.users.len().max(entry.rows.len()) {
        let (user, row) = (entry.users.get(at), entry.rows.get(at));
        let sub = user.map(|user| user.sub.to_string()).unwrap_or_default();
        let username = user.map_or("", |user| user.username.as_str());
        let name = user.and_then(|user| user.email.as_deref()).unwrap_or(username);
        let id = row.map(|row| row.id.to_string()).unwrap_or_default();
        let line = [
            fitted(situation.take().map_or("", Situation::name), 18),
            fitted(if name.is_empty() { &sub } else { name }, 36),
            fitted(&id, 36),
            fitted(row.and_then(|row| row.email.as_deref()).unwrap_or_default(), 36),
        ];
        let first = if compared { fitted(change.take().unwrap_or_default(), 22) + "  " } else { String::new() };
        writeln!(out, "{}", (first + &line.join("  ")).trim_end())?;
    }
    Ok(())
}
