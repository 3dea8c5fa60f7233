//! Who could be meant by a record: the candidates, and those who are about to be appended.

use super::{Entry, Index};
use crate::wire::WireError;
use archwire_core::{
    PartialDate, Patient, PatientId, SystemName,
    identity::{Known, People, Profile, Verdict},
};
use jiff::{Timestamp, tz::TimeZone};
use std::sync::Arc;

/// Most profiles that are kept at hand, of about 1 KB each.
const MOST_PROFILES: usize = 8_192;

impl Index {
    /// Enters all current patients at once, at the end of reading the log. From then on each change is entered as it
    /// comes.
    ///
    /// # Errors
    /// Never for states that came from the log.
    pub fn enter_everybody(&mut self) -> Result<(), WireError> {
        let trust = self.people.trust.clone();
        self.people.people = People::with_room_for(trust, self.patients.len());
        let people = &mut self.people.people;
        for (patient, entry) in &self.patients {
            if !self.retired.contains_key(patient) {
                people.put(*patient, &Profile::of(&entry.patient()?));
            }
        }
        self.people.live = true;
        Ok(())
    }

    /// Enters a patient by his or her state.
    pub(super) fn enter(&mut self, patient: PatientId, state: &Patient) {
        self.people.reserved.remove(&patient);
        if self.people.live && !self.retired.contains_key(&patient) {
            self.people.people.put(patient, &Profile::of(state));
        }
    }

    pub(super) fn leave(&mut self, patient: PatientId) {
        if self.people.live {
            self.people.people.remove(patient);
        }
    }

    /// A patient's profile. People of common names are compared often, and a profile costs more to make than to compare.
    fn profile_of(&self, patient: PatientId, entry: &Entry) -> Option<Arc<Profile>> {
        let mut profiles = self.people.profiles.borrow_mut();
        if let Some((sequence, profile)) = profiles.get(&patient)
            && *sequence == entry.sequence
        {
            return Some(Arc::clone(profile));
        }
        let profile = Arc::new(Profile::of(&entry.patient().ok()?));
        if profiles.len() >= MOST_PROFILES {
            profiles.clear();
        }
        profiles.insert(patient, (entry.sequence, Arc::clone(&profile)));
        Some(profile)
    }

    /// Whom a record of a system may be about; `of` is the patient whose record it is already.
    #[must_use]
    pub fn identify(&self, profile: &Profile, system: &SystemName, of: Option<PatientId>) -> Verdict {
        self.identify_as(profile, system, of, &[])
    }

    /// The same of a record that is nobody's yet, of which a person said that it is none of these.
    #[must_use]
    pub fn identify_but(&self, profile: &Profile, system: &SystemName, none_of: &[PatientId]) -> Verdict {
        self.identify_as(profile, system, None, none_of)
    }

    fn identify_as(
        &self,
        profile: &Profile,
        system: &SystemName,
        of: Option<PatientId>,
        none_of: &[PatientId],
    ) -> Verdict {
        let is_denied = |candidate| none_of.iter().any(|denied| self.current(*denied) == candidate);
        let known = |candidate: PatientId| {
            if of == Some(candidate) {
                return None;
            }
            if let Some((profile, of_system)) = self.people.reserved.get(&candidate) {
                return Some(Known {
                    profile: Arc::clone(profile),
                    has_record_in_system: of_system == system,
                    ruled_out: false,
                });
            }
            let entry = self.entry(candidate)?;
            Some(Known {
                profile: self.profile_of(candidate, entry)?,
                has_record_in_system: entry.record(system).is_some(),
                ruled_out: is_denied(candidate) || of.is_some_and(|of| self.is_not_same(of, candidate)),
            })
        };
        match today() {
            Some(today) => self
                .people
                .people
                .identify(&profile.clone().as_of(&today), &known),
            None => self.people.people.identify(profile, &known),
        }
    }

    /// Makes a patient who is about to be appended known, so that the next record of the same person is not taken for
    /// yet another one.
    pub fn reserve(&mut self, patient: PatientId, profile: Profile, system: SystemName) {
        self.people.people.put(patient, &profile);
        self.people.reserved.insert(patient, (Arc::new(profile), system));
    }

    /// Whether a patient is about to be appended.
    #[must_use]
    pub fn is_reserved(&self, patient: PatientId) -> bool {
        self.people.reserved.contains_key(&patient)
    }

    /// Takes that back: the append did not come about.
    pub fn unreserve(&mut self, patient: PatientId) {
        if self.people.reserved.remove(&patient).is_some() {
            self.people.people.remove(patient);
        }
    }
}

impl Index {
    /// Takes the place of this index; those who are about to be appended stay.
    ///
    /// # Errors
    /// Never for states that came from the log.
    pub fn replace_by(&mut self, mut made: Self) -> Result<(), WireError> {
        made.enter_everybody()?;
        for (patient, (profile, system)) in std::mem::take(&mut self.people.reserved) {
            made.reserve(patient, Profile::clone(&profile), system);
        }
        made.given_item = self.given_item;
        *self = made;
        Ok(())
    }
}

/// The day in UTC; what lies in the future by it is no birth date.
fn today() -> Option<PartialDate> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    PartialDate::parse(&today.to_string()).ok()
}
