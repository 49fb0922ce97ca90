//! A filter as it is typed: words, `field:value`, either in quotes, either with a `-` before it. All of them have to fit.

use userlink_domain::{Flag, Group, Situation, Timestamp, nearest_name};

use crate::chunk::STATUSES;
use crate::dates::moments;
use crate::query::{Complaint, Field, Query, Term, What};
use crate::word::Word;

/// More would be no filter that a person wrote.
const MOST_TERMS: usize = 16;

/// Every field, with what it wants in words.
const FIELDS: [(&str, &str); 12] = [
    ("status", "confirmed, unconfirmed, external, invited, must reset or disabled"),
    ("created", "a date or an age: >2026-11-01, 2026-11, <7d, yesterday"),
    ("email", "a part of an address, or none"),
    ("situation", "a situation, such as email_match"),
    ("group", "a group, such as unlinked"),
    ("flag", "a flag, such as contested"),
    ("provider", "an identity provider, such as google, or none"),
    ("enabled", "yes or no"),
    ("sub", "a part of a sub, or none"),
    ("id", "a part of a row's id"),
    ("username", "a part of a username"),
    ("user_id", "a part of a user_id, or none"),
];

impl Query {
    /// Understands a filter at this moment.
    ///
    /// # Errors
    /// Says in words which field or value is wrong, and the nearest that is right.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, Complaint> {
        let tokens = tokens(text);
        if tokens.len() > MOST_TERMS {
            return Err(Complaint(format!("More than {MOST_TERMS} words and fields are too many at once.")));
        }
        let terms = tokens.into_iter().map(|token| term(&token, now)).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// The names of the fields, for whoever explains them.
    pub fn fields() -> impl Iterator<Item = (&'static str, &'static str)> {
        FIELDS.into_iter()
    }
}

#[derive(Debug, Default, PartialEq)]
struct Token {
    not: bool,
    field: Option<String>,
    value: String,
    quoted: bool,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut token = Token::default();
        if let Some(behind) = rest.strip_prefix('-') {
            token.not = true;
            rest = behind;
        }
        if let Some((name, behind)) = rest.split_once(':')
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        {
            token.field = Some(name.to_ascii_lowercase());
            rest = behind;
        }
        if let Some(behind) = rest.strip_prefix('"') {
            token.quoted = true;
            // While it is typed, the quote is not closed yet.
            let (value, behind) = behind.split_once('"').unwrap_or((behind, ""));
            value.clone_into(&mut token.value);
            rest = behind;
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest[..end].clone_into(&mut token.value);
            rest = &rest[end..];
        }
        rest = rest.trim_start();
        out.push(token);
    }
    out
}

fn term(token: &Token, now: Timestamp) -> Result<Term, Complaint> {
    let value = token.value.trim();
    let what = match &token.field {
        None if value.is_empty() => {
            let sign = if token.not { "-" } else { "\"\"" };
            return Err(Complaint(format!("{sign} stands alone: a word has to come with it.")));
        }
        // Whoever excludes a word means that word, and nothing that is like it.
        None => What::Word { word: Word::new(value), exact: token.quoted || token.not },
        Some(name) => field(name, value, token.quoted, now)?,
    };
    let sign = if token.not { "-" } else { "" };
    let name = match &what {
        What::Created((from, until)) => format!("{sign}created:{from}..{until}"),
        What::Word { word, exact } => format!("{sign}{exact}:{}", word.text()),
        _ => format!(
            "{sign}{}:{}{value}",
            token.field.as_deref().unwrap_or_default(),
            if token.quoted { "=" } else { "" }
        ),
    };
    Ok(Term { not: token.not, what, name })
}

fn field(name: &str, value: &str, quoted: bool, now: Timestamp) -> Result<What, Complaint> {
    let Some((_, wants)) = FIELDS.iter().find(|(known, _)| *known == name) else {
        let nearest = nearest_name(name, FIELDS.map(|(known, _)| known));
        let nearest = nearest.map(|known| format!("; did you mean {known}?")).unwrap_or_else(|| ".".to_owned());
        return Err(Complaint(format!("There is no field {name}{nearest} In quotes it is a word.")));
    };
    if value.is_empty() {
        return Err(Complaint(format!("{name}: wants {wants}.")));
    }
    let part = |field: Field| {
        let none = value.eq_ignore_ascii_case("none") && !quoted;
        if none { What::Without(field) } else { What::Part(field, Word::new(value)) }
    };
    Ok(match name {
        "email" => part(Field::Email),
        "provider" => part(Field::Provider),
        "sub" => part(Field::Sub),
        "user_id" => part(Field::UserId),
        "username" => What::Part(Field::Username, Word::new(value)),
        "id" => What::Part(Field::Id, Word::new(value)),
        "created" => What::Created(moments(value, now).ok_or_else(|| {
            Complaint(format!("created:{value} is no date and no age: >2026-11-01, 2026-11, <7d, yesterday."))
        })?),
        "enabled" => match value.to_ascii_lowercase().as_str() {
            "yes" | "true" | "y" => What::Enabled(true),
            "no" | "false" | "n" => What::Enabled(false),
            _ => return Err(Complaint(format!("enabled: wants {wants}, not {value}."))),
        },
        "status" => {
            let mut names: Vec<(&str, u32)> = Vec::new();
            for (place, all) in (0u32..).zip(STATUSES) {
                names.extend(all.iter().map(|name| (*name, place)));
            }
            names.push(("disabled", u32::from(DISABLED)));
            let set = among(name, value, &names)?;
            What::Status { among: (set & !(1 << DISABLED)) as u16, disabled: set & 1 << DISABLED != 0 }
        }
        "situation" => What::Situation(among(name, value, &Situation::ALL.map(|it| (it.name(), it as u32)))?),
        "flag" => What::Flag(among(name, value, &Flag::ALL.map(|it| (it.name(), it as u32)))? as u8),
        _ => {
            let groups = among(name, value, &Group::ALL.map(|it| (it.name(), it as u32)))?;
            let meant = Situation::ALL.into_iter().filter(|it| groups & 1 << it.group() as u32 != 0);
            What::Situation(meant.fold(0, |set, it| set | 1 << it as u32))
        }
    })
}

