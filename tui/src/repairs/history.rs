//! `userlink history`: what was done, by whom, and how it ended.

use std::io::{ErrorKind, Write as _, stdout};

use serde::Serialize;
use userlink_db::{Db, History, Outcome, Recorded};
use userlink_domain::{Step, Sub};
use userlink_repair::in_words;
use userlink_ui::safe_text;

use super::failure;
use crate::cli::HistoryArgs;
use crate::commands::DONE;
use crate::settings::Context;
use crate::start::{Failure, journal};

#[derive(Serialize)]
struct Line<'a> {
    run: String,
    step_no: i64,
    plan: Option<String>,
    at: String,
    actor: &'a str,
    reason: Option<&'a str>,
    situation: &'a str,
    pool: &'a str,
    attribute: &'a str,
    table: &'a str,
    /// The sub of the user whom the step is about, and the username.
    about: Option<String>,
    about_username: Option<&'a str>,
    #[serde(flatten)]
    step: &'a Step,
    outcome: Option<&'a str>,
    detail: Option<&'a str>,
    ended_at: Option<String>,
}

pub(crate) async fn run(context: Context, args: &HistoryArgs) -> anyhow::Result<u8> {
    let db = Db::connect(&context.database).await.map_err(Failure::from)?;
    let journal = journal(&context, &db).await.map_err(failure)?;
    let of = if let Some(run) = args.run {
        History::Run(run)
    } else if let Some(user) = &args.user {
        Sub::parse(user).map_or_else(|| History::Username(user.clone()), History::Sub)
    } else if let Some(row) = &args.row {
        History::Row(row.clone())
    } else {
        History::All
    };
    let steps = journal.history(&of, args.limit).await?;
    match print(&steps, args.json) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        printed => printed?,
    }
    Ok(DONE)
}

pub(super) fn print(steps: &[Recorded], json: bool) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for Recorded { entry, closing } in steps {
        let outcome = closing.as_ref().map(|closing| closing.outcome);
        if json {
            let line = Line {
                run: entry.run.to_string(),
                step_no: entry.step_no,
                plan: entry.plan.map(|plan| plan.to_string()),
                at: entry.at.to_string(),
                actor: &entry.actor,
                reason: entry.reason.as_deref(),
                situation: entry.situation.name(),
                pool: &entry.linkage.pool_id,
                attribute: &entry.linkage.attribute,
                table: &entry.linkage.table,
                about_username: entry.username.as_deref(),
                about: entry.sub.map(|sub| sub.to_string()),
                step: &entry.step,
                outcome: outcome.map(Outcome::name),
                detail: closing.as_ref().map(|closing| closing.detail.as_str()),
                ended_at: closing.as_ref().map(|closing| closing.at.to_string()),
            };
            serde_json::to_writer(&mut out, &line)?;
            writeln!(out)?;
            continue;
        }
        let (what, before, after) = in_words(&entry.step);
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let words = format!("{what}: {} → {}", shown(before), shown(after));
        let reason = entry.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let (ended, actor) = (outcome.map_or("open", Outcome::name), safe_text(&entry.actor));
        let (words, reason) = (safe_text(&words), safe_text(&reason));
        writeln!(out, "{} {} step {} {ended} by {actor}: {words}{reason}", entry.at, entry.run, entry.step_no)?;
    }
    Ok(())
}
