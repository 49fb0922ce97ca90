//! What can be the matter with an entry: situations, the groups they fall into, and the flags beside them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The tabs of the dashboard: what a person looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Unlinked,
    Duplicate,
    Conflict,
    Orphan,
    Expected,
    Linked,
    Unsettled,
}

impl Group {
    /// In the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Unlinked, Self::Duplicate, Self::Conflict, Self::Orphan, Self::Expected, Self::Linked, Self::Unsettled];

    /// The stable machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Orphan => "orphan",
            Self::Expected => "expected",
            Self::Linked => "linked",
            Self::Unsettled => "unsettled",
        }
    }
}

macro_rules! situations {
    ($($(#[$doc:meta])* $variant:ident $name:literal $group:ident,)*) => {
        /// The verdict on an entry. Each entry has exactly one, so that the counts add up to what was read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Situation {
            $($(#[$doc])* $variant,)*
        }

        impl Situation {
            /// Every situation, in the order of the contract.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The stable machine name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The group under which it is shown.
            pub const fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group,)* }
            }
        }
    };
}

situations! {
    /// Both pointers agree, and nobody else claims either.
    Linked "linked" Linked,
    /// As linked, but the user is not expected to be.
    LinkedInactive "linked_inactive" Linked,
    /// Two or more rows carry the same sub.
    DuplicateRows "duplicate_rows" Duplicate,
    /// Two or more users carry the same `user_id`.
    DuplicateUserId "duplicate_user_id" Duplicate,
    /// The pointers form a longer cycle.
    Swapped "swapped" Conflict,
    /// The pointers disagree in any other way.
    Tangled "tangled" Conflict,
    /// `user_id` names no row.
    DanglingUserId "dangling_user_id" Conflict,
    /// `user_id` names a row whose sub names no pool user.
    DeadSubClaimed "dead_sub_claimed" Conflict,
    /// The row is tied to a federated profile that was joined to a native user.
    Stranded "stranded" Conflict,
    /// A row carries the user's sub, and `user_id` is empty: the one safe repair.
    RowSideOnly "row_side_only" Unlinked,
    /// `user_id` names a row that has no sub.
    UserSideOnly "user_side_only" Unlinked,
    /// No pointers; one user and one row without a sub share a verified e-mail.
    EmailMatch "email_match" Unlinked,
    /// As `email_match`, but the row carries the sub of a user who is gone.
    Recreated "recreated" Unlinked,
    /// No pointers; more than one user or row has the verified e-mail.
    Ambiguous "ambiguous" Unlinked,
    /// No pointers; every row with the verified e-mail belongs to another entry.
    RowTaken "row_taken" Unlinked,
    /// No pointers; a federated and another profile share the verified e-mail.
    FederatedTwin "federated_twin" Unlinked,
    /// The user should be linked, and nothing names a row.
    NoRow "no_row" Unlinked,
    /// A row without a sub that no user names and none correlates with.
    OrphanRow "orphan_row" Orphan,
    /// A row whose sub names no pool user, that no user names and none correlates with.
    DeadSub "dead_sub" Orphan,
    /// A user who is not expected to be linked, and is not.
    UnlinkedInactive "unlinked_inactive" Expected,
    /// A federated profile joined to a native user, tied to no row.
    JoinedProfile "joined_profile" Expected,
    /// On the protected list, or dismissed with a reason.
    Ignored "ignored" Expected,
    /// The scan has not read far enough to tell.
    Reading "reading" Unsettled,
    /// A record changed between two reads of the same scan.
    Unsettled "unsettled" Unsettled,
}

impl Situation {
    /// The situation with this machine name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|situation| situation.name() == name)
    }

    /// The name as it is read aloud: `row side only`.
    pub fn words(self) -> String {
        self.name().replace('_', " ")
    }

    /// Whether its verdict rests on the attribute, which is worth nothing where users can write it.
    pub const fn rests_on_attribute(self) -> bool {
        matches!(
            self,
            Self::UserSideOnly
                | Self::DeadSubClaimed
                | Self::DanglingUserId
                | Self::DuplicateUserId
                | Self::Swapped
                | Self::Tangled
        )
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that stands beside a situation and is counted beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The user's verified e-mail is not the row's.
    EmailDiffers,
    /// `user_id` means the row, but is written otherwise than its id.
    NonCanonicalId,
    /// Rests on an attribute that users can write.
    Writable,
    /// A record outside the entry speaks for another owner.
    Contested,
}

impl Flag {
    pub const ALL: [Self; 4] = [Self::EmailDiffers, Self::NonCanonicalId, Self::Writable, Self::Contested];

    /// The stable machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmailDiffers => "email_differs",
            Self::NonCanonicalId => "non_canonical_id",
            Self::Writable => "writable",
            Self::Contested => "contested",
        }
    }
}

/// A set of flags.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Self = Self(0);

    pub fn insert(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u8;
    }

    pub const fn contains(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut set = Self::default();
        flags.into_iter().for_each(|flag| set.insert(flag));
        set
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Flag::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_the_serialized_form() {
        for situation in Situation::ALL {
            assert_eq!(Situation::parse(situation.name()), Some(situation));
        }
        assert_eq!(Situation::parse("Linked"), None);
    }

    #[test]
    fn flags_are_a_set() {
        let flags: Flags = [Flag::Contested, Flag::EmailDiffers, Flag::Contested].into_iter().collect();
        assert_eq!(flags.iter().collect::<Vec<_>>(), [Flag::EmailDiffers, Flag::Contested]);
        assert!(!flags.contains(Flag::Writable));
    }
}
