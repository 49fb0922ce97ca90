//! What was done, by whom and why, and the way back from there.

use userlink_ui::{Effect, Event, HistoryOf, Recorded, RunDone, Wish};

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
fn after_one_was_taken_back_the_pages_say_so() {
    let mut desk = opened(SIZE);
    let Recorded::Runs(runs) = plans::runs() else { panic!("runs") };
    let of = HistoryOf::Run(runs[1].run.clone());
    desk.keys("j<Enter>");
    desk.send(Event::History { of: of.clone(), answer: Ok(plans::steps()) });
    desk.keys("Gu");
    desk.prepared(1);
    desk.keys("<Enter>y");
    desk.asked.clear();
    desk.outcome(true);
    assert_eq!(desk.asked, [Effect::History(HistoryOf::Runs), Effect::History(of.clone())]);
    desk.keys("<Esc>");
    assert!(desk.text().contains("3 steps"), "what was read stays until it is read anew: {}", desk.text());
    let new = RunDone { run: "01932f0c-12b6-7cde-8f00-0123456789ab".to_owned(), ..runs[0].clone() };
    let runs = std::iter::once(new).chain(runs).collect();
    desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(Recorded::Runs(runs)) });
    desk.send(Event::History { of, answer: Ok(plans::steps()) });
    desk.keys("k<Esc>");
    assert!(desk.text().contains("5 runs"), "{}", desk.text());
    // The cursor is on the run that it was on.
    desk.keys("<Enter>");
    assert!(desk.text().contains("Run 01932f0c-12b6-7cde-8f00-000000000095"), "{}", desk.text());
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

#[test]
fn a_run_is_found_by_its_name_who_made_it_why_what_they_were_and_whose() {
    let mut desk = opened(SIZE);
    for (looked_for, found) in [
        ("000000000095", "1 of 4 runs"),
        ("Role/Support", "2 of 4 runs"),
        ("ops-4711", "1 of 4 runs"),
        ("row_side_only", "1 of 4 runs"),
        ("row side only", "1 of 4 runs"),
        ("user-95@", "1 of 4 runs"),
        ("support ops-4698", "1 of 4 runs"),
        ("laptop ops-4698", "0 of 4 runs"),
        ("  ", "4 runs"),
    ] {
        desk.keys("/");
        desk.keys(looked_for);
        assert!(desk.text().contains(found), "{looked_for}: {}", desk.text());
        desk.keys("<Esc>");
        assert!(desk.text().contains("4 runs") && !desk.text().contains("of 4 runs"), "{looked_for}");
    }
    desk.keys("/laptop");
    insta::assert_snapshot!("history_filter_80x24", desk.screen());
    // What is taken back, and entered, is what the cursor is on among what is shown.
    desk.keys("<Down><Enter>");
    desk.asked.clear();
    desk.keys("u");
    let run = "01932f0c-12b6-7cde-8f00-000000012960".to_owned();
    assert_eq!(desk.request().unwrap().wish, Wish::Undo { run: run.clone(), step: None });
    desk.keys("<Esc><Enter>");
    assert_eq!(desk.asked.last(), Some(&Effect::History(HistoryOf::Run(run.clone()))));
    desk.send(Event::History { of: HistoryOf::Run(run), answer: Ok(plans::steps()) });
    desk.keys("/stale<Enter>");
    assert!(desk.text().contains("1 of 3 steps"), "{}", desk.text());
    // Esc lets everything through, then goes back to the runs, which are as they were left.
    desk.keys("<Esc>");
    assert!(desk.text().contains("3 steps") && !desk.text().contains("of 3"));
    desk.keys("<Esc>");
    assert!(desk.text().contains("2 of 4 runs"), "{}", desk.text());
    desk.keys("<Esc><Esc>");
    assert!(!desk.text().contains("4 runs"));
}

#[test]
fn what_a_filter_of_the_history_does_not_know_is_said() {
    let mut desk = Desk::town(SIZE);
    desk.keys("H");
    let Recorded::Runs(mut runs) = plans::runs() else { panic!("runs") };
    (runs[3].known, runs[3].whose) = (false, Vec::new());
    desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(Recorded::Runs(runs)) });
    desk.keys("/nobody");
    assert!(desk.text().contains("Nothing here matches"), "{}", desk.text());
    assert!(desk.text().contains("of older runs only run, actor and reason"), "{}", desk.text());
    desk.keys("<Esc>");
    desk.send(Event::Paste("carl".to_owned()));
    assert!(desk.text().contains("1 of 4 runs"), "{}", desk.text());
}
