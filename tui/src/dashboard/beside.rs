//! Looks somebody up for a ticket, and finds out what stands beside an entry: in the background, a part at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use userlink_domain::RecordRef;
use userlink_link::Entry;
use userlink_ui::{Event, Found, Part};

use super::planning::with;
use super::worker::Question;
use crate::clock;
use crate::looking::{self, Looked};
use crate::start::Opened;

/// How long a verdict waits for what the scan has of it.
const SOON: Duration = Duration::from_millis(200);

type ToWorker = mpsc::UnboundedSender<Question>;

/// Whoever is called so, read from both sides just now.
pub(super) async fn look_up(opened: &Opened, worker: &ToWorker, who: &str) -> Result<Box<Found>, String> {
    let looked = looking::look(opened, who).await.map_err(|failure| failure.to_string())?;
    let Some(Looked { of, linker, not_looked_at }) = looked else {
        return Err("Nobody is called so, neither user nor row: not by e-mail, sub, username or row id.".to_owned());
    };
    let gone = || "The records are gone.".to_owned();
    let of_scan = of.clone();
    // Without a linker there is no scan to compare with; and a linker that has much to take in keeps nobody waiting.
    let scanned = with(worker, move |engine, _| engine.linker.entry(&of_scan).map(|entry| entry.situation));
    let scanned = tokio::time::timeout(SOON, scanned).await.unwrap_or_else(|late| Err(late.to_string()));
    Ok(Box::new(Found {
        entry: linker.entry(&of).ok_or_else(gone)?,
        explanation: linker.explain(&of).ok_or_else(gone)?,
        candidates: looking::pairs(&linker, &of),
        not_looked_at,
        scanned: scanned.ok().flatten(),
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
    let of_pairs = of.clone();
    let pairs = with(worker, move |engine, _| looking::pairs(&engine.linker, &of_pairs)).await;
    tell(Part::Candidates(pairs.unwrap_or_default())).await;
    let Some(opened) = opened else {
        let why = || "Pool and table are not open yet.".to_owned();
        tell(Part::Tokens(Err(why()))).await;
        return tell(Part::History(Err(why()))).await;
    };
    tokio::join!(
        async { tell(Part::References(looking::refers(&opened, &entry.rows).await)).await },
        async {
            let history = match &opened.journal {
                Ok(journal) => looking::history(journal, &entry.users, &entry.rows).await,
                Err(why) => Err(why.clone()),
            };
            tell(Part::History(history)).await;
        },
        async { tell(Part::Tokens(looking::tokens(&opened).await)).await },
    );
}
