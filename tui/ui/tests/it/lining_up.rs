//! Whatever people call themselves: columns stay columns, and nothing unseen reaches the terminal.

use ratatui::buffer::CellWidth;
use userlink_domain::{RowId, Situation};
use userlink_ui::{Event, Level, Setup, Theme};

use crate::desk::{Desk, setup};
use crate::people;

/// The columns on which the arrow of `◀──╴` begins, one for each entry on the screen.
fn gutters(desk: &Desk) -> Vec<u16> {
    let (buffer, regions) = desk.draw();
    let lines = regions.entries.iter().map(|(area, _)| area.y);
    let columns = lines.map(|y| (0..buffer.area.width).find(|x| buffer[(*x, y)].symbol() == "◀"));
    columns.map(|x| x.expect("an arrow")).collect()
}

#[test]
fn the_gutter_stands_in_one_column_at_every_width() {
    for width in 60..210 {
        let desk = Desk::with(setup(), (width, 40), people::hostile());
        let columns = gutters(&desk);
        assert!(columns.len() >= 10, "{width}");
        assert!(columns.iter().all(|column| *column == columns[0]), "{width} {columns:?}");
    }
}

#[test]
fn no_cell_holds_what_cannot_be_seen_or_is_wider_than_its_place() {
    for (width, height) in [(60, 16), (80, 24), (133, 33), (200, 50)] {
        for keys in ["", "<Enter>", "r", "jj<Enter>", "?"] {
            let mut desk = Desk::with(setup(), (width, height), people::hostile());
            desk.send(Event::Message { level: Level::Error, text: "\u{1B}]0;title\u{7} \u{202E}evil".to_owned() });
            desk.keys(keys);
            if keys == "r" {
                desk.prepared(0);
            }
            let (buffer, _) = desk.draw();
            for y in 0..height {
                for x in 0..width {
                    let symbol = buffer[(x, y)].symbol();
                    assert!(!userlink_ui::is_odd_text(symbol) || symbol.is_empty(), "{symbol:?} at {x},{y}");
                    assert!(x + symbol.cell_width() <= width, "{symbol:?} runs over the edge");
                }
            }
        }
    }
}

#[test]
fn what_was_written_out_is_marked_and_what_was_not_is_not() {
    let desk = Desk::with(setup(), (160, 40), people::hostile());
    let text = desk.text();
    let marked = |part: &str| text.lines().skip(4).any(|line| line.contains(part) && line.contains('⚠'));
    for odd in ["zoe<U+200B>", "soft<U+00AD>", "tag<U+E0041>", "<U+001B>[31m"] {
        assert!(marked(odd), "{odd}");
    }
    assert!(!text.lines().any(|line| line.contains("thumbs") && line.contains('⚠')));
}

#[test]
fn a_wide_letter_at_the_edge_of_a_box_does_not_hide_its_edge() {
    for width in 100..160 {
        let name = "李".repeat(40);
        let crowd =
            (1..30).map(|number| people::row_side_only(number, &format!("{}{name}", "x".repeat(number as usize % 2))));
        let mut desk = Desk::with(setup(), (width, 30), crowd.collect());
        desk.keys("r");
        desk.prepared(0);
        let (buffer, _) = desk.draw();
        for y in 0..30 {
            for x in 0..width {
                if matches!(buffer[(x, y)].symbol(), "│" | "╭" | "╰") && x > 0 {
                    assert!(buffer[(x - 1, y)].symbol().cell_width() < 2, "{x},{y} at {width}");
                }
            }
        }
    }
}

#[test]
fn a_crowd_takes_nine_lines_and_says_how_many_more() {
    let mut crowd = people::row_side_only(1, "many@example.org");
    crowd.situation = Situation::Ambiguous;
    crowd.users = (1..=20).map(|number| people::user(number, "many@example.org")).collect();
    crowd.user_count = 20;
    let desk = Desk::with(setup(), (80, 40), vec![crowd, people::linked(99, "next@example.org")]);
    let (_, regions) = desk.draw();
    assert_eq!(regions.entries[0].0.height, 9);
    assert!(desk.text().contains("+12 more users"));
}

#[test]
fn ids_of_every_kind_keep_to_their_column() {
    let ids = [RowId::BigInt(7), RowId::BigInt(i64::MIN), RowId::Text("anna\u{202E}lise-with-a-long-id".into())];
    let entries = ids.into_iter().zip(1..).map(|(id, number)| {
        let mut entry = people::row_side_only(number, "a@example.org");
        entry.rows[0].id = id;
        entry
    });
    let desk = Desk::with(setup(), (80, 24), entries.collect());
    assert_eq!(gutters(&desk), [39, 39, 39]);
    assert!(desk.text().contains("-9223372…5808"));
}

#[test]
fn the_selection_is_there_without_colour() {
    for theme in [Theme::Terminal, Theme::Monochrome] {
        let desk = Desk::with(Setup { theme, ..setup() }, (80, 24), people::town());
        let (buffer, regions) = desk.draw();
        let y = regions.entries[0].0.y;
        assert_eq!(buffer[(0, y)].symbol(), "▌");
        for x in 1..80 {
            assert!(buffer[(x, y)].modifier.contains(ratatui::style::Modifier::REVERSED), "{theme:?} {x}");
        }
    }
}
