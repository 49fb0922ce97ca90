//! One word that is looked for: whether a text holds it or is close to it, how well, and which letters those are.
//!
//! A text that holds the word as it stands always comes before one that is only close. Close are words of four letters
//! and more, where nucleo scores at least twenty a letter: their letters stand in that order, and most of them together
//! or at beginnings. Letters are compared without case and without accents, one by one.

use std::borrow::Cow;

use memchr::memmem::Finder;
use nucleo_matcher::{Config, Matcher, Utf32Str, Utf32String, chars};

/// A rating: it is not there at all.
pub(crate) const NONE: u8 = 0;
/// Its letters are there, but not close: a longer word may still be looked for among these, and nowhere else.
pub(crate) const LETTERS: u8 = 1;
/// The least of those that count.
pub(crate) const CLOSE: u8 = 2;
const CLOSEST: u8 = 220;
const WITHIN: u8 = 230;
const AT_A_BOUNDARY: u8 = 240;
const AT_THE_START: u8 = 250;
const WHOLE: u8 = 255;

/// Words that are shorter are looked for as they stand: nearly everything would be close to them.
const SHORTEST_CLOSE: usize = 4;
/// What nucleo has to give for a letter, on average. A letter that is right has 16, and up to 8 more behind another one or
/// at a beginning.
const A_LETTER: usize = 20;
/// Of an id at least so many digits, or the whole of it.
pub(crate) const SHORTEST_OF_AN_ID: usize = 4;

/// What matching needs room for: one for each thread.
pub struct Scratch {
    matcher: Matcher,
    letters: Vec<char>,
    indices: Vec<u32>,
}

impl Default for Scratch {
    fn default() -> Self {
        // Both sides are folded already.
        let mut config = Config::DEFAULT;
        config.ignore_case = false;
        config.normalize = false;
        Self { matcher: Matcher::new(config), letters: Vec::new(), indices: Vec::new() }
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
    }
}

/// A letter as it is compared.
pub(crate) fn fold_letter(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { chars::to_lower_case(chars::normalize(c)) }
}

/// A text as it is compared: as many letters as before.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(fold_letter).collect())
    }
}

/// A word that is looked for.
#[derive(Clone)]
pub(crate) struct Word {
    folded: String,
    letters: Utf32String,
    finder: Finder<'static>,
    count: usize,
    /// Where it may be a part of a UUID.
    digits: Option<String>,
}

