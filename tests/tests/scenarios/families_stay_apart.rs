//! Families that are hard to tell apart, published by three programs of a practice to a real broker: nobody is taken for
//! somebody else.

use anyhow::{Context as _, Result, ensure};
use archwire_client::{Publisher, Receipt, v1};
use archwire_core as core;
use archwire_opendental_simulator::Options;
use archwire_tests::Practice;
use archwire_tests::families::{Families, SYSTEMS, Sighting};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// How many people, where `ARCHWIRE_PEOPLE` does not say.
const PEOPLE: usize = 1_500;
const SEED: u64 = 7;
/// Records that a program says at the same time.
const AT_A_TIME: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_thousand_families_is_taken_for_somebody_else() -> Result<()> {
    let people = match std::env::var("ARCHWIRE_PEOPLE") {
        Ok(number) => number.parse().context("ARCHWIRE_PEOPLE is no number")?,
        Err(_) => PEOPLE,
    };
    let families = Families::invented(SEED, people);
    let mut practice = practice().await?;
    practice.start_broker().await?;
    let mut publishers = BTreeMap::new();
    for system in SYSTEMS {
        publishers.insert(system.to_owned(), practice.vendor(system).await?.publisher());
    }
    let began = Instant::now();
    let answers = publish(&families.sightings, &publishers).await?;
    let took = began.elapsed();
    let figures = Figures::of(&families.sightings, &answers);
    println!(
        "{people} people, {} observations in {took:?}; {figures}; {} items in review",
        answers.len(),
        practice.ask(&["review", "list", "--limit", "1"]).await?["open"]
    );
    ensure!(
        figures.false_merges == 0,
        "{} patients are several people",
        figures.false_merges
    );
    ensure!(
        figures.linked * 2 > figures.pairs,
        "too little is linked for that to mean anything"
    );
    practice.stop_broker().await
}

/// Three programs, and no office that a connector would speak to.
async fn practice() -> Result<Practice> {
    let plan = SYSTEMS
        .iter()
        .fold(Practice::plan().log_level("info"), |plan, name| plan.vendor(name));
    let practice = plan.system("unused", Options::service()).open().await?;
    let text = practice.configuration()?;
    practice.set_configuration(&text.replace("poll-every", "enabled = false\npoll-every"))?;
    Ok(practice)
}

/// Publishes what each program sees, in its order: what a record shows later comes after everybody was seen once.
async fn publish(sightings: &[Sighting], publishers: &BTreeMap<String, Publisher>) -> Result<Vec<Receipt>> {
    let mut seen = BTreeSet::new();
    let is_first = |sighting: &Sighting| seen.insert((sighting.system.clone(), sighting.local_id.clone()));
    let first: Vec<bool> = sightings.iter().map(is_first).collect();
    let say = async |sighting: &Sighting| {
        let observation = v1::Observation {
            local_id: sighting.local_id.as_str().to_owned(),
            patient: Some(wire(&sighting.patient)),
            ..Default::default()
        };
        let publisher = publishers
            .get(sighting.system.as_str())
            .context("no such program")?;
        anyhow::Ok(publisher.publish(observation).await?)
    };
    let mut receipts: BTreeMap<usize, Receipt> = BTreeMap::new();
    for (is_first, at_a_time) in [(true, AT_A_TIME), (false, 1)] {
        let wave = sightings.iter().enumerate();
        let wave = wave.filter(|(place, _)| first[*place] == is_first);
        let answered = stream::iter(wave)
            .map(async |(place, sighting)| anyhow::Ok((place, say(sighting).await?)))
            .buffer_unordered(at_a_time);
        receipts.extend(answered.try_collect::<Vec<_>>().await?);
    }
    Ok(receipts.into_values().collect())
}

/// Pairs of records of different programs, against who they really are. What waits for a person is nobody's yet.
struct Figures {
    false_merges: usize,
    pairs: usize,
    linked: usize,
    linked_rightly: usize,
    held: usize,
}

