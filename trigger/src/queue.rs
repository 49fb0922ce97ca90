//! The retry queue (SQS): who was not linked waits there, and whom only a person can help goes on to its dead letters.
//!
//! A message says which user, by pool, username and sub, and nothing else of anybody.

use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use userlink_domain::{Sub, Username};

use crate::aws;
use crate::budget::{left, tried};

/// What one request may take.
const ATTEMPT: Duration = Duration::from_millis(500);
/// A message waits so long before its second attempt, and each time twice as long.
const FIRST_WAIT: u32 = 30;
/// One hour.
const LONGEST_WAIT: u32 = 3600;

/// Why nothing was queued.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum QueueError {
    #[error("The retry queue did not answer in time. In a VPC it needs an endpoint, or NAT.")]
    Unreachable,
    #[error("The retry queue refused ({code}). Check USERLINK_RETRY_QUEUE_URL, and what the role may do on the queue.")]
    Refused { code: String },
}

/// Whom to link.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) pool: String,
    pub(crate) username: Username,
    pub(crate) sub: Sub,
    /// Whether a row may be inserted. Not where a password was reset, nor where sign-ins insert none.
    pub(crate) insert: bool,
}

impl Message {
    pub(crate) fn read(body: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(body).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        Some(Self {
            pool: text("pool")?.to_owned(),
            username: Username::new(text("username")?),
            sub: Sub::parse(text("sub")?)?,
            insert: value.get("insert").and_then(Value::as_bool).unwrap_or(true),
        })
    }

    fn written(&self) -> String {
        let mut value = json!({"pool": self.pool, "username": self.username.as_str(), "sub": self.sub.to_string()});
        if !self.insert {
            value["insert"] = json!(false);
        }
        value.to_string()
    }
}

/// Where dead letters go, and after how many attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redrive {
    url: String,
    pub(crate) attempts: u32,
}

pub(crate) struct Queue {
    url: String,
    region: Option<String>,
    client: OnceCell<Client>,
    redrive: OnceCell<Option<Redrive>>,
}

impl Queue {
    pub(crate) fn new(url: String, region: Option<String>) -> Self {
        Self { url, region, client: OnceCell::new(), redrive: OnceCell::new() }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(async || Client::new(&aws::config(self.region.as_deref()).await)).await
    }

    /// Queues somebody, with the outcome that this is about.
    pub(crate) async fn send(&self, message: &Message, reason: &str, end: Instant) -> Result<(), QueueError> {
        self.send_to(&self.url, &message.written(), reason, end).await
    }

    async fn send_to(&self, url: &str, body: &str, reason: &str, end: Instant) -> Result<(), QueueError> {
        let reason = MessageAttributeValue::builder().data_type("String").string_value(reason).build().ok();
        let act = async |_| {
            let request = self.client().await.send_message().queue_url(url).message_body(body);
            let request = match &reason {
                Some(reason) => request.message_attributes("reason", reason.clone()),
                None => request,
            };
            request.send().await.map(drop).map_err(|error| class(&error))
        };
        let unreachable = || QueueError::Unreachable;
        tried(end, ATTEMPT, act, |error| *error == QueueError::Unreachable, unreachable).await
    }

    /// A message that could not be worked off comes back later each time.
    pub(crate) async fn later(&self, receipt: &str, attempts: u32, end: Instant) -> Result<(), QueueError> {
        let wait = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1).min(12)).min(LONGEST_WAIT);
        let wait = i32::try_from(wait).unwrap_or(i32::MAX);
        let request = async {
            let request = self.client().await.change_message_visibility().queue_url(&self.url);
            request.receipt_handle(receipt).visibility_timeout(wait).send().await
        };
        match timeout(left(end).min(ATTEMPT), request).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(class(&error)),
            Err(_) => Err(QueueError::Unreachable),
        }
    }

    /// Sends a message to the dead letters with the reason. False where the queue has none.
    pub(crate) async fn bury(&self, body: &str, reason: &str, end: Instant) -> Result<bool, QueueError> {
        let Some(redrive) = self.redrive(end).await? else { return Ok(false) };
        self.send_to(&redrive.url, body, reason, end).await.map(|()| true)
    }

    /// The queue's own redrive policy. Its dead letters are in the same account and region.
    pub(crate) async fn redrive(&self, end: Instant) -> Result<&Option<Redrive>, QueueError> {
        let ask = async || {
            let request = async {
                let request = self.client().await.get_queue_attributes().queue_url(&self.url);
                request.attribute_names(QueueAttributeName::RedrivePolicy).send().await
            };
            let answer = timeout(left(end).min(ATTEMPT), request).await.map_err(|_| QueueError::Unreachable)?;
            let answer = answer.map_err(|error| class(&error))?;
            let policy = answer.attributes().and_then(|all| all.get(&QueueAttributeName::RedrivePolicy));
            Ok(policy.and_then(|policy| redrive(&self.url, policy)))
        };
        self.redrive.get_or_try_init(ask).await
    }
}

fn redrive(url: &str, policy: &str) -> Option<Redrive> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let name = policy.get("deadLetterTargetArn")?.as_str()?.rsplit(':').next()?;
    let attempts = policy.get("maxReceiveCount")?;
    let attempts = attempts.as_u64().or_else(|| attempts.as_str()?.parse().ok())?;
    let (place, _) = url.trim_end_matches('/').rsplit_once('/')?;
    Some(Redrive { url: format!("{place}/{name}"), attempts: u32::try_from(attempts).ok()? })
}

fn class<E: ProvideErrorMetadata>(error: &SdkError<E>) -> QueueError {
    match error.as_service_error() {
        Some(refused) if error.raw_response().is_some_and(|raw| raw.status().as_u16() < 500) => {
            let code = refused.code().unwrap_or_default();
            QueueError::Refused {
                code: code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').take(64).collect(),
            }
        }
        _ => QueueError::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop here")]
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written_and_by_the_three_names_alone() {
        let sub = Sub::parse("92f7d159-1110-4598-bba5-08878564dd9a").unwrap();
        let message = Message { pool: "eu-west-1_A".into(), username: Username::new("a\"b"), sub, insert: false };
        let again = Message::read(&message.written()).unwrap();
        assert_eq!((again.username.as_str(), again.sub, again.insert), ("a\"b", sub, false));
        let short = format!(r#"{{"pool":"eu-west-1_A","username":"a","sub":"{sub}"}}"#);
        assert!(Message::read(&short).unwrap().insert);
        for wrong in ["", "{}", "[]", r#"{"pool":"p","username":" ","sub":"x"}"#] {
            assert!(Message::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn dead_letters_are_beside_the_queue() {
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":"5"}"#;
        let found = redrive("https://sqs.eu-west-1.amazonaws.com/123456789012/retry", policy).unwrap();
        assert_eq!(found, Redrive { url: "https://sqs.eu-west-1.amazonaws.com/123456789012/dead".into(), attempts: 5 });
        assert_eq!(redrive("https://sqs/1/q", "{}"), None);
    }
}
