//! What vendors say of patients and of images, before the registry hears of it.

use crate::{agreed::name, input::Input};
use archwire::{
    imaging::contradicts,
    wire::{decode_event, read_image, read_image_claim, read_observation, write_image, write_patient},
};
use archwire_core::{Fields, Image, Observation, Patient, fill_in};
use archwire_proto::v1;
use prost::Message as _;

/// One byte chooses the message; the rest is one.
pub fn requests(input: &[u8]) {
    let mut input = Input::of(input);
    match input.byte() % 3 {
        0 => publish(input.rest()),
        1 => open_image(input.rest()),
        _ => image(input.rest()),
    }
}

fn publish(bytes: &[u8]) {
    let Ok(request) = v1::PublishRequest::decode(bytes) else {
        return;
    };
    let Some(said) = request.observation else {
        return;
    };
    let Ok(observation) = read_observation(said.clone(), name("tracer")) else {
        return;
    };
    can_be_stored(said, &observation);
    agrees_with_itself(&observation.view.patient);
}

/// What was taken stands in an event that can be read.
fn can_be_stored(said: v1::Observation, taken: &Observation) {
    let event = v1::Event {
        id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        kind: v1::EventKind::PatientUpdated.into(),
        patient_id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        revision: 2,
        patient: Some(write_patient(&taken.view.patient)),
        observation: Some(v1::Observation {
            system: taken.system.to_string(),
            patient: Some(write_patient(&taken.view.patient)),
            ..said
        }),
        recorded_at: Some(prost_types::Timestamp::default()),
        ..v1::Event::default()
    };
    let stored = decode_event(event.encode_to_vec().into()).expect("what was taken cannot be stored");
    assert!(
        stored.patient == taken.view.patient,
        "the patient is stored as another"
    );
    assert!(
        stored.observation.as_ref() == Some(taken),
        "what was said is stored as something else"
    );
}

/// What the rules make of one patient who is said twice.
fn agrees_with_itself(patient: &Patient) {
    let fields = Fields::of(patient).expect("a patient has fields");
    let whole = fields.to_patient().expect("fields make a patient");
    let again = Fields::of(&whole).expect("a patient has fields");
    let change = fill_in(&fields, &fields);
    assert!(change.changed.is_empty(), "saying it twice changes something");
    assert!(fields.difference(&fields).is_empty());
    // Elements that lack what they cannot be without are left out; nothing else is.
    assert!(
        again
            .difference(&fields)
            .iter()
            .all(|path| path.as_str().contains('/')),
        "a value is lost"
    );
    assert!(
        contradicts(patient, patient).is_empty(),
        "somebody cannot be oneself"
    );
}

fn open_image(bytes: &[u8]) {
    let Ok(request) = v1::PutImageRequest::decode(bytes) else {
        return;
    };
    let Some(v1::put_image_request::Request::Open(open)) = request.request else {
        return;
    };
    let Ok(claim) = read_image_claim(open.image.unwrap_or_default()) else {
        return;
    };
    assert!(
        claim.about.check().is_ok(),
        "more is claimed than the bus carries"
    );
}

fn image(bytes: &[u8]) {
    let Ok(message) = v1::Image::decode(bytes) else {
        return;
    };
    if let Ok(image) = read_image(message) {
        is_written_as_it_was_read(&image);
    }
}

/// That an image which the bus knows can be stored.
pub(crate) fn is_written_as_it_was_read(image: &Image) {
    assert!(image.check().is_ok(), "more is said than the bus carries");
    let again = read_image(write_image(image));
    assert!(
        again.as_ref() == Ok(image),
        "an image changes when it is written: {:?}",
        again.err()
    );
}