impl Figures {
    fn of(sightings: &[Sighting], receipts: &[Receipt]) -> Self {
        let mut whose: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut records: BTreeMap<(&str, &str, usize), &str> = BTreeMap::new();
        let mut held = 0;
        for (sighting, receipt) in sightings.iter().zip(receipts) {
            if matches!(receipt, Receipt::InReview { .. }) {
                held += 1;
                continue;
            }
            let patient = receipt.patient_id();
            whose.entry(patient).or_default().insert(sighting.person);
            let record = (
                sighting.system.as_str(),
                sighting.local_id.as_str(),
                sighting.person,
            );
            records.entry(record).or_insert(patient);
        }
        let mut of_person: BTreeMap<usize, Vec<(&str, &str)>> = BTreeMap::new();
        let mut of_patient: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for ((system, _, person), patient) in records {
            of_person.entry(person).or_default().push((system, patient));
            of_patient.entry(patient).or_default().push((system, person));
        }
        let across = |one: &str, other: &str| one != other;
        let (mut pairs, mut linked, mut linked_rightly) = (0, 0, 0);
        for records in of_person.values() {
            for (place, one) in records.iter().enumerate() {
                pairs += records[place + 1..]
                    .iter()
                    .filter(|other| across(one.0, other.0))
                    .count();
            }
        }
        for records in of_patient.values() {
            for (place, one) in records.iter().enumerate() {
                for other in records[place + 1..].iter().filter(|other| across(one.0, other.0)) {
                    linked += 1;
                    linked_rightly += usize::from(one.1 == other.1);
                }
            }
        }
        Self {
            false_merges: whose.values().filter(|people| people.len() > 1).count(),
            pairs,
            linked,
            linked_rightly,
            held,
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |part: usize, of: usize| 100.0 * part as f64 / of.max(1) as f64;
        write!(
            f,
            "false merges {}; precision {:.2} % of {} pairs linked; recall {:.2} % of {} pairs; {} observations held",
            self.false_merges,
            share(self.linked_rightly, self.linked),
            self.linked,
            share(self.linked_rightly, self.pairs),
            self.pairs,
            self.held,
        )
    }
}

/// What of an invented person has a place in the contract, which is everything that is invented.
fn wire(patient: &core::Patient) -> v1::Patient {
    v1::Patient {
        identifiers: patient.identifiers.iter().map(identifier).collect(),
        names: patient.names.iter().map(name).collect(),
        birth_date: patient.birth_date.as_ref().map(|date| date.as_str().to_owned()),
        administrative_sex: match patient.administrative_sex {
            None => v1::AdministrativeSex::Unspecified,
            Some(core::AdministrativeSex::Male) => v1::AdministrativeSex::Male,
            Some(core::AdministrativeSex::Female) => v1::AdministrativeSex::Female,
            Some(core::AdministrativeSex::Other) => v1::AdministrativeSex::Other,
            Some(core::AdministrativeSex::Unknown) => v1::AdministrativeSex::Unknown,
        }
        .into(),
        telecom: patient.telecom.iter().map(contact).collect(),
        addresses: patient.addresses.iter().map(address).collect(),
        responsible_parties: patient.responsible_parties.iter().map(party).collect(),
        multiple_birth: patient.multiple_birth,
        multiple_birth_order: patient.multiple_birth_order,
        ..Default::default()
    }
}

fn text(text: &core::Text) -> String {
    text.as_str().to_owned()
}

fn identifier(identifier: &core::Identifier) -> v1::Identifier {
    v1::Identifier {
        system: identifier.system.clone(),
        value: text(&identifier.value),
        r#type: identifier.kind.as_ref().map(text),
        ..Default::default()
    }
}

fn name(name: &core::HumanName) -> v1::HumanName {
    v1::HumanName {
        family: name.family.as_ref().map(text),
        given: name.given.iter().map(text).collect(),
        suffix: name.suffix.iter().map(text).collect(),
        ..Default::default()
    }
}

fn contact(point: &core::ContactPoint) -> v1::ContactPoint {
    let system = match point.system {
        core::ContactSystem::Email => v1::ContactSystem::Email,
        _ => v1::ContactSystem::Phone,
    };
    let r#use = match point.r#use {
        Some(core::ContactUse::Mobile) => v1::ContactUse::Mobile,
        Some(core::ContactUse::Home) => v1::ContactUse::Home,
        Some(core::ContactUse::Work) => v1::ContactUse::Work,
        _ => v1::ContactUse::Unspecified,
    };
    v1::ContactPoint {
        system: system.into(),
        value: text(&point.value),
        r#use: r#use.into(),
        ..Default::default()
    }
}

fn address(address: &core::Address) -> v1::Address {
    v1::Address {
        r#use: v1::AddressUse::Home.into(),
        lines: address.lines.iter().map(text).collect(),
        postal_code: address.postal_code.as_ref().map(text),
        ..Default::default()
    }
}

fn party(party: &core::ResponsibleParty) -> v1::ResponsibleParty {
    v1::ResponsibleParty {
        name: party.name.as_ref().map(name),
        relationship: party.relationship.as_ref().map(text),
        is_guarantor: party.is_guarantor,
        ..Default::default()
    }
}
