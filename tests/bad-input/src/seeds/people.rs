//! Messages about one invented person, in whom everything is stated.

use archwire_proto::v1;

/// An even id, of whom records are kept, and an odd one.
const KNOWN: &str = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c002";
const OTHER: &str = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001";
const SYSTEM: &str = "front-desk";

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn period() -> Option<v1::Period> {
    Some(v1::Period {
        start: some("2020-01"),
        end: some("2030"),
    })
}

fn name() -> v1::HumanName {
    v1::HumanName {
        r#use: 1,
        family: some("Example"),
        given: vec!["Ada".to_owned()],
        prefix: vec!["Dr".to_owned()],
        suffix: vec!["Jr".to_owned()],
        text: some("Ada Example"),
        period: period(),
    }
}

fn contact() -> v1::ContactPoint {
    v1::ContactPoint {
        system: 1,
        value: "555-0100".to_owned(),
        r#use: 1,
        rank: Some(1),
        period: period(),
    }
}

fn identifier() -> v1::Identifier {
    v1::Identifier {
        system: "urn:example:chart".to_owned(),
        value: "7".to_owned(),
        r#type: some("MR"),
        assigner: some("Example Practice"),
        period: period(),
        status: 1,
    }
}

pub(super) fn patient() -> v1::Patient {
    v1::Patient {
        identifiers: vec![identifier()],
        names: vec![name()],
        birth_date: some("1984-02-29"),
        administrative_sex: 2,
        gender_identity: some("female"),
        pronouns: some("she"),
        deceased: Some(false),
        deceased_at: some("2030"),
        telecom: vec![contact()],
        addresses: vec![v1::Address {
            r#use: 1,
            lines: vec!["1 Example Street".to_owned()],
            city: some("Springfield"),
            district: some("Example"),
            state: some("ST"),
            postal_code: some("00000"),
            country: some("US"),
            period: period(),
        }],
        marital_status: some("S"),
        preferred_language: some("en"),
        interpreter_required: Some(false),
        status: 1,
        responsible_parties: vec![v1::ResponsibleParty {
            person: Some(v1::PersonReference {
                system: SYSTEM.to_owned(),
                local_id: "8".to_owned(),
                patient_id: some(OTHER),
            }),
            name: Some(name()),
            relationship: some("MTH"),
            is_guarantor: true,
            may_receive_records: Some(true),
            telecom: vec![contact()],
        }],
        primary_provider: Some(v1::Provider {
            system: SYSTEM.to_owned(),
            local_id: "2".to_owned(),
            display: some("Dr Example"),
        }),
        photo_sha256: some("00"),
        multiple_birth: Some(false),
        multiple_birth_order: Some(1),
        confidentiality: vec!["N".to_owned()],
        merged_into: None,
    }
}

fn observation() -> v1::Observation {
    v1::Observation {
        system: SYSTEM.to_owned(),
        local_id: "7".to_owned(),
        patient: Some(patient()),
        source: Some(v1::SourceRecord {
            media_type: "application/json".to_owned(),
            format: "example".to_owned(),
            data: "{}".into(),
            ..v1::SourceRecord::default()
        }),
        observed_at: Some(prost_types::Timestamp::default()),
        actor: some("front desk"),
        based_on_revision: Some(6),
        ..v1::Observation::default()
    }
}

fn side(patient_id: &str) -> v1::MergeSide {
    let standing = v1::Standing {
        revision: 1,
        patient: Some(patient()),
        records: vec![v1::RecordLink {
            system: SYSTEM.to_owned(),
            local_id: "7".to_owned(),
            superseded: false,
            linked_at: Some(prost_types::Timestamp::default()),
            linked_by: 1,
        }],
    };
    v1::MergeSide {
        patient_id: patient_id.to_owned(),
        before: Some(standing.clone()),
        after: Some(standing),
    }
}

