//! No key is lost, whatever comes in between: many at once, with clicks, the wheel and other sizes among them, while a scan
//! runs. What each does is counted.

use std::process::{Child, Command, Stdio};

use crate::pty::{Pty, command};
use crate::town::Town;

const WIDE: (u16, u16) = (200, 50);
const OTHER_SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (200, 60), (100, 30)];
const WHEEL_DOWN: &str = "\x1b[<65;10;12M";
const WHEEL_UP: &str = "\x1b[<64;10;12M";
/// Pressed and let go on a line of the list.
const CLICK: &str = "\x1b[<0;10;12M\x1b[<0;10;12m";

/// Letters that are no word, each time others next to each other.
fn letters(count: usize) -> String {
    (0..count).map(|at| char::from(b'a' + ((at * 7 + at / 26 * 3) % 26) as u8)).collect()
}

/// Sends them one after the other, without waiting for anything; after each `every` of them comes something else.
fn burst(pty: &mut Pty, keys: &[String], every: usize, between: &[&str]) {
    for (at, keys) in keys.chunks(every).enumerate() {
        pty.keys(&keys.concat());
        pty.keys(between[at % between.len()]);
        pty.resize(OTHER_SIZES[at % OTHER_SIZES.len()]);
    }
    pty.resize(WIDE);
}

fn one_by_one(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

#[test]
fn every_letter_arrives_in_its_order_among_sizes_and_the_wheel_while_a_scan_runs() {
    let home = tempfile::tempdir().unwrap();
    // Slow enough that it is read all the while.
    let mut pty = Pty::start(command(home.path(), &["demo", "--users", "20000", "--latency-ms", "600"]), WIDE);
    pty.list();
    pty.see("@");
    let long = letters(70);
    pty.keys("/");
    burst(&mut pty, &one_by_one(&long), 5, &[WHEEL_DOWN, WHEEL_UP, ""]);
    let screen = pty.see(&long);
    assert!(!screen.contains("Read everything"), "the scan was over before: {screen}");
    // As many are taken back: one that is lost would leave a letter, and one too many is said.
    burst(&mut pty, &vec!["\x7f".to_owned(); long.len() - 1], 7, &[WHEEL_UP, "", WHEEL_DOWN]);
    pty.until("the first letter alone", |screen| screen.contains(&format!("Filter  {} ", &long[..1])));
    pty.keys("\x1b");
    pty.see_no("Filter  ");
    // Where somebody is looked up, a click is nothing.
    let name = letters(25);
    pty.keys("o");
    burst(&mut pty, &one_by_one(&name), 3, &[CLICK, WHEEL_DOWN, CLICK, ""]);
    pty.see(&name);
    pty.keys("\x1b");
    pty.see_no(&name);
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

/// Processes that keep a processor busy until this is dropped.
struct Busy(Vec<Child>);

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Runs a command of util-linux to its end.
fn done(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

/// Lets a thread run only where others have no use for the processor, and has others use it.
fn come_late(pid: u32, thread: &str) -> Busy {
    let is_named =
        |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).is_ok_and(|it| it.trim() == thread);
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|task| task.unwrap().path());
    let id = tasks.into_iter().find(|task| is_named(task)).expect("a thread of that name");
    let id = id.file_name().unwrap().to_str().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let processor = allowed.split(['-', ',']).next().unwrap();
    done("taskset", &["--cpu-list", "--pid", processor, id]);
    done("chrt", &["--idle", "--pid", "0", id]);
    // It ends by itself should nobody be there any more who ends it.
    let busy = ["--cpu-list", processor, "sh", "-c", "ulimit -t 60; while :; do :; done"];
    Busy((0..2).map(|_| Command::new("taskset").args(busy).spawn().unwrap()).collect())
}

#[test]
fn a_key_that_comes_together_with_a_size_is_heard_at_once() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo", "--users", "300"]), WIDE);
    pty.list();
    pty.keys("o");
    pty.see("Look up");
    // Size and key are both there when the thread that hears keys looks.
    let _busy = come_late(pty.child.process_id().unwrap(), "keys");
    let text = letters(40);
    for (at, letter) in one_by_one(&text).iter().enumerate() {
        pty.resize(if at % 2 == 0 { (120, 40) } else { WIDE });
        pty.keys(letter);
        pty.see(&text[..=at]);
    }
}

/// How many frames were drawn.
fn frames(pty: &Pty) -> usize {
    let end = b"\x1b[?2026l";
    pty.bytes().windows(end.len()).filter(|bytes| bytes == end).count()
}

#[test]
fn many_keys_at_once_are_few_frames() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo", "--users", "1000", "--latency-ms", "0"]), WIDE);
    pty.list();
    pty.see("Read everything");
    pty.until("the first line marked", |screen| place(screen) == Some(0));
    let before = frames(&pty);
    pty.keys(&("jk".repeat(1_000) + "jjjjjjj"));
    pty.until("where all of them lead to", |screen| place(screen) == Some(7));
    let drawn = frames(&pty) - before;
    assert!(drawn < 1_000, "{drawn} frames for two thousand keys");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

/// The line of the list that the bar marks, counted from 0, where all of it is on the screen.
fn place(screen: &str) -> Option<usize> {
    screen.lines().skip(4).position(|line| line.starts_with('▌'))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_move_is_made_among_sizes_clicks_and_the_wheel_while_a_scan_runs() {
    let town = Town::new(300, false);
    let home = tempfile::tempdir().unwrap();
    let (_pool, mut pty) = town.hardly_begun(home.path(), WIDE).await;
    pty.list();
    pty.resize((200, 700));
    pty.until("all rows that are there", |screen| screen.matches("0192f0c1…").count() > 300);
    pty.until("the first line marked", |screen| place(screen) == Some(0));
    pty.resize(WIDE);
    // 200 keys down in three ways, and 20 notches of three lines.
    let keys: Vec<String> = ["j", "\x1b[B", "j", "\x1bOB"].into_iter().cycle().take(200).map(str::to_owned).collect();
    burst(&mut pty, &keys, 10, &[WHEEL_DOWN]);
    pty.resize((200, 700));
    pty.until("the line that all of them lead to", |screen| place(screen) == Some(200 + 20 * 3));
    pty.resize(WIDE);
    let keys: Vec<String> = ["k", "\x1b[A"].into_iter().cycle().take(120).map(str::to_owned).collect();
    burst(&mut pty, &keys, 8, &[WHEEL_UP]);
    pty.resize((200, 700));
    let screen = pty.until("and back", |screen| place(screen) == Some(260 - 120 - 15 * 3));
    assert!(!screen.contains("Read everything"), "{screen}");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}
