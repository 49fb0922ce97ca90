//! The overview, the ticket, evidence and personal data out of sight, as stories.

use userlink_domain::{Flag, RowId, Situation, UserStatus};
use userlink_link::{Cause, Common, Span};
use userlink_ui::{
    Done, Effect, Event, Found, Level, Lives, News, Pairing, Part, Progress, Refers, Setup, Since, Spent,
};

use crate::desk::{Desk, complete, reading, setup};
use crate::people::{self, NOW, before};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

/// What a scan of a larger town found.
pub(crate) fn causes() -> Vec<Cause> {
    let night = Span { from: before(470), to: before(440), goes_on: false, share: 97 };
    let of = |situation, common, count, of, what: &str, meaning: &str| Cause {
        situation: Some(situation),
        common,
        count,
        of,
        about: false,
        what: what.to_owned(),
        meaning: meaning.to_owned(),
    };
    vec![
        of(
            Situation::NoRow,
            Common { status: Some(UserStatus::ResetRequired), ..Common::default() },
            412,
            430,
            "412 of 430 users without a row were imported, or had the password reset by an administrator (RESET_REQUIRED).",
            "Post Confirmation is not known to fire for an import, and never for a reset.",
        ),
        of(
            Situation::RowSideOnly,
            Common { within: Some(night), ..Common::default() },
            118,
            612,
            "118 of 612 row side only users were created on 2026-11-23 between 02:10 and 02:40 UTC.",
            "The row was written, the attribute was not: the function failed after the insert.",
        ),
    ]
}

fn large(size: (u16, u16)) -> Desk {
    let mut desk = Desk::overview(setup(), size);
    desk.entries = people::town();
    desk.send(Event::Progress(Progress { users: 1_000_000, rows: 998_000, ..complete() }));
    let situations = vec![
        (Situation::Linked, 994_301),
        (Situation::RowSideOnly, 612),
        (Situation::NoRow, 430),
        (Situation::EmailMatch, 161),
        (Situation::DuplicateRows, 85),
        (Situation::DuplicateUserId, 2),
        (Situation::DanglingUserId, 7),
        (Situation::Tangled, 5),
        (Situation::DeadSub, 310),
        (Situation::UnlinkedInactive, 4_120),
    ];
    let flags = vec![(Flag::EmailDiffers, 31), (Flag::Contested, 2)];
    desk.send(Event::Counts(userlink_ui::Counts { situations: situations.clone(), flags: flags.clone() }));
    let mut then = situations;
    then[1].1 = 494;
    then[7].1 = 0;
    then[3].1 = 170;
    desk.send(Event::Overview(News::Since(Some(Since { at: before(1_488), situations: then, flags }))));
    let spent = |category: &str, per_second, rate, full, quota, made, refused| Spent {
        category: category.to_owned(),
        per_second,
        rate,
        full,
        quota,
        made,
        refused,
    };
    desk.send(Event::Overview(News::Spent(vec![
        spent("UserList", 14.8, 14.2, 15.0, 30.0, 16_667, 3),
        spent("UserRead", 0.0, 15.0, 15.0, 120.0, 0, 0),
        spent("UserPoolRead", 0.0, 5.0, 5.0, 15.0, 4, 0),
    ])));
    desk
}

#[test]
fn overview() {
    for size in SIZES {
        let mut desk = large(size);
        desk.send(Event::Overview(News::Causes(Some(causes()))));
        desk.keys("j");
        insta::assert_snapshot!(format!("overview_{}x{}", size.0, size.1), desk.screen());
    }
    let mut desk = large((60, 16));
    desk.send(Event::Overview(News::Causes(Some(causes()))));
    insta::assert_snapshot!("overview_60x16", desk.text());
    let mut desk = large((80, 24));
    desk.send(Event::Overview(News::Causes(Some(Vec::new()))));
    assert!(desk.text().contains("No cause stands out"), "{}", desk.text());
}

#[test]
fn the_overview_while_all_is_read_says_when_causes_come() {
    let mut desk = Desk::overview(setup(), (80, 24));
    desk.entries = people::town();
    desk.send(Event::Progress(reading()));
    desk.count();
    insta::assert_snapshot!("overview_reading", desk.screen());
}

