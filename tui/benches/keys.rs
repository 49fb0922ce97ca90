//! How fluent the dashboard is: from a key's byte to the changed screen on a real pseudo-terminal, and one frame.
//!
//! `cargo bench -p userlink --bench keys [-- USERS…]` prints a table; without numbers it takes 1,000, 100,000 and
//! 1,000,000 users. A filter counts from its last letter to its answer, a sort from its key to the list in its order, a ticket
//! from Enter to its verdict. The demo's pool answers without delay here, so that the scan runs as fast as it can; for
//! tickets it takes 60 ms an answer, and has AWS's quotas.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at the first surprise, and prints")]

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crossterm::event::KeyCode;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use userlink_domain::{PoolUser, Row, RowId, Situation, Sub, Timestamp};
use userlink_link::Entry;
use userlink_ui::{Counts, Effect, Event, Model, Phase, Progress, Setup, Theme, Window, update, view};

const SIZE: (u16, u16) = (200, 50);
const KEYS: usize = 400;
const ROUNDS: usize = 12;
const FILTERS: [&str; 5] = ["anna", "schmitd", "email:@example.org", "status:unconfirmed created:<30d", "7f3c0a"];
/// How long it is left alone.
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 100_000, 1_000_000] } else { asked };
    println!("from a key's byte to the changed screen, {} x {}, {KEYS} keys; one frame", SIZE.0, SIZE.1);
    println!("{:>10}  {:<26}{:>9}{:>9}{:>9}{:>9}", "users", "", "median", "95 %", "99 %", "worst");
    for users in sizes {
        let mut screen = Screen::open(users, &["--latency-ms", "0"]);
        let first = screen.first_picture;
        if let Some(times) = screen.keys(false) {
            line(users, "while reading", times);
        }
        screen.until_read();
        let whole = screen.began.elapsed();
        if let Some(times) = screen.keys(true) {
            line(users, "all read", times);
        }
        // By turns: of the one before last nothing is kept any more, so that each is searched for.
        let mut took = FILTERS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (filter, times) in FILTERS.iter().zip(&mut took) {
                screen.rest();
                times.push(screen.filter(filter));
            }
        }
        for (filter, times) in FILTERS.iter().zip(took) {
            line(users, &format!("filter {}", filter.split(' ').next().unwrap_or_default()), times);
        }
        for column in ["situation", "pool user", "status", "row", "e-mail", "created"] {
            screen.rest();
            let took = screen.sort(column);
            println!("{users:>10}  {:<26}{:>8.1}ms", format!("sort by {column}"), took.as_secs_f64() * 1e3);
        }
        if let Some((part, bytes)) = screen.idle() {
            println!("{users:>10}  idle for {IDLE:.0?}: {part:.2} % of a core, {bytes} bytes drawn");
        }
        println!("{users:>10}  first picture after {first:.0?}, everything read after {whole:.1?}");
    }
    for users in [1_000, 100_000] {
        let mut screen = Screen::open(users, &["--latency-ms", "60", "--quotas"]);
        let times = (0..ROUNDS).map(|round| screen.ticket(round)).collect();
        line(users, "a ticket", times);
    }
    for entries in [1_000, 1_000_000, 10_000_000] {
        line(entries as u64, "a frame", frames(entries));
    }
}

fn line(users: u64, what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let [median, most, nearly_all, worst] = [0.5, 0.95, 0.99, 1.0].map(at);
    println!("{users:>10}  {what:<26}{median:>7.2}ms{most:>7.2}ms{nearly_all:>7.2}ms{worst:>7.2}ms");
}

struct Screen {
    terminal: vt100::Parser,
    bytes: Receiver<(Instant, Vec<u8>)>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    began: Instant,
    first_picture: Duration,
}

