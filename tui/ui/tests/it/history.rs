//! What was done, by whom and why, and the way back from there.

use userlink_ui::{Effect, Event, HistoryOf, Wish};

use crate::desk::Desk;
use crate::{people, plans};

const SIZE: (u16, u16) = (80, 24);

fn opened(size: (u16, u16)) -> Desk {
    let mut desk = Desk::town(size);
    desk.keys("H");
    assert_eq!(desk.asked, [Effect::History(HistoryOf::Runs)]);
    desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
    desk
}

#[test]
fn which_were_repaired_yesterday_and_by_whom() {
    for size in [SIZE, (200, 50)] {
        let desk = opened(size);
        insta::assert_snapshot!(format!("history_{}x{}", size.0, size.1), desk.screen());
    }
}

#[test]
fn a_run_is_entered_and_a_step_or_all_of_it_is_taken_back() {
    let mut desk = opened(SIZE);
    desk.keys("u");
    let run = "01932f0c-12b6-7cde-8f00-000000000020".to_owned();
    assert_eq!(desk.request().unwrap().wish, Wish::Undo { run: run.clone(), step: None });
    desk.keys("<Esc><Enter>");
    assert_eq!(desk.asked.last(), Some(&Effect::History(HistoryOf::Run(run.clone()))));
    desk.send(Event::History { of: HistoryOf::Run(run.clone()), answer: Ok(plans::steps()) });
    insta::assert_snapshot!("history_steps_80x24", desk.screen());
    // A step by which nothing was written has nothing to take back.
    desk.asked.clear();
    desk.keys("u");
    assert_eq!(desk.asked, []);
    assert!(desk.text().contains("Nothing was written by this"));
    desk.keys("Gu");
    assert_eq!(desk.request().unwrap().wish, Wish::Undo { run, step: Some(1) });
    // Back to the runs, back to the list.
    desk.keys("<Esc><Esc>");
    assert!(desk.text().contains("4 runs"));
    desk.keys("<Esc>");
    assert!(!desk.text().contains("4 runs"));
}

#[test]
fn from_an_entry_it_is_that_entrys() {
    let mut desk = Desk::town(SIZE);
    desk.keys("j<Enter>H");
    let of = HistoryOf::Record(plans::record(&people::town()[1]));
    assert_eq!(desk.asked, [Effect::History(of.clone())]);
    assert!(desk.text().contains("The journal is being read"));
    desk.send(Event::History { of, answer: Err("There is no journal yet: nothing has been repaired.".to_owned()) });
    assert!(desk.text().contains("There is no journal yet"));
    desk.keys("<Esc>");
    assert!(desk.text().contains("bea@example.org"));
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    let mut desk = Desk::town(SIZE);
    let before = desk.screen();
    desk.send(Event::History { of: plans::of_runs(), answer: Ok(plans::runs()) });
    assert_eq!(desk.screen(), before);
}
