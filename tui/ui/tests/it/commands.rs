//! Each command by hand: what it changes, and what is then on the screen.

use std::collections::BTreeSet;

use userlink_domain::Group;
use userlink_ui::{Answer, ContextChoice, Effect, Event, HistoryOf, Keys, ViewSpec, Wish};

use crate::desk::{Desk, complete, reading, setup};
use crate::{people, plans};

pub(crate) const SIZE: (u16, u16) = (80, 24);

/// A town with a second context and a folder, the cursor on its second entry: there is something above and below.
pub(crate) fn town() -> Desk {
    let mut desk = Desk::opened(setup(), SIZE);
    let choice = |name: &str| ContextChoice {
        name: name.to_owned(),
        pool: "eu-west-1_AbC123xyz".to_owned(),
        table: "app.users".to_owned(),
        production: true,
        read_only: false,
        tint: None,
    };
    desk.model = desk.model.with_contexts(vec![choice("dev"), choice("prod-eu")]).with_folder("/tmp");
    desk.entries = people::town();
    desk.entries.extend((100..130).map(|number| people::linked(number, &format!("l{number}@example.org"))));
    desk.send(Event::Progress(complete()));
    desk.count();
    desk.keys("j");
    desk
}

/// The name under the cursor.
fn on(desk: &Desk) -> String {
    let text = desk.text();
    let line = text.lines().skip(4).find(|line| line.starts_with('▌')).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn shows(desk: &Desk, words: &str) {
    assert!(desk.text().contains(words), "{words}\n{}", desk.text());
}

fn tab(desk: &Desk) -> String {
    let text = desk.text();
    let marked = text.lines().skip(1).take(2).find_map(|line| line.split_once('▌'));
    marked
        .map(|(_, rest)| rest.split_whitespace().find(|word| word.len() > 3 || *word == "All").unwrap().to_owned())
        .unwrap()
}

/// How the column of the names stands in the choice of columns before anything is chosen.
const POOL_USER: &str = "[x] pool user             23";

/// Goes to the entry of somebody who points at another's row.
fn on_dora(desk: &mut Desk) {
    desk.entries[3].users[0].user_id = Some(people::row_id(100).to_string().into());
    desk.count();
    desk.keys("jj");
    assert_eq!(on(desk), "dora@example.org");
}

/// What a command does, told by what is seen before and after it.
type Story = (&'static str, fn(Desk));

const STORIES: &[Story] = &[
    ("up", |mut desk| {
        assert_eq!(on(&desk), "bea@example.org");
        desk.keys("<Up>");
        assert_eq!(on(&desk), "ada@example.org");
        desk.keys("k");
        shows(&desk, "This is the first line.");
    }),
    ("down", |mut desk| {
        desk.keys("<Down>");
        assert_eq!(on(&desk), "carl@example.org");
        desk.keys("Gj");
        shows(&desk, "This is the last line.");
    }),
    ("page-down", |mut desk| {
        let first = on(&desk);
        desk.keys("<PageDown>");
        assert_ne!(on(&desk), first);
        assert!(!desk.text().contains("ada@example.org"), "the list has moved");
    }),
    ("page-up", |mut desk| {
        desk.keys("<PageDown><PageDown>");
        assert!(!desk.text().contains("ada@example.org"), "the list has moved");
        desk.keys("<PageUp><C-b>");
        shows(&desk, "ada@example.org");
    }),
    ("bottom", |mut desk| {
        desk.keys("G");
        shows(&desk, "▌✓ l129@example.org");
    }),
    ("top", |mut desk| {
        desk.keys("Gg");
        assert_eq!(on(&desk), "ada@example.org");
    }),
    ("next-group", |mut desk| {
        desk.keys("<Tab>");
        assert_eq!(tab(&desk), "Unlinked");
    }),
    ("previous-group", |mut desk| {
        desk.keys("3<S-Tab>");
        assert_eq!(tab(&desk), "Unlinked");
    }),
    ("show-all", |mut desk| {
        desk.keys("4");
        assert_ne!(tab(&desk), "All");
        desk.keys("1");
        assert_eq!(tab(&desk), "All");
        desk.keys("1");
        shows(&desk, "These are shown already.");
    }),
    ("show-unlinked", |desk| shows_group(desk, "2", "Unlinked")),
    ("show-duplicate", |desk| shows_group(desk, "3", "Duplicate")),
    ("show-conflict", |desk| shows_group(desk, "4", "Conflict")),
    ("show-orphan", |desk| shows_group(desk, "5", "Orphan")),
    ("show-expected", |desk| shows_group(desk, "6", "Expected")),
    ("show-linked", |desk| shows_group(desk, "7", "Linked")),
    ("show-unsettled", |desk| shows_group(desk, "8", "Unsettled")),
    ("open", |mut desk| {
        desk.keys("<Enter>");
        shows(&desk, "── bea@example.org");
    }),
    ("filter", |mut desk| {
        desk.keys("/carl");
        assert_eq!(on(&desk), "carl@example.org");
        shows(&desk, "Filter  carl");
        // The history has one of its own.
        desk.keys("<Esc>H");
        desk.send(Event::History { of: HistoryOf::Runs, answer: Ok(plans::runs()) });
        desk.keys("/bob");
        shows(&desk, "2 of 4 runs");
        shows(&desk, "Filter  bob");
    }),
    ("sort", |mut desk| {
        desk.keys("s");
        shows(&desk, "Sorted by pool user, a to z.");
        shows(&desk, "POOL USER ▲");
        desk.keys("g");
        assert_ne!(on(&desk), "ada@example.org", "who has no name comes first");
    }),
    ("reverse", |mut desk| {
        desk.keys("S");
        shows(&desk, "In the order of arrival, last read first.");
        desk.keys("g");
        assert_eq!(on(&desk), "l129@example.org");
    }),
    ("columns", |mut desk| {
        desk.keys("c");
        shows(&desk, "─ Columns ─");
        shows(&desk, POOL_USER);
    }),
    ("toggle", |mut desk| {
        desk.keys("cjjj <Enter>");
        shows(&desk, "USERNAME");
        desk.keys("cjjj <Enter>");
        assert!(!desk.text().contains("USERNAME"), "{}", desk.text());
    }),
    ("narrower", |mut desk| {
        desk.keys("cjjh");
        shows(&desk, "[x] pool user             22");
        desk.keys("<Left>");
        shows(&desk, "[x] pool user             21");
    }),
    ("wider", |mut desk| {
        desk.keys("cjjhhl");
        shows(&desk, "[x] pool user             22");
        desk.keys("<Right><Right>");
        shows(&desk, "[x] pool user             24");
    }),
    ("default-columns", |mut desk| {
        desk.keys("cjj");
        let before = desk.screen();
        desk.keys("hh ");
        assert!(!desk.text().contains(POOL_USER), "{}", desk.text());
        desk.keys("<Backspace>");
        assert_eq!(before, desk.screen());
        desk.keys("<Backspace>");
        shows(&desk, "The columns are as they were.");
    }),
    ("follow", |mut desk| {
        on_dora(&mut desk);
        desk.keys("f");
        assert_eq!(on(&desk), "l100@example.org");
        desk.keys("7f");
        shows(&desk, "Its pointers lead to records of this very entry.");
    }),
    ("counterpart", |mut desk| {
        let mut zed = people::user(50, "zed@example.org");
        zed.sub = userlink_domain::Sub::from_u128(7);
        desk.entries.push(people::entry(userlink_domain::Situation::NoRow, vec![zed], vec![]));
        desk.count();
        desk.keys("jJ");
        assert_eq!(on(&desk), "zed@example.org", "who shares carl's e-mail");
        desk.keys("7J");
        shows(&desk, "Both sides stand here, and no other record has to do with them.");
    }),
    ("return", |mut desk| {
        desk.keys("<Backspace>");
        shows(&desk, "There is nowhere to go back to.");
        on_dora(&mut desk);
        desk.keys("f<Backspace>");
        assert_eq!(on(&desk), "dora@example.org");
    }),
    ("mouse", |mut desk| {
        desk.keys("<F2>");
        assert_eq!(desk.asked, [Effect::Mouse(false)]);
        shows(&desk, "The mouse is off");
    }),
    ("repair", |mut desk| {
        desk.keys("r");
        assert!(matches!(&desk.asked[..], [Effect::Plan(_)]), "it reads, and writes nothing");
        shows(&desk, "What would be done is worked out");
    }),
    ("yes", |mut desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.asked.clear();
        desk.keys("<Enter>y");
        assert!(matches!(&desk.asked[..], [Effect::Apply(_)]));
        shows(&desk, "Repairing bea@example.org");
    }),
    ("switch", |mut desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>");
        shows(&desk, "[ Cancel ]");
        desk.keys("<Right>");
        shows(&desk, "[ Apply ]");
    }),
    ("next", |mut desk| {
        desk.keys("X<Tab>");
        shows(&desk, "[ no ]");
    }),
    ("previous", |mut desk| {
        desk.keys("X<S-Tab>");
        shows(&desk, "[ Look at the plan ]");
    }),
    ("mark", |mut desk| {
        desk.keys(" ");
        shows(&desk, "◆ 1 marked");
    }),
    ("mark-range", |mut desk| {
        desk.keys("VjjV");
        shows(&desk, "◆ 3 marked");
    }),
    ("mark-all", |mut desk| {
        desk.keys("2A");
        shows(&desk, "◆ 6 marked");
    }),
    ("invert-marks", |mut desk| {
        desk.keys("2 I");
        shows(&desk, "◆ 5 marked");
    }),
    ("unmark-all", |mut desk| {
        desk.keys(" ");
        shows(&desk, "marked");
        desk.keys("U");
        assert!(!desk.text().contains("marked"), "{}", desk.text());
    }),
    ("undo", |mut desk| {
        desk.keys("u");
        shows(&desk, "Nothing was repaired from here yet.");
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.outcome(true);
        desk.keys("u");
        assert!(matches!(desk.request().unwrap().wish, Wish::Undo { .. }));
    }),
    ("history", |mut desk| {
        desk.keys("H");
        assert_eq!(desk.asked, [Effect::History(HistoryOf::Runs)]);
        shows(&desk, "The journal is being read");
    }),
    ("dismiss", |mut desk| {
        desk.keys("d");
        shows(&desk, "Dismiss bea@example.org");
        desk.keys("a test account<Enter><Tab><Enter>");
        let of = people::town()[1].lead().unwrap();
        assert_eq!(desk.asked, [Effect::Dismiss { of, reason: Some("a test account".to_owned()) }]);
    }),
    ("contain", |mut desk| {
        desk.keys("X");
        shows(&desk, "Contain bea@example.org");
    }),
    ("again", |mut desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.outcome(false);
        desk.keys("a");
        assert_eq!(desk.request().unwrap().wish, Wish::Again);
    }),
    ("sign-out", |mut desk| {
        desk.keys("r");
        desk.planned(Answer::Draft(Box::new(plans::taken())));
        desk.keys("o");
        assert!(desk.request().unwrap().sign_out);
    }),
    ("choose", |mut desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("c");
        assert!(desk.request().unwrap().choose);
    }),
    ("stop", |mut desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.asked.clear();
        desk.keys("s");
        assert_eq!(desk.asked, [Effect::Stop]);
    }),
    ("skip-the-rest", |mut desk| {
        desk.keys("Ar");
        desk.planned(Answer::Choose(Box::new(plans::choosing(3))));
        desk.keys("S");
        assert!(desk.request().unwrap().leave_the_rest);
    }),
    ("accept", |mut desk| {
        desk.keys("r");
        desk.prepared(1);
        desk.asked.clear();
        desk.keys("<Enter><Enter>");
        assert_eq!(desk.asked, [], "it stands on Cancel");
        shows(&desk, "Nothing was written.");
    }),
    ("back", |mut desk| {
        desk.keys("<Enter>");
        shows(&desk, "── bea@example.org");
        desk.keys("<Esc>");
        shows(&desk, "carl@example.org");
        desk.keys("<Esc>");
        shows(&desk, "There is nothing to go back to. q quits.");
        assert_eq!(desk.asked, []);
    }),
    ("scan", |mut desk| {
        desk.keys("R");
        assert_eq!(desk.asked, [Effect::Refresh]);
        shows(&desk, "Scanning again.");
        desk.send(Event::Progress(reading()));
        desk.keys("R");
        shows(&desk, "A scan is under way already.");
    }),
    ("palette", |mut desk| {
        desk.keys(":");
        shows(&desk, "── Commands");
    }),
    ("contexts", |mut desk| {
        desk.keys("C");
        shows(&desk, "── Contexts");
        desk.keys("k<Enter>");
        assert_eq!(desk.asked, [Effect::Turn("dev".to_owned())]);
    }),
    ("theme", |mut desk| {
        let ground = |desk: &Desk| desk.draw().0[(40, 12)].bg;
        let before = ground(&desk);
        desk.keys("T");
        shows(&desk, "Theme: high-contrast.");
        assert_ne!(before, ground(&desk));
    }),
    ("export", |mut desk| {
        desk.keys("2Ey");
        let [Effect::Export(export)] = &desk.asked[..] else { panic!("{:?}", desk.asked) };
        assert_eq!(export.spec, ViewSpec { group: Some(Group::Unlinked), ..ViewSpec::default() });
        shows(&desk, "Exporting: 0 of 6 entries");
    }),
    ("overview", |mut desk| {
        desk.keys("O");
        shows(&desk, "What there is");
        desk.keys("O");
        assert_eq!(on(&desk), "bea@example.org", "the list is as it was");
    }),
    ("look-up", |mut desk| {
        desk.keys("obea<Enter>");
        assert_eq!(desk.asked, [Effect::LookUp("bea".to_owned())]);
        shows(&desk, "Asking pool and table for bea");
    }),
    ("copy", |mut desk| {
        desk.keys("y");
        let sub = people::town()[1].users[0].sub.to_string();
        shows(&desk, &format!("Sent to the clipboard: the sub: {sub}"));
        assert_eq!(desk.asked, [Effect::Copy(sub)]);
    }),
    ("copy-evidence", |mut desk| {
        desk.keys("Y");
        shows(&desk, "[ Without personal data ]");
        desk.keys("<Enter>");
        assert!(matches!(desk.asked[..], [Effect::Copy(_)]));
    }),
    ("mask", |mut desk| {
        desk.keys("m");
        shows(&desk, "out of sight");
        assert!(!desk.text().contains("@example.org"));
        desk.keys("m");
        assert_eq!(on(&desk), "bea@example.org");
    }),
    ("messages", |mut desk| {
        desk.keys("M");
        shows(&desk, "Nothing was said yet.");
    }),
    ("log", |mut desk| {
        desk.keys("L");
        assert_eq!(desk.asked, [Effect::Log]);
        shows(&desk, "── Log");
    }),
    ("help", |mut desk| {
        desk.keys("?");
        shows(&desk, "both point at each other");
        desk.keys("?");
        assert!(!desk.text().contains("both point at each other"));
    }),
    ("quit", |mut desk| {
        desk.keys("q");
        assert_eq!(desk.asked, [Effect::Quit]);
    }),
    ("suspend", |mut desk| {
        desk.keys("<C-z>");
        assert_eq!(desk.asked, [Effect::Suspend]);
    }),
];

fn shows_group(mut desk: Desk, key: &str, group: &str) {
    desk.keys(key);
    assert_eq!(tab(&desk), group);
    let first = desk.text().lines().nth(5).unwrap().to_owned();
    assert!(first.starts_with('▌') && first.len() > 10, "its entries are below: {first}");
}

#[test]
fn every_command_has_a_story_and_it_holds() {
    let told: BTreeSet<_> = STORIES.iter().map(|(name, _)| *name).collect();
    let all: BTreeSet<_> = Keys::default().lines().iter().map(|line| line.command).collect();
    assert_eq!(told, all, "each command of the table has a story here");
    for (_, story) in STORIES {
        story(town());
    }
}
