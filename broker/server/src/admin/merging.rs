//! Two patients made one, and parted again.

use super::{
    asker::{Asker, reason},
    practice::Practice,
    status::{not_decided, patient_id},
};
use crate::{
    audit::{Act, Action},
    wire::write_merge,
};
use archwire_core::{PatientId, Verdict};
use archwire_proto::admin::v1::{MergeRequest, MergeResponse, UnmergeRequest, UnmergeResponse};
use tonic::{Request, Status};

pub(super) async fn merge(
    practice: &Practice,
    request: Request<MergeRequest>,
) -> Result<MergeResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let reason = reason(&request.reason)?;
    let survivor = patient_id("survivor_id", &request.survivor_id)?;
    let retired = patient_id("retired_id", &request.retired_id)?;
    let action = if request.dry_run {
        Action::MergeTrial
    } else {
        Action::Merge
    };
    let act = Act {
        patients: vec![survivor, retired],
        ..asker.about_to(action, reason.clone())
    };
    practice.audit(act).await?;
    let decision = asker.decides(Verdict::Merge, None, reason);
    let merge = practice.registry.merge(
        survivor,
        retired,
        decision,
        request.although_not_same,
        request.dry_run,
    );
    let merge = merge.await.map_err(|error| not_decided(&error))?;
    Ok(MergeResponse {
        merge: Some(write_merge(&merge)),
    })
}

pub(super) async fn unmerge(
    practice: &Practice,
    request: Request<UnmergeRequest>,
) -> Result<UnmergeResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let reason = reason(&request.reason)?;
    let retired = patient_id("retired_id", &request.retired_id)?;
    let action = if request.dry_run {
        Action::UnmergeTrial
    } else {
        Action::Unmerge
    };
    let act = Act {
        patients: both(practice, retired),
        ..asker.about_to(action, reason.clone())
    };
    practice.audit(act).await?;
    let decision = asker.decides(Verdict::Unmerge, None, reason);
    let merge = practice.registry.unmerge(retired, decision, request.dry_run);
    let merge = merge.await.map_err(|error| not_decided(&error))?;
    Ok(UnmergeResponse {
        merge: Some(write_merge(&merge)),
    })
}

/// A retired patient and the survivor, where the bus knows them.
fn both(practice: &Practice, retired: PatientId) -> Vec<PatientId> {
    let standing = practice.registry.standing(retired).ok().flatten();
    let survivor = standing.and_then(|standing| standing.patient.merged_into);
    [Some(retired), survivor].into_iter().flatten().collect()
}