impl Word {
    pub(crate) fn new(text: &str) -> Self {
        let folded = fold(text).into_owned();
        Self {
            letters: Utf32String::from(folded.as_str()),
            finder: Finder::new(folded.as_bytes()).into_owned(),
            count: folded.chars().count(),
            digits: digits_of_uuid(&folded),
            folded,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.folded
    }

    /// Enough hexadecimal digits for a part of a UUID.
    pub(crate) fn digits(&self) -> Option<&str> {
        self.digits.as_deref().filter(|digits| digits.len() >= SHORTEST_OF_AN_ID)
    }

    /// Hexadecimal digits, be they few: where a field was named.
    pub(crate) fn digits_of_part(&self) -> Option<&str> {
        self.digits.as_deref()
    }

    fn is_close_to(&self) -> bool {
        self.count >= SHORTEST_CLOSE
    }

    /// Whether whatever the longer one is found in was at least a candidate for this one. Short words are candidates nowhere but
    /// where they stand as they are, or are the whole of an id; and of an id, only what stands together is a part.
    pub(crate) fn is_wider_than(&self, longer: &Self) -> bool {
        let is_part = self.is_close_to() && longer.folded.contains(&self.folded);
        is_part && (self.digits().is_some() || longer.digits().is_none())
    }

    /// How well a folded text fits.
    pub(crate) fn rate(&self, text: &[u8], scratch: &mut Scratch) -> u8 {
        if !is_subsequence(self.folded.as_bytes(), text) {
            return NONE;
        }
        if let Some(rating) = self.rate_as_it_stands(text) {
            return rating;
        }
        if !self.is_close_to() {
            return NONE;
        }
        let Ok(text) = std::str::from_utf8(text) else { return LETTERS };
        let hay = Utf32Str::new(text, &mut scratch.letters);
        match scratch.matcher.fuzzy_match(hay, self.letters.slice(..)) {
            Some(score) if usize::from(score) >= A_LETTER * self.count => {
                let above = usize::from(score) / self.count - A_LETTER;
                CLOSE + u8::try_from(above * 16).unwrap_or(CLOSEST).min(CLOSEST - CLOSE)
            }
            _ => LETTERS,
        }
    }

    /// How well a folded text fits that holds the word as it stands.
    pub(crate) fn rate_as_it_stands(&self, text: &[u8]) -> Option<u8> {
        let at = self.finder.find(text)?;
        Some(match at {
            0 if text.len() == self.folded.len() => WHOLE,
            0 => AT_THE_START,
            _ if !text[at - 1].is_ascii_alphanumeric() && text[at - 1].is_ascii() => AT_A_BOUNDARY,
            _ => WITHIN,
        })
    }

    /// How well an id fits: a whole one, or a part that is long enough.
    pub(crate) fn rate_id(&self, text: &[u8]) -> u8 {
        let whole = text == self.folded.as_bytes();
        if self.count < SHORTEST_OF_AN_ID && !whole {
            return NONE;
        }
        self.rate_as_it_stands(text).unwrap_or(NONE)
    }

    /// Which letters of a text, counted from 0, are those of the word; none where it does not fit.
    pub(crate) fn marks(&self, text: &str, scratch: &mut Scratch) -> Vec<usize> {
        let folded = fold(text);
        if self.finder.find(folded.as_bytes()).is_some() {
            return self.marks_as_it_stands(text);
        }
        if self.rate(folded.as_bytes(), scratch) < CLOSE {
            return Vec::new();
        }
        scratch.indices.clear();
        let hay = Utf32Str::new(&folded, &mut scratch.letters);
        scratch.matcher.fuzzy_indices(hay, self.letters.slice(..), &mut scratch.indices);
        scratch.indices.iter().map(|index| *index as usize).collect()
    }

    /// Those of the word as it stands.
    pub(crate) fn marks_as_it_stands(&self, text: &str) -> Vec<usize> {
        let folded = fold(text);
        let first = self.finder.find(folded.as_bytes()).map(|at| folded[..at].chars().count());
        first.map_or_else(Vec::new, |first| (first..first + self.count).collect())
    }

    /// Those of an id.
    pub(crate) fn marks_of_id(&self, text: &str) -> Vec<usize> {
        if self.rate_id(fold(text).as_bytes()) < CLOSE { Vec::new() } else { self.marks_as_it_stands(text) }
    }
}

/// Whether the bytes of one stand in the other in their order.
fn is_subsequence(word: &[u8], text: &[u8]) -> bool {
    let mut wanted = word.iter();
    let Some(mut next) = wanted.next() else { return true };
    // Eight at a time: what is not there is left behind at once.
    let (eights, rest) = text.as_chunks::<8>();
    for eight in eights {
        let eight = u64::from_le_bytes(*eight);
        let mut left = u64::MAX;
        loop {
            let found = places(*next, eight) & left;
            if found == 0 {
                break;
            }
            // Behind the first of them.
            left = !(found ^ (found - 1));
            match wanted.next() {
                Some(other) => next = other,
                None => return true,
            }
        }
    }
    for byte in rest {
        if byte == next {
            match wanted.next() {
                Some(other) => next = other,
                None => return true,
            }
        }
    }
    false
}

/// The highest bit of each byte of eight that is this one.
const fn places(byte: u8, eight: u64) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let differs = eight ^ u64::from_ne_bytes([byte; 8]);
    !(((differs & LOW) + LOW) | differs | LOW)
}

/// The hexadecimal digits of a part of a UUID, hyphens or not.
pub(crate) fn digits_of_uuid(text: &str) -> Option<String> {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (hex && (1..=32).contains(&digits.len())).then_some(digits)
}

/// How well a UUID fits some of its digits.
pub(crate) fn rate_uuid(digits: &str, uuid: &[u8; 16]) -> u8 {
    let digits = digits.as_bytes();
    // Wherever they stand, two of them are a byte: the first two, or those behind the first.
    if let [one, two, three, _, ..] = digits
        && memchr::memchr2(byte(*one, *two), byte(*two, *three), uuid).is_none()
    {
        return NONE;
    }
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (two, byte) in text.chunks_exact_mut(2).zip(uuid) {
        two[0] = HEX[usize::from(byte >> 4)];
        two[1] = HEX[usize::from(byte & 15)];
    }
    match memchr::memmem::find(&text, digits) {
        Some(0) if digits.len() == 32 => WHOLE,
        Some(0) => AT_THE_START,
        // A digit or two are everywhere.
        Some(_) if digits.len() < SHORTEST_OF_AN_ID => NONE,
        Some(_) => WITHIN,
        None => NONE,
    }
}

