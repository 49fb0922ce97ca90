//! What the overview is told besides the counts: why it looks as it does, what it looked like before, and what is asked of
//! the pool.

use std::time::{Duration, Instant};

use userlink_link::{Circumstances, Linker, Survey};
use userlink_pool::Used;
use userlink_ui::{News, Since, Spent};

/// So many records are looked at before somebody else gets a turn: some milliseconds.
const AT_ONCE: usize = 500;
/// How long requests are counted to tell how many there are a second.
const COUNTED: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Glance {
    survey: Option<Survey>,
    since: Option<Since>,
    /// The scan before has changed, and the screen has not been told of it.
    untold: bool,
    /// When requests were counted last, and how many there had been.
    counted: Option<(Instant, [u64; 4])>,
}

impl Glance {
    /// Whether there is more to look at.
    pub(super) const fn is_looking(&self) -> bool {
        self.survey.is_some()
    }

    /// Looks at everything anew.
    pub(super) fn begin(&mut self) {
        self.survey = Some(Survey::new());
    }

    /// There is nothing to look at any more.
    pub(super) fn stop(&mut self) {
        self.survey = None;
    }

    /// Goes on a little; gives the causes when all has been looked at.
    pub(super) fn go_on(&mut self, linker: &Linker, circumstances: &Circumstances) -> Option<News> {
        let over = self.survey.as_mut()?.go_on(linker, AT_ONCE);
        if !over {
            return None;
        }
        Some(News::Causes(Some(self.survey.take()?.causes(circumstances))))
    }

    /// What was shown before has been replaced.
    pub(super) fn replaced(&mut self, before: Option<Since>) {
        if before.is_some() {
            self.since = before;
            self.untold = true;
        }
    }

    /// What the screen has to be told of.
    pub(super) fn news(&mut self, used: Option<[Used; 4]>) -> Vec<News> {
        let mut news = Vec::new();
        if std::mem::take(&mut self.untold) {
            news.push(News::Since(self.since.clone()));
        }
        let Some(used) = used else { return news };
        let made = used.map(|it| it.made);
        let (at, before) = *self.counted.get_or_insert((Instant::now(), made));
        let took = at.elapsed();
        if took >= COUNTED {
            self.counted = Some((Instant::now(), made));
            let spent = used.iter().zip(before).map(|(used, before)| Spent {
                category: used.category.to_owned(),
                per_second: used.made.saturating_sub(before) as f64 / took.as_secs_f64(),
                rate: used.rate,
                full: used.full,
                quota: used.quota,
                made: used.made,
                refused: used.refused,
            });
            news.push(News::Spent(spent.collect()));
        }
        news
    }
}
