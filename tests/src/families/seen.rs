//! What the programs show, in the order in which the bus observes it.

use super::{
    dice::Dice,
    person::Person,
    program::{self, SYSTEMS},
    slips::{self, Slip},
};
use archwire_core::{LocalId, Patient, SystemName};
use std::collections::{BTreeMap, BTreeSet};

/// A record of a program, as it is observed once.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The program.
    pub system: SystemName,
    /// The record's id there.
    pub local_id: LocalId,
    /// What the record says.
    pub patient: Patient,
    /// Who it is about: the number of a [`Person`].
    pub person: usize,
    /// What it says wrongly.
    pub slips: Vec<Slip>,
    /// Whether the record was about somebody else before.
    pub is_recycled: bool,
}

/// One record of somebody in a program, before it has an id.
struct Record {
    system: &'static str,
    person: usize,
    /// Whose record's id is given to this one.
    id_of: Option<usize>,
}

pub(super) fn by_all(dice: &mut Dice, people: &[Person]) -> Vec<Sighting> {
    let mut charts = Charts::default();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for record in records(dice, people) {
        let Some(person) = people.get(record.person) else {
            continue;
        };
        let numbers = charts.of(dice, record.system, person.number, people.len());
        let Ok(local_id) = format!("{}", 100_000 + record.id_of.unwrap_or(record.person)).parse() else {
            continue;
        };
        let Ok(system) = record.system.parse() else {
            continue;
        };
        let seen = |dice: &mut Dice, slips: Vec<Slip>| Sighting {
            system: SystemName::clone(&system),
            local_id: LocalId::clone(&local_id),
            patient: program::record(dice, record.system, person, &slips, &numbers),
            person: record.person,
            slips,
            is_recycled: record.id_of.is_some(),
        };
        let slips = slips::of_one_record(dice, person);
        let sighting = seen(dice, slips);
        if record.id_of.is_some() {
            later.push(sighting);
            continue;
        }
        first.push(sighting);
        // One record in twelve is typed again later, with slips of its own.
        if dice.in_thousand(80) {
            let slips = slips::of_one_record(dice, person);
            later.push(seen(dice, slips));
        }
    }
    dice.shuffle(&mut first);
    dice.shuffle(&mut later);
    first.extend(later);
    first
}

/// In which programs people are: everybody in one to three. One record in two hundred is given to somebody else later,
/// half of them within the household.
fn records(dice: &mut Dice, people: &[Person]) -> Vec<Record> {
    let mut records = Vec::new();
    for person in people {
        let mut systems = SYSTEMS;
        dice.shuffle(&mut systems);
        let count = match dice.between(0, 10) {
            0..3 => 1,
            3..7 => 2,
            _ => 3,
        };
        for system in systems.into_iter().take(count) {
            records.push(Record {
                system,
                person: person.number,
                id_of: None,
            });
        }
        if let (true, [system, ..]) = (dice.in_thousand(10), systems.get(count..).unwrap_or_default()) {
            let near = dice.in_thousand(500).then(|| relative(people, person)).flatten();
            let before = near.unwrap_or_else(|| dice.place(people.len()));
            let given_to = Record {
                system,
                person: person.number,
                id_of: Some(before),
            };
            records.extend((before != person.number).then_some(given_to));
        }
    }
    one_owner_each(records)
}

/// An id is given away once, and only by somebody who has it.
fn one_owner_each(records: Vec<Record>) -> Vec<Record> {
    let first = records.iter().filter(|record| record.id_of.is_none());
    let owners: BTreeSet<(&str, usize)> = first.map(|record| (record.system, record.person)).collect();
    let mut given_away = BTreeSet::new();
    records
        .into_iter()
        .filter(|record| match record.id_of {
            None => true,
            Some(before) => {
                owners.contains(&(record.system, before)) && given_away.insert((record.system, before))
            }
        })
        .collect()
}

/// Somebody of the household who is not of the same name. Not a twin: one given name that changed is a correction.
fn relative(people: &[Person], person: &Person) -> Option<usize> {
    let near = people.get(person.number.saturating_sub(6)..(person.number + 6).min(people.len()))?;
    let other = |other: &&Person| {
        other.household == person.household
            && other.number != person.number
            && other.given != person.given
            && other.born != person.born
    };
    near.iter().find(other).map(|other| other.number)
}

/// The chart numbers of every program.
#[derive(Default)]
struct Charts(BTreeMap<(&'static str, usize), String>);

impl Charts {
    /// The numbers that a record states: the program's own, and in three of ten the front desk's. One number in a
    /// hundred and fifty was somebody else's before.
    fn of(
        &mut self,
        dice: &mut Dice,
        system: &'static str,
        person: usize,
        people: usize,
    ) -> Vec<(String, String)> {
        let also = dice
            .in_thousand(300)
            .then_some("front-desk")
            .filter(|other| *other != system);
        let mut number = |system: &'static str| {
            let of = if dice.in_thousand(7) {
                dice.place(people)
            } else {
                person
            };
            let number = self
                .0
                .entry((system, person))
                .or_insert_with(|| format!("{}", 20_000 + of));
            (program::charts(system), number.clone())
        };
        [Some(system), also]
            .into_iter()
            .flatten()
            .map(&mut number)
            .collect()
    }
}
