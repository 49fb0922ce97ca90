//! ListUsers: pages, tokens, and how far behind it may be.

use std::time::Duration;

use serde_json::{Value, json};

use crate::filter::Filter;
use crate::operations::{Asked, Pool, listed};
use crate::refusal::Refusal;

/// Users of a page at most (API reference, ListUsers, `Limit`).
const PAGE: u64 = 60;
/// How long a listing's token is good (Amazon Cognito developer guide, "Searching for users using the ListUsers API").
const TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// How many users are looked at for one page: a rare one must not keep everybody else waiting. Such a page is short, or
/// empty, and not the last.
const LOOKS_AT: usize = 50_000;

impl Pool {
    pub(crate) fn list(&mut self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let input = asked.input;
        let limit = limit(input)?;
        let text = input["Filter"].as_str().unwrap_or_default();
        let filter = Filter::parse(text)?;
        let from = match input["PaginationToken"].as_str() {
            None => 0,
            Some(token) => self.read_token(token, text, asked)?,
        };
        self.pages += 1;
        let holds = asked.faults.page_size(limit, asked.number);
        let looks_at = if asked.faults.filter_after_paging { holds } else { LOOKS_AT };
        let then = asked.at.listed();
        let wanted = input["AttributesToGet"].as_array();
        let mut users = Vec::new();
        let mut next = None;
        for (looked, index) in self.store.candidates(filter.as_ref(), from).enumerate() {
            if looked >= looks_at {
                next = Some(index);
                break;
            }
            if filter.as_ref().is_some_and(|filter| self.store.rules_out(filter, index)) {
                continue;
            }
            let Some(user) = self.store.at(index, then) else { continue };
            if filter.as_ref().is_some_and(|filter| !filter.admits(&user)) {
                continue;
            }
            if users.len() >= holds {
                next = Some(index);
                break;
            }
            users.push(listed(&user, wanted)?);
        }
        let mut answer = json!({"Users": users});
        if let Some(next) = next {
            answer["PaginationToken"] = json!(format!("{next}.{}.{:x}", asked.at.clock.as_secs(), fingerprint(text)));
        }
        Ok(answer)
    }

    fn read_token(&mut self, token: &str, filter: &str, asked: &Asked<'_>) -> Result<u64, Refusal> {
        let invalid = || Refusal::parameter("Invalid pagination token given.");
        if self.token_expires_after.is_some_and(|after| self.pages >= after) {
            self.token_expires_after = None;
            return Err(invalid());
        }
        let mut parts = token.split('.');
        let mut part = || parts.next().ok_or_else(invalid);
        let next = part()?.parse().map_err(|_| invalid())?;
        let made: u64 = part()?.parse().map_err(|_| invalid())?;
        let of_filter = part()? == format!("{:x}", fingerprint(filter));
        let fresh = asked.at.clock.as_secs().saturating_sub(made) < TOKEN_LIFE.as_secs();
        if of_filter && fresh { Ok(next) } else { Err(invalid()) }
    }
}

fn limit(input: &Value) -> Result<usize, Refusal> {
    let limit = match &input["Limit"] {
        Value::Null => PAGE,
        limit => limit.as_u64().filter(|limit| *limit <= PAGE).ok_or_else(|| Refusal::too_large("limit", PAGE))?,
    };
    Ok(usize::try_from(if limit == 0 { PAGE } else { limit }).unwrap_or_default())
}

/// Binds a token to its filter.
fn fingerprint(filter: &str) -> u64 {
    filter.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
