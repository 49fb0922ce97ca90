//! Marks: one, a range, all of a filter; they hold on to records, and their count is always seen.

use userlink_ui::{Effect, Event, Wish};

use crate::desk::Desk;
use crate::people;

const SIZE: (u16, u16) = (80, 24);

fn marked(desk: &Desk) -> Vec<usize> {
    let of = |entry: &userlink_link::Entry| desk.marked.iter().any(|of| crate::desk::holds(entry, of));
    (0..desk.entries.len()).filter(|at| of(&desk.entries[*at])).collect()
}

#[test]
fn one_two_a_range_all_of_a_filter_the_others_and_none() {
    let mut desk = Desk::town(SIZE);
    desk.keys("  ");
    assert_eq!(marked(&desk), [0, 1], "the cursor goes on by itself");
    desk.keys("gVjjjV");
    assert_eq!(marked(&desk), [0, 1, 2, 3]);
    desk.keys("k ");
    assert_eq!(marked(&desk), [0, 1, 3], "a mark is taken off");
    desk.keys("2I");
    let unlinked =
        desk.entries.iter().filter(|entry| entry.situation.group() == userlink_domain::Group::Unlinked).count();
    assert_eq!(marked(&desk).len(), 3 - 2 + unlinked - 2, "inverted in the group, and left alone outside of it");
    desk.keys("UA");
    assert_eq!(marked(&desk).len(), unlinked);
    desk.keys("1/ada<Enter>UA");
    assert_eq!(marked(&desk), [0]);
    desk.keys("U");
    assert_eq!(marked(&desk), [] as [usize; 0]);
}

#[test]
fn the_count_is_seen_wherever_one_looks_and_survives_filter_order_and_scan() {
    let mut desk = Desk::town(SIZE);
    desk.keys(" j ");
    assert!(desk.text().contains("◆ 2 marked"));
    desk.keys("/pia");
    assert!(desk.text().contains("◆ 2 marked") && !desk.text().contains("◆ada"));
    desk.keys("<Esc>7");
    assert!(desk.text().contains("◆ 2 marked"), "in another group");
    desk.keys("1");
    desk.entries.reverse();
    desk.count();
    desk.keys("G");
    assert!(desk.text().contains("◆ada@example.org"), "by the record, wherever it stands:\n{}", desk.text());
    desk.send(Event::Marked(1_000_000));
    assert!(desk.text().contains("◆ 1,000,000 marked"), "a million costs the model nothing");
}

#[test]
fn a_range_can_be_left() {
    let mut desk = Desk::town(SIZE);
    desk.keys("Vjj<Esc>V<Esc>");
    assert_eq!(marked(&desk), [] as [usize; 0]);
    desk.keys("Vj ");
    assert_eq!(marked(&desk).len(), 2, "Space ends a range, too");
}

#[test]
fn r_is_for_what_is_marked_and_else_for_the_entry_under_the_cursor() {
    let mut desk = Desk::town(SIZE);
    desk.keys("jr");
    assert_eq!(desk.request().unwrap().wish, Wish::Entry(people::town()[1].lead().unwrap()));
    desk.keys("<Esc> r");
    assert_eq!(desk.request().unwrap().wish, Wish::Marked);
    // In an entry that was opened it is that entry's.
    desk.keys("<Esc>g<Enter>r");
    assert_eq!(desk.request().unwrap().wish, Wish::Entry(people::town()[0].lead().unwrap()));
    assert!(desk.asked.iter().all(|effect| matches!(effect, Effect::Plan(_))));
}

#[test]
fn marks_are_drawn_without_colour_and_in_ascii() {
    let setup = userlink_ui::Setup { ascii: true, ..crate::desk::setup() };
    let mut desk = Desk::with(setup, SIZE, people::town());
    desk.keys(" j ");
    insta::assert_snapshot!(desk.text());
    assert!(desk.text().is_ascii());
}

/// The runtime has not told yet how many are marked.
#[test]
fn who_marks_and_goes_on_at_once_means_what_was_marked() {
    let mut desk = Desk::town(SIZE);
    let mut press = |key: char| {
        let key = ratatui::crossterm::event::KeyEvent::from(ratatui::crossterm::event::KeyCode::Char(key));
        userlink_ui::update(&mut desk.model, Event::Key(key), people::NOW)
    };
    assert!(press('A').iter().any(|effect| matches!(effect, Effect::Mark(_))));
    let asked = press('r');
    assert!(
        asked.iter().any(|effect| matches!(effect, Effect::Plan(request) if request.wish == Wish::Marked)),
        "{asked:?}"
    );
}
