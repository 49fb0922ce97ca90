//! What tells of the program, read by those it is for: shells, roff, other programs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use portable_pty::CommandBuilder;
use serde_json::Value;

use crate::pty::{Pty, environment};
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

fn script(home: &Path, shell: &str) -> String {
    let made = run(home, &["completions", shell], &[]);
    assert!(made.status.success(), "{}", stderr(&made));
    String::from_utf8(made.stdout).unwrap()
}

#[test]
fn completions_are_scripts_that_their_shells_take() {
    let home = tempfile::tempdir().unwrap();
    for (shell, arguments) in [("bash", &["-n"][..]), ("zsh", &["-n"][..]), ("fish", &["--no-execute"][..])] {
        let (fine, said) = fed(shell, arguments, script(home.path(), shell).as_bytes());
        assert!(fine && said.is_empty(), "{shell}: {said}");
        let (_, said) = fed(shell, arguments, b"if then )");
        assert!(!said.is_empty(), "{shell} says when it does not");
    }
    let wrong = run(home.path(), &["completions", "tcsh"], &[]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// Bash itself completes with it.
#[test]
fn bash_completes_commands_and_flags() {
    let home = tempfile::tempdir().unwrap();
    let mut script = script(home.path(), "bash");
    script.push_str(
        "\nCOMP_WORDS=(userlink com); COMP_CWORD=1; _userlink userlink com userlink; echo \"${COMPREPLY[@]}\"\n\
          COMP_WORDS=(userlink scan --fail); COMP_CWORD=2; _userlink userlink --fail scan; echo \"${COMPREPLY[@]}\"\n",
    );
    let (fine, said) = fed("bash", &["--norc"], script.as_bytes());
    assert!(fine, "{said}");
    assert_eq!(said.lines().collect::<Vec<_>>(), ["completions", "--fail-on"]);
}

#[test]
fn fish_completes_commands_and_flags() {
    let home = tempfile::tempdir().unwrap();
    let mut script = script(home.path(), "fish");
    script.push_str("\ncomplete -C 'userlink com'\ncomplete -C 'userlink scan --fail'\n");
    let (fine, said) = fed("fish", &["--no-config"], script.as_bytes());
    assert!(fine, "{said}");
    let completed: Vec<_> = said.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(completed, ["completions", "--fail-on"], "{said}");
}

/// Zsh completes only where somebody types.
#[test]
fn zsh_completes_commands_and_flags() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("_userlink"), script(home.path(), "zsh")).unwrap();
    let mut shell = CommandBuilder::new("zsh");
    shell.arg("-f");
    shell.env_clear();
    for (name, value) in environment(home.path()) {
        shell.env(name, value);
    }
    shell.env("PS1", "ready> ");
    shell.cwd(home.path());
    let mut pty = Pty::start(shell, (100, 24));
    pty.see("ready>");
    pty.keys("fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; clear; echo loa''ded\n");
    pty.see("loaded");
    pty.keys("userlink com\t");
    pty.see("userlink completions");
    pty.keys("\x15userlink scan --fail\t");
    pty.see("userlink scan --fail-on");
    pty.keys("\x15exit\n");
    assert_eq!(pty.end(), 0);
}

/// There is no PowerShell among the packages of most systems: its grammar reads the script, and what the script offers is
/// read out of the tree.
#[test]
fn powershell_completes_commands_and_flags() {
    let home = tempfile::tempdir().unwrap();
    let script = script(home.path(), "powershell");
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    assert!(parser.parse("if ( {", None).unwrap().root_node().has_error(), "it says what is none");
    // The grammar knows calls with parentheses alone.
    let (before, behind) = script.split_once(".Where{").unwrap();
    let (filter, behind) = behind.split_once('}').unwrap();
    let script = format!("{before}.Where({{{filter}}}){behind}");
    let tree = parser.parse(&script, None).unwrap();
    assert!(!tree.root_node().has_error(), "{script}");
    let offered = |of: &str| -> Vec<String> {
        let mut waiting = vec![tree.root_node()];
        let text = |node: tree_sitter::Node<'_>| node.utf8_text(script.as_bytes()).unwrap().to_owned();
        while let Some(node) = waiting.pop() {
            let mut walk = node.walk();
            if node.kind() == "switch_clause" && text(node).starts_with(&format!("'{of}' {{")) {
                let made = text(node);
                let made = made.split("[CompletionResult]::new('").skip(1);
                return made.map(|rest| rest.split('\'').next().unwrap().to_owned()).collect();
            }
            waiting.extend(node.children(&mut walk));
        }
        panic!("nothing for {of}")
    };
    for command in ["scan", "demo", "history", "completions", "keys", "man", "undo"] {
        assert!(offered("userlink").iter().any(|it| it == command), "{command}");
    }
    assert!(offered("userlink;scan").iter().any(|it| it == "--fail-on"));
    assert!(offered("userlink").iter().any(|it| it == "--theme"));
}

#[test]
fn the_manual_is_read_without_a_warning_and_has_all_commands() {
    let home = tempfile::tempdir().unwrap();
    let page = run(home.path(), &["man"], &[]);
    assert!(page.status.success(), "{}", stderr(&page));
    let text = String::from_utf8(page.stdout.clone()).unwrap();
    assert!(text.contains(".SH COMMANDS") && text.contains(".SH KEYS") && text.contains(".SH EXIT STATUS"), "{text}");
    let (fine, shown) = fed("groff", &["-man", "-Tutf8", "-ww", "-P-cbou"], &page.stdout);
    assert!(fine, "{shown}");
    assert!(!shown.contains("warning"), "{shown}");
    for wanted in ["userlink journal retain", "--fail-on SITUATION", "EXIT STATUS", "high-contrast"] {
        assert!(shown.contains(wanted), "{wanted}\n{shown}");
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
