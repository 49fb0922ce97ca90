//! The dashboard's runtime: the one loop, between the terminal, the model, and the tasks that read and write.
//!
//! Nothing here decides anything. Keys and news go into `update`, and what comes out of it is carried out by `effects`,
//! the only place that awaits the pool or the database.

mod effects;
mod input;
mod terminal;
mod worker;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc;
use userlink_ui::{Effect, Event, Level, Model, Names, Setup, update, view};

use crate::clock;
use crate::start::Start;
use effects::Effects;
use input::Signal;
use terminal::Screen;

/// No more than sixty frames a second.
const FRAME: Duration = Duration::from_millis(16);

/// Opens the dashboard, and ends when the person leaves. Gives the exit code.
pub(crate) async fn run(setup: Setup, names: Names, start: Start) -> anyhow::Result<u8> {
    let (to_model, mut events) = mpsc::channel(64);
    let mut signals = input::listen().context("The terminal's signals cannot be heard")?;
    let mut screen = Screen::take().context("The terminal cannot be taken over")?;
    let size = screen.terminal.size().context("The terminal does not say how large it is")?;
    let mut model = Model::new(setup, (size.width, size.height)).with_names(names);
    let mut effects = Effects::begin(start, to_model);
    let mut drawn = None;
    let mut dirty = true;
    loop {
        if dirty && drawn.is_none_or(|at: Instant| at.elapsed() >= FRAME) {
            screen.terminal.draw(|frame| drop(view(&model, frame))).context("The terminal cannot be written to")?;
            drawn = Some(Instant::now());
            dirty = false;
        }
        let until_frame = drawn.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
        let event = tokio::select! {
            biased;
            signal = signals.recv() => match signal {
                Some(Signal::Input(event)) => event,
                Some(Signal::Stop) => {
                    suspend(&mut screen)?;
                    dirty = true;
                    continue;
                }
                Some(Signal::End(code)) => {
                    effects.finish().await;
                    return Ok(code);
                }
                None => return Ok(1),
            },
            event = events.recv() => match event {
                Some(event) => event,
                None => return Ok(1),
            },
            () = tokio::time::sleep(until_frame), if dirty => continue,
            () = tokio::time::sleep(Duration::from_secs(1)) => match crate::logging::complaint() {
                Some(text) => Event::Message { level: Level::Error, text: text.to_owned() },
                None => Event::Tick,
            },
        };
        dirty = true;
        for effect in update(&mut model, event, clock::now()) {
            match effect {
                Effect::Quit => {
                    effects.finish().await;
                    return Ok(0);
                }
                Effect::Suspend => suspend(&mut screen)?,
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
