//! Whole pages, at the smallest usual terminal and at a large one.

use userlink_ui::{Answer, Event, Level, Phase, Progress, Setup, Theme};

use crate::desk::{Desk, complete, reading, setup};
use crate::{people, plans};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

fn at_each_size(name: &str, story: impl Fn((u16, u16)) -> Desk) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), story(size).screen());
    }
}

#[test]
fn loading() {
    at_each_size("loading", |size| {
        let mut desk = Desk::opened(setup(), size);
        desk.entries = people::town();
        desk.send(Event::Progress(reading()));
        desk.count();
        desk.keys("GGkkk");
        desk
    });
}

#[test]
fn loaded() {
    at_each_size("loaded", |size| {
        let mut desk = Desk::town(size);
        desk.keys("j");
        desk
    });
}

#[test]
fn filter() {
    at_each_size("filter", |size| {
        let mut desk = Desk::opened(setup(), size);
        desk.entries = people::town();
        desk.send(Event::Progress(reading()));
        desk.count();
        desk.keys("/eve");
        desk
    });
}

#[test]
fn preview() {
    at_each_size("preview", |size| {
        let mut desk = Desk::town(size);
        desk.keys("jr");
        desk.prepared(1);
        desk
    });
}

#[test]
fn preview_of_ten_thousand() {
    at_each_size("preview_10000", |size| {
        let mut desk = Desk::town(size);
        desk.keys("Ar");
        desk.planned(Answer::Draft(Box::new(plans::ten_thousand())));
        desk
    });
    // The last line can be reached, and every line on the way.
    let mut desk = Desk::town((80, 24));
    desk.keys("Ar");
    desk.planned(Answer::Draft(Box::new(plans::ten_thousand())));
    desk.keys("G");
    assert!(desk.text().contains("user-09999@example.org"), "{}", desk.text());
    assert!(!desk.text().contains("more below"));
    desk.keys("<PageUp>g<PageDown>");
    assert!(!desk.text().contains("user-00000@example.org"));
}

#[test]
fn confirm() {
    at_each_size("confirm", |size| {
        let mut desk = Desk::town(size);
        desk.keys("jr");
        desk.prepared(1);
        desk.keys("<Enter>");
        desk
    });
}

#[test]
fn choose() {
    let mut desk = Desk::town((200, 50));
    desk.keys("jjjjr");
    desk.planned(Answer::Choose(Box::new(plans::choosing(1))));
    desk.keys("j");
    insta::assert_snapshot!("choose_200x50", desk.screen());
}

#[test]
fn preview_of_what_somebody_else_has() {
    let mut desk = Desk::town((200, 50));
    desk.keys("jjjjr");
    desk.planned(Answer::Draft(Box::new(plans::taken())));
    insta::assert_snapshot!("preview_taken_200x50", desk.screen());
}

#[test]
fn marks() {
    at_each_size("marks", |size| {
        let mut desk = Desk::town(size);
        desk.keys("   j ");
        desk
    });
}

#[test]
fn result() {
    at_each_size("result", |size| {
        let mut desk = Desk::town(size);
        desk.keys("jr");
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.outcome(true);
        desk
    });
}

#[test]
fn error() {
    at_each_size("error", |size| {
        let mut desk = Desk::town(size);
        let progress = Progress { phase: Phase::Failed, users_done: false, rows_done: false, ..complete() };
        desk.send(Event::Progress(progress));
        let text = "The pool turned the request away: the session has expired (ExpiredTokenException). Sign in \
                    again with `aws sso login`, then press R. What was read is kept.";
        desk.send(Event::Message { level: Level::Error, text: text.to_owned() });
        desk
    });
}

#[test]
fn help() {
    at_each_size("help", |size| {
        let mut desk = Desk::town(size);
        desk.keys("?");
        desk
    });
}

#[test]
fn hostile() {
    at_each_size("hostile", |size| Desk::with(setup(), size, people::hostile()));
}

#[test]
fn entry() {
    at_each_size("entry", |size| {
        let mut desk = Desk::town(size);
        desk.keys("j<Enter>");
        desk
    });
}

#[test]
fn mono() {
    let setup = Setup { theme: Theme::Monochrome, read_only: true, production: false, ..setup() };
    let mut desk = Desk::with(setup, (80, 24), people::town());
    desk.keys("jjj");
    insta::assert_snapshot!("mono_80x24", desk.screen());
}

#[test]
fn ascii() {
    let setup = Setup { ascii: true, ..setup() };
    let mut desk = Desk::with(setup, (80, 24), people::town());
    desk.keys("jjjj");
    insta::assert_snapshot!("ascii_80x24", desk.screen());
    assert!(desk.text().is_ascii());
    desk.keys("?");
    insta::assert_snapshot!("ascii_help_80x24", desk.text());
    assert!(desk.text().is_ascii());
    desk.keys("<Esc>gr");
    desk.prepared(0);
    insta::assert_snapshot!("ascii_preview_80x24", desk.text());
    assert!(desk.text().is_ascii());
    desk.keys("<Enter>");
    insta::assert_snapshot!("ascii_confirm_80x24", desk.text());
    assert!(desk.text().is_ascii());
}
