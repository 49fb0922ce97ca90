//! Keys, clicks, sizes and news at random: never a panic, and never a write to which nobody said yes.
//!
//! Twenty thousand of them; `USERLINK_TEST_KEYS=1000000` for a long walk.

use std::collections::BTreeSet;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use userlink_domain::Timestamp;
use userlink_ui::{
    Answer, Effect, Event, HistoryOf, JournalPlace, Level, Lifted, News, Phase, Pointer, Press, Progress, Setup, Since,
};

use crate::at_a_glance;
use crate::desk::{Desk, complete, keys_of, reading, setup};
use crate::people::{self, NOW};
use crate::plans;

/// A linear congruential generator: the same numbers everywhere, every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn key(&mut self) -> KeyEvent {
        const LETTERS: &[u8] = b"jkhlgGrRyn/?12345678ad @.zqbfVAIUuHXsSaocJ:-\"OmEYTLMCF";
        const CODES: &[KeyCode] = &[
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::F(1),
            KeyCode::F(2),
            KeyCode::Char('李'),
            KeyCode::Char('\u{202E}'),
        ];
        let modifiers =
            [KeyModifiers::NONE, KeyModifiers::NONE, KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT];
        let modifiers = modifiers[self.roll(5) as usize];
        match self.roll(3) {
            0 => KeyEvent::new(CODES[self.roll(CODES.len() as u64) as usize], modifiers),
            _ => KeyEvent::new(KeyCode::Char(LETTERS[self.roll(LETTERS.len() as u64) as usize] as char), modifiers),
        }
    }
}

/// How many keys a walk has that takes this part of all.
fn keys(part: u64) -> u64 {
    let all = std::env::var("USERLINK_TEST_KEYS").map_or(20_000, |keys| keys.parse().expect("a number of keys"));
    all / part
}

/// Which kind of write an effect is, if it changes pool, table or journal, or leaves people's data in a file.
fn written(effect: &Effect) -> Option<&'static str> {
    match effect {
        Effect::Apply(_) => Some("repairs"),
        Effect::Dismiss { .. } => Some("dismissals"),
        Effect::Export(_) => Some("exports"),
        _ => None,
    }
}

/// Whether this key says yes to a question that is on the screen: `y`, or Enter where it does not stand on Cancel.
fn says_yes(desk: &Desk, key: KeyEvent) -> bool {
    if !matches!(key.code, KeyCode::Enter | KeyCode::Char('y')) {
        return false;
    }
    let text = desk.text();
    text.contains("Cancel") && (key.code == KeyCode::Char('y') || !text.contains("[ Cancel ]"))
}

/// Presses a key. If it led to a write, somebody had been asked and said yes to it.
fn press(desk: &mut Desk, key: KeyEvent, writes: &mut Vec<&'static str>) {
    let (before, yes) = (desk.asked.len(), says_yes(desk, key));
    desk.send(Event::Key(key));
    let wrote: Vec<_> = desk.asked[before..].iter().filter_map(written).collect();
    assert!(wrote.is_empty() || yes, "{wrote:?} that nobody said yes to:\n{}", desk.text());
    writes.extend(wrote);
}

/// What is pressed on the way to a write, and to what it leads. Chance alone hardly ever goes that far.
const ON_THE_WAY: [&str; 8] = [
    "y",
    "<Right><Enter>",
    "<Enter>y",
    "<Enter><Tab><Enter>",
    "OPS-4711<Enter>prod-eu<Enter>y",
    "OPS-4711<Tab><Tab><Enter>",
    "n",
    "<Esc>",
];

/// What the runtime tells of its own accord.
fn news(dice: &mut Dice) -> Event {
    match dice.roll(5) {
        0 => Event::Overview(News::Causes(Some(at_a_glance::causes()))),
        1 => Event::Overview(News::Causes(None)),
        2 => Event::Overview(News::Since(Some(Since { at: NOW, situations: Vec::new(), flags: Vec::new() }))),
        3 => Event::Journal(JournalPlace::Local),
        _ => Event::Progress(Progress { phase: Phase::Failed, ..reading() }),
    }
}

/// The answer to what the dashboard asked for, or that there is none.
fn answer(effect: &Effect, dice: &mut Dice) -> Option<Event> {
    let well = dice.roll(2) == 0;
    let sorry = "The table does not answer.".to_owned();
    Some(match effect {
        Effect::LookUp(asked) => Event::LookedUp {
            asked: asked.clone(),
            answer: if well { Ok(at_a_glance::found(dice.roll(3) as usize)) } else { Err(sorry) },
        },
        Effect::Export(_) if well => Event::Exporting { done: dice.roll(40), of: 40 },
        Effect::Export(_) => Event::Exported(Ok(("/tmp/userlink.csv".to_owned(), 40))),
        _ => return None,
    })
}

/// The first entry with a user and a row.
fn tied(desk: &Desk) -> usize {
    desk.entries.iter().position(|entry| !entry.users.is_empty() && !entry.rows.is_empty()).unwrap()
}

