//! The dashboard, driven by keys alone in a real pseudo-terminal.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::{Connection as _, PgConnection, Row as _};
use userlink_domain::{Group, Situation};
use userlink_emulator::Faults;
use userlink_kit::{boto3, fresh_postgres_database};

use crate::pty::{Pty, cells, command};
use crate::scanning::{run, stderr};
use crate::town::{Pool, Town};

const SMALL: (u16, u16) = (80, 24);

fn flags<'a>(pool: &'a Pool, more: &[&'a str]) -> Vec<&'a str> {
    let common = ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--rate", "100"];
    common.into_iter().chain(more.iter().copied()).collect()
}

/// The `user_id` that a client which is not ours reads.
fn user_id(pool: &Pool, username: &str) -> Option<String> {
    let asked = json!({"do": "read", "endpoint": pool.endpoint, "pool_id": pool.id, "username": username});
    boto3(&asked)["custom:userId"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_is_repaired_by_keys_alone_and_boto3_reads_it_back() {
    let town = Town::new(420, false);
    let (home, database) = (tempfile::tempdir().unwrap(), fresh_postgres_database().await);
    let pool = town.on_moto();
    town.in_postgres(&pool, &database.url).await;
    let variables = [("USERLINK_DATABASE_URL", database.url.as_str())];
    let made = run(home.path(), &flags(&pool, &["migrate"]), &variables);
    assert!(made.status.success(), "{}", stderr(&made));

    let username = town.users_of(Situation::RowSideOnly)[0];
    let row = town.row_of(username);
    let email = town.people().find(|(name, _)| *name == username).unwrap().1.unwrap();
    assert_eq!(user_id(&pool, username), None);

    let mut program = command(home.path(), &flags(&pool, &["--table", "app.users"]));
    program.env("USERLINK_DATABASE_URL", &database.url);
    let mut pty = Pty::start(program, SMALL);
    pty.see("Read everything");
    // The unlinked, and among them the one whose e-mail is in the ticket.
    pty.keys("2/");
    pty.keys(email);
    pty.keys("\r");
    pty.see("row side only");
    pty.see("safe to repair");
    pty.keys("r");
    let shown = pty.see("Guards");
    assert!(shown.contains(&format!("∅ → {row}")), "{shown}");
    assert!(shown.contains("✓ linked") && shown.contains("nothing written yet"), "{shown}");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    assert_eq!(user_id(&pool, username), None, "looking and asking write nothing");
    // The question stands on Cancel.
    pty.keys("\r");
    pty.see_no("[ Cancel ]");
    assert_eq!(user_id(&pool, username), None);
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    pty.see("Written, and read back");
    assert_eq!(user_id(&pool, username).as_deref(), Some(row));
    // It is among the linked now.
    pty.keys("\r");
    pty.see_no("Written, and read back");
    pty.see("Nothing");
    pty.keys("7");
    pty.see("◀━━▶");
    pty.see(email);
    pty.keys("q");
    assert_eq!(pty.end(), 0);

    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let entry = sqlx::query("SELECT count(*) FROM userlink_journal").fetch_one(&mut connection).await.unwrap();
    assert!(entry.get::<i64, _>(0) > 0, "the shared journal has it");
    assert!(!home.path().join(".local/share/userlink/journal-default.db").exists(), "and no local one was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_writes_nothing_and_says_so() {
    let town = Town::new(5, false);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let settings = "[contexts.town.table]\nid_type = \"uuid\"\n";
    std::fs::write(home.path().join("town.toml"), settings).unwrap();
    let mut program = command(home.path(), &flags(&pool, &["--config", "town.toml", "--read-only"]));
    program.env("USERLINK_DATABASE_URL", &url);
    let mut pty = Pty::start(program, SMALL);
    let screen = pty.see("Read everything");
    assert!(screen.contains("READ-ONLY"), "{screen}");
    pty.keys("2/");
    pty.keys(town.row_of(town.users_of(Situation::RowSideOnly)[0]));
    pty.keys("\r");
    pty.see("safe to repair");
    pty.keys("r");
    pty.see("Read-only: nothing can be repaired from here.");
    // Whatever is pressed now.
    pty.keys("yr\ry\ry");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let asked = pool.emulator.as_ref().unwrap().stats().requests;
    let writes: Vec<_> =
        asked.keys().filter(|operation| !operation.starts_with("List") && !operation.starts_with("Describe")).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// Every situation is there to be read, and one of them to be repaired.
#[test]
fn the_demo_shows_every_situation_and_repairs_one() {
    let home = tempfile::tempdir().unwrap();
    // Tall enough that nothing has to be scrolled.
    let mut pty = Pty::start(command(home.path(), &["demo"]), (200, 330));
    pty.see("Read everything");
    let mut seen = BTreeSet::new();
    for group in ["2", "3", "4", "5", "6", "7"] {
        pty.keys(group);
        let of = Group::ALL[group.parse::<usize>().unwrap() - 2];
        let screen = pty.until(of.name(), |screen| {
            let mut groups = situations(screen).map(|(_, situation)| situation.group()).peekable();
            groups.peek().is_some() && groups.all(|group| group == of)
        });
        seen.extend(situations(&screen));
    }
    // Page by page, as the linked are more than the terminal has lines.
    let selected = |screen: &str| screen.lines().skip(3).find(|line| line.starts_with('▌')).map(str::to_owned);
    for _ in 0..3 {
        let before = selected(&pty.text());
        pty.keys("\x06");
        let screen = pty.until("the next page", |screen| selected(screen) != before);
        seen.extend(situations(&screen));
    }
    for situation in Situation::ALL {
        let wanted = match situation {
            Situation::Reading | Situation::Unsettled => 0,
            Situation::LinkedInactive => 1,
            _ => 2,
        };
        let found = seen.iter().filter(|(_, shown)| *shown == situation).count();
        assert!(found >= wanted, "{situation}: {found}");
    }
    pty.keys("2");
    pty.see("row side only");
    pty.keys("r");
    pty.see("Guards");
    pty.keys("\r");
    pty.see("[ Cancel ]");
    pty.keys("y");
    pty.see("Written, and read back");
    pty.keys("\rq");
    assert_eq!(pty.end(), 0);
}

/// The entries of a wide list: their lines, and what is said of each.
fn situations(screen: &str) -> impl Iterator<Item = (String, Situation)> {
    screen.lines().filter_map(|line| {
        let words: String = line.chars().skip(3).take(18).collect();
        Some((line.chars().skip(3).take(90).collect(), Situation::parse(&words.trim().replace(' ', "_"))?))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_strangers_cannot_reach_the_terminal() {
    let names = [
        "\u{1b}[31mred\u{1b}[0m@example.org",
        "fay\u{202e}gro.elpmaxe@example.org",
        "zoe\u{200b}@example.org",
        "bell\u{7}\u{9b}31m@example.org",
        "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}@example.org",
        "李小龍@example.org",
        "דנה.כהן@example.org",
        "محمد.1984@example.org",
        "title\u{1b}]0;owned\u{7}@example.org",
        "line\nbreak\ttab@example.org",
    ];
    let mut town = Town::new(2, false);
    town.add_row_side_only(&names);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    std::fs::write(home.path().join("town.toml"), "[contexts.town.table]\nid_type = \"uuid\"\n").unwrap();
    let mut program = command(home.path(), &flags(&pool, &["--config", "town.toml"]));
    program.env("USERLINK_DATABASE_URL", &url);
    program.env("NO_COLOR", "1");
    let mut pty = Pty::start(program, (200, 100));
    pty.see("Read everything");
    // Both keys at once: the second comes before there is a list to go to the end of.
    pty.keys("2G");
    pty.see("▌! row side only     line<U+000A>break");
    let bytes = pty.bytes();
    let text = String::from_utf8(bytes).expect("what is drawn is UTF-8");
    for bad in ['\u{202e}', '\u{200b}', '\u{200d}', '\u{7}', '\u{9b}', '\t'] {
        assert!(!text.contains(bad), "U+{:04X} reached the terminal", u32::from(bad));
    }
    assert!(!text.contains("\u{1b}]"), "no title is set");
    assert!(!text.contains("\u{1b}[31mred"));
    // Names from right to left are drawn letter by letter, and the terminal leaves them and all else where it was drawn.
    let gutter = |line: &str| line.chars().position(|c| c == '◀');
    let screen = pty.text();
    let line =
        |name: &str| screen.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}\n{screen}"));
    for name in ["דנה.כהן@example.org", "محمد.1984@example.org"] {
        assert_eq!(gutter(line(name)), gutter(line("zoe<U+200B>")), "{screen}");
    }
    let place = |sequence: &str| text.find(sequence).unwrap_or_else(|| panic!("{sequence:?} was sent"));
    assert!(place("\u{1b}[?1049h") < place("\u{1b}[8l") && place("\u{1b}[8l") < place("\u{1b}[2J"));
    assert!(place("\u{1b}[2J") < place("What there is"), "before anything is drawn");
    assert!(!text.contains("\u{1b}[8h"), "as long as the dashboard is there");
    // Without colours the selection is still to be seen, and no colour is set.
    let lines = pty.screen(cells);
    let reversed = lines.iter().filter(|line| line.iter().filter(|cell| cell.inverse()).count() > 50).count();
    assert_eq!(reversed, 1, "one line is reversed");
    assert!(lines.iter().flatten().all(|cell| cell.fgcolor() == vt100::Color::Default));
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let bytes = pty.bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.find("\u{1b}[8h") < text.find("\u{1b}[?1049l") && text.contains("\u{1b}[8h"), "given back as it was");
}

#[test]
fn the_window_is_made_smaller_and_larger() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo"]), SMALL);
    pty.list();
    pty.resize((200, 50));
    pty.see("SITUATION");
    pty.resize((20, 5));
    pty.see("needs 60");
    pty.resize(SMALL);
    pty.see("POOL USER");
    pty.keys("?");
    pty.see("Signs");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}