/// The byte that two hexadecimal digits in small letters are.
const fn byte(high: u8, low: u8) -> u8 {
    const fn digit(letter: u8) -> u8 {
        if letter.is_ascii_digit() { letter - b'0' } else { letter.wrapping_sub(b'a').wrapping_add(10) & 15 }
    }
    digit(high) << 4 | digit(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(word: &str, text: &str) -> u8 {
        Word::new(word).rate(fold(text).as_bytes(), &mut Scratch::default())
    }

    fn marked(word: &str, text: &str) -> String {
        let marks = Word::new(word).marks(text, &mut Scratch::default());
        text.chars().enumerate().map(|(at, c)| if marks.contains(&at) { c } else { '.' }).collect()
    }

    #[test]
    fn what_holds_the_word_comes_before_what_is_close() {
        let texts = ["ada", "ada@example.org", "x.ada@example.org", "nevada@example.org"];
        let ratings = texts.map(|text| rate("ada", text));
        assert_eq!(ratings, [WHOLE, AT_THE_START, AT_A_BOUNDARY, WITHIN]);
        assert_eq!(rate("ada", "a.d.a@example.org"), NONE, "three letters are never only close");
        let close = rate("jdoe", "john.doe@example.org");
        assert!((CLOSE..=CLOSEST).contains(&close), "{close}");
        assert!(close < rate("john", "xjohn"));
    }

    #[test]
    fn close_is_what_a_person_would_call_close() {
        for (word, text) in [
            ("jdoe", "john.doe@example.org"),
            ("anschmidt", "anna.schmidt@example.org"),
            ("scmidt", "anna.schmidt@example.org"),
            ("zoe@ex", "Zoë@Example.org"),
            ("user42", "user00042@example.org"),
            ("carl", "charles@example.org"),
        ] {
            assert!(rate(word, text) >= CLOSE, "{word} in {text}");
        }
        for (word, text) in [
            ("bear", "bob@example.org"),
            ("anna", "alexander.neumann@example.org"),
            ("nobody", "nora.ober.dylan@example.org"),
        ] {
            assert_eq!(rate(word, text).min(CLOSE), rate(word, text), "{word} in {text}");
        }
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        assert_eq!(rate("ZOE", "zoë"), WHOLE);
        assert_eq!(rate("Émile", "emile@example.org"), AT_THE_START);
        assert_eq!(rate("李小", "李小龍"), AT_THE_START);
        assert_eq!(rate("李小", "李大龍"), NONE);
    }

    #[test]
    fn the_letters_of_the_word_are_marked() {
        assert_eq!(marked("ada", "Nev-Ada@x"), "....Ada..");
        assert_eq!(marked("jdoe", "john.doe"), "j....doe");
        assert_eq!(marked("zoe", "Zoë!"), "Zoë.");
        assert_eq!(marked("龍", "李小龍"), "..龍");
        assert_eq!(marked("nobody", "ada"), "...");
    }

    proptest::proptest! {
        #[test]
        fn letters_stand_in_their_order_or_not(word in "[a-cé]{0,6}", text in "[a-déè]{0,40}") {
            let mut letters = text.bytes();
            let in_order = word.bytes().all(|letter| letters.any(|other| other == letter));
            proptest::prop_assert_eq!(is_subsequence(word.as_bytes(), text.as_bytes()), in_order);
        }
    }

    #[test]
    fn a_part_of_an_id_has_four_digits_or_is_all_of_it() {
        let uuid = 0x0192_f0c1_2b6a_7cde_8f00_0123_4567_89ab_u128.to_be_bytes();
        let of = |text: &str| digits_of_uuid(text).map_or(NONE, |digits| rate_uuid(&digits, &uuid));
        assert_eq!(of("0192F0C1-2b6a"), AT_THE_START);
        assert_eq!(of("2b6a7cde"), WITHIN);
        assert_eq!(of("0192f0c1-2b6a-7cde-8f00-0123456789ab"), WHOLE);
        assert_eq!((of("92f"), of("ada@"), of("019")), (NONE, NONE, AT_THE_START));
        assert_eq!((Word::new("019").digits(), Word::new("0192").digits()), (None, Some("0192")));
        assert_eq!((Word::new("42").rate_id(b"42"), Word::new("42").rate_id(b"142")), (WHOLE, NONE));
        assert!(Word::new("1420").rate_id(b"91420") >= CLOSE);
    }

    #[test]
    fn a_longer_word_is_looked_for_among_the_candidates_of_a_part_of_it_that_is_long_enough() {
        let wider = |short, long| Word::new(short).is_wider_than(&Word::new(long));
        assert!(
            wider("anna", "annas") && wider("anna", "hanna") && wider("0192-f", "0192-f0") && wider("fade", "faded")
        );
        assert!(wider("fade", "fader"), "which no UUID holds");
        assert!(!wider("ann", "anna"), "one may be close, the other not");
        assert!(!wider("4", "42"), "either may be the whole of an id");
        assert!(!wider("1235", "12345"), "an id holds the one and not the other");
        assert!(!wider("-12-", "-12-34"), "three digits are no part of a UUID, four are");
        assert!(!wider("anna", "ann"));
    }
}
