//! What holds in every room: the count of what is marked, the way to all keys, keys by the names that they have, and what
//! can be clicked at.

use userlink_domain::{Flag, Situation};
use userlink_ui::{Answer, Counts, Effect, Event, HistoryOf, JournalPlace, Keys, News, Outcome, Press, Sessions};

use crate::at_a_glance::causes;
use crate::commands::town;
use crate::desk::{Desk, complete, reading, setup};
use crate::every_screen::SCREENS;
use crate::{people, plans};

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (200, 50)];

#[test]
fn what_is_marked_is_counted_on_every_screen_at_any_size() {
    for (name, reach) in SCREENS {
        for size in SIZES {
            let mut desk = town();
            desk.resize(size);
            desk.keys(" ");
            reach(&mut desk);
            assert!(desk.text().contains("◆ 1 marked"), "{name} {size:?}\n{}", desk.text());
            // What lies over a screen has it, too.
            for over in [":", "<Esc>?"] {
                desk.keys(over);
                assert!(desk.text().contains("◆ 1 marked"), "{name} {size:?} {over}\n{}", desk.text());
            }
        }
    }
}

/// Where something is typed a question mark is text.
const TYPED: &[&str] = &["filter", "ticket", "palette", "export, its folder", "form", "history's filter"];

#[test]
fn all_keys_are_a_key_away_and_those_of_the_place_come_first() {
    for (name, reach) in SCREENS {
        let mut desk = town();
        reach(&mut desk);
        let before = desk.text();
        desk.send(Event::Key(ratatui::crossterm::event::KeyCode::F(1).into()));
        let text = desk.text();
        let opened = text.contains("both point at each other");
        assert_eq!(opened, *name != "help", "{name}\n{text}");
        desk.keys("<Esc>");
        assert!(*name == "help" || desk.text() == before, "{name}: back where it was\n{}", desk.text());
        if !TYPED.contains(name) {
            let mut desk = town();
            reach(&mut desk);
            desk.keys(":");
            assert!(desk.text().contains("── Commands"), "{name}\n{}", desk.text());
        }
    }
    let place = |of: &str| {
        let (_, reach) = SCREENS.iter().find(|(name, _)| *name == of).unwrap();
        let mut desk = town();
        reach(&mut desk);
        desk.keys("?");
        desk.text()
    };
    for (screen, title, first) in [
        ("history", "── Keys: history ", "undo"),
        ("preview", "── Keys: preview ", "sign out, too"),
        ("writing", "── Keys: run ", "stop after this step"),
        ("what was not done", "── Keys: result ", "what was not done, again"),
        ("leaving", "── Keys: leaving ", "leave"),
        ("overview", "── Keys: overview ", "show them"),
    ] {
        let text = place(screen);
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{screen}: {what}\n{text}"));
        assert!(at(title) < at(first), "{text}");
    }
    insta::assert_snapshot!("help_of_the_history_80x24", place("history"));
}

#[test]
fn what_the_help_promises_where_something_is_typed_is_no_letter() {
    let mut desk = town();
    desk.keys("/<C-g>");
    assert!(desk.text().contains("^G does nothing here. F1 shows all keys."), "{}", desk.text());
    desk.keys("<Esc>H<C-g>");
    assert!(desk.text().contains("^G does nothing here. ? shows all keys."), "{}", desk.text());
}

#[test]
fn who_hides_people_while_reading_messages_hides_them() {
    let mut desk = town();
    desk.keys("Mm");
    assert!(desk.text().contains("── Messages"));
    desk.keys("<Esc>");
    assert!(!desk.text().contains("@example.org"), "{}", desk.text());
}

#[test]
fn the_steps_of_a_run_are_the_end_of_the_way_and_say_so() {
    let (_, reach) = SCREENS.iter().find(|(name, _)| *name == "steps of a run").unwrap();
    let mut desk = town();
    desk.keys("H");
    desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
    assert!(desk.text().contains("Enter its steps"));
    desk.keys("<Esc>");
    reach(&mut desk);
    assert!(!desk.text().contains("Enter its steps"), "{}", desk.text());
    desk.asked.clear();
    desk.keys("<Enter>");
    assert!(desk.text().contains("These are the steps: nothing lies below them."), "{}", desk.text());
    assert_eq!(desk.asked, []);
}

