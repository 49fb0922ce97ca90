//! Looking for the safe cases, when a schedule says so: both sides are read to their ends, held against each other as the
//! dashboard does it, and whoever is `row_side_only`, and safe, is linked.
//!
//! What could not be read to its end says nothing, and then nothing is written.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tokio::time::timeout;
use userlink_domain::{RecordRef, Situation, Sub, Username};
use userlink_link::{Change, Coverage, Linker, Rules};
use userlink_pool::{Listed, Listing, PoolReader, Rates};

use crate::budget::{Budget, left};
use crate::function::Function;
use crate::queue::Message;
use crate::report::{Report, write_line};

/// Where the function's own timeout is not known.
const LONGEST: Duration = Duration::from_secs(600);
/// What is kept of it for the writes and the way back: a third, and half a minute at most.
const KEPT: Duration = Duration::from_secs(30);
/// Rows in one answer.
const PAGE: u32 = 1000;
/// More than so many at once, if that is more than a tenth of the pool, is no accident: a person has a look first.
const MANY: usize = 100;

impl Function {
    /// Gives what was found. Errors are in it: a schedule has nobody who would read one.
    pub(crate) async fn look(&self, pool: &str, deadline: Option<SystemTime>, request_id: &str) -> Value {
        let began = Instant::now();
        let given = deadline.and_then(|deadline| deadline.duration_since(SystemTime::now()).ok()).unwrap_or(LONGEST);
        let until = began + (given - KEPT.min(given / 3));
        let mut said = json!({"looked_at": pool, "complete": false, "linked": 0, "failed": 0});
        match timeout(left(until), self.find_safe(pool, &mut said)).await {
            Ok(Ok(safe)) => {
                said["complete"] = json!(true);
                self.link_safe(pool, safe, deadline, request_id, &mut said).await;
            }
            Ok(Err(why)) => said["cause"] = json!(why),
            Err(_) => {
                said["cause"] = json!("there was no time to read both sides: give the function more, up to 15 minutes")
            }
        }
        write_line(request_id, "look", &said, began.elapsed());
        said
    }

    async fn find_safe(&self, pool: &str, said: &mut Value) -> Result<Vec<(Sub, Username)>, String> {
        let linking = self.linking().await.map_err(|error| error.to_string())?;
        let table = linking.table();
        let schema = table.schema();
        let mut rules = Rules::new(schema.id_kind);
        rules.sub_unique = schema.sub_unique && schema.sub_is_uuid;
        let mut linker = Linker::new(rules);

        let reader = PoolReader::connect(&self.pool_options(pool, Rates::default())).await;
        let mut listing = Listing::new(reader.map_err(|error| error.to_string())?, 0);
        let mut users = 0;
        loop {
            match listing.next().await.map_err(|error| error.to_string())? {
                Listed::Users(page) => {
                    users += page.len();
                    linker.apply(&page.into_iter().map(Change::User).collect::<Vec<_>>());
                }
                // A part that begins anew gives again whom it gave: they are the same users.
                Listed::Anew(_) => {}
                Listed::End => break,
            }
        }
        let (mut rows, mut after) = (0, None);
        loop {
            let page = table.page(after.as_ref(), PAGE).await.map_err(|error| error.to_string())?;
            rows += page.len();
            let full = page.len() == PAGE as usize;
            after = page.last().map(|row| row.id.clone());
            linker.apply(&page.into_iter().map(Change::Row).collect::<Vec<_>>());
            if !full {
                break;
            }
        }
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        let (users, rows) = {
            let (held, _) = linker.len();
            (held.min(users), rows)
        };
        said["users"] = json!(users);
        said["rows"] = json!(rows);

        let found = linker.of_situation(|situation| situation == Situation::RowSideOnly);
        let is_safe = |of: &RecordRef| linker.explain(of).is_some_and(|explanation| explanation.repair.safe);
        let safe = found.into_iter().filter(is_safe).filter_map(|of| linker.entry(&of));
        let safe: Vec<_> =
            safe.filter_map(|entry| entry.users.first().map(|user| (user.sub, user.username.clone()))).collect();
        said["safe"] = json!(safe.len());
        if safe.len() > MANY && safe.len() > users / 10 {
            return Err("more than a tenth of the pool is row_side_only: have a look with userlink before".into());
        }
        Ok(safe)
    }

    async fn link_safe(
        &self,
        pool: &str,
        safe: Vec<(Sub, Username)>,
        deadline: Option<SystemTime>,
        request_id: &str,
        said: &mut Value,
    ) {
        let (mut linked, mut failed) = (0, 0);
        let mut every = tokio::time::interval(Duration::from_millis(200));
        for (sub, username) in safe {
            // The quota is everybody's.
            every.tick().await;
            let began = Instant::now();
            let budget = Budget::new(began, self.settings.deadline, deadline, false);
            let message = Message { pool: pool.to_owned(), username, sub, insert: false };
            let mut report = Report::default();
            self.link_fresh(&message, budget, &mut report).await;
            if report.is_linked() {
                linked += 1;
            } else {
                failed += 1;
            }
            report.total = began.elapsed();
            report.write(request_id, "look");
        }
        said["linked"] = json!(linked);
        said["failed"] = json!(failed);
    }
}
