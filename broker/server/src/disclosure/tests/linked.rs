//! By whose record: contracts that are about the patients of whom a system keeps a record.

use super::{
    Disclosed, VendorView, is_withheld, part, reads,
    sample::{event, side, word},
    tells,
};
use archwire_core::{
    FieldGroup, PatientId, SystemName,
    contract::{Contract, PatientScope},
};
use archwire_proto::v1;
use prost::Message as _;
use std::sync::Arc;

fn linked() -> Contract {
    let mut contract = reads(FieldGroup::ALL);
    contract.read.source = true;
    contract.patients = PatientScope::LinkedWith("archive".parse().unwrap());
    contract
}

/// What is shown while the archive keeps a record of these.
fn disclose(event: &v1::Event, kept: &[PatientId]) -> Disclosed {
    let kept = kept.to_vec();
    let keeps = move |system: &SystemName, patient| system.as_str() == "archive" && kept.contains(&patient);
    let view = VendorView::new(Arc::new(linked()), Arc::new(keeps));
    let disclosed = view.event(&event.encode_to_vec().into());
    disclosed.unwrap_or_else(|error| panic!("{error}"))
}

fn id(event: &v1::Event) -> PatientId {
    event.patient_id.parse().unwrap()
}

#[test]
fn a_patient_without_a_record_in_the_named_system_is_not_told_of() {
    let mut event = event(v1::EventKind::PatientUpdated);
    event.merge = None;
    assert!(is_withheld(&disclose(&event, &[])));
    assert!(is_withheld(&disclose(&event, &[PatientId::generate()])));
    assert!(!is_withheld(&disclose(&event, &[id(&event)])));
    event.patient_id = "nobody".to_owned();
    assert!(is_withheld(&disclose(&event, &[])));
}

/// A merge or parting, told on the subject of the one or the other, in which the archive's record was the retired one's before
/// and is the survivor's afterwards, or the other way round.
fn merge(kind: v1::EventKind, of_survivor: bool) -> (v1::Event, [PatientId; 2]) {
    let [survivor, retired] = [PatientId::generate(), PatientId::generate()];
    let (both, none, desk) = (&["front-desk", "archive"][..], &[][..], &["front-desk"][..]);
    let (survivor_side, retired_side) = match kind {
        v1::EventKind::PatientMerged => (side(survivor, desk, both), side(retired, &["archive"], none)),
        _ => (side(survivor, both, desk), side(retired, none, &["archive"])),
    };
    let mut event = event(kind);
    event.patient_id = if of_survivor { survivor } else { retired }.to_string();
    event.merge = Some(v1::Merge {
        survivor: Some(survivor_side),
        retired: Some(retired_side),
    });
    (event, [survivor, retired])
}

#[test]
fn who_goes_on_with_the_record_is_shown_and_who_went_is_told_of() {
    let (event, [survivor, _]) = merge(v1::EventKind::PatientMerged, true);
    let shown = part(disclose(&event, &[survivor]));
    assert!(shown.patient == event.patient && shown.changed == event.changed);
    let (event, [survivor, _]) = merge(v1::EventKind::PatientMerged, false);
    let shown = part(disclose(&event, &[survivor]));
    assert!(shown.patient.is_none() && shown.changed.is_empty() && shown.owed.is_empty());
    assert!(shown.merge.unwrap().survivor == event.merge.unwrap().survivor);
}

#[test]
fn who_turns_out_to_be_somebody_else_is_not_shown_any_more() {
    let (event, [survivor, retired]) = merge(v1::EventKind::PatientUnmerged, true);
    let mut shown = part(disclose(&event, &[retired]));
    assert!(shown.patient.is_none() && shown.changed.is_empty() && shown.image.is_none());
    assert!(shown.observation.is_none() && shown.linked_by == 0);
    let merge_shown = shown.merge.take().unwrap();
    let side = merge_shown.survivor.unwrap();
    assert_eq!(side.patient_id, survivor.to_string());
    for standing in [side.before.unwrap(), side.after.unwrap()] {
        assert!(standing.patient.is_none() && standing.records.is_empty() && standing.revision == 1);
    }
    assert!(merge_shown.retired == event.merge.unwrap().retired);
    for group in FieldGroup::ALL {
        assert!(!tells(&shown, &word(group, "")), "{group}");
    }
    let (event, [_, retired]) = merge(v1::EventKind::PatientUnmerged, false);
    assert!(part(disclose(&event, &[retired])).patient == event.patient);
}

#[test]
fn a_merge_of_two_others_is_not_told() {
    let (mut event, _) = merge(v1::EventKind::PatientMerged, true);
    event.merge.as_mut().unwrap().survivor.as_mut().unwrap().before = None;
    assert!(is_withheld(&disclose(&event, &[])));
}

#[test]
fn where_an_image_came_from_is_told_only_of_patients_whom_the_contract_is_about() {
    let mut event = event(v1::EventKind::PatientImaged);
    event.merge = None;
    let shown = part(disclose(&event, &[id(&event)])).image.unwrap();
    assert!(shown.named_patient_id.is_none() && shown.moved_from_patient_id.is_none());
    assert!(shown.moved_from_revision.is_none());
    let news = event.image.clone().unwrap();
    let from: PatientId = news.moved_from_patient_id.clone().unwrap().parse().unwrap();
    let named: PatientId = news.named_patient_id.clone().unwrap().parse().unwrap();
    let shown = part(disclose(&event, &[id(&event), from, named])).image.unwrap();
    assert!(shown == news);
}

#[test]
fn a_patient_whom_an_observation_named_is_told_only_where_the_contract_is_about_that_one() {
    let mut event = event(v1::EventKind::PatientUpdated);
    event.merge = None;
    event.observation.as_mut().unwrap().patient_id = Some(PatientId::generate().to_string());
    let shown = part(disclose(&event, &[id(&event)])).observation.unwrap();
    assert_eq!(shown.patient_id, None);
}
