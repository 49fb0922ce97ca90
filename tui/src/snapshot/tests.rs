//! What is kept comes back, or does not come back at all.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use userlink_domain::{PoolUser, Row, RowId, Sub};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn of() -> Of {
    Of {
        what: What {
            pool_id: "eu-west-1_A".into(),
            attribute: "custom:userId".into(),
            table: "app.users".into(),
            by: String::new(),
        },
        id_kind: IdKind::BigInt,
        sub_unique: false,
    }
}

fn shelf(folder: &Path, keep: Keep) -> Shelf {
    Shelf { path: folder.join("scan-a.bin"), keep }
}

fn changes() -> Vec<Change> {
    let mut user = PoolUser::new(Sub::from_u128(7), "ada@example.org");
    user.email = Some(" Ada@Example.org".into());
    user.email_verified = true;
    user.phone = Some("+491701234567".into());
    user.user_id = Some("42".into());
    let mut row = Row::new(RowId::BigInt(42));
    row.email = Some("ada@example.ORG".into());
    row.sub = Some(Sub::from_u128(7).to_string().into());
    row.show = vec![Some("gold".into()), None];
    vec![Change::User(user), Change::Row(row), Change::UserGone(Sub::from_u128(9)), Change::RowGone(RowId::BigInt(1))]
}

fn picture() -> Picture {
    let mut linker = userlink_link::Linker::new(userlink_link::Rules::new(IdKind::BigInt));
    linker.apply(&changes());
    linker.apply(&[Change::Covered(userlink_link::Coverage::ALL)]);
    Picture::of(&linker, NOW)
}

fn told(kept: Kept) -> Vec<Change> {
    let mut all = Vec::new();
    kept.replay(|told| match told {
        Told::Changes(changes) => all.extend(changes),
        Told::Anew(_) => {}
    })
    .unwrap();
    all
}

fn keep(shelf: &Shelf) {
    let mut writer = shelf.begin(&of(), NOW).unwrap().unwrap();
    writer.add(&changes()).unwrap();
    writer.finish(&picture()).unwrap();
}

#[test]
fn what_was_kept_in_full_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), Keep::Full);
    assert!(shelf.last(NOW).is_none());
    keep(&shelf);
    let kept = shelf.last(NOW).unwrap();
    assert_eq!((&kept.of, kept.finished()), (&of(), NOW));
    let kept = told(kept);
    assert_eq!(format!("{kept:?}"), format!("{:?}", changes()));
    let [Change::User(was), Change::Row(row), ..] = &kept[..] else { panic!() };
    let [Change::User(is), Change::Row(is_row), ..] = &changes()[..] else { panic!() };
    assert!(was == is && row == is_row);
}

#[test]
fn pointers_hold_nobody_s_name_and_what_was_equal_stays_equal() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), Keep::Pointers);
    keep(&shelf);
    let bytes = std::fs::read(&shelf.path).unwrap();
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    for name in ["ada@", "@example", "1701234567", "gold"] {
        assert!(!text.contains(name), "{name}");
    }
    let kept = shelf.last(NOW).unwrap();
    let (total, shown) = kept.picture.entries(None, 0, 10);
    assert_eq!((total, shown.len()), (1, 1));
    assert!(shown[0].users[0].username.as_str().starts_with("not-kept-"));
    let kept = told(kept);
    let [Change::User(user), Change::Row(row), ..] = &kept[..] else { panic!() };
    assert!(is_not_kept(user.username.as_str()) && is_not_kept(user.email.as_deref().unwrap()));
    assert!(!is_not_kept("not-kept-by-me@example.org") && !is_not_kept("ada@example.org"));
    assert_eq!(user.verified_email(), row.email_key());
    assert_eq!(user.user_id(), Some("42"));
}