#[test]
fn a_mass_of_one_kind_is_one_incident_above_all_causes() {
    let mut desk = large((80, 24));
    let situations = vec![(Situation::Linked, 5_000), (Situation::DeadSub, 90_000)];
    desk.send(Event::Progress(Progress { users: 5_000, rows: 95_000, ..complete() }));
    desk.send(Event::Counts(userlink_ui::Counts { situations, flags: Vec::new() }));
    desk.send(Event::Overview(News::Causes(Some(causes()))));
    let text = desk.text();
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}\n{text}"));
    assert!(place("One incident: 90,000") < place("412 of 430"));
}

#[test]
fn a_cause_leads_to_its_entries_and_escape_to_the_list() {
    let mut desk = large((80, 24));
    desk.send(Event::Overview(News::Causes(Some(causes()))));
    desk.keys("<Enter>");
    let text = desk.text();
    assert!(text.contains("situation:no_row status:reset_required"), "{text}");
    desk.keys("<Esc>O");
    assert!(desk.text().contains("Why it looks like this"));
    desk.keys("<Esc>");
    assert!(desk.text().contains("POOL USER"), "{}", desk.text());
    desk.keys("O2");
    assert!(desk.text().contains("▌! Unlinked"), "a group is one key away, too");
    desk.keys("O/ada");
    assert!(desk.text().contains("Filter  ada"));
}

pub(crate) fn found(number: usize) -> Box<Found> {
    let entry = people::town().swap_remove(number);
    Box::new(Found {
        of: entry.lead().unwrap(),
        explanation: people::explanation(&entry),
        entry,
        candidates: vec![Pairing {
            user: "bea".to_owned(),
            mate: "row 0192f0c1-2b6a-7cde-8f00-012345678bcd".to_owned(),
            recommended: Some("the row carries the sub".to_owned()),
            why: vec!["the row carries this user's sub".to_owned()],
            why_not: vec!["bea@example.org was changed after the row".to_owned()],
        }],
        not_looked_at: "who else carries this user id, or shares the e-mail.".to_owned(),
        scanned: Some(Situation::RowSideOnly),
        at: NOW,
    })
}

fn beside(desk: &mut Desk, number: usize) {
    let of = people::town()[number].lead().unwrap();
    let row = people::town()[number].rows[0].id.to_string();
    let lives = |client: &str, id_token| Lives { client: client.to_owned(), id_token, refresh_token: 2_592_000 };
    for part in [
        Part::References(vec![Refers {
            row: format!("row {row}"),
            tables: Ok(vec!["orders 2".into(), "sessions 0".into()]),
        }]),
        Part::Tokens(Ok(vec![lives("web", 3_600), lives("kiosk", 300)])),
        Part::History(Ok(vec![Done {
            at: before(2_000),
            actor: "kim@desk-4".to_owned(),
            what: format!("custom:userId: - → {row}"),
            outcome: "done".to_owned(),
            reason: Some("OPS-4711 of bea@example.org".to_owned()),
        }])),
    ] {
        desk.send(Event::Beside { of: of.clone(), part });
    }
}

