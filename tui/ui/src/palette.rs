//! The palette: every command, found by a few of its letters, with its key, and why it can do nothing where it cannot.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_input::Input;

use crate::command::{self, why_not};
use crate::effect::Effect;
use crate::keys::{Command, Place, Section};
use crate::model::Model;
use crate::over::Over;

/// The palette while it is open.
#[derive(Debug)]
pub(crate) struct Palette {
    pub(crate) input: Input,
    /// Where it was opened: the commands are given there.
    from: Place,
    /// Which of the offers is chosen.
    pub(crate) chosen: usize,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) command: Command,
    pub(crate) words: &'static str,
    pub(crate) name: &'static str,
    /// As they are written on the screen.
    pub(crate) keys: String,
    /// Why it can do nothing now.
    pub(crate) why_not: Option<String>,
    /// The letters of the words, counted from 0, and then of the name after one blank, that were found.
    pub(crate) found: Vec<u32>,
}

impl Palette {
    pub(crate) fn new(from: Place) -> Self {
        Self { input: Input::default(), from, chosen: 0 }
    }

    /// The commands that answer to what was typed, the best first; without a search, those that can do something first.
    pub(crate) fn offers(&self, model: &Model) -> Vec<Offer> {
        let mut offers = self.all(model);
        let wanted = self.input.value().trim();
        if wanted.is_empty() {
            offers.sort_by_key(|offer| offer.why_not.is_some());
            return offers;
        }
        let pattern = Pattern::parse(wanted, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut scored: Vec<(u32, Offer)> = Vec::new();
        for mut offer in offers {
            let text = format!("{} {}", offer.words, offer.name);
            let score = pattern.indices(Utf32Str::new(&text, &mut letters), &mut matcher, &mut offer.found);
            offer.found.sort_unstable();
            offer.found.dedup();
            scored.extend(score.map(|score| (score, offer)));
        }
        scored.sort_by_key(|(score, offer)| (std::cmp::Reverse(*score), offer.why_not.is_some()));
        scored.into_iter().map(|(_, offer)| offer).collect()
    }

    /// Every command once, as it is called where the palette was opened. Moving about comes last: for that one has keys.
    fn all(&self, model: &Model) -> Vec<Offer> {
        let mut offers: Vec<(bool, Offer)> = Vec::new();
        let here = model.keys.at(self.from);
        for binding in here.chain(Place::ALL.iter().flat_map(|place| model.keys.at(*place))) {
            let line = binding.line;
            let is_answer = line.section == Section::Always && line.command != Command::Suspend;
            if is_answer || line.command == Command::Palette || offers.iter().any(|(_, it)| it.command == line.command)
            {
                continue;
            }
            let elsewhere = !line.places.contains(&self.from);
            let places: Vec<_> = line.places.iter().map(|place| place.name()).collect();
            let elsewhere = elsewhere.then(|| format!("Only here: {}.", places.join(", ")));
            let offer = Offer {
                command: line.command,
                words: line.words,
                name: line.name,
                keys: binding.shown(),
                why_not: elsewhere.or_else(|| why_not(model, line.command)),
                found: Vec::new(),
            };
            offers.push((line.section == Section::Move, offer));
        }
        offers.sort_by_key(|(moves, _)| *moves);
        offers.into_iter().map(|(_, offer)| offer).collect()
    }
}

/// What was typed has changed: the best of what is left is chosen.
pub(crate) fn typed(model: &mut Model) {
    if let Some(Over::Palette(palette)) = &mut model.over {
        palette.chosen = 0;
    }
}

pub(crate) fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    let Some(Over::Palette(palette)) = &model.over else { return };
    let offers = palette.offers(model);
    let (chosen, from) = (palette.chosen.min(offers.len().saturating_sub(1)), palette.from);
    let page = model.page_lines();
    let moved = match command {
        Command::Up => chosen.saturating_sub(1),
        Command::Down => chosen + 1,
        Command::PageUp => chosen.saturating_sub(page),
        Command::PageDown => chosen + page,
        Command::Accept => {
            let Some(offer) = offers.into_iter().nth(chosen) else {
                return model.hint("No command is called that. Esc closes the palette.");
            };
            match offer.why_not {
                Some(why) => model.hint(why),
                None => {
                    model.over = None;
                    command::run(model, from, offer.command, effects);
                }
            }
            return;
        }
        _ => {
            model.over = None;
            return;
        }
    };
    let moved = moved.min(offers.len().saturating_sub(1));
    if moved == chosen {
        command::at_the_end(model, command);
    }
    if let Some(Over::Palette(palette)) = &mut model.over {
        palette.chosen = moved;
    }
}
