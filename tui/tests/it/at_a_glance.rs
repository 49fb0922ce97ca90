//! The overview, the ticket and the clipboard in a real pseudo-terminal: what a person who has a minute gets to know.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use userlink_domain::Situation;
use userlink_emulator::Faults;

use crate::pty::{Pty, command};
use crate::town::Town;

const WIDE: (u16, u16) = (200, 50);

/// What a terminal is given for its clipboard, decoded.
fn clipboard(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let sent = text.split("\x1b]52;c;").skip(1).filter_map(|rest| rest.split_once("\x1b\\"));
    sent.map(|(base64, _)| decoded(base64)).collect()
}

pub(crate) fn decoded(base64: &str) -> String {
    let place =
        |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|it| *it == c);
    let bits: Vec<usize> = base64.bytes().filter(|c| *c != b'=').map(|c| place(c).unwrap()).collect();
    let bytes = bits.chunks(4).flat_map(|four| {
        let whole = four.iter().enumerate().fold(0, |sum, (at, bits)| sum | bits << (18 - 6 * at));
        (0..four.len() - 1).map(move |at| (whole >> (16 - 8 * at)) as u8)
    });
    String::from_utf8(bytes.collect()).unwrap()
}

#[test]
fn the_demo_says_why_and_shows_whom() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo", "--users", "10000"]), WIDE);
    pty.see("Read everything");
    let screen = pty.see("were created on");
    assert!(screen.contains("40 of 60 row side only users were created on"), "{screen}");
    assert!(screen.contains("between 02:10 and 02:40 UTC"), "{screen}");
    assert!(screen.contains("the function failed after the insert"), "{screen}");
    assert!(screen.contains("27 of 40 users without a row were imported, or had the password reset"), "{screen}");
    // The first is the largest; Enter shows its entries and nobody else's.
    pty.keys("\r");
    pty.see("40 matches in everything");
    pty.keys("O");
    pty.see("What there is");
    pty.keys("j\r");
    pty.see("27 matches in everything");
    // Scanned again there is something to compare with, and nothing has changed.
    pty.keys("O");
    pty.see("What there is");
    pty.keys("R");
    pty.see("compared with");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_looked_up_while_the_scan_has_hardly_begun() {
    let town = Town::new(300, false);
    let home = tempfile::tempdir().unwrap();
    let (_pool, mut pty) = town.hardly_begun(home.path(), WIDE).await;
    pty.see("What there is");
    let username = town.users_of(Situation::RowSideOnly)[0];
    let email = town.people().find(|(name, _)| *name == username).unwrap().1.unwrap();
    pty.keys("o");
    pty.see("Look up");
    // Pasted as a ticket has it.
    pty.keys(&format!("\x1b[200~<{email}>\rWhere is my data?\x1b[201~"));
    pty.see(email);
    pty.keys("\r");
    let screen = pty.see("provisional");
    assert!(screen.contains("row side only") && screen.contains("Not looked at"), "{screen}");
    assert!(!screen.contains("Read everything"), "{screen}");
    pty.see("Nothing was done to it from here.");
    // What is copied is what is said, and a person is in it only when that is asked for.
    pty.keys("y");
    pty.see("Sent to the clipboard: the sub");
    pty.keys("Y");
    pty.see("[ Without personal data ]");
    pty.keys("\r");
    pty.see("without personal data");
    pty.keys("Y\t\r");
    pty.see("lines, with personal data");
    let [sub, without, with] = &clipboard(&pty.bytes())[..] else { panic!("three times") };
    assert!(userlink_domain::Sub::parse(sub).is_some(), "{sub}");
    assert!(
        !without.contains(email) && without.contains("row side only") && without.contains(sub.as_str()),
        "{without}"
    );
    assert!(with.contains(email), "{with}");
    // Out of sight, and back.
    pty.keys("m");
    pty.see_no(email);
    pty.keys("m");
    pty.see(email);
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}

/// What of a person can be read on a screen: an address, a number, the name of a profile.
fn read_of_a_person(screen: &str) -> Option<String> {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let around = |at: usize, len: usize| (screen[..at].chars().next_back(), screen[at + len..].chars().next());
    let open = |line: &str| line.contains("example.") || line.contains("EXAMPLE.") || line.contains("Google_1");
    let line = screen.lines().find(|line| open(line)).map(str::to_owned);
    let address = screen.match_indices('@').find(|(at, sign)| {
        let (before, behind) = around(*at, sign.len());
        letter(before) || letter(behind)
    });
    line.or_else(|| address.map(|(at, _)| screen[..at].lines().next_back().unwrap_or_default().to_owned() + "@"))
}

