//! A sign-in, for those whom an administrator created or an import brought: nobody confirmed them.
//!
//! Somebody is signing in who could do so without us: nothing here takes longer than 300 ms, and nothing that fails refuses
//! it. Only a contradiction does, where that is set.

use std::time::Instant;

use serde_json::Value;
use tokio::time::timeout;
use userlink_domain::{RowId, Situation};

use crate::budget::{Budget, left};
use crate::database::DatabaseError;
use crate::event::View;
use crate::function::Function;
use crate::report::Report;
use crate::settings::{OnContradiction, SignIn};

impl Function {
    pub(crate) async fn sign_in(&self, event: &Value, budget: Budget, report: &mut Report) {
        let mode = self.settings.sign_in;
        let Ok(view) = View::of(event) else { return };
        report.sub = Some(view.sub);
        let claimed = view.attribute(&self.settings.attribute);
        match (mode, claimed) {
            (SignIn::Off, _) | (SignIn::Check, None) | (SignIn::Link | SignIn::Insert, Some(_)) => return,
            (SignIn::Check, Some(_)) | (SignIn::Link | SignIn::Insert, None) => {}
        }
        if !self.breaker.lets_through(Instant::now()) {
            return report.not_linked(Situation::Unsettled.name(), "nothing was tried, as the last attempts failed");
        }
        let insert = mode == SignIn::Insert;
        let work = async {
            match claimed {
                Some(claimed) => self.check(&view, claimed, report).await,
                None => self.link(&view, insert, budget, report).await,
            }
        };
        if timeout(left(budget.end), work).await.is_err() {
            report.not_linked(Situation::Unsettled.name(), "there was no answer in time");
        }
        let failed = matches!(report.outcome, Some("unsettled" | "row_side_only"));
        self.breaker.went(!failed, Instant::now());
        if claimed.is_none() {
            self.queue_up(&view, insert, budget, report).await;
        }
    }

    /// One read: does the row that the attribute names carry the user's sub?
    async fn check(&self, view: &View<'_>, claimed: &str, report: &mut Report) {
        let began = Instant::now();
        let reading = async {
            let linking = self.linking().await?;
            let Some(id) = RowId::parse(linking.table().schema().id_kind, claimed) else { return Ok(None) };
            Ok::<_, DatabaseError>(linking.table().by_ids(&[id]).await?.pop())
        };
        let row = reading.await;
        report.database = began.elapsed();
        match row {
            Ok(Some(row)) => match row.sub() {
                Some(sub) if sub == view.sub => report.outcome = Some(Situation::Linked.name()),
                Some(_) => {
                    report.not_linked(Situation::Tangled.name(), "the attribute names a row that carries another sub");
                    report.refused = self.settings.on_contradiction == OnContradiction::Error;
                }
                None => report.not_linked(Situation::UserSideOnly.name(), "the attribute names a row without a sub"),
            },
            Ok(None) => report.not_linked(Situation::DanglingUserId.name(), "the attribute names no row"),
            Err(error) => report.not_linked(Situation::Unsettled.name(), error.to_string()),
        }
    }
}
