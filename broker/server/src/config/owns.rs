//! The second stage of `owns` and `on-disagreement`: what each system and vendor is right about.

use super::{
    check::{Check, nearest},
    model::{Config, Owns},
    problem::ProblemKind,
    raw::RawConfig,
};
use archwire_core::{FieldGroup, OnDisagreement, Owner, Ownership};
use std::collections::{BTreeMap, BTreeSet};

impl Config {
    /// Who is right about what. A disabled system is right about nothing, because the bus does not hear what it says.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        let systems = self.systems.iter().filter(|(_, system)| system.enabled);
        let systems = systems.map(|(name, system)| (name, &system.owns));
        let vendors = self.vendors.iter().map(|(name, vendor)| (name, &vendor.owns));
        let mut ownership = Ownership::default();
        for (name, owns) in systems.chain(vendors) {
            for group in &owns.groups {
                let owner = Owner {
                    system: name.clone(),
                    on_disagreement: owns.on_disagreement,
                };
                ownership.assign(*group, owner);
            }
        }
        ownership
    }
}

/// Parses `owns` and `on-disagreement` of the table `key`.
pub(super) fn owns(
    check: &mut Check<'_>,
    key: &str,
    groups: Option<Vec<String>>,
    on_disagreement: Option<String>,
) -> Option<Owns> {
    let groups = groups.unwrap_or_default();
    let answer_key = format!("{key}.on-disagreement");
    let is_owner = !groups.is_empty();
    let groups: Vec<_> = groups
        .iter()
        .enumerate()
        .map(|(index, word)| group(check, &format!("{key}.owns[{index}]"), word))
        .collect();
    let groups: Option<BTreeSet<_>> = groups.into_iter().collect();
    let on_disagreement = match on_disagreement {
        Some(_) if !is_owner => {
            let what = "says what happens when others change what this one owns, but it owns nothing";
            let way_out =
                "it belongs beside `owns`, in the table of the program that is right: owns = [\"name\"]";
            check.problem(&answer_key, ProblemKind::Conflict, what, way_out);
            None
        }
        Some(word) => answer(check, &answer_key, &word),
        None => Some(OnDisagreement::default()),
    };
    Some(Owns {
        groups: groups?,
        on_disagreement: on_disagreement?,
    })
}

/// Notes every group that has two owners, at the second one.
pub(super) fn same_owners(check: &mut Check<'_>, raw: &RawConfig) {
    let enabled = raw.systems.iter().filter(|(_, raw)| raw.enabled != Some(false));
    let systems = enabled.map(|(name, raw)| (format!("systems.{name}"), &raw.owns));
    let vendors = raw
        .vendors
        .iter()
        .map(|(name, raw)| (format!("vendors.{name}"), &raw.owns));
    let mut owners: BTreeMap<FieldGroup, String> = BTreeMap::new();
    for (key, owns) in systems.chain(vendors) {
        for (index, word) in owns.iter().flatten().enumerate() {
            let Ok(group) = word.parse() else { continue };
            let owner = owners.entry(group).or_insert_with(|| key.clone());
            if *owner != key {
                let what = format!("\"{group}\" is owned by {owner} already");
                let way_out = "only one program can be right about a group: remove it from one of the two";
                check.problem(
                    &format!("{key}.owns[{index}]"),
                    ProblemKind::Conflict,
                    what,
                    way_out,
                );
            }
        }
    }
}

pub(super) fn group(check: &mut Check<'_>, key: &str, word: &str) -> Option<FieldGroup> {
    let parsed = word.parse();
    if parsed.is_err() {
        let words = FieldGroup::ALL.map(FieldGroup::as_str);
        let way_out = match nearest(word, words.into_iter()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the groups are {}", words.join(", ")),
        };
        check.value(key, format!("\"{word}\" is no group of fields"), way_out);
    }
    parsed.ok()
}

fn answer(check: &mut Check<'_>, key: &str, word: &str) -> Option<OnDisagreement> {
    match word {
        "review" => Some(OnDisagreement::Review),
        "restore" => Some(OnDisagreement::Restore),
        _ => {
            let what = format!("\"{word}\" is none of its words");
            check.value(key, what, "write \"review\" or \"restore\"");
            None
        }
    }
}
