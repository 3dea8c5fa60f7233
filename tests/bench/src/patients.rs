//! Invented patients as a vendor publishes them: 1 KiB each, the record of the source included.

use anyhow::{Context as _, Result};
use archwire_client::v1;
use archwire_tests::{invented, set_phone, wire_patient};
use prost::Message as _;

/// What one observation weighs, serialised.
const BYTES: usize = 1024;
/// What an observation weighs beside its patient and the bytes of its record, at most.
const FRAME: usize = 96;

/// People nobody has seen, one after the other.
pub(crate) struct Patients {
    people: std::vec::IntoIter<v1::Patient>,
    seen: usize,
}

impl Patients {
    /// So many; the same ones every time.
    pub(crate) fn invent(count: usize) -> Self {
        let people: Vec<_> = invented(11, count).iter().map(wire_patient).collect();
        Self {
            people: people.into_iter(),
            seen: 0,
        }
    }

    /// The next ones.
    pub(crate) fn next(&mut self, count: usize) -> Result<Vec<v1::Observation>> {
        (0..count)
            .map(|_| {
                let mut patient = self
                    .people
                    .next()
                    .context("more patients are needed than were invented")?;
                if patient.administrative_sex() == v1::AdministrativeSex::Unspecified {
                    patient.set_administrative_sex(v1::AdministrativeSex::Unknown);
                }
                self.seen += 1;
                Ok(observation(format!("bench-{}", self.seen), patient))
            })
            .collect()
    }
}

/// The observation of a record, filled up with what only its source understands.
fn observation(local_id: String, patient: v1::Patient) -> v1::Observation {
    let room = BYTES.saturating_sub(FRAME + local_id.len() + patient.encoded_len());
    let data = format!("{{\"notes\":\"{}\"}}", "x".repeat(room.saturating_sub(12)));
    let source = v1::SourceRecord {
        media_type: "application/json".to_owned(),
        format: "bench/patients/v1".to_owned(),
        data: data.into_bytes().into(),
        ..Default::default()
    };
    v1::Observation {
        local_id,
        patient: Some(patient),
        source: Some(source),
        ..Default::default()
    }
}

/// The same record with another mobile number.
pub(crate) fn changed(mut observation: v1::Observation, round: usize) -> v1::Observation {
    if let Some(patient) = &mut observation.patient {
        let number = format!("(503)555-{:04}", round % 10_000);
        set_phone(patient, v1::ContactUse::Mobile, &number);
    }
    observation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_a_kibibyte_and_nobody_comes_twice() {
        let mut patients = Patients::invent(100);
        let some = patients.next(100).unwrap();
        for one in &some {
            let bytes = one.encoded_len();
            assert!((BYTES - FRAME..=BYTES).contains(&bytes), "{bytes} bytes");
        }
        let mut ids: Vec<_> = some.iter().map(|one| &one.local_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 100);
        assert!(patients.next(1).is_err());
    }
}
