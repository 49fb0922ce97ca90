//! What is pasted, as the lines here take it: a single line, of which nothing can be seen that was not meant.
//!
//! Terminals send the end of a line in a paste as a carriage return, a line feed or both.

const ENDS: [char; 2] = ['\r', '\n'];

/// The first line that says something: who pastes half a ticket means its first line.
pub(crate) fn first_line(text: &str) -> String {
    one_line(text.split(ENDS).find(|line| !line.trim().is_empty()).unwrap_or_default())
}

/// All of it, with a blank where a line ended.
pub(crate) fn one_line(text: &str) -> String {
    let blank = text.trim().chars().map(|c| if ENDS.contains(&c) || c == '\t' { ' ' } else { c });
    let mut out = String::with_capacity(text.len());
    for c in blank.filter(|c| !c.is_control()) {
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_terminals_end_them() {
        for end in ["\r", "\n", "\r\n"] {
            let text = format!("{end}  ada@example.org{end}Where is my data?{end}");
            assert_eq!(first_line(&text), "ada@example.org");
            assert_eq!(one_line(&text), "ada@example.org Where is my data?");
        }
        assert_eq!(one_line("a\tb\x1b[31m"), "a b[31m");
        assert_eq!(first_line(" \r\n "), "");
    }
}
