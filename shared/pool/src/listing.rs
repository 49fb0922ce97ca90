//! Listing the whole pool: as one sequence of pages, or as sixteen side by side where one cannot use the budget.
//!
//! A page's token leads to the next page alone, so that one sequence makes one request at a time: at 200 ms a page that is
//! five a second, whatever the budget. Filters by the first digit of the sub (`sub ^= "0"` to `"f"`) cut the pool into
//! sixteen parts that can be listed at once. Each half of that is documented by AWS, the whole is not: so it is tried
//! first, and held against what one sequence said in the end. The second digit would not do: in newer subs it clusters by
//! region.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use userlink_domain::{PoolUser, Sub};

use crate::error::{PoolError, Remedy};
use crate::reader::{Page, PageToken, PoolReader};

/// A token is good for an hour (Amazon Cognito developer guide, "Managing and searching for user accounts"); one as old
/// as this is not tried any more.
const TOKEN_AT_MOST: Duration = Duration::from_secs(55 * 60);
/// How often a part is listed from its start, at most.
const TRIES: u32 = 3;
/// Users that a page has to bring at least, on the average, for a filter to be worth its requests: a filter that is
/// applied after paging brings four of sixty.
const WORTH: usize = 45;
/// Users of a pool in which a part is tried before it is known how long a page takes.
const LARGE: u64 = 5_000;
/// More of a pool than this share of what the others hold is missing from a part only if it ended early: subs are random,
/// and their first digits spread evenly.
const DEVIATIONS: f64 = 5.0;

/// A part of the pool that is listed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shard {
    Whole,
    /// The users whose sub begins with this hex digit.
    Digit(u8),
}

impl Shard {
    pub(crate) fn filter(self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Digit(digit) => Some(format!("sub ^= \"{digit:x}\"")),
        }
    }

    /// Whether a user belongs to it.
    pub fn holds(self, sub: Sub) -> bool {
        match self {
            Self::Whole => true,
            Self::Digit(digit) => sub.shard() == digit,
        }
    }
}

/// What a listing gives.
#[derive(Debug)]
pub enum Listed {
    /// Users, none of them twice within a run over their part.
    Users(Vec<PoolUser>),
    /// A part is listed from its start again: who was given before and is not given again is gone.
    Anew(Shard),
    /// Everything was given.
    End,
}

/// How the pool is being listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Manner {
    /// One page after the other.
    Sequence,
    /// Sixteen parts at once.
    Shards,
}

/// A listing under way. After an error it can be gone on with: nothing that was given has to be given again.
#[derive(Debug)]
pub struct Listing {
    pool: PoolReader,
    /// What the pool said of its size: an estimate, nought where it said nothing.
    about: u64,
    phase: Phase,
    parts: Vec<Part>,
    /// Parts that wait for their next request.
    idle: Vec<usize>,
    requests: JoinSet<(usize, Result<Page, PoolError>)>,
    /// The page of the part that is tried, where it came before the one that it is held against.
    early: Option<Page>,
    /// Whom one sequence gave and the parts have not given yet: they have to.
    sample: HashSet<Sub>,
    out: VecDeque<Listed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// The first pages of one sequence, by which it is measured.
    Measuring,
    /// The first page of one part.
    Trying,
    Going(Manner),
    Over,
}

/// How far a listing has come: another one can go on from there, as long as the tokens are good.
#[derive(Clone, Serialize, Deserialize)]
pub struct Position {
    phase: Phase,
    parts: Vec<PartAt>,
    sample: Vec<u128>,
}

/// Says nothing of its tokens.
impl std::fmt::Debug for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Position({:?}, {} parts)", self.phase, self.parts.len())
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct PartAt {
    shard: Shard,
    token: Option<String>,
    /// How old the token was.
    age: Duration,
    pages: u64,
    users: u64,
    begun: u32,
    over: bool,
}

