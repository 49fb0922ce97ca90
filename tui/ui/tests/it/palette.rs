//! The palette, the contexts, the themes, the messages, the log, the export: each opened, used and closed by keys.

use ratatui::buffer::CellWidth;
use userlink_domain::{Group, Timestamp};
use userlink_ui::{
    ContextChoice, Effect, Event, Export, ExportFormat, JournalPlace, Kept, Keys, Level, Names, Setup, Theme, Tint,
};

use crate::desk::{Desk, reading, setup};
use crate::people::{self, NOW};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];
const SIZE: (u16, u16) = (80, 24);

fn at_each_size(name: &str, story: impl Fn((u16, u16)) -> Desk) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), story(size).screen());
    }
}

fn choices() -> Vec<ContextChoice> {
    let choice = |name: &str, pool: &str, production, read_only, tint| ContextChoice {
        name: name.to_owned(),
        pool: pool.to_owned(),
        table: "app.users".to_owned(),
        production,
        read_only,
        tint,
    };
    vec![
        choice("dev", "eu-west-1_Dev000001", false, false, Some(Tint::Green)),
        choice("prod-eu", "eu-west-1_AbC123xyz", true, false, None),
        choice("prod-us", "us-east-1_XyZ987abc", true, true, Some(Tint::Magenta)),
    ]
}

/// A town with three contexts and a folder for exports.
fn town(size: (u16, u16)) -> Desk {
    let mut desk = Desk::opened(setup(), size);
    desk.model = desk.model.with_contexts(choices()).with_folder("/data/bea/tickets");
    desk.entries = people::town();
    desk.send(Event::Progress(crate::desk::complete()));
    desk.count();
    desk
}

/// The line with the bar at its left edge, on a page.
fn chosen(desk: &Desk) -> String {
    desk.text().lines().skip(4).find(|line| line.starts_with('▌')).unwrap_or_default().to_owned()
}

#[test]
fn the_palette() {
    at_each_size("palette", |size| {
        let mut desk = town(size);
        desk.keys("j:");
        desk
    });
}

#[test]
fn a_few_letters_find_a_command_and_mark_what_they_found() {
    at_each_size("palette_found", |size| {
        let mut desk = town(size);
        desk.keys(":scag");
        desk
    });
}

#[test]
fn enter_runs_what_is_chosen_where_the_palette_was_opened() {
    let mut desk = town(SIZE);
    desk.keys("<C-p>scan<Enter>");
    assert_eq!(desk.asked, [Effect::Refresh]);
    assert!(!desk.text().contains("Commands"), "it closes");
    desk.keys(":orphan<Enter>");
    assert!(desk.text().contains("dead sub"));
    desk.keys("<Enter>:filter");
    assert!(chosen(&desk).contains("filter"), "{}", desk.text());
    assert!(desk.text().lines().nth(6).unwrap().contains("Only here: list, overview."), "{}", desk.text());
    desk.keys("<Enter>");
    assert!(desk.text().contains("Commands"), "what cannot be done leaves it open");
    assert!(desk.text().lines().nth(22).unwrap().contains("Only here: list, overview."));
}

#[test]
fn what_cannot_be_done_says_why_not_and_comes_last() {
    let mut desk = Desk::with(Setup { read_only: true, ..setup() }, SIZE, people::town());
    desk.keys(":repair");
    assert!(desk.text().contains("   Read-only: nothing can be repaired from here."), "{}", desk.text());
    desk.keys("<Enter>");
    assert_eq!(desk.asked, []);
    desk.keys("<Esc>:<End>k");
    desk.send(Event::Progress(reading()));
    desk.keys("<Esc>:scan");
    assert!(desk.text().contains("   A scan is under way already."));
}

#[test]
fn the_palette_moves_by_lines_and_pages_and_types_letters() {
    let mut desk = town(SIZE);
    desk.keys(":");
    let first = chosen(&desk);
    desk.keys("<Down>");
    let second = chosen(&desk);
    assert_ne!(first, second);
    desk.keys("<Up>");
    assert_eq!(chosen(&desk), first);
    desk.keys("<PageDown><PageDown><PageDown><PageDown>");
    let last = chosen(&desk);
    assert!(!last.is_empty() && last != first);
    desk.keys("<Up><Down>");
    assert_eq!(chosen(&desk), last, "it ends at its end");
    desk.keys("jkq");
    assert!(desk.text().contains(" : jkq"), "letters are letters here");
    assert!(desk.text().contains("0 commands"));
    desk.keys("<Enter>");
    assert!(desk.text().contains("No command is called that."));
    desk.keys("<Backspace><Backspace><Backspace>");
    desk.send(Event::Paste("quit\n".to_owned()));
    assert!(chosen(&desk).contains("quit"));
    assert_eq!(desk.asked, [], "a paste runs nothing");
    desk.keys("<Enter>");
    assert_eq!(desk.asked, [Effect::Quit]);
}

