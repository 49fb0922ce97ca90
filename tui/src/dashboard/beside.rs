//! Looks somebody up for a ticket, and finds out what stands beside an entry: in the background, a part at a time.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use userlink_domain::RecordRef;
use userlink_link::Entry;
use userlink_ui::{Event, Found, Part};

use super::worker::Question;
use crate::clock;
use crate::looking::{self, Looked, NOT_LOOKED_AT};
use crate::start::Opened;

type ToWorker = mpsc::UnboundedSender<Question>;

/// Whoever is called so, read from both sides just now.
pub(super) async fn look_up(opened: &Opened, worker: &ToWorker, who: &str) -> Result<Box<Found>, String> {
    let looked = looking::look(opened, who).await.map_err(|failure| failure.to_string())?;
    let Some(Looked { of, linker }) = looked else {
        return Err("Nobody is called so, neither user nor row: not by e-mail, sub, username or row id.".to_owned());
    };
    let gone = || "The records are gone.".to_owned();
    let (ask, answer) = oneshot::channel();
    // Without a linker there is no scan to compare with.
    drop(worker.send(Question::Entry(of.clone(), ask)));
    let scanned = answer.await.ok().flatten().map(|entry| entry.situation);
    Ok(Box::new(Found {
        entry: linker.entry(&of).ok_or_else(gone)?,
        explanation: linker.explain(&of).ok_or_else(gone)?,
        candidates: looking::pairs(&linker, &of),
        not_looked_at: NOT_LOOKED_AT.to_owned(),
        scanned,
        at: clock::now(),
        of,
    }))
}

/// What stands beside an entry. Each part is told as soon as it is known.
pub(super) async fn look(
    opened: Option<Arc<Opened>>,
    worker: &ToWorker,
    of: RecordRef,
    entry: Entry,
    to: &mpsc::Sender<Event>,
) {
    // Without a screen there is nobody to tell.
    let tell = async |part: Part| drop(to.send(Event::Beside { of: of.clone(), part }).await);
    let (ask, answer) = oneshot::channel();
    drop(worker.send(Question::Pairs(of.clone(), ask)));
    tell(Part::Candidates(answer.await.unwrap_or_default())).await;
    let Some(opened) = opened else {
        let why = || "Pool and table are not open yet.".to_owned();
        tell(Part::Tokens(Err(why()))).await;
        return tell(Part::History(Err(why()))).await;
    };
    tokio::join!(
        async { tell(Part::References(looking::refers(&opened, &entry.rows).await)).await },
        async {
            let history = match &opened.done {
                Ok(journal) => looking::history(journal, &entry.users, &entry.rows).await,
                Err(why) => Err(why.clone()),
            };
            tell(Part::History(history)).await;
        },
        async { tell(Part::Tokens(looking::tokens(&opened).await)).await },
    );
}