/// Keys of their own before those that are there: whoever gave a command another key is told of that one.
fn with_other_keys(desk: &mut Desk) {
    let lines = Keys::default().lines();
    let mut names: Vec<(&str, Vec<String>)> = Vec::new();
    let letters = ('a'..='z').flat_map(|c| [format!("alt-{c}"), format!("alt-shift-{c}")]);
    let mut new = letters.chain((3..=12).map(|number| format!("f{number}")));
    for line in lines.iter().filter(|line| line.can_be_changed) {
        if names.iter().all(|(name, _)| *name != line.command) {
            let mut keys = vec![new.next().unwrap()];
            keys.extend(line.keys.iter().cloned());
            names.push((line.command, keys));
        }
    }
    let keys = Keys::with(names.iter().map(|(name, keys)| (*name, keys.as_slice()))).unwrap();
    let model = std::mem::replace(&mut desk.model, userlink_ui::Model::new(setup(), desk.size));
    desk.model = model.with_keys(keys);
}

/// A key that a sentence names: what somebody is to press, or what a key does.
fn named(text: &str) -> Vec<String> {
    const DOES: &[&str] =
        &["shows", "scans", "takes", "plans", "signs", "looks", "tries", "marks", "quits", "goes", "puts"];
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(|c| ",.;:()".contains(c))).collect();
    let pressed = words.windows(2).filter(|pair| pair[0] == "press").map(|pair| pair[1].to_owned());
    let does = words.windows(2).filter(|pair| DOES.contains(&pair[1])).map(|pair| pair[0].to_owned());
    let is_key =
        |word: &String| (word.len() == 1 && word.is_ascii()) || ["Space", "Enter", "Tab", "F2"].contains(&&**word);
    pressed.chain(does).filter(is_key).collect()
}

#[test]
fn no_sentence_names_a_key_that_was_given_away() {
    let with_sessions = |complete: bool| {
        let sessions = Some(Sessions { users: 1, signed_out: false, tokens: "for 1 h".to_owned() });
        Outcome { sessions, ..plans::outcome(complete) }
    };
    let mut seen = 0;
    let mut check = |name: &str, desk: &Desk| {
        seen += 1;
        assert_eq!(named(&desk.text()), [] as [&str; 0], "{name}\n{}", desk.text());
    };
    let open = |size| {
        let mut desk = town();
        with_other_keys(&mut desk);
        desk.resize(size);
        desk
    };
    for size in [(80, 24), (200, 50)] {
        for (name, reach) in SCREENS.iter().filter(|(name, _)| *name != "help" && *name != "palette") {
            let mut desk = open(size);
            reach(&mut desk);
            check(name, &desk);
        }
        for keys in ["V", "m", "mm", "<Esc>", "y", "my", "g<Esc>", "4j", "R"] {
            let mut desk = open(size);
            desk.keys(keys);
            check(keys, &desk);
        }
        let mut desk = open(size);
        desk.keys("r");
        desk.planned(Answer::Draft(Box::new(plans::taken())));
        check("who had another id", &desk);
        for complete in [true, false] {
            let mut desk = open(size);
            desk.keys("r");
            desk.prepared(1);
            desk.keys("<Enter>y");
            desk.send(Event::Applied(Ok(with_sessions(complete))));
            assert!(desk.text().contains("Alt-"), "the keys are those that there are:\n{}", desk.text());
            check("a result", &desk);
        }
        let mut desk = open(size);
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y<Esc>");
        desk.send(Event::Applied(Ok(with_sessions(false))));
        assert!(desk.text().contains("shows what was not"), "{}", desk.text());
        check("a result that was not waited for", &desk);
        for phase in [userlink_ui::Phase::Failed, userlink_ui::Phase::Paused] {
            let mut desk = open(size);
            desk.send(Event::Progress(userlink_ui::Progress { phase, ..reading() }));
            check("a scan that stopped", &desk);
        }
    }
    assert!(seen > 80);
}

