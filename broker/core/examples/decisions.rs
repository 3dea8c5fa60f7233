//! How fast the pure rules decide, and what the index over all patients weighs.
//!
//! `cargo run --release -p archwire-core --example decisions` invents 50,000 patients in households of four and prints
//! identity decisions a second (each with the profile of the record and of everybody it is compared with made from
//! patients, as a registry does), judgements a second of a changed record, and bytes a patient of the index. One thread, no
//! I/O.

use archwire_core::{
    AdministrativeSex, ContactPoint, ContactSystem, ContactUse, Fields, HumanName, Identifier, Ownership,
    PartialDate, Patient, PatientId, Situation, SystemName, Text,
    identity::{Known, People, Profile, Trust},
    judge,
};
use std::{cell::Cell, collections::BTreeMap, time::Instant};

const PATIENTS: usize = 50_000;
const DECISIONS: usize = 20_000;

const GIVEN: [&str; 32] = [
    "Emma",
    "Olivia",
    "Ava",
    "Sofía",
    "Isabella",
    "Mia",
    "Charlotte",
    "Amelia",
    "Liam",
    "Noah",
    "William",
    "James",
    "Oliver",
    "Benjamin",
    "Elijah",
    "Lucas",
    "María",
    "José",
    "Juan",
    "Lucía",
    "Zoë",
    "Grace",
    "Chloe",
    "Camila",
    "Henry",
    "Jackson",
    "Mateo",
    "Levi",
    "Daniel",
    "Owen",
    "Nora",
    "Lily",
];

/// Parts of family names, so that there are as many as a county has.
const FAMILY: [[&str; 16]; 2] = [
    [
        "Al", "Ber", "Car", "Dun", "El", "Fer", "Gar", "Hol", "Ing", "Jen", "Kes", "Lar", "Mor", "Nor", "Ol",
        "Pet",
    ],
    [
        "bach", "cía", "den", "ford", "gate", "holm", "ington", "ley", "man", "nández", "rell", "ris", "sen",
        "ton", "well", "wick",
    ],
];

fn main() {
    let patients: BTreeMap<PatientId, Patient> = (0..PATIENTS)
        .map(|number| (PatientId::generate(), patient(number)))
        .collect();
    let before = resident_bytes();
    let start = Instant::now();
    let mut people = People::with_room_for(Trust::by_kind(), PATIENTS);
    for (id, patient) in &patients {
        people.put(*id, &Profile::of(patient));
    }
    let filled = start.elapsed();
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let each = after.saturating_sub(before) / people.len().max(1);
        println!(
            "index: {each} bytes a patient (resident memory, {} patients, filled in {filled:.0?})",
            people.len()
        );
    }
    identity(&people, &patients);
    judgement(&patients);
}

fn identity(people: &People, patients: &BTreeMap<PatientId, Patient>) {
    let compared = Cell::new(0_usize);
    let known = |id: PatientId| {
        compared.set(compared.get() + 1);
        Some(Known {
            profile: Profile::of(patients.get(&id)?).into(),
            has_record_in_system: false,
            ruled_out: false,
        })
    };
    let (mut linked, mut asked) = (0, 0);
    let start = Instant::now();
    for number in 0..DECISIONS {
        // Every second one is somebody whom another program knows, the others are new.
        let shown = patient(if number % 2 == 0 {
            number
        } else {
            PATIENTS + number
        });
        let verdict = people.identify(&Profile::of(&shown), &known);
        linked += usize::from(verdict.same.is_some());
        asked += usize::from(verdict.same.is_none() && !verdict.review.is_empty());
    }
    let rate = rate(DECISIONS, start);
    let each = compared.get() as f64 / DECISIONS as f64;
    println!(
        "identity: {rate:.0} decisions/s ({linked} linked, {asked} in review, {each:.1} patients compared each)"
    );
}

fn judgement(patients: &BTreeMap<PatientId, Patient>) {
    let Ok(system) = "front-desk".parse::<SystemName>() else {
        return;
    };
    let ownership = Ownership::default();
    let mut changed = 0;
    let shadows: Vec<Fields> = patients
        .values()
        .take(DECISIONS)
        .filter_map(|patient| Fields::of(patient).ok())
        .collect();
    let start = Instant::now();
    for (patient, shadow) in patients.values().zip(&shadows) {
        let mut shown = patient.clone();
        shown.telecom.clear();
        let Ok(observed) = Fields::of(&shown) else {
            continue;
        };
        let judgement = judge(&Situation {
            system: &system,
            current: Some(shadow),
            shadow: Some(shadow),
            observed: &observed,
            ownership: &ownership,
            holds: &|_| true,
            is_given_up: false,
        });
        changed += judgement.change.changed.len();
    }
    println!(
        "judgement: {:.0} decisions/s ({changed} paths changed)",
        rate(shadows.len(), start)
    );
}

/// The same patient for the same number; every four in a row are a household.
fn patient(number: usize) -> Patient {
    let household = number / 4;
    let drawn = |salt: usize| mixed(household * 64 + salt);
    let pick =
        |list: &[&'static str], at: usize| list.get(at % list.len().max(1)).copied().unwrap_or_default();
    let [starts, ends] = &FAMILY;
    let family = format!(
        "{}{}{}",
        pick(starts, drawn(1)),
        pick(ends, drawn(2)),
        pick(ends, drawn(5) % 7)
    );
    let own = drawn(number % 4 + 10);
    let birth_date = format!(
        "{}-{:02}-{:02}",
        2006 + own % 18,
        own / 18 % 12 + 1,
        own / 216 % 28 + 1
    );
    let phone = |salt| {
        format!(
            "(503) {:03}-{:04}",
            200 + drawn(salt) % 800,
            drawn(salt) / 800 % 10_000
        )
    };
    let contact = |system, value: String, r#use| ContactPoint {
        system,
        value: Text::from(value),
        r#use,
        rank: None,
        period: None,
    };
    Patient {
        names: vec![HumanName {
            family: Some(Text::from(family)),
            given: vec![Text::from(pick(&GIVEN, own / 7))],
            ..HumanName::default()
        }],
        birth_date: PartialDate::parse(&birth_date).ok(),
        administrative_sex: Some(if own % 2 == 0 {
            AdministrativeSex::Female
        } else {
            AdministrativeSex::Male
        }),
        telecom: vec![
            contact(ContactSystem::Phone, phone(3), Some(ContactUse::Home)),
            contact(ContactSystem::Phone, phone(4), Some(ContactUse::Mobile)),
            contact(
                ContactSystem::Email,
                format!("house{household}@mail.example"),
                None,
            ),
        ],
        identifiers: vec![
            identifier("urn:example:chart", "MR", 100_000 + number),
            identifier("urn:example:member", "MB", 500_000 + household),
        ],
        ..Patient::default()
    }
}

/// Bits without a pattern, for small numbers (Steele and others' SplitMix64).
fn mixed(number: usize) -> usize {
    let bits = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (bits >> 32) as usize
}

fn identifier(system: &str, kind: &str, number: usize) -> Identifier {
    Identifier {
        system: system.to_owned(),
        value: Text::from(format!("{number}")),
        kind: Some(Text::from(kind)),
        ..Identifier::default()
    }
}

fn rate(count: usize, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

/// Linux only; elsewhere the figure is left out.
fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
