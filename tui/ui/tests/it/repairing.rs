//! A repair: asked twice, written once, and never by mistake.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use userlink_domain::RecordRef;
use userlink_ui::{Effect, Event, Setup};

use crate::desk::{Desk, setup};
use crate::people;

const SIZE: (u16, u16) = (80, 24);

fn asking() -> Desk {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    assert_eq!(desk.asked, [Effect::Prepare(bea())]);
    desk.asked.clear();
    desk.prepared(1);
    desk
}

fn bea() -> RecordRef {
    people::town()[1].lead().unwrap()
}

fn writes(desk: &Desk) -> usize {
    desk.asked.iter().filter(|effect| matches!(effect, Effect::Repair(_))).count()
}

#[test]
fn enter_is_cancel_and_so_is_every_other_way_out() {
    for keys in ["<Enter>", "<Esc>", "n", "<Tab><Tab><Enter>", "<Right><Left><Enter>", "<Tab><Esc>"] {
        let mut desk = asking();
        desk.keys(keys);
        assert_eq!(desk.asked, [], "{keys}");
        assert!(desk.text().contains("Cancelled: nothing was written."), "{keys}");
    }
}

#[test]
fn yes_is_y_or_going_there_and_enter() {
    for keys in ["y", "<Tab><Enter>", "<Right><Enter>", "l<Enter>", "yyy", "y<Enter>"] {
        let mut desk = asking();
        desk.keys(keys);
        assert_eq!(writes(&desk), 1, "{keys}");
        let Some(Effect::Repair(confirmed)) = desk.asked.first() else { panic!("{keys}") };
        assert_eq!(confirmed.proposal().of, bea());
        assert!(desk.text().contains("Repairing bea@example.org"));
    }
}

#[test]
fn a_key_held_down_answers_nothing() {
    let mut desk = asking();
    desk.keys("<Tab>");
    for code in [KeyCode::Enter, KeyCode::Char('y')] {
        desk.send(Event::Key(KeyEvent::new_with_kind(code, KeyModifiers::NONE, KeyEventKind::Repeat)));
        desk.send(Event::Key(KeyEvent::new_with_kind(code, KeyModifiers::NONE, KeyEventKind::Release)));
    }
    assert_eq!(desk.asked, []);
    assert!(desk.text().contains("[ Apply ]"));
}

#[test]
fn read_only_asks_for_nothing_and_says_why() {
    let mut desk = Desk::with(Setup { read_only: true, ..setup() }, SIZE, people::town());
    desk.keys("r");
    assert!(desk.text().contains("Read-only: nothing can be repaired from here."));
    desk.keys("jr<Enter>ry<Esc>");
    desk.prepared(1);
    desk.keys("y<Tab><Enter>");
    desk.asked.retain(|effect| !matches!(effect, Effect::Copy(_)));
    assert_eq!(desk.asked, []);
    assert!(!desk.text().contains(" r repair"), "the bottom line does not offer it");
}

#[test]
fn only_row_side_only_is_repaired_from_here() {
    let mut desk = Desk::town(SIZE);
    for _ in 0..desk.entries.len() {
        desk.keys("r<Esc>");
        desk.keys("j");
    }
    let asked: Vec<_> = people::town().iter().take(2).map(|entry| Effect::Prepare(entry.lead().unwrap())).collect();
    assert_eq!(desk.asked, asked);
    desk.keys("gGr");
    assert!(desk.text().contains("Both pointers agree: there is nothing to repair."));
}

#[test]
fn what_is_prepared_for_somebody_else_is_not_asked() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    desk.prepared(0);
    assert!(!desk.text().contains("[ Cancel ]"));
    desk.keys("<Esc>");
    desk.prepared(1);
    assert!(!desk.text().contains("[ Cancel ]"), "nobody waits for it any more");
}

#[test]
fn a_preparation_that_fails_says_so() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    desk.refused(0, "Of somebody else, and late.");
    assert!(!desk.text().contains("Not repaired"));
    desk.refused(1, "The pool does not know this user any more.");
    assert!(desk.text().contains("✗ Not repaired"));
    desk.keys("<Esc>");
    assert!(!desk.text().contains("Not repaired"));
}

#[test]
fn while_it_is_written_leaving_is_asked_about() {
    let mut desk = asking();
    desk.keys("y");
    desk.asked.clear();
    for quit in ["q", "<C-c>"] {
        desk.keys(quit);
        assert!(desk.text().contains("Leave now?"));
        desk.keys("<Enter>");
        assert_eq!(desk.asked, [], "Enter stays");
    }
    desk.keys("q<Esc>");
    assert_eq!(desk.asked, []);
    desk.keys("qy");
    assert_eq!(desk.asked, [Effect::Quit]);
    desk.asked.clear();
    desk.keys("<Esc><C-c><C-c>");
    assert_eq!(desk.asked, [Effect::Quit], "Ctrl-C twice leaves");
}

#[test]
fn one_can_go_on_while_it_is_written_and_a_bad_end_stays_on_the_screen() {
    let mut desk = asking();
    desk.keys("y<Esc>k");
    desk.asked.clear();
    assert!(desk.text().contains("Repairing bea@example.org: writing"));
    desk.keys("r");
    assert_eq!(desk.asked, [], "one at a time");
    desk.outcome(1, false);
    desk.keys("jk");
    assert!(desk.text().contains("reading it back gave another value"));
    desk.keys("<Esc>r");
    assert_eq!(desk.asked.len(), 1);
}

#[test]
fn an_outcome_that_did_not_hold_does_not_look_like_one_that_did() {
    let mut desk = asking();
    desk.keys("y");
    desk.outcome(1, false);
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut desk = Desk::town(SIZE);
    let before = desk.screen();
    desk.outcome(1, true);
    desk.prepared(1);
    desk.refused(1, "late");
    desk.send(Event::Repaired(Err("late".to_owned())));
    assert_eq!(desk.screen(), before);
}
