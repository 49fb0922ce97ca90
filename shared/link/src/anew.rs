//! Reading once more what has been read: whoever does not come again is gone.
//!
//! What is held stays as it was until enough has come again, and can be shown meanwhile: a record that is the same costs a bit,
//! and one that is not lies where records are kept, and is taken in then. So there is never a second linker. Where only a part
//! of the pool is listed from its beginning again, what comes is taken in as it comes.

use std::error::Error;
use std::fmt;

use fixedbitset::FixedBitSet;
use userlink_domain::{PoolUser, RecordRef, Row, Sub};

use crate::column::Column;
use crate::facts::Place;
use crate::linker::Linker;
use crate::rules::Change;
use crate::store::{Compared, Rec};

/// Something that is taken in when all has come again.
#[derive(Debug)]
pub(crate) enum Aside {
    /// A user that lies there.
    User(Place),
    /// A row that lies there.
    Row(Place),
    /// What somebody has seen besides.
    Change(Box<Change>),
}

/// Some of what was read and is to be taken in cannot be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Some of what was read could not be read back from the disk.")
    }
}

impl Error for Lost {}

/// So many are forgotten at once.
const AT_ONCE: usize = 4096;

/// What is being read anew. At first nothing is.
#[derive(Debug, Default)]
pub struct Anew {
    users: Expected,
    rows: Expected,
    /// What came and is not as it is held, in its order; none where what comes is taken in at once.
    aside: Option<Column<Aside>>,
    /// How much of it has been taken in.
    taken: u32,
}

/// The records of a side, by their slots.
#[derive(Debug, Default)]
struct Expected {
    /// Whether anybody is.
    any: bool,
    /// How many there were before.
    held: u64,
    /// Who has not come again.
    missing: FixedBitSet,
    /// Who came and was put aside.
    aside: FixedBitSet,
    /// How many came who were not there.
    new: u64,
}

impl Expected {
    fn wait_for(&mut self, slots: impl Iterator<Item = u32>, of: u32) {
        self.any = true;
        self.missing.grow(of as usize);
        slots.for_each(|slot| self.missing.insert(slot as usize));
    }

    fn came(&mut self, slot: Option<u32>) {
        self.new += u64::from(slot.is_none());
        self.is_there(slot);
    }

    fn is_there(&mut self, slot: Option<u32>) {
        if let Some(slot) = slot.filter(|slot| (*slot as usize) < self.missing.len()) {
            self.missing.set(slot as usize, false);
        }
    }

    fn put_aside(&mut self, slot: Option<u32>) {
        self.aside.extend(slot.map(|slot| slot as usize));
    }

    fn is_aside(&self, slot: u32) -> bool {
        self.aside.contains(slot as usize)
    }

    /// Forgets some who did not come again; true when that were the last of them.
    fn forget(&mut self, linker: &mut Linker, rec: fn(u32) -> Rec, at_most: usize) -> bool {
        let some: Vec<usize> = self.missing.ones().take(at_most).collect();
        some.iter().for_each(|slot| self.missing.set(*slot, false));
        self.held = self.held.saturating_sub(some.len() as u64);
        linker.forget(some.iter().map(|slot| rec(*slot as u32)));
        some.len() < at_most
    }

    fn read(&self) -> u64 {
        self.held.saturating_sub(self.missing.count_ones(..) as u64) + self.new
    }
}

impl Anew {
    /// Both sides: what is held stays as it is until [`Anew::turn`].
    pub fn beside(linker: &mut Linker) -> Self {
        linker.take_in();
        let (users, rows) = linker.store.slots();
        let mut anew = Self { aside: Some(Column::new()), ..Self::default() };
        anew.users.wait_for((0..users).filter(|slot| linker.store.is_there(Rec::User(*slot))), users);
        anew.rows.wait_for((0..rows).filter(|slot| linker.store.is_there(Rec::Row(*slot))), rows);
        let (users, rows) = linker.len();
        (anew.users.held, anew.rows.held) = (users as u64, rows as u64);
        anew
    }

    /// Whether what is held stays as it is.
    pub const fn is_beside(&self) -> bool {
        self.aside.is_some()
    }

    /// Some users are read from the first of them again.
    pub fn expect_users(&mut self, linker: &mut Linker, is_meant: impl Fn(Sub) -> bool) {
        linker.take_in();
        let slots = 0..linker.store.slots().0;
        let meant = slots.clone().filter(|slot| linker.store.sub_of(*slot).is_some_and(&is_meant));
        self.users.wait_for(meant, slots.end);
        let Some(aside) = self.aside.take() else { return };
        let mut kept = Column::new();
        for it in aside {
            let user = if let Aside::User(place) = it { linker.records.user(place) } else { None };
            match user {
                Some(user) if is_meant(user.sub) => {
                    let was_new = linker.store.user_slot(user.sub).is_none();
                    self.users.new = self.users.new.saturating_sub(u64::from(was_new));
                }
                _ => kept.push(it),
            }
        }
        self.aside = Some(kept);
    }

    /// How many users and rows have come by now, where both sides are read anew.
    pub fn came(&self) -> Option<(u64, u64)> {
        self.is_beside().then(|| (self.users.read(), self.rows.read()))
    }

    /// How much has been put aside.
    pub fn put_aside(&self) -> usize {
        self.aside.as_ref().map_or(0, Column::len)
    }

    /// What has been read. True where entries may look different by now.
    pub fn read(&mut self, linker: &mut Linker, changes: &[Change]) -> bool {
        if self.is_beside() {
            let looks_different = changes.iter().filter(|change| self.read_beside(linker, change)).count();
            return looks_different > 0;
        }
        changes.iter().for_each(|change| self.is_there(linker, change));
        linker.apply(changes);
        true
    }

