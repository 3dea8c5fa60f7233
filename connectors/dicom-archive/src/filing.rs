//! Whether a file may be sent that the archive will file under a number which it knows already.
//!
//! Who is the same person is the bus's to decide, which has more at hand. What it decided is the link between a patient and a record,
//! and that record comes with the delivery. But an archive files by PatientID alone, whoever has that number there, and what is
//! under the wrong patient there cannot be taken back: a DICOM file is never removed. Of a number that the bus has not linked, because
//! it was not read yet or is somebody else's, only the archive can tell whose it is, so it is asked. What is decided here is no
//! likeness, only whether two texts say the same:
//!
//! | Under the number, whoever issued it, any study of the archive has | |
//! |---|---|
//! | nobody | sent |
//! | somebody, and it is the bus's own number of the patient | sent |
//! | somebody with another birth date than the file's | refused, also of a linked record: it was given to somebody else since |
//! | the patient, by a link | sent |
//! | whom the file names: the same name and birth date, but for case | sent |
//! | anybody else | not yet: the bus may hear of that patient, and link the record. In the end a person is asked |
//! | more than 1,000 studies | refused: that is no patient's number |

use crate::archive::Archive;
use crate::header::Header;
use crate::json::{Dataset, tag};
use crate::person::date;
use crate::person_name;
use crate::record::Record;
use crate::records;
use archwire_connector::{Disposition, ImageDelivery, Patient};
use std::time::Duration;

/// How long until the bus may have heard of a patient of the archive.
const UNTIL_READ: Duration = Duration::from_secs(30);

/// Whom a file names, or a study of the archive.
#[derive(Clone, PartialEq, Eq)]
pub struct Named {
    /// The parts of the name, in lower case; none where it names nobody.
    name: Vec<String>,
    birth_date: Option<String>,
}

impl Named {
    fn new(name: &str, birth_date: &str) -> Self {
        // Other writings of the same name follow after `=`.
        let name = name.split('=').next().unwrap_or_default();
        let mut name: Vec<_> = name.split('^').map(|part| part.trim().to_lowercase()).collect();
        // As the name is read where the bus hears of it.
        if let Some((family, given)) = name.first().and_then(|name| name.split_once(','))
            && name.get(1).is_none_or(String::is_empty)
        {
            let parts = [family, given].map(|part| part.trim().to_owned());
            name.splice(..name.len().min(2), parts);
        }
        while name.last().is_some_and(String::is_empty) {
            name.pop();
        }
        Self {
            name,
            birth_date: date(birth_date.trim()),
        }
    }

    /// By the header of a DICOM file. `None` where its letters cannot be read here.
    #[must_use]
    pub fn by(header: &Header) -> Option<Self> {
        let name = header.patient_name.as_deref()?;
        Some(Self::new(name, header.birth_date.as_deref().unwrap_or_default()))
    }

    /// Somebody of the bus, as a file that is made here names them.
    #[must_use]
    pub fn of(patient: &Patient) -> Self {
        let born = patient.birth_date.as_deref().unwrap_or_default();
        Self::new(&person_name::write(patient), &born.replace('-', ""))
    }

    fn is_born_another_day(&self, other: &Self) -> bool {
        let dates = self.birth_date.as_ref().zip(other.birth_date.as_ref());
        dates.is_some_and(|(one, other)| one != other)
    }

    fn shown(study: &Dataset) -> Self {
        let name = study.person(tag::PATIENT_NAME).unwrap_or_default();
        Self::new(name, study.text(tag::PATIENT_BIRTH_DATE).unwrap_or_default())
    }
}