#[cfg(unix)]
#[test]
fn it_is_for_its_owner_alone_and_can_be_forgotten() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), Keep::Full);
    keep(&shelf);
    assert_eq!(std::fs::metadata(&shelf.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(shelf.forget().unwrap());
    assert!(!shelf.forget().unwrap());
    assert!(shelf.last(NOW).is_none());
}

#[test]
fn what_is_cut_off_damaged_or_old_is_not_the_last_scan() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), Keep::Full);
    keep(&shelf);
    let whole = std::fs::read(&shelf.path).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&shelf.path, &whole[..end]).unwrap();
        assert!(shelf.last(NOW).is_none(), "cut off at {end}");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&shelf.path, &damaged).unwrap();
        drop(shelf.last(NOW)); // It may be read, and must not panic.
    }
    std::fs::write(&shelf.path, &whole).unwrap();
    let later = Timestamp::from_millis(NOW.as_millis() + OLDEST_MILLIS + 1);
    assert!(shelf.last(later).is_none());
    assert!(!shelf.path.exists(), "what is old goes");
}

#[test]
fn an_unfinished_scan_leaves_the_last_one_in_its_place_and_can_be_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [Keep::Full, Keep::Pointers] {
        let shelf = shelf(folder.path(), mode);
        keep(&shelf);
        let mut writer = shelf.begin(&of(), NOW).unwrap().unwrap();
        writer.add(&changes()).unwrap();
        writer.table_at(Some(&RowId::BigInt(42)), NOW).unwrap();
        assert!(shelf.unfinished(&of(), NOW).is_none(), "it is under way");
        let path = writer.path.clone();
        drop(writer); // As of a program that was killed.
        assert!(shelf.last(NOW).is_some());
        let other = Of { sub_unique: true, ..of() };
        assert!(shelf.unfinished(&other, NOW).is_none(), "it is of something else");
        let later = Timestamp::from_millis(NOW.as_millis() + GOES_ON_MILLIS + 1);
        assert!(shelf.unfinished(&of(), later).is_none(), "its tokens are old");

        // Cut off anywhere, it goes on from the last whole frame, and is whole in the end.
        let whole = std::fs::read(&path).unwrap();
        for end in (0..=whole.len()).rev() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let found = shelf.unfinished(&of(), NOW);
            assert_eq!(matches!(&found, Some(it) if matches!(it.progress.table, Place::At(_))), end == whole.len());
            let Some(found) = found else { continue };
            let mut told = Vec::new();
            found.replay(|it| told.push(it)).unwrap();
            let [Told::Changes(told)] = &told[..] else { panic!() };
            assert_eq!(told.len(), changes().len());
        }
        std::fs::write(&path, &whole).unwrap();
        let found = shelf.unfinished(&of(), NOW).unwrap();
        assert_eq!(found.began, NOW);
        found.replay(|_| ()).unwrap().finish(&picture()).unwrap();
        assert!(!path.exists());
        assert_eq!(told(shelf.last(NOW).unwrap()).len(), changes().len());
        assert!(shelf.forget().unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing of it is left");
    }
    assert!(Shelf { keep: Keep::Off, ..shelf(folder.path(), Keep::Full) }.begin(&of(), NOW).unwrap().is_none());
}

#[test]
fn what_another_context_left_long_ago_goes_too() {
    let folder = tempfile::tempdir().unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_millis(OLDEST_MILLIS as u64 + 60_000);
    let file = |name: &str, old: bool| {
        let file = std::fs::File::create(folder.path().join(name)).unwrap();
        if old {
            file.set_modified(long_ago).unwrap();
        }
    };
    let unfinished = format!(".scan-b-1{UNFINISHED}");
    for (name, old) in [("scan-b.bin", true), ("scan-c.bin", false), (unfinished.as_str(), true), ("journal.db", true)]
    {
        file(name, old);
    }
    assert!(shelf(folder.path(), Keep::Full).last(NOW).is_none());
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["journal.db", "scan-c.bin"]);
}

#[test]
fn contexts_that_look_alike_have_files_of_their_own() {
    assert_ne!(file_name("a.b"), file_name("a_b"));
    let folder = tempfile::tempdir().unwrap();
    let shelf =
        |context| Shelf { path: folder.path().join(format!("scan-{}.bin", file_name(context))), keep: Keep::Full };
    drop(shelf("prod-eu").begin(&of(), NOW).unwrap().unwrap());
    assert!(!shelf("prod").forget().unwrap(), "another one's is not forgotten");
    assert!(shelf("prod-eu").forget().unwrap());
}

