//! Parts of the screen at the sizes between, and what is seldom on it.

use userlink_domain::Situation;
use userlink_ui::{Event, Progress, Setup};

use crate::desk::{Desk, complete, reading, setup};
use crate::people;

/// So many lines from the top.
fn top(desk: &Desk, lines: usize) -> String {
    desk.text().lines().take(lines).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_head_at_every_width() {
    let mut out = String::new();
    for width in [60, 72, 80, 100, 120, 144, 160] {
        let mut desk = Desk::with(setup(), (width, 24), people::town());
        desk.send(Event::Progress(Progress { throttled: true, ..reading() }));
        out.push_str(&format!("{width}\n{}\n\n", top(&desk, 6)));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_whole_page_at_60_and_at_120() {
    for size in [(60, 16), (120, 30)] {
        let mut desk = Desk::town(size);
        desk.keys("j");
        insta::assert_snapshot!(format!("page_{}x{}", size.0, size.1), desk.text());
    }
}

#[test]
fn long_names_of_pool_and_table_give_way_and_production_never_does() {
    let setup = Setup {
        context: "a-very-long-context-name".to_owned(),
        pool: "eu-west-1_AbC123xyzAbC123xyz".to_owned(),
        table: "application_schema.users_of_the_application".to_owned(),
        ..setup()
    };
    let desk = Desk::with(setup, (60, 16), people::town());
    insta::assert_snapshot!(top(&desk, 1));
}

#[test]
fn progress_says_how_far_and_what_is_wrong_with_the_data() {
    let mut desk = Desk::town((120, 24));
    let mut out = String::new();
    for progress in [
        Progress::default(),
        reading(),
        Progress { users_about: None, rows_about: None, seconds_left: None, ..reading() },
        Progress { users_done: true, users: 998_240, seconds_left: Some(4), ..reading() },
        complete(),
        Progress { malformed_subs: 12, ..complete() },
    ] {
        desk.send(Event::Progress(progress));
        let text = desk.text();
        out.push_str(text.lines().nth(3).unwrap());
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn an_attribute_that_users_can_write_is_told_at_the_top() {
    let mut desk = Desk::town((80, 24));
    desk.send(Event::Progress(Progress { writable_by: vec!["web".to_owned()], ..complete() }));
    let told = " Users can write custom:userId themselves: alone it proves nothing. (web)";
    assert_eq!(desk.text().lines().nth(1).unwrap().trim_end(), told);
}

#[test]
fn the_entry_of_a_swap_names_where_each_pointer_leads() {
    let mut desk = Desk::town((130, 44));
    desk.keys("jjjjjjj");
    assert_eq!(people::town()[7].situation, Situation::Swapped);
    desk.keys("<Enter>");
    insta::assert_snapshot!(desk.text());
}

#[test]
fn a_reading_entry_gets_no_verdict() {
    let mut agree = people::linked(1, "ada@example.org");
    agree.situation = Situation::Reading;
    agree.so_far = Some(Situation::Linked);
    let mut desk = Desk::with(setup(), (80, 24), vec![agree]);
    desk.send(Event::Progress(Progress { rows_done: true, ..reading() }));
    assert!(desk.text().contains("So far both pointers agree; the pool is not read to its end."));
}

#[test]
fn leaving_while_it_is_written() {
    let mut desk = Desk::town((80, 24));
    desk.keys("r");
    desk.prepared(0);
    desk.keys("<Enter>yq");
    insta::assert_snapshot!(desk.text());
}
