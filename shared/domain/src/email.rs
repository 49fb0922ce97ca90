//! How two e-mail addresses are compared.

use std::fmt;

/// An e-mail address as it is compared: trimmed, ASCII letters in lower case, everything else byte for byte.
///
/// Unicode case folding is left out on purpose. PostgreSQL, Cognito and Rust fold differently, and a
/// letter such as `İ` that becomes `i` in one of them lets one person's address match another's.
/// Dots and plus-tags mean what they say.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailKey(Box<str>);

impl EmailKey {
    /// The key of an address; `None` where it is blank.
    pub fn of(address: &str) -> Option<Self> {
        let trimmed = address.trim();
        if trimmed.is_empty() {
            return None;
        }
        Some(Self(trimmed.to_ascii_lowercase().into_boxed_str()))
    }

    /// The folded text, for lookups in a database that folds the same way.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows that there is an address, not which: keys end up in logs.
impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        EmailKey::of(a) == EmailKey::of(b)
    }

    #[test]
    fn ascii_case_and_surrounding_space_do_not_matter() {
        assert!(same(" Ada@Example.ORG ", "ada@example.org"));
    }

    #[test]
    fn unicode_case_dots_and_tags_do_matter() {
        assert!(!same("İan@example.org", "ian@example.org"));
        assert!(!same("ADÉ@example.org", "adé@example.org"));
        assert!(!same("a.da@example.org", "ada@example.org"));
        assert!(!same("ada+x@example.org", "ada@example.org"));
    }

    #[test]
    fn blank_is_none() {
        assert_eq!(EmailKey::of(" \t"), None);
    }
}
