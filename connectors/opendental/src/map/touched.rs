//! Which of Open Dental's fields a changed path touches.
//!
//! Only those are written to a record that exists: whatever else differs was changed by the practice's staff since, and
//! will be observed. A path that touches nothing here has no place in Open Dental.

use super::field::Field;
use super::pick::{EMAIL, HOME, HOME_PHONE, MOBILE_PHONE, NICKNAME, OFFICIAL, Place, WORK_PHONE, has_own};
use super::{SSN, SSN_OID, chart_number_system, medicaid_id_system};
use archwire_connector::Patient;
use std::collections::BTreeSet;

/// The fields that these paths touch, for the state after the change.
pub(super) fn touched(paths: &[String], patient: &Patient, system: &str) -> BTreeSet<Field> {
    paths
        .iter()
        .flat_map(|path| of_path(path, patient, system))
        .collect()
}

fn of_path(path: &str, patient: &Patient, system: &str) -> Vec<Field> {
    let mut segments = path.splitn(3, '/');
    let (list, key, part) = (
        segments.next().unwrap_or_default(),
        segments.next().unwrap_or_default(),
        segments.next(),
    );
    let touches = |place: &Place| place.is_touched_by(key, has_own(patient, place));
    match list {
        "birth_date" => vec![Field::Birthdate],
        "administrative_sex" => vec![Field::Gender],
        "marital_status" => vec![Field::Position],
        "preferred_language" => vec![Field::Language],
        "status" | "deceased" | "deceased_at" => vec![Field::PatStatus],
        "primary_provider" => vec![Field::PriProv],
        "names" => {
            let official = if touches(&OFFICIAL) {
                of_name(part)
            } else {
                Vec::new()
            };
            let nickname = touches(&NICKNAME).then_some(Field::Preferred);
            official.into_iter().chain(nickname).collect()
        }
        "addresses" if touches(&HOME) => of_address(part),
        "telecom" => {
            let places = [
                (&HOME_PHONE, Field::HmPhone),
                (&WORK_PHONE, Field::WkPhone),
                (&MOBILE_PHONE, Field::WirelessPhone),
                (&EMAIL, Field::Email),
            ];
            places
                .into_iter()
                .filter(|(place, _)| touches(place))
                .map(|(_, field)| field)
                .collect()
        }
        "identifiers" => of_identifier(key, system).into_iter().collect(),
        "responsible_parties" if key.split('~').next() == Some("guarantor") => vec![Field::Guarantor],
        _ => Vec::new(),
    }
}

fn of_name(part: Option<&str>) -> Vec<Field> {
    match part {
        Some("family") => vec![Field::LName],
        Some("given") => vec![Field::FName, Field::MiddleI],
        Some(_) => Vec::new(),
        None => vec![Field::LName, Field::FName, Field::MiddleI],
    }
}

fn of_address(part: Option<&str>) -> Vec<Field> {
    match part {
        Some("lines") => vec![Field::Address, Field::Address2],
        Some("city") => vec![Field::City],
        Some("state") => vec![Field::State],
        Some("postal_code") => vec![Field::Zip],
        Some(_) => Vec::new(),
        None => vec![
            Field::Address,
            Field::Address2,
            Field::City,
            Field::State,
            Field::Zip,
        ],
    }
}

