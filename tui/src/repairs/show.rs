//! `userlink show`: one user or row, looked at singly. Its verdict is provisional: who else carries the same `user_id` cannot be
//! asked of a pool.

use std::io::{Write as _, stdout};

use userlink_db::{Db, History};
use userlink_domain::{RecordRef, Timestamp};
use userlink_repair::{candidates, recommended};
use userlink_ui::safe_text;

use super::history::print;
use super::{failure, usage};
use crate::cli::ShowArgs;
use crate::commands::DONE;
use crate::looking::{Looked, look};
use crate::settings::Context;
use crate::start::{Failure, Opened, Start, journal};

pub(crate) async fn run(context: Context, args: &ShowArgs) -> anyhow::Result<u8> {
    let opened = Start::Context(Box::new(context.clone().for_reading())).open().await?;
    let Some(looked) = look(&opened, &args.who).await? else {
        return Err(usage(format!("Nobody is called {}, neither user nor row.", args.who)).into());
    };
    print_entry(&looked, &opened).await?;
    let of = looked.of;
    let db = Db::connect(&context.database).await.map_err(Failure::from)?;
    if let Ok(journal) = journal(&context, &db).await {
        let history = match &of {
            RecordRef::User(sub) => History::Sub(*sub),
            RecordRef::Row(id) => History::Row(id.to_string()),
        };
        let steps = journal.history(&history, 20).await?;
        if !steps.is_empty() {
            writeln!(stdout(), "history")?;
            print(&steps, false)?;
        }
    }
    Ok(DONE)
}

async fn print_entry(looked: &Looked, opened: &Opened) -> anyhow::Result<()> {
    let Looked { of, linker, not_looked_at } = looked;
    let entry = linker.entry(of).ok_or_else(|| failure("The records are gone."))?;
    let mut out = Vec::new();
    writeln!(out, "provisional: {}", entry.situation)?;
    writeln!(out, "  not looked at: {not_looked_at}")?;
    for user in &entry.users {
        let (name, id) = (safe_text(user.username.as_str()), safe_text(user.user_id().unwrap_or("-")));
        let enabled = if user.enabled { "" } else { ", disabled" };
        writeln!(out, "user {name}  sub {}  user id {id}  {}{enabled}", user.sub, user.status.as_str())?;
    }
    for row in &entry.rows {
        writeln!(out, "row {}  sub {}", safe_text(&row.id.to_string()), safe_text(row.sub.as_deref().unwrap_or("-")))?;
        for (name, value) in opened.context.mapping.show.iter().zip(&row.show) {
            writeln!(out, "    {}: {}", safe_text(name), safe_text(value.as_deref().unwrap_or("-")))?;
        }
        match opened.sources.table.references(&row.id).await {
            Ok(references) if references.is_empty() => {}
            Ok(references) => {
                let texts: Vec<String> = references.iter().map(ToString::to_string).collect();
                writeln!(out, "    referred to by: {}", safe_text(&texts.join(", ")))?;
            }
            Err(error) => writeln!(out, "    what refers to it is not known: {error}")?,
        }
    }
    if let Some(explained) = linker.explain(of) {
        explained.why.iter().try_for_each(|why| writeln!(out, "why      {}", safe_text(why)))?;
        explained.why_not.iter().try_for_each(|why| writeln!(out, "why not  {}", safe_text(why)))?;
        writeln!(out, "repair   {}", safe_text(&explained.repair.words))?;
    }
    let best = recommended(linker, of);
    for candidate in candidates(linker, of) {
        let row = match &candidate.pair.mate {
            userlink_repair::Mate::Row(id) => format!("row {id}"),
            userlink_repair::Mate::New => "a new row".to_owned(),
            userlink_repair::Mate::None => "no row".to_owned(),
        };
        let mark = best.as_ref().filter(|best| best.pairs.contains(&candidate.pair));
        let mark = mark.map(|best| format!("   recommended: {}", best.reason)).unwrap_or_default();
        writeln!(out, "candidate: {} and {}{mark}", safe_text(&candidate.username), safe_text(&row))?;
        let day = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        writeln!(
            out,
            "    user created {}, changed {}; row created {}, changed {}",
            day(candidate.user_created),
            day(candidate.user_modified),
            day(candidate.row_created),
            day(candidate.row_updated)
        )?;
        if let Some(left) = &candidate.leaves {
            let row = match &left.mate {
                userlink_repair::Mate::Row(id) => format!("row {id}"),
                userlink_repair::Mate::New | userlink_repair::Mate::None => "no row".to_owned(),
            };
            writeln!(
                out,
                "    to be named with it: user {}, who has the row today, and {}",
                left.user,
                safe_text(&row)
            )?;
        }
        candidate.why.iter().try_for_each(|why| writeln!(out, "    + {}", safe_text(why)))?;
        candidate.why_not.iter().try_for_each(|why| writeln!(out, "    - {}", safe_text(why)))?;
    }
    stdout().write_all(&out)?;
    Ok(())
}
