//! Personal data out of sight: e-mails, names and phone numbers, on every screen, for as long as a person wants.
//!
//! What is a value of its own is replaced before it is drawn. What stands within sentences is found by what is known of
//! the people on the screen; and an address or a number that nobody knows of is still seen by its form, at the one place
//! through which every text goes. Ids and subs stay: they name nobody to whom the pool is not open.

use std::borrow::Cow;
use std::collections::HashMap;

use userlink_domain::{EmailKey, IdKind, PoolUser, Row, RowId, Step, Sub, Username};
use userlink_link::{Entry, Explanation, Related};

use crate::event::Level;
use crate::keys::Command;
use crate::model::Model;

/// Fewer characters than this are no name: they would be found everywhere.
const SHORTEST: usize = 2;
/// So many digits behind a plus are a phone number.
const PHONE: usize = 6;

/// Puts personal data out of sight, or back.
pub(crate) fn toggle(model: &mut Model) {
    model.masked = !model.masked;
    let key = model.keys.key_of(Command::Mask);
    let text = if model.is_masked() {
        format!("E-mails, names and phones are out of sight. {key} shows them.")
    } else {
        format!("E-mails, names and phones are shown. {key} puts them out of sight.")
    };
    model.say(Level::Info, text);
}

/// What stands in the place of what is hidden.
pub(crate) const fn dots(ascii: bool) -> &'static str {
    if ascii { "****" } else { "••••" }
}

/// What stands in the place of an address. Those that are the same stay the same: the number tells them apart.
fn address(number: usize, ascii: bool) -> String {
    let dots = dots(ascii);
    if number == 1 { format!("{dots}@{dots}") } else { format!("{dots}@{dots} ({number})") }
}

/// Whether an address is hidden already.
pub(crate) fn is_hidden(text: &str) -> bool {
    [false, true].into_iter().any(|ascii| {
        let rest = text.strip_prefix(&address(1, ascii));
        text == dots(ascii) || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
    })
}

/// Addresses with the number that tells them apart: the same within an entry.
struct Addresses {
    known: HashMap<String, usize>,
    ascii: bool,
}

impl Addresses {
    fn email(&mut self, text: &Option<Box<str>>) -> Option<Box<str>> {
        let text = text.as_deref().filter(|text| !text.trim().is_empty())?;
        let key = EmailKey::of(text).map_or_else(|| text.to_owned(), |key| key.as_str().to_owned());
        let next = self.known.len() + 1;
        Some(address(*self.known.entry(key).or_insert(next), self.ascii).into())
    }

    /// A pointer or an id stays, unless it is an address: a table's key may be one.
    fn pointer(&mut self, text: &Option<Box<str>>) -> Option<Box<str>> {
        match text {
            Some(text) if text.contains('@') => self.email(&Some(text.clone())),
            Some(text) => Some(scrub(text, self.ascii).into()),
            None => None,
        }
    }

    fn id(&mut self, id: &RowId) -> RowId {
        let RowId::Text(text) = id else { return id.clone() };
        let seen = self.pointer(&Some(text.clone()));
        seen.and_then(|seen| RowId::parse(IdKind::Text, &seen)).unwrap_or_else(|| id.clone())
    }
}

/// An entry of which nothing personal can be seen.
pub(crate) fn entry(entry: &Entry, ascii: bool) -> Entry {
    let mut known = Addresses { known: HashMap::new(), ascii };
    let hidden = |text: &Option<Box<str>>| {
        text.as_deref().filter(|text| !text.trim().is_empty()).map(|_| Box::<str>::from(dots(ascii)))
    };
    let mut user = |user: &PoolUser| {
        let (email, user_id) = (known.email(&user.email), known.pointer(&user.user_id));
        let mut user = PoolUser { email, user_id, phone: hidden(&user.phone), ..user.clone() };
        user.username = Username::new(username(user.username.as_str(), ascii).into_owned());
        for identity in &mut user.identities {
            identity.user_id = dots(ascii).into();
        }
        user
    };
    let users = entry.users.iter().map(&mut user).collect::<Vec<_>>();
    let row = |row: &Row| Row {
        id: known.id(&row.id),
        sub: known.pointer(&row.sub),
        email: known.email(&row.email),
        show: row.show.iter().map(hidden).collect(),
        ..row.clone()
    };
    let rows = entry.rows.iter().map(row).collect();
    Entry { users, rows, ..entry.clone() }
}

