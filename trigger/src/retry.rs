//! Working off the retry queue. Every user is read fresh: what the event said may be days old.

use std::time::{Instant, SystemTime};

use serde_json::{Value, json};
use tokio::time::timeout;
use userlink_domain::Situation;
use userlink_pool::Remedy;

use crate::budget::{Budget, left};
use crate::event::View;
use crate::function::Function;
use crate::queue::{Message, Queue};
use crate::report::{Queued, Report};

/// What becomes of a message.
enum Fate {
    /// Linked, or nobody is left to be linked.
    Done,
    /// It may work out later.
    Again,
    /// Only a person can help.
    Person,
}

impl Function {
    /// Gives what SQS asks for: the messages that are to come back.
    pub(crate) async fn retry(&self, records: &[Value], deadline: Option<SystemTime>, request_id: &str) -> Value {
        let mut failed = Vec::new();
        for record in records {
            let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
            let mut report = Report::default();
            let began = Instant::now();
            let budget = Budget::new(began, self.settings.deadline, deadline, true);
            let fate = self.work_off(text("body"), budget, &mut report).await;
            if !self.is_settled(record, fate, budget, &mut report).await {
                failed.push(json!({"itemIdentifier": text("messageId")}));
            }
            report.total = began.elapsed();
            report.write(request_id, "retry");
        }
        json!({"batchItemFailures": failed})
    }

    async fn work_off(&self, body: &str, budget: Budget, report: &mut Report) -> Fate {
        let Some(message) = Message::read(body) else {
            report.not_linked(Situation::Unsettled.name(), "the message does not say who is meant");
            return Fate::Person;
        };
        self.link_fresh(&message, budget, report).await;
        match report.outcome {
            None | Some("linked" | "unlinked_inactive") => Fate::Done,
            Some("unsettled" | "row_side_only") => Fate::Again,
            // Who signed in and has no row is not owed one.
            Some("no_row") if !message.insert => Fate::Done,
            Some(_) => Fate::Person,
        }
    }

    /// Links somebody as the pool has them now.
    pub(crate) async fn link_fresh(&self, message: &Message, budget: Budget, report: &mut Report) {
        report.sub = Some(message.sub);
        let asking = async { self.pool(&message.pool).await?.current_with_attributes(&message.username).await };
        let began = Instant::now();
        let asked = timeout(left(budget.end), asking).await;
        let read = began.elapsed();
        match asked {
            Ok(Ok((user, _))) if user.sub != message.sub => report.cause = Some("the username is another's now".into()),
            Ok(Ok((user, _))) if !user.is_expected() => {
                report.outcome = Some(Situation::UnlinkedInactive.name());
                report.cause = Some("the user is not expected to be linked".into());
            }
            Ok(Ok((user, attributes))) => {
                let view = View::of_user(&message.pool, &user, attributes);
                self.link(&view, message.insert, budget, report).await;
            }
            Ok(Err(error)) if error.remedy() == Remedy::UserMissing => {
                report.cause = Some("the user is gone".into());
            }
            Ok(Err(error)) => report.not_linked(Situation::Unsettled.name(), error.to_string()),
            Err(_) => report.not_linked(Situation::Unsettled.name(), "the pool did not answer in time"),
        }
        report.pool += read;
    }

    /// Whether SQS may delete the message.
    async fn is_settled(&self, record: &Value, fate: Fate, budget: Budget, report: &mut Report) -> bool {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let received = record.pointer("/attributes/ApproximateReceiveCount").and_then(Value::as_str);
        let received: u32 = received.and_then(|count| count.parse().ok()).unwrap_or(1);
        // Without the queue's URL SQS does what it does with a message that failed: it comes back, and in the end it is dead.
        let Some(queue) = &self.queue else { return matches!(fate, Fate::Done) };
        let end = budget.queue_end;
        let dead = match fate {
            Fate::Done => return true,
            Fate::Person => true,
            Fate::Again => is_last(queue, received, end).await,
        };
        if dead {
            match queue.bury(text("body"), report.outcome.unwrap_or("unsettled"), end).await {
                Ok(true) => {
                    report.queued = Some(Queued::Dead);
                    return true;
                }
                // It has none: the message stays where it is, for a person to find.
                Ok(false) => {}
                Err(error) => report.queued = Some(Queued::No(error.to_string())),
            }
        }
        if let Err(error) = queue.later(text("receiptHandle"), received, end).await {
            report.queued = Some(Queued::No(error.to_string()));
        }
        false
    }
}

async fn is_last(queue: &Queue, received: u32, end: Instant) -> bool {
    matches!(queue.redrive(end).await, Ok(Some(redrive)) if received >= redrive.attempts)
}
