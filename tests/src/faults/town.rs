//! The people of a run: who they are, what was last typed and published about each, and what publishers were told.
//!
//! Each change writes a value that nobody has written before, so that the log tells of every value at which revision it
//! came. A vendor corrects mail addresses and the front desk numbers at work: nobody else touches these, so that the newest
//! is known without asking the bus.

use super::evidence::{Answer, Told};
use super::values::{Person, Values, of_fields, of_office, of_wire, person_of};
use crate::{TracingProgram, set_email, wire_patient};
use anyhow::{Context as _, Result, bail};
use archwire_client::{PublishError, Publisher, Receipt, v1};
use archwire_opendental_simulator::{Field, FrontDesk, Handle, PatientFields, generate};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everybody who may be entered in a run. Cheap to clone.
#[derive(Clone)]
pub struct Town {
    vendor_name: String,
    vendor: TracingProgram,
    office: Arc<Handle>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    people: Vec<Somebody>,
    told: Vec<Told>,
    at_the_office: HashMap<Person, i64>,
}

/// Somebody, as last entered.
#[derive(Debug, Clone)]
struct Somebody {
    fields: PatientFields,
    is_entered: bool,
    local_id: Option<String>,
    changes: u32,
}

/// What two people would have to share to be taken for one, or for a family.
const TELLING: [&[Field]; 3] = [
    &[Field::LName, Field::FName],
    &[Field::Birthdate],
    &[Field::HmPhone, Field::WirelessPhone],
];

/// Invented people of whom no two share a name, a birth date or a number, so that nobody is a possible duplicate of anybody.
#[must_use]
pub fn strangers(seed: u64, count: usize) -> Vec<PatientFields> {
    let (mut known, mut strangers) = (BTreeSet::new(), Vec::with_capacity(count));
    for fields in generate::patients(seed, count * 4) {
        let text = |field: &Field| fields.get(*field).unwrap_or_default().to_owned();
        let telling = TELLING.map(|group| group.iter().map(text).collect::<String>());
        let is_new = telling.iter().all(|text| !known.contains(text));
        if strangers.len() < count && is_new {
            known.extend(telling);
            strangers.push(fields);
        }
    }
    strangers
}

