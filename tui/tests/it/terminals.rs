//! What settings and variables say of the terminal, from the first frame on: tmux, ASCII, colours, personal data.

use portable_pty::CommandBuilder;
use userlink_emulator::Faults;

use crate::pty::{Pty, cells, command};
use crate::town::{Pool, Town};

const WIDE: (u16, u16) = (200, 50);

/// A town as a context with these settings.
struct Place {
    home: tempfile::TempDir,
    url: String,
    _pool: Pool,
}

impl Place {
    async fn new(town: &Town, of_all: &str, of_context: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pool = town.on_emulator(Faults::default()).await;
        let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
        let text = format!(
            "{of_all}\n[contexts.town]\npool_id = \"{}\"\nendpoint_url = \"{}\"\ndatabase_url = {{ env = \"TOWN_DATABASE\" }}\n\
             rate = 100\n{of_context}\n[contexts.town.table]\nid_type = \"uuid\"\n",
            pool.id, pool.endpoint
        );
        std::fs::write(home.path().join("town.toml"), text).unwrap();
        Self { home, url, _pool: pool }
    }

    fn program(&self) -> CommandBuilder {
        let mut program = command(self.home.path(), &["--config", "town.toml"]);
        program.env("TOWN_DATABASE", &self.url);
        program
    }
}

fn drawn(pty: &Pty) -> String {
    String::from_utf8(pty.bytes()).expect("what is drawn is UTF-8")
}

/// What is between these, each time.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> Vec<&'a str> {
    text.split(begin).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0)).collect()
}

#[test]
fn in_tmux_the_clipboard_is_told_through_it_and_elsewhere_once() {
    const PLAIN: (&str, &str) = ("\x1b]52;c;", "\x1b\\");
    const THROUGH: (&str, &str) = ("\x1bPtmux;\x1b\x1b]52;c;", "\x1b\x1b\\\x1b\\");
    for tmux in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let mut program = command(home.path(), &["demo"]);
        if tmux {
            program.env("TMUX", "/tmp/tmux-1000/default,4711,0");
        }
        let mut pty = Pty::start(program, WIDE);
        pty.see("Read everything");
        pty.list();
        pty.keys("2");
        pty.until("the unlinked alone", |screen| {
            screen.contains("▌! Unlinked") && screen.contains("row side only") && !screen.contains("✓ linked")
        });
        pty.keys("y");
        let screen = pty.see("Sent to the clipboard: the sub: ");
        let sub = screen.split("the sub: ").nth(1).unwrap().split([';', ' ']).next().unwrap();
        let text = drawn(&pty);
        // One for tmux itself, and one that it hands on.
        let through = between(&text, THROUGH.0, THROUGH.1);
        let plain: Vec<_> = between(&text, PLAIN.0, PLAIN.1).into_iter().take(1).collect();
        assert_eq!(crate::at_a_glance::decoded(plain[0]), sub);
        assert_eq!(through, if tmux { plain } else { Vec::new() });
        pty.keys("q");
        assert_eq!(pty.end(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_mask_in_the_settings_nobody_is_seen_from_the_first_frame_on() {
    let town = Town::new(20, false);
    let place = Place::new(&town, "", "mask = true").await;
    let mut pty = Pty::start(place.program(), WIDE);
    pty.see("Read everything");
    pty.list();
    pty.see("••••@••••");
    pty.keys("2\r");
    pty.see("Esc back");
    let text = drawn(&pty);
    assert!(!text.contains("example.org") && !text.contains("user-0"), "{}", pty.text());
    // And back by its key.
    pty.keys("m");
    pty.see("@example.org");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_ascii_no_other_byte_reaches_the_terminal_whoever_asks_for_it() {
    let mut town = Town::new(5, false);
    town.add_row_side_only(&["zoë@example.org", "李小龍@example.org", "דנה@example.org"]);
    for (settings, locale) in [("", "C"), ("", "en_US.ISO-8859-1"), ("glyphs = \"ascii\"", "C.UTF-8")] {
        let place = Place::new(&town, settings, "").await;
        let mut program = place.program();
        program.env("LANG", locale);
        let mut pty = Pty::start(program, WIDE);
        pty.see("Read everything");
        pty.list();
        pty.keys("2");
        for name in ["zo<U+00EB>@example.org", "<U+674E><U+5C0F><U+9F8D>@", "<U+05D3><U+05E0><U+05D4>@"] {
            pty.see(name);
        }
        pty.see("<--.");
        // A key right behind Esc would be one with Alt: what was open is seen to be closed first.
        for (keys, opened) in [("\r", "Esc back"), ("r", "Guards"), ("?", "-- Keys")] {
            pty.keys(keys);
            pty.see(opened);
            if keys == "r" {
                pty.keys("\r");
                pty.see("[ Cancel ]");
                pty.keys("\x1b");
                pty.see_no("[ Cancel ]");
            }
            pty.keys("\x1b");
            pty.see_no(opened);
        }
        pty.keys("O");
        pty.see("What there is");
        let text = drawn(&pty);
        let other = text.lines().find(|line| !line.is_ascii());
        assert_eq!(other, None, "{settings} {locale}");
        pty.keys("q");
        assert_eq!(pty.end(), 0);
    }
    // The settings go before the locale.
    let place = Place::new(&town, "glyphs = \"unicode\"", "").await;
    let mut program = place.program();
    program.env("LANG", "C");
    let mut pty = Pty::start(program, WIDE);
    pty.see("Read everything");
    pty.list();
    pty.keys("2");
    pty.see("zoë@example.org");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contexts_colour_is_in_its_badge() {
    let town = Town::new(5, false);
    let name = |line: &[vt100::Cell]| line.iter().filter(|cell| cell.inverse()).map(vt100::Cell::fgcolor).collect();
    for (settings, colour) in [("color = \"magenta\"", 5), ("production = true", 1)] {
        let place = Place::new(&town, "", settings).await;
        let mut pty = Pty::start(place.program(), WIDE);
        pty.see("Read everything");
        let head: Vec<vt100::Color> = pty.screen(|screen| name(&cells(screen)[0]));
        assert!(head.contains(&vt100::Color::Idx(colour)), "{settings}: {head:?}");
        pty.keys("q");
        assert_eq!(pty.end(), 0);
    }
}