#[test]
fn no_frame_of_the_demo_shows_a_person_while_it_is_masked() {
    let home = tempfile::tempdir().unwrap();
    let masked = Arc::new(AtomicBool::new(false));
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (into, looks) = (seen.clone(), masked.clone());
    let watch = move |screen: &vt100::Screen| {
        let text = screen.contents();
        if looks.load(Ordering::Relaxed)
            && let Some(open) = read_of_a_person(&text)
        {
            into.lock().unwrap().push(format!("{open}\n{text}"));
        }
    };
    let mut pty = Pty::watched(command(home.path(), &["demo", "--users", "3000"]), WIDE, watch);
    pty.see("Read everything");
    pty.keys("1");
    pty.see("▌All");
    let screen = pty.see("row side only");
    assert!(read_of_a_person(&screen).is_some(), "the test sees them where they are: {screen}");
    pty.keys("m");
    pty.see("out of sight");
    masked.store(true, Ordering::Relaxed);
    for (key, tab) in
        [("2", "Unlinked"), ("3", "Duplicate"), ("4", "Conflict"), ("5", "Orphan"), ("6", "Expected"), ("7", "Linked")]
    {
        pty.keys(key);
        pty.until(tab, |screen| screen.lines().nth(1).is_some_and(|line| line.contains('▌') && line.contains(tab)));
        for _ in 0..8 {
            pty.keys("j\r");
            pty.see("Esc back");
            pty.keys("G\x1b");
            pty.see("Enter open");
        }
    }
    // What is typed, pasted, looked up, repaired and told.
    let email = "hugo.blom1@example.net";
    for (keys, wanted) in [
        ("O", "What there is"),
        ("H", "── History"),
        ("\x1b", "What there is"),
        (&*format!("o\x1b[200~{email}\x1b[201~"), "Look up  ••••"),
        ("\r", "provisional"),
        ("Y", "[ Without personal data ]"),
        ("\t", "[ With it ]"),
        ("\x1b", "Y copy as evidence"),
        ("\x1b", "What there is"),
        ("/hugo", "Filter  ••••"),
        ("\x1b", "Enter open"),
        ("J", "Enter open"),
        ("s", "Sorted by"),
        ("c", "─ Columns"),
        ("\x1b", "Enter open"),
        ("2", "row side only"),
        ("/situation:row_side_only\r", "Enter open"),
        ("r", "Guards"),
        ("\r", "[ Cancel ]"),
        ("y", "Written, and read back"),
        ("\r", "Enter open"),
        ("d", "Dismiss"),
        ("\x1b", "Enter open"),
        ("u", "Guards"),
        ("\x1b", "Enter open"),
        ("E", "masked as on the screen"),
        ("\x1b", "Enter open"),
        ("M", "── Messages"),
        ("\x1b", "Enter open"),
        ("L", "── Log"),
        ("\x1b", "Enter open"),
        (":", "── Commands"),
        ("\x1b", "Enter open"),
        ("?", "── Keys"),
        ("\x1b", "Enter open"),
    ] {
        pty.keys(keys);
        pty.see(wanted);
    }
    pty.keys("q");
    assert_eq!(pty.end(), 0);
    assert!(seen.lock().unwrap().is_empty(), "{}", seen.lock().unwrap()[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_of_one_kind_is_one_incident_on_the_overview_and_in_a_plan() {
    let mut town = Town::new(20, false);
    town.add_dead_subs(60);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    std::fs::write(home.path().join("town.toml"), "[contexts.town.table]\nid_type = \"uuid\"\n").unwrap();
    let flags = ["--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--config", "town.toml", "--rate", "100"];
    let mut program = command(home.path(), &flags);
    program.env("USERLINK_DATABASE_URL", &url);
    let mut pty = Pty::start(program, WIDE);
    pty.see("Read everything");
    let dead = town.verdicts().iter().filter(|verdict| verdict.0 == Situation::DeadSub.name()).count();
    let incident = format!("One incident: {dead} rows carry subs that no pool user has");
    pty.see(&incident);
    pty.keys("\r");
    pty.see(&format!("{dead} matches in everything"));
    pty.keys("\x1b");
    pty.see_no("matches in everything");
    // Whatever is repaired, the plan says it, too.
    pty.keys("2/situation:row_side_only\r");
    pty.see("safe to repair");
    pty.keys("r");
    let screen = pty.see("Guards");
    assert!(screen.contains(&incident), "{screen}");
}
