//! Keys at random over the demo's world: real pool, real database, real linker, and repairs that are made. Never a panic,
//! and never a write to which nobody said yes.
//!
//! Two thousand keys; `USERLINK_TEST_KEYS=100000` for a long walk. What comes when is the machine's, so that no two walks
//! are alike.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures_util::FutureExt as _;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use userlink_ui::{Effect, Event, Pointer, Press, Regions, Theme, update, view};

use super::seat::Seat;
use super::session::Session;
use crate::cli::DemoArgs;
use crate::clock;
use crate::demo::Demo;
use crate::settings::{Overrides, Settings};
use crate::start::Start;

/// A linear congruential generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    /// What a person does who repairs a lot and is never sure: keys of the table, and letters.
    fn key(&mut self) -> KeyEvent {
        const KEYS: &str = "jjjkkhlgGrrrryyyn/?1234567ad  @.zqbfVAIUuHXsScocJ:-OmEYTLMRo5e";
        const CODES: [KeyCode; 14] = [
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageDown,
            KeyCode::Backspace,
            KeyCode::F(2),
        ];
        match self.roll(3) {
            0 => KeyEvent::from(CODES[self.roll(CODES.len())]),
            1 if self.roll(9) == 0 => KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
            _ => KeyEvent::from(KeyCode::Char(char::from(KEYS.as_bytes()[self.roll(KEYS.len())]))),
        }
    }
}

struct Walk {
    session: Session,
    size: (u16, u16),
    read_only: bool,
    /// How many repairs, dismissals and exports were said yes to.
    writes: usize,
}

impl Walk {
    fn begin(seed: u64, read_only: bool) -> Self {
        let args =
            DemoArgs { users: 600, seed, serve: false, quotas: false, latency_ms: Some(0), faults: seed % 2 == 1 };
        let demo = Demo::prepare(&args, read_only).unwrap();
        let seat = Seat {
            settings: Settings::default(),
            over: Overrides::default(),
            theme: Theme::default(),
            theme_is_given: false,
            ascii: false,
            remembers: false,
        };
        let size = (120, 40);
        let context = demo.context();
        Self { session: Session::begin(seat, &context, Start::Demo(demo), size), size, read_only, writes: 0 }
    }

    fn draw(&self) -> (String, Regions) {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        let mut regions = Regions::default();
        terminal.draw(|frame| regions = view(&self.session.model, frame)).unwrap();
        let text = terminal.backend().buffer().content.iter().map(|cell| cell.symbol()).collect();
        (text, regions)
    }

    /// Takes an event in. Only with a yes it may lead to a write.
    fn hear(&mut self, event: Event, yes: bool) {
        for effect in update(&mut self.session.model, event, clock::now()) {
            let writes = match &effect {
                Effect::Apply(_) | Effect::Export(_) => true,
                Effect::Dismiss { reason, .. } => reason.is_some(),
                _ => false,
            };
            assert!(yes || !writes, "a write that nobody said yes to: {effect:?}");
            let repairs = matches!(effect, Effect::Apply(_) | Effect::Plan(_) | Effect::Dismiss { .. });
            assert!(!repairs || !self.read_only, "read-only writes nothing: {effect:?}");
            self.writes += usize::from(writes);
            match effect {
                // The loop's own.
                Effect::Quit | Effect::Suspend | Effect::Mouse(_) | Effect::Copy(_) => {}
                // No file is left anywhere.
                Effect::Export(_) => self.hear(Event::Exported(Err("No file is written here.".to_owned())), false),
                other => self.session.carry_out(other),
            }
        }
    }

    fn key(&mut self, key: KeyEvent) {
        let (text, _) = self.draw();
        let on_yes = key.code == KeyCode::Enter && !text.contains("[ Cancel ]");
        self.hear(Event::Key(key), text.contains("Cancel") && (on_yes || key.code == KeyCode::Char('y')));
    }

    /// Takes in what has happened meanwhile, and waits a little for more.
    async fn news(&mut self, wait: Duration) {
        while let Some(event) = self.session.news().now_or_never() {
            self.hear(event.unwrap(), false);
        }
        if let Ok(event) = tokio::time::timeout(wait, self.session.news()).await {
            self.hear(event.unwrap(), false);
        }
    }

    async fn go(mut self, dice: &mut Dice, keys: usize) -> usize {
        while !self.draw().0.contains("Read everything") {
            self.news(Duration::from_secs(20)).await;
        }
        for _ in 0..keys {
            match dice.roll(24) {
                0 => {
                    self.size = (60 + dice.roll(140) as u16, 16 + dice.roll(40) as u16);
                    self.hear(Event::Resize(self.size.0, self.size.1), false);
                }
                1 => {
                    let press = [Press::Click, Press::WheelUp, Press::WheelDown][dice.roll(3)];
                    let at = (dice.roll(self.size.0.into()) as u16, dice.roll(self.size.1.into()) as u16);
                    let target = self.draw().1.hit(at.0, at.1);
                    self.hear(Event::Mouse(Pointer { press, target }), false);
                }
                2 => {
                    const PASTED: [&str; 4] = ["situation:row_side", "y\ry\r", "anna", "OPS-4711\n"];
                    self.hear(Event::Paste(PASTED[dice.roll(4)].to_owned()), false);
                }
                3 => self.news(Duration::from_millis(30)).await,
                4 => self.hear(Event::Tick, false),
                _ => self.key(dice.key()),
            }
            self.news(Duration::ZERO).await;
        }
        self.session.finish().await;
        self.writes
    }
}

async fn wander(seeds: std::ops::Range<u64>, read_only: bool) -> usize {
    let keys = std::env::var("USERLINK_TEST_KEYS").map_or(2_000, |keys| keys.parse().unwrap());
    let mut writes = 0;
    for seed in seeds.clone() {
        let walk = Walk::begin(seed, read_only);
        writes += walk.go(&mut Dice(seed), keys / seeds.clone().count()).await;
    }
    writes
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_at_random_repair_the_demo_and_nothing_without_a_yes() {
    assert!(wander(0..2, false).await > 0, "nothing was written at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_at_random_repair_nothing_where_it_is_read_only() {
    wander(2..3, true).await;
}