/// Gives the writes that were said yes to.
fn wander(seed: u64, keys: u64, read_only: bool) -> Vec<&'static str> {
    let mut writes = Vec::new();
    let mut dice = Dice(seed);
    let mut entries = people::town();
    entries.extend(people::hostile());
    entries.push(people::dismissed(99, "dismissed@example.org"));
    entries.extend((100..140).map(|number| people::linked(number, &format!("l{number}@example.org"))));
    let mut desk = Desk::with(Setup { read_only, ascii: seed % 2 == 1, ..setup() }, (80, 24), entries);
    for _ in 0..keys {
        let (before, said) = (desk.asked.len(), writes.len());
        desk.now = Timestamp::from_millis(NOW.as_millis() + dice.roll(1_000_000) as i64);
        match dice.roll(40) {
            0 => desk.resize((1 + dice.roll(210) as u16, 1 + dice.roll(60) as u16)),
            1 => desk.resize((1, 1)),
            2 => desk.resize((60 + dice.roll(80) as u16, 16 + dice.roll(20) as u16)),
            3 => {
                let (a, b) = (dice.roll(desk.entries.len() as u64), dice.roll(desk.entries.len() as u64));
                desk.entries.swap(a as usize, b as usize);
                desk.count();
            }
            4 => {
                let gone = dice.roll(desk.entries.len() as u64) as usize;
                let entry = desk.entries.remove(gone);
                desk.send(Event::Changed);
                desk.entries.push(entry);
                desk.send(Event::Changed);
            }
            5 => desk.send(Event::Message { level: Level::Error, text: "No route to the table. ".repeat(9) }),
            6 => desk.send(Event::Progress(if dice.roll(2) == 0 { reading() } else { complete() })),
            7 => {
                desk.prepared(tied(&desk));
            }
            8 => desk.outcome(dice.roll(2) == 0),
            9 => desk.send(Event::Paste("e\u{301}\u{200B}李\n".to_owned())),
            10 => desk.refused("The pool is gone."),
            // Whatever is wished for is answered, so that every page is met.
            11 => desk.planned(match dice.roll(6) {
                0 => Answer::Choose(Box::new(plans::choosing(dice.roll(3) + 1))),
                1 => Answer::Reason { of: plans::choosing(1).of, text: "Why?".to_owned() },
                2 => Answer::Guarded { text: "Too many.".to_owned(), lifts: Lifted::default() },
                3 => Answer::Draft(Box::new(plans::ten_thousand())),
                4 => Answer::Draft(Box::new(plans::production(plans::taken()))),
                _ => Answer::Draft(Box::new(plans::taken())),
            }),
            12..=15 => {
                let at = (dice.roll(u64::from(desk.size.0) + 2) as u16, dice.roll(u64::from(desk.size.1) + 2) as u16);
                let presses = [Press::Click, Press::Click, Press::WheelUp, Press::WheelDown];
                let press = presses[dice.roll(4) as usize];
                let (_, regions) = desk.draw();
                let target = regions.hit(at.0, at.1);
                for _ in 0..=dice.roll(2) {
                    desk.send(Event::Mouse(Pointer { press, target }));
                }
            }
            16 => {
                const FILTERS: [&str; 6] =
                    ["status:conf", "created:<7d", "-flag:contested", "email:\"", "situation:zebra", "exmple"];
                desk.send(Event::Paste(FILTERS[dice.roll(6) as usize].to_owned()));
            }
            17 => desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) }),
            18 => desk.send(news(&mut dice)),
            19 => {
                // Whatever was asked for outside is answered, well or not.
                let answers: Vec<_> = desk.asked.iter().filter_map(|effect| answer(effect, &mut dice)).collect();
                answers.into_iter().for_each(|event| desk.send(event));
            }
            20 => {
                for key in
                    keys_of(["<Esc><Esc>r", "<Esc><Esc>d", "<Esc><Esc>X", "<Esc><Esc>2Ar", "E"][dice.roll(5) as usize])
                {
                    press(&mut desk, key, &mut writes);
                }
                if dice.roll(2) == 0 {
                    desk.prepared(tied(&desk));
                }
                for _ in 0..dice.roll(4) {
                    for key in keys_of(ON_THE_WAY[dice.roll(ON_THE_WAY.len() as u64) as usize]) {
                        press(&mut desk, key, &mut writes);
                    }
                }
            }
            _ => press(&mut desk, dice.key(), &mut writes),
        }
        let wrote = desk.asked[before..].iter().filter_map(written).count();
        assert_eq!(wrote, writes.len() - said, "written without a key:\n{}", desk.text());
        if dice.roll(4) == 0 {
            drop(desk.draw());
        }
        if dice.roll(16) == 0 && desk.model.kept().masked {
            let text = desk.text();
            // A box may cut through what is hidden.
            let beside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let open = text
                .match_indices('@')
                .any(|(at, _)| beside(text[..at].chars().next_back()) || beside(text[at + 1..].chars().next()));
            assert!(!open, "seen while it is masked:\n{text}");
        }
        if read_only {
            let of_repairs =
                |effect: &Effect| matches!(effect, Effect::Apply(_) | Effect::Plan(_) | Effect::Dismiss { .. });
            let wrote = desk.asked.iter().any(of_repairs);
            assert!(!wrote, "read-only writes nothing");
        }
        if desk.asked.len() > 50 {
            desk.asked.clear();
        }
    }
    writes
}

#[test]
fn no_sequence_of_keys_panics() {
    let wandered = std::thread::scope(|scope| {
        let walks = [0, 1, 2, 3].map(|seed| scope.spawn(move || wander(seed, keys(4), false)));
        walks.map(|walk| walk.join().expect("a walk that ends well"))
    });
    let wrote: BTreeSet<_> = wandered.iter().flatten().copied().collect();
    assert_eq!(wrote, BTreeSet::from(["dismissals", "exports", "repairs"]), "each was said yes to somewhere");
}

#[test]
fn read_only_never_prepares_or_writes() {
    wander(7, keys(5), true);
}

#[test]
fn every_size_is_drawn() {
    let mut desk = Desk::town((1, 1));
    for width in (1..210).step_by(7) {
        for height in (1..60).step_by(5) {
            desk.resize((width, height));
            drop(desk.draw());
        }
    }
    desk.resize((40, 5));
    assert!(desk.text().starts_with("userlink needs 60 columns and 16 lines."));
}