#[test]
fn keys_of_the_settings_are_those_that_are_shown_everywhere() {
    let mut desk = town(SIZE);
    let changed = [("repair", vec!["f9".to_owned()]), ("scan", vec!["ctrl-r".to_owned()]), ("filter", Vec::new())];
    let keys = Keys::with(changed.iter().map(|(name, keys)| (*name, keys.as_slice()))).unwrap();
    desk.model = desk.model.with_keys(keys);
    desk.keys("j");
    let bottom = desk.text().lines().last().unwrap().to_owned();
    assert_eq!(bottom, " F9 repair   Enter open   Space mark   ? all keys   q quit");
    desk.keys("?");
    assert!(desk.text().contains(" F9              repair"));
    assert!(
        !desk.text().lines().any(|line| line.contains(" filter ") && !line.contains("mark all")),
        "what has no key is in the palette alone"
    );
    desk.keys("<Esc>r");
    assert!(desk.text().contains("r does nothing here. ? shows all keys."));
    desk.keys(":filter<Enter>ada");
    assert!(desk.text().contains("Filter  ada"));
}

#[test]
fn the_contexts() {
    at_each_size("contexts", |size| {
        let mut desk = town(size);
        desk.send(Event::Journal(JournalPlace::Shared));
        desk.keys("C");
        desk
    });
}

#[test]
fn a_context_is_turned_to_and_this_one_stays_until_it_is_open() {
    let mut desk = town(SIZE);
    desk.keys("C");
    assert!(chosen(&desk).contains("prod-eu"), "it stands on the one that is shown");
    desk.keys("<Enter>");
    assert!(desk.text().contains("This is prod-eu already."));
    desk.keys("Cj<Enter>");
    assert_eq!(desk.asked, [Effect::Turn("prod-us".to_owned())]);
    assert!(desk.text().contains("Opening prod-us…"));
    assert!(desk.text().contains("ada@example.org"), "what was read is still there");
    desk.send(Event::NotTurned("prod-us: No route to the database.".to_owned()));
    assert!(!desk.text().contains("Opening"));
    assert!(desk.text().contains("✗ prod-us: No route to the database."));
    let next = desk.model.turned(Setup { context: "prod-us".to_owned(), ..setup() }, Names::default());
    desk.model = next;
    desk.entries.clear();
    desk.send(Event::Tick);
    assert!(desk.text().contains("prod-us") && !desk.text().contains("ada@example.org"), "nothing of the old one");
    assert!(desk.text().contains("No route to the database."), "what was not read yet is kept");
}

#[test]
fn turning_away_from_a_write_is_asked_about_and_stands_on_no() {
    let mut desk = town(SIZE);
    desk.keys("jr");
    desk.prepared(1);
    desk.keys("<Enter>y<Esc>");
    desk.asked.clear();
    desk.keys("Ck<Enter>");
    assert!(desk.text().contains("Turn to dev now?"), "{}", desk.text());
    assert!(desk.text().contains("[ Stay ]"));
    desk.keys("<Enter>");
    assert_eq!(desk.asked, []);
    desk.keys("Ck<Enter><Tab><Enter>");
    assert_eq!(desk.asked, [Effect::Turn("dev".to_owned())]);
}

#[test]
fn one_context_alone_has_nothing_to_turn_to() {
    let mut desk = Desk::town(SIZE);
    desk.keys("C");
    assert!(desk.text().contains("The settings have no other context. userlink init adds one."));
}

#[test]
fn every_screen_says_that_it_is_production_and_what_its_colour_is() {
    for (production, tint) in [(true, None), (true, Some(Tint::Magenta)), (false, Some(Tint::Green))] {
        let mut desk = Desk::with(Setup { production, tint, ..setup() }, SIZE, people::town());
        desk.model = desk.model.with_contexts(choices()).with_folder("/tmp");
        let head = |desk: &Desk| desk.screen().lines().find(|line| line.starts_with(" 0  ")).unwrap().to_owned();
        let first = head(&desk);
        assert_eq!(first.contains("red bold reversed"), production && tint.is_none(), "{first}");
        assert_eq!(first.contains("magenta bold reversed"), tint == Some(Tint::Magenta), "{first}");
        for keys in ["?", "<Esc>:", "<Esc>C", "<Esc>M", "<Esc>L", "<Esc>E", "<Esc>/", "<Esc><Enter>", "<Esc>jr"] {
            desk.keys(keys);
            assert_eq!(head(&desk), first, "{keys}");
            assert_eq!(desk.text().lines().next().unwrap().contains(" PRODUCTION "), production, "{keys}");
        }
        desk.resize((40, 10));
        assert_eq!(desk.text().contains("prod-eu (PRODUCTION)"), production);
    }
}

