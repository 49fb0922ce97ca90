//! What is kept from one run to the next, for each context: how a person likes to see it, and nothing of anybody.

use userlink_domain::Group;
use userlink_find::{Order, Query};

use crate::browse::{Columns, KeptColumn};
use crate::model::Model;
use crate::theme::Theme;

/// How a person left the dashboard of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The theme, where it was chosen by key.
    pub theme: Option<Theme>,
    /// The group that was shown; none is all.
    pub group: Option<Group>,
    /// By which column it was sorted, and which way; none is the order of arrival.
    pub order: Order,
    /// Columns that were chosen or made wider.
    pub columns: Vec<KeptColumn>,
    /// The filter, where it says nothing of a person.
    pub filter: String,
    /// Whether personal data was put out of sight.
    pub masked: bool,
}

/// Fields of a filter whose values are the product's own words, numbers or dates.
const IMPERSONAL: &[&str] = &["status", "situation", "group", "flag", "created", "enabled", "provider"];

/// Whether a filter may lie on a disk: it asks for fields alone whose values say nothing of a person. What is searched
/// for otherwise is a name, an e-mail or an id, more often than not.
fn is_impersonal(filter: &str) -> bool {
    filter.split_whitespace().all(|term| {
        let (field, value) = term.trim_start_matches(['-', '!']).split_once(':').unwrap_or_default();
        IMPERSONAL.contains(&field) && !value.contains('@')
    })
}

impl Model {
    /// What is to be kept of this.
    pub fn kept(&self) -> Kept {
        let filter = self.list.spec.filter.trim();
        Kept {
            theme: self.theme_chosen.then_some(self.setup.theme),
            group: self.list.spec.group,
            order: self.list.spec.order,
            columns: self.browse.columns.kept(&self.names),
            filter: if is_impersonal(filter) { filter.to_owned() } else { String::new() },
            masked: self.masked,
        }
    }

    /// Begins as it was left. What flags or variables say of the theme goes before it.
    pub fn restore(&mut self, kept: Kept, theme_is_given: bool) {
        if let Some(theme) = kept.theme.filter(|_| !theme_is_given) {
            self.setup.theme = theme;
            self.theme_chosen = true;
        }
        // The settings may ask for more than was asked for by key, and never for less.
        self.masked |= kept.masked;
        self.list.spec.group = kept.group.filter(|group| *group != Group::Unsettled);
        self.list.spec.order = kept.order;
        self.browse.columns = Columns::restored(&kept.columns, &self.names);
        if Query::parse(&kept.filter, self.now).is_ok() {
            self.list.spec.filter = kept.filter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_impersonal;

    #[test]
    fn only_a_filter_that_says_nothing_of_a_person_is_kept() {
        for filter in ["", "status:confirmed", "situation:email_match -flag:username_is_email created:>2026-11-01"] {
            assert!(is_impersonal(filter), "{filter}");
        }
        for filter in ["ada", "email:@example.org", "status:confirmed ada", "status:ada@example.org", "sub:0192", ":x"]
        {
            assert!(!is_impersonal(filter), "{filter}");
        }
    }
}
