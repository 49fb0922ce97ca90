//! `userlink apply` and `userlink undo`: a frozen plan, confirmed, applied, and what came of it.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use userlink_db::History;
use userlink_repair::{Confirmation, Ended, Kind, Maker, Plan, Repairer, StepResult, Summary, Verdict, in_words};
use userlink_ui::safe_text;
use uuid::Uuid;

use super::{ask, failure, print, usage, write_private};
use crate::cli::{ApplyArgs, ConfirmArgs, MAX_AGE_HOURS, UndoArgs};
use crate::clock;
use crate::commands::{DONE, FOUND, INTERRUPTED, Stop, say};
use crate::settings::Context;
use crate::start::{Opened, Start};

pub(crate) async fn run(context: Context, named: Option<String>, args: &ApplyArgs) -> anyhow::Result<u8> {
    let text = std::fs::read_to_string(&args.plan)
        .map_err(|error| usage(format!("{} cannot be read: {}.", args.plan.display(), error.kind())))?;
    let plan = Plan::read(&text).map_err(|error| failure(error.to_string()))?;
    let opened = Start::Context(Box::new(context.clone())).open().await?;
    apply(&context, named, &opened, plan, &args.confirm, args.max_age).await
}

pub(crate) async fn undo(context: Context, named: Option<String>, args: &UndoArgs) -> anyhow::Result<u8> {
    let opened = Start::Context(Box::new(context.clone())).open().await?;
    let repairer = possible(&opened).await?;
    look_first(&repairer).await?;
    let recorded = repairer.journal.history(&History::Run(args.run), u32::MAX / 2).await?;
    let account = opened.account().await.map_err(usage)?;
    let maker = Maker {
        id: Uuid::now_v7(),
        by: repairer.actor.clone(),
        at: clock::now(),
        origin: opened.origin(account, clock::now(), 0, 0),
        sign_out: args.sign_out,
        unfilled: (Vec::new(), Vec::new()),
    };
    let plan = userlink_repair::undo(&args.run.to_string(), args.step, &recorded, maker)
        .map_err(|error| failure(error.to_string()))?;
    if let Some(path) = &args.output {
        write_private(path, &plan.to_json())?;
        let place = print::Place::of(&opened, &plan, None, MAX_AGE_HOURS).await;
        print::preview(&plan, &place, &mut stdout().lock())?;
        return Ok(DONE);
    }
    apply(&context, named, &opened, plan, &args.confirm, MAX_AGE_HOURS).await
}

/// So long is waited for what the app clients let their users write.
const CLIENTS: Duration = Duration::from_secs(10);

async fn possible(opened: &Opened) -> anyhow::Result<Box<Repairer>> {
    Ok(opened.repairer().await.map_err(usage)?)
}

/// Steps that earlier runs left open are looked at first.
async fn look_first(repairer: &Repairer) -> anyhow::Result<()> {
    let found = repairer.recover(clock::now).await?;
    if found.found_done + found.not_done > 0 {
        say(&format!(
            "Steps that were cut short were looked at: {} had been done, {} had not.",
            found.found_done, found.not_done
        ));
    }
    Ok(())
}

async fn apply(
    context: &Context,
    named: Option<String>,
    opened: &Opened,
    plan: Plan,
    confirm: &ConfirmArgs,
    max_age_hours: i64,
) -> anyhow::Result<u8> {
    let repairer = &possible(opened).await?;
    let account = opened.account().await.map_err(usage)?;
    let shared = repairer.journal.is_beside(&repairer.table);
    if !confirm.yes {
        // Who has to say yes is told what each guard sees, now.
        let writable = if plan.kind == Kind::Repair {
            let asked = tokio::time::timeout(CLIENTS, opened.sources.pool.writable()).await;
            asked.ok().and_then(Result::ok)
        } else {
            None
        };
        let place = print::Place::of(opened, &plan, writable.as_ref(), max_age_hours).await;
        print::preview(&plan, &place, &mut stderr())?;
    }
    say(if shared {
        "The journal is in the application's database, shared by all who use it."
    } else {
        "The journal is a file on this machine: what others do at the same time cannot be known. userlink migrate makes one \
         for all."
    });
    // Whoever does not ask has named the context instead.
    let production = match (context.production, confirm.yes) {
        (false, _) => None,
        (true, true) => Some((context.name.clone(), named.unwrap_or_default())),
        (true, false) => {
            let typed = ask(&format!("This is production. Type the context's name ({}) to go on:", context.name))?;
            Some((context.name.clone(), typed))
        }
    };
    let asks = production.is_none() && !confirm.yes;
    let said =
        Confirmation { reason: confirm.reason.clone(), production, shared_journal: shared, account, max_age_hours };
    let total = plan.steps().count();
    let confirmed = repairer.confirm(plan, &said, clock::now()).map_err(|error| failure(error.to_string()))?;
    if asks && !matches!(ask("Apply this? [y/N]")?.as_str(), "y" | "Y" | "yes") {
        say("Nothing was written.");
        return Ok(DONE);
    }
    look_first(repairer).await?;
    let stop = Stop::listen()?;
    let token = CancellationToken::new();
    let mut line = Progress { began: Instant::now(), made: 0, total, wanted: stderr().is_terminal() };
    let mut not_done = Vec::new();
    let summary = {
        let run = repairer.run(
            &confirmed,
            &token,
            |result| {
                line.show();
                if !matches!(result.ended, Ended::Made(Verdict::Done) | Ended::Before { .. }) {
                    not_done.push(result.clone());
                }
            },
            clock::now,
        );
        tokio::pin!(run);
        tokio::select! {
            summary = &mut run => summary,
            () = stop.stopped() => {
                // What is under way is finished and journalled.
                token.cancel();
                run.await
            }
        }?
    };
    line.end();
    outcome(&summary, &mut not_done)?;
    Ok(if summary.stopped {
        INTERRUPTED
    } else if summary.is_complete() {
        DONE
    } else {
        FOUND
    })
}

fn outcome(summary: &Summary, not_done: &mut [StepResult]) -> std::io::Result<()> {
    let mut out = stdout().lock();
    not_done.sort_by_key(|result| result.number);
    for result in not_done {
        let (what, ..) = in_words(&result.step);
        let ended = match &result.ended {
            Ended::Made(Verdict::Overtaken) => "overtaken",
            Ended::Made(Verdict::Stale) => "stale",
            Ended::Made(Verdict::Unverified) => "not known",
            Ended::Claimed { .. } => "in hand",
            Ended::Left => "left",
            Ended::Made(_) | Ended::Before { .. } => "failed",
        };
        let words = result.words.join(" ");
        writeln!(out, "step {} {ended}: {}. {}", result.number, safe_text(&what), safe_text(&words))?;
    }
    let counts: Vec<String> = summary.counts().map(|(count, how)| format!("{count} {how}")).collect();
    writeln!(out, "run {}: {}", summary.run, if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") })
}

/// How far it is: one line on standard error, and only where that is a terminal.
struct Progress {
    began: Instant,
    made: usize,
    total: usize,
    wanted: bool,
}

impl Progress {
    fn show(&mut self) {
        self.made += 1;
        if self.wanted {
            let rate = self.made as f64 / self.began.elapsed().as_secs_f64().max(0.001);
            let left = (self.total - self.made.min(self.total)) as f64 / rate;
            let (made, total) = (self.made, self.total);
            drop(write!(stderr(), "\r\x1b[K{made} of {total} steps, {rate:.1} a second, {left:.0} s left"));
        }
    }

    fn end(&self) {
        if self.wanted {
            drop(write!(stderr(), "\r\x1b[K"));
        }
    }
}
