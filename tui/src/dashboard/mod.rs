//! The dashboard's runtime: the one loop, between the terminal, the model, and the tasks that read and write.
//!
//! Nothing here decides anything. Keys and news go into `update`, and what comes out of it is carried out by `effects`,
//! the only place that awaits the pool or the database.

mod draft;
mod effects;
mod input;
mod marks;
mod planning;
mod repairs;
mod terminal;
mod worker;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc;
use userlink_ui::{Effect, Event, Keys, Level, Model, Names, Setup, update, view};

use crate::clock;
use crate::start::Start;
use effects::Effects;
use input::Signal;
use terminal::Screen;

/// As a shell has it of a program that SIGHUP ended.
const HUNG_UP: u8 = 129;
/// No more than sixty frames a second, but for keys.
const FRAME: Duration = Duration::from_millis(16);

/// Opens the dashboard, and ends when the person leaves. Gives the exit code.
pub(crate) async fn run(setup: Setup, names: Names, keys: Keys, start: Start) -> anyhow::Result<u8> {
    let (to_model, mut events) = mpsc::channel(64);
    let mut signals = input::listen().context("The terminal's signals cannot be heard")?;
    let mut screen = Screen::take().context("The terminal cannot be taken over")?;
    let size = screen.terminal.size().context("The terminal does not say how large it is")?;
    let mut model = Model::new(setup, (size.width, size.height)).with_names(names).with_keys(keys);
    let mut effects = Effects::begin(start, to_model);
    let left = until_left(&mut model, &mut effects, &mut screen, &mut signals, &mut events).await;
    // Whatever ended it, a write under way is brought to its end. Nobody looks any more: the terminal goes back first,
    // and nothing waits for news to be heard.
    drop(screen);
    events.close();
    if model.is_writing() {
        crate::commands::say(
            "A repair is being written: this ends when the steps under way are read back and journalled.",
        );
    }
    effects.finish().await;
    left
}

async fn until_left(
    model: &mut Model,
    effects: &mut Effects,
    screen: &mut Screen,
    signals: &mut mpsc::UnboundedReceiver<Signal>,
    events: &mut mpsc::Receiver<Event>,
) -> anyhow::Result<u8> {
    let mut drawn = None;
    let mut dirty = true;
    // A key is answered at once, news when the next frame is due.
    let mut urgent = true;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        let due = drawn.is_none_or(|at: Instant| at.elapsed() >= FRAME);
        if dirty && (due || (urgent && signals.is_empty())) {
            if let Err(error) = screen.draw(|frame| drop(view(model, frame))) {
                tracing::warn!(kind = ?error.kind(), "the terminal is gone");
                return Ok(HUNG_UP);
            }
            drawn = Some(Instant::now());
            (dirty, urgent) = (false, false);
        }
        let until_frame = drawn.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
        let event = tokio::select! {
            biased;
            signal = signals.recv() => match signal {
                Some(Signal::Input(event)) => {
                    urgent = true;
                    event
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
            _ = second.tick() => match crate::logging::complaint() {
                Some(text) => Event::Message { level: Level::Error, text: text.to_owned() },
                // An idle screen is not drawn again for nothing.
                None if model.wants_redraw_by().is_none_or(|at| clock::now() < at) => continue,
                None => Event::Tick,
            },
            event = events.recv() => match event {
                Some(event) => event,
                None => return Ok(1),
            },
        };
        dirty = true;
        for effect in update(model, event, clock::now()) {
            match effect {
                Effect::Quit => return Ok(0),
                Effect::Suspend => suspend(screen)?,
                other => effects.carry_out(other),
            }
        }
    }
}

/// Stops as Ctrl-Z stops any program, with the terminal as it was, and takes it again afterwards.
fn suspend(screen: &mut Screen) -> anyhow::Result<()> {
    terminal::give_back();
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
        .context("The program cannot be stopped")?;
    screen.take_again().context("The terminal cannot be taken over again")
}