#[derive(Debug)]
struct Part {
    shard: Shard,
    token: Option<PageToken>,
    /// When the token came; without one, when the first page was asked for.
    since: Instant,
    pages: u64,
    users: u64,
    begun: u32,
    over: bool,
}

impl Part {
    fn new(shard: Shard) -> Self {
        Self { shard, token: None, since: Instant::now(), pages: 0, users: 0, begun: 1, over: false }
    }

    fn anew(&mut self) {
        *self = Self { begun: self.begun + 1, ..Self::new(self.shard) };
    }
}

impl Listing {
    /// A listing of a pool that says of itself that it has about so many users.
    pub fn new(pool: PoolReader, about: u64) -> Self {
        Self {
            pool,
            about,
            phase: Phase::Measuring,
            parts: vec![Part::new(Shard::Whole)],
            idle: vec![0],
            requests: JoinSet::new(),
            early: None,
            sample: HashSet::new(),
            out: VecDeque::new(),
        }
    }

    /// How far it has come with what it has given; none where there is more to give first.
    pub fn position(&self) -> Option<Position> {
        let at = |part: &Part| PartAt {
            shard: part.shard,
            token: part.token.as_ref().map(|token| token.as_str().to_owned()),
            age: part.since.elapsed(),
            pages: part.pages,
            users: part.users,
            begun: part.begun,
            over: part.over,
        };
        let sample = || self.sample.iter().map(|sub| sub.as_u128()).collect();
        let given = self.out.is_empty() && self.phase != Phase::Over;
        given.then(|| Position { phase: self.phase, parts: self.parts.iter().map(at).collect(), sample: sample() })
    }

    /// Goes on from a position that is `ago` old.
    pub fn going_on(pool: PoolReader, about: u64, position: Position, ago: Duration) -> Self {
        let mut listing = Self::new(pool, about);
        let now = Instant::now();
        let mut parts = Vec::new();
        for at in position.parts {
            let PartAt { shard, token, age, pages, users, begun, over } = at;
            let since = now.checked_sub(age + ago);
            let mut part = Part {
                shard,
                token: token.map(PageToken::new),
                since: since.unwrap_or(now),
                pages,
                users,
                begun,
                over,
            };
            // A clock that has run for less than that cannot tell how old a token is.
            if part.token.is_some() && since.is_none() {
                part.anew();
                listing.out.push_back(Listed::Anew(shard));
            }
            parts.push(part);
        }
        listing.idle = (0..parts.len()).filter(|at| !parts[*at].over).collect();
        // The sequence that was measured gives way to the parts.
        if position.phase == Phase::Going(Manner::Shards) || position.phase == Phase::Trying {
            listing.idle.retain(|at| *at > 0 || parts[0].pages == 0);
        }
        (listing.parts, listing.phase) = (parts, position.phase);
        listing.sample = position.sample.into_iter().map(Sub::from_u128).collect();
        listing
    }

    /// What comes next. May be dropped while it is waited for: what is under way is waited for by the next call.
    ///
    /// # Errors
    /// Those of the pool. A later call goes on where this one failed.
    pub async fn next(&mut self) -> Result<Listed, PoolError> {
        loop {
            if let Some(listed) = self.out.pop_front() {
                return Ok(listed);
            }
            if self.phase == Phase::Over {
                return Ok(Listed::End);
            }
            for part in std::mem::take(&mut self.idle) {
                self.request(part);
            }
            let tried = self.to_be_tried();
            let answer = tokio::select! {
                answer = self.requests.join_next() => answer,
                () = tokio::time::sleep_until(tried.unwrap_or_else(Instant::now)), if tried.is_some() => {
                    self.begin_trying();
                    continue;
                }
            };
            let Some(answer) = answer else {
                self.finish().await?;
                continue;
            };
            if let Err(error) = self.answered(answer) {
                // What went with it will most likely fail for the same reason: it is one failure, and told once.
                while let Some(answer) = self.requests.join_next().await {
                    drop(self.answered(answer));
                }
                return Err(error);
            }
        }
    }

