//! The terminal: taken over, and given back as it was, however the program ends.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue, style};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// The terminal while it is ours.
pub(super) struct Screen {
    /// Whether the mouse is heard.
    mouse: bool,
    /// Never dropped: it would show the cursor, which is done here, and would panic where the terminal is gone.
    pub(super) terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Screen {
    pub(super) fn take(mouse: bool) -> io::Result<Self> {
        // With NO_COLOR the library would drop bold and reverse, too, and with them the selection. We have a theme for that.
        style::force_color_output(true);
        give_back_on_panic();
        enter(mouse)?;
        match Terminal::new(CrosstermBackend::new(stdout())) {
            Ok(terminal) => Ok(Self { mouse, terminal: ManuallyDrop::new(terminal) }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws one frame. The terminal shows it as a whole, never half of it.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(render)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Hears of the mouse from here on, or leaves it to the terminal.
    pub(super) fn hear_mouse(&mut self, mouse: bool) -> io::Result<()> {
        self.mouse = mouse;
        let out = self.terminal.backend_mut();
        if mouse { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }

    /// Takes the terminal again after it was given back, and draws all of it.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        enter(self.mouse)?;
        // A new one, that knows of nothing on the screen. (Clearing the old one would ask the terminal where its cursor
        // is, and the answer would be taken for keys.)
        self.terminal = ManuallyDrop::new(Terminal::new(CrosstermBackend::new(stdout()))?);
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    let entered = execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide);
    let heard = entered.and_then(|()| if mouse { execute!(stdout(), EnableMouseCapture) } else { Ok(()) });
    heard.inspect_err(|_| give_back())
}

/// Gives the terminal back. It may be gone already; then there is nobody left to tell.
pub(super) fn give_back() {
    let mut out = stdout().lock();
    drop(execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        style::ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    ));
    drop(out.flush());
    drop(terminal::disable_raw_mode());
}

/// A panic on any thread ends the program: what it left behind cannot be trusted. A write under way is found again
/// through its open journal entry.
fn give_back_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        // Held to the end: another thread that is about to draw waits for it, and draws no more.
        let _held = stdout().lock();
        give_back();
        let place = info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
        let text = "userlink: stopped by a fault of its own. Start it again: a repair under way is looked at first.";
        drop(writeln!(io::stderr(), "{text}{place}"));
        std::process::exit(1);
    }));
}
