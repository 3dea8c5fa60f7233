//! What a contract does not read, looked for in what is sent. Written down by itself, so that it does not repeat a mistake of what
//! does the cutting.

use archwire_core::{FieldGroup, contract::Contract};
use archwire_proto::v1;

type IsSilent = fn(&v1::Patient) -> bool;

/// Of each group of fields, whether a patient has nothing of it.
const SILENT: [(FieldGroup, IsSilent); 7] = [
    (FieldGroup::Identifiers, |patient| patient.identifiers.is_empty()),
    (FieldGroup::Name, |patient| patient.names.is_empty()),
    (FieldGroup::Demographics, says_no_demographics),
    (FieldGroup::Contact, |patient| {
        patient.telecom.is_empty() && patient.addresses.is_empty()
    }),
    (FieldGroup::ResponsibleParties, |patient| {
        patient.responsible_parties.is_empty()
    }),
    (FieldGroup::Administrative, |patient| {
        patient.status == 0
            && patient.primary_provider.is_none()
            && patient.confidentiality.is_empty()
            && patient.merged_into.is_none()
    }),
    (FieldGroup::Photo, |patient| patient.photo_sha256.is_none()),
];

fn says_no_demographics(patient: &v1::Patient) -> bool {
    let texts = [
        &patient.birth_date,
        &patient.gender_identity,
        &patient.pronouns,
        &patient.deceased_at,
        &patient.marital_status,
        &patient.preferred_language,
    ];
    let answers = [
        patient.deceased,
        patient.interpreter_required,
        patient.multiple_birth,
    ];
    patient.administrative_sex == 0
        && patient.multiple_birth_order.is_none()
        && texts.iter().all(|text| text.is_none())
        && answers.iter().all(Option::is_none)
}

/// That a patient is shown no further than the contract reads.
pub(crate) fn nothing_else_of_patient(contract: &Contract, patient: &v1::Patient) {
    for (group, is_silent) in SILENT {
        let is_read = contract.read.fields.contains(&group);
        assert!(is_read || is_silent(patient), "{group} is shown");
    }
    let names_records = contract.read.fields.contains(&FieldGroup::Identifiers);
    let mut parties = patient.responsible_parties.iter();
    let is_named = parties.any(|party| party.person.is_some());
    assert!(names_records || !is_named, "a party's record is shown");
}

/// That an event is shown no further than the contract reads, which is about whom `is_about` says.
pub(crate) fn nothing_else_in_event(contract: &Contract, is_about: &dyn Fn(&str) -> bool, event: &v1::Event) {
    let is_seen = is_about(&event.patient_id);
    for path in event.changed.iter().chain(&event.owed) {
        assert!(
            is_seen && contract.shows(&path.as_str().into()),
            "a path is shown"
        );
    }
    let said = event.observation.as_ref();
    let states = [
        event.patient.as_ref(),
        said.and_then(|said| said.patient.as_ref()),
    ];
    for patient in states.into_iter().flatten() {
        assert!(is_seen, "somebody else is shown");
        nothing_else_of_patient(contract, patient);
    }
    let merge = event.merge.iter();
    for side in merge
        .flat_map(|merge| [&merge.survivor, &merge.retired])
        .flatten()
    {
        nothing_else_in_side(contract, is_about, side);
    }
    assert!(
        contract.read.source || !tells_source(event),
        "the source is shown"
    );
    let records = said.map(|said| (said.system.as_str(), said.local_id.as_str()));
    let image = event.image.as_ref();
    let of_image = image.map(|news| {
        let local_id = news.local_id.as_deref().or(news.record_local_id.as_deref());
        (
            news.system.as_deref().unwrap_or_default(),
            local_id.unwrap_or_default(),
        )
    });
    for record in [records, of_image].into_iter().flatten() {
        no_record_of_others(contract, record);
    }
}

fn nothing_else_in_side(contract: &Contract, is_about: &dyn Fn(&str) -> bool, side: &v1::MergeSide) {
    let is_seen = is_about(&side.patient_id);
    for standing in [&side.before, &side.after].into_iter().flatten() {
        for link in &standing.records {
            assert!(is_seen, "a record of somebody else is shown");
            no_record_of_others(contract, (&link.system, &link.local_id));
        }
        if let Some(patient) = &standing.patient {
            assert!(is_seen, "somebody else is shown");
            nothing_else_of_patient(contract, patient);
        }
    }
}

/// Ids of records are shown with the identifiers, and a vendor's own always.
fn no_record_of_others(contract: &Contract, (system, local_id): (&str, &str)) {
    let names_records = contract.read.fields.contains(&FieldGroup::Identifiers);
    let is_own = system == contract.grantee.vendor.as_str();
    assert!(
        names_records || is_own || local_id.is_empty(),
        "a record's id is shown"
    );
}

/// Whether there is something of the source's own record, or of who did or decided something, and why.
fn tells_source(event: &v1::Event) -> bool {
    let said = event.observation.as_ref();
    let image = event.image.as_ref();
    let decision = event.decision.as_ref();
    said.is_some_and(|said| said.source.is_some() || said.actor.is_some())
        || image.is_some_and(|news| news.actor.is_some())
        || decision.is_some_and(|decision| !decision.by.is_empty() || !decision.reason.is_empty())
}