/// Ten people in a pool and a table, of whom some are linked, some by e-mail alone, and some not at all.
fn town(changed: bool) -> Vec<Change> {
    let mut all = Vec::new();
    for number in 0..10_u128 {
        let mut user = PoolUser::new(Sub::from_u128(number), format!("Name {number}"));
        user.email = Some(format!("Name{number}@example.org").into());
        user.email_verified = true;
        user.user_id = (number % 3 > 0 || changed && number == 0).then(|| number.to_string().into());
        let mut row = Row::new(RowId::BigInt(number as i64));
        row.email = Some(format!("name{number}@example.org").into());
        row.sub = (number % 3 > 0).then(|| Sub::from_u128(number).to_string().into());
        let is_there = !(changed && number == 9);
        all.extend(is_there.then_some(Change::User(user)));
        all.push(Change::Row(row));
    }
    all
}

/// However much of it was read before it was interrupted, and whatever was kept: a scan that is gone on with beside the last one
/// ends where one ends that reads everything at once.
#[test]
fn a_scan_that_was_interrupted_goes_on_beside_the_last_one() {
    use crate::engine::Engine;
    use crate::scan::{Begin, News, Side};
    let rules = || userlink_link::Rules::new(IdKind::BigInt);
    let whole = |changes: &[Change]| {
        let mut linker = userlink_link::Linker::new(rules());
        linker.apply(changes);
        linker.apply(&[Change::Covered(userlink_link::Coverage::ALL)]);
        linker
    };
    let after = town(true);
    let expected = whole(&after).counts();
    for (keep, read) in [Keep::Full, Keep::Pointers].into_iter().flat_map(|keep| (0..=19).map(move |read| (keep, read)))
    {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), keep);
        let mut writer = shelf.begin(&of(), NOW).unwrap().unwrap();
        writer.add(&town(false)).unwrap();
        writer.finish(&Picture::of(&whole(&town(false)), NOW)).unwrap();

        let (told, rest) = after.split_at(read);
        let mut writer = shelf.begin(&of(), NOW).unwrap().unwrap();
        writer.add(told).unwrap();
        writer.table_at(Some(&RowId::BigInt(1)), NOW).unwrap();
        drop(writer);

        let mut engine = Engine::new(rules()).restored(shelf.last(NOW).unwrap()).unwrap();
        assert_eq!(engine.linker.counts(), whole(&town(false)).counts());
        let unfinished = shelf.unfinished(&of(), NOW);
        assert_eq!(unfinished.is_some(), read > 0);
        let mut fresh = Engine::new(rules());
        match &unfinished {
            Some(unfinished) => fresh = fresh.awaiting(unfinished),
            None => fresh.keep_in(shelf.begin(&of(), NOW).unwrap().map(Box::new)),
        }
        assert!(engine.can_scan_again(&fresh), "what both keep was hashed with one key");
        engine.scan_again(fresh);
        // Somebody looks at a user meanwhile.
        let Some(Change::User(zero)) = after.first() else { panic!() };
        if let Some(unfinished) = unfinished {
            Begin::told(unfinished, |news| {
                engine.take(news);
            })
            .unwrap();
        }
        engine.learn(&[Change::User(zero.clone())]);
        engine.take(News::Batch(rest.to_vec()));
        // One user is another one, and one was looked at.
        assert!(engine.different() <= 3, "{} of {read}, {keep:?}", engine.different());
        for news in [News::End(Side::Pool), News::End(Side::Table), News::Done] {
            engine.take(news);
        }
        while engine.turn() {}
        engine.finish(NOW);
        assert!(engine.is_whole());
        assert_eq!(engine.linker.counts(), expected, "{keep:?} {read}");
        let name = |number| engine.linker.entry(&userlink_domain::RecordRef::User(Sub::from_u128(number)));
        let read_now = |number: u128| name(number).unwrap().users[0].username.as_str() == format!("Name {number}");
        // Names are known again of whoever was read by this run.
        assert!(keep == Keep::Pointers || (0..9).all(read_now));
        assert!(rest.iter().all(|change| !matches!(change, Change::User(user) if !read_now(user.sub.as_u128()))));
        assert!(shelf.unfinished(&of(), NOW).is_none(), "and what it kept is the last scan now");
        let again = Engine::new(rules()).restored(shelf.last(NOW).unwrap()).unwrap();
        assert_eq!(again.linker.counts(), expected);
    }
}
