//! A repair: looked at, asked about, written once, and never by mistake.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use userlink_domain::Mate;
use userlink_ui::{Answer, Draft, DraftKind, Effect, Event, Level, Lifted, Progress, Running, Setup, Wish, view};

use crate::desk::{Desk, complete, setup};
use crate::{people, plans};

const SIZE: (u16, u16) = (80, 24);

/// The plan is looked at.
fn looking() -> Desk {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    assert_eq!(desk.request().unwrap().wish, Wish::Entry(people::town()[1].lead().unwrap()));
    desk.prepared(1);
    desk.asked.clear();
    desk
}

/// And the question stands on Cancel.
fn asking() -> Desk {
    let mut desk = looking();
    desk.keys("<Enter>");
    assert!(desk.text().contains("[ Cancel ]"));
    desk
}

fn writes(desk: &Desk) -> usize {
    desk.asked.iter().filter(|effect| matches!(effect, Effect::Apply(_))).count()
}

#[test]
fn looking_writes_nothing_and_enter_only_asks() {
    let mut desk = looking();
    desk.keys("y");
    assert_eq!(desk.asked, [], "there is no yes before there is a question");
    desk.keys("<Enter><Enter>");
    assert_eq!(desk.asked, [], "the question stands on Cancel");
    assert!(desk.text().contains("nothing written yet"), "and one looks at the plan again");
}

#[test]
fn enter_is_cancel_and_so_is_every_other_way_out() {
    for keys in ["<Enter>", "<Esc>", "n", "<Tab><Tab><Tab><Enter>", "<Right><Left><Enter>", "<Tab><Esc>"] {
        let mut desk = asking();
        desk.keys(keys);
        assert_eq!(desk.asked, [], "{keys}");
        assert!(desk.text().contains("Nothing was written."), "{keys}");
        desk.keys("<Esc>");
        assert!(desk.text().contains("Cancelled: nothing was written."), "{keys}");
    }
}

