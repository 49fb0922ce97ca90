//! Records for stories: user 1, row 1, and what ties them.

use userlink_domain::{IdKind, Identity, PoolUser, RecordRef, Row, UserStatus};
use userlink_link::{Linker, Rules};

use crate::world::{id, sub};

pub(crate) const KIND: IdKind = IdKind::Uuid;

pub(crate) fn user(n: u8) -> PoolUser {
    PoolUser::new(sub(n), format!("user-{n}"))
}

pub(crate) fn row(n: u8) -> Row {
    Row::new(id(KIND, n))
}

pub(crate) fn names(user: PoolUser, n: u8) -> PoolUser {
    PoolUser { user_id: Some(id(KIND, n).to_string().into()), ..user }
}

pub(crate) fn carries(row: Row, n: u8) -> Row {
    Row { sub: Some(sub(n).to_string().into()), ..row }
}

pub(crate) fn with_email(user: PoolUser, email: &str) -> PoolUser {
    PoolUser { email: Some(email.into()), email_verified: true, ..user }
}

pub(crate) fn unverified(user: PoolUser) -> PoolUser {
    PoolUser { email_verified: false, ..user }
}

pub(crate) fn with_status(user: PoolUser, status: UserStatus) -> PoolUser {
    PoolUser { status, ..user }
}

pub(crate) fn row_with_email(row: Row, email: &str) -> Row {
    Row { email: Some(email.into()), ..row }
}

/// A profile at another provider, as its identities name it: `idp_<n>`.
pub(crate) fn profile(n: u8) -> PoolUser {
    let user = PoolUser::new(sub(n), format!("idp_{n}"));
    with_status(user, UserStatus::ExternalProvider)
}

/// A native user to whom the profile was joined.
pub(crate) fn native_of(user: PoolUser, n: u8) -> PoolUser {
    PoolUser { identities: vec![Identity { provider: "idp".into(), user_id: n.to_string().into() }], ..user }
}

pub(crate) fn of(n: u8) -> RecordRef {
    RecordRef::User(sub(n))
}

pub(crate) fn of_row(n: u8) -> RecordRef {
    RecordRef::Row(id(KIND, n))
}

pub(crate) fn link(users: &[PoolUser], rows: &[Row]) -> Linker {
    Linker::bulk(users.to_vec(), rows.to_vec(), Rules::new(KIND))
}
