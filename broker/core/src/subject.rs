//! Where a record of the log is filed: the grammar of the log's subjects. None of them is derived from a person's data.

use crate::{NameError, PatientId, PracticeName, SystemName};

/// Where a record of the log is filed. The whole grammar:
///
/// ```text
/// aw.<practice>.patient.<patient id>               an event; the last one holds the current state
/// aw.<practice>.sighting.<system>.<patient id>     what a system was seen to hold
/// aw.<practice>.review.<number>                    an item of the review; the last one holds its current state
/// aw.<practice>.writer                             who became the writer of the log; the last one is the writer
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An event of a patient.
    Patient(PatientId),
    /// What a system was seen to hold of a patient.
    Sighting(SystemName, PatientId),
    /// An item of the review, by its number: from 1.
    Review(u64),
    /// Who became the writer of the log.
    Writer,
}

impl Subject {
    /// The subject's name in the log of a practice.
    #[must_use]
    pub fn name(&self, practice: &PracticeName) -> String {
        match self {
            Self::Patient(patient) => format!("aw.{practice}.patient.{patient}"),
            Self::Sighting(system, patient) => format!("aw.{practice}.sighting.{system}.{patient}"),
            Self::Review(number) => format!("aw.{practice}.review.{number}"),
            Self::Writer => format!("aw.{practice}.writer"),
        }
    }

    /// Reads a name of the log of `practice`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(name: &str, practice: &PracticeName) -> Result<Self, NameError> {
        let rest = name
            .strip_prefix("aw.")
            .and_then(|rest| rest.strip_prefix(practice.as_str()))
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or(NameError::Subject)?;
        let tokens: Vec<&str> = rest.split('.').collect();
        match tokens.as_slice() {
            ["patient", patient] => Ok(Self::Patient(patient.parse()?)),
            ["sighting", system, patient] => Ok(Self::Sighting(system.parse()?, patient.parse()?)),
            ["review", number] => Ok(Self::Review(item_number(number)?)),
            ["writer"] => Ok(Self::Writer),
            _ => Err(NameError::Subject),
        }
    }

    /// The filter that all events of a practice match.
    #[must_use]
    pub fn all_patients(practice: &PracticeName) -> String {
        format!("aw.{practice}.patient.*")
    }

    /// The filter that sightings match: all of a practice, or those of a system, of a patient, or of both.
    #[must_use]
    pub fn sightings(
        practice: &PracticeName,
        system: Option<&SystemName>,
        patient: Option<PatientId>,
    ) -> String {
        let system = system.map_or("*", SystemName::as_str);
        let patient = patient.map_or_else(|| "*".to_owned(), |patient| patient.to_string());
        format!("aw.{practice}.sighting.{system}.{patient}")
    }

    /// The filter that everything in the log of a practice matches.
    #[must_use]
    pub fn everything(practice: &PracticeName) -> String {
        format!("aw.{practice}.>")
    }
}

/// Only the canonical spelling: decimal, without sign or leading zeros, from 1.
fn item_number(text: &str) -> Result<u64, NameError> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().map_err(|_| NameError::Subject)?;
    if canonical {
        Ok(number)
    } else {
        Err(NameError::Subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn practice() -> PracticeName {
        "maple-street".parse().unwrap()
    }

    proptest! {
        #[test]
        fn every_subject_is_read_as_it_was_written(system in "[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", number in 1_u64..) {
            let patient = PatientId::generate();
            let sighting = Subject::Sighting(system.parse().unwrap(), patient);
            for subject in [Subject::Patient(patient), sighting, Subject::Review(number), Subject::Writer] {
                let name = subject.name(&practice());
                prop_assert_eq!(Subject::parse(&name, &practice()).unwrap(), subject);
            }
        }

        #[test]
        fn whatever_is_accepted_as_a_subject_is_written_back_the_same(name in "aw\\.maple-street\\.((patient|sighting|review|writer)\\.[ -~]{0,60}|review\\.[0-9+]{0,21}|writer)") {
            if let Ok(subject) = Subject::parse(&name, &practice()) {
                prop_assert_eq!(subject.name(&practice()), name);
            }
        }
    }

    #[test]
    fn a_subject_of_another_practice_is_refused() {
        let name = Subject::Patient(PatientId::generate()).name(&"elm-street".parse().unwrap());
        assert_eq!(Subject::parse(&name, &practice()), Err(NameError::Subject));
    }

    #[test]
    fn an_item_of_the_review_has_one_spelling_and_no_number_0() {
        let parse = |rest: &str| Subject::parse(&format!("aw.maple-street.{rest}"), &practice());
        assert_eq!(
            parse("review.18446744073709551615"),
            Ok(Subject::Review(u64::MAX))
        );
        for rest in [
            "review",
            "review.",
            "review.0",
            "review.01",
            "review.+1",
            "review.-1",
            "review.1.2",
            "review.18446744073709551616",
            "review.\u{661}",
            "writer.1",
            "writer.",
            "Writer",
        ] {
            assert_eq!(parse(rest), Err(NameError::Subject), "{rest}");
        }
    }
}
