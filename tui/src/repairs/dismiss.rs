//! `userlink dismiss`: an entry is ignored, with a reason, until what its verdict rests on changes; and is taken up again.

use std::io::{Write as _, stdout};

use userlink_db::{Db, Dismissal};
use userlink_domain::RecordRef;
use userlink_ui::safe_text;

use super::only::Names;
use super::{failure, usage};
use crate::cli::DismissArgs;
use crate::clock;
use crate::commands::{Compared, DONE, FAILED, INTERRUPTED, Read, Stop, read_everything, say};
use crate::settings::Context;
use crate::start::{Failure, Start, journal};

pub(crate) async fn run(context: Context, args: &DismissArgs) -> anyhow::Result<u8> {
    let Some(who) = &args.who else { return list(&context).await };
    if context.read_only {
        return Err(usage("Read-only: nothing is dismissed.").into());
    }
    let reason = args.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() && !args.take_up {
        return Err(usage("Dismissing wants a reason: --reason TEXT. (--take-up takes an entry up again.)").into());
    }
    let stop = Stop::listen()?;
    let Some(Read { engine, .. }) = read_everything(context.clone(), Compared::WithNothing, &stop).await? else {
        return Ok(INTERRUPTED);
    };
    if !engine.is_whole() {
        engine.failures.iter().for_each(|(text, _)| say(text));
        say("Nothing is dismissed on half a scan.");
        return Ok(FAILED);
    }
    let linker = &engine.linker;
    let of = Names::of(linker, [who.as_str()]).record(who)?;
    let opened = Start::Context(Box::new(context)).open().await?;
    let repairer = opened.repairer().await.map_err(usage)?;
    let (linkage, now) = (repairer.linkage(), clock::now());
    if args.take_up {
        let by = linker.dismissed_by(&of);
        if by.is_empty() {
            return Err(failure(format!("{who} was not dismissed.")).into());
        }
        for of in by {
            repairer.journal.take_up(&linkage, &of, &repairer.actor, now).await?;
        }
        say(&format!("{} is taken up again.", safe_text(who)));
        return Ok(DONE);
    }
    let (entry, evidence) = linker.entry(&of).zip(linker.evidence(&of)).ok_or_else(|| failure("The entry is gone."))?;
    let dismissal = Dismissal {
        of,
        evidence: evidence.to_string(),
        reason: reason.unwrap_or_default().to_owned(),
        actor: repairer.actor.clone(),
        at: now,
    };
    repairer.journal.dismiss(&linkage, &dismissal).await?;
    let words = entry.situation.words();
    say(&format!("{} is ignored as {words} until what that rests on changes.", safe_text(who)));
    Ok(DONE)
}

async fn list(context: &Context) -> anyhow::Result<u8> {
    let db = Db::connect(&context.database).await.map_err(Failure::from)?;
    let table = db.open(context.mapping.clone()).await.map_err(Failure::from)?;
    let journal = journal(context, &db).await.map_err(failure)?;
    let linkage = userlink_db::Linkage {
        pool_id: context.pool.pool_id.clone(),
        attribute: context.pool.attribute.clone(),
        table: table.full_name(),
    };
    let mut out = stdout().lock();
    for it in journal.dismissals(&linkage, table.schema().id_kind).await? {
        let of = match &it.of {
            RecordRef::User(sub) => format!("user {sub}"),
            RecordRef::Row(id) => format!("row {id}"),
        };
        let (of, actor, reason) = (safe_text(&of), safe_text(&it.actor), safe_text(&it.reason));
        writeln!(out, "{} {of} by {actor}: {reason}", it.at)?;
    }
    Ok(DONE)
}
