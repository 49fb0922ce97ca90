//! A scan that is killed is gone on with, and ends where one that was left alone ends.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use userlink_emulator::Faults;
use uuid::Uuid;

use crate::meanwhile::verdicts;
use crate::pty::{USERLINK, environment};
use crate::scanning::{json, run, stderr};
use crate::town::Town;

/// How often a scan is killed in all: `USERLINK_TEST_KILLS`, or a few.
fn kills() -> u32 {
    std::env::var("USERLINK_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(6)
}

/// Any number below this.
fn below(limit: u128) -> u64 {
    u64::try_from(Uuid::new_v4().as_u128() % limit).unwrap()
}

/// Whether a scan that is not over has kept records.
fn has_kept(home: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(home.join(".local/share/userlink")) else { return false };
    let is_unfinished = |name: &str| name.starts_with(".scan-");
    let mut kept = files.flatten().filter(|file| is_unfinished(&file.file_name().to_string_lossy()));
    kept.any(|file| file.metadata().is_ok_and(|it| it.len() > 8_192))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_is_killed_goes_on_and_ends_as_if_it_had_not_been() {
    let town = Town::new(900, true);
    let faults =
        Faults { latency: Duration::from_millis(120), short_pages: 0.7, empty_pages: 0.1, ..Faults::default() };
    let pool = town.on_emulator(faults).await;
    let home = tempfile::tempdir().unwrap();
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    let mut left = kills();
    let (mut gone_on, mut expected) = (0, None);
    for keep in ["full", "pointers"].into_iter().cycle() {
        let settings = format!("[contexts.town]\nsnapshot = \"{keep}\"\n[contexts.town.table]\nid_type = \"uuid\"\n");
        std::fs::write(home.path().join("town.toml"), settings).unwrap();
        let flags = ["--config", "town.toml", "--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--rate", "25"];
        let arguments: Vec<&str> = ["scan", "--all", "--format", "json"].into_iter().chain(flags).collect();
        let variables = [("USERLINK_DATABASE_URL", url.as_str())];
        assert!(run(home.path(), &["forget", "--config", "town.toml"], &[]).status.success());

        let expected = expected.get_or_insert_with(|| {
            let undisturbed = verdicts(&json(&run(home.path(), &arguments, &variables)));
            assert!(run(home.path(), &["forget", "--config", "town.toml"], &[]).status.success());
            undisturbed
        });
        // Two or three times in one scan, at any moment of it; and at last when something has been kept.
        let times = left.min(2 + below(2) as u32);
        left -= times;
        for time in 1..=times {
            let mut scan = std::process::Command::new(USERLINK);
            scan.args(&arguments).env_clear().envs(environment(home.path())).envs(variables).current_dir(home.path());
            let mut scan = scan.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let until = Instant::now() + Duration::from_millis(300 + below(2_200));
            let is_enough = || if time == times { has_kept(home.path()) } else { Instant::now() >= until };
            while !is_enough() && scan.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            scan.kill().unwrap();
            scan.wait().unwrap();
        }
        let last = run(home.path(), &arguments, &variables);
        let told = json(&last);
        // Without names there is nothing to print, and it is read from the beginning.
        let is_said = |words| stderr(&last).contains(words);
        if keep == "full" {
            gone_on += u32::from(is_said("This goes on with the scan that began at"));
        } else {
            assert!(!is_said("This goes on"), "{}", stderr(&last));
        }
        assert_eq!(told["complete"], true);
        assert!(!String::from_utf8_lossy(&last.stdout).contains("not-kept-"), "{keep}: hashes for names");
        assert_eq!((told["users"].as_u64(), told["rows"].as_u64()), {
            let (users, rows) = town.len();
            (Some(users as u64), Some(rows as u64))
        });
        let told = verdicts(&told);
        let wrong: Vec<_> = expected.iter().filter(|(key, verdict)| told.get(*key) != Some(verdict)).collect();
        assert!(wrong.is_empty() && told.len() == expected.len(), "{keep}: {wrong:#?}");
        if left == 0 {
            break;
        }
    }
    assert!(gone_on > 0, "no scan was gone on with");
}