#[test]
fn a_local_journal_is_told_where_there_is_room() {
    let mut desk = Desk::town((120, 24));
    for (place, words) in [(JournalPlace::Local, "local journal"), (JournalPlace::Shared, "shared journal")] {
        desk.send(Event::Journal(place));
        assert!(desk.text().lines().next().unwrap().ends_with(words), "{}", desk.text());
    }
}

#[test]
fn a_key_goes_through_the_themes() {
    let mut desk = Desk::town(SIZE);
    let styles = |desk: &Desk| desk.screen().split("\n\n").last().unwrap().to_owned();
    for name in ["high-contrast", "monochrome", "terminal"] {
        desk.keys("T");
        assert!(desk.text().contains(&format!("Theme: {name}.")));
        let colours = styles(&desk).contains("magenta");
        assert_eq!(colours, name == "terminal", "{}", styles(&desk));
    }
}

#[test]
fn high_contrast_paints_its_own_ground() {
    let mut desk = Desk::with(Setup { theme: Theme::HighContrast, ..setup() }, SIZE, people::town());
    desk.keys("j?");
    let (buffer, _) = desk.draw();
    let mut covered = 0;
    for cell in &buffer.content {
        // What lies under the second half of a wide sign is never drawn.
        if covered == 0 {
            assert_ne!(cell.bg, ratatui::style::Color::Reset);
            assert_ne!(cell.fg, ratatui::style::Color::Reset);
        }
        covered = cell.symbol().cell_width().saturating_sub(1);
    }
    insta::assert_snapshot!("high_contrast_80x24", desk.screen());
}

#[test]
fn the_messages() {
    at_each_size("messages", |size| {
        let mut desk = town(size);
        let said = [
            (
                Level::Info,
                "This goes on with the scan that began at 2026-11-23 09:40:00 UTC. Once it is over, scan again to begin anew.",
            ),
            (
                Level::Error,
                "The pool refused the request: your session has expired. Sign in again with aws sso login, \
                            and the scan goes on where it is.",
            ),
            (Level::Info, "Scanning again."),
        ];
        for (minutes, (level, text)) in (0..).zip(said) {
            desk.now = Timestamp::from_millis(NOW.as_millis() + minutes * 60_000);
            desk.send(Event::Message { level, text: text.to_owned() });
        }
        desk.keys("M");
        desk
    });
}

#[test]
fn messages_that_were_read_no_longer_stand_below_and_are_still_listed() {
    let mut desk = town(SIZE);
    for number in 0..40 {
        desk.send(Event::Message { level: Level::Error, text: format!("Error number {number}.") });
    }
    assert!(desk.text().contains("Error number 0."));
    desk.keys("M");
    assert!(desk.text().contains("Error number 39.") && !desk.text().contains("Error number 3."));
    desk.keys("G");
    assert!(desk.text().contains("Error number 3."));
    desk.keys("G");
    assert!(!desk.text().contains("Error number 39."), "it stays at its end");
    desk.keys("<Esc>");
    assert!(!desk.text().contains("Error number"), "all of them were read");
    desk.keys("M");
    assert!(desk.text().contains("Error number 39."));
    desk.keys("M");
    assert!(!desk.text().contains("Messages"), "the same key closes it");
}

#[test]
fn the_log() {
    at_each_size("log", |size| {
        let mut desk = town(size);
        desk.keys("L");
        assert_eq!(desk.asked, [Effect::Log]);
        let lines = ["09:58:01 INFO opened pool=eu-west-1_AbC123xyz", "09:58:40 WARN throttled rate=11.2 \u{1b}[31m"];
        desk.send(Event::Log(lines.map(str::to_owned).into()));
        desk
    });
}

#[test]
fn the_log_is_brought_anew_only_while_it_is_looked_at() {
    let mut desk = town(SIZE);
    assert!(!desk.model.wants_log());
    desk.keys("L");
    assert!(desk.model.wants_log());
    assert!(desk.text().contains("Nothing was logged yet."));
    desk.keys("L");
    assert!(!desk.model.wants_log());
}

#[test]
fn the_export() {
    at_each_size("export", |size| {
        let mut desk = town(size);
        desk.keys("2/example<Enter>E<Up>");
        desk
    });
}