#[test]
fn ticket() {
    for size in SIZES {
        let mut desk = Desk::town(size);
        desk.keys("o");
        desk.send(Event::Paste(" <bea@example.org>\nthe rest of the ticket".to_owned()));
        insta::assert_snapshot!(format!("ticket_typed_{}x{}", size.0, size.1), desk.screen());
        desk.keys("<Enter>");
        assert_eq!(desk.asked, [Effect::LookUp("bea@example.org".to_owned())]);
        desk.send(Event::LookedUp { asked: "bea@example.org".to_owned(), answer: Ok(found(1)) });
        beside(&mut desk, 1);
        insta::assert_snapshot!(format!("ticket_{}x{}", size.0, size.1), desk.screen());
    }
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_dropped_and_one_that_failed_is_said() {
    let mut desk = Desk::town((80, 24));
    desk.keys("obea<Enter><Esc>");
    desk.send(Event::LookedUp { asked: "bea".to_owned(), answer: Ok(found(1)) });
    assert!(!desk.text().contains("provisional"));
    desk.keys("onobody<Enter>");
    desk.send(Event::LookedUp { asked: "nobody".to_owned(), answer: Err("Nobody is called so.".to_owned()) });
    assert!(desk.text().contains("Nobody is called so."));
    desk.keys("<Esc>o<Enter>");
    assert!(desk.text().contains("Look up"), "nothing is looked up for nothing");
}

#[test]
fn what_was_looked_up_is_looked_up_again_after_it_was_repaired() {
    let mut desk = Desk::town((80, 24));
    desk.keys("obea@example.org<Enter>");
    let asked = "bea@example.org".to_owned();
    desk.send(Event::LookedUp { asked: asked.clone(), answer: Ok(found(1)) });
    desk.keys("jr");
    desk.prepared(1);
    desk.keys("<Enter>y");
    desk.asked.clear();
    desk.outcome(true);
    assert_eq!(desk.asked, [Effect::LookUp(asked.clone())]);
    let entry = people::linked(2, "bea@example.org");
    let explanation = people::explanation(&entry);
    let now = Found { entry, explanation, candidates: Vec::new(), scanned: None, ..*found(1) };
    desk.send(Event::LookedUp { asked: asked.clone(), answer: Ok(Box::new(now)) });
    assert!(desk.text().contains("Written, and read back"), "nobody is led away from what came of it");
    desk.keys("<Esc>");
    assert!(desk.text().contains("╶──▶") && !desk.text().contains("✓ linked"), "nor scrolled away: {}", desk.text());
    desk.keys("k");
    assert!(desk.text().contains("✓ linked") && !desk.text().contains("row side only"), "{}", desk.text());
    desk.keys("Y");
    assert!(desk.text().contains("verdict   linked"), "and so says the evidence: {}", desk.text());
    // Whoever has left it is not brought back by the answer.
    desk.keys("<Esc><Esc>");
    desk.send(Event::LookedUp { asked, answer: Ok(found(1)) });
    assert!(!desk.text().contains("provisional"), "{}", desk.text());
}

#[test]
fn the_whole_entry_with_what_stands_beside_it() {
    let mut desk = Desk::town((200, 50));
    desk.keys("j<Enter>");
    beside(&mut desk, 1);
    insta::assert_snapshot!("entry_beside_200x50", desk.screen());
}

#[test]
fn values_that_contradict_each_other_are_marked_where_they_stand() {
    let differing = people::town().iter().position(|it| it.flags.contains(Flag::EmailDiffers)).unwrap();
    let mut desk = Desk::town((80, 24));
    desk.keys(&"j".repeat(differing));
    desk.keys("<Enter>");
    insta::assert_snapshot!("entry_contradictory_80x24", desk.screen());
}

#[test]
fn an_incident_leads_to_its_entries() {
    let mut desk = large((80, 24));
    let situations = vec![(Situation::Linked, 5_000), (Situation::DeadSub, 90_000)];
    desk.send(Event::Progress(Progress { users: 5_000, rows: 95_000, ..complete() }));
    desk.send(Event::Counts(userlink_ui::Counts { situations, flags: Vec::new() }));
    desk.send(Event::Overview(News::Causes(Some(causes()))));
    desk.keys("3");
    desk.keys("O<Enter>");
    let text = desk.text();
    assert!(text.contains("▌All") && text.contains("situation:dead_sub"), "{text}");
    assert!(!text.contains("One incident"), "the list is shown: {text}");
    // And the causes below it to theirs.
    desk.keys("Oj<Enter>");
    assert!(desk.text().contains("situation:no_row status:reset_required"), "{}", desk.text());
}

fn copied(desk: &mut Desk) -> Vec<String> {
    let asked = std::mem::take(&mut desk.asked);
    asked.into_iter().filter_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None }).collect()
}

