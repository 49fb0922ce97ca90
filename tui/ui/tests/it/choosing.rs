//! Whose row it is: both people are seen, what each sees afterwards, and what comes of it when it comes to nothing.

use userlink_domain::{Mate, Pair, Situation, Step};
use userlink_ui::{
    Answer, Choosing, Draft, Effect, Event, LAST_MOMENT, Left, Outcome, PlanLine, Sessions, Setup, Wish,
};

use crate::desk::{Desk, setup};
use crate::{people, plans};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// A person chooses for the entry of two profiles.
fn choosing(size: (u16, u16), of: Choosing) -> Desk {
    let mut desk = Desk::town(size);
    desk.keys("jjjjr");
    desk.planned(Answer::Choose(Box::new(of)));
    desk
}

/// The row has two further columns in it.
fn with_columns() -> Choosing {
    let mut of = plans::choosing(1);
    for row in of.candidates.iter_mut().filter_map(|candidate| candidate.row.as_mut()) {
        row.show = vec![Some("Eve Everyman".into()), None];
    }
    of
}

#[test]
fn both_people_and_the_row_are_seen_with_what_each_sees_afterwards() {
    for size in SIZES {
        let mut desk = choosing(size, with_columns());
        let shown = desk.text();
        assert!(shown.contains("GETS THE ROW") && shown.contains("MAY BE MEANT, TOO"), "{shown}");
        assert!(shown.contains("name Eve Everyman") || shown.contains("name       Eve Everyman"), "{shown}");
        assert!(shown.contains("orders 14, invoices 3"), "{shown}");
        desk.keys("j");
        let shown = desk.text();
        assert!(shown.contains("GETS THE ROW") && shown.contains("HAS IT TODAY"), "{shown}");
        let afterwards = shown.split("Afterwards").nth(1).unwrap_or_default();
        assert!(afterwards.contains("Google_109322518823 signs in and sees what belongs to row"), "{shown}");
        assert!(afterwards.contains("eve@example.org signs in, and finds no data of its own"), "{shown}");
        insta::assert_snapshot!(format!("choose_taken_{}x{}", size.0, size.1), desk.screen());
        desk.keys("j");
        assert!(desk.text().contains("GETS A NEW ROW"), "{}", desk.text());
    }
}

#[test]
fn masked_neither_of_them_nor_the_columns_of_the_row_are_seen() {
    for size in SIZES {
        let mut desk = Desk::with(Setup { masked: true, ..setup() }, size, people::town());
        desk.keys("jjjjr");
        desk.planned(Answer::Choose(Box::new(with_columns())));
        for _ in 0..3 {
            let shown = desk.text();
            for person in ["eve@", "Everyman", "109322518823"] {
                assert!(!shown.contains(person), "{person}\n{shown}");
            }
            desk.keys("j");
        }
    }
}

#[test]
fn whoever_loses_the_row_is_named_with_the_one_who_gets_it() {
    let pairs = |keys: &str, of: Choosing| {
        let mut desk = choosing((80, 24), of);
        desk.keys(keys);
        desk.request().unwrap().choices[0].pairs.clone()
    };
    let of = plans::choosing(1);
    let (second, third) = (&of.candidates[1], &of.candidates[2]);
    let native = third.pair.user;
    // With and without a mark.
    for keys in ["j <Enter>", " <Down><Enter>"] {
        let chosen = pairs(keys, plans::choosing(1));
        assert_eq!(chosen, [second.pair.clone(), Pair { user: native, mate: Mate::None }], "{keys}");
    }
    // The owner, of whom something else was said, gets that.
    let chosen = pairs("j j <Enter>", plans::choosing(1));
    assert_eq!(chosen, [second.pair.clone(), third.pair.clone()]);
    // Who has another row keeps it, unless that was given away, too.
    let mut two = plans::choosing(1);
    let other = Pair { user: native, mate: Mate::Row(people::row_id(9)) };
    two.candidates[1].leaves = Some(Left { pair: other.clone(), sees: "sees the other".to_owned() });
    assert_eq!(pairs("j <Enter>", two), [second.pair.clone(), other]);
}

#[test]
fn who_sees_what_stands_in_a_long_plan_too() {
    let taken = plans::taken();
    let step = |number: u128| PlanLine::Step {
        of: "row".to_owned(),
        step: Step::ClearSub { row: people::row_id(number).to_string(), expect: None },
        last: false,
        afterwards: Some(Situation::OrphanRow),
    };
    let lines: Vec<PlanLine> = (0..12).map(step).collect();
    let long = Draft { lines: lines.len(), first: lines, ..taken };
    for size in SIZES {
        let mut desk = Desk::town(size);
        desk.keys("jr");
        desk.planned(Answer::Draft(Box::new(long.clone())));
        assert!(desk.text().contains("2 people see"), "{}", desk.text());
        desk.keys("G");
        let shown = desk.text();
        assert!(!shown.contains("more below"), "{shown}");
        for text in ["Who         Google_109322518823", "Afterwards  signs in, and finds no data of its own"] {
            assert!(shown.contains(text), "{text}\n{shown}");
        }
        desk.keys("g");
        assert!(desk.text().contains("WHOSE"), "{}", desk.text());
    }
}

