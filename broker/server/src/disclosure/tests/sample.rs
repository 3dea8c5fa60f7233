//! Messages in which everything is stated.

use archwire_core::{FieldGroup, PatientId};
use archwire_proto::v1;
use std::fmt::Display;

/// The word at a place that takes a group to be shown, and a second condition that `more` names.
pub(super) fn word(group: FieldGroup, more: &str) -> String {
    format!("<{group}{more}>")
}

/// A patient in whom everything is stated.
pub(super) fn patient() -> v1::Patient {
    let word = |group| word(group, "");
    let some = |group| Some(word(group));
    let period = |group| {
        Some(v1::Period {
            start: some(group),
            end: some(group),
        })
    };
    let name = |group| v1::HumanName {
        r#use: 1,
        family: some(group),
        given: vec![word(group)],
        prefix: vec![word(group)],
        suffix: vec![word(group)],
        text: some(group),
        period: period(group),
    };
    let contact = |group| v1::ContactPoint {
        system: 1,
        value: word(group),
        r#use: 1,
        rank: Some(1),
        period: period(group),
    };
    let (identifiers, demographics) = (FieldGroup::Identifiers, FieldGroup::Demographics);
    let (parties, administrative) = (FieldGroup::ResponsibleParties, FieldGroup::Administrative);
    v1::Patient {
        identifiers: vec![v1::Identifier {
            system: word(identifiers),
            value: word(identifiers),
            r#type: some(identifiers),
            assigner: some(identifiers),
            period: period(identifiers),
            status: 1,
        }],
        names: vec![name(FieldGroup::Name)],
        birth_date: some(demographics),
        administrative_sex: 1,
        gender_identity: some(demographics),
        pronouns: some(demographics),
        deceased: Some(true),
        deceased_at: some(demographics),
        telecom: vec![contact(FieldGroup::Contact)],
        addresses: vec![v1::Address {
            r#use: 1,
            lines: vec![word(FieldGroup::Contact)],
            city: some(FieldGroup::Contact),
            district: some(FieldGroup::Contact),
            state: some(FieldGroup::Contact),
            postal_code: some(FieldGroup::Contact),
            country: some(FieldGroup::Contact),
            period: period(FieldGroup::Contact),
        }],
        marital_status: some(demographics),
        preferred_language: some(demographics),
        interpreter_required: Some(true),
        status: 1,
        responsible_parties: vec![v1::ResponsibleParty {
            person: Some(v1::PersonReference {
                system: "front-desk".to_owned(),
                local_id: self::word(parties, "+identifiers"),
                patient_id: Some(self::word(parties, "+identifiers")),
            }),
            name: Some(name(parties)),
            relationship: some(parties),
            is_guarantor: true,
            may_receive_records: Some(true),
            telecom: vec![contact(parties)],
        }],
        primary_provider: Some(v1::Provider {
            system: word(administrative),
            local_id: word(administrative),
            display: some(administrative),
        }),
        photo_sha256: some(FieldGroup::Photo),
        multiple_birth: Some(true),
        multiple_birth_order: Some(2),
        confidentiality: vec![word(administrative)],
        merged_into: some(administrative),
    }
}

/// One path of each group.
pub(super) const PATHS: [(FieldGroup, &str); 7] = [
    (FieldGroup::Identifiers, "identifiers/urn:x/value"),
    (FieldGroup::Name, "names/any/family"),
    (FieldGroup::Demographics, "birth_date"),
    (FieldGroup::Contact, "telecom/phone-any/value"),
    (
        FieldGroup::ResponsibleParties,
        "responsible_parties/guarantor/name",
    ),
    (FieldGroup::Administrative, "status"),
    (FieldGroup::Photo, "photo_sha256"),
];

pub(super) fn standing(systems: &[&str]) -> v1::Standing {
    let records = systems.iter().map(|system| v1::RecordLink {
        system: (*system).to_owned(),
        local_id: format!("<id of {system}>"),
        superseded: false,
        linked_at: Some(prost_types::Timestamp::default()),
        linked_by: 1,
    });
    v1::Standing {
        revision: 1,
        patient: Some(patient()),
        records: records.collect(),
    }
}

pub(super) fn side(patient: impl Display, before: &[&str], after: &[&str]) -> v1::MergeSide {
    v1::MergeSide {
        patient_id: patient.to_string(),
        before: Some(standing(before)),
        after: Some(standing(after)),
    }
}

/// An event of a kind in which everything is stated that such an event can state, and more.
pub(super) fn event(kind: v1::EventKind) -> v1::Event {
    let patient_id = PatientId::generate().to_string();
    let paths: Vec<_> = PATHS.iter().map(|(_, path)| (*path).to_owned()).collect();
    v1::Event {
        id: "<id>".to_owned(),
        kind: kind.into(),
        patient_id: patient_id.clone(),
        revision: 7,
        changed: paths.clone(),
        patient: Some(patient()),
        observation: Some(v1::Observation {
            system: "front-desk".to_owned(),
            local_id: "<id of front-desk>".to_owned(),
            patient_id: Some(patient_id.clone()),
            patient: Some(patient()),
            source: Some(v1::SourceRecord {
                media_type: "<source>".to_owned(),
                format: "<source>".to_owned(),
                data: "<source>".into(),
                sha256: "<source>".into(),
            }),
            observed_at: Some(prost_types::Timestamp::default()),
            actor: Some("<source>".to_owned()),
            based_on_revision: Some(6),
            merged_into_local_id: Some("<id of front-desk>".to_owned()),
        }),
        recorded_at: Some(prost_types::Timestamp::default()),
        decision: Some(v1::Decision {
            verdict: 1,
            item: Some(3),
            by: "<source>".to_owned(),
            reason: "<source>".to_owned(),
            at: Some(prost_types::Timestamp::default()),
        }),
        merge: Some(v1::Merge {
            survivor: Some(side(
                &patient_id,
                &["front-desk", "tracer"],
                &["front-desk", "tracer"],
            )),
            retired: Some(side(PatientId::generate(), &["front-desk"], &[])),
        }),
        linked_by: 4,
        owed: paths,
        first_sight: true,
        image: Some(news()),
    }
}

pub(super) fn news() -> v1::ImageNews {
    v1::ImageNews {
        first_patient_id: PatientId::generate().to_string(),
        first_revision: 3,
        image: Some(v1::Image {
            instance_uid: "<uid>".to_owned(),
            ..v1::Image::default()
        }),
        system: Some("front-desk".to_owned()),
        record_local_id: Some("<id of front-desk>".to_owned()),
        local_id: Some("<id of front-desk>".to_owned()),
        observed_at: Some(prost_types::Timestamp::default()),
        actor: Some("<source>".to_owned()),
        named_patient_id: Some(PatientId::generate().to_string()),
        moved_from_patient_id: Some(PatientId::generate().to_string()),
        moved_from_revision: Some(2),
    }
}
