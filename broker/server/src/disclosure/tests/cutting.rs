//! By group, kind and source.

use super::{
    Disclosed, all_sets, disclose, disclose_bytes, is_withheld, part, reads,
    sample::{PATHS, event, patient, word},
    tells, view,
};
use crate::wire::{WireError, read_patient, write_patient};
use archwire_core::{
    AdministrativeSex, EventKind, FieldGroup, HumanName, Patient, PatientId, PatientStatus, PersonReference,
    ResponsibleParty,
};
use archwire_proto::v1;
use prost::Message as _;

#[test]
fn what_a_contract_does_not_read_is_nowhere_in_what_is_sent() {
    for fields in all_sets() {
        let contract = reads(fields.clone());
        let shown = part(disclose(&contract, &event(v1::EventKind::PatientMerged)));
        for group in FieldGroup::ALL {
            let is_granted = fields.contains(&group);
            assert_eq!(
                tells(&shown, &word(group, "")),
                is_granted,
                "{group} of {fields:?}"
            );
        }
        let ids = fields.contains(&FieldGroup::Identifiers);
        let person = word(FieldGroup::ResponsibleParties, "+identifiers");
        let knows_party = fields.contains(&FieldGroup::ResponsibleParties);
        assert_eq!(tells(&shown, &person), ids && knows_party, "{fields:?}");
        assert_eq!(tells(&shown, "<id of front-desk>"), ids, "{fields:?}");
        assert!(tells(&shown, "<id of tracer>"));
        assert!(!tells(&shown, "<source>"));
    }
}

#[test]
fn what_has_no_words_is_hidden_as_well() {
    let shown = view(&reads([])).patient(patient());
    assert!(shown == v1::Patient::default());
    let all = reads(FieldGroup::ALL);
    assert!(view(&all).patient(patient()) == patient());
    let event = part(disclose(&reads([]), &event(v1::EventKind::PatientCreated)));
    assert_eq!(event.linked_by, 0);
}

#[test]
fn what_is_always_shown_is_shown_without_any_group() {
    let stored = event(v1::EventKind::PatientMerged);
    let shown = part(disclose(&reads([]), &stored));
    assert!(shown.id == stored.id && shown.kind == stored.kind && shown.patient_id == stored.patient_id);
    assert!(shown.revision == 7 && shown.recorded_at == stored.recorded_at && shown.first_sight);
    let (seen, said) = (shown.observation.unwrap(), stored.observation.unwrap());
    assert!(seen.system == said.system && seen.observed_at == said.observed_at);
    assert_eq!(seen.based_on_revision, Some(6));
    let (seen, said) = (shown.decision.unwrap(), stored.decision.unwrap());
    assert!(seen.verdict == said.verdict && seen.item == said.item && seen.at == said.at);
    let (seen, said) = (shown.merge.unwrap(), stored.merge.unwrap());
    let sides = |merge: v1::Merge| {
        [
            merge.survivor.unwrap().patient_id,
            merge.retired.unwrap().patient_id,
        ]
    };
    assert_eq!(sides(seen), sides(said));
}

#[test]
fn the_source_and_who_decided_and_why_are_shown_to_whom_may_read_the_source() {
    let mut contract = reads([]);
    contract.read.source = true;
    let stored = event(v1::EventKind::PatientImaged);
    let shown = part(disclose(&contract, &stored));
    let (seen, said) = (shown.observation.unwrap(), stored.observation.unwrap());
    assert!(seen.source == said.source && seen.actor == said.actor);
    assert!(shown.decision == stored.decision);
    assert!(shown.image.unwrap().actor == stored.image.unwrap().actor);
}

#[test]
fn the_paths_of_what_changed_and_is_owed_are_cut_too() {
    for fields in all_sets() {
        let shown = part(disclose(
            &reads(fields.clone()),
            &event(v1::EventKind::PatientCreated),
        ));
        let granted = PATHS.iter().filter(|(group, _)| fields.contains(group));
        let granted: Vec<_> = granted.map(|(_, path)| *path).collect();
        assert_eq!(shown.changed, granted);
        assert_eq!(shown.owed, granted);
    }
}

#[test]
fn a_change_of_hidden_fields_only_is_no_event() {
    for (group, path) in PATHS {
        let mut updated = event(v1::EventKind::PatientUpdated);
        updated.changed = vec![path.to_owned()];
        let others = FieldGroup::ALL.into_iter().filter(|other| *other != group);
        assert!(is_withheld(&disclose(&reads(others), &updated)), "{path}");
        assert!(!is_withheld(&disclose(&reads([group]), &updated)), "{path}");
        // Whoever follows creations hears of every new patient, and of as much as the contract shows.
        updated.kind = v1::EventKind::PatientCreated.into();
        assert!(part(disclose(&reads([]), &updated)).changed.is_empty());
    }
}