#[test]
fn yes_is_y_or_going_there_and_enter() {
    for keys in ["y", "<Tab><Enter>", "<Right><Enter>", "l<Enter>", "yyy", "y<Enter>"] {
        let mut desk = asking();
        desk.keys(keys);
        assert_eq!(writes(&desk), 1, "{keys}");
        let Some(Effect::Apply(confirmed)) = desk.asked.first() else { panic!("{keys}") };
        assert_eq!(*confirmed.plan(), plans::one(&people::town()[1]).plan);
        assert_eq!((confirmed.reason(), confirmed.typed()), (None, None));
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
fn a_reason_may_be_given_and_what_is_typed_says_no_yes() {
    let mut desk = asking();
    desk.keys("<S-Tab>OPS-4711 yes y<Enter>");
    assert_eq!(desk.asked, [], "y is a letter here, and Enter goes on");
    assert!(desk.text().contains("[ Cancel ]"));
    desk.keys("y");
    let Some(Effect::Apply(confirmed)) = desk.asked.first() else { panic!() };
    assert_eq!(confirmed.reason(), Some("OPS-4711 yes y"));
}

#[test]
fn production_wants_a_reason_and_its_name_typed_by_hand() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    let draft = plans::production(plans::one(&desk.entries[1].clone()));
    desk.planned(Answer::Draft(Box::new(draft)));
    desk.asked.clear();
    desk.keys("<Enter>");
    insta::assert_snapshot!("confirm_production_80x24", desk.screen());
    // The reason, pasted; the name cannot be.
    desk.send(Event::Paste("OPS-4711 backfill\n".to_owned()));
    desk.keys("<Enter>");
    desk.send(Event::Paste("prod-eu".to_owned()));
    desk.keys("<Tab><Tab><Enter>");
    assert_eq!(desk.asked, []);
    assert!(desk.text().contains("Type prod-eu to go on."));
    desk.keys("prod-us<Tab>y");
    assert_eq!(desk.asked, [], "another name");
    desk.keys("<Backspace><Backspace>eu<Tab>");
    assert!(desk.text().contains("[ Cancel ]"), "and it still stands on Cancel");
    desk.keys("<Tab><Enter>");
    let Some(Effect::Apply(confirmed)) = desk.asked.first() else { panic!("{}", desk.text()) };
    assert_eq!((confirmed.reason(), confirmed.typed()), (Some("OPS-4711 backfill"), Some("prod-eu")));
}

/// The part of the line before the cursor.
fn before_the_cursor(desk: &Desk) -> String {
    let mut terminal = Terminal::new(TestBackend::new(desk.size.0, desk.size.1)).unwrap();
    terminal.draw(|frame| drop(view(&desk.model, frame))).unwrap();
    let at = terminal.get_cursor_position().unwrap();
    let buffer = terminal.backend().buffer();
    (0..at.x).map(|x| buffer[(x, at.y)].symbol()).collect()
}

#[test]
fn what_is_filled_in_is_seen_at_any_size() {
    for size in [(60, 16), (60, 19), (67, 16), (68, 16), (80, 16), (80, 24)] {
        for error in ["", "The pool does not answer.", &"The pool does not answer. ".repeat(9)] {
            let mut desk = Desk::town(size);
            desk.send(Event::Progress(Progress { writable_by: vec!["web".to_owned()], ..complete() }));
            if !error.is_empty() {
                desk.send(Event::Message { level: Level::Error, text: error.to_owned() });
            }
            desk.keys("jr");
            desk.planned(Answer::Draft(Box::new(plans::production(plans::one(&people::town()[1])))));
            desk.keys("<Enter>OPS-4711");
            let seen = |desk: &Desk, field: &str, typed: &str| {
                let line = before_the_cursor(desk);
                assert!(line.contains(field) && line.ends_with(typed), "{size:?} {line:?}\n{}", desk.text());
            };
            seen(&desk, "Reason", "OPS-4711");
            desk.keys("<Enter>prod-eu");
            seen(&desk, "Type prod-eu", "prod-eu");
            desk.keys("<Tab>");
            assert!(desk.text().contains("PRODUCTION  prod-eu"), "{size:?}\n{}", desk.text());
            desk.keys("<Tab>");
            assert!(desk.text().contains("[ Apply ]"), "{size:?}\n{}", desk.text());
            desk.keys("<Esc><Esc>X<Tab>l");
            assert!(desk.text().contains("[ yes ]"), "{size:?}\n{}", desk.text());
        }
    }
}

#[test]
fn read_only_asks_for_nothing_and_says_why() {
    let mut desk = Desk::with(Setup { read_only: true, ..setup() }, SIZE, people::town());
    desk.keys("r");
    assert!(desk.text().contains("Read-only: nothing can be repaired from here."));
    desk.keys("jr<Enter>ry<Esc>Xu");
    desk.prepared(1);
    desk.keys("y<Tab><Enter>y");
    desk.asked.retain(|effect| !matches!(effect, Effect::Copy(_)));
    assert_eq!(desk.asked, []);
    assert!(!desk.text().contains(" r repair"), "the bottom line does not offer it");
}

#[test]
fn what_has_no_repair_is_told_at_once() {
    let mut desk = Desk::town(SIZE);
    let mut asked = 0;
    for _ in 0..desk.entries.len() {
        desk.keys("r<Esc>");
        asked += desk.asked.len();
        desk.asked.clear();
        desk.keys("j");
    }
    assert_eq!(asked, 9, "dead subs, orphans, the inactive, the reading and the linked are not planned for");
    desk.keys("gGr");
    assert!(desk.text().contains("Both pointers agree: there is nothing to repair."));
}

#[test]
fn what_is_planned_for_somebody_else_is_not_shown() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    let draft = Box::new(plans::one(&desk.entries[0].clone()));
    desk.send(Event::Planned { number: 77, answer: Answer::Draft(draft) });
    assert!(desk.text().contains("What would be done is worked out"));
    desk.keys("<Esc>");
    desk.prepared(1);
    assert!(!desk.text().contains("Guards"), "nobody waits for it any more");
}

#[test]
fn a_plan_that_is_refused_says_why() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    desk.refused("The pool does not know this user any more.");
    assert!(desk.text().contains("✗ Not repaired"));
    desk.keys("<Esc>");
    assert!(!desk.text().contains("Not repaired"));
}