#[test]
fn evidence_is_shown_before_it_is_copied_and_holds_nobody_unless_asked_to() {
    let mut desk = Desk::town((80, 24));
    desk.keys("j<Enter>");
    beside(&mut desk, 1);
    desk.keys("Y");
    insta::assert_snapshot!("evidence_80x24", desk.screen());
    desk.keys("<Enter>");
    assert!(desk.text().contains("Sent to the clipboard: the evidence"), "{}", desk.text());
    let without = copied(&mut desk);
    let [without] = &without[..] else { panic!("{without:?}") };
    assert!(!without.contains("bea") && !without.contains("kim@"), "{without}");
    desk.keys("Y<Tab><Enter>");
    let with = copied(&mut desk);
    let [with] = &with[..] else { panic!("{with:?}") };
    assert!(with.contains("bea@example.org") && with.contains("OPS-4711"), "{with}");
    insta::assert_snapshot!("evidence_text", with);
    desk.keys("Y<Esc>");
    assert!(copied(&mut desk).is_empty(), "looked at, and not copied");
}

#[test]
fn an_address_that_is_a_rows_id_is_personal_data_in_every_line() {
    let (address, mut entry) = ("Bea.Doe@example.org", people::row_side_only(2, "bea.doe@example.org"));
    entry.rows[0].id = RowId::Text(address.into());
    let of = entry.lead().unwrap();
    let mut desk = Desk::with(setup(), (80, 24), vec![entry]);
    desk.keys("<Enter>");
    let row = format!("row {address}");
    let pairing = Pairing { mate: row.clone(), ..found(1).candidates.remove(0) };
    let refers = |tables| Part::References(vec![Refers { row: row.clone(), tables }]);
    for references in [refers(Ok(vec!["orders 2".into()])), refers(Err("It took too long.".into()))] {
        desk.send(Event::Beside { of: of.clone(), part: Part::Candidates(vec![pairing.clone()]) });
        desk.send(Event::Beside { of: of.clone(), part: references });
        desk.keys("Y<Enter>Y<Tab><Enter>");
        let [without, with] = &copied(&mut desk)[..] else { panic!("copied twice") };
        assert!(with.contains(&format!("and {row}")) && with.contains(&format!("to {row}:")), "{with}");
        assert!(without.contains("pair ") && without.contains("refers "), "{without}");
        assert!(!without.to_lowercase().contains("bea"), "{without}");
    }
}

#[test]
fn y_copies_the_sub_and_then_the_rows_id_and_says_which() {
    let mut desk = Desk::town((80, 24));
    desk.keys("jy");
    let entry = &people::town()[1];
    assert!(desk.text().contains("Sent to the clipboard: the sub"), "{}", desk.text());
    desk.keys("y");
    assert_eq!(copied(&mut desk), [entry.users[0].sub.to_string(), entry.rows[0].id.to_string()]);
}

#[test]
fn nothing_that_cannot_be_seen_is_copied() {
    let mut desk = Desk::with(setup(), (80, 24), people::hostile());
    for _ in 0..people::hostile().len() {
        desk.keys("Y<Tab><Enter>yj");
    }
    for text in copied(&mut desk) {
        let odd = text.lines().find(|line| userlink_ui::is_odd_text(line));
        assert_eq!(odd, None, "{text:?}");
    }
}

/// Everybody in town, and some with names of their own.
fn strangers() -> Vec<userlink_link::Entry> {
    let mut entries = people::town();
    entries.extend(people::hostile());
    for (number, entry) in entries.iter_mut().enumerate() {
        for user in &mut entry.users {
            if number % 3 == 0 {
                user.username = userlink_domain::Username::new(format!("nickname{number}"));
            }
            user.phone = Some(format!("+49301234{number:03}").into());
        }
        for row in &mut entry.rows {
            row.show = vec![Some(format!("Firstname{number} Lastname{number}").into())];
        }
    }
    entries
}

