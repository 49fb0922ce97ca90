//! The tour of the README, walked through as it is written there.

use crate::pty::{Pty, command};

const README: &str = include_str!("../../../README.md");

/// What stands in backticks.
fn spans(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_tour_leads_where_it_says_in_five_keys_a_question() {
    let tour = README.split("### Five minutes").nth(1).unwrap().split("###").next().unwrap();
    let lines = tour.lines().filter(|line| line.starts_with("| ") && line.contains('?') || line.contains(". |"));
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(command(home.path(), &["demo"]), (120, 50));
    pty.see("Read everything");
    let mut questions = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [question, keys, seen] = cells[..] else { panic!("{line}") };
        let (keys, seen) = (spans(keys), spans(seen));
        assert!(keys.len() <= 5 && keys.len() == seen.len(), "{question}: {keys:?} {seen:?}");
        for (key, seen) in keys.into_iter().zip(seen) {
            pty.keys(if key == "Enter" { "\r" } else { key });
            if seen == "History" {
                // The result closes, and what was under it is there again.
                pty.see_no("Taken back, and read back");
            } else {
                pty.see(seen);
            }
        }
        questions += 1;
    }
    assert_eq!(questions, 5);
    let screen = pty.text();
    assert!(screen.contains("OPS-4711") && screen.contains("3 of 3 steps"), "{screen}");
    pty.keys("q");
    assert_eq!(pty.end(), 0);
}