#[test]
fn a_guard_is_lifted_by_a_person_alone() {
    let mut desk = Desk::town(SIZE);
    desk.keys("Ar");
    let text = "The plan touches 118 users, more than the 50 that pass unasked (998240 users are in the pool). Look at a few of \
                them first.";
    let guarded = || Answer::Guarded { text: text.to_owned(), lifts: Lifted { threshold: true, ..Lifted::default() } };
    desk.planned(guarded());
    insta::assert_snapshot!("guarded_80x24", desk.screen());
    desk.keys("<Enter>");
    assert_eq!(desk.asked.len(), 1, "Enter is no");
    desk.keys("r");
    desk.planned(guarded());
    desk.keys("<Right><Enter>");
    let request = desk.request().unwrap();
    assert_eq!((request.wish, request.lifted.threshold, request.lifted.empty_side), (Wish::Marked, true, false));
}

#[test]
fn candidates_are_chosen_and_nobody_gets_two_rows() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jjjjr");
    desk.planned(Answer::Choose(Box::new(plans::choosing(1))));
    insta::assert_snapshot!("choose_80x24", desk.screen());
    // The recommended one is marked; the same row for somebody else takes its place.
    desk.keys("j ");
    desk.keys("<Enter>");
    let request = desk.request().unwrap();
    let chosen = &request.choices[0];
    assert_eq!(chosen.pairs.len(), 2, "and its owner is named, who gets nothing");
    assert_eq!(chosen.pairs[1].mate, Mate::None);
    assert_eq!(chosen.pairs[0].user, plans::choosing(1).candidates[1].pair.user);
    assert!(matches!(chosen.pairs[0].mate, Mate::Row(_)));
    // It wants a reason, without which nothing goes on.
    desk.planned(Answer::Reason { of: chosen.of.clone(), text: "The row has another owner: say why.".to_owned() });
    desk.keys("<Enter><Tab><Enter>");
    assert!(desk.text().contains("Reason is wanted."));
    desk.keys("OPS-1<Enter><Tab><Enter>");
    assert_eq!(desk.request().unwrap().choices[0].reason.as_deref(), Some("OPS-1"));
    desk.planned(Answer::Draft(Box::new(plans::taken())));
    insta::assert_snapshot!("preview_taken_80x24", desk.screen());
}

#[test]
fn of_many_some_are_left_out() {
    let mut desk = Desk::town(SIZE);
    desk.keys("Ar");
    desk.planned(Answer::Choose(Box::new(plans::choosing(3))));
    assert!(desk.text().contains("3 entries to choose for"));
    desk.keys("s");
    assert_eq!(desk.request().unwrap().passed_over, [plans::choosing(3).of]);
    desk.planned(Answer::Choose(Box::new(plans::choosing(2))));
    desk.keys("S");
    assert!(desk.request().unwrap().leave_the_rest);
    desk.keys("<Esc>");
    assert_eq!(writes(&desk), 0);
}

#[test]
fn sessions_are_ended_where_that_is_wanted() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    desk.planned(Answer::Draft(Box::new(plans::taken())));
    desk.keys("o");
    assert!(desk.request().unwrap().sign_out);
}

#[test]
fn a_user_is_contained_with_a_reason() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jjjjX");
    insta::assert_snapshot!("contain_80x24", desk.screen());
    desk.keys("<Tab><Right><Tab> <Tab><Tab><Enter>");
    assert!(desk.text().contains("Reason is wanted."));
    desk.keys("sees the data of another<Tab><Tab><Tab><Tab><Enter>");
    let Wish::Contain { user, disable, reason } = desk.request().unwrap().wish else { panic!() };
    assert_eq!(user, people::town()[4].users[1].sub, "the second of the two");
    assert_eq!((disable, &*reason), (true, "sees the data of another"));
}