/// A pool in which everything occurs.
fn everything(size: (u16, u16)) -> Desk {
    let mut desk = Desk::overview(setup(), size);
    desk.entries = people::town();
    desk.send(Event::Progress(complete()));
    let situations = Situation::ALL.into_iter().zip(1_001..).collect();
    let flags = Flag::ALL.into_iter().zip(21..).collect();
    desk.send(Event::Counts(Counts { situations, flags }));
    desk.send(Event::Overview(News::Causes(Some(causes()))));
    desk
}

#[test]
fn every_situation_that_there_is_has_its_count_and_a_bar_at_any_size() {
    for size in SIZES {
        let mut desk = everything(size);
        desk.keys("g");
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..60 {
            let text = desk.text();
            for (situation, count) in Situation::ALL.into_iter().zip(1_001_u64..) {
                let words = situation.words();
                let number = format!("{},{:03}", count / 1_000, count % 1_000);
                let line = text
                    .lines()
                    .find(|line| line.contains(&number) && line.replace("user_id", "user id").contains(&words));
                let bar = |line: &str| line.split_once(&number).is_some_and(|(_, rest)| rest.contains(['━', '╸']));
                if line.is_some_and(bar) {
                    seen.insert(situation.name());
                }
            }
            desk.keys("j");
        }
        let all: std::collections::BTreeSet<_> = Situation::ALL.into_iter().map(Situation::name).collect();
        assert_eq!(seen, all, "{size:?}");
    }
    insta::assert_snapshot!("overview_of_everything_80x24", everything((80, 24)).screen());
    insta::assert_snapshot!("overview_of_everything_200x50", everything((200, 50)).text());
}

#[test]
fn what_is_counted_leads_to_its_entries() {
    let mut desk = everything((80, 24));
    desk.keys("g<Enter>");
    assert!(desk.text().contains("▌! Unlinked") && !desk.text().contains("situation:"), "{}", desk.text());
    desk.keys("O");
    desk.click("row side only");
    desk.keys("<Enter>");
    assert!(desk.text().contains("Filter  situation:row_side_only"), "{}", desk.text());
    desk.keys("Ogj");
    // Two clicks open, and a cause, too.
    desk.click("no row");
    desk.click("no row");
    assert!(desk.text().contains("Filter  situation:no_row"), "{}", desk.text());
    desk.keys("O");
    desk.click("118 of 612");
    desk.click("118 of 612");
    assert!(desk.text().contains("situation:row_side_only created:"), "{}", desk.text());
}

#[test]
fn what_is_asked_of_the_pool_is_one_line_where_there_is_no_room_for_meters() {
    let mut desk = everything((80, 24));
    let spent = |category: &str, (per_second, rate), made, refused| userlink_ui::Spent {
        category: category.to_owned(),
        per_second,
        rate,
        full: 15.0,
        quota: 30.0,
        made,
        refused,
    };
    desk.send(Event::Overview(News::Spent(vec![
        spent("UserList", (14.8, 14.2), 16_667, 3),
        spent("UserPoolRead", (0.0, 5.0), 4, 0),
    ])));
    assert!(
        desk.text().contains("Requests  UserList 14.8/s, limit 14.2, 3 refused · UserPoolRead 0/s, limit 5"),
        "{}",
        desk.text()
    );
    desk.resize((200, 50));
    assert!(desk.text().contains("AWS allows 30 for all pools together"), "{}", desk.text());
}

