//! The demo's world, judged by the linker.

use std::collections::HashSet;

use userlink_domain::{Flag, IdKind, Situation, Timestamp};
use userlink_emulator::{World, situations};
use userlink_link::{Linker, Rules};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn world(users: u64, seed: u64) -> World {
    World::new(users, seed, NOW).unwrap()
}

fn linked(world: &World) -> Linker {
    let users: Vec<_> = (0..world.user_count()).map(|index| world.user(index).unwrap()).collect();
    let rules = Rules { protected: world.protected().iter().cloned().collect(), ..Rules::new(IdKind::Uuid) };
    Linker::bulk(users, world.rows().collect(), rules)
}

#[test]
fn every_special_entry_is_what_it_was_made_to_be() {
    for (users, seed) in [(World::FEWEST, 1), (1_000, 42), (5_000, 7), (20_000, 42)] {
        let world = world(users, seed);
        let linker = linked(&world);
        for (of, situation) in world.expected() {
            assert_eq!(linker.entry(of).unwrap().situation, *situation, "{of:?} of {users} users");
        }
        for situation in situations() {
            assert!(linker.counts().of(situation) >= 2, "{situation} with {users} users");
        }
        for flag in [Flag::EmailDiffers, Flag::NonCanonicalId, Flag::Contested] {
            assert!(linker.counts().of_flag(flag) > 0, "{} with {users} users", flag.name());
        }
    }
}

#[test]
fn most_users_are_linked() {
    let linker = linked(&world(20_000, 42));
    assert!(linker.counts().of(Situation::Linked) * 100 / linker.counts().entries() >= 94);
}

#[test]
fn no_sub_username_or_id_comes_twice_and_each_is_found_again() {
    let world = world(5_000, 42);
    let (mut subs, mut names, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
    for index in 0..world.user_count() {
        let user = world.user(index).unwrap();
        assert!(subs.insert(user.sub) && names.insert(user.username.clone()));
        assert_eq!(world.index_of_sub(user.sub), Some(index));
        assert_eq!(world.index_of_username(user.username.as_str()), Some(index));
        if let Some(email) = &user.email {
            assert!(world.indexes_of_email(email).contains(&index));
        }
    }
    assert!(world.rows().all(|row| ids.insert(row.id)));
}

#[test]
fn the_same_seed_makes_the_same_world() {
    assert!(world(500, 3).rows().eq(world(500, 3).rows()));
    assert!(!world(500, 3).rows().eq(world(500, 4).rows()));
}

#[test]
fn a_world_that_is_too_small_says_so() {
    assert!(World::new(10, 1, NOW).unwrap_err().to_string().contains("at least 200"));
}
