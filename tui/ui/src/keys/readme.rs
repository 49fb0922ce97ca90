//! The README's table of keys against the table: none is missing there, and none stands there that is no key.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{Command, Keys, Place};

const README: &str = include_str!("../../../../README.md");

/// What stands in backticks.
fn spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The cells of the table: the keys, and what is said of them.
fn rows() -> Vec<(&'static str, &'static str)> {
    let section = README.split("### Keys").nth(1).unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split_once('|').unwrap()).collect()
}

/// Where somebody works, rather than answers.
const SCREENS: [Place; 3] = [Place::Browse, Place::Overview, Place::Entry];

/// Whether a key does something on one of the screens.
fn has_key(keys: &Keys, shown: &str) -> bool {
    SCREENS.into_iter().flat_map(|place| keys.at(place)).any(|it| it.keys.iter().any(|key| key.shown() == shown))
}

#[test]
fn the_readme_has_the_keys_of_the_table() {
    let keys = Keys::default();
    let rows = rows();
    assert!(rows.len() > 20, "{rows:?}");
    let mut told: Vec<String> = Vec::new();
    for (cell, words) in &rows {
        for span in spans(cell) {
            assert!(has_key(&keys, span), "{span} is no key of the list, the overview or an entry: {words}");
        }
        told.extend(spans(cell).into_iter().chain(spans(words)).map(str::to_owned));
    }
    let is_told = |key: &str| told.iter().any(|it| it == key);
    assert!(is_told("1") && is_told("8"), "the groups, from the first to the last");
    let bindings = || SCREENS.into_iter().flat_map(|place| keys.at(place));
    for binding in bindings().filter(|binding| !matches!(binding.line.command, Command::Group(_))) {
        let same = bindings().filter(|other| other.line.command == binding.line.command);
        let shown: Vec<String> = same.flat_map(|binding| &binding.keys).map(|key| key.shown()).collect();
        assert!(shown.iter().any(|key| is_told(key)), "{shown:?} {}", binding.line.name);
    }
}
