//! What a person chooses from, as the screen shows it: each candidate with its evidence, and whoever else is touched by it.

use userlink_domain::{Mate, PoolUser, RecordRef, Row, RowId, Sub};
use userlink_link::Linker;
use userlink_repair::{Candidate as Ranked, candidates, recommended};
use userlink_ui::{Candidate, Choosing, Left, Other};

use super::draft::will_see;

/// The candidates, and the rows of which should be said what refers to them.
pub(super) fn choosing(linker: &Linker, of: &RecordRef, left: u64) -> Option<(Choosing, Vec<RowId>)> {
    let entry = linker.entry(of)?;
    let found = candidates(linker, of);
    let mut rows = Vec::new();
    for candidate in &found {
        if let Mate::Row(id) = &candidate.pair.mate
            && !rows.contains(id)
        {
            rows.push(id.clone());
        }
    }
    let candidates = found.iter().filter_map(|candidate| shown(linker, candidate, &found)).collect();
    let recommended = recommended(linker, of).map(|it| (it.pairs, it.reason));
    Some((Choosing { of: of.clone(), entry, candidates, recommended, left }, rows))
}

fn shown(linker: &Linker, candidate: &Ranked, all: &[Ranked]) -> Option<Candidate> {
    let Ranked { pair, leaves, why, why_not, .. } = candidate.clone();
    let user = user_of(linker, pair.user)?;
    let row = match &pair.mate {
        Mate::Row(id) => Some(row_of(linker, id)?),
        Mate::New | Mate::None => None,
    };
    let carrier = row.as_ref().and_then(Row::sub).filter(|sub| *sub != pair.user);
    let owner = carrier.and_then(|sub| user_of(linker, sub));
    let other = row.as_ref().filter(|_| owner.is_none()).and_then(|row| other(linker, row, pair.user, all));
    let leaves =
        owner.as_ref().zip(leaves).map(|(owner, pair)| Left { sees: will_see(linker, owner, &pair.mate), pair });
    let sees = will_see(linker, &user, &pair.mate);
    Some(Candidate { pair, user, row, sees, owner, leaves, other, why, why_not, references: Vec::new() })
}

/// Who else may be meant by a row: whoever names it, or else whoever could be given it.
fn other(linker: &Linker, row: &Row, user: Sub, all: &[Ranked]) -> Option<Other> {
    let id = RecordRef::Row(row.id.clone());
    let names =
        |user: &PoolUser| user.user_id().and_then(|text| RowId::parse(row.id.kind(), text)).as_ref() == Some(&row.id);
    let beside = linker.entry(&id).map(|entry| entry.users).unwrap_or_default();
    let mut naming = beside.into_iter().filter(|other| other.sub != user && names(other));
    if let Some(first) = naming.next() {
        return Some(Other { user: first, names_it: true, more: naming.count() });
    }
    let mate = Mate::Row(row.id.clone());
    let mut others = all.iter().map(|other| &other.pair).filter(|pair| pair.user != user && pair.mate == mate);
    let first = others.next().and_then(|pair| user_of(linker, pair.user))?;
    Some(Other { user: first, names_it: false, more: others.count() })
}

pub(super) fn user_of(linker: &Linker, sub: Sub) -> Option<PoolUser> {
    linker.entry(&RecordRef::User(sub))?.users.into_iter().find(|user| user.sub == sub)
}

fn row_of(linker: &Linker, id: &RowId) -> Option<Row> {
    linker.entry(&RecordRef::Row(id.clone()))?.rows.into_iter().find(|row| row.id == *id)
}
