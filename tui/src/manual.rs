//! What tells a person about the program: the manual page, completions for shells, the table of keys.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use serde::Serialize;
use userlink_ui::{KeyLine, Keys};

use crate::cli::{Cli, KeysFormat};

/// Prints completions for a shell.
pub(crate) fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    // The library takes a writer that cannot fail: what cannot be written is seen here.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "userlink", &mut script);
    out.write_all(&script)
}

/// Prints the manual: one page for the program and all its commands, as roff.
pub(crate) fn man(out: &mut impl Write) -> io::Result<()> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let page = Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    writeln!(out, ".SH COMMANDS")?;
    for sub in command.get_subcommands() {
        of_command(sub, &format!("userlink {}", sub.get_name()), out)?;
    }
    keys_section(&Keys::default(), out)?;
    out.write_all(ENDING.as_bytes())
}

/// A command with its own flags; those of all commands stand once, at the top.
fn of_command(command: &Command, name: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, ".SS {}", roff(name))?;
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    writeln!(out, "{}.", roff(about.trim_end_matches('.')))?;
    for argument in command.get_arguments().filter(|it| !it.is_global_set() && !it.is_hide_set()) {
        let id = argument.get_id().as_str();
        if id == "help" || id == "version" {
            continue;
        }
        let mut names: Vec<String> = argument.get_short().map(|short| format!("-{short}")).into_iter().collect();
        names.extend(argument.get_long().map(|long| format!("--{long}")));
        let takes = argument.get_action().takes_values() || argument.is_positional();
        let value = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        let value = value.unwrap_or_else(|| id.to_uppercase());
        let head = match (names.is_empty(), takes) {
            (true, _) => value,
            (false, true) => format!("{} {value}", names.join(", ")),
            (false, false) => names.join(", "),
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", roff(&head), roff(&help))?;
    }
    for sub in command.get_subcommands() {
        of_command(sub, &format!("{name} {}", sub.get_name()), out)?;
    }
    Ok(())
}

fn keys_section(keys: &Keys, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, ".SH KEYS\nThe keys of the dashboard, each with the name by which the settings change it.")?;
    for line in lines(keys).iter().filter(|line| line.can_be_changed) {
        let keys = line.keys.join(", ");
        writeln!(out, ".TP\n\\fB{}\\fR ({})\n{}", roff(&keys), roff(line.command), roff(line.words))?;
    }
    Ok(())
}

const ENDING: &str = "\
.SH SETTINGS
One TOML file, \\fIuserlink/config.toml\\fR under the platform's configuration directory, or \\fB\\-\\-config\\fR. Flags override
the environment, which overrides the file.
.SH EXIT STATUS
.TP
0
Done.
.TP
1
Failed; the last line on standard error says what, and what to do.
.TP
2
Wrong usage or settings.
.TP
3
Done, and there is something to look at: entries of a situation named by \\-\\-fail\\-on, or steps that were stale or failed.
.TP
130
Interrupted: what was under way was finished and journalled.
";

/// A text as roff takes it for text.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// The table without lines that say the same twice: a command that has other words at other places keeps each of them.
fn lines(keys: &Keys) -> Vec<KeyLine> {
    let mut lines: Vec<KeyLine> = Vec::new();
    for line in keys.lines() {
        let same = |it: &&mut KeyLine| it.command == line.command && it.words == line.words && it.keys == line.keys;
        match lines.iter_mut().find(same) {
            Some(there) => there.places.extend(line.places),
            None => lines.push(line),
        }
    }
    lines
}

/// One line of the table, for programs.
#[derive(Serialize)]
struct Line {
    command: &'static str,
    keys: Vec<String>,
    does: &'static str,
    section: &'static str,
    places: Vec<&'static str>,
    can_be_changed: bool,
}

/// Prints the table of keys.
pub(crate) fn keys(keys: &Keys, format: KeysFormat, out: &mut impl Write) -> io::Result<()> {
    let lines = lines(keys);
    if format == KeysFormat::Json {
        let lines: Vec<_> = lines
            .into_iter()
            .map(|KeyLine { command, keys, words, section, places, can_be_changed }| Line {
                command,
                keys,
                does: words,
                section,
                places,
                can_be_changed,
            })
            .collect();
        serde_json::to_writer_pretty(&mut *out, &lines)?;
        return writeln!(out);
    }
    let mut section = "";
    for of in ["Move", "Look", "Repair", "Program", "Always"] {
        for line in lines.iter().filter(|line| line.section == of) {
            if section != of {
                let gap = if section.is_empty() { "" } else { "\n" };
                let note = if line.can_be_changed { "" } else { " (cannot be changed)" };
                writeln!(out, "{gap}{of}{note}")?;
                section = of;
            }
            let keys = if line.keys.is_empty() { "-".to_owned() } else { line.keys.join(" ") };
            let places = line.places.join(", ");
            let row = format!("  {:<18} {:<22} {:<22} {places}", line.command, keys, line.words);
            writeln!(out, "{}", row.trim_end())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_section_of_the_table_is_printed() {
        let mut out = Vec::new();
        keys(&Keys::default(), KeysFormat::Table, &mut out).unwrap();
        let table = String::from_utf8(out).unwrap();
        for line in Keys::default().lines() {
            assert!(table.contains(line.command) && table.contains(line.section), "{line:?}");
        }
    }

    #[test]
    fn the_manual_names_every_command_and_every_flag() {
        let mut out = Vec::new();
        man(&mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        fn look(command: &Command, page: &str) {
            for argument in command.get_arguments() {
                if let Some(long) = argument.get_long() {
                    assert!(page.contains(&roff(&format!("--{long}"))), "{} --{long}", command.get_name());
                }
            }
            for sub in command.get_subcommands() {
                assert!(page.contains(&roff(sub.get_name())), "{}", sub.get_name());
                look(sub, page);
            }
        }
        look(&Cli::command(), &page);
    }
}
