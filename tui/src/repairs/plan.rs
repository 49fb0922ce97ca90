//! `userlink plan`: scans, plans, tries, shows, and writes the file.

use std::io::stdout;

use userlink_db::RowWriter;
use userlink_domain::Situation;
use userlink_repair::{Limits, Maker, Selection, contain, plan};
use uuid::Uuid;

use super::only::{Names, read};
use super::{failure, print, usage, write_private};
use crate::cli::{MAX_AGE_HOURS, PlanArgs};
use crate::clock;
use crate::commands::{Compared, DONE, FAILED, INTERRUPTED, Read, Stop, WRONG, read_everything, remarks, say};
use crate::settings::Context;
use crate::start::Failure;

pub(crate) async fn run(context: Context, args: &PlanArgs) -> anyhow::Result<u8> {
    if args.only.is_none() && args.situation.iter().any(|situation| *situation != Situation::RowSideOnly) {
        let text =
            "Only row_side_only is safe without a look at each entry. Name the others that you looked at: --only FILE.";
        return Err(usage(text).into());
    }
    let reviewed = args.only.as_deref().map(|path| {
        std::fs::read_to_string(path)
            .map_err(|error| usage(format!("{} cannot be read: {}.", path.display(), error.kind())))
    });
    let reviewed = reviewed.transpose()?;
    let stop = Stop::listen()?;
    let (shown, attribute) = (context.clone(), context.pool.attribute.clone());
    let Some(Read { opened, mut engine, began, .. }) = read_everything(context, Compared::WithNothing, &stop).await?
    else {
        return Ok(INTERRUPTED);
    };
    remarks(&engine, &attribute);
    if !engine.is_whole() {
        engine.failures.iter().for_each(|(text, _)| say(text));
        say("Nothing is planned on half a scan.");
        return Ok(if engine.failures.last().is_some_and(|(_, settings)| *settings) { WRONG } else { FAILED });
    }
    let account = opened.account().await.map_err(usage)?;
    let table = &opened.sources.table;
    let rows = RowWriter::new(table.clone(), shown.insert_function.as_deref()).map_err(Failure::from)?;
    let maker = Maker {
        id: Uuid::now_v7(),
        by: opened.actor.name().await,
        at: clock::now(),
        origin: opened.origin(account, began, engine.users, engine.rows),
        sign_out: args.sign_out,
        unfilled: (rows.unfilled(true), rows.unfilled(false)),
    };
    let linker = &mut engine.linker;
    let made = if let Some(user) = &args.contain {
        let Some(reason) = args.reason.as_deref().filter(|reason| !reason.trim().is_empty()) else {
            return Err(usage("Containing somebody wants a reason: --reason TEXT.").into());
        };
        let sub = Names::of(linker, [user.as_str()]).user(user)?;
        contain(linker, sub, args.disable, reason, maker)
    } else {
        let selection = match &reviewed {
            Some(text) => Selection::Chosen(read(text, linker, args.reason.as_deref())?),
            None => Selection::SafeInBulk,
        };
        if let Selection::Chosen(choices) = &selection {
            for choice in choices {
                let now = linker.entry(&choice.of).map(|entry| entry.situation);
                if let Some(now) = now.filter(|now| !args.situation.is_empty() && !args.situation.contains(now)) {
                    return Err(failure(format!("{:?} is {now} by now. Look at it again.", choice.of)).into());
                }
            }
        }
        // A count that is given now is meant, whatever the settings say.
        let limits = args.max_users.map_or(shown.limits, |users| Limits::set(Some(users), None));
        let limits = Limits { empty_side: args.allow_empty_side, ..limits };
        plan(linker, &selection, &limits, maker)
    };
    let made = made.map_err(|refused| failure(refused.to_string()))?;
    write_private(&args.output, &made.to_json())?;
    let place = print::Place::of(&opened, &made, engine.writable.as_ref(), MAX_AGE_HOURS).await;
    print::preview(&made, &place, &mut stdout().lock())?;
    say(&format!("Plan {} is in {}. Nothing was written yet: userlink apply.", made.id, args.output.display()));
    Ok(DONE)
}
