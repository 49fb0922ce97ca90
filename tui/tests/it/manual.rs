//! What tells of the program, read by those it is for: shells, roff, other programs.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::scanning::{run, stderr};

/// Runs a tool that this machine has, with a text on its standard input.
fn fed(tool: &str, arguments: &[&str], text: &[u8]) -> (bool, String) {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    (ended.status.success(), said)
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn completions_are_scripts_that_their_shells_take() {
    let home = tempfile::tempdir().unwrap();
    for (shell, check) in [
        ("bash", Some(("bash", &["-n"][..]))),
        ("zsh", Some(("zsh", &["-n"][..]))),
        ("fish", Some(("fish", &["--no-execute"][..]))),
        ("powershell", None),
    ] {
        let made = run(home.path(), &["completions", shell], &[]);
        assert!(made.status.success(), "{}", stderr(&made));
        let script = String::from_utf8(made.stdout.clone()).unwrap();
        for command in ["scan", "history", "completions", "keys", "theme"] {
            assert!(script.contains(command), "{shell} {command}");
        }
        if let Some((tool, arguments)) = check.filter(|(tool, _)| is_there(tool)) {
            let (fine, said) = fed(tool, arguments, &made.stdout);
            assert!(fine && said.is_empty(), "{shell}: {said}");
        }
    }
    let wrong = run(home.path(), &["completions", "tcsh"], &[]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// Bash itself completes with it.
#[test]
fn bash_completes_commands_and_flags() {
    let home = tempfile::tempdir().unwrap();
    let mut script = run(home.path(), &["completions", "bash"], &[]).stdout;
    script.extend_from_slice(
        b"\nCOMP_WORDS=(userlink com); COMP_CWORD=1; _userlink userlink com userlink; echo \"${COMPREPLY[@]}\"\n\
          COMP_WORDS=(userlink scan --fail); COMP_CWORD=2; _userlink userlink --fail scan; echo \"${COMPREPLY[@]}\"\n",
    );
    let (fine, said) = fed("bash", &["--norc"], &script);
    assert!(fine, "{said}");
    assert_eq!(said.lines().collect::<Vec<_>>(), ["completions", "--fail-on"]);
}

#[test]
fn the_manual_is_read_without_a_warning_and_has_all_commands() {
    let home = tempfile::tempdir().unwrap();
    let page = run(home.path(), &["man"], &[]);
    assert!(page.status.success(), "{}", stderr(&page));
    let text = String::from_utf8(page.stdout.clone()).unwrap();
    assert!(text.contains(".SH COMMANDS") && text.contains(".SH KEYS") && text.contains(".SH EXIT STATUS"), "{text}");
    if is_there("groff") {
        let (fine, shown) = fed("groff", &["-man", "-Tutf8", "-ww", "-P-cbou"], &page.stdout);
        assert!(fine, "{shown}");
        assert!(!shown.contains("warning"), "{shown}");
        for wanted in ["userlink journal retain", "--fail-on SITUATION", "EXIT STATUS", "high-contrast"] {
            assert!(shown.contains(wanted), "{wanted}\n{shown}");
        }
    }
}

#[test]
fn the_keys_are_printed_as_the_settings_have_them() {
    let home = tempfile::tempdir().unwrap();
    let table = run(home.path(), &["keys"], &[]);
    assert!(table.status.success(), "{}", stderr(&table));
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.lines().any(|line| line.split_whitespace().take(3).eq(["repair", "r", "repair"])), "{table}");

    std::fs::write(home.path().join("keys.toml"), "[keys]\nrepair = ['f9', 'ctrl-r']\n").unwrap();
    let json = run(home.path(), &["--config", "keys.toml", "keys", "--format", "json"], &[]);
    let lines: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    let repair = lines.iter().find(|line| line["command"] == "repair").unwrap();
    assert_eq!(repair["keys"], serde_json::json!(["f9", "ctrl-r"]));
    assert_eq!(repair["can_be_changed"], true);
    let back = lines.iter().find(|line| line["command"] == "back").unwrap();
    assert_eq!(back["can_be_changed"], false);

    std::fs::write(home.path().join("keys.toml"), "[keys]\nscan = 'f5'\nrepair = 'enter'\n").unwrap();
    let wrong = run(home.path(), &["--config", "keys.toml", "keys"], &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("keys.toml: line 3: keys.repair: enter is pressed by mistake"),
        "{}",
        stderr(&wrong)
    );
}
