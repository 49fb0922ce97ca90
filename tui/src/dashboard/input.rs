//! What comes from outside: keys, and signals.

use std::io;

use crossterm::event::{self, Event as Terminal, MouseButton, MouseEvent, MouseEventKind};
use crossterm::terminal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc;
use userlink_ui::{Event, Press};

/// Something that goes before all news.
pub(super) enum Signal {
    Input(Box<Event>),
    /// The mouse, at a column and a line.
    Mouse(Press, u16, u16),
    /// Stop, as with Ctrl-Z.
    Stop,
    /// End, with this exit code.
    End(u8),
}

/// Listens to keys and signals, on a thread each: both block.
pub(super) fn listen() -> io::Result<mpsc::UnboundedReceiver<Signal>> {
    let (to, signals) = mpsc::unbounded_channel();
    let mut caught = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH])?;
    let to_loop = to.clone();
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in caught.forever() {
            let meant = match signal {
                SIGTSTP => Signal::Stop,
                SIGWINCH => match terminal::size() {
                    Ok((columns, lines)) => Signal::Input(Box::new(Event::Resize(columns, lines))),
                    // The terminal is gone, which the other thread hears.
                    Err(_) => continue,
                },
                SIGINT => Signal::End(130),
                other => Signal::End(u8::try_from(128 + other).unwrap_or(1)),
            };
            if to_loop.send(meant).is_err() {
                return;
            }
        }
    })?;
    std::thread::Builder::new().name("keys".into()).spawn(move || {
        loop {
            let meant = match event::read() {
                Ok(Terminal::Key(key)) => Signal::Input(Box::new(Event::Key(key))),
                Ok(Terminal::Paste(text)) => Signal::Input(Box::new(Event::Paste(text))),
                Ok(Terminal::Mouse(mouse)) => match pressed(mouse) {
                    Some(press) => Signal::Mouse(press, mouse.column, mouse.row),
                    None => continue,
                },
                // Sizes come as signals, which keys do not hold up.
                Ok(_) => continue,
                // The terminal is gone.
                Err(_) => Signal::End(129),
            };
            let over = matches!(meant, Signal::End(_));
            if to.send(meant).is_err() || over {
                return;
            }
        }
    })?;
    Ok(signals)
}

/// What of the mouse means something.
fn pressed(mouse: MouseEvent) -> Option<Press> {
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Press::Click),
        MouseEventKind::ScrollUp => Some(Press::WheelUp),
        MouseEventKind::ScrollDown => Some(Press::WheelDown),
        _ => None,
    }
}