/// Whatever tells of a person: addresses, the parts before and behind the @, usernames, names, numbers.
fn personal(entries: &[userlink_link::Entry]) -> Vec<String> {
    let mut all = Vec::new();
    for entry in entries {
        let emails = entry.users.iter().filter_map(|it| it.email.as_deref());
        for email in emails.chain(entry.rows.iter().filter_map(|it| it.email.as_deref())) {
            let shown = userlink_ui::safe_text(email);
            all.extend(shown.split('@').next().filter(|part| part.chars().count() > 2).map(|part| format!("{part}@")));
            all.push(shown);
        }
        let names =
            entry.users.iter().map(|it| it.username.as_str()).filter(|it| userlink_domain::Sub::parse(it).is_none());
        all.extend(names.map(str::to_owned));
        all.extend(entry.users.iter().filter_map(|it| it.phone.as_deref()).map(str::to_owned));
        all.extend(entry.rows.iter().flat_map(|it| it.show.iter().flatten()).map(|it| it.to_string()));
    }
    all.retain(|text| !text.trim().is_empty());
    all.push("example.org".to_owned());
    all
}

#[test]
fn while_it_is_masked_no_screen_shows_a_person() {
    let entries = strangers();
    let personal = personal(&entries);
    let shows = |desk: &Desk| {
        let text = desk.text();
        let known = personal.iter().find(|value| text.contains(value.as_str())).cloned();
        // And nobody else's address either: those of the plans, of the history, of whoever asked.
        let mut words = text.split(char::is_whitespace).filter(|word| word.contains('@'));
        let open = words.find(|word| !word.contains("•@•") && !word.contains("*@*"));
        known.or_else(|| open.map(str::to_owned))
    };
    for masked_setup in [Setup { masked: true, ..setup() }, Setup { masked: true, ascii: true, ..setup() }] {
        for size in SIZES {
            let open = || Desk::with(masked_setup.clone(), size, entries.clone());
            let mut walk: Vec<(String, Desk)> = Vec::new();
            for number in 0..entries.len() {
                let down = "j".repeat(number);
                for keys in ["", "<Enter>", "<Enter>G", "Y", "Y<Tab>", "Y<Tab>G"] {
                    let mut desk = open();
                    desk.keys(&format!("{down}{keys}"));
                    walk.push((format!("{number} {keys}"), desk));
                }
            }
            for keys in [
                "?",
                "/ada@example.org",
                "/nickname3",
                "/nickname3<Enter>E",
                "/nobody-nickname3",
                "oada@example.org",
                "onickname3",
                "onickname3<Enter>",
                "O",
            ] {
                let mut desk = open();
                desk.keys(keys);
                walk.push((keys.to_owned(), desk));
            }
            for (name, reach) in crate::every_screen::SCREENS {
                let mut desk = open();
                desk.keys("j");
                reach(&mut desk);
                walk.push(((*name).to_owned(), desk));
            }
            let mut said = open();
            said.send(Event::Message {
                level: Level::Error,
                text: "User nickname3 (ada@example.org) is gone.".to_owned(),
            });
            walk.push(("an error".to_owned(), said));
            // Whoever was spoken of and is no more at hand.
            let mut later = open();
            later.send(Event::Message { level: Level::Error, text: "nickname3 (ada@example.org) is gone.".to_owned() });
            later.entries.retain(|entry| entry.users.iter().all(|user| user.username.as_str() != "nickname3"));
            later.send(Event::Changed);
            for keys in ["", "M"] {
                later.keys(keys);
                assert_eq!(shows(&later), None, "an error of old {keys}:\n{}", later.text());
            }
            later.keys("<Esc>J");
            walk.push(("the counterpart".to_owned(), later));
            let mut found_one = open();
            found_one.keys("oada@example.org<Enter>");
            let mut found = found(1);
            found.entry = entries[1].clone();
            found.explanation.why.push("user nickname3: has the e-mail ada@example.org, too".to_owned());
            found_one.send(Event::LookedUp { asked: "ada@example.org".to_owned(), answer: Ok(found) });
            beside(&mut found_one, 1);
            walk.push(("a ticket".to_owned(), found_one));
            for (name, desk) in &walk {
                assert_eq!(shows(desk), None, "{name} at {size:?}:\n{}", desk.text());
            }
            // The test sees them where they are.
            let mut shown = open();
            shown.keys("m");
            assert!(shows(&shown).is_some());
            shown.keys("m");
            assert_eq!(shows(&shown), None);
        }
    }
}

