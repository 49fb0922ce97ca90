//! The commands that open no dashboard.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::sync::mpsc;
use userlink_db::{Db, MigrateOptions, migrate};
use userlink_domain::Timestamp;
use userlink_link::Change;
use userlink_pool::{Remedy, Writable};

use crate::cli::{MigrateArgs, ScanArgs};
use crate::clock;
use crate::engine::Engine;
use crate::output::{self, Before, Report};
use crate::scan::{Begin, News, scan};
use crate::settings::{Base, Context};
use crate::snapshot::{Keep, Shelf};
use crate::start::{Failure, Opened, Start};

/// Nothing to report.
pub(crate) const DONE: u8 = 0;
/// It failed.
pub(crate) const FAILED: u8 = 1;
/// The settings or the flags are wrong.
pub(crate) const WRONG: u8 = 2;
/// Entries of a situation named by `--fail-on` exist.
pub(crate) const FOUND: u8 = 3;
/// Stopped by Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Prints to standard output. Whoever reads it may have read enough.
pub(crate) fn print(of: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> anyhow::Result<u8> {
    let mut text = Vec::new();
    of(&mut text)?;
    match stdout().lock().write_all(&text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("The result cannot be written"),
        _ => Ok(DONE),
    }
}

/// Reads both sides, and prints what was found.
pub(crate) async fn run_scan(context: Context, args: &ScanArgs) -> anyhow::Result<u8> {
    let (pool, attribute) = (context.pool.pool_id.clone(), context.pool.attribute.clone());
    let stop = Stop::listen().context("Signals cannot be heard")?;
    let compared = if args.since { Compared::WithTheLast } else { Compared::WithNothing };
    let Some(Read { engine, began, before, .. }) = read_everything(context, compared, &stop).await? else {
        return Ok(INTERRUPTED);
    };
    let complete = engine.is_whole();
    // Less than all is not compared: what is held is the last scan then.
    if complete || !args.since {
        remarks(&engine, &attribute);
    }
    let report = Report { linker: &engine.linker, pool: &pool, scanned_at: began, complete, all: args.all, before };
    // Where the very first request failed there is nothing to print.
    if complete || (!args.since && engine.users + engine.rows > 0) {
        match output::write(&report, args.format, args.output.as_deref(), &stop) {
            _ if stop.is_stopped() => return Ok(INTERRUPTED),
            // Whoever read the result has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.context("The result cannot be written")?,
        }
    }
    if !complete {
        engine.failures.iter().for_each(|(text, _)| say(text));
        if engine.failures.is_empty() {
            say("The scan ended before both sides were read. Scan again; --log-file has more.");
        }
        let wrong = engine.failures.last().is_some_and(|(_, settings)| *settings);
        return Ok(if wrong { WRONG } else { FAILED });
    }
    let counts = engine.linker.counts();
    let found = args.fail_on.iter().any(|situation| counts.of(*situation) > 0);
    Ok(if found { FOUND } else { DONE })
}

/// Both sides, as they were read.
pub(crate) struct Read {
    pub(crate) opened: Opened,
    pub(crate) engine: Engine,
    pub(crate) began: Timestamp,
    /// What it is compared with.
    before: Option<Before>,
}

/// What a scan is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    WithNothing,
    WithTheLast,
}

