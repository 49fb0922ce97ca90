//! Filter, order and mouse in a real pseudo-terminal, over the demo.

use crate::pty::{Pty, command};

const SIZE: (u16, u16) = (120, 40);

/// The demo, read to its end.
fn demo(users: &str) -> (Pty, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo", "--latency-ms", "0", "--users", users]), SIZE);
    pty.list();
    (pty, home)
}

/// Where the screen says this: column and line, counted from 1 as terminals do.
fn place(screen: &str, text: &str) -> (usize, usize) {
    let line = screen.lines().position(|line| line.contains(text)).unwrap();
    let before = screen.lines().nth(line).unwrap().split_once(text).unwrap().0;
    (before.chars().count() + 1, line + 1)
}

impl Pty {
    /// What a terminal sends when the left button is pressed there, and let go.
    fn click(&mut self, (column, line): (usize, usize)) {
        self.keys(&format!("\x1b[<0;{column};{line}M\x1b[<0;{column};{line}m"));
    }

    fn wheel_down(&mut self, (column, line): (usize, usize)) {
        self.keys(&format!("\x1b[<65;{column};{line}M"));
    }
}

/// The line of the list that the bar marks.
fn marked(screen: &str) -> Option<usize> {
    screen.lines().skip(4).position(|line| line.starts_with('▌'))
}

#[test]
fn whom_a_filter_finds_is_sorted_and_clicked_at() {
    let (mut pty, _home) = demo("3000");
    pty.see("Read everything");
    pty.keys("/status:confirmed situation:row_side");
    let is_answered = |line: &str| line.contains("situation:row_side") && line.contains("matches in everything");
    let found = pty.until("the matches of all of the filter", |screen| screen.lines().any(is_answered));
    assert!(found.contains("row side only") && !found.contains("✓ linked "), "{found}");
    pty.keys("\rs");
    pty.see("Sorted by situation");
    pty.keys("s");
    pty.see("POOL USER ▲ a to z");
    pty.until("the names in their order", |screen| {
        let list = screen.lines().filter(|line| line.chars().nth(1) == Some('!'));
        let names: Vec<_> = list.filter_map(|line| line.split_whitespace().find(|word| word.contains('@'))).collect();
        names.len() > 3 && names.is_sorted()
    });
    let sorted = pty.see("POOL USER ▲ a to z");
    // A click at the head turns it round, and one at a line selects it.
    pty.click(place(&sorted, "POOL USER"));
    let turned = pty.see("POOL USER ▼ z to a");
    let (_, head) = place(&turned, "POOL USER");
    pty.click((10, head + 3));
    pty.until("the third line marked", |screen| marked(screen) == Some(head + 3 - 5));
    pty.wheel_down((10, head + 3));
    pty.until("the sixth line marked", |screen| marked(screen) == Some(head + 6 - 5));
    pty.click((10, head + 1));
    pty.click((10, head + 1));
    pty.see("Esc back");
    pty.keys("\x1b");
    pty.see_no("Esc back");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn what_is_typed_at_once_while_a_scan_runs_all_arrives() {
    let (mut pty, _home) = demo("20000");
    pty.see("@");
    let long: String = ('a'..='z').cycle().take(60).collect();
    pty.keys("/");
    pty.keys(&long);
    pty.see(&long);
    pty.keys("\x1b");
    pty.see_no("Filter");
    pty.keys("/group:unlinked nobody.is.called.so");
    pty.see("Nothing");
    pty.keys("\x1b");
    pty.see("Read everything");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn the_mouse_is_the_terminals_own_when_it_is_off_and_while_the_program_is_stopped() {
    let (mut pty, _home) = demo("300");
    pty.see("Read everything");
    let heard = |pty: &Pty| pty.screen(|screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None);
    assert!(heard(&pty));
    pty.keys("\x1bOQ");
    pty.see("The mouse is off");
    assert!(!heard(&pty));
    pty.keys("\x1bOQ");
    pty.see("The mouse is on");
    assert!(heard(&pty));
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    assert!(!heard(&pty));
}