    /// When a part is tried before the first page has come: once that took more than a turn of the budget, one sequence
    /// cannot use it. Not in a pool of a few pages, where nothing would be won.
    fn to_be_tried(&self) -> Option<Instant> {
        let is_first = self.phase == Phase::Measuring && self.parts[0].pages == 0 && !self.requests.is_empty();
        let turn = Duration::from_secs_f64(1.0 / self.pool.list_rate().max(0.1));
        (is_first && self.about >= LARGE).then(|| self.parts[0].since + turn)
    }

    fn begin_trying(&mut self) {
        self.phase = Phase::Trying;
        self.parts.push(Part::new(Shard::Digit(0)));
        self.idle.push(self.parts.len() - 1);
    }

    fn answered(&mut self, answer: Result<(usize, Result<Page, PoolError>), JoinError>) -> Result<(), PoolError> {
        let (part, answer) =
            answer.map_err(|_| PoolError::new(Remedy::Failed, "A request to the pool was given up."))?;
        match answer {
            Ok(page) if self.phase == Phase::Trying && part > 0 && self.parts[0].pages == 0 => self.early = Some(page),
            Ok(page) => {
                self.take(part, page);
                if let Some(page) = self.early.take() {
                    self.take(1, page);
                }
            }
            Err(error) if error.remedy() == Remedy::TokenExpired && self.parts[part].begun < TRIES => {
                tracing::warn!(shard = ?self.parts[part].shard, "the token is no longer good; it begins anew");
                self.begin_anew(part);
            }
            Err(error)
                if self.phase == Phase::Trying
                    && part > 0
                    && matches!(error.remedy(), Remedy::Refused | Remedy::Failed) =>
            {
                tracing::info!("filters by sub are refused here: one page after the other");
                self.go_on_in_sequence();
            }
            Err(error) => {
                self.idle.push(part);
                return Err(error);
            }
        }
        Ok(())
    }

    fn request(&mut self, at: usize) {
        let part = &mut self.parts[at];
        if part.token.is_some() && part.since.elapsed() > TOKEN_AT_MOST {
            part.anew();
            self.out.push_back(Listed::Anew(part.shard));
        }
        if part.token.is_none() {
            part.since = Instant::now();
        }
        let (pool, shard, token) = (self.pool.clone(), part.shard, part.token.clone());
        self.requests.spawn(async move { (at, pool.page_of(shard, token.as_ref()).await) });
    }

    fn begin_anew(&mut self, at: usize) {
        self.parts[at].anew();
        self.out.push_back(Listed::Anew(self.parts[at].shard));
        self.idle.push(at);
    }

    fn take(&mut self, at: usize, page: Page) {
        let Page { users, next } = page;
        let part = &mut self.parts[at];
        let strangers = users.iter().any(|user| !part.shard.holds(user.sub));
        part.pages += 1;
        part.users += users.len() as u64;
        part.over = next.is_none();
        part.since = Instant::now();
        part.token = next;
        let (over, pages, brought) = (part.over, part.pages, users.len());
        match self.phase {
            Phase::Measuring => {
                self.sample.extend(users.iter().map(|user| user.sub));
                self.phase = match (over, pages) {
                    (true, _) => Phase::Going(Manner::Sequence),
                    // The first request also made the connection, which takes two round trips more.
                    (false, 1) if self.could_be_used(3.0) => Phase::Measuring,
                    (false, 2..) if self.could_be_used(1.0) => Phase::Going(Manner::Sequence),
                    (false, _) => Phase::Trying,
                };
                if self.phase == Phase::Trying {
                    self.begin_trying();
                } else if !over {
                    self.idle.push(at);
                }
            }
            // The part was tried before this one came.
            Phase::Trying if at == 0 => {
                self.sample.extend(users.iter().map(|user| user.sub));
                if over {
                    self.go_on_in_sequence();
                }
            }
            Phase::Trying if strangers || !self.is_worth_it(at, brought) => {
                tracing::info!(brought, strangers, "filters by sub are of no use here: one page after the other");
                self.go_on_in_sequence();
            }
            Phase::Trying => {
                self.phase = Phase::Going(Manner::Shards);
                if !over {
                    self.idle.push(at);
                }
                for digit in 1..16 {
                    self.parts.push(Part::new(Shard::Digit(digit)));
                    self.idle.push(self.parts.len() - 1);
                }
            }
            Phase::Going(_) if !over => self.idle.push(at),
            Phase::Going(_) | Phase::Over => {}
        }
        if at > 0 && !self.sample.is_empty() {
            for user in &users {
                self.sample.remove(&user.sub);
            }
        }
        if !users.is_empty() {
            self.out.push_back(Listed::Users(users));
        }
    }

