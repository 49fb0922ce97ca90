//! `userlink probe`: how a real pool answers when it is listed. No emulator can tell.
//!
//! It reads, and nothing else: five pages one after the other, then the first page of each of sixteen parts, all within the
//! budget, and a hundred requests at most, however often the pool refuses. It shows numbers, and nobody's data.

use std::collections::HashSet;
use std::io::Write;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use userlink_domain::Sub;
use userlink_pool::{Page, PoolError, PoolReader, Shard};

use crate::commands::DONE;
use crate::scan::wrong_account;
use crate::settings::Context;
use crate::start::Failure;

/// Pages that are read one after the other.
const PAGES: usize = 5;
/// Requests in all.
const REQUESTS: u64 = 100;
/// Users that a page holds at most.
const FULL: usize = 60;

pub(crate) async fn run(context: Context) -> anyhow::Result<u8> {
    let pool = PoolReader::connect(&context.pool).await.map_err(Failure::from)?;
    pool.limit(REQUESTS);
    let described = pool.describe().await.map_err(Failure::from)?;
    if context.account.is_some() && context.account != described.account {
        return Err(Failure { text: wrong_account(described.account.as_deref()), settings: true }.into());
    }
    let about = described.estimated_users;
    let probed = async { Ok::<_, PoolError>((one_by_one(&pool).await?, side_by_side(&pool).await?)) }.await;
    let mut out = std::io::stdout().lock();
    let ((sequence, seen), parts) = match probed {
        Ok(probed) => probed,
        Err(error) => {
            let meter = pool.meter();
            writeln!(out, "requests that listed: {}; refused as too many: {}", meter.listed, meter.throttled)?;
            return Err(Failure::from(error).into());
        }
    };
    writeln!(out, "{}: about {about} users by its own estimate", context.pool.pool_id)?;
    writeln!(out, "one page after the other: {}", told(&sequence))?;
    writeln!(out, "sixteen parts by the first digit of the sub, at once: {}", told(&parts.pages))?;
    writeln!(out, "  answered: {} of 16; with users of other parts: {}", parts.pages.len(), parts.with_strangers)?;
    let found = seen.iter().filter(|sub| parts.subs.contains(sub)).count();
    writeln!(out, "  of the {} users above, {found} came again (all do where a part is one page)", seen.len())?;
    let meter = pool.meter();
    writeln!(out, "requests that listed: {}; refused as too many: {}", meter.listed, meter.throttled)?;
    let needed = about.div_ceil(FULL as u64);
    let median = median(&sequence).as_secs_f64();
    let rate = pool.list_rate();
    writeln!(
        out,
        "a whole scan: {needed} requests; {} at {rate} a second, {} one page after the other",
        minutes(needed as f64 / rate),
        minutes(needed as f64 * median.max(1.0 / rate))
    )?;
    Ok(DONE)
}

/// How long a page took, and how many users it brought.
type Answer = (Duration, usize);

async fn one_by_one(pool: &PoolReader) -> Result<(Vec<Answer>, Vec<Sub>), PoolError> {
    let (mut answers, mut seen, mut token) = (Vec::new(), Vec::new(), None);
    for _ in 0..PAGES {
        let (took, Page { users, next }) = timed(pool, Shard::Whole, token.take()).await?;
        answers.push((took, users.len()));
        seen.extend(users.iter().map(|user| user.sub));
        token = next;
        if token.is_none() {
            break;
        }
    }
    Ok((answers, seen))
}

#[derive(Default)]
struct Parts {
    pages: Vec<Answer>,
    with_strangers: usize,
    subs: HashSet<Sub>,
}

async fn side_by_side(pool: &PoolReader) -> Result<Parts, PoolError> {
    let mut requests = JoinSet::new();
    for digit in 0..16 {
        let pool = pool.clone();
        requests.spawn(async move {
            let shard = Shard::Digit(digit);
            timed(&pool, shard, None).await.map(|(took, page)| (shard, took, page))
        });
    }
    let mut parts = Parts::default();
    while let Some(answer) = requests.join_next().await {
        let Ok(answer) = answer else { continue };
        let (shard, took, page) = answer?;
        parts.with_strangers += usize::from(page.users.iter().any(|user| !shard.holds(user.sub)));
        parts.subs.extend(page.users.iter().map(|user| user.sub));
        parts.pages.push((took, page.users.len()));
    }
    Ok(parts)
}

/// A page, and how long it took once its turn in the budget had come.
async fn timed(
    pool: &PoolReader,
    shard: Shard,
    after: Option<userlink_pool::PageToken>,
) -> Result<(Duration, Page), PoolError> {
    let began = Instant::now();
    let page = pool.page_of(shard, after.as_ref()).await?;
    Ok((began.elapsed().min(pool.page_took().max(Duration::from_micros(1))), page))
}

fn median(answers: &[Answer]) -> Duration {
    let mut times: Vec<Duration> = answers.iter().map(|(took, _)| *took).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn told(answers: &[Answer]) -> String {
    let users: usize = answers.iter().map(|(_, users)| users).sum();
    let most = answers.iter().map(|(took, _)| *took).max().unwrap_or_default();
    format!(
        "{} requests, {:.1} users each; {} ms in the median, {} ms at most",
        answers.len(),
        users as f64 / answers.len().max(1) as f64,
        median(answers).as_millis(),
        most.as_millis()
    )
}

fn minutes(seconds: f64) -> String {
    if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.1} min", seconds / 60.0) }
}
