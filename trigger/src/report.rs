//! What is said of an invocation: a line of JSON for people, one of metrics for CloudWatch, and an answer to Cognito.
//!
//! Never in any of them: an e-mail, a name, a username, a token, a password. The sub is there, so that an entry of the
//! dashboard can be found by it.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use thiserror::Error;
use userlink_domain::Sub;

/// Why the event does not go back. The text reaches the end user's screen, so there is one for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("The account could not be set up completely. Please contact support.")]
    NotLinked,
}

impl From<Refusal> for Diagnostic {
    fn from(refusal: Refusal) -> Self {
        Self { error_type: "NotLinked".into(), error_message: refusal.to_string() }
    }
}

/// Whether the link that was not made is in the retry queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    Yes,
    /// Among the dead letters, for a person.
    Dead,
    No(String),
}

impl Queued {
    fn name(&self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Dead => "dead_letter",
            Self::No(_) => "failed",
        }
    }
}

/// What came of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// A situation's name, or `email_taken`; none where the event did not concern us.
    pub(crate) outcome: Option<&'static str>,
    pub(crate) sub: Option<Sub>,
    /// How the row came to carry the sub: `found`, `adopted` or `inserted`.
    pub(crate) row: Option<&'static str>,
    /// The event brought another row's id along.
    pub(crate) claimed_another: bool,
    /// What failed, in words without data.
    pub(crate) cause: Option<String>,
    /// What became of it in the retry queue.
    pub(crate) queued: Option<Queued>,
    /// What would make it quicker.
    pub(crate) advice: Option<&'static str>,
    pub(crate) refused: bool,
    pub(crate) cold: bool,
    pub(crate) database: Duration,
    pub(crate) pool: Duration,
    pub(crate) total: Duration,
}

impl Report {
    pub(crate) fn not_linked(&mut self, outcome: &'static str, cause: impl Into<String>) {
        self.outcome = Some(outcome);
        self.cause = Some(cause.into());
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.outcome == Some("linked")
    }

    /// Writes both lines. Where they cannot be written nobody can be told.
    pub(crate) fn write(&self, request_id: &str, trigger: &str) {
        let mut lines = self.line(request_id, trigger).to_string();
        lines.push('\n');
        if let Some(metrics) = self.metrics() {
            lines.push_str(&metrics.to_string());
            lines.push('\n');
        }
        print(&lines);
    }

    fn line(&self, request_id: &str, trigger: &str) -> Value {
        let level = match (self.outcome, self.is_linked(), self.claimed_another) {
            (None, ..) | (_, true, false) => "INFO",
            (_, true, true) => "WARN",
            _ => "ERROR",
        };
        let mut line = json!({
            "at": now(), "level": level, "request_id": request_id, "trigger": trigger, "outcome": self.outcome,
            "ms": {"database": millis(self.database), "pool": millis(self.pool), "total": millis(self.total)},
        });
        if let Some(sub) = self.sub {
            line["sub"] = json!(sub.to_string());
        }
        if let Some(row) = self.row {
            line["row"] = json!(row);
        }
        if self.claimed_another {
            line["attack"] = json!("the event brought along an id that is not this user's; it counts for nothing");
        }
        if let Some(cause) = &self.cause {
            line["cause"] = json!(cause);
        }
        if let Some(queued) = &self.queued {
            line["queued"] = json!(queued.name());
            if let Queued::No(why) = queued {
                line["queue"] = json!(why);
            }
        }
        if let Some(advice) = self.advice {
            line["advice"] = json!(advice);
        }
        if self.cold {
            line["cold"] = json!(true);
        }
        if self.refused {
            line["refused"] = json!(true);
        }
        line
    }

    /// In CloudWatch's embedded metric format.
    fn metrics(&self) -> Option<Value> {
        let outcome = self.outcome?;
        let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        let metrics = [
            metric("Confirmations", "Count"),
            metric("NotLinked", "Count"),
            metric("Queued", "Count"),
            metric("NotQueued", "Count"),
            metric("DeadLetters", "Count"),
            metric("ColdStarts", "Count"),
            metric("ClaimedAnother", "Count"),
            metric("DatabaseTime", "Milliseconds"),
            metric("PoolTime", "Milliseconds"),
            metric("TotalTime", "Milliseconds"),
        ];
        Some(json!({
            "_aws": {"Timestamp": now(), "CloudWatchMetrics":
                [{"Namespace": "Userlink", "Dimensions": [[], ["Outcome"]], "Metrics": metrics}]},
            "Outcome": outcome,
            "Confirmations": 1,
            "NotLinked": u8::from(!self.is_linked()),
            "Queued": u8::from(self.queued == Some(Queued::Yes)),
            "NotQueued": u8::from(matches!(self.queued, Some(Queued::No(_)))),
            "DeadLetters": u8::from(self.queued == Some(Queued::Dead)),
            "ColdStarts": u8::from(self.cold),
            "ClaimedAnother": u8::from(self.claimed_another),
            "DatabaseTime": millis(self.database),
            "PoolTime": millis(self.pool),
            "TotalTime": millis(self.total),
        }))
    }
}

/// Writes a line about something that is no user's: a schedule's run.
pub(crate) fn write_line(request_id: &str, trigger: &str, said: &Value, took: Duration) {
    let level = if said["cause"].is_null() && said["failed"] == json!(0) { "INFO" } else { "ERROR" };
    let mut line = json!({"at": now(), "level": level, "request_id": request_id, "trigger": trigger, "ms": {"total": millis(took)}});
    if let (Some(line), Some(said)) = (line.as_object_mut(), said.as_object()) {
        line.extend(said.clone());
    }
    print(&format!("{line}\n"));
}

fn print(lines: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(lines.as_bytes()).and_then(|()| out.flush()));
}

/// To a tenth.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}