/// Stands beside the statuses, as it does on the screen.
const DISABLED: u8 = 16;

/// The set of what is called so or, where nothing is, of what begins so. Between words anything may stand.
fn among(field: &str, value: &str, names: &[(&str, u32)]) -> Result<u32, Complaint> {
    let spelt = |text: &str| text.to_ascii_lowercase().replace(['-', ' '], "_");
    let value = spelt(value);
    let of = |fits: &dyn Fn(&str) -> bool| {
        let meant = names.iter().filter(|(name, _)| fits(&spelt(name)));
        meant.fold(0, |set, (_, place)| set | 1 << place)
    };
    match (of(&|name| name == value), of(&|name| name.starts_with(&value))) {
        (0, 0) => {
            let nearest = nearest_name(&value, names.iter().map(|(name, _)| *name));
            let nearest = nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_else(|| {
                let all: Vec<_> = names.iter().take(6).map(|(name, _)| *name).collect();
                format!(": {}{}", all.join(", "), if names.len() > 6 { ", and more." } else { "." })
            });
            Err(Complaint(format!("There is no {field} {value}{nearest}")))
        }
        (0, beginning) => Ok(beginning),
        (called, _) => Ok(called),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn complaint(text: &str) -> String {
        Query::parse(text, NOW).unwrap_err().to_string()
    }

    fn names(text: &str) -> Vec<String> {
        Query::parse(text, NOW).unwrap().terms.into_iter().map(|term| term.name).collect()
    }

    #[test]
    fn words_fields_quotes_and_negation() {
        assert_eq!(
            names("  Ada  status:Confirmed -flag:contested "),
            ["false:ada", "status:Confirmed", "-flag:contested"]
        );
        assert_eq!(names(r#""ada smith" email:"x y" -"no one""#), ["true:ada smith", "email:=x y", "-true:no one"]);
        assert_eq!(names("\"not closed yet"), ["true:not closed yet"]);
        assert_eq!(names("02:10 a@b.org"), ["false:02:10", "false:a@b.org"], "no field begins with a digit");
        assert_eq!(names(""), Vec::<String>::new());
        assert_eq!(names("created:2026-11-23"), ["created:1795392000..1795478400"]);
    }

    #[test]
    fn the_beginning_of_a_name_is_enough() {
        let set = |text: &str| match &Query::parse(text, NOW).unwrap().terms[0].what {
            What::Situation(set) => *set,
            _ => 0,
        };
        assert_eq!(set("situation:email_match"), 1 << Situation::EmailMatch as u32);
        assert_eq!(set("situation:\"email match\""), set("situation:email-match"));
        assert_eq!(set("situation:dup"), set("group:duplicate"));
        assert_eq!(set("situation:linked"), 1 << Situation::Linked as u32, "not linked_inactive as well");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_nearest_that_is_right() {
        assert_eq!(
            complaint("statsu:confirmed"),
            "There is no field statsu; did you mean status? In quotes it is a word."
        );
        assert_eq!(complaint("zebra:1"), "There is no field zebra. In quotes it is a word.");
        assert_eq!(complaint("situation:emial_match"), "There is no situation emial_match; did you mean email_match?");
        assert_eq!(
            complaint("status:"),
            "status: wants confirmed, unconfirmed, external, invited, must reset or disabled."
        );
        assert_eq!(
            complaint("created:soon"),
            "created:soon is no date and no age: >2026-11-01, 2026-11, <7d, yesterday."
        );
        assert_eq!(complaint("enabled:perhaps"), "enabled: wants yes or no, not perhaps.");
        assert_eq!(
            complaint("flag:zebra"),
            "There is no flag zebra: email_differs, non_canonical_id, writable, contested."
        );
        assert_eq!(complaint("ada -"), "- stands alone: a word has to come with it.");
        assert!(complaint(&"a ".repeat(17)).starts_with("More than 16"));
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in [
            "-",
            ":",
            "\"",
            "-\"",
            "email:\"",
            "-:",
            "a:b:c",
            "created:..",
            "İ:İ",
            "id:李",
            "status:\u{202E}",
            "created:99999999999d",
        ] {
            drop(Query::parse(text, NOW));
        }
    }
}