/// Reads both sides to their ends, or as far as it goes; none where it was interrupted.
pub(crate) async fn read_everything(context: Context, compared: Compared, stop: &Stop) -> anyhow::Result<Option<Read>> {
    let context = context.for_reading();
    let last = if compared == Compared::WithTheLast { Some(last(&context)?) } else { None };
    let opened = Start::Context(Box::new(context)).open().await?;
    let now = clock::now();
    let (to, mut news) = mpsc::channel(8);
    let unfinished = opened.shelf.as_ref().and_then(|(shelf, of)| shelf.unfinished(of, now));
    let unfinished = unfinished.filter(|unfinished| {
        let has_names = unfinished.progress.as_kept.is_whole();
        if !has_names {
            say("A scan was interrupted. It is read from its beginning: of what was read names and e-mails were not kept.");
        }
        has_names
    });
    let rows_about = opened.sources.table.schema().estimated_rows;
    let fresh = || match &unfinished {
        Some(unfinished) => Engine::gathering(opened.rules.clone(), rows_about).awaiting(unfinished),
        None => Engine::gathering(opened.rules.clone(), rows_about),
    };
    let by_now = decisions(&opened, None).await;
    let (mut engine, before) = match last {
        Some(mut last) => {
            let fresh = fresh();
            if !last.can_scan_again(&fresh) {
                let text =
                    "The last scan read ids of another type: it cannot be compared with. Scan once without --since.";
                return Err(Failure { text: text.into(), settings: false }.into());
            }
            // What people had decided by then is no news.
            last.linker.apply(&decisions(&opened, Some(last.began)).await);
            let before = last.linker.earlier().map(|earlier| Before { at: last.began, earlier });
            last.scan_again(fresh);
            (last, before)
        }
        None => (fresh(), None),
    };
    let taken_back = engine.linker.taken_back();
    engine.linker.apply(&[taken_back, by_now].concat());
    let mut take = |news| {
        engine.take(news);
    };
    let begin = match unfinished.map(|unfinished| Begin::told(unfinished, &mut take)) {
        Some(Ok(begin)) => {
            say(&format!("This goes on with the scan that began at {}.", begin.began.unwrap_or(now)));
            begin
        }
        not_taken_up => {
            if let Some(Err(error)) = not_taken_up {
                tracing::warn!(kind = ?error.kind(), "a scan cannot be taken up");
                engine.scan_again(Engine::gathering(opened.rules.clone(), rows_about));
            }
            if let Some((shelf, of)) = &opened.shelf {
                match shelf.begin(of, now) {
                    Ok(writer) => engine.keep_in(writer.map(Box::new)),
                    Err(error) => say(&format!("The scan is not kept for later: {}.", error.kind())),
                }
            }
            Begin::default()
        }
    };
    let began = begin.began.unwrap_or(now);
    let mut progress = Line::new();
    let reading = tokio::spawn(scan(opened.sources.clone(), begin, to));
    loop {
        tokio::select! {
            heard = news.recv() => match heard {
                // Nobody is there to sign in: a scheduler is told now rather than kept waiting.
                Some(News::Paused(text)) if !progress.wanted => engine.take(News::Failed { text, settings: false }),
                Some(News::Paused(text)) => {
                    progress.end();
                    say(&format!("{text} This waits, and goes on by itself; Ctrl-C ends it."));
                    false
                }
                Some(heard) => engine.take(heard),
                None => break,
            },
            () = stop.stopped() => {
                reading.abort();
                progress.end();
                return Ok(None);
            }
        };
        while engine.turn() && !stop.is_stopped() {}
        progress.show(&engine);
        if !engine.failures.is_empty() {
            reading.abort();
        }
    }
    progress.end();
    engine.finish(clock::now());
    Ok(Some(Read { opened, engine, began, before }))
}

/// What people have decided; as nothing where that cannot be read, which is said.
async fn decisions(opened: &Opened, until: Option<Timestamp>) -> Vec<Change> {
    opened.decisions(until).await.unwrap_or_else(|| {
        say("What people have dismissed cannot be read: nothing counts as dismissed. --log-file has more.");
        Vec::new()
    })
}

/// The last scan, to compare with.
fn last(context: &Context) -> Result<Engine, Failure> {
    let kept = context.last_scan(clock::now()).and_then(|(kept, rules)| {
        let restored = Engine::gathering(rules, None).restored(kept);
        restored.inspect_err(|error| tracing::warn!(kind = ?error.kind(), "the last scan is damaged")).ok()
    });
    kept.ok_or_else(nothing_to_compare_with)
}

fn nothing_to_compare_with() -> Failure {
    let text = "There is no earlier scan to compare with. One is kept by every scan, unless snapshot = \"off\".";
    Failure { text: text.into(), settings: false }
}