    /// One sequence goes on from where it is; what was tried beside it is given up.
    fn go_on_in_sequence(&mut self) {
        self.parts.truncate(1);
        self.early = None;
        self.phase = Phase::Going(Manner::Sequence);
        let whole = &self.parts[0];
        if whole.pages > 0 {
            self.requests = JoinSet::new();
            if !whole.over {
                self.idle.push(0);
            }
        }
    }

    /// Whether one request after the other uses the budget, if each takes as long as the last one and so many times less.
    fn could_be_used(&self, times: f64) -> bool {
        self.pool.list_rate() * self.pool.page_took().as_secs_f64() <= times
    }

    /// Whether a part's first page brings what a page should.
    fn is_worth_it(&self, at: usize, brought: usize) -> bool {
        let part = &self.parts[at];
        if part.over {
            // All of it on one page: then the pool has to be small, as far as is known.
            return self.about / 16 <= 2 * part.users.max(30);
        }
        brought >= WORTH
    }

    fn begin_whole(&mut self) {
        self.parts = vec![Part::new(Shard::Whole)];
        self.phase = Phase::Going(Manner::Sequence);
        self.out.push_back(Listed::Anew(Shard::Whole));
        self.idle.push(0);
    }

    /// All that was asked for has come. Is it everything?
    async fn finish(&mut self) -> Result<(), PoolError> {
        if self.phase != Phase::Going(Manner::Shards) {
            self.phase = Phase::Over;
            return Ok(());
        }
        let shards = &self.parts[1..];
        let mean = shards.iter().map(|part| part.users).sum::<u64>() as f64 / shards.len() as f64;
        let least = mean - DEVIATIONS * mean.sqrt();
        let all: u64 = shards.iter().map(|part| part.users).sum();
        // An estimate is no truth; but so many fewer are not chance.
        let too_few = self.about > 0 && all < self.about / 10 * 9;
        let still_short = shards.iter().any(|part| (part.users as f64) < least && part.begun > 1);
        if too_few || still_short {
            tracing::warn!(all, about = self.about, "the parts do not add up to the whole: one page after the other");
            self.begin_whole();
            return Ok(());
        }
        let short: Vec<usize> = (1..self.parts.len())
            .filter(|at| (self.parts[*at].users as f64) < least && self.parts[*at].begun == 1)
            .collect();
        if !short.is_empty() {
            tracing::warn!(parts = short.len(), "parts ended early; they are listed once more");
            short.into_iter().for_each(|at| self.begin_anew(at));
            return Ok(());
        }
        // Who is missing may have been deleted meanwhile.
        for sub in self.sample.clone() {
            if self.pool.by_sub(sub).await?.is_some() {
                tracing::warn!("the parts do not add up to the whole: one page after the other");
                self.begin_whole();
                return Ok(());
            }
            self.sample.remove(&sub);
        }
        self.phase = Phase::Over;
        Ok(())
    }
}
