//! However the program ends or stops, the terminal is as it was: cooked, on its own screen, with a cursor.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::pty::{PATIENCE, Pty, USERLINK, environment};

/// A shell with the program in it. What the shell says of the terminal before and after has to be the same.
struct Shell {
    home: TempDir,
    pty: Pty,
}

impl Shell {
    fn with(variables: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let script =
            format!("stty -a > before; {variables} '{USERLINK}' demo; echo \"code $?\"; stty -a > after; read -r _");
        let mut program = portable_pty::CommandBuilder::new("bash");
        program.args(["--norc", "-c", &script]);
        program.env_clear();
        environment(home.path()).into_iter().for_each(|(name, value)| program.env(name, value));
        program.cwd(home.path());
        Self { pty: Pty::start(program, (80, 24)), home }
    }

    fn opened() -> Self {
        let shell = Self::with("");
        shell.pty.see("Read everything");
        shell
    }

    /// The process in the shell.
    fn userlink(&self) -> String {
        let shell = self.pty.child.process_id().unwrap().to_string();
        let output = Command::new("pgrep").args(["-P", &shell]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn send(&self, signal: &str) {
        assert!(Command::new("kill").args(["-s", signal, &self.userlink()]).status().unwrap().success());
    }

    fn modes(&self, file: &str) -> String {
        std::fs::read_to_string(self.home.path().join(file)).unwrap()
    }

    fn screen_is_as_it_was(&self) {
        // The program may be further than what has been read of it.
        let begun = std::time::Instant::now();
        while self.pty.screen(vt100::Screen::alternate_screen) {
            assert!(begun.elapsed() < PATIENCE, "it does not leave its own screen");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.pty.screen(|screen| {
            assert!(!screen.hide_cursor(), "the cursor is back");
            assert!(!screen.bracketed_paste(), "a paste is a paste again");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        });
        let bytes = self.pty.bytes();
        let last = |sequence: &[u8]| bytes.windows(sequence.len()).rposition(|window| window == sequence);
        let (ours, theirs) = (last(b"\x1b[8l").unwrap(), last(b"\x1b[8h").unwrap());
        assert!(ours < theirs, "letters from right to left are the terminal's to put in order again");
    }

    /// The program ends with this code, and leaves the terminal as it was.
    fn ends(mut self, code: &str) {
        self.pty.see(&format!("code {code}"));
        self.screen_is_as_it_was();
        // The shell goes on once it has looked.
        self.pty.keys("\n");
        assert_eq!(self.pty.end(), 0);
        assert_eq!(self.modes("after"), self.modes("before"));
    }
}

#[test]
fn by_keys() {
    for key in ["q", "\x03"] {
        let mut shell = Shell::opened();
        shell.pty.keys(key);
        shell.ends("0");
    }
}

#[test]
fn by_signals() {
    for (signal, code) in [("TERM", "143"), ("HUP", "129"), ("INT", "130")] {
        let shell = Shell::opened();
        shell.send(signal);
        shell.ends(code);
    }
}

#[test]
fn by_a_panic_on_another_thread() {
    let shell = Shell::with("USERLINK_TEST_PANIC=1");
    shell.pty.see("stopped by a fault of its own");
    let text = shell.pty.text();
    assert!(!text.contains("RUST_BACKTRACE"), "{text}");
    shell.ends("1");
}

#[test]
fn by_ctrl_z_and_it_comes_back() {
    let mut shell = Shell::opened();
    let id = shell.userlink();
    let state = || {
        let output = Command::new("ps").args(["-o", "state=", "-p", &id]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for _ in 0..2 {
        shell.pty.keys("\x1a");
        let begun = std::time::Instant::now();
        while state() != "T" {
            assert!(begun.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
        shell.screen_is_as_it_was();
        let drawn = shell.pty.bytes().len();
        shell.send("CONT");
        shell.pty.until("all of it again", |screen| screen.contains("Read everything"));
        assert!(shell.pty.bytes().len() > drawn + 1000, "all of it is drawn again");
        assert!(shell.pty.screen(vt100::Screen::alternate_screen));
    }
    shell.pty.keys("q");
    shell.ends("0");
}

/// The window is closed: nobody is left to give the terminal back to, and the program has to notice.
#[test]
fn by_a_terminal_that_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let script = "
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], [sys.argv[1], 'demo'])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
seen = b''
while b'CAN WRITE' not in seen:
    seen += os.read(terminal, 65536)
os.close(terminal)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
";
    let mut python = Command::new("python3");
    python.args(["-c", script, USERLINK]).env_clear().envs(environment(home.path())).current_dir(home.path());
    let output = python.output().unwrap();
    let code = String::from_utf8(output.stdout).unwrap();
    assert_eq!(code.trim(), "129", "{}", String::from_utf8_lossy(&output.stderr));
}