/// An entry and what is said of it, of which nothing personal can be read: for a file. In ASCII.
pub fn masked(of: &Entry, said: Explanation) -> (Entry, Explanation) {
    let known = {
        let mut known = Vec::new();
        values(of, &mut known);
        known.extend(names(&said));
        known.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let hide = |text: String| without_values(&text, known.iter().map(String::as_str).collect(), true);
    let all = |texts: Vec<String>| texts.into_iter().map(hide).collect();
    let name = |name: &str| username(name, true).into_owned();
    let related = said.related.into_iter().map(|related| match related {
        Related::User { sub, username, because } => {
            Related::User { sub, username: Username::new(name(username.as_str())), because }
        }
        Related::Row { id, because } => {
            Related::Row { id: Addresses { known: HashMap::new(), ascii: true }.id(&id), because }
        }
    });
    let mut repair = said.repair;
    repair.words = hide(repair.words);
    for step in &mut repair.steps {
        match step {
            Step::WriteUserId { username, expect, value } => {
                *username = name(username);
                *expect = expect.take().map(hide);
                *value = hide(std::mem::take(value));
            }
            Step::ClearUserId { username, expect } => {
                *username = name(username);
                *expect = expect.take().map(hide);
            }
            Step::WriteSub { row, expect, .. } | Step::ClearSub { row, expect } => {
                *row = hide(std::mem::take(row));
                *expect = expect.take().map(hide);
            }
            Step::InsertRow { email, columns, .. } => {
                *email = email.take().map(|_| address(1, true));
                columns.values_mut().for_each(|value| dots(true).clone_into(value));
            }
            Step::SignOut { username } | Step::DisableUser { username } | Step::EnableUser { username } => {
                *username = name(username);
            }
        }
    }
    let said = Explanation {
        summary: hide(said.summary),
        why: all(said.why),
        why_not: all(said.why_not),
        today: hide(said.today),
        after: hide(said.after),
        related: related.collect(),
        repair,
    };
    (entry(of, true), said)
}

/// A username, unless it is a sub. Of a profile at a provider the provider stays.
pub(crate) fn username(name: &str, ascii: bool) -> Cow<'_, str> {
    if Sub::parse(name).is_some() {
        return Cow::Borrowed(name);
    }
    match name.split_once('_') {
        Some((provider, rest)) if !rest.is_empty() && provider.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Cow::Owned(format!("{provider}_{}", dots(ascii)))
        }
        _ => Cow::Owned(dots(ascii).to_owned()),
    }
}

/// The personal values of an entry, as they stand in sentences.
fn values<'a>(entry: &'a Entry, into: &mut Vec<&'a str>) {
    for user in &entry.users {
        let name = Some(user.username.as_str()).filter(|name| Sub::parse(name).is_none());
        into.extend(name.into_iter().chain(user.email.as_deref()).chain(user.phone.as_deref()));
        into.extend(user.identities.iter().map(|identity| &*identity.user_id));
    }
    for row in &entry.rows {
        into.extend(row.email.as_deref().into_iter().chain(row.show.iter().flatten().map(|text| &**text)));
    }
}

/// The names in an explanation that are of no record at hand.
fn names(explanation: &Explanation) -> impl Iterator<Item = &str> {
    let related = explanation.related.iter().filter_map(|related| match related {
        Related::User { username, .. } => Some(username.as_str()),
        Related::Row { .. } => None,
    });
    let sentences = explanation.why.iter().chain(&explanation.why_not);
    related.chain(sentences.flat_map(|text| named(text)))
}

