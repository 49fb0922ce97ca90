//! A real pseudo-terminal with `userlink` in it: keys in, the screen out, as a terminal would show it.
//!
//! It waits for what is on the screen, never for time to pass.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// What is not there by then is not coming.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The program under test.
pub(crate) const USERLINK: &str = env!("CARGO_BIN_EXE_userlink");

struct Shown {
    terminal: vt100::Parser,
    /// All bytes that came.
    bytes: Vec<u8>,
    /// Whether no frame is half drawn.
    whole: bool,
    closed: bool,
    /// Looks at every frame.
    watch: Box<dyn FnMut(&vt100::Screen) + Send>,
}

pub(crate) struct Pty {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    keys: Box<dyn Write + Send>,
    pub(crate) child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

/// The cells of the screen, line by line.
pub(crate) fn cells(screen: &vt100::Screen) -> Vec<Vec<vt100::Cell>> {
    let (lines, columns) = screen.size();
    let line = |at: u16| (0..columns.get()).map(|column| screen.cell(at, column).unwrap().clone()).collect();
    (0..lines.get()).map(line).collect()
}

/// A command whose environment is its own: nothing of the developer's settings, accounts or files.
pub(crate) fn command(home: &std::path::Path, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(USERLINK);
    command.args(arguments);
    command.env_clear();
    for (name, value) in environment(home) {
        command.env(name, value);
    }
    command.cwd(home);
    command
}

/// The environment of every command under test.
pub(crate) fn environment(home: &std::path::Path) -> Vec<(String, String)> {
    let home = home.to_str().unwrap();
    [
        ("HOME", home),
        ("USER", "tester"),
        ("PATH", "/usr/bin:/bin"),
        ("TERM", "xterm-256color"),
        ("LANG", "C.UTF-8"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_PROXY", "127.0.0.1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn at_least_one(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).unwrap()
}

impl Pty {
    pub(crate) fn start(command: CommandBuilder, (columns, lines): (u16, u16)) -> Self {
        Self::watched(command, (columns, lines), |_| ())
    }

    /// `watch` sees the screen after each frame that the program drew.
    pub(crate) fn watched(
        command: CommandBuilder,
        (columns, lines): (u16, u16),
        watch: impl FnMut(&vt100::Screen) + Send + 'static,
    ) -> Self {
        let size = PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut from = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let shown = Shown {
            terminal: vt100::Parser::new(at_least_one(lines), at_least_one(columns), 0),
            bytes: Vec::new(),
            whole: true,
            closed: false,
            watch: Box::new(watch),
        };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let reading = shown.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            let mut tail = Vec::new();
            loop {
                let read = from.read(&mut buffer).unwrap_or(0);
                let Ok(mut shown) = reading.0.lock() else { return };
                let Shown { terminal, bytes, whole, closed, watch } = &mut *shown;
                bytes.extend_from_slice(&buffer[..read]);
                // A frame is shown when it is whole.
                for piece in buffer[..read].split_inclusive(|byte| matches!(byte, b'h' | b'l')) {
                    terminal.process(piece);
                    tail.extend_from_slice(piece);
                    if tail.ends_with(b"\x1b[?2026h") {
                        *whole = false;
                    } else if tail.ends_with(b"\x1b[?2026l") {
                        *whole = true;
                        watch(terminal.screen());
                    }
                    tail.drain(..tail.len().saturating_sub(16));
                }
                *closed = read == 0;
                reading.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Self { shown, keys, child, master: pair.master }
    }

    /// Presses keys: what a terminal would send for them.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.shown.0.lock().unwrap().terminal.screen().contents()
    }

    /// Whatever `of` makes of the screen.
    pub(crate) fn screen<T>(&self, of: impl FnOnce(&vt100::Screen) -> T) -> T {
        of(self.shown.0.lock().unwrap().terminal.screen())
    }

    /// All bytes that the program wrote.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shown.0.lock().unwrap().bytes.clone()
    }

    /// From the overview, on which the dashboard opens, to the list.
    pub(crate) fn list(&mut self) -> String {
        self.see("What there is");
        self.keys("O");
        self.see_no("What there is")
    }

    /// Waits until the screen holds this.
    pub(crate) fn see(&self, text: &str) -> String {
        self.until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until the screen no longer holds this.
    pub(crate) fn see_no(&self, text: &str) -> String {
        self.until(&format!("no {text:?}"), |screen| !screen.contains(text))
    }

    /// Waits until the screen is as wanted, and gives it.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let text = shown.terminal.screen().contents();
            if (shown.whole || shown.closed) && wanted(&text) {
                return text;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            assert!(!left.is_zero() && !shown.closed, "waited for {what}, and there was:\n{text}\n");
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits for the program's end and for all that it wrote, and gives its exit code.
    pub(crate) fn end(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut shown = self.shown.0.lock().unwrap();
                while !shown.closed && begun.elapsed() < PATIENCE {
                    shown = self.shown.1.wait_timeout(shown, Duration::from_millis(100)).unwrap().0;
                }
                return status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end, and shows:\n{}\n", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The terminal window is made larger or smaller.
    pub(crate) fn resize(&mut self, (columns, lines): (u16, u16)) {
        self.shown.0.lock().unwrap().terminal.screen_mut().set_size(at_least_one(lines), at_least_one(columns));
        let size = PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It has ended already, or it does now.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
