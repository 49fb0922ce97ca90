//! What the pool is asked, and how much of it is allowed: a meter each, or all of it on one line.

use super::rule;
use crate::model::Model;
use crate::overview::Spent;
use crate::paint::Cells;
use crate::theme::Role;
use crate::words::{counted, thousands};

const NAME: usize = 14;

fn used(model: &Model) -> impl Iterator<Item = &Spent> {
    model.overview.spent.iter().filter(|spent| spent.made > 0)
}

/// `Requests  UserList 14.8/s, limit 14.2, 3 refused · UserPoolRead 0/s, limit 5`; nothing where nothing was asked.
pub(super) fn summary(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut line = look.line();
    line.text(" Requests", Role::Muted);
    for (at, spent) in used(model).enumerate() {
        let text = format!("{} {}/s, limit {}", spent.category, rate(spent.per_second), rate(spent.rate));
        let refused = format!(", {} refused", thousands(spent.refused));
        let refused = if spent.refused > 0 { refused } else { String::new() };
        let gap = if at == 0 { "  ".to_owned() } else { format!(" {} ", look.glyphs.dot) };
        if line.width() + look.width(&gap) + look.width(&text) + look.width(&refused) + 2 > width {
            line.text(&format!(" {}", look.glyphs.more), Role::Muted);
            break;
        }
        line.text(&gap, Role::Muted);
        line.text(&text, Role::Plain);
        line.text(&refused, Role::Attention);
    }
    if used(model).next().is_some() { vec![line] } else { Vec::new() }
}

/// `UserList   14.8 a second, limit 15  ▕██████░░▏   3 refused   AWS allows 30 for all pools together`
pub(super) fn meters(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut lines = Vec::new();
    for spent in used(model) {
        let mut line = look.line();
        let [start, full, rest, end] = look.glyphs.meter;
        line.text("   ", Role::Plain);
        line.cell(&spent.category, Role::Plain, NAME);
        line.right(&rate(spent.per_second), Role::Strong, 6);
        // What is left of a limit that was just made smaller shows in the next seconds only.
        line.text(&format!(" a second, limit {}", rate(spent.rate)), Role::Muted);
        line.to(NAME + 32);
        let inner = (width / 8).clamp(8, 24);
        line.text(start, Role::Muted);
        let from = line.width();
        let part = if spent.full > 0.0 { (spent.per_second / spent.full).clamp(0.0, 1.0) } else { 0.0 };
        line.fill(full, Role::Accent, from + (part * inner as f64).round() as usize);
        line.fill(rest, Role::Muted, from + inner);
        line.text(end, Role::Muted);
        let refused = if spent.refused > 0 { Role::Attention } else { Role::Muted };
        for (text, role) in [
            (counted(spent.made, "request", "requests"), Role::Plain),
            (format!("{} refused", thousands(spent.refused)), refused),
            (format!("AWS allows {} for all pools together", rate(spent.quota)), Role::Muted),
        ] {
            if line.width() + 3 + look.width(&text) < width {
                line.text(if line.width() == from + inner + 1 { "  " } else { "   " }, Role::Plain);
                line.text(&text, role);
            }
        }
        lines.push(line);
    }
    if !lines.is_empty() {
        lines.insert(0, rule(look, "Requests to the pool", "", width));
    }
    lines
}

/// `15`, `14.8`.
fn rate(rate: f64) -> String {
    if !rate.is_finite() {
        return "-".to_owned();
    }
    let text = format!("{rate:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
