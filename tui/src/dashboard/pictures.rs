//! The pictures of the README: the real views over the demo's world, at a moment that stands still. They fail when they
//! are out of date; with `USERLINK_UPDATE_PICTURES=1` they are drawn anew.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use tokio::sync::mpsc;
use userlink_domain::{IdKind, RecordRef, Timestamp};
use userlink_emulator::World;
use userlink_link::{Change, Rules};
use userlink_ui::{Effect, Event, Lives, Model, Names, Part, Progress, Refers, Setup, Theme, update, view};

use super::planning::with;
use super::svg::picture;
use super::worker::{Question, Wanted, Worker};
use crate::engine::Engine;
use crate::looking;
use crate::scan::{News, Side};

/// 2026-11-23 10:00:00 UTC.
const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SIZE: (u16, u16) = (110, 30);
/// An entry is seen as a whole.
const TALL: u16 = 44;

/// A dashboard on the demo's world, without pool and database.
struct Stage {
    model: Model,
    events: mpsc::Receiver<Event>,
    worker: mpsc::UnboundedSender<Question>,
    size: (u16, u16),
}

impl Stage {
    async fn open() -> Self {
        let world = World::new(10_000, 42, NOW).unwrap();
        let rules = Rules { protected: world.protected().iter().cloned().collect(), ..Rules::new(IdKind::Uuid) };
        let (to_model, events) = mpsc::channel(64);
        let (worker, questions) = mpsc::unbounded_channel();
        tokio::spawn(Worker::new(rules.clone(), to_model).run(questions));
        let (news, heard) = mpsc::channel(4);
        let engine = Box::new(Engine::new(rules));
        worker.send(Question::Scan { news: heard, pool: None, rows_about: None, engine }).ok().unwrap();
        tokio::spawn(async move {
            let users = (0..world.user_count()).map(|index| Change::User(world.user(index).unwrap()));
            let batches = [
                News::Pool { self_sign_up: true, post_confirmation: true },
                News::Batch(users.collect()),
                News::Batch(world.rows().map(Change::Row).collect()),
                News::End(Side::Pool),
                News::End(Side::Table),
                News::Done,
            ];
            for told in batches {
                news.send(told).await.unwrap();
            }
        });
        let setup = Setup {
            context: "demo".into(),
            pool: "eu-central-1_Demo00001".into(),
            table: "users".into(),
            production: false,
            read_only: false,
            tint: None,
            theme: Theme::default(),
            ascii: false,
            masked: false,
            mouse: true,
        };
        let names = Names { sub: "cognito_sub".into(), ..Names::default() };
        Self { model: Model::new(setup, SIZE).with_names(names).with_overview(), events, worker, size: SIZE }
    }

    /// Takes in what happens until the screen holds this.
    async fn see(&mut self, text: &str) {
        while !self.text().contains(text) {
            let event = self.events.recv().await.unwrap();
            self.hear(event);
        }
    }

    fn keys(&mut self, keys: &str) {
        for c in keys.chars() {
            let code = if c == '\r' { KeyCode::Enter } else { KeyCode::Char(c) };
            self.hear(Event::Key(KeyEvent::from(code)));
        }
    }

    fn hear(&mut self, event: Event) {
        let event = match event {
            Event::Resize(columns, lines) => {
                self.size = (columns, lines);
                Event::Resize(columns, lines)
            }
            // The moment stands still.
            Event::Progress(progress) => {
                let finished_at = progress.finished_at.map(|_| NOW);
                Event::Progress(Progress { finished_at, ..progress })
            }
            event => event,
        };
        for effect in update(&mut self.model, event, NOW) {
            let question = match effect {
                Effect::Window { generation, spec, first, len, anchor } => {
                    Question::Window(Wanted { generation, spec, first, len, anchor })
                }
                Effect::Explain(of) => Question::Explain(of),
                _ => continue,
            };
            self.worker.send(question).ok().unwrap();
        }
    }

    /// What stands beside an entry, as the demo would tell it.
    async fn beside(&mut self, of: RecordRef, row: String) {
        let of_pairs = of.clone();
        let pairs = with(&self.worker, move |engine, _| looking::pairs(&engine.linker, &of_pairs)).await;
        let lives = Lives { client: "web".into(), id_token: 3_600, refresh_token: 30 * 86_400 };
        for part in [
            Part::Candidates(pairs.unwrap()),
            Part::References(vec![Refers { row, tables: Ok(Vec::new()) }]),
            Part::Tokens(Ok(vec![lives])),
            Part::History(Ok(Vec::new())),
        ] {
            self.hear(Event::Beside { of: of.clone(), part });
        }
    }

    fn terminal(&self) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| drop(view(&self.model, frame))).unwrap();
        terminal
    }

    fn text(&self) -> String {
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let line = |y: u16| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..buffer.area.height).map(line).collect::<Vec<_>>().join("\n")
    }

    fn hangs(&self, name: &str, words: &str) {
        let terminal = self.terminal();
        let drawn = picture(terminal.backend().buffer(), words);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(format!("{name}.svg"));
        if std::env::var_os("USERLINK_UPDATE_PICTURES").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &drawn).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == drawn, "docs/{name}.svg is out of date: USERLINK_UPDATE_PICTURES=1 draws it anew");
    }
}

#[tokio::test]
async fn the_pictures_of_the_readme_are_as_the_program_looks() {
    let mut stage = Stage::open().await;
    stage.see("40 of 60 row side only").await;
    stage.hangs("overview", "The overview: counts by group as bars, and the causes in sentences");
    stage.keys("\r");
    stage.see("40 matches in everything").await;
    stage.see("safe to repair").await;
    stage.hangs("list", "The list: pool users on the left, rows on the right, and how they are tied between them");
    let entry = stage.model.shown().unwrap().clone();
    stage.keys("\r");
    stage.hear(Event::Resize(SIZE.0, TALL));
    stage.beside(entry.lead().unwrap(), format!("row {}", entry.rows[0].id)).await;
    stage.see("Nothing was done to it").await;
    stage.hangs("entry", "An entry: both records field by field, why, what to repair, and what comes after");
}
