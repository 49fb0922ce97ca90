//! What holds on every screen: each key has an effect or a word, production is seen, and nothing turns for nothing.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use userlink_ui::{Answer, Event, HistoryOf, Lifted, News, view};

use crate::commands::{SIZE, town};
use crate::desk::{Desk, reading, setup};
use crate::{people, plans};

/// A screen, and how it is reached.
pub(crate) type Screen = (&'static str, fn(&mut Desk));

pub(crate) const SCREENS: &[Screen] = &[
    ("list", |_| ()),
    ("list, filtered", |desk| press(desk, "/example<Enter>")),
    ("filter", |desk| press(desk, "/exa")),
    ("columns", |desk| press(desk, "cj")),
    ("entry", |desk| press(desk, "<Enter>")),
    ("help", |desk| press(desk, "?")),
    ("overview", |desk| press(desk, "O")),
    ("ticket", |desk| press(desk, "obea")),
    ("evidence", |desk| press(desk, "Y")),
    ("palette", |desk| press(desk, ":s")),
    ("contexts", |desk| press(desk, "C")),
    ("messages", |desk| press(desk, "M")),
    ("log", |desk| press(desk, "L")),
    ("export", |desk| press(desk, "E")),
    ("export, its folder", |desk| press(desk, "E<Up>")),
    ("waiting", |desk| press(desk, "r")),
    ("preview", |desk| {
        desk.keys("r");
        desk.prepared(1);
    }),
    ("question", |desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>");
    }),
    ("form", |desk| press(desk, "X")),
    ("choice", |desk| {
        desk.keys("r");
        desk.planned(Answer::Choose(Box::new(plans::choosing(2))));
    }),
    ("history", |desk| {
        desk.keys("H");
        desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
    }),
    ("history, filtered", |desk| {
        desk.keys("H");
        desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
        desk.keys("/laptop<Enter>");
    }),
    ("history's filter", |desk| {
        desk.keys("H");
        desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
        desk.keys("/lap");
    }),
    ("what was not done", |desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.outcome(false);
    }),
    ("writing", |desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y");
    }),
    ("result", |desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.outcome(true);
    }),
    ("leaving", |desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>yq");
    }),
    ("steps of a run", |desk| {
        desk.keys("H");
        desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
        desk.keys("<Enter>");
        let run = "01932f0c-12b6-7cde-8f00-000000000020".to_owned();
        desk.send(Event::History { of: HistoryOf::Run(run), answer: Ok(plans::steps()) });
    }),
    ("overview, with causes", |desk| {
        desk.keys("O");
        desk.send(Event::Overview(News::Causes(Some(crate::at_a_glance::causes()))));
    }),
    ("refused", |desk| {
        desk.keys("r");
        desk.refused("The pool does not know this user any more.");
    }),
    ("guard", |desk| {
        desk.keys("r");
        desk.planned(Answer::Guarded { text: "The plan touches 118 users.".to_owned(), lifts: Lifted::default() });
    }),
    ("quiet run", |desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y<Esc>");
    }),
    ("entry's history", |desk| {
        desk.keys("<Enter>H");
        let of = HistoryOf::Record(plans::record(&people::town()[1]));
        desk.send(Event::History { of, answer: Ok(plans::steps()) });
    }),
    ("form of several", |desk| press(desk, "jjjX<Tab><Tab>")),
];

fn press(desk: &mut Desk, keys: &str) {
    desk.keys(keys);
}

/// Every key of a keyboard, alone and with Ctrl or Alt.
fn keyboard() -> Vec<KeyEvent> {
    let signs = ('!'..='~').map(|c| KeyEvent::from(KeyCode::Char(c)));
    let control = ('a'..='z').map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
    let alt = ('a'..='z').map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT));
    let codes = [
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
        KeyCode::Insert,
        KeyCode::Char(' '),
        KeyCode::Char('é'),
    ];
    let functions = (1..=12).map(|number| KeyEvent::from(KeyCode::F(number)));
    signs.chain(control).chain(alt).chain(codes.map(KeyEvent::from)).chain(functions).collect()
}

