//! What settings and variables say of the terminal, from the first frame on: colours, and personal data.

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