impl Screen {
    fn open(users: u64, pool: &[&str]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows: SIZE.1, cols: SIZE.0, pixel_width: 0, pixel_height: 0 })
            .unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_userlink"));
        command.args(["demo", "--users", &users.to_string()]);
        command.args(pool);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let began = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut from = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (to, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(read) = from.read(&mut buffer) {
                if read == 0 || to.send((Instant::now(), buffer[..read].to_vec())).is_err() {
                    return;
                }
            }
        });
        let mut screen = Self {
            terminal: vt100::Parser::new(NonZeroU16::new(SIZE.1).unwrap(), NonZeroU16::new(SIZE.0).unwrap(), 0),
            bytes,
            keys,
            child,
            _master: pair.master,
            began,
            first_picture: Duration::ZERO,
        };
        screen.first_picture = screen.until(|text| text.contains("What there is")) - began;
        screen.keys.write_all(b"O").unwrap();
        screen.until(|text| text.contains("▌All"));
        screen
    }

    /// Reads until the screen is as wanted, and says when it became so.
    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> Instant {
        loop {
            let (at, bytes) = self.bytes.recv_timeout(Duration::from_secs(600)).unwrap();
            self.terminal.process(&bytes);
            if wanted(&self.terminal.screen().contents()) {
                return at;
            }
        }
    }

    fn until_read(&mut self) {
        if !self.is_read() {
            self.until(|text| text.contains("Read everything"));
        }
    }

    fn is_read(&self) -> bool {
        self.terminal.screen().contents().contains("Read everything")
    }

    /// The line of the list that is selected.
    fn selected(&self) -> Option<usize> {
        let (columns, _) = SIZE;
        self.terminal.screen().rows(0, columns).skip(2).position(|line| line.starts_with('▌'))
    }

    /// Goes down and up by turns, and says how long each took. None where there was nothing to go through, or where it
    /// was all read meanwhile.
    fn keys(&mut self, read: bool) -> Option<Vec<Duration>> {
        while self.terminal.screen().contents().matches('@').count() < 20 {
            let (_, bytes) = self.bytes.recv_timeout(Duration::from_secs(600)).unwrap();
            self.terminal.process(&bytes);
        }
        let mut times = Vec::with_capacity(KEYS);
        for turn in 0..KEYS {
            // As a hand would: at no fixed distance from what was drawn last.
            let pause = Instant::now() + Duration::from_millis(5 + (turn as u64 * 7_919) % 41);
            while let Ok((_, bytes)) = self.bytes.recv_timeout(pause.saturating_duration_since(Instant::now())) {
                self.terminal.process(&bytes);
                if self.is_read() != read {
                    return (times.len() > KEYS / 4).then_some(times);
                }
            }
            let before = self.selected();
            let sent = Instant::now();
            self.keys.write_all(if turn % 2 == 0 { b"j" } else { b"k" }).unwrap();
            loop {
                let (at, bytes) = self.bytes.recv_timeout(Duration::from_secs(60)).unwrap();
                self.terminal.process(&bytes);
                if self.selected() != before {
                    times.push(at.saturating_duration_since(sent));
                    break;
                }
            }
        }
        Some(times)
    }
}

impl Screen {
    /// Takes in what is still drawn.
    fn rest(&mut self) {
        while let Ok((_, bytes)) = self.bytes.recv_timeout(Duration::from_millis(300)) {
            self.terminal.process(&bytes);
        }
    }

    fn press(&mut self, keys: &[u8]) -> Instant {
        let sent = Instant::now();
        self.keys.write_all(keys).unwrap();
        sent
    }

    /// Types a filter, and says how long after its last letter its answer was there.
    fn filter(&mut self, text: &str) -> Duration {
        let (first, last) = text.split_at(text.len() - 1);
        self.press(format!("/{first}").as_bytes());
        let typed = format!("Filter  {first} ");
        self.until(|screen| screen.contains(&typed));
        self.rest();
        let sent = self.press(last.as_bytes());
        let typed = format!("Filter  {text} ");
        let answered = |line: &str| line.contains(&typed) && line.contains(" match");
        let at = self.until(|screen| screen.lines().any(answered));
        self.press(b"\x1b");
        self.until(|screen| !screen.contains("Filter  "));
        at.saturating_duration_since(sent)
    }

    /// Sorts by the next column, and says how long it took until the list stood in that order.
    fn sort(&mut self, column: &str) -> Duration {
        self.press(b"g");
        self.rest();
        let list = |screen: &str| screen.lines().skip(5).take(30).map(str::to_owned).collect::<Vec<_>>();
        let before = list(&self.terminal.screen().contents());
        let sent = self.press(b"s");
        let at = self.until(|screen| list(screen) != before);
        let said = format!("Sorted by {column},");
        if !self.terminal.screen().contents().contains(&said) {
            self.until(|screen| screen.contains(&said));
        }
        at.saturating_duration_since(sent)
    }

