//! The entries that a person has marked. They hold on to records, so that marks survive sorting, filtering and a new scan; the
//! set lies here, with the linker, and the model knows only how many there are.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use userlink_domain::RecordRef;
use userlink_link::{Entry, Lead, Linker};
use userlink_ui::Marking;

#[derive(Debug, Default)]
pub(super) struct Marked {
    /// One record of each entry, as far as nothing has moved since.
    records: HashSet<RecordRef>,
    /// The revision at which it was, how long that took to see to, and when.
    settled: Option<(u64, Duration, Instant)>,
}

impl Marked {
    pub(super) fn count(&self) -> u64 {
        self.records.len() as u64
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &RecordRef> {
        self.records.iter()
    }

    /// Whether any of an entry's records is marked.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        !self.records.is_empty() && records(entry).any(|of| self.records.contains(&of))
    }

    /// Makes a change. `leads` are the entries of the view that the change is about.
    pub(super) fn change(&mut self, marking: &Marking, linker: &Linker, leads: &[Lead]) {
        match marking {
            Marking::Toggle(of) => {
                let Some(entry) = linker.entry(of) else { return };
                if self.has(&entry) {
                    self.forget(&entry);
                } else {
                    self.records.extend(linker.lead_of(of).and_then(|lead| linker.record_of(lead)));
                }
            }
            Marking::Range { from, to, .. } => {
                let place =
                    |of: &RecordRef| linker.lead_of(of).and_then(|lead| leads.iter().position(|other| *other == lead));
                if let (Some(from), Some(to)) = (place(from), place(to)) {
                    self.add(linker, &leads[from.min(to)..=from.max(to)]);
                }
            }
            Marking::All(_) => self.add(linker, leads),
            Marking::Invert(_) => {
                for of in leads.iter().filter_map(|lead| linker.record_of(*lead)) {
                    if !self.records.remove(&of) {
                        self.records.insert(of);
                    }
                }
            }
            Marking::None => self.records.clear(),
        }
    }

    fn add(&mut self, linker: &Linker, leads: &[Lead]) {
        self.records.extend(leads.iter().filter_map(|lead| linker.record_of(*lead)));
    }

    /// Unmarks an entry.
    pub(super) fn forget(&mut self, entry: &Entry) {
        for of in records(entry) {
            self.records.remove(&of);
        }
    }

    /// Brings it up to what has moved, but never spends more than a tenth of the time on that. True if there are more or fewer.
    pub(super) fn settle_in_time(&mut self, linker: &Linker, revision: u64) -> bool {
        if let Some((at, cost, when)) = self.settled
            && (at == revision || when.elapsed() < cost * 10)
        {
            return false;
        }
        let (began, before) = (Instant::now(), self.records.len());
        self.settle(linker);
        self.settled = Some((revision, began.elapsed(), Instant::now()));
        before != self.records.len()
    }

    /// Brings it up to what has moved: an entry that has merged into another is marked once, and who is gone is not.
    pub(super) fn settle(&mut self, linker: &Linker) {
        let leads: HashSet<Lead> = self.records.iter().filter_map(|of| linker.lead_of(of)).collect();
        self.records = leads.into_iter().filter_map(|lead| linker.record_of(lead)).collect();
    }
}

fn records(entry: &Entry) -> impl Iterator<Item = RecordRef> {
    let users = entry.users.iter().map(|user| RecordRef::User(user.sub));
    users.chain(entry.rows.iter().map(|row| RecordRef::Row(row.id.clone())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use userlink_domain::{IdKind, PoolUser, Row, RowId, Sub};
    use userlink_link::{Change, Rules};
    use userlink_ui::ViewSpec;

    fn sub(number: u128) -> Sub {
        Sub::from_u128(number)
    }

    fn linker() -> Linker {
        let users = (1..=5).map(|number| PoolUser::new(sub(number), format!("user-{number}"))).collect();
        let row =
            |number: i64| Row { sub: Some(sub(number as u128).to_string().into()), ..Row::new(RowId::BigInt(number)) };
        Linker::bulk(users, (1..=5).map(row).collect(), Rules::new(IdKind::BigInt))
    }

    fn user(number: u128) -> RecordRef {
        RecordRef::User(sub(number))
    }

    #[test]
    fn marks_hold_on_to_records() {
        let mut linker = linker();
        let leads = linker.leads(None, "");
        let mut marked = Marked::default();
        let spec = ViewSpec::default;
        marked.change(&Marking::Toggle(RecordRef::Row(RowId::BigInt(2))), &linker, &leads);
        assert!(marked.has(&linker.entry(&user(2)).unwrap()), "by any record of the entry");
        marked.change(&Marking::Toggle(user(2)), &linker, &leads);
        assert_eq!(marked.count(), 0);

        marked.change(&Marking::Range { from: user(4), to: user(2), spec: spec() }, &linker, &leads);
        assert_eq!(marked.count(), 3);
        marked.change(&Marking::Invert(spec()), &linker, &leads);
        assert_eq!(marked.count(), 2);
        marked.change(&Marking::All(spec()), &linker, &linker.leads(None, "user-3"));
        assert_eq!(marked.count(), 3, "of the filter alone");

        // 1 and 5 become one entry, and 3 is gone.
        let five = PoolUser { user_id: Some("1".into()), ..PoolUser::new(sub(5), "user-5") };
        linker.apply(&[Change::User(five), Change::UserGone(sub(3)), Change::RowGone(RowId::BigInt(3))]);
        assert!(marked.settle_in_time(&linker, 2));
        assert_eq!(marked.count(), 1);
        assert!(marked.has(&linker.entry(&user(1)).unwrap()) && marked.has(&linker.entry(&user(5)).unwrap()));
        marked.change(&Marking::None, &linker, &leads);
        assert_eq!(marked.count(), 0);
    }

    #[test]
    fn a_new_scan_keeps_the_marks_of_whoever_is_still_there() {
        let before = linker();
        let mut marked = Marked::default();
        marked.change(&Marking::All(ViewSpec::default()), &before, &before.leads(None, ""));
        let users = vec![PoolUser::new(sub(4), "user-4"), PoolUser::new(sub(9), "user-9")];
        let after = Linker::bulk(users, Vec::new(), Rules::new(IdKind::BigInt));
        marked.settle(&after);
        assert_eq!(marked.records().collect::<Vec<_>>(), [&user(4)]);
    }
}