#[test]
fn masked_users_can_still_be_told_apart_and_what_differs_still_differs() {
    let mut desk = Desk::town((80, 24));
    desk.keys("m");
    insta::assert_snapshot!("masked_80x24", desk.screen());
    let differing = people::town().iter().position(|it| it.flags.contains(Flag::EmailDiffers)).unwrap();
    desk.keys(&"j".repeat(differing));
    desk.keys("<Enter>");
    assert!(desk.text().contains('≠'), "{}", desk.text());
}

#[test]
fn a_key_that_is_an_address_is_hidden_too_and_not_copied() {
    let id = |text: &str| userlink_domain::RowId::parse(userlink_domain::IdKind::Text, text).unwrap();
    let mut entry = people::row_side_only(1, "ada@example.org");
    entry.rows[0].id = id("ada.old@example.org");
    let mut other = people::linked(2, "bea@example.org");
    other.rows[0].id = id("bea@example.org");
    other.users[0].user_id = Some("bea@example.org".into());
    for size in SIZES {
        let mut desk = Desk::with(Setup { masked: true, ..setup() }, size, vec![entry.clone(), other.clone()]);
        for keys in ["", "<Enter>", "j", "YG", "<Esc>", "y", "y", "M"] {
            desk.keys(keys);
            assert!(!desk.text().contains("example"), "{keys}\n{}", desk.text());
        }
        assert!(desk.text().contains("Not copied"), "{}", desk.text());
        assert!(copied(&mut desk).iter().all(|text| !text.contains('@')));
    }
}

#[test]
fn what_is_masked_stays_masked_in_the_next_context_and_the_next_time() {
    let mut desk = Desk::town((80, 24));
    desk.keys("m");
    let kept = desk.model.kept();
    assert!(kept.masked);
    let asked = |masked| Setup { masked, ..setup() };
    for (setting, kept, seen) in [
        (false, kept.clone(), false),
        (false, userlink_ui::Kept::default(), true),
        (true, userlink_ui::Kept::default(), false),
    ] {
        let mut next = Desk::opened(asked(setting), (80, 24));
        next.model.restore(kept, false);
        next.entries = people::town();
        next.send(Event::Progress(complete()));
        next.count();
        assert_eq!(next.text().contains("ada@example.org"), seen, "setting: {setting}");
    }
    desk.model = desk.model.turned(asked(false), userlink_ui::Names::default());
    desk.send(Event::Progress(complete()));
    desk.count();
    assert!(desk.text().contains("What there is"), "another context opens on its overview, too: {}", desk.text());
    desk.keys("O");
    assert!(!desk.text().contains("ada@example.org") && desk.text().contains("••••@••••"), "{}", desk.text());
}

#[test]
fn an_entry_for_a_file_holds_nobody() {
    for entry in strangers() {
        let mut said = people::explanation(&entry);
        said.why.push("user zed the elder: has the e-mail zed@example.org, too".to_owned());
        let (masked, said) = userlink_ui::masked(&entry, said);
        assert_eq!(masked.users.len(), entry.users.len());
        assert!(masked.users.iter().zip(&entry.users).all(|(masked, user)| masked.sub == user.sub));
        let text = format!("{:?} {:?} {:?} {:?}", said.why, said.why_not, said.summary, said.related);
        let names =
            masked.users.iter().map(|user| format!("{} {:?} {:?}", user.username.as_str(), user.email, user.phone));
        let rows = masked.rows.iter().map(|row| format!("{:?} {:?}", row.email, row.show));
        let steps = said.repair.steps.iter().map(|step| match step {
            userlink_domain::Step::WriteUserId { username, value, .. } => format!("{username} {value}"),
            other => panic!("{other:?}"),
        });
        let text = names.chain(rows).chain(steps).fold(text, |text, more| text + "\n" + &more);
        let open = personal(std::slice::from_ref(&entry)).into_iter().find(|value| text.contains(value.as_str()));
        assert_eq!(open, None, "{text}");
        assert!(!text.contains("zed"), "{text}");
    }
}