    /// Whoever is read is not missing.
    fn is_there(&mut self, linker: &Linker, change: &Change) {
        if let Change::User(user) = change
            && self.users.any
        {
            self.users.is_there(linker.store.user_slot(user.sub));
        }
    }

    fn read_beside(&mut self, linker: &mut Linker, change: &Change) -> bool {
        let aside = match change {
            Change::User(user) => {
                let mut facts = linker.store.digests.user(user, linker.rules.id_kind);
                let slot = linker.store.user_slot(user.sub);
                self.users.came(slot);
                let stays =
                    slot.filter(|slot| !self.users.is_aside(*slot) && !linker.unsettled.contains(&Rec::User(*slot)));
                let compared = stays.map(|slot| (slot, linker.store.compare_user(slot, &facts)));
                if matches!(compared, Some((_, Compared::Same))) {
                    return false;
                }
                facts.place = linker.records.put_user(user);
                if let Some((slot, Compared::LooksDifferent)) = compared {
                    linker.move_user(slot, &facts);
                    return true;
                }
                self.users.put_aside(slot);
                Aside::User(facts.place)
            }
            Change::Row(row) => {
                let mut facts = linker.store.digests.row(row);
                let slot = linker.store.row_slot(&row.id);
                self.rows.came(slot);
                let stays =
                    slot.filter(|slot| !self.rows.is_aside(*slot) && !linker.unsettled.contains(&Rec::Row(*slot)));
                let compared = stays.map(|slot| (slot, linker.store.compare_row(slot, &facts)));
                if matches!(compared, Some((_, Compared::Same))) {
                    return false;
                }
                facts.place = linker.records.put_row(row);
                if let Some((slot, Compared::LooksDifferent)) = compared {
                    linker.move_row(slot, &facts);
                    return true;
                }
                self.rows.put_aside(slot);
                Aside::Row(facts.place)
            }
            Change::UserGone(_) | Change::RowGone(_) | Change::Unsettled(_) => self.as_told(linker, change),
            Change::Covered(_) | Change::Writable(_) | Change::Dismissed(..) | Change::Contained(..) => {
                drop(linker.apply(std::slice::from_ref(change)));
                return true;
            }
        };
        self.put(aside);
        false
    }

    fn put(&mut self, aside: Aside) {
        if let Some(all) = &mut self.aside {
            all.push(aside);
        }
    }

    /// What somebody has seen besides: it is so by now, and will be when all has come, whatever had been read before.
    pub fn learn(&mut self, linker: &mut Linker, changes: &[Change]) {
        for change in changes {
            if self.is_beside() && is_of_a_record(change) {
                let told = self.as_told(linker, change);
                self.put(told);
            } else {
                self.is_there(linker, change);
            }
        }
        linker.apply(changes);
        if self.is_beside() {
            // Whoever was not known before is by now.
            for change in changes {
                let (user, row) = slots_of(linker, change);
                self.users.put_aside(user);
                self.rows.put_aside(row);
            }
        }
    }

    /// A change as it was told. Whatever is read of the record from here on comes after it.
    fn as_told(&mut self, linker: &Linker, change: &Change) -> Aside {
        let (user, row) = slots_of(linker, change);
        self.users.put_aside(user);
        self.rows.put_aside(row);
        if matches!(change, Change::User(_) | Change::Row(_)) {
            self.users.is_there(user);
            self.rows.is_there(row);
        }
        Aside::Change(Box::new(change.clone()))
    }

    /// Forgets the users who did not come again.
    pub fn forget_users(&mut self, linker: &mut Linker) {
        while self.users.any && !self.users.forget(linker, Rec::User, AT_ONCE) {}
    }

    /// Enough has come again: takes in some of what was put aside, and forgets some of those who did not come. True when that was
    /// all of it.
    ///
    /// # Errors
    /// Where some of it is lost. The rest can still be taken in.
    pub fn turn(&mut self, linker: &mut Linker, at_most: usize) -> Result<bool, Lost> {
        let Some(aside) = &self.aside else { return Ok(true) };
        let all = aside.len() as u32;
        if self.taken < all {
            let some = self.taken..all.min(self.taken.saturating_add(at_most as u32));
            self.taken = some.end;
            let some = some.filter_map(|at| aside.get(at));
            return if linker.take_aside(some) { Ok(false) } else { Err(Lost) };
        }
        let over = self.users.forget(linker, Rec::User, at_most) && self.rows.forget(linker, Rec::Row, at_most);
        if over {
            *self = Self::default();
        }
        Ok(over)
    }
}

/// Whether a change is one of a record, and not of what is known besides.
fn is_of_a_record(change: &Change) -> bool {
    match change {
        Change::User(_) | Change::Row(_) | Change::UserGone(_) | Change::RowGone(_) | Change::Unsettled(_) => true,
        Change::Covered(_) | Change::Writable(_) | Change::Dismissed(..) | Change::Contained(..) => false,
    }
}

/// The user or the row that a change is about, where it is held.
fn slots_of(linker: &Linker, change: &Change) -> (Option<u32>, Option<u32>) {
    match change {
        Change::User(PoolUser { sub, .. }) | Change::UserGone(sub) | Change::Unsettled(RecordRef::User(sub)) => {
            (linker.store.user_slot(*sub), None)
        }
        Change::Row(Row { id, .. }) | Change::RowGone(id) | Change::Unsettled(RecordRef::Row(id)) => {
            (None, linker.store.row_slot(id))
        }
        Change::Covered(_) | Change::Writable(_) | Change::Dismissed(..) | Change::Contained(..) => (None, None),
    }
}
