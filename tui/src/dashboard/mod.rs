//! The dashboard's runtime: the one loop, between the terminal, the model, and the tasks that read and write.
//!
//! Nothing here decides anything. Keys and news go into `update`, and what comes out of it is carried out by `effects`,
//! the only place that awaits the pool or the database.

mod beside;
mod choosing;
mod draft;
mod effects;
mod export;
mod glance;
mod history;
mod input;
mod kept;
mod listing;
mod marks;
#[cfg(test)]
mod pictures;
mod planning;
mod repairs;
mod run;
mod seat;
mod session;
#[cfg(test)]
mod svg;
mod terminal;
#[cfg(test)]
mod walk;
mod worker;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc;
use userlink_ui::{Effect, Event, Level, Pointer, Regions, update, view};

use crate::clock;
use crate::settings::{Context, SettingsError};
use crate::start::Start;
use input::Signal;
pub(crate) use seat::Seat;
use session::Session;
use terminal::Screen;

/// As a shell has it of a program that SIGHUP ended.
const HUNG_UP: u8 = 129;
/// News are drawn no more than sixty times a second, and keys, where more of them wait.
const FRAME: Duration = Duration::from_millis(16);

/// Opens the dashboard, and ends when the person leaves. Gives the exit code.
pub(crate) async fn run(seat: Seat, context: &Context, start: Start) -> anyhow::Result<u8> {
    let (columns, lines) = crossterm::terminal::size().context("The terminal does not say how large it is")?;
    if !userlink_ui::is_large_enough((columns, lines)) {
        let (width, height) = userlink_ui::SMALLEST;
        let text = format!(
            "The dashboard needs {width} columns and {height} lines; this terminal has {columns} and {lines}. Make it larger, or \
             use the commands: userlink scan."
        );
        return Err(SettingsError::new(text).into());
    }
    let mut signals = input::listen().context("The terminal's signals cannot be heard")?;
    let mut screen = Screen::take(seat.mouse()).context("The terminal cannot be taken over")?;
    let mut session = Session::begin(seat, context, start, (columns, lines));
    let left = until_left(&mut session, &mut screen, &mut signals).await;
    // Whatever ended it, a write under way is brought to its end. Nobody looks any more: the terminal goes back first,
    // and nothing waits for news to be heard.
    drop(screen);
    session.finish().await;
    left
}

async fn until_left(
    session: &mut Session,
    screen: &mut Screen,
    signals: &mut mpsc::UnboundedReceiver<Signal>,
) -> anyhow::Result<u8> {
    // When a frame was drawn last, and when one that news made. What answers a key does not wait because the key was drawn.
    let (mut drawn, mut news_drawn) = (None, None);
    let mut dirty = true;
    // A key is answered at once, news when the next frame is due.
    let mut urgent = true;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut logged = 0;
    // What the person sees is what is clicked at.
    let mut regions = Regions::default();
    loop {
        let last = if urgent { drawn } else { news_drawn };
        let due = last.is_none_or(|at: Instant| at.elapsed() >= FRAME);
        if dirty && (due || (urgent && signals.is_empty())) {
            if let Err(error) = screen.draw(|frame| regions = view(&session.model, frame)) {
                tracing::warn!(kind = ?error.kind(), "the terminal is gone");
                return Ok(HUNG_UP);
            }
            drawn = Some(Instant::now());
            if !urgent {
                news_drawn = drawn;
            }
            (dirty, urgent) = (false, false);
        }
        let until_frame = last.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
        // An idle screen is not drawn again for nothing.
        let changes = session.model.wants_redraw_by();
        let until_change = changes.map_or(Duration::MAX, |at| until(at.since(clock::now())));
        let event = tokio::select! {
            biased;
            signal = signals.recv() => match signal {
                Some(Signal::Input(event)) => {
                    urgent = true;
                    if matches!(*event, Event::Resize(..)) {
                        screen.draw_anew();
                    }
                    *event
                }
                Some(Signal::Mouse(press, column, line)) => {
                    urgent = true;
                    Event::Mouse(Pointer { press, target: regions.hit(column, line) })
                }
                Some(Signal::Stop) => {
                    suspend(screen)?;
                    dirty = true;
                    continue;
                }
                Some(Signal::End(code)) => return Ok(code),
                None => return Ok(1),
            },
            () = tokio::time::sleep(until_frame), if dirty => continue,
            () = tokio::time::sleep(until_change), if !dirty && changes.is_some() => Event::Tick,
            _ = second.tick() => match crate::logging::complaint() {
                Some(text) => Event::Message { level: Level::Error, text: text.to_owned() },
                None if session.model.wants_log() && crate::logging::logged() != logged => {
                    logged = crate::logging::logged();
                    Event::Log(crate::logging::lines())
                }
                None => continue,
            },
            event = session.news() => match event {
                Some(event) => event,
                None => return Ok(1),
            },
        };
        dirty = true;
        for effect in update(&mut session.model, event, clock::now()) {
            match effect {
                Effect::Quit => return Ok(0),
                Effect::Suspend => suspend(screen)?,
                Effect::Mouse(mouse) => screen.hear_mouse(mouse).context("The terminal cannot be told of the mouse")?,
                Effect::Copy(text) => screen.copy(&text).context("The terminal is gone")?,
                other => session.carry_out(other),
            }
        }
    }
}

/// Milliseconds that are still to come.
fn until(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Stops as Ctrl-Z stops any program, with the terminal as it was, and takes it again afterwards.
fn suspend(screen: &mut Screen) -> anyhow::Result<()> {
    terminal::give_back();
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
        .context("The program cannot be stopped")?;
    screen.take_again().context("The terminal cannot be taken over again")
}