/// Removes what is kept of scans.
pub(crate) fn run_forget(context: &str) -> anyhow::Result<u8> {
    let shelf = Shelf::of_context(context, Keep::Off).context("There is no home directory, and nothing is kept")?;
    let was_there = shelf.forget().context("What is kept cannot be removed")?;
    writeln!(stdout().lock(), "{}", if was_there { "Forgotten." } else { "Nothing is kept." })?;
    Ok(DONE)
}

/// What a person has to know besides the verdicts.
pub(crate) fn remarks(engine: &Engine, attribute: &str) {
    let malformed = engine.malformed_subs();
    if malformed > 0 {
        say(&format!("{malformed} rows have something in their sub column that is no sub; it counts as none."));
    }
    match &engine.writable {
        Some(Writable::By(clients)) => say(&format!(
            "Users can write {attribute} themselves ({}): alone it proves nothing. Take it out of WriteAttributes.",
            clients.join(", ")
        )),
        Some(Writable::Unknown(Remedy::NotPermitted)) => say(&format!(
            "Whether users can write {attribute} themselves is not known: this role may not look at the app clients."
        )),
        Some(Writable::Unknown(_)) => say(&format!(
            "Whether users can write {attribute} themselves is not known: the app clients could not be looked at."
        )),
        Some(Writable::No) | None => {}
    }
    if engine.is_complete() && (engine.users == 0 || engine.rows == 0) {
        say("One side is empty. Check that pool and table belong together.");
    }
}

/// Whether Ctrl-C was pressed: known to whoever waits, and to whoever does not.
pub(crate) struct Stop {
    flag: Arc<AtomicBool>,
}

impl Stop {
    pub(crate) fn listen() -> std::io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, flag.clone())?;
        }
        Ok(Self { flag })
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    pub(crate) async fn stopped(&self) {
        while !self.is_stopped() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Creates what is ours.
pub(crate) async fn run_migrate(base: Base, args: &MigrateArgs) -> anyhow::Result<u8> {
    if base.read_only {
        return Err(Failure { text: "This context is read-only: nothing is created.".into(), settings: true }.into());
    }
    let db = Db::connect(&base.database).await.map_err(Failure::from)?;
    let options = MigrateOptions { journal: true, users_table: args.users_table };
    let mut made = migrate(&db, &options).await.map_err(Failure::from)?;
    if args.unique_sub {
        let table = db.open(base.mapping).await.map_err(Failure::from)?;
        if table.make_sub_unique().await.map_err(Failure::from)? {
            made.push(format!("a unique index on the sub of {}", table.full_name()));
        }
    }
    let mut out = stdout().lock();
    if made.is_empty() {
        writeln!(out, "Nothing to do: everything is there.")?;
    }
    for name in made {
        writeln!(out, "{name}")?;
    }
    Ok(DONE)
}

/// A line on standard error.
pub(crate) fn say(text: &str) {
    // Where even that cannot be written there is nobody to tell.
    drop(writeln!(stderr(), "userlink: {}", userlink_ui::safe_text(text)));
}

/// How far the scan is: one line on standard error, and only where that is a terminal.
struct Line {
    shown: Option<std::time::Instant>,
    wanted: bool,
}

impl Line {
    fn new() -> Self {
        Self { shown: None, wanted: stderr().is_terminal() }
    }

    fn show(&mut self, engine: &Engine) {
        let recently = self.shown.is_some_and(|at| at.elapsed() < std::time::Duration::from_millis(200));
        if self.wanted && !recently {
            self.shown = Some(std::time::Instant::now());
            let about = engine.users_about.map(|about| format!(" of about {about}")).unwrap_or_default();
            let (users, rows) = engine.came();
            drop(write!(stderr(), "\r\x1b[K{users} users{about}, {rows} rows"));
        }
    }

    fn end(&mut self) {
        if self.shown.take().is_some() {
            drop(write!(stderr(), "\r\x1b[K"));
        }
    }
}
