//! The terminal: taken over, and given back as it was, however the program ends.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{Command as _, cursor, execute, queue, style};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// Letters stay in the cells that they are drawn into. Hebrew and Arabic would otherwise turn a line round, gutter and ids
/// with them, in terminals that put letters into their order by themselves (ECMA-48's BDSM, as
/// <https://terminal-wg.pages.freedesktop.org/bidi/> has it: VTE, mintty). Others do not know it, and pass over it.
const AS_DRAWN: style::Print<&str> = style::Print("\x1b[8l");
/// The terminal sees to their order again, as it does by default.
const AS_READ: style::Print<&str> = style::Print("\x1b[8h");

/// The terminal while it is ours.
pub(super) struct Screen {
    /// Whether the mouse is heard.
    mouse: bool,
    /// Whether nothing is known of what the terminal shows.
    anew: bool,
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
            Ok(terminal) => Ok(Self { mouse, anew: false, terminal: ManuallyDrop::new(terminal) }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws one frame. The terminal shows it as a whole, never half of it.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        if std::mem::take(&mut self.anew) {
            queue!(self.terminal.backend_mut(), Clear(ClearType::All))?;
            // Of the two buffers one has been emptied for the next frame; this empties the one that it would be held against.
            self.terminal.swap_buffers();
        }
        self.terminal.draw(render)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Draws all of it the next time. A terminal that was smaller for a moment has lost what was cut off, though it is as large
    /// as before when somebody looks.
    pub(super) const fn draw_anew(&mut self) {
        self.anew = true;
    }

    /// Gives a text to the clipboard of the terminal that a person sits at, over ssh and through tmux. Whether it takes it
    /// cannot be known: terminals do not answer.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut sequence = String::new();
        // Into memory, this cannot fail.
        CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence).unwrap_or(());
        let out = self.terminal.backend_mut();
        out.write_all(sequence.as_bytes())?;
        if std::env::var_os("TMUX").is_some() {
            out.write_all(through_tmux(&sequence).as_bytes())?;
        }
        Write::flush(out)
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

/// What tmux hands on to the terminal outside as it is, where `allow-passthrough` lets it. Without that it takes the plain
/// sequence itself, where `set-clipboard` is on.
fn through_tmux(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

fn enter(mouse: bool) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    // Lines remember how they were made: all of the screen is made anew.
    let ours = Clear(ClearType::All);
    let entered = execute!(stdout(), EnterAlternateScreen, AS_DRAWN, ours, EnableBracketedPaste, cursor::Hide);
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
        AS_READ,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_gets_letters_of_base64_and_nothing_else() {
        let mut sequence = String::new();
        let hostile = "\x1b]52;c;!\x07\x1b\\";
        CopyToClipboard::to_clipboard_from(hostile).write_ansi(&mut sequence).ok();
        let inner = sequence.strip_prefix("\x1b]52;c;").and_then(|rest| rest.strip_suffix("\x1b\\"));
        let inner = inner.unwrap_or_default();
        assert!(!inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)), "{inner}");
        assert_eq!(through_tmux("\x1b]52;c;QQ==\x1b\\"), "\x1bPtmux;\x1b\x1b]52;c;QQ==\x1b\x1b\\\x1b\\");
    }
}
