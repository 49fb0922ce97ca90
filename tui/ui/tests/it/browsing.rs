//! Browsing: filters by words and fields, orders, columns, the way to other entries and back, the mouse.

use userlink_domain::{RecordRef, Situation, Timestamp};
use userlink_link::Entry;
use userlink_ui::{Effect, Event, Press, Progress};

use crate::desk::{Desk, reading, setup};
use crate::people::{self, NOW, linked, row_side_only};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];
const SIZE: (u16, u16) = (80, 24);

fn at_each_size(name: &str, story: impl Fn((u16, u16)) -> Desk) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), story(size).screen());
    }
}

/// The names on the screen, from the top.
fn names(desk: &Desk) -> Vec<String> {
    let (_, regions) = desk.draw();
    let text = desk.text();
    let lines: Vec<_> = text.lines().collect();
    let line = |y: u16| lines[usize::from(y)].chars().skip(3).collect::<String>();
    let names = regions.entries.iter().map(|(place, _)| line(place.y));
    names.map(|line| line.split_whitespace().next().unwrap_or_default().to_owned()).collect()
}

fn on(desk: &Desk) -> String {
    let text = desk.text();
    let line = text.lines().skip(4).find(|line| line.starts_with('▌')).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn shows(desk: &Desk, words: &str) {
    assert!(desk.text().contains(words), "{words}\n{}", desk.text());
}

fn street() -> Vec<Entry> {
    let names = ["otto", "anna.schmidt", "zoe", "carl", "hanna", "john.doe"];
    (1..).zip(names).map(|(number, name)| row_side_only(number, &format!("{name}@x.org"))).collect()
}

#[test]
fn words_and_fields_filter_and_what_matched_is_marked() {
    at_each_size("filter_marked", |size| {
        let mut desk = Desk::with(setup(), size, people::town());
        desk.send(Event::Progress(reading()));
        desk.keys("/exmple group:unlinked -carl");
        desk
    });
}

#[test]
fn a_filter_that_is_not_understood_says_why_and_leaves_the_list_as_it_was() {
    at_each_size("filter_complaint", |size| {
        let mut desk = Desk::town(size);
        desk.keys("/eve situation:emial_match");
        desk
    });
    let mut desk = Desk::town(SIZE);
    desk.keys("/eve");
    let before = names(&desk);
    desk.keys(" ");
    desk.send(Event::Paste("statsu:confirmed".to_owned()));
    assert_eq!(names(&desk), before);
    shows(&desk, "There is no field statsu; did you mean status?");
    desk.keys("<Enter>x");
    shows(&desk, "Filter  eve statsu:confirmedx");
    for _ in 0.." statsu:confirmedx".len() {
        desk.keys("<Backspace>");
    }
    desk.keys("<Enter>");
    assert_eq!(names(&desk), before);
    desk.keys("<Esc>g");
    assert_eq!(names(&desk), names(&Desk::town(SIZE)), "everybody is there again");
}

#[test]
fn each_field_finds_whom_it_says() {
    for (filter, found) in [
        ("email:@example.org jon", vec!["jon@example.org"]),
        ("status:external", vec!["Google_109322518823"]),
        ("status:invited", vec!["lea@example.org"]),
        ("provider:google", vec!["Google_109322518823"]),
        ("flag:contested", vec!["carl@example.org"]),
        ("situation:\"email match\"", vec!["carl@example.org"]),
        ("situation:dangling", vec!["dora@example.org"]),
        ("group:conflict -situation:dangling", vec!["hal@example.org"]),
        ("user_id:0192f0c1-2b6a-7cde-8f00-012345679abb", vec!["nia@example.org"]),
        ("sub:00000000-0000-0000-0000-00000000dead", vec!["✗──╴"]),
        ("created:>2026-11-23T09:50", vec![]),
        ("created:<2h -status:invited group:unlinked", vec!["ada@example.org"]),
        ("enabled:no", vec![]),
    ] {
        let mut desk = Desk::town(SIZE);
        desk.keys("/");
        desk.send(Event::Paste(filter.to_owned()));
        let seen = names(&desk);
        assert_eq!(seen, found, "{filter}\n{}", desk.text());
    }
}

#[test]
fn what_fits_best_comes_first_and_close_is_enough() {
    let mut desk = Desk::with(setup(), SIZE, street());
    desk.keys("/anna");
    assert_eq!(names(&desk), ["anna.schmidt@x.org", "hanna@x.org"]);
    desk.keys("<Esc>/jdoe");
    assert_eq!(names(&desk), ["john.doe@x.org"]);
    desk.keys("<Esc>/\"jdoe");
    assert_eq!(names(&desk), Vec::<String>::new(), "in quotes as it stands, and not else");
    shows(&desk, "Nothing matches");
}

#[test]
fn the_list_is_sorted_by_a_column_and_the_cursor_stays_on_its_record() {
    at_each_size("sorted", |size| {
        let mut desk = Desk::town(size);
        desk.keys("jjs");
        desk
    });
    let mut desk = Desk::with(setup(), SIZE, street());
    desk.keys("j");
    assert_eq!(on(&desk), "anna.schmidt@x.org");
    desk.keys("s");
    shows(&desk, "POOL USER ▲ a to z");
    assert_eq!(names(&desk)[0], "anna.schmidt@x.org");
    assert_eq!(on(&desk), "anna.schmidt@x.org");
    desk.keys("S");
    shows(&desk, "POOL USER ▼ z to a");
    assert_eq!(names(&desk)[0], "zoe@x.org");
    assert_eq!(on(&desk), "anna.schmidt@x.org");
    desk.keys("s");
    shows(&desk, "STATUS ▲");
    desk.keys("sss");
    shows(&desk, "In the order of arrival, first read first.");
    assert_eq!(names(&desk)[0], "otto@x.org");
    assert_eq!(on(&desk), "anna.schmidt@x.org");
}

#[test]
fn columns_are_chosen_and_resized_and_everything_else_gives_way() {
    at_each_size("columns", |size| {
        let mut desk = Desk::town(size);
        desk.keys("cjjj<Down><Down>jjj");
        desk
    });
    let mut desk = Desk::town(SIZE);
    desk.keys("c");
    shows(&desk, "[ ] situation");
    desk.keys("<Down><Down><Down> <Enter>");
    shows(&desk, "USERNAME");
    desk.keys("cjjjj <Esc>");
    assert!(!desk.text().contains("PROVIDER"), "there is no room for it at 80 columns");
    desk.resize((200, 50));
    shows(&desk, "PROVIDER");
    desk.keys("c<Backspace><Esc>");
    assert!(!desk.text().contains("USERNAME"));
}

/// An entry whose verdict rests on a row of another one, and that one.
fn two_who_share_an_email() -> Vec<Entry> {
    let mut entries: Vec<Entry> = (20..40).map(|number| linked(number, &format!("l{number}@example.org"))).collect();
    let mut dora = people::town().remove(3);
    // It names a row that belongs to somebody else.
    dora.users[0].user_id = Some(entries[15].rows[0].id.to_string().into());
    entries.insert(2, dora);
    entries
}

#[test]
fn a_pointer_is_followed_and_the_way_back_is_kept() {
    let mut desk = Desk::with(setup(), SIZE, two_who_share_an_email());
    desk.keys("4");
    assert_eq!(on(&desk), "dora@example.org");
    desk.keys("f");
    assert_eq!(on(&desk), "l35@example.org");
    shows(&desk, "Esc goes back.");
    desk.keys("<Esc>");
    assert_eq!(on(&desk), "dora@example.org");
    assert_eq!(names(&desk).len(), 1, "in the group in which it was");
    desk.keys("<Enter>f");
    shows(&desk, "── l35@example.org");
    desk.keys("<Backspace>");
    shows(&desk, "── dora@example.org");
    desk.keys("<Esc><Esc>");
    assert_eq!(on(&desk), "dora@example.org");
    desk.keys("7f");
    shows(&desk, "Its pointers lead to records of this very entry.");
}

#[test]
fn whoever_has_gone_elsewhere_is_not_led_back() {
    let followed = || {
        let mut desk = Desk::with(setup(), SIZE, two_who_share_an_email());
        desk.keys("4f");
        assert_eq!(on(&desk), "l35@example.org");
        desk
    };
    let all = names(&followed()).len();
    // An entry that was opened since is closed first.
    let mut desk = followed();
    desk.keys("<Enter><Esc>");
    assert_eq!((on(&desk), names(&desk).len()), ("l35@example.org".to_owned(), all));
    desk.keys("<Esc>");
    assert_eq!((on(&desk), names(&desk).len()), ("dora@example.org".to_owned(), 1), "and then it leads back");
    // A filter is cleared, and the list stays.
    let mut desk = followed();
    desk.keys("/l35<Enter><Esc>");
    assert_eq!((on(&desk), names(&desk).len()), ("l35@example.org".to_owned(), all));
    desk.keys("<Esc>");
    shows(&desk, "There is nothing to go back to.");
    // Another group, what the overview leads to, and what a ticket says.
    for keys in ["21", "O<Enter>1", "ol35<Enter>"] {
        let mut desk = followed();
        desk.keys(keys);
        desk.send(Event::LookedUp { asked: "l35".to_owned(), answer: Ok(crate::at_a_glance::found(1)) });
        desk.keys("<Esc><Esc>");
        shows(&desk, "There is nothing to go back to.");
        assert_eq!(names(&desk).len(), all, "{keys}");
    }
}

#[test]
fn while_an_earlier_scan_is_shown_all_of_it_was_searched() {
    let mut desk = Desk::town(SIZES[1]);
    let shown_from = Some(Timestamp::from_millis(NOW.as_millis() - 120_000));
    desk.send(Event::Progress(Progress { shown_from, ..reading() }));
    desk.keys("/nobody-is-called-so<Enter>");
    shows(&desk, "in everything of the scan of 2 min ago.");
    shows(&desk, "0 matches; searched everything of the scan of 2 min ago");
}

#[test]
fn where_a_pointer_leads_that_leads_nowhere_is_said() {
    let mut desk = Desk::town(SIZE);
    desk.keys("4f");
    shows(&desk, "is not there.");
    assert_eq!(on(&desk), "dora@example.org");
    desk.send(Event::Progress(reading()));
    desk.keys("f");
    shows(&desk, "has not been read.");
}

#[test]
fn the_counterpart_is_gone_to_and_come_back_from() {
    let mut desk = Desk::town(SIZE);
    desk.keys("7");
    let here = on(&desk);
    desk.keys("J");
    shows(&desk, "Both sides stand here");
    assert_eq!(on(&desk), here);
    // Whom it has to do with is told by the explanation.
    let of = desk.entries[2].lead().unwrap();
    let rival = match desk.entries[8].lead().unwrap() {
        RecordRef::User(sub) => sub,
        RecordRef::Row(_) => panic!("a user leads it"),
    };
    desk.keys("1gjj");
    let mut explanation = people::explanation(&desk.entries[2]);
    let because = userlink_link::Because::Rival;
    let username = userlink_domain::Username::new("jon");
    explanation.related = vec![userlink_link::Related::User { sub: rival, username, because }];
    desk.send(Event::Explained { of, explanation });
    desk.keys("J");
    assert_eq!(on(&desk), "jon@example.org");
    desk.keys("<Backspace>");
    assert_eq!(on(&desk), "carl@example.org");
}

#[test]
fn a_click_selects_two_open_the_wheel_goes_on_and_tabs_and_heads_are_clicked() {
    let mut desk = Desk::with(setup(), SIZE, street());
    desk.click("carl@x.org");
    assert_eq!(on(&desk), "carl@x.org");
    desk.now = Timestamp::from_millis(desk.now.as_millis() + 1_000);
    desk.click("carl@x.org");
    assert!(!desk.text().contains("── carl@x.org ── ! row"), "a second later it is another click");
    desk.click("carl@x.org");
    shows(&desk, "Esc back");
    desk.keys("<Esc>");
    desk.press(Press::WheelUp, "otto@x.org");
    assert_eq!(on(&desk), "otto@x.org");
    desk.press(Press::WheelDown, "otto@x.org");
    assert_eq!(on(&desk), "carl@x.org");
    desk.click("POOL USER");
    assert_eq!(names(&desk)[0], "anna.schmidt@x.org");
    desk.click("POOL USER");
    assert_eq!(names(&desk)[0], "zoe@x.org");
    desk.click("Conflict");
    shows(&desk, "No conflicts.");
    desk.click("All");
    desk.keys("/zo");
    desk.click("zoe@x.org");
    assert!(!desk.text().contains("Esc clear the filter"), "the filter is kept, and no longer typed");
    desk.keys("c");
    desk.click("[ ] username");
    desk.keys("<Esc>");
    shows(&desk, "USERNAME");
}

#[test]
fn nothing_is_answered_by_the_mouse_and_off_it_does_nothing() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    desk.prepared(1);
    desk.keys("<Enter>");
    desk.asked.clear();
    for y in 0..SIZE.1 {
        for x in (0..SIZE.0).step_by(2) {
            desk.press_at(Press::Click, (x, y));
        }
    }
    assert_eq!(desk.asked, []);
    shows(&desk, "Cancel");
    desk.keys("<Esc><Esc><F2>");
    assert_eq!(desk.asked, [Effect::Mouse(false)]);
    let before = on(&desk);
    desk.click("carl@example.org");
    assert_eq!(on(&desk), before);
    desk.keys("<F2>");
    desk.click("carl@example.org");
    assert_eq!(on(&desk), "carl@example.org");
}

#[test]
fn how_to_select_text_is_said_in_the_help() {
    let mut desk = Desk::town((200, 50));
    desk.keys("?");
    shows(&desk, "Hold Shift and drag to select text");
}

#[test]
fn a_situation_of_a_record_that_leaves_the_filter_leaves_the_list() {
    let mut desk = Desk::town(SIZE);
    desk.keys("/situation:row_side<Enter>");
    assert_eq!(names(&desk), ["ada@example.org", "bea@example.org"]);
    desk.entries[0].situation = Situation::Linked;
    desk.send(Event::Changed);
    assert_eq!(names(&desk), ["bea@example.org"]);
}