#[test]
fn an_export_is_confirmed_and_says_where_it_went() {
    let mut desk = town(SIZE);
    desk.keys("2E<Enter>");
    assert_eq!(desk.asked, [], "it stands on Cancel");
    assert!(desk.text().contains("Cancelled: nothing was exported."));
    desk.keys("Ey");
    let spec = userlink_ui::ViewSpec { group: Some(Group::Unlinked), ..Default::default() };
    let wanted =
        Export { spec: spec.clone(), format: ExportFormat::Csv, folder: "/data/bea/tickets".to_owned(), masked: false };
    assert_eq!(desk.asked, [Effect::Export(wanted)]);
    desk.send(Event::Exporting { done: 3, of: 6 });
    desk.send(Event::Tick);
    desk.keys("j");
    assert!(desk.text().contains("Exporting: 3 of 6 entries"));
    desk.keys("E");
    assert!(desk.text().contains("An export is being written. Wait until it is over."));
    desk.asked.clear();
    desk.keys("q");
    assert!(desk.text().contains("Leave now?") && desk.text().contains("It is dropped, and leaves no file."));
    desk.keys("<Enter>");
    assert_eq!(desk.asked, [], "it stands on Stay");
    // The whole of its name is told, on as many lines as it takes.
    let path = "/data/bea/tickets/userlink-prod-eu-unlinked-20261123-100000.csv";
    desk.send(Event::Exported(Ok((path.to_owned(), 6))));
    let told: String = desk.text().lines().skip(20).take(3).map(str::trim).collect::<Vec<_>>().join(" ");
    assert_eq!(told.replace(" ", ""), format!("6entriesarein{path},foryoualone."), "{}", desk.text());
    desk.asked.clear();
    // The form by hand: JSON, another folder, then the choice.
    desk.keys("E<Down><Left><Down>q2<Enter><Right><Enter>");
    let wanted = Export { spec, format: ExportFormat::Json, folder: "/data/bea/ticketsq2".to_owned(), masked: false };
    assert_eq!(desk.asked, [Effect::Export(wanted)]);
    desk.send(Event::Exported(Err("The disk is full: nothing was exported.".to_owned())));
    assert!(desk.text().contains("✗ The disk is full"));
    desk.keys("<Esc>E");
    assert!(desk.text().contains("/data/bea/ticketsq2"), "the folder is remembered");
}

#[test]
fn nothing_is_exported_where_there_is_nothing() {
    let mut desk = Desk::with(setup(), SIZE, vec![]);
    desk.keys("E");
    assert!(desk.text().contains("There is nothing to export yet."));
}

#[test]
fn a_spinner_turns_only_while_something_is_under_way() {
    let mut desk = town(SIZE);
    let minute = Timestamp::from_millis(NOW.as_millis() + 30_000);
    assert_eq!(desk.model.wants_redraw_by(), Some(minute), "idle: only the age of the scan changes");
    desk.send(Event::Progress(reading()));
    let soon = desk.model.wants_redraw_by().unwrap();
    assert!(soon.as_millis() - NOW.as_millis() <= 125, "reading");
    let before = desk.text().lines().nth(3).unwrap().to_owned();
    desk.now = soon;
    desk.send(Event::Tick);
    let after = desk.text().lines().nth(3).unwrap().to_owned();
    assert_ne!(before, after);
    assert_eq!(before.chars().skip(3).collect::<String>(), after.chars().skip(3).collect::<String>());
    desk.send(Event::Progress(userlink_ui::Progress { phase: userlink_ui::Phase::Paused, ..reading() }));
    assert!(desk.model.wants_redraw_by().is_none_or(|at| at.as_millis() - desk.now.as_millis() > 1_000), "waiting");
}

#[test]
fn what_is_kept_is_how_it_looks_and_nothing_of_anybody() {
    let mut desk = town(SIZE);
    assert_eq!(desk.model.kept(), Kept::default());
    desk.keys("T4/bea@example.org<Enter>");
    let kept = desk.model.kept();
    assert_eq!(
        kept,
        Kept { theme: Some(Theme::HighContrast), group: Some(Group::Conflict), ..Kept::default() },
        "an e-mail is not kept"
    );
    desk.keys("<Esc>/status:confirmed<Enter>");
    desk.keys("ssc <Esc>");
    let kept = desk.model.kept();
    assert_eq!(kept.filter, "status:confirmed");
    assert!(kept.order.by.is_some() && kept.columns.len() == 1, "{kept:?}");
    let mut again = Desk::opened(setup(), SIZE).model;
    again.restore(kept.clone(), false);
    assert_eq!(again.kept(), kept, "and comes back");
    let mut given = Desk::opened(setup(), SIZE).model;
    given.restore(kept, true);
    assert_eq!(given.kept().theme, None, "a theme that is given goes before one that was kept");
}