#[test]
fn the_mouse_chooses_wherever_there_is_a_choice() {
    let chosen = |desk: &Desk| {
        let text = desk.text();
        text.lines().skip(4).find(|line| line.starts_with('▌')).unwrap_or_default().to_owned()
    };
    let mut desk = town();
    desk.keys("H");
    desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
    desk.click("carl@laptop");
    assert!(chosen(&desk).contains("carl@laptop"), "{}", desk.text());
    desk.asked.clear();
    desk.click("bob@laptop");
    desk.click("bob@laptop");
    assert!(matches!(&desk.asked[..], [Effect::History(HistoryOf::Run(_))]), "{:?}", desk.asked);

    let mut desk = town();
    desk.keys(":");
    desk.click("look somebody up");
    assert!(chosen(&desk).contains("look somebody up"), "{}", desk.text());
    desk.click("look somebody up");
    assert!(desk.text().contains("Look up"), "{}", desk.text());

    let mut desk = town();
    desk.keys("C");
    desk.click(" dev ");
    assert!(chosen(&desk).contains(" dev "), "{}", desk.text());
    desk.click(" dev ");
    assert_eq!(desk.asked, [Effect::Turn("dev".to_owned())]);

    let mut desk = town();
    desk.keys("r");
    desk.planned(Answer::Choose(Box::new(plans::choosing(2))));
    desk.click("a new row");
    let on = desk.text().lines().find(|line| line.contains("a new row")).unwrap_or_default().to_owned();
    assert!(on.starts_with('▌'), "{}", desk.text());
    // No question is answered by it.
    let mut desk = town();
    desk.keys("r");
    desk.prepared(1);
    desk.keys("<Enter>");
    let before = desk.text();
    desk.asked.clear();
    for words in ["Apply", "Cancel"] {
        desk.press(Press::Click, words);
        desk.press(Press::Click, words);
    }
    assert_eq!(desk.text(), before);
    assert_eq!(desk.asked, []);
}

#[test]
fn where_the_journal_lies_is_told_at_any_size_on_the_contexts() {
    for size in SIZES {
        for (place, words) in
            [(JournalPlace::Shared, "shared, in the database"), (JournalPlace::Local, "local, on this machine alone")]
        {
            let mut desk = town();
            desk.resize(size);
            desk.send(Event::Journal(place));
            desk.keys("C");
            assert!(desk.text().contains(&format!("Journal of prod-eu: {words}")), "{}", desk.text());
        }
    }
}

#[test]
fn every_context_has_a_colour_and_only_production_has_red() {
    let head = |desk: &Desk| desk.screen().lines().find(|line| line.starts_with(" 0  ")).unwrap().to_owned();
    let mut desk = town();
    assert!(head(&desk).contains("bold reversed, ") && head(&desk).contains("red bold reversed"), "{}", head(&desk));
    let mut of = |name: &str| {
        let model = userlink_ui::Model::new(
            userlink_ui::Setup { context: name.to_owned(), production: false, ..setup() },
            (80, 24),
        );
        desk.model = model;
        head(&desk)
    };
    let [dev, staging, again] = ["dev", "staging", "dev"].map(&mut of);
    assert!(!dev.contains("red ") && dev.contains("bold reversed"), "{dev}");
    assert_eq!(dev, again);
    let colour =
        |line: &str| line.split(" bold reversed").next().and_then(|it| it.split(' ').next_back()).map(str::to_owned);
    assert_ne!(colour(&dev), colour(&staging));
}

#[test]
fn between_the_end_of_a_scan_and_its_list_nothing_is_said_of_everything() {
    let mut desk = Desk::opened(setup(), (80, 24));
    desk.entries = people::town();
    desk.send(Event::Progress(reading()));
    desk.count();
    desk.keys("/bea<Enter>");
    assert!(desk.text().contains("1 match; searched"), "{}", desk.text());
    // The screen is told before its list has come.
    let effects = userlink_ui::update(&mut desk.model, Event::Progress(complete()), people::NOW);
    assert!(desk.text().contains("searching"), "{}", desk.text());
    effects.into_iter().for_each(|effect| desk.answered(effect));
    assert!(desk.text().contains("1 match in everything"), "{}", desk.text());
}