impl Town {
    pub(super) fn new(
        vendor_name: &str,
        vendor: TracingProgram,
        office: Arc<Handle>,
        seed: u64,
        count: usize,
    ) -> Self {
        let somebody = |fields| Somebody {
            fields,
            is_entered: false,
            local_id: None,
            changes: 0,
        };
        let state = State {
            people: strangers(seed, count).into_iter().map(somebody).collect(),
            ..State::default()
        };
        Self {
            vendor_name: vendor_name.to_owned(),
            vendor,
            office,
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> FrontDesk {
        self.office.front_desk()
    }

    fn somebody(&self, number: usize) -> Result<Somebody> {
        let state = self.state();
        state
            .people
            .get(number)
            .cloned()
            .context("nobody has this number")
    }

    fn update(&self, number: usize, change: impl FnOnce(&mut Somebody)) {
        if let Some(somebody) = self.state().people.get_mut(number) {
            change(somebody);
        }
    }

    /// How many people there are, entered or not.
    #[must_use]
    pub fn size(&self) -> usize {
        self.state().people.len()
    }

    /// Whether somebody was entered anywhere.
    #[must_use]
    pub fn is_entered(&self, number: usize) -> bool {
        self.state()
            .people
            .get(number)
            .is_some_and(|somebody| somebody.is_entered)
    }

    /// Registers somebody at the vendor, and waits until the bus has stored it.
    ///
    /// # Errors
    /// When the bus does not take it.
    pub async fn register(&self, number: usize) -> Result<()> {
        let fields = self.somebody(number)?.fields;
        self.update(number, |somebody| somebody.is_entered = true);
        let patient = wire_patient(&fields);
        let said = of_wire(&patient);
        let (local_id, receipt) = self.vendor.register(patient).await?;
        self.hear(&local_id, said, &receipt)?;
        self.update(number, |somebody| somebody.local_id = Some(local_id));
        Ok(())
    }

    /// Types somebody in at the front desk. Tells the office's number.
    ///
    /// # Errors
    /// When there is nobody with this number.
    pub fn type_in(&self, number: usize) -> Result<i64> {
        let fields = self.somebody(number)?.fields;
        let pat_num = self.desk().create(&fields);
        let mut state = self.state();
        state
            .at_the_office
            .insert(person_of(&of_fields(&fields)), pat_num);
        if let Some(somebody) = state.people.get_mut(number) {
            somebody.is_entered = true;
        }
        Ok(pat_num)
    }

    /// Corrects somebody's mail address at the vendor, and waits until the bus has stored it. Does nothing, and says so, when
    /// the vendor does not know the person yet.
    ///
    /// # Errors
    /// When the bus does not take it.
    pub async fn correct(&self, number: usize) -> Result<bool> {
        let somebody = self.somebody(number)?;
        let Some(local_id) = self.at_the_vendor(number, &somebody) else {
            return Ok(false);
        };
        let email = format!("person{number}-{}@example.com", somebody.changes + 1);
        let receipt = self
            .vendor
            .edit(&local_id, |patient| set_email(patient, &email))
            .await?;
        self.hear(
            &local_id,
            Values::from([(Field::Email.name(), email.clone())]),
            &receipt,
        )?;
        self.update(number, |somebody| {
            somebody.changes += 1;
            somebody.fields.set(Field::Email, email);
        });
        Ok(true)
    }

    /// Corrects somebody's mail address through a publisher of the vendor's that may give up. As long as it does, the next call
    /// says the same again, so that it does not matter whether it was stored.
    ///
    /// # Errors
    /// When it is not taken, or nobody knows.
    pub async fn correct_by(&self, number: usize, publisher: &Publisher) -> Result<(), PublishError> {
        let (Ok(somebody), Some(local_id)) = (self.somebody(number), self.local_id(number)) else {
            return Err(PublishError::Stopped);
        };
        let email = format!("person{number}-{}@example.com", somebody.changes + 1);
        let mut patient = wire_patient(&somebody.fields);
        set_email(&mut patient, &email);
        let observation = v1::Observation {
            local_id: local_id.clone(),
            patient: Some(patient),
            ..Default::default()
        };
        let receipt = publisher.publish(observation).await?;
        let said = Values::from([(Field::Email.name(), email.clone())]);
        if self.hear(&local_id, said, &receipt).is_ok() {
            self.update(number, |somebody| {
                somebody.changes += 1;
                somebody.fields.set(Field::Email, email);
            });
        }
        Ok(())
    }

    /// The vendor's number of somebody whom it registered.
    fn local_id(&self, number: usize) -> Option<String> {
        self.state().people.get(number)?.local_id.clone()
    }

    /// Types another number at work at the front desk. Does nothing, and says so, when the office does not have the person yet.
    ///
    /// # Errors
    /// When there is nobody with this number.
    pub fn retype(&self, number: usize) -> Result<bool> {
        let Some(pat_num) = self.pat_num(number)? else {
            return Ok(false);
        };
        let somebody = self.somebody(number)?;
        let change = somebody.changes + 1;
        let phone = format!("({:03}){:03}-{:04}", 200 + number % 700, number / 700, change);
        self.desk().set(pat_num, Field::WkPhone, &phone)?;
        self.update(number, |somebody| {
            somebody.changes = change;
            somebody.fields.set(Field::WkPhone, phone);
        });
        Ok(true)
    }

    /// The office's number of somebody, when it has one.
    ///
    /// # Errors
    /// When there is nobody with this number.
    pub fn pat_num(&self, number: usize) -> Result<Option<i64>> {
        let person = person_of(&of_fields(&self.somebody(number)?.fields));
        let known = self.state().at_the_office.get(&person).copied();
        if known.is_some() {
            return Ok(known);
        }
        let patients = self.office.patients();
        let mut state = self.state();
        for patient in patients {
            let who = person_of(&of_office(&patient));
            state.at_the_office.entry(who).or_insert(patient.pat_num);
        }
        Ok(state.at_the_office.get(&person).copied())
    }

    /// The vendor's id of somebody's record; `None` when the vendor does not know the person yet.
    ///
    /// # Errors
    /// When there is nobody with this number.
    pub fn record_at_the_vendor(&self, number: usize) -> Result<Option<String>> {
        let somebody = self.somebody(number)?;
        Ok(self.at_the_vendor(number, &somebody))
    }

    /// A record of which the bus knows: before, two of the vendor's own words about it could overtake each other.
    fn at_the_vendor(&self, number: usize, somebody: &Somebody) -> Option<String> {
        if somebody.local_id.is_some() {
            return somebody.local_id.clone();
        }
        let person = person_of(&of_fields(&somebody.fields));
        let is_them = |patient: &v1::Patient| person_of(&of_wire(patient)) == person;
        let found = self
            .vendor
            .find(|local| local.is_known_to_bus && is_them(&local.patient));
        let local_id = found.ok()?.local_id;
        self.update(number, |somebody| somebody.local_id = Some(local_id.clone()));
        Some(local_id)
    }

    fn hear(&self, local_id: &str, said: Values, receipt: &Receipt) -> Result<()> {
        let answer = match receipt.clone() {
            Receipt::Recorded {
                patient_id,
                revision,
                sequence,
            } => Answer::Recorded {
                patient: patient_id,
                revision,
                sequence,
            },
            Receipt::Unchanged { patient_id, revision } => Answer::Unchanged {
                patient: patient_id,
                revision,
            },
            Receipt::InReview { item, .. } => bail!("item {item} was opened about {local_id}"),
        };
        self.state().told.push(Told {
            system: self.vendor_name.clone(),
            local_id: local_id.to_owned(),
            said,
            answer,
        });
        Ok(())
    }

    /// Everybody who was entered, by number, with the newest details.
    #[must_use]
    pub fn expected(&self) -> Vec<(usize, Values)> {
        let state = self.state();
        let people = state.people.iter().enumerate();
        let entered = people.filter(|(_, somebody)| somebody.is_entered);
        entered
            .map(|(number, somebody)| (number, of_fields(&somebody.fields)))
            .collect()
    }

    /// What publishers were told so far.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.state().told.clone()
    }

    /// How often a publisher was told something.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.state().told.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_people_can_be_had_who_share_neither_name_nor_birth_date_nor_number() {
        let strangers = strangers(1, 3_001);
        assert_eq!(strangers.len(), 3_001);
        for group in TELLING {
            let text = |fields: &PatientFields| -> String {
                group.iter().filter_map(|field| fields.get(*field)).collect()
            };
            let different: BTreeSet<_> = strangers.iter().map(text).collect();
            assert_eq!(different.len(), strangers.len(), "{group:?}");
        }
    }
}