#[test]
fn guards_are_seen_before_notes_and_what_has_no_room_is_said() {
    for (size, notes) in [((80, 24), 0), ((80, 24), 2), ((60, 16), 2), ((80, 30), 1), ((200, 50), 4)] {
        let mut desk = Desk::town(size);
        desk.keys("jr");
        let taken = plans::taken();
        let notes: Vec<_> = (0..notes).map(|number| format!("Whatever is written at the {number}. moment.")).collect();
        let draft = Draft { kind: DraftKind::Contain, notes: notes.clone(), guards: plans::guards(true), ..taken };
        desk.planned(Answer::Draft(Box::new(draft)));
        let text = desk.text();
        let (guards, cut) = (text.find(" Guards "), text.contains("more, in a larger window"));
        let all = notes.iter().all(|note| text.contains(note)) && guards.is_some();
        assert_eq!(all, !cut, "{size:?}\n{text}");
        if let Some(note) = text.find(" Mind ") {
            assert!(guards.is_some_and(|guards| guards < note), "{size:?}\n{text}");
        }
        assert!(size.1 < 24 || guards.is_some(), "{size:?}\n{text}");
    }
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
fn a_run_can_be_stopped_between_steps_and_left_running_quietly() {
    let mut desk = asking();
    desk.keys("y");
    desk.asked.clear();
    let running = Running { made: 40, total: 118, not_done: 1, per_second: 4.9, seconds_left: Some(16) };
    desk.send(Event::Running(running));
    insta::assert_snapshot!("running_80x24", desk.screen());
    desk.keys("<Esc>j");
    assert!(desk.text().contains("Repairing bea@example.org: 40 of 118 steps, 1 not done, 4.9 a second"));
    desk.keys("r");
    assert!(desk.text().contains("then read back"), "r shows it again");
    desk.keys("ss");
    assert_eq!(desk.asked, [Effect::Stop], "once");
    assert!(desk.text().contains("It stops"));
}

#[test]
fn one_can_go_on_while_it_is_written_and_a_bad_end_stays_on_the_screen() {
    let mut desk = asking();
    desk.keys("y<Esc>k");
    desk.asked.clear();
    desk.keys("Xu");
    assert_eq!(desk.asked, [], "one at a time");
    desk.outcome(false);
    desk.keys("jk");
    assert!(desk.text().contains("not all of it was done: r shows what"));
    // Nothing else takes its place before it was looked at.
    for keys in ["<Esc>d", "X", "u"] {
        desk.keys(keys);
        assert!(desk.text().contains("Look first at what came of the last repair: r shows it."), "{keys}");
    }
    assert_eq!(desk.asked, []);
    desk.keys("r");
    assert!(desk.text().contains("✗ Not repaired as planned"));
    assert_eq!(desk.asked, []);
    desk.keys("<Enter>r");
    assert_eq!(desk.asked.len(), 1);
}

#[test]
fn an_outcome_that_did_not_hold_does_not_look_like_one_that_did() {
    let mut desk = asking();
    desk.keys("y");
    desk.outcome(false);
    insta::assert_snapshot!(desk.screen());
    // What was not done, alone; and the way back for what was.
    desk.keys("a");
    assert_eq!(desk.request().unwrap().wish, Wish::Again);
    desk.keys("<Esc>");
    desk.keys("u");
    assert!(matches!(desk.request().unwrap().wish, Wish::Undo { step: None, .. }), "of the last run");
}

#[test]
fn what_was_done_is_taken_back_from_the_result() {
    let mut desk = asking();
    desk.keys("y");
    desk.outcome(true);
    desk.keys("u");
    let run = plans::outcome(true).run;
    assert_eq!(desk.request().unwrap().wish, Wish::Undo { run, step: None });
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut desk = Desk::town(SIZE);
    let before = desk.screen();
    desk.outcome(true);
    desk.prepared(1);
    desk.refused("late");
    desk.send(Event::Running(Running::default()));
    desk.send(Event::Applied(Err("late".to_owned())));
    assert_eq!(desk.screen(), before);
}

#[test]
fn an_export_is_answered_as_a_write_is_neither_unseen_nor_by_a_key_held_down() {
    let mut desk = Desk::town(SIZE);
    desk.keys("E<Right>");
    assert!(desk.text().contains("[ Export ]"), "{}", desk.text());
    for code in [KeyCode::Enter, KeyCode::Char('y')] {
        desk.send(Event::Key(KeyEvent::new_with_kind(code, KeyModifiers::NONE, KeyEventKind::Repeat)));
    }
    desk.resize((40, 5));
    desk.keys("<Enter>y");
    assert_eq!(desk.asked, [], "what is not seen is not answered");
    desk.resize(SIZE);
    desk.keys("y");
    assert!(matches!(desk.asked[..], [Effect::Export(_)]), "{:?}", desk.asked);
}