/// In a path a namespace has its `%` and `/` percent-encoded, so that it is one segment.
fn of_identifier(key: &str, system: &str) -> Option<Field> {
    let key = key
        .rsplit_once('~')
        .filter(|(_, n)| n.parse::<u32>().is_ok())
        .map_or(key, |(name, _)| name);
    let is = |namespace: &str| key == namespace.replace('%', "%25").replace('/', "%2F");
    if is(SSN) || is(SSN_OID) {
        Some(Field::Ssn)
    } else if is(&chart_number_system(system)) {
        Some(Field::ChartNumber)
    } else {
        is(&medicaid_id_system(system)).then_some(Field::MedicaidId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_connector::{ContactPoint, ContactSystem, ContactUse, HumanName, NameUse};

    fn fields(path: &str, patient: &Patient) -> Vec<Field> {
        touched(&[path.to_owned()], patient, "front-desk")
            .into_iter()
            .collect()
    }

    #[test]
    fn each_path_touches_its_fields_and_no_others() {
        for (path, expected) in [
            ("birth_date", vec![Field::Birthdate]),
            ("administrative_sex", vec![Field::Gender]),
            ("marital_status", vec![Field::Position]),
            ("preferred_language", vec![Field::Language]),
            ("status", vec![Field::PatStatus]),
            ("deceased", vec![Field::PatStatus]),
            ("primary_provider", vec![Field::PriProv]),
            ("names/official/family", vec![Field::LName]),
            ("names/official/given", vec![Field::FName, Field::MiddleI]),
            ("names/official/prefix", vec![]),
            ("names/nickname/given", vec![Field::Preferred]),
            ("names/maiden/family", vec![]),
            ("addresses/home/lines", vec![Field::Address, Field::Address2]),
            ("addresses/home/city", vec![Field::City]),
            ("addresses/home/state", vec![Field::State]),
            ("addresses/home/postal_code", vec![Field::Zip]),
            ("addresses/home/country", vec![]),
            ("addresses/old/city", vec![]),
            ("telecom/phone-home/value", vec![Field::HmPhone]),
            ("telecom/phone-work/value", vec![Field::WkPhone]),
            ("telecom/phone-mobile/value", vec![Field::WirelessPhone]),
            ("telecom/email-any/value", vec![Field::Email]),
            ("telecom/fax-work/value", vec![]),
            (
                "identifiers/http:%2F%2Fhl7.org%2Ffhir%2Fsid%2Fus-ssn/value",
                vec![Field::Ssn],
            ),
            (
                "identifiers/urn:oid:2.16.840.1.113883.4.1/value",
                vec![Field::Ssn],
            ),
            (
                "identifiers/urn:archwire:front-desk:chart-number/value",
                vec![Field::ChartNumber],
            ),
            (
                "identifiers/urn:archwire:front-desk:medicaid-id/value",
                vec![Field::MedicaidId],
            ),
            ("identifiers/urn:archwire:other-office:chart-number/value", vec![]),
            ("responsible_parties/guarantor/person", vec![Field::Guarantor]),
            ("responsible_parties/mth/name", vec![]),
            ("gender_identity", vec![]),
        ] {
            assert_eq!(fields(path, &Patient::default()), expected, "{path}");
        }
    }

    #[test]
    fn a_stand_in_touches_the_place_only_while_there_is_nothing_better() {
        let point = |use_| ContactPoint::new(ContactSystem::Phone, use_, "1");
        let with_home = Patient {
            telecom: vec![point(Some(ContactUse::Home)), point(None)],
            ..Patient::default()
        };
        let without = Patient {
            telecom: vec![point(None)],
            ..Patient::default()
        };
        assert_eq!(fields("telecom/phone-any/value", &with_home), []);
        assert_eq!(fields("telecom/phone-any/value", &without), [Field::HmPhone]);
        assert_eq!(fields("telecom/phone-home/value", &without), [Field::HmPhone]);
    }

    #[test]
    fn a_second_element_with_the_same_key_touches_the_same_field() {
        assert_eq!(
            fields("telecom/phone-mobile~2/value", &Patient::default()),
            [Field::WirelessPhone]
        );
    }

    #[test]
    fn the_usual_name_is_the_preferred_one_beside_an_official_name() {
        let name = |use_| HumanName {
            use_: Some(use_),
            family: Some("A".into()),
            ..HumanName::default()
        };
        let both = Patient {
            names: vec![name(NameUse::Official), name(NameUse::Usual)],
            ..Patient::default()
        };
        assert_eq!(fields("names/usual/given", &both), [Field::Preferred]);
    }
}
