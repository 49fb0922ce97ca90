//! A place to work in: contexts that are turned to, what is exported, how it was left.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use userlink_emulator::Faults;

use crate::pty::{Pty, command};
use crate::town::Town;

const UP: &str = "\x1b[A";
const RIGHT: &str = "\x1b[C";
const WIDE: (u16, u16) = (150, 40);

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The files of a folder whose names end so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = all.filter(|path| path.to_str().unwrap().ends_with(end)).collect();
    found.sort();
    found
}

#[test]
fn what_is_shown_is_exported_for_oneself_alone_and_never_written_over() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo", "--users", "3000"]), WIDE);
    pty.see("Read everything");
    pty.keys("2");
    pty.see("▌! Unlinked");
    pty.keys("E");
    let asked = pty.see("[ Cancel ]");
    assert!(asked.contains("It holds people's e-mails"), "{asked}");
    assert!(files(home.path(), ".csv").is_empty());
    pty.keys("\r");
    pty.see("nothing was exported");
    pty.keys("E");
    pty.see("[ Cancel ]");
    pty.keys("y");
    let said = pty.until("where it went", |screen| screen.contains("entries are in "));
    let csv = files(home.path(), ".csv").remove(0);
    assert!(said.contains(csv.file_name().unwrap().to_str().unwrap()), "{said}");
    assert_eq!(mode(&csv), 0o600);
    let csv = std::fs::read_to_string(&csv).unwrap();
    let lines: Vec<_> = csv.lines().skip(1).collect();
    assert!(lines.len() > 20 && lines.iter().all(|line| line.split(',').nth(2) == Some("unlinked")));
    let last: usize = lines.last().unwrap().split(',').next().unwrap().parse().unwrap();

    // As JSON, by the arrows; and once more in the same second or not, into a file of its own.
    for _ in 0..2 {
        pty.keys("E");
        pty.see("[ Cancel ]");
        pty.keys(&format!("{UP}{UP}{RIGHT}"));
        pty.see("[JSON]");
        pty.keys("y");
        pty.until("the second file", |screen| screen.contains(".json, for you alone"));
        pty.keys("j");
        pty.see_no(".json, for you alone");
    }
    let jsons = files(home.path(), ".json");
    assert_eq!(jsons.len(), 2);
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&jsons[0]).unwrap()).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../schema/scan.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let entries = json["entries"].as_array().unwrap();
    assert_eq!(entries.len(), last, "as many as in the other file");
    assert!(entries.iter().all(|entry| entry["group"] == "unlinked"));

    // While it is masked on the screen, it is masked in the file; ids and subs stay.
    pty.keys("m");
    pty.see("out of sight");
    for (keys, chosen, said) in
        [("", "[CSV]", ".csv, for you alone"), (&*format!("{UP}{UP}{RIGHT}"), "[JSON]", ".json, for you alone")]
    {
        pty.keys("E");
        pty.see("masked as on the screen");
        pty.keys(keys);
        pty.see(chosen);
        pty.keys("y");
        pty.see(said);
        pty.keys("j");
        pty.see_no(said);
    }
    pty.keys("m");
    pty.see("are shown");
    let masked = files(home.path(), ".csv").into_iter().chain(files(home.path(), ".json"));
    let masked: Vec<_> =
        masked.map(|path| std::fs::read_to_string(path).unwrap()).filter(|it| it.contains("****")).collect();
    assert_eq!(masked.len(), 2);
    for text in &masked {
        let open = text.split(['"', ',', ' ', '\n']).find(|word| word.contains('@') && !word.starts_with("****@****"));
        assert_eq!(open, None);
        assert!(!text.contains("+49"), "a phone");
    }
    let masked: Value = serde_json::from_str(&masked[1]).unwrap();
    assert!(validator.is_valid(&masked));
    let subs = |json: &Value| -> Vec<Value> {
        json["entries"].as_array().unwrap().iter().map(|entry| entry["users"][0]["sub"].clone()).collect()
    };
    assert_eq!(subs(&masked), subs(&json), "the same entries, by their subs");

    // A folder that is not there.
    pty.keys(&format!("E{UP}"));
    pty.see("Tab next");
    pty.keys("/nowhere\r");
    pty.see("y export");
    pty.keys("y");
    pty.see("there is no such folder");
    let left: Vec<_> =
        files(home.path(), "").into_iter().filter(|path| path.to_str().unwrap().contains(".userlink-")).collect();
    assert!(left.is_empty(), "nothing half written is left: {left:?}");
    pty.keys("\x1b");
    pty.see_no("there is no such folder");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_are_turned_to_without_leaving_and_each_is_found_as_it_was_left() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (Town::new(5, false), Town::new(60, false));
    let (pool_one, pool_two) = (one.on_emulator(Faults::default()).await, two.on_emulator(Faults::default()).await);
    let url_one = one.in_sqlite(&pool_one, &home.path().join("one.db")).await;
    let url_two = two.in_sqlite(&pool_two, &home.path().join("two.db")).await;
    let context = |name: &str, pool: &crate::town::Pool, url: &str, more: &str| {
        format!(
            "[contexts.{name}]\npool_id = \"{}\"\nendpoint_url = \"{}\"\ndatabase_url = {url}\n{more}\n\
             [contexts.{name}.table]\nid_type = \"uuid\"\n",
            pool.id, pool.endpoint
        )
    };
    let settings = [
        context("broken", &pool_one, "{ env = \"NOWHERE_SET\" }", ""),
        context("one", &pool_one, &format!("\"{url_one}\""), "color = \"green\""),
        context("two", &pool_two, &format!("\"{url_two}\""), "production = true\nread_only = true"),
    ];
    std::fs::write(home.path().join("towns.toml"), settings.join("\n")).unwrap();
    let begin = |context: &str| command(home.path(), &["--config", "towns.toml", "--context", context]);

    let mut pty = Pty::start(begin("one"), WIDE);
    let screen = pty.see("Read everything");
    assert!(screen.lines().next().unwrap().contains("not production"), "{screen}");
    pty.see("local journal");
    pty.keys("T4");
    pty.see("▌✗ Conflict");
    // One that cannot be opened changes nothing.
    pty.keys("C");
    pty.see("3 contexts");
    pty.keys("k\r");
    let screen = pty.see("✗ broken: ");
    assert!(screen.contains("▌✗ Conflict") && screen.contains(" one "), "{screen}");
    pty.keys("\x1b");
    pty.see_no("broken: ");
    pty.keys("C");
    pty.see("3 contexts");
    pty.keys("j\r");
    let screen = pty.until("the other context", |screen| {
        let head = screen.lines().next().unwrap_or_default();
        head.contains("READ-ONLY") && screen.contains("Read everything")
    });
    assert!(screen.lines().next().unwrap().contains("PRODUCTION"), "{screen}");
    let (users, rows) = two.len();
    assert!(screen.contains(&format!("{users} users, {rows} rows")), "all of it is of the other one: {screen}");
    pty.keys("M");
    pty.see("broken: ");
    pty.keys("\x1b");
    pty.see_no("── Messages");
    pty.keys(":orphan");
    pty.see("1 command ");
    pty.keys("\r");
    pty.see("▌○ Orphan");
    pty.keys("L");
    pty.see("── Log");
    pty.keys("q");
    assert_eq!(pty.end(), 0);

    let kept = files(&home.path().join(".local/state/userlink"), ".toml");
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().all(|path| mode(path) == 0o600));
    let ground = |pty: &Pty| String::from_utf8_lossy(&pty.bytes()).contains("48;5;16");
    let mut pty = Pty::start(begin("one"), WIDE);
    pty.see("Read everything");
    pty.list();
    pty.see("▌✗ Conflict");
    assert!(ground(&pty), "the theme is the one that was chosen");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let mut program = begin("one");
    program.env("NO_COLOR", "1");
    let mut pty = Pty::start(program, WIDE);
    pty.list();
    pty.see("▌✗ Conflict");
    assert!(!ground(&pty), "a variable goes before it");
    assert!(pty.see("dangling").contains("@example.org"));
    pty.keys("m");
    pty.see_no("@example.org");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    let mut pty = Pty::start(begin("one"), WIDE);
    pty.list();
    let screen = pty.see("dangling");
    assert!(
        !String::from_utf8_lossy(&pty.bytes()).contains("@example.org"),
        "masked from the first frame on: {screen}"
    );
    pty.keys("q");
    assert_eq!(pty.end(), 0);

    for path in &kept {
        std::fs::write(path, "version = \"\x07").unwrap();
    }
    let mut pty = Pty::start(begin("one"), WIDE);
    pty.see("How it was left cannot be read");
    pty.list();
    pty.see("▌All");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_terminal_that_shows_nothing_gets_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo"]), (50, 12));
    assert_eq!(pty.end(), 2);
    let text = pty.text().replace('\n', "");
    assert!(text.contains("needs 60 columns and 16 lines; this terminal has 50"), "{text}");
    let mut program = command(home.path(), &["demo"]);
    program.env("TERM", "dumb");
    let mut pty = Pty::start(program, WIDE);
    assert_eq!(pty.end(), 2);
    assert!(!pty.bytes().contains(&0x1b), "no escape for a terminal that knows none");
}
