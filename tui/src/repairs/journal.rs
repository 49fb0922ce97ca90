//! `userlink journal`: grants, retention, and the erasure of one person's data.

use std::io::{Write as _, stdout};

use userlink_db::Db;
use userlink_domain::Timestamp;
use userlink_ui::safe_text;

use super::{ask, failure, usage};
use crate::cli::{JournalArgs, JournalCommand};
use crate::clock;
use crate::commands::{DONE, say};
use crate::settings::Context;
use crate::start::{Failure, journal};

const DAY: i64 = 86_400_000;

pub(crate) async fn run(context: Context, args: &JournalArgs) -> anyhow::Result<u8> {
    let db = Db::connect(&context.database).await.map_err(Failure::from)?;
    let journal = journal(&context, &db).await.map_err(failure)?;
    let sure = |yes: bool, question: &str| -> Result<bool, Failure> {
        Ok(yes || matches!(ask(&format!("{question} [y/N]"))?.as_str(), "y" | "Y" | "yes"))
    };
    let removed = match &args.what {
        JournalCommand::Grants { role } => {
            let grants = journal.grants(role);
            let grants = grants
                .ok_or_else(|| usage("This journal is in SQLite, which has no roles: the file's mode says who."))?;
            writeln!(stdout(), "{grants}")?;
            return Ok(DONE);
        }
        _ if context.read_only => return Err(usage("Read-only: nothing is removed.").into()),
        JournalCommand::Retain { days, yes } => {
            if !sure(*yes, &format!("Remove what ended more than {days} days ago? It cannot be undone afterwards."))? {
                return Ok(DONE);
            }
            let since = Timestamp::from_millis(clock::now().as_millis() - i64::from(*days) * DAY);
            journal.retain_since(since).await.map_err(Failure::from)?
        }
        JournalCommand::Erase { user, yes } => {
            let person = journal.person(&context.pool.pool_id, user).await.map_err(Failure::from)?;
            if journal.open_about(&person).await.map_err(Failure::from)? > 0 {
                return Err(failure(
                    "A step about this person is open. Let it be looked at first: userlink apply or undo.",
                )
                .into());
            }
            let others = journal.of_others(&person).await.map_err(Failure::from)?;
            if others > 0 {
                say(&format!(
                    "{others} steps about somebody else name this person's sub, as the row had it before or has it since: they go, \
                     too, and can no longer be taken back."
                ));
            }
            if !sure(*yes, "Remove every step about this person? It cannot be undone afterwards.")? {
                return Ok(DONE);
            }
            let removed = journal.erase(&person).await.map_err(Failure::from)?;
            if removed == 0 {
                say(&format!("The journal has nothing about {}.", safe_text(user)));
            }
            removed
        }
    };
    writeln!(stdout(), "{removed} events removed")?;
    Ok(DONE)
}
