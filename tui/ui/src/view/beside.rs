//! What stands beside an entry on its page: the pairs that could be made, what refers to its rows, how long old tokens are
//! good, and what was done to it before.

use super::detail::labelled;
use crate::event::Phase;
use crate::evidence::lasts_longest;
use crate::glyphs::situation_words;
use crate::model::Model;
use crate::paint::Cells;
use crate::privacy;
use crate::theme::Role;
use crate::ticket::Found;
use crate::words::{absolute, ago};

/// Steps of the history that are shown.
const STEPS: usize = 20;

/// That a verdict is provisional, and what was not looked at.
pub(super) fn provisional(model: &Model, found: &Found, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut text = format!(
        "provisional: read {}, without a scan. Not looked at: {}",
        ago(found.at, model.now),
        model.told(&found.not_looked_at)
    );
    if let Some(situation) = found.scanned {
        let scan = if model.phase() == Phase::Complete { "The last scan" } else { "The scan that is shown" };
        text = format!("{text} {scan} has it as {}.", situation_words(situation));
    }
    look.wrap(&text, Role::Attention, width.saturating_sub(2))
        .into_iter()
        .map(|body| {
            let mut line = look.line();
            line.text(" ", Role::Plain);
            line.append(body);
            line
        })
        .collect()
}

pub(super) fn lines(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut out = pairs(model, width);
    let beside = &model.beside;
    let wait = || vec![format!("looking{}", look.glyphs.more)];
    let has_rows = model.opened.as_ref().is_some_and(|opened| !opened.entry.rows.is_empty());
    if has_rows {
        let references = beside.references.as_ref().map_or_else(wait, |all| {
            let several = all.len() > 1;
            let each = all.iter().map(|it| {
                let of = if several { format!(" to {}", it.row) } else { String::new() };
                match &it.tables {
                    Ok(tables) if tables.is_empty() => format!("No other table refers{of}."),
                    Ok(tables) => format!("{}{of}", tables.join(&format!(" {} ", look.glyphs.dot))),
                    Err(why) => format!("Not known{of}. {}", model.told(why)),
                }
            });
            each.collect()
        });
        out.extend(labelled(look, "Refers", &references, Role::Plain, width));
    }
    let tokens = match &beside.tokens {
        None => wait(),
        Some(Ok(lives)) => vec![lasts_longest(lives)],
        Some(Err(why)) => vec![format!("Not known. {}", model.told(why))],
    };
    out.extend(labelled(look, "Tokens", &tokens, Role::Plain, width));
    let history = match &beside.history {
        None => wait(),
        Some(Err(why)) => vec![format!("Not known. {}", model.told(why))],
        Some(Ok(done)) if done.is_empty() => vec!["Nothing was done to it from here.".to_owned()],
        Some(Ok(done)) => done
            .iter()
            .take(STEPS)
            .map(|step| {
                let reason = step.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                let (when, who) = (absolute(step.at), &step.actor);
                model.told(&format!("{when} {} by {who}: {}{reason}", step.outcome, step.what)).into_owned()
            })
            .collect(),
    };
    out.extend(labelled(look, "History", &history, Role::Plain, width));
    out
}

/// Each pair that could be made, with what speaks for it and against it.
fn pairs(model: &Model, width: usize) -> Vec<Cells> {
    let look = model.look();
    let mut out = Vec::new();
    let all = model.candidates().unwrap_or_default();
    for (at, candidate) in all.iter().enumerate() {
        let user = if model.is_masked() {
            privacy::username(&candidate.user, look.ascii()).into_owned()
        } else {
            candidate.user.clone()
        };
        let recommended = candidate.recommended.as_ref();
        let recommended = recommended.map(|why| format!(", recommended: {why}")).unwrap_or_default();
        let pair = vec![format!("{user} {} {}{}", look.glyphs.ties, candidate.mate, model.told(&recommended))];
        out.extend(labelled(look, if at == 0 { "Pairs" } else { "" }, &pair, Role::Strong, width));
        let told = |sign: &str, texts: &[String]| -> Vec<String> {
            texts.iter().map(|text| format!("{sign} {}", model.told(text))).collect()
        };
        out.extend(labelled(look, "", &told("+", &candidate.why), Role::Plain, width));
        out.extend(labelled(look, "", &told("-", &candidate.why_not), Role::Plain, width));
    }
    out
}
