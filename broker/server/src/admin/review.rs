//! The review queue as the API tells it: masked lines, whole items, what came of a decision.

use super::{
    asker::{Asker, reason},
    mask::masked,
    page_size,
    practice::Practice,
    status::{invalid, not_decided, patient_id, unanswered},
};
use crate::{
    audit::{Act, Action},
    registry::{Decided, ObserveError, Registry, ReviewLine},
    wire::{
        WireError, read_review_kind, read_verdict, timestamp, write_review, write_review_kind, write_standing,
    },
};
use archwire_core::{PatientId, ReviewItem};
use archwire_proto::admin::v1;
use tonic::{Request, Status};

pub(super) fn list(
    practice: &Practice,
    request: &v1::ListReviewRequest,
) -> Result<v1::ListReviewResponse, Status> {
    let kind = read_review_kind(request.kind).map_err(|error| invalid(&error))?;
    let page = practice
        .registry
        .review_page(kind, request.after, page_size(request.page_size));
    let lines = page.lines.into_iter();
    let lines = lines.map(|one| line(&practice.registry, one));
    Ok(v1::ListReviewResponse {
        lines: lines
            .collect::<Result<_, _>>()
            .map_err(|error| unanswered(&error))?,
        open: u64::try_from(page.open).unwrap_or(u64::MAX),
        more: page.more,
    })
}

pub(super) async fn show(
    practice: &Practice,
    request: Request<v1::ShowReviewRequest>,
) -> Result<v1::ShowReviewResponse, Status> {
    let (_, extensions, v1::ShowReviewRequest { number, person }) = request.into_parts();
    let asker = Asker::of(person, &extensions)?;
    let item = practice.registry.review_item(number).await;
    let item = item.map_err(|error| not_decided(&error))?;
    let patients = patients_of(&item);
    let act = Act {
        patients: patients.clone(),
        item: Some(number),
        ..asker.about_to(Action::Show, String::new())
    };
    practice.audit(act).await?;
    let views = views(&practice.registry, &patients).map_err(|error| unanswered(&error))?;
    Ok(v1::ShowReviewResponse {
        item: Some(write_review(&without_whom(item))),
        patients: views,
    })
}

pub(super) async fn decide(
    practice: &Practice,
    request: Request<v1::DecideReviewRequest>,
) -> Result<v1::DecideReviewResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let reason = reason(&request.reason)?;
    let verdict = read_verdict(request.verdict).map_err(|error| invalid(&error))?;
    let action = Action::of(verdict).ok_or_else(|| invalid(&WireError::UnknownValue("verdict")))?;
    let with = request.with_patient_id.filter(|id| !id.is_empty());
    let with = with.map(|id| patient_id("with_patient_id", &id)).transpose()?;
    let item = practice.registry.review_item(request.number).await;
    let item = item.map_err(|error| not_decided(&error))?;
    let paths = item.disagreements.iter().map(|one| one.path.clone());
    let mut patients = patients_of(&item);
    // An image may be said to be anybody's.
    patients.extend(with.filter(|with| !patients.contains(with)));
    let act = Act {
        patients,
        item: Some(item.number),
        paths: paths.collect(),
        ..asker.about_to(action, reason.clone())
    };
    practice.audit(act).await?;
    let decision = asker.decides(verdict, Some(item.number), reason);
    let decided = practice.registry.decide_item(item.number, decision, with).await;
    let decided = decided.map_err(|error| not_decided(&error))?;
    Ok(v1::DecideReviewResponse {
        outcome: outcome(&decided),
    })
}

/// An item without what the file of an image says of a person: that may be somebody else.
fn without_whom(mut item: ReviewItem) -> ReviewItem {
    if let Some(held) = &mut item.held_image {
        held.observation.named = None;
    }
    item
}

/// A line of the list, masked.
fn line(registry: &Registry, line: ReviewLine) -> Result<v1::ReviewLine, ObserveError> {
    let standing = line
        .patient
        .map(|patient| registry.standing(patient))
        .transpose()?
        .flatten();
    Ok(v1::ReviewLine {
        number: line.number,
        kind: write_review_kind(line.kind).into(),
        opened_at: Some(timestamp(line.opened_at)),
        system: line.system.map(|system| system.to_string()),
        patient_id: line.patient.map(|patient| patient.to_string()),
        masked: standing.map_or_else(String::new, |standing| masked(&standing.patient)),
        count: u32::try_from(line.count).unwrap_or(u32::MAX),
        score_tenths: line.score_tenths,
    })
}

/// Whom an item is about: its own patient first, then its candidates.
fn patients_of(item: &ReviewItem) -> Vec<PatientId> {
    let mut patients: Vec<PatientId> = Vec::new();
    let candidates = item.candidates.iter().map(|candidate| candidate.patient);
    for patient in item.patient.into_iter().chain(candidates) {
        if !patients.contains(&patient) {
            patients.push(patient);
        }
    }
    patients
}

/// Patients as they are now; one that the bus does not know is left out.
pub(super) fn views(
    registry: &Registry,
    patients: &[PatientId],
) -> Result<Vec<v1::PatientView>, ObserveError> {
    let mut views = Vec::with_capacity(patients.len());
    for patient in patients {
        if let Some(standing) = registry.standing(*patient)? {
            views.push(v1::PatientView {
                patient_id: patient.to_string(),
                standing: Some(write_standing(&standing)),
            });
        }
    }
    Ok(views)
}

/// What came of a decision, in one sentence without patient data.
fn outcome(decided: &Decided) -> String {
    match decided {
        Decided::Merged { survivor, retired } => {
            format!("Patient {retired} is one with patient {survivor} now, who goes on.")
        }
        Decided::NotSame => "They are two people; the pair does not come up again.".to_owned(),
        Decided::Separated { patient } => {
            format!("The record is a patient of its own now: {patient}.")
        }
        Decided::Taken { patient } => {
            format!("What the system says was taken for patient {patient}.")
        }
        Decided::Kept { patient } => {
            format!(
                "What the bus holds for patient {patient} stands, and is written back where a connector writes to the system."
            )
        }
        Decided::ReadAgain => "The record is read again.".to_owned(),
        Decided::Discarded => {
            "The image is not taken and does not come up again; its bytes are removed unless another image has them."
                .to_owned()
        }
        Decided::Dismissed => "The item is closed; nothing else was changed.".to_owned(),
    }
}