/// The names in a sentence: what follows the word "user", as sentences here are built.
fn named(text: &str) -> impl Iterator<Item = &str> {
    const BEHIND: [&str; 7] = [": ", " has ", " is ", " would ", " of another entry", ". ", " and "];
    let begins = text.match_indices("user ").chain(text.match_indices("User "));
    let whole = begins.filter(|(at, _)| !text[..*at].ends_with(char::is_alphanumeric));
    whole.filter_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let end = BEHIND.into_iter().filter_map(|behind| rest.find(behind)).min()?;
        Some(&rest[..end]).filter(|name| !name.is_empty() && *name != "id" && !name.starts_with("id "))
    })
}

impl Model {
    /// The entry as it may be seen.
    pub(crate) fn seen<'a>(&self, of: &'a Entry) -> Cow<'a, Entry> {
        if self.masked { Cow::Owned(entry(of, self.setup.ascii)) } else { Cow::Borrowed(of) }
    }

    /// A user as it may be seen.
    pub(crate) fn seen_user<'a>(&self, of: &'a PoolUser) -> Cow<'a, PoolUser> {
        if !self.masked {
            return Cow::Borrowed(of);
        }
        let alone = Entry {
            situation: userlink_domain::Situation::Reading,
            so_far: None,
            flags: userlink_domain::Flags::NONE,
            users: vec![of.clone()],
            rows: Vec::new(),
            user_count: 1,
            row_count: 0,
        };
        entry(&alone, self.setup.ascii).users.pop().map_or(Cow::Borrowed(of), Cow::Owned)
    }

    /// Users and a row that stand beside each other, as they may be seen: the same address is the same in each.
    pub(crate) fn seen_beside(&self, users: Vec<PoolUser>, row: Option<Row>) -> (Vec<PoolUser>, Option<Row>) {
        let rows: Vec<Row> = row.into_iter().collect();
        let (user_count, row_count) = (users.len(), rows.len());
        let (situation, flags) = (userlink_domain::Situation::Reading, userlink_domain::Flags::NONE);
        let together = Entry { situation, so_far: None, flags, users, rows, user_count, row_count };
        let mut seen = if self.masked { entry(&together, self.setup.ascii) } else { together };
        (seen.users, seen.rows.pop())
    }

    /// What somebody is called, as it may be seen: an address, a username, or words about several.
    pub(crate) fn called<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if !self.masked || name.is_empty() {
            Cow::Borrowed(name)
        } else if name.contains(char::is_whitespace) || name.contains('@') {
            self.told(name)
        } else {
            username(name, self.setup.ascii)
        }
    }

    /// What a person typed to search for, as it may be seen.
    pub(crate) fn looked_for<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.masked { Cow::Owned(typed(text, self.setup.ascii)) } else { Cow::Borrowed(text) }
    }

    /// A sentence as it may be seen.
    pub(crate) fn told<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.masked { Cow::Borrowed(text) } else { Cow::Owned(self.hidden(text)) }
    }

    /// A sentence without what is known of the people on the screen.
    pub(crate) fn hidden(&self, text: &str) -> String {
        self.without_people(text, self.setup.ascii)
    }

    /// The same for where it is pasted.
    pub(crate) fn hidden_in_ascii(&self, text: &str) -> String {
        self.without_people(text, true)
    }

    fn without_people(&self, text: &str, ascii: bool) -> String {
        let mut known = Vec::new();
        for entry in self.list.held().into_iter().flat_map(|held| &held.entries) {
            values(entry, &mut known);
        }
        if let Some(opened) = &self.opened {
            values(&opened.entry, &mut known);
        }
        known.extend(self.explanation().into_iter().flat_map(names));
        known.extend(named(text));
        known.extend(self.ticket.asked.as_deref());
        if let crate::repairs::Repairing::Choosing(choose) = &self.repairing {
            values(&choose.of.entry, &mut known);
        }
        without_values(text, known, ascii)
    }
}

/// The text without these values, and without what is personal by its form.
fn without_values(text: &str, mut known: Vec<&str>, ascii: bool) -> String {
    // A longer one may hold a shorter one, and an address a name.
    known.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    known.dedup();
    let known = known.into_iter().map(str::trim).filter(|value| value.chars().count() >= SHORTEST);
    let (addresses, names): (Vec<_>, Vec<_>) =
        known.filter(|value| Sub::parse(value).is_none()).partition(|value| value.contains('@'));
    let replaced = |text: String, by: Vec<&str>| by.into_iter().fold(text, |text, it| without(&text, it, dots(ascii)));
    let out = replaced(text.to_owned(), addresses);
    replaced(scrub(&out, ascii).into_owned(), names)
}