/// Refuses to send what the archive might file under somebody else. `named` is whom the file names, where that is known.
///
/// # Errors
/// `patient-id-of-another` when the number is somebody else's, `patient-id-of-too-many` when the archive has more studies with it than
/// are looked through, `patient-not-linked` while the bus has not said that it is the
/// patient's; when the archive does not tell.
pub fn refuse_another(
    archive: &Archive<'_>,
    record: &Record,
    named: Option<&Named>,
    delivery: &ImageDelivery,
) -> Result<(), Disposition> {
    if *record == Record::patient(&archive.config.issuer, &delivery.patient_id) {
        return Ok(());
    }
    let Some(studies) = records::filed_with(archive, record)? else {
        return Err(Disposition::rejected("patient-id-of-too-many"));
    };
    let is_linked = delivery.record.as_deref() == Some(record.to_string().as_str());
    let mut is_known = true;
    for study in &studies {
        let shown = Named::shown(&study.data);
        if named.is_some_and(|named| named.is_born_another_day(&shown)) {
            return Err(Disposition::rejected("patient-id-of-another"));
        }
        let is_records = is_linked && records::may_be(&study.data, record);
        is_known &= is_records || named == Some(&shown);
    }
    match is_known {
        true => Ok(()),
        false => Err(Disposition::retry("patient-not-linked", UNTIL_READ)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::host::double::Double;
    use archwire_connector::Image;

    fn delivery(record: Option<&str>) -> ImageDelivery {
        ImageDelivery {
            event_id: "e".into(),
            patient_id: "p".into(),
            image_id: "p/1".into(),
            revision: 1,
            image: Image::default(),
            retracted: false,
            record: record.map(str::to_owned),
            local_id: None,
            patient: Patient::default(),
            in_doubt_since_ms: None,
        }
    }

    /// What comes of a file, in an archive that has this patient under the number 7.
    fn told(shown: (&str, &str), named: Option<(&str, &str)>, record: Option<&str>) -> Option<String> {
        let host = Double::default();
        let (name, born) = shown;
        let row = format!(
            r#"[{{"0020000D":{{"Value":["1.2"]}},"00100020":{{"Value":["7"]}},"00100021":{{"Value":["A"]}},
                "00100010":{{"Value":[{{"Alphabetic":"{name}"}}]}},"00100030":{{"Value":["{born}"]}}}}]"#
        );
        host.answer("GET /qido/studies?", 200, &row);
        let config = Config::for_tests();
        let named = named.map(|(name, born)| Named::new(name, born));
        let number = Record::patient("A", "7");
        let archive = Archive::new(&host, &config);
        let refused = refuse_another(&archive, &number, named.as_ref(), &delivery(record));
        refused.err().map(|refused| refused.reason().code.clone())
    }

    #[test]
    fn a_name_with_a_comma_is_the_same_in_parts() {
        let name = |text: &str| Named::new(text, "").name;
        assert!(name("DOE, ANN") == name("Doe^Ann") && name("Doe,Ann^^K") == name("Doe^Ann^K"));
        assert!(name("Doe, Jr.^Ann") != name("Doe^Jr.^Ann") && name("Doe, Ann") != name("Doe^Anna"));
        assert!(name(",").is_empty() && name("Doe,") == name("Doe"));
    }

    #[test]
    fn whom_the_file_names_letter_by_letter_is_the_same() {
        let shown = ("Müller^Jörg^", "20120304");
        for named in [
            ("Müller^Jörg", "20120304"),
            ("MÜLLER^JÖRG^^", "2012.03.04"),
            ("müller^jörg=漢", "20120304"),
        ] {
            assert_eq!(told(shown, Some(named), None), None, "{named:?}");
        }
        assert_eq!(
            told(("", ""), Some(("", "")), None),
            None,
            "nor does either name anybody"
        );
    }

    #[test]
    fn who_only_looks_alike_waits_for_the_bus() {
        let shown = ("Müller^Jörg", "20120304");
        for named in [
            ("Mueller^Joerg", "20120304"),
            ("Müller^J", "20120304"),
            ("Müller^Jörg", ""),
            ("", ""),
        ] {
            assert_eq!(
                told(shown, Some(named), None).as_deref(),
                Some("patient-not-linked"),
                "{named:?}"
            );
            assert_eq!(
                told(shown, Some(named), Some("A|7")),
                None,
                "which has said so: {named:?}"
            );
            assert!(
                told(shown, Some(named), Some("B|7")).is_some(),
                "of another record: {named:?}"
            );
        }
        assert_eq!(told(shown, None, None).as_deref(), Some("patient-not-linked"));
    }

    #[test]
    fn another_birth_date_is_somebody_else_whatever_was_linked() {
        for record in [None, Some("A|7")] {
            let told = told(
                ("Müller^Jörg", "20120304"),
                Some(("Müller^Jörg", "20120305")),
                record,
            );
            assert_eq!(told.as_deref(), Some("patient-id-of-another"));
        }
    }

    #[test]
    fn the_buss_own_number_is_the_patients() {
        let host = Double::default();
        let config = Config::for_tests();
        let number = Record::patient("ARCHWIRE", "p");
        let archive = Archive::new(&host, &config);
        assert!(refuse_another(&archive, &number, None, &delivery(None)).is_ok());
        assert!(host.asked.borrow().is_empty());
    }
    /// What comes of a file of Jörg of 2012 under the number A|7, linked or not, in an archive with these studies: issuer and birth
    /// date of each.
    fn among(studies: &[(&str, &str)], record: Option<&str>) -> Option<String> {
        let row = |(issuer, born): &(&str, &str)| {
            let issuer = match issuer.is_empty() {
                true => String::new(),
                false => format!(r#""00100021":{{"Value":["{issuer}"]}},"#),
            };
            format!(
                r#"{{"0020000D":{{"Value":["1.2"]}},"00100020":{{"Value":["7"]}},{issuer}
                    "00100010":{{"Value":[{{"Alphabetic":"Müller^Jörg"}}]}},"00100030":{{"Value":["{born}"]}}}}"#
            )
        };
        let rows: Vec<_> = studies.iter().map(row).collect();
        let host = Double::default();
        host.answer("GET /qido/studies?", 200, &format!("[{}]", rows.join(",")));
        let config = Config::for_tests();
        let named = Named::new("Müller^Jörg", "20120304");
        let archive = Archive::new(&host, &config);
        let number = Record::patient("A", "7");
        let refused = refuse_another(&archive, &number, Some(&named), &delivery(record));
        refused.err().map(|refused| refused.reason().code.clone())
    }

    #[test]
    fn every_study_with_the_number_counts_whoever_issued_it() {
        let (his, anothers) = ("20120304", "19800101");
        assert_eq!(among(&[], None), None);
        assert_eq!(
            among(&[("", his); 20], None),
            None,
            "nobody need look up the issuer"
        );
        for issuer in ["", "A", "B"] {
            let mut studies = vec![("A", his); 20];
            studies.push((issuer, anothers));
            for record in [None, Some("A|7")] {
                let told = among(&studies, record);
                assert_eq!(told.as_deref(), Some("patient-id-of-another"), "{issuer}");
            }
        }
        // Linked is the record of one issuer.
        assert_eq!(among(&[("A", "")], Some("A|7")), None);
        let told = among(&[("A", ""), ("B", "")], Some("A|7"));
        assert_eq!(told.as_deref(), Some("patient-not-linked"));
    }

    #[test]
    fn a_number_of_very_many_studies_is_nobodys() {
        let told = among(&[("A", "20120304"); crate::archive::PAGE], Some("A|7"));
        assert_eq!(told.as_deref(), Some("patient-id-of-too-many"));
    }
}
