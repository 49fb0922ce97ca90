//! Names for people who do not exist.

use crate::permutation::mix;

const FIRST: [&str; 40] = [
    "ada", "bea", "carl", "dora", "emil", "fay", "gus", "hana", "ivo", "jana", "kofi", "lena", "milo", "nora", "otto",
    "pia", "quinn", "rosa", "sven", "tara", "ugo", "vera", "wim", "xenia", "yara", "zeno", "amara", "bruno", "chidi",
    "davide", "elif", "farid", "greta", "hugo", "ines", "jun", "kaya", "luis", "mei", "noor",
];
const LAST: [&str; 32] = [
    "adler", "berg", "conti", "diaz", "ekman", "fischer", "grau", "haas", "ito", "jensen", "kovac", "lang", "moreau",
    "novak", "okafor", "popescu", "quist", "rossi", "silva", "tanaka", "urban", "vidal", "weber", "xu", "yilmaz",
    "zeman", "abara", "blom", "cruz", "dubois", "egan", "falk",
];
const DOMAIN: [&str; 3] = ["example.org", "example.com", "example.net"];

/// Names that break screens: overrides of direction, invisible characters, escape sequences, wide and joined glyphs,
/// piles of marks.
const HOSTILE: [&str; 10] = [
    "fay\u{202e}gro.elpmaxe",
    "ze\u{200b}ro\u{200d}width",
    "\u{1b}[31mred\u{1b}[0m",
    "田中さくら",
    "👩‍👩‍👧‍👦family",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}marks",
    "🇩🇪🇫🇷flags",
    "한글이름",
    "ñandú-ø-ß",
    "\u{feff}bom\u{2066}iso\u{2069}\u{7}",
];

/// The address of person number `n`; the number in it makes it nobody else's.
pub(crate) fn email(seed: u64, n: u64) -> String {
    let pick = mix(seed ^ n.wrapping_mul(3));
    let of = |list: &'static [&'static str], bits: u32| list[(pick >> bits) as usize % list.len()];
    format!("{}.{}{n}@{}", of(&FIRST, 0), of(&LAST, 16), of(&DOMAIN, 32))
}

/// The number in an address that [`email`] made.
pub(crate) fn number_in(email: &str) -> Option<u64> {
    let (name, _) = email.split_once('@')?;
    let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
    name[digits..].parse().ok()
}

/// An address that is hard to show.
pub(crate) fn hostile_email(n: u64) -> String {
    let at = n as usize % (HOSTILE.len() + 1);
    match HOSTILE.get(at) {
        Some(name) => format!("{name}{n}@example.org"),
        None => format!("{}{n}@example.org", "long".repeat(50)),
    }
}