/// An event of a kind, by its number.
pub(super) fn event(kind: i32) -> v1::Event {
    let is_merge = [
        v1::EventKind::PatientMerged.into(),
        v1::EventKind::PatientUnmerged.into(),
    ]
    .contains(&kind);
    let is_of_image = [
        v1::EventKind::PatientImaged.into(),
        v1::EventKind::ImageAmended.into(),
        v1::EventKind::ImageRetracted.into(),
    ]
    .contains(&kind);
    v1::Event {
        id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c0ff".to_owned(),
        kind,
        patient_id: KNOWN.to_owned(),
        revision: 7,
        changed: vec!["birth_date".to_owned(), "names/official/family".to_owned()],
        patient: Some(patient()),
        observation: Some(observation()),
        recorded_at: Some(prost_types::Timestamp::default()),
        decision: Some(v1::Decision {
            verdict: 1,
            item: Some(3),
            by: "front desk".to_owned(),
            reason: "the same person".to_owned(),
            at: Some(prost_types::Timestamp::default()),
        }),
        merge: is_merge.then(|| v1::Merge {
            survivor: Some(side(KNOWN)),
            retired: Some(side(OTHER)),
        }),
        linked_by: 1,
        owed: vec!["telecom/phone-home/value".to_owned()],
        first_sight: true,
        image: is_of_image.then(|| v1::ImageNews {
            first_patient_id: KNOWN.to_owned(),
            first_revision: 3,
            image: Some(image()),
            system: some(SYSTEM),
            record_local_id: some("7"),
            local_id: some("9"),
            observed_at: Some(prost_types::Timestamp::default()),
            actor: some("front desk"),
            named_patient_id: some(OTHER),
            moved_from_patient_id: some(OTHER),
            moved_from_revision: Some(2),
        }),
    }
}

pub(super) fn image() -> v1::Image {
    v1::Image {
        study_uid: "1.2.826.0.1.3680043.8.498.1".to_owned(),
        series_uid: "1.2.826.0.1.3680043.8.498.2".to_owned(),
        instance_uid: "1.2.826.0.1.3680043.8.498.3".to_owned(),
        modality: some("DX"),
        view_label: some("lateral"),
        teeth: vec![11, 48],
        acquired_at: some("2026-03-01"),
        rows: Some(20),
        columns: Some(30),
        content_type: "image/jpeg".to_owned(),
        size: 100,
        sha256: vec![7; 32].into(),
        ..v1::Image::default()
    }
}

pub(super) fn publish(tag: u64) -> v1::PublishRequest {
    v1::PublishRequest {
        tag,
        observation: Some(observation()),
        ..v1::PublishRequest::default()
    }
}

pub(super) fn open_image() -> v1::PutImageOpen {
    v1::PutImageOpen {
        patient: Some(v1::put_image_open::Patient::RecordLocalId("1".to_owned())),
        local_id: some("9"),
        sha256: vec![7; 32].into(),
        size: 100,
        image: Some(image()),
        observed_at: Some(prost_types::Timestamp::default()),
        ..v1::PutImageOpen::default()
    }
}

pub(super) fn get() -> v1::GetPatientRequest {
    v1::GetPatientRequest {
        key: Some(v1::get_patient_request::Key::LocalId("1".to_owned())),
        mask: Some(prost_types::FieldMask {
            paths: vec!["names.family".to_owned(), "birth_date".to_owned()],
        }),
    }
}

pub(super) fn find() -> v1::FindPatientsRequest {
    v1::FindPatientsRequest {
        family: "Example0".to_owned(),
        page_size: 1,
        ..v1::FindPatientsRequest::default()
    }
}

pub(super) fn list() -> v1::ListEventsRequest {
    v1::ListEventsRequest {
        patient_id: KNOWN.to_owned(),
        page_size: 10,
        ..v1::ListEventsRequest::default()
    }
}

pub(super) fn resume() -> v1::ResumeImageRequest {
    v1::ResumeImageRequest {
        sha256: vec![7; 32].into(),
        size: 100,
    }
}

pub(super) fn get_image() -> v1::GetImageRequest {
    v1::GetImageRequest {
        instance_uid: "1.2.826.0.1.3680043.8.498.3".to_owned(),
        ..v1::GetImageRequest::default()
    }
}