    /// Looks the user of a line of the list up, and says how long it took from Enter to the verdict.
    fn ticket(&mut self, line: usize) -> Duration {
        let is_whole = |word: &&str| word.contains("@example.") && word.is_ascii();
        let on_screen = |screen: &str| {
            let emails = screen.lines().filter_map(|line| line.split_whitespace().find(is_whole).map(str::to_owned));
            emails.collect::<Vec<_>>()
        };
        self.until(|screen| on_screen(screen).len() > ROUNDS);
        let email = on_screen(&self.terminal.screen().contents()).swap_remove(line);
        self.press(format!("o{email}").as_bytes());
        self.until(|screen| screen.lines().rev().take(3).any(|line| line.contains(&email)));
        let sent = self.press(b"\r");
        let at = self.until(|screen| screen.contains("provisional"));
        self.press(b"\x1b");
        self.until(|screen| !screen.contains("provisional"));
        at.saturating_duration_since(sent)
    }

    /// How much of a core it takes, in percent, and how much it draws, while nothing happens. Known on Linux alone.
    fn idle(&mut self) -> Option<(f64, usize)> {
        self.rest();
        let before = self.ticks()?;
        let until = Instant::now() + IDLE;
        let mut drawn = 0;
        while let Ok((_, bytes)) = self.bytes.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.terminal.process(&bytes);
            drawn += bytes.len();
        }
        // A hundred ticks are a second.
        Some(((self.ticks()? - before) / IDLE.as_secs_f64(), drawn))
    }

    fn ticks(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id()?)).ok()?;
        let behind_name = stat.rsplit_once(')')?.1;
        let times: Vec<f64> =
            behind_name.split_whitespace().skip(11).take(2).filter_map(|it| it.parse().ok()).collect();
        Some(times.iter().sum())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.keys.write_all(b"q"));
        drop(self.child.wait());
    }
}

/// Frames of a dashboard that shows a list of so many entries, at places all over it.
fn frames(total: usize) -> Vec<Duration> {
    let setup = Setup {
        context: "bench".into(),
        pool: "eu-central-1_Bench".into(),
        table: "users".into(),
        production: false,
        read_only: true,
        tint: None,
        theme: Theme::Terminal,
        ascii: false,
        masked: false,
        mouse: false,
    };
    let now = Timestamp::from_millis(1_795_428_000_000);
    let mut model = Model::new(setup, SIZE);
    let progress = Progress { phase: Phase::Complete, users: total as u64, rows: total as u64, ..Progress::default() };
    let counts = Counts { situations: vec![(Situation::RowSideOnly, total as u64)], flags: Vec::new() };
    let mut effects = update(&mut model, Event::Progress(progress), now);
    effects.extend(update(&mut model, Event::Counts(counts), now));
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    let mut times = Vec::new();
    for turn in 0..KEYS {
        let code = if turn % 50 == 49 { KeyCode::End } else { KeyCode::PageDown };
        effects.extend(update(&mut model, Event::Key(code.into()), now));
        while let Some(effect) = effects.pop() {
            if let Effect::Window { generation, spec, first, len, .. } = effect {
                let first = first.min(total.saturating_sub(1));
                let entries: Vec<_> = (first..(first + len).min(total)).map(entry).collect();
                let marked = vec![false; entries.len()];
                let window = Window { generation, spec, total, first, entries, marked, anchor_at: None, revision: 1 };
                effects.extend(update(&mut model, Event::Window(window), now));
            }
        }
        let began = Instant::now();
        terminal.draw(|frame| drop(view(&model, frame))).unwrap();
        times.push(began.elapsed());
    }
    times
}

fn entry(number: usize) -> Entry {
    let sub = Sub::from_u128(0x7f3c_0a00_91b2_4c3d_8e4f_0000_0000_0000 + number as u128);
    let mut user = PoolUser::new(sub, sub.to_string());
    user.email = Some(format!("user{number}@example.org").into());
    let mut row = Row::new(RowId::BigInt(number as i64));
    row.sub = Some(sub.to_string().into());
    row.email.clone_from(&user.email);
    Entry {
        situation: Situation::RowSideOnly,
        so_far: None,
        flags: userlink_domain::Flags::default(),
        users: vec![user],
        rows: vec![row],
        user_count: 1,
        row_count: 1,
    }
}
