//! Before a row is inserted the rows that have the user's e-mail already are looked for, so that they can be shown.

use std::collections::HashMap;

use userlink_domain::{Choice, EmailKey, Mate, PoolUser, RecordRef, RowId};
use userlink_link::Linker;

use crate::candidates::recommended;

/// The rows that have the e-mails of users for whom a row is to be inserted.
pub(crate) struct Emails(HashMap<EmailKey, Vec<RowId>>);

impl Emails {
    pub(crate) fn of_inserts(linker: &Linker, choices: &[Choice]) -> Self {
        let mut wanted: HashMap<EmailKey, Vec<RowId>> = HashMap::new();
        for choice in choices {
            let pairs = &choice.pairs;
            let recommended = pairs.is_empty().then(|| recommended(linker, &choice.of)).flatten();
            let recommended = recommended.map(|it| it.pairs).unwrap_or_default();
            for pair in pairs.iter().chain(&recommended).filter(|pair| pair.mate == Mate::New) {
                let entry = linker.entry(&RecordRef::User(pair.user));
                let user = entry.and_then(|entry| entry.users.into_iter().find(|user| user.sub == pair.user));
                let key = user.and_then(|user| EmailKey::of(user.email.as_deref()?));
                wanted.extend(key.map(|key| (key, Vec::new())));
            }
        }
        if !wanted.is_empty() {
            for entry in linker.of_situation(|_| true).iter().filter_map(|of| linker.entry(of)) {
                for row in &entry.rows {
                    if let Some(rows) = row.email_key().and_then(|key| wanted.get_mut(&key)) {
                        rows.push(row.id.clone());
                    }
                }
            }
        }
        Self(wanted)
    }

    pub(crate) fn of(&self, user: &PoolUser) -> Vec<String> {
        let key = user.email.as_deref().and_then(EmailKey::of);
        key.and_then(|key| self.0.get(&key)).into_iter().flatten().map(ToString::to_string).collect()
    }
}