#[test]
fn the_last_moment_is_spoken_of_where_the_pool_is_written_and_not_where_sessions_end() {
    let asked = |draft: Draft| {
        let mut desk = Desk::town((120, 40));
        desk.keys("jr");
        desk.planned(Answer::Draft(Box::new(draft)));
        desk.keys("<Enter>");
        assert!(desk.text().contains("[ Cancel ]") || desk.text().contains("Reason"), "{}", desk.text());
        desk.text().contains(LAST_MOMENT)
    };
    let one = plans::one(&people::town()[1]);
    assert!(asked(one.clone()));
    assert!(!asked(Draft { updates: 1, sign_outs: 1, ..one.clone() }));
    assert!(!asked(Draft { updates: 0, ..one }), "only a row is written");
}

/// A run from here that can be taken back, and then a plan that comes to nothing.
fn refused_after_a_run(end: impl Fn(&mut Desk)) -> Desk {
    let mut desk = Desk::town((80, 24));
    desk.keys("jr");
    desk.prepared(1);
    desk.keys("<Enter>y");
    desk.outcome(true);
    desk.keys("<Enter>r");
    end(&mut desk);
    desk.asked.clear();
    desk
}

#[test]
fn what_came_to_nothing_is_not_gone_on_with_and_what_was_before_is_not_taken_back() {
    let refused = |desk: &mut Desk| desk.refused("The pool does not know this user any more.");
    let failed = |desk: &mut Desk| {
        desk.prepared(1);
        desk.keys("<Enter>y");
        desk.send(Event::Applied(Err("The table does not answer.".to_owned())));
    };
    for end in [refused as fn(&mut Desk), failed] {
        let mut desk = refused_after_a_run(end);
        desk.keys("a");
        assert!(desk.text().contains("Nothing was planned or written."), "{}", desk.text());
        assert!(!desk.text().contains("All of it was done."));
        desk.keys("u");
        assert_eq!(desk.asked, [], "the run before is not meant");
        assert!(desk.text().contains("Nothing was written by this that could be taken back."), "{}", desk.text());
        desk.keys("o");
        assert_eq!(desk.asked, []);
        // Back in the list it is.
        desk.keys("<Esc>u");
        assert!(matches!(desk.request().unwrap().wish, Wish::Undo { .. }));
    }
}

/// A run of which only a sign-out failed.
fn signed_out_in_part() -> Desk {
    let mut desk = Desk::town((80, 24));
    desk.keys("jr");
    desk.prepared(1);
    desk.keys("<Enter>y");
    let sessions = Sessions { users: 1, signed_out: false, tokens: "up to 1 h after they were issued".to_owned() };
    let outcome = Outcome { sessions: Some(sessions), signs_out: true, ..plans::outcome(false) };
    desk.send(Event::Applied(Ok(outcome)));
    desk.asked.clear();
    desk
}

#[test]
fn whoever_was_to_be_signed_out_and_was_not_is_again() {
    let mut desk = signed_out_in_part();
    assert!(desk.text().contains("o signs out"), "{}", desk.text());
    desk.keys("a");
    let request = desk.request().unwrap();
    assert_eq!((request.wish, request.sign_out), (Wish::Again, true));
    let mut desk = signed_out_in_part();
    desk.keys("o");
    assert_eq!(desk.request().unwrap().wish, Wish::SignOut);
    // Where nobody was to be, nobody is.
    let mut desk = Desk::town((80, 24));
    desk.keys("jr");
    desk.prepared(1);
    desk.keys("<Enter>y");
    desk.outcome(false);
    desk.keys("a");
    assert!(!desk.request().unwrap().sign_out);
}

#[test]
fn what_was_dismissed_is_taken_up_again_after_a_question() {
    let entries = vec![people::dismissed(1, "ada@example.org"), people::linked(2, "bea@example.org")];
    let open = || Desk::with(setup(), (80, 24), entries.clone());
    for keys in ["d<Enter>", "d<Esc>", "dn", "d<Tab><Tab><Enter>"] {
        let mut desk = open();
        desk.keys(keys);
        assert_eq!(desk.asked, [], "{keys}");
    }
    let mut desk = open();
    desk.keys("d");
    assert!(desk.text().contains("Take up ada@example.org again?") && desk.text().contains("[ Cancel ]"));
    desk.keys("y");
    assert_eq!(desk.asked, [Effect::Dismiss { of: entries[0].lead().unwrap(), reason: None }]);
}