/// The screen with its styles, and where its cursor is.
fn seen(desk: &Desk) -> (String, ratatui::layout::Position) {
    use ratatui::backend::{Backend as _, TestBackend};
    let mut terminal = ratatui::Terminal::new(TestBackend::new(desk.size.0, desk.size.1)).unwrap();
    terminal.draw(|frame| drop(view(&desk.model, frame))).unwrap();
    (desk.screen(), terminal.backend_mut().get_cursor_position().unwrap())
}

#[test]
fn no_key_on_any_screen_is_without_an_effect_or_a_word() {
    no_key_is_silent(0);
}

#[test]
fn no_key_on_the_other_screens_is_without_an_effect_or_a_word() {
    no_key_is_silent(1);
}

/// On every other screen, from this one on: the two halves are walked at the same time.
fn no_key_is_silent(from: usize) {
    let mut silent = Vec::new();
    for (name, reach) in SCREENS.iter().skip(from).step_by(2) {
        let mut desk = town();
        reach(&mut desk);
        let before = seen(&desk);
        for key in keyboard() {
            let mut desk = town();
            reach(&mut desk);
            desk.asked.clear();
            desk.send(Event::Key(key));
            if desk.asked.is_empty() && seen(&desk) == before {
                silent.push(format!("{name}: {:?} {:?}", key.code, key.modifiers));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// How the context's badge is drawn: its words, and whether they stand out.
fn badge(desk: &Desk) -> (String, bool) {
    let (buffer, _) = desk.draw();
    let cells: Vec<_> = (0..desk.size.0).map(|x| buffer[(x, 0)].clone()).collect();
    let line: String = cells.iter().map(|cell| cell.symbol()).collect();
    let at = line.find("PRODUCTION").map(|at| line[..at].chars().count());
    let stands_out = at.is_some_and(|at| {
        cells[at..at + 10].iter().all(|cell| {
            cell.bg != ratatui::style::Color::Reset || cell.modifier.contains(ratatui::style::Modifier::REVERSED)
        })
    });
    (line, stands_out)
}

#[test]
fn production_cannot_be_mistaken_on_any_screen_at_any_size_in_any_theme() {
    for (name, reach) in SCREENS {
        for size in [(60, 16), (80, 24), (200, 50)] {
            let mut desk = town();
            desk.resize(size);
            reach(&mut desk);
            for theme in ["terminal", "high-contrast", "monochrome"] {
                let (line, stands_out) = badge(&desk);
                assert!(stands_out, "{name} {size:?} {theme}: {line}");
                assert!(line.contains("prod-eu") && line.contains("CAN WRITE"), "{name} {size:?}: {line}");
                // To the next theme, where a key does that.
                desk.keys("T");
            }
        }
    }
    let mut desk = Desk::with(userlink_ui::Setup { read_only: true, ..setup() }, SIZE, people::town());
    for keys in ["", "O", "?", "<Esc>", "<Enter>", "L", "<Esc>", ":", "<Esc>", "C"] {
        desk.keys(keys);
        assert!(badge(&desk).0.contains("READ-ONLY"), "{keys}");
    }
}

#[test]
fn a_spinner_turns_only_where_something_is_under_way() {
    let turns = |desk: &mut Desk| {
        let before = desk.text();
        desk.now = userlink_domain::Timestamp::from_millis(desk.now.as_millis() + 125);
        desk.send(Event::Tick);
        desk.text() != before
    };
    for (name, reach) in SCREENS {
        let mut desk = town();
        reach(&mut desk);
        // What asks whether to leave lies over what is being written.
        if *name == "leaving" {
            continue;
        }
        let busy = matches!(*name, "waiting" | "writing");
        assert_eq!(turns(&mut desk), busy, "{name}\n{}", desk.text());
    }
    let mut desk = town();
    desk.send(Event::Progress(reading()));
    assert!(turns(&mut desk), "a scan");
}