/// The text with a value replaced wherever it stands by itself, and not within a word.
fn without(text: &str, value: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, behind) = (&rest[..at], &rest[at + value.len()..]);
        let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let whole =
            !joined(before.chars().next_back().or_else(|| out.chars().next_back())) && !joined(behind.chars().next());
        out.push_str(before);
        out.push_str(if whole { by } else { value });
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// What a person typed to search for, with what may be a name made unreadable: of `status:confirmed ada` the first word
/// stays.
fn typed(text: &str, ascii: bool) -> String {
    let word = |word: &str| {
        let open = [
            "situation:",
            "status:",
            "created:",
            "modified:",
            "flag:",
            "group:",
            "sub:",
            "id:",
            "user_id:",
            "enabled:",
            "provider:",
        ];
        let plain = open.iter().any(|field| word.starts_with(field)) || Sub::parse(word).is_some();
        if plain { word.to_owned() } else { word.chars().map(|_| if ascii { '*' } else { '•' }).collect() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Takes addresses and phone numbers out of a text by their form.
pub(crate) fn scrub(text: &str, ascii: bool) -> Cow<'_, str> {
    if !text.contains(['@', '+']) {
        return Cow::Borrowed(text);
    }
    let is_end = |c: char| c.is_whitespace() || "\"“”'‘’()[]{}<>,;=".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = if is_end(c) { c.len_utf8() } else { rest.find(is_end).unwrap_or(rest.len()) };
        let (word, behind) = rest.split_at(end);
        rest = behind;
        let bare = word.trim_end_matches(['.', ':', '!', '?']);
        if is_hidden(bare) {
            out.push_str(word);
        } else if bare.contains('@') {
            out.push_str(&address(1, ascii));
            out.push_str(&word[bare.len()..]);
        } else if is_phone(bare) {
            out.push_str(dots(ascii));
            out.push_str(&word[bare.len()..]);
        } else {
            out.push_str(word);
        }
    }
    Cow::Owned(out)
}

fn is_phone(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('+') else { return false };
    rest.chars().filter(char::is_ascii_digit).count() >= PHONE
        && rest.chars().all(|c| c.is_ascii_digit() || "-/.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_seen_by_their_form() {
        for (text, out) in [
            ("User ada@example.org has it.", "User ••••@•••• has it."),
            ("<ada@example.org>, +49 30 1", "<••••@••••>, +49 30 1"),
            ("call +4930123456.", "call ••••."),
            ("“Ada@Example.org”: none", "“••••@••••”: none"),
            ("+118 since", "+118 since"),
            ("a -> b", "a -> b"),
            ("tester@host did it", "••••@•••• did it"),
        ] {
            assert_eq!(scrub(text, false), out);
            assert_eq!(scrub(out, false), out, "once is enough");
        }
        assert!(scrub("ada@example.org", true).is_ascii());
    }

    #[test]
    fn what_was_searched_for_cannot_be_read_and_its_fields_can() {
        assert_eq!(typed("status:confirmed ada", false), "status:confirmed •••");
        assert_eq!(typed("email:ada@x.org", false), "•••••••••••••••");
    }

    #[test]
    fn a_name_is_taken_out_where_it_stands_by_itself() {
        assert_eq!(without("pro has a profile, pro", "pro", "••"), "•• has a profile, ••");
        assert_eq!(without("user ada: ada", "ada", "••"), "user ••: ••");
        assert_eq!(without("adaada ada", "ada", "••"), "adaada ••");
    }

    #[test]
    fn a_username_that_is_a_sub_names_nobody() {
        let sub = "7f3c0a00-91b2-4c3d-8e4f-000000000001";
        assert_eq!(username(sub, false), sub);
        assert_eq!(username("Google_1093", false), "Google_••••");
        assert_eq!(username("ada.l_x", false), "••••");
        assert_eq!(username("ada", true), "****");
    }
}
