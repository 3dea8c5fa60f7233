//! A comparison of a system with the log, told as it goes: how far it is at most ten times a second, then what it found.

use super::{asker::Asker, practice::Practice, status::invalid};
use crate::{
    api::status::{refuse, with_causes},
    audit::{Act, Action},
    reconcile::{Begun, Progress, ReconcileError, Report},
    wire::WireError,
};
use archwire_core::SystemName;
use archwire_proto::admin::v1::{
    LastReconciliationRequest, LastReconciliationResponse, ReconcileRequest, ReconcileResponse,
};
use futures_util::{Stream, stream};
use std::time::Duration;
use tokio::{sync::watch, time::sleep};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Request, Status};

/// Between two words of how far it is.
const BETWEEN_WORDS: Duration = Duration::from_millis(100);

/// Compares a system. Goes on only while somebody listens; what was repaired until then stays repaired.
pub(super) async fn reconcile(
    practice: &Practice,
    request: Request<ReconcileRequest>,
) -> Result<impl Stream<Item = Result<ReconcileResponse, Status>> + Send + use<>, Status> {
    let (_, extensions, request) = request.into_parts();
    let ReconcileRequest {
        system,
        person,
        repair,
    } = request;
    let asker = Asker::of(person, &extensions)?;
    let system = system_name(&system)?;
    let begun = practice
        .reconciler
        .begin(&system)
        .map_err(|error| not_compared(&error))?;
    if repair {
        let act = Act {
            system: Some(system),
            ..asker.about_to(Action::Repair, String::new())
        };
        practice.audit(act).await?;
    }
    Ok(answers(begun, repair))
}

/// The last report of a system that is stored.
pub(super) async fn last(
    practice: &Practice,
    request: &LastReconciliationRequest,
) -> Result<LastReconciliationResponse, Status> {
    let system = system_name(&request.system)?;
    let report = practice.reconciler.last(&system).await;
    let report = report.map_err(|error| not_compared(&error))?;
    Ok(LastReconciliationResponse { report })
}

fn system_name(name: &str) -> Result<SystemName, Status> {
    name.parse()
        .map_err(|error| invalid(&WireError::Name("system", error)))
}

/// A comparison in a task of its own, so that somebody who asked for it and does not read on keeps nothing of the system's
/// account to himself. It ends with the call.
struct Comparing {
    work: AbortOnDropHandle<Result<Report, ReconcileError>>,
    progress: watch::Receiver<Progress>,
}

fn answers(begun: Begun, repair: bool) -> impl Stream<Item = Result<ReconcileResponse, Status>> + Send {
    let (told, progress) = watch::channel(Progress::default());
    let work = async move { begun.run(repair, &told).await };
    let comparing = Comparing {
        work: AbortOnDropHandle::new(tokio::spawn(work)),
        progress,
    };
    stream::unfold(Some(comparing), |comparing| async {
        let mut comparing = comparing?;
        let word = async {
            sleep(BETWEEN_WORDS).await;
            comparing.progress.changed().await
        };
        tokio::select! {
            ended = &mut comparing.work => {
                let ended = ended.unwrap_or(Err(ReconcileError::Interrupted));
                let answer = ended.map(|report| ReconcileResponse {
                    end: Some(report.to_message()),
                    ..answer(*comparing.progress.borrow())
                });
                Some((answer.map_err(|error| not_compared(&error)), None))
            }
            Ok(()) = word => {
                let progress = *comparing.progress.borrow_and_update();
                Some((Ok(answer(progress)), Some(comparing)))
            }
        }
    })
}

fn answer(progress: Progress) -> ReconcileResponse {
    let Progress {
        listed,
        compared,
        to_compare,
    } = progress;
    ReconcileResponse {
        listed,
        compared,
        to_compare,
        end: None,
    }
}

/// A comparison that did not come to its end.
fn not_compared(error: &ReconcileError) -> Status {
    let code = match error {
        ReconcileError::UnknownSystem(_) => Code::NotFound,
        ReconcileError::NotOffered { .. } | ReconcileError::Running(_) => Code::FailedPrecondition,
        ReconcileError::LeftAlone
        | ReconcileError::Call(_)
        | ReconcileError::Registry(_)
        | ReconcileError::Bucket(_)
        | ReconcileError::Audit(_) => Code::Unavailable,
        ReconcileError::CursorRepeats
        | ReconcileError::Endless(_)
        | ReconcileError::TooLarge(_)
        | ReconcileError::Report
        | ReconcileError::Interrupted => Code::Internal,
    };
    refuse(code, error.code(), with_causes(error))
}
