//! The last scan, kept: compared with, opened with at once, and forgotten.

use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use userlink_domain::Situation;
use userlink_emulator::Faults;

use crate::pty::{Pty, command};
use crate::scanning::{json, run, stderr};
use crate::town::Town;

const SETTINGS: &str = "[contexts.town.table]\nid_type = \"uuid\"\n";

async fn sql(url: &str, statement: String) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_compared_with_the_one_before() {
    let town = Town::new(5, true);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.join("town.db")).await;
    std::fs::write(home.join("town.toml"), SETTINGS).unwrap();
    let scan = |more: &[&str]| {
        let common = ["scan", "--config", "town.toml", "--pool-id", &pool.id, "--endpoint-url", &pool.endpoint];
        let arguments: Vec<&str> = common.iter().chain(more).copied().collect();
        run(home, &arguments, &[("USERLINK_DATABASE_URL", &url)])
    };
    let none = scan(&["--since"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("no earlier scan"), "{}", stderr(&none));

    assert!(scan(&[]).status.success());
    let same = json(&scan(&["--since", "--format", "json"]));
    assert_eq!((same["entries"].as_array().unwrap().len(), same["since"]["gone"].as_array().unwrap().len()), (0, 0));

    // One is repaired, one loses its row, and somebody signs up.
    let emulator = pool.emulator.as_ref().unwrap();
    let repaired = town.users_of(Situation::RowSideOnly)[0];
    let row = town.row_of(repaired).to_owned();
    assert!(emulator.change_user(repaired, |user| user.user_id = Some(row.as_str().into())));
    let linked = town.users_of(Situation::Linked)[0];
    sql(&url, format!("DELETE FROM users WHERE id = '{}'", town.row_of(linked))).await;
    let mut newcomer = emulator.user(linked).unwrap();
    newcomer.sub = userlink_domain::Sub::from_u128(0xfeed);
    newcomer.username = userlink_domain::Username::new("newcomer");
    (newcomer.user_id, newcomer.email) = (None, Some("new@example.org".into()));
    assert!(emulator.add_user(&newcomer));
    let gone = town.users_of(Situation::NoRow)[0];
    assert!(emulator.delete_user(gone));
    // Somebody is linked as before, and with another row.
    let moved = town.users_of(Situation::Linked)[1];
    let other = "0192f0c1-ffff-7fff-8fff-ffffffffffff";
    sql(&url, format!("UPDATE users SET id = '{other}' WHERE id = '{}'", town.row_of(moved))).await;
    assert!(emulator.change_user(moved, |user| user.user_id = Some(other.into())));

    // The same for whoever reads it as a table or as CSV; nothing of it is kept.
    let kept = std::fs::read_dir(home.join(".local/share/userlink")).unwrap().flatten();
    let kept = kept.map(|file| file.path()).find(|path| path.extension().is_some_and(|it| it == "bin")).unwrap();
    let last = std::fs::read(&kept).unwrap();
    let sub = |username: &str| emulator.user(username).unwrap().sub.to_string();
    for (format, lines) in [
        ("csv", ["no_row,unlinked,,user,newcomer,", ",changed,row_side_only", ",changed,linked", ",gone,"]),
        ("table", ["\nnew ", "\nwas row_side_only ", "\nchanged ", "\ngone "]),
    ] {
        let output = scan(&["--since", "--format", format]);
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        for line in lines {
            assert!(text.contains(line), "{format} has no {line:?}: {text}{}", stderr(&output));
        }
        assert!(format == "table" || text.contains(&sub(moved)), "{text}");
        std::fs::write(&kept, &last).unwrap();
    }
    let news = json(&scan(&["--since", "--format", "json"]));
    let told = |username: &str| -> Option<Value> {
        let entries = news["entries"].as_array().unwrap();
        let found =
            entries.iter().find(|entry| entry["users"].as_array().unwrap().iter().any(|u| u["username"] == username));
        found.map(|entry| serde_json::json!([entry["situation"], entry["since"]["change"], entry["since"]["was"]]))
    };
    assert_eq!(told(repaired), Some(serde_json::json!(["linked", "changed", "row_side_only"])));
    assert_eq!(told(linked), Some(serde_json::json!(["dangling_user_id", "changed", "linked"])));
    assert_eq!(told("newcomer"), Some(serde_json::json!(["no_row", "new", null])));
    assert_eq!(told(moved), Some(serde_json::json!(["linked", "changed", "linked"])));
    assert_eq!(news["entries"].as_array().unwrap().len(), 4);

    // Who is dismissed is told once, and is no news from then on.
    let to_pool = ["--config", "town.toml", "--pool-id", &pool.id, "--endpoint-url", &pool.endpoint];
    let dismiss: Vec<&str> = ["dismiss", "newcomer", "--reason", "a test account"].into_iter().chain(to_pool).collect();
    let dismissed = run(home, &dismiss, &[("USERLINK_DATABASE_URL", &url)]);
    assert!(dismissed.status.success(), "{}", stderr(&dismissed));
    for news in ["newcomer", ""] {
        let now = scan(&["--since", "--format", "json"]);
        let found = json(&now)["entries"].as_array().unwrap().len();
        assert_eq!(found, usize::from(!news.is_empty()), "{}", String::from_utf8_lossy(&now.stdout));
    }
    assert_eq!(news["since"]["gone"][0]["situation"], "no_row");

    let forgotten = run(home, &["forget", "--config", "town.toml"], &[]);
    assert_eq!(String::from_utf8(forgotten.stdout).unwrap(), "Forgotten.\n");
    assert_eq!(scan(&["--since"]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_opens_with_the_last_scan_and_reads_anew_behind_it() {
    let town = Town::new(240, true);
    let home = tempfile::tempdir().unwrap();
    let pool = town.on_emulator(Faults::default()).await;
    let url = town.in_sqlite(&pool, &home.path().join("town.db")).await;
    std::fs::write(home.path().join("town.toml"), SETTINGS).unwrap();
    let arguments = ["--config", "town.toml", "--pool-id", &pool.id, "--endpoint-url", &pool.endpoint, "--rate", "100"];
    let scan: Vec<&str> = ["scan"].into_iter().chain(arguments).collect();
    assert!(run(home.path(), &scan, &[("USERLINK_DATABASE_URL", &url)]).status.success());

    // A pool that takes its time: meanwhile there is what was known.
    let slow = Faults { latency: Duration::from_millis(1_500), ..Faults::default() };
    pool.emulator.as_ref().unwrap().set_faults(slow);
    let mut program = command(home.path(), &arguments);
    program.env("USERLINK_DATABASE_URL", &url);
    let mut pty = Pty::start(program, (120, 30));
    pty.list();
    let screen = pty.see("shown is the scan of");
    assert!(!screen.contains("Read everything"), "{screen}");
    // Whose page came first is at the top.
    let screen = pty.see("@example.org");
    assert!(screen.contains("✓ linked") && !screen.contains("… reading"), "a verdict of then: {screen}");
    // It can be worked with, and nothing of it is a verdict of now.
    pty.keys("2");
    let screen = pty.see("row side only");
    assert!(!screen.contains("r repair"), "{screen}");
    pty.keys("r");
    pty.see("repairs wait until all has been read anew");
    pool.emulator.as_ref().unwrap().set_faults(Faults::default());
    let screen = pty.see("Read everything");
    assert!(!screen.contains("shown is the scan of"), "{screen}");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}
