//! What of a selection can be planned at once, what a person has to look at first, and what is left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use userlink_domain::{Choice, Flag, RecordRef, Situation};
use userlink_link::{Lead, Linker};

use crate::candidates::recommended;
use crate::planner::may_be_repaired;
use crate::refused::Refused;

/// A selection, sorted by what has to come next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sifted {
    /// These follow from what was chosen, or from what is recommended.
    pub choices: Vec<Choice>,
    /// For these a person chooses, or looks at the value that would be overwritten.
    pub look: Vec<RecordRef>,
    /// Why others are left out, and how many.
    pub left_out: BTreeMap<String, u64>,
}

/// Sorts a selection. `made` is what was chosen by now, `passed_over` whom a person left out.
///
/// Beside others nothing is overwritten that nobody looked at, nothing contested nor whoever was contained is taken as
/// recommended, and what is repaired one at a time is left out.
pub fn sift(linker: &Linker, of: &[RecordRef], made: &[Choice], passed_over: &[RecordRef]) -> Sifted {
    let mut sifted = Sifted::default();
    let lead = |of: &RecordRef| linker.lead_of(of);
    let mut seen: HashSet<Lead> = HashSet::new();
    let entries: Vec<(Lead, &RecordRef)> =
        of.iter().filter_map(|of| Some((lead(of)?, of))).filter(|(lead, _)| seen.insert(*lead)).collect();
    let chosen: HashMap<Lead, &Choice> = made.iter().filter_map(|choice| Some((lead(&choice.of)?, choice))).collect();
    let passed_over: HashSet<Lead> = passed_over.iter().filter_map(lead).collect();
    let many = entries.len();
    let mut leave = |why: String| *sifted.left_out.entry(why).or_default() += 1;
    for (lead, of) in entries {
        if passed_over.contains(&lead) {
            leave("left out by you".to_owned());
            continue;
        }
        let Some(entry) = linker.entry(of) else { continue };
        let situation = entry.situation;
        let blank = Choice { of: of.clone(), pairs: Vec::new(), reason: None };
        let choice = chosen.get(&lead).map_or(&blank, |choice| choice);
        match may_be_repaired(linker, &entry, choice, many, "") {
            Ok(()) | Err(Refused::NeedsReason(..)) => {}
            Err(Refused::OneAtATime(..)) => {
                leave(format!("{}: repaired one at a time", situation.words()));
                continue;
            }
            Err(Refused::Writable(..)) => {
                leave(format!("{}: users can write the attribute, so one at a time", situation.words()));
                continue;
            }
            Err(_) => {
                leave(format!("{}: there is no repair", situation.words()));
                continue;
            }
        }
        let has_been_chosen = chosen.contains_key(&lead) && (!choice.pairs.is_empty() || many == 1);
        let overwrites = !matches!(
            situation,
            Situation::RowSideOnly | Situation::UserSideOnly | Situation::EmailMatch | Situation::NoRow
        );
        let held_back = entry.flags.contains(Flag::Contested) || linker.is_contained(of);
        let look = many > 1 && (overwrites || held_back);
        if (has_been_chosen || !look) && (!choice.pairs.is_empty() || recommended(linker, of).is_some()) {
            sifted.choices.push(Choice { of: of.clone(), ..choice.clone() });
        } else {
            sifted.look.push(of.clone());
        }
    }
    sifted
}
