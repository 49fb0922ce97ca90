//! Moving about: windows, the cursor that holds on to its record, groups, the filter, and the way back.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use userlink_domain::{Group, RecordRef, Situation};
use userlink_link::Entry;
use userlink_ui::{Effect, Event, Level, Model, Progress, ViewSpec, Window, update};

use crate::desk::{Desk, complete, reading, setup};
use crate::people::{self, NOW, linked, row_side_only};

const SIZE: (u16, u16) = (80, 24);

/// The line that the bar marks, without the bar.
fn under_the_cursor(desk: &Desk) -> String {
    let text = desk.text();
    let line = text.lines().skip(4).find(|line| line.starts_with('▌')).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn screen_line(desk: &Desk) -> usize {
    desk.text().lines().skip(4).position(|line| line.starts_with('▌')).unwrap()
}

fn street(houses: u128) -> Vec<Entry> {
    (0..houses).map(|number| row_side_only(number + 1, &format!("user{number:05}@example.org"))).collect()
}

fn ask(model: &mut Model) -> (u64, ViewSpec) {
    let effects = update(model, Event::Tick, NOW);
    let asked = effects.into_iter().find_map(|effect| match effect {
        Effect::Window { generation, spec, .. } => Some((generation, spec)),
        _ => None,
    });
    asked.expect("a window is asked for")
}

fn window(generation: u64, spec: ViewSpec, entries: Vec<Entry>) -> Event {
    let total = entries.len();
    let marked = vec![false; entries.len()];
    Event::Window(Window { generation, spec, total, first: 0, entries, marked, anchor_at: None, revision: 1 })
}

#[test]
fn a_window_is_asked_for_once_and_again_only_when_the_data_changed() {
    let mut model = Model::new(setup(), SIZE);
    let (generation, spec) = ask(&mut model);
    assert_eq!(update(&mut model, Event::Tick, NOW), [], "one is on its way");
    assert_eq!(update(&mut model, Event::Changed, NOW), [], "still");
    let after = update(&mut model, window(generation, spec, street(3)), NOW);
    assert!(matches!(after[..], [Effect::Window { .. }, Effect::Explain(_)]), "it changed on the way: {after:?}");
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let mut model = Model::new(setup(), SIZE);
    let (generation, spec) = ask(&mut model);
    let turned = update(&mut model, key('4'), NOW);
    assert!(matches!(&turned[..], [Effect::Window { generation: next, spec, .. }]
        if *next > generation && spec.group == Some(Group::Conflict)));
    let after = update(&mut model, window(generation, spec, street(3)), NOW);
    assert_eq!(after, [], "nothing to explain: the entries were not taken");
}

fn key(c: char) -> Event {
    use ratatui::crossterm::event::{KeyCode, KeyEvent};
    Event::Key(KeyEvent::from(KeyCode::Char(c)))
}

#[test]
fn the_cursor_stays_on_its_record_and_on_its_line_when_entries_move() {
    let mut desk = Desk::with(setup(), SIZE, street(200));
    desk.keys("<PageDown><PageDown><PageDown>jjj");
    let (who, line) = (under_the_cursor(&desk), screen_line(&desk));
    for number in 0..150 {
        desk.entries.insert(0, linked(1_000 + number, &format!("new{number}@example.org")));
        desk.revision += 1;
        desk.send(Event::Changed);
        assert_eq!((under_the_cursor(&desk), screen_line(&desk)), (who.clone(), line));
    }
    desk.entries.drain(..150);
    desk.send(Event::Changed);
    assert_eq!((under_the_cursor(&desk), screen_line(&desk)), (who, line));
}

#[test]
fn when_two_entries_become_one_the_cursor_is_on_that_one() {
    let mut desk = Desk::with(setup(), SIZE, street(5));
    desk.keys("jj");
    let merged = desk.entries.remove(2);
    desk.entries[0].users.extend(merged.users);
    desk.entries[0].user_count = 2;
    desk.send(Event::Changed);
    assert_eq!(under_the_cursor(&desk), "user00000@example.org");
    let asked_of = RecordRef::User(desk.entries[0].users[1].sub);
    desk.entries.swap(0, 3);
    desk.send(Event::Changed);
    assert!(crate::desk::holds(&desk.entries[3], &asked_of));
    assert_eq!(under_the_cursor(&desk), "user00000@example.org", "still by the second user, who was under it");
}

#[test]
fn when_its_entry_leaves_the_view_the_cursor_takes_the_next() {
    let mut desk = Desk::with(setup(), SIZE, street(3));
    desk.keys("2j");
    desk.entries[1].situation = Situation::Linked;
    desk.send(Event::Changed);
    assert_eq!(under_the_cursor(&desk), "user00002@example.org");
    desk.entries[2].situation = Situation::Linked;
    desk.send(Event::Changed);
    assert_eq!(under_the_cursor(&desk), "user00000@example.org", "at the end, the one before");
}

#[test]
fn a_million_entries_are_never_held_and_every_place_is_reached() {
    let mut desk = Desk::with(setup(), SIZE, street(3_000));
    for (keys, who) in [
        ("G", "user02999@example.org"),
        ("k", "user02998@example.org"),
        ("g", "user00000@example.org"),
        ("<End>", "user02999@example.org"),
        ("<PageUp>", "user02991@example.org"),
        ("<Home><PageDown>", "user00008@example.org"),
    ] {
        desk.keys(keys);
        assert_eq!(under_the_cursor(&desk), who, "{keys}");
    }
    desk.keys("g");
    for number in 0..300 {
        assert_eq!(under_the_cursor(&desk), format!("user{number:05}@example.org"));
        desk.keys("j");
    }
}

#[test]
fn keys_work_before_there_is_anything() {
    let mut desk = Desk::opened(setup(), SIZE);
    assert!(desk.text().contains("Reading the pool…"));
    desk.keys("jkGg<PageDown><Enter>r");
    assert!(desk.text().contains("There is no entry to repair yet."));
    desk.keys("?");
    assert!(desk.text().contains("both point at each other"));
    desk.keys("<Esc>q");
    assert_eq!(desk.asked, [Effect::Quit]);
}

#[test]
fn escape_goes_back_step_by_step_and_never_quits() {
    let mut desk = Desk::town(SIZE);
    desk.send(Event::Message { level: Level::Error, text: "first".to_owned() });
    desk.send(Event::Message { level: Level::Error, text: "second".to_owned() });
    desk.keys("/ada<Enter><Enter>?");
    for wanted in ["first", "second", "userId", "Filter  ada", "bea@example.org"] {
        desk.keys("<Esc>");
        assert!(desk.text().contains(wanted), "{wanted}\n{}", desk.text());
    }
    desk.keys("<Esc><Esc><Esc><Esc><Esc>");
    assert_eq!(desk.asked, []);
}

#[test]
fn an_error_stays_until_it_is_dismissed_and_a_word_goes_by_itself() {
    let mut desk = Desk::town(SIZE);
    desk.send(Event::Message { level: Level::Error, text: "The table is locked.".to_owned() });
    desk.send(Event::Message { level: Level::Info, text: "Saved.".to_owned() });
    desk.keys("jjkk");
    desk.now = userlink_domain::Timestamp::from_millis(NOW.as_millis() + 3_600_000);
    desk.send(Event::Tick);
    assert!(desk.text().contains("The table is locked."));
    desk.keys("<Esc>");
    assert!(!desk.text().contains("The table is locked."));
    desk.send(Event::Message { level: Level::Info, text: "Saved.".to_owned() });
    assert!(desk.text().contains("Saved."));
    let until = desk.model.wants_redraw_by().expect("it goes by itself");
    desk.now = until;
    desk.send(Event::Tick);
    assert!(!desk.text().contains("Saved."));
}

#[test]
fn groups_by_number_and_by_tab() {
    let mut desk = Desk::town(SIZE);
    desk.keys("4");
    assert_eq!(under_the_cursor(&desk), "dora@example.org");
    desk.keys("<Tab>");
    assert!(desk.text().contains("dead sub"), "orphans come next");
    desk.keys("<S-Tab><S-Tab><S-Tab><S-Tab>");
    assert_eq!(under_the_cursor(&desk), "ada@example.org");
    desk.keys("<S-Tab>");
    assert_eq!(under_the_cursor(&desk), "mia@example.org", "round to the unsettled");
    desk.entries.retain(|entry| entry.situation.group() != Group::Unsettled);
    desk.count();
    desk.keys("18");
    assert!(desk.text().contains("Nothing is unsettled."));
}

#[test]
fn the_filter_is_live_kept_by_enter_and_cleared_by_escape_without_losing_the_place() {
    let mut desk = Desk::with(setup(), SIZE, street(500));
    desk.keys("/user0042");
    assert_eq!(under_the_cursor(&desk), "user00420@example.org", "what holds the word comes first");
    desk.keys("<Esc>/\"user0042");
    assert_eq!(under_the_cursor(&desk), "user00420@example.org");
    assert!(desk.text().contains("10 matches in everything"), "{}", desk.text());
    desk.keys("<Enter>jj");
    assert_eq!(under_the_cursor(&desk), "user00422@example.org");
    assert!(desk.text().contains("Filter  \"user0042"));
    desk.keys("<Esc>");
    assert_eq!(under_the_cursor(&desk), "user00422@example.org", "in the midst of all the others now");
    assert!(!desk.text().contains("Filter"));
    desk.keys("/nobody");
    assert!(desk.text().contains("Nothing matches “nobody” in everything."));
    assert!(desk.text().contains("Esc clears the filter."));
    desk.keys("<Esc>");
    assert_eq!(under_the_cursor(&desk), "user00000@example.org");
}

#[test]
fn what_is_typed_into_the_filter_commands_nothing() {
    let mut desk = Desk::town(SIZE);
    desk.keys("/qrR?y1g");
    assert_eq!(desk.asked, []);
    assert!(desk.text().contains("Filter  qrR?y1g"));
    desk.send(Event::Paste("\u{1b}a\nda\r\n".to_owned()));
    assert!(desk.text().contains("Filter  qrR?y1ga da"), "{}", desk.text());
}

#[test]
fn a_paste_into_the_list_is_searched_for_and_elsewhere_does_nothing() {
    let mut desk = Desk::town(SIZE);
    desk.send(Event::Paste("bea@example.org\n".to_owned()));
    assert_eq!(under_the_cursor(&desk), "bea@example.org");
    desk.keys("<Enter>r");
    desk.prepared(1);
    desk.asked.clear();
    desk.send(Event::Paste("y\ny\r".to_owned()));
    desk.keys("<Enter>");
    desk.send(Event::Paste("y\ny\r".to_owned()));
    assert_eq!(desk.asked, []);
    assert!(desk.text().contains("[ Cancel ]"));
}

#[test]
fn empty_places_say_why_and_what_to_do() {
    let mut desk = Desk::with(setup(), SIZE, vec![]);
    desk.keys("4");
    assert!(desk.text().contains("No conflicts."));
    assert!(desk.text().contains("The last scan read everything, 3 min ago. R scans again."));
    desk.send(Event::Progress(reading()));
    assert!(desk.text().contains("No conflicts so far, in 340k of about 998k users."));
    let failed = userlink_ui::Progress { phase: userlink_ui::Phase::Failed, ..reading() };
    desk.send(Event::Progress(failed));
    assert!(desk.text().contains("The scan stopped before its end. R scans again."));
}

#[test]
fn the_bar_never_goes_back_and_is_whole_only_at_the_end() {
    let mut desk = Desk::opened(setup(), SIZE);
    let bar = |desk: &Desk| desk.text().matches('█').count();
    let mut last = 0;
    for (users, about) in [(100, 1_000), (500, 1_000), (600, 2_000), (1_990, 2_000), (5_000, 2_000)] {
        let progress = userlink_ui::Progress { users, users_about: Some(about), ..reading() };
        desk.send(Event::Progress(progress));
        assert!(bar(&desk) >= last);
        assert!(desk.text().contains('░'), "not whole before the end");
        last = bar(&desk);
    }
    desk.send(Event::Progress(complete()));
    desk.send(Event::Progress(userlink_ui::Progress { users: 10, ..reading() }));
    assert_eq!(bar(&desk), 0, "a new scan begins anew");
}

#[test]
fn scanning_again_waits_for_the_scan_under_way() {
    let mut desk = Desk::town(SIZE);
    desk.send(Event::Progress(reading()));
    desk.keys("R");
    assert_eq!(desk.asked, []);
    desk.send(Event::Progress(complete()));
    desk.keys("R<C-z>");
    assert_eq!(desk.asked, [Effect::Refresh, Effect::Suspend]);
}

#[test]
fn an_opened_entry_is_shown_as_it_is_now_when_it_leaves_the_view_and_as_it_was_when_it_is_gone() {
    let mut desk = Desk::town(SIZE);
    desk.keys("2j<Enter>");
    desk.entries[1] = people::linked(2, "bea@example.org");
    desk.send(Event::Changed);
    assert!(desk.text().contains("── bea@example.org ─ ✓ linked"), "{}", desk.text());
    desk.keys("r");
    assert_eq!(desk.asked, []);
    assert!(desk.text().contains("Both pointers agree"), "{}", desk.text());
    desk.entries.remove(1);
    desk.send(Event::Changed);
    assert!(
        desk.text().contains("This entry is gone") && desk.text().contains("── bea@example.org"),
        "{}",
        desk.text()
    );
    desk.keys("r");
    assert_eq!(desk.asked, []);
}

#[test]
fn what_was_repaired_on_the_whole_screen_is_taken_back_from_there() {
    let mut desk = Desk::town(SIZE);
    desk.keys("2j<Enter>r");
    desk.prepared(1);
    desk.keys("<Enter>y");
    assert!(desk.asked.iter().any(|effect| matches!(effect, Effect::Apply(_))), "{}", desk.text());
    desk.entries[1] = people::linked(2, "bea@example.org");
    desk.send(Event::Changed);
    desk.outcome(true);
    desk.asked.clear();
    desk.keys("u");
    assert!(matches!(desk.asked[..], [Effect::Plan(_)]), "{:?}\n{}", desk.asked, desk.text());
}

#[test]
fn enter_before_the_list_has_come_opens_its_first_entry_when_it_comes() {
    let windows = |effects: Vec<Effect>| effects.into_iter().find(|it| matches!(it, Effect::Window { .. }));
    let mut desk = Desk::town(SIZE);
    let press = |desk: &mut Desk, key: char| {
        let code = if key == '\r' { KeyCode::Enter } else { KeyCode::Char(key) };
        update(&mut desk.model, Event::Key(KeyEvent::from(code)), NOW)
    };
    // The answer is on its way while Enter is pressed; another key takes that back.
    for (keys, opens) in [("4\r", true), ("5\rs", false)] {
        let asked: Vec<Effect> = keys.chars().filter_map(|key| windows(press(&mut desk, key))).collect();
        assert!(!desk.text().contains("POOL USER                                ROW"), "{}", desk.text());
        for effect in asked {
            desk.answered(effect);
        }
        let shown = desk.model.shown().map(|entry| entry.situation.group());
        assert!(shown.is_some());
        assert_eq!(desk.text().contains("  userId  "), opens, "{keys}\n{}", desk.text());
        desk.keys("<Esc>");
    }
}

#[test]
fn while_the_pool_turns_requests_away_the_time_left_is_still_said() {
    for (size, all) in [((80, 24), false), ((200, 50), true)] {
        let mut desk = Desk::town(size);
        desk.send(Event::Progress(Progress { throttled: true, rows_done: true, ..reading() }));
        let text = desk.text();
        assert!(text.contains("throttled") && text.contains("6 min left"), "{text}");
        assert_eq!(text.contains("requests/s"), all, "{text}");
    }
}

#[test]
fn what_is_pasted_stays_in_one_line_however_its_lines_end() {
    for end in ["\r", "\n", "\r\n"] {
        for (keys, text, seen) in [
            ("o", format!("{end}<bea@example.org>{end}Where is my data?"), "Look up  <bea@example.org> "),
            ("/", format!("status:confirmed{end}bea"), "Filter  status:confirmed bea "),
            (":", format!("orphan{end}quit"), "orphan"),
            ("E<Up>", format!("/x{end}y"), "/x"),
        ] {
            let mut desk = Desk::town((200, 50));
            desk.keys(keys);
            desk.send(Event::Paste(text));
            assert!(desk.text().contains(seen), "{keys}\n{}", desk.text());
        }
    }
}