#[test]
fn an_event_of_a_kind_that_is_not_granted_or_not_known_is_withheld() {
    for (wire, kind) in [
        (v1::EventKind::PatientCreated, EventKind::PatientCreated),
        (v1::EventKind::PatientUpdated, EventKind::PatientUpdated),
        (v1::EventKind::PatientMerged, EventKind::PatientMerged),
        (v1::EventKind::PatientUnmerged, EventKind::PatientUnmerged),
        (v1::EventKind::PatientImaged, EventKind::PatientImaged),
        (v1::EventKind::ImageAmended, EventKind::ImageAmended),
        (v1::EventKind::ImageRetracted, EventKind::ImageRetracted),
    ] {
        let mut contract = reads(FieldGroup::ALL);
        assert!(!is_withheld(&disclose(&contract, &event(wire))));
        contract.images.read = false;
        assert_eq!(
            is_withheld(&disclose(&contract, &event(wire))),
            kind.is_of_an_image()
        );
        contract.images.read = true;
        contract.read.kinds.remove(&kind);
        assert!(is_withheld(&disclose(&contract, &event(wire))));
        contract.read.kinds = [kind].into();
        assert!(!is_withheld(&disclose(&contract, &event(wire))));
    }
    let mut unknown = event(v1::EventKind::PatientCreated);
    unknown.kind = 99;
    assert!(is_withheld(&disclose(&reads(FieldGroup::ALL), &unknown)));
}

#[test]
fn an_image_is_shown_with_its_event_and_without_ids_of_others() {
    let stored = event(v1::EventKind::PatientImaged);
    let shown = part(disclose(&reads([]), &stored)).image.unwrap();
    let told = stored.image.unwrap();
    assert!(shown.image == told.image && shown.system == told.system);
    assert!(shown.observed_at == told.observed_at);
    assert!(shown.first_patient_id == told.first_patient_id && shown.first_revision == told.first_revision);
    assert!(shown.moved_from_patient_id == told.moved_from_patient_id);
    assert!(shown.local_id.is_none() && shown.record_local_id.is_none() && shown.actor.is_none());
    let mut own = event(v1::EventKind::PatientImaged);
    own.image.as_mut().unwrap().system = Some("tracer".to_owned());
    let shown = part(disclose(&reads([]), &own)).image.unwrap();
    assert!(shown.local_id == told.local_id && shown.record_local_id == told.record_local_id);
}

#[test]
fn a_vendor_is_told_the_ids_of_its_own_records() {
    let mut own = event(v1::EventKind::PatientUpdated);
    own.observation.as_mut().unwrap().system = "tracer".to_owned();
    let shown = part(disclose(&reads([FieldGroup::Name]), &own));
    assert_eq!(shown.linked_by, own.linked_by);
    let (shown, own) = (shown.observation.unwrap(), own.observation.unwrap());
    assert!(shown.local_id == own.local_id && shown.merged_into_local_id == own.merged_into_local_id);
}

#[test]
fn who_may_read_everything_is_sent_the_bytes_as_they_are() {
    let mut contract = reads(FieldGroup::ALL);
    contract.read.source = true;
    let stored = event(v1::EventKind::PatientUpdated).encode_to_vec();
    assert!(matches!(
        disclose_bytes(&contract, &stored.clone().into()),
        Disclosed::Whole
    ));
    contract.read.kinds = [EventKind::PatientUpdated].into();
    assert!(matches!(
        disclose_bytes(&contract, &stored.into()),
        Disclosed::Whole
    ));
    let other = event(v1::EventKind::PatientCreated);
    assert!(is_withheld(&disclose(&contract, &other)));
}

#[test]
fn what_this_version_does_not_know_never_passes() {
    let unknown = |message: Vec<u8>| {
        // Field 1000, length-delimited: a text.
        let mut bytes = message;
        bytes.extend([0xc2, 0x3e, 9]);
        bytes.extend(b"<unknown>");
        bytes
    };
    let patient = unknown(patient().encode_to_vec());
    let mut bytes = event(v1::EventKind::PatientUpdated);
    bytes.patient = None;
    let mut bytes = unknown(bytes.encode_to_vec());
    // Field 6 of an event, its patient.
    bytes.push(0x32);
    prost::encoding::encode_varint(patient.len() as u64, &mut bytes);
    bytes.extend(patient);
    assert!(bytes.windows(9).filter(|window| window == b"<unknown>").count() == 2);
    let shown = part(disclose_bytes(&reads(FieldGroup::ALL), &bytes.into()));
    assert!(shown.patient.is_some() && !tells(&shown, "<unknown>"));
}

#[test]
fn bytes_that_are_no_event_are_shown_to_nobody_who_may_not_see_everything() {
    let contract = reads([FieldGroup::Name]);
    let broken = view(&contract).event(&vec![0xff; 8].into());
    assert_eq!(broken.err(), Some(WireError::NotAMessage));
}

#[test]
fn messages_are_cut_as_the_contract_cuts_patients() {
    let patient = Patient {
        names: vec![HumanName {
            family: Some("Moss".into()),
            ..HumanName::default()
        }],
        administrative_sex: Some(AdministrativeSex::Female),
        status: Some(PatientStatus::MergedInto),
        merged_into: Some(PatientId::generate()),
        responsible_parties: vec![
            ResponsibleParty {
                person: Some(PersonReference {
                    system: "front-desk".parse().unwrap(),
                    local_id: "7".parse().unwrap(),
                    patient_id: None,
                }),
                is_guarantor: true,
                ..ResponsibleParty::default()
            },
            ResponsibleParty {
                relationship: Some("MTH".into()),
                ..ResponsibleParty::default()
            },
        ],
        photo_sha256: Some("00".into()),
        ..Patient::default()
    };
    for fields in all_sets() {
        let contract = reads(fields.clone());
        let message = view(&contract).patient(write_patient(&patient));
        let read = read_patient(message).unwrap();
        assert!(read == contract.read.patient(&patient), "{fields:?}");
    }
}
