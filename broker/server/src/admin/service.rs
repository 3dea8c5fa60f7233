//! The service itself: reads the request, audits, acts.

use super::{
    asker::{Asker, reason},
    rebuild, review,
    status::{audit_unread, invalid, not_audited, not_decided, patient_id, unanswered},
};
use crate::{
    api::status::refuse,
    audit::{Act, Action, Audit},
    registry::Registry,
    wire::{WireError, read_review_kind, read_verdict, write_merge, write_review},
};
use archwire_core::{Decision, PatientId, Text, Verdict};
use archwire_proto::admin::v1::{
    DecideReviewRequest, DecideReviewResponse, DropParkedRequest, DropParkedResponse, GetStatusRequest,
    GetStatusResponse, LastReconciliationRequest, LastReconciliationResponse, ListAuditRequest,
    ListAuditResponse, ListParkedRequest, ListParkedResponse, ListReceiptsRequest, ListReceiptsResponse,
    ListReviewRequest, ListReviewResponse, MergeRequest, MergeResponse, RebuildRequest, RebuildResponse,
    ReconcileRequest, ReconcileResponse, RedriveParkedRequest, RedriveParkedResponse, ShowParkedRequest,
    ShowParkedResponse, ShowReviewRequest, ShowReviewResponse, TailEventsRequest, TailEventsResponse,
    UnmergeRequest, UnmergeResponse, admin_server::Admin,
};
use futures_util::{Stream, StreamExt as _};
use std::{pin::Pin, sync::Arc, time::SystemTime};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

/// Lines in a page when the caller does not say, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1000;

/// `archwire.admin.v1.Admin`.
pub struct AdminService {
    registry: Arc<Registry>,
    audit: Audit,
    shutdown: CancellationToken,
    rebuilding: Arc<Mutex<()>>,
}

impl AdminService {
    /// The service of one practice. Open streams end when `shutdown` comes.
    #[must_use]
    pub fn new(registry: Arc<Registry>, audit: Audit, shutdown: CancellationToken) -> Self {
        Self {
            registry,
            audit,
            shutdown,
            rebuilding: Arc::default(),
        }
    }

    /// Writes down what is about to be done. Nothing is done when this fails.
    async fn audit(&self, act: Act) -> Result<(), Status> {
        match self.audit.record(act).await {
            Ok(_) => Ok(()),
            Err(error) => Err(not_audited(&error)),
        }
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Admin for AdminService {
    type RebuildStream = Answers<RebuildResponse>;
    type ListAuditStream = Answers<ListAuditResponse>;
    type ListReceiptsStream = Answers<ListReceiptsResponse>;
    type ReconcileStream = Answers<ReconcileResponse>;
    type TailEventsStream = Answers<TailEventsResponse>;

    async fn list_review(
        &self,
        request: Request<ListReviewRequest>,
    ) -> Result<Response<ListReviewResponse>, Status> {
        let ListReviewRequest {
            kind,
            after,
            page_size,
        } = request.into_inner();
        let kind = read_review_kind(kind).map_err(|error| invalid(&error))?;
        let size = match usize::try_from(page_size).unwrap_or(LONGEST_PAGE) {
            0 => PAGE,
            size => size.min(LONGEST_PAGE),
        };
        let page = self.registry.review_page(kind, after, size);
        let lines = page.lines.into_iter();
        let lines = lines.map(|line| review::line(&self.registry, line));
        Ok(Response::new(ListReviewResponse {
            lines: lines
                .collect::<Result<_, _>>()
                .map_err(|error| unanswered(&error))?,
            open: u64::try_from(page.open).unwrap_or(u64::MAX),
            more: page.more,
        }))
    }

    async fn show_review(
        &self,
        request: Request<ShowReviewRequest>,
    ) -> Result<Response<ShowReviewResponse>, Status> {
        let (_, extensions, ShowReviewRequest { number, person }) = request.into_parts();
        let asker = Asker::of(person, &extensions)?;
        let item = self.registry.review_item(number).await;
        let item = item.map_err(|error| not_decided(&error))?;
        let patients = review::patients_of(&item);
        let act = Act {
            patients: patients.clone(),
            item: Some(number),
            ..asker.about_to(Action::Show, String::new())
        };
        self.audit(act).await?;
        let views = review::views(&self.registry, &patients).map_err(|error| unanswered(&error))?;
        Ok(Response::new(ShowReviewResponse {
            item: Some(write_review(&item)),
            patients: views,
        }))
    }

    async fn decide_review(
        &self,
        request: Request<DecideReviewRequest>,
    ) -> Result<Response<DecideReviewResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let asker = Asker::of(request.person, &extensions)?;
        let reason = reason(&request.reason)?;
        let verdict = read_verdict(request.verdict).map_err(|error| invalid(&error))?;
        let action = Action::of(verdict).ok_or_else(|| invalid(&WireError::UnknownValue("verdict")))?;
        let with = request.with_patient_id.filter(|id| !id.is_empty());
        let with = with.map(|id| patient_id("with_patient_id", &id)).transpose()?;
        let item = self.registry.review_item(request.number).await;
        let item = item.map_err(|error| not_decided(&error))?;
        let paths = item.disagreements.iter().map(|one| one.path.clone());
        let act = Act {
            patients: review::patients_of(&item),
            item: Some(item.number),
            paths: paths.collect(),
            ..asker.about_to(action, reason.clone())
        };
        self.audit(act).await?;
        let decision = decision(verdict, Some(item.number), &asker, reason);
        let decided = self.registry.decide_item(item.number, decision, with).await;
        let decided = decided.map_err(|error| not_decided(&error))?;
        Ok(Response::new(DecideReviewResponse {
            outcome: review::outcome(&decided),
        }))
    }

    async fn merge(&self, request: Request<MergeRequest>) -> Result<Response<MergeResponse>, Status> {
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
        self.audit(act).await?;
        let decision = decision(Verdict::Merge, None, &asker, reason);
        let merge = self.registry.merge(
            survivor,
            retired,
            decision,
            request.although_not_same,
            request.dry_run,
        );
        let merge = merge.await.map_err(|error| not_decided(&error))?;
        Ok(Response::new(MergeResponse {
            merge: Some(write_merge(&merge)),
        }))
    }

    async fn unmerge(&self, request: Request<UnmergeRequest>) -> Result<Response<UnmergeResponse>, Status> {
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
            patients: self.both(retired),
            ..asker.about_to(action, reason.clone())
        };
        self.audit(act).await?;
        let decision = decision(Verdict::Unmerge, None, &asker, reason);
        let merge = self.registry.unmerge(retired, decision, request.dry_run);
        let merge = merge.await.map_err(|error| not_decided(&error))?;
        Ok(Response::new(UnmergeResponse {
            merge: Some(write_merge(&merge)),
        }))
    }

    async fn rebuild(
        &self,
        request: Request<RebuildRequest>,
    ) -> Result<Response<Self::RebuildStream>, Status> {
        let (_, extensions, RebuildRequest { person }) = request.into_parts();
        let asker = Asker::of(person, &extensions)?;
        let running = Arc::clone(&self.rebuilding).try_lock_owned().map_err(|_| {
            refuse(
                Code::FailedPrecondition,
                "rebuild_running",
                "somebody is rebuilding the index already",
            )
        })?;
        self.audit(asker.about_to(Action::Rebuild, String::new())).await?;
        let answers = rebuild::answers(Arc::clone(&self.registry), running)
            .take_until(self.shutdown.clone().cancelled_owned());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_audit(
        &self,
        request: Request<ListAuditRequest>,
    ) -> Result<Response<Self::ListAuditStream>, Status> {
        let ListAuditRequest {
            patient_id: about,
            after,
        } = request.into_inner();
        let about = Some(about).filter(|id| !id.is_empty());
        let about = about.map(|id| patient_id("patient_id", &id)).transpose()?;
        let about = about.map(|id| id.to_string());
        let records = self.audit.read(after).filter_map(move |record| {
            let wanted = match (&record, &about) {
                (Ok((_, record)), Some(about)) => record.patient_ids.contains(about),
                _ => true,
            };
            std::future::ready(wanted.then_some(record))
        });
        let answers = records.map(|record| {
            let (sequence, record) = record.map_err(|error| audit_unread(&error))?;
            Ok(ListAuditResponse {
                sequence,
                record: Some(record),
            })
        });
        let answers = answers.take_until(self.shutdown.clone().cancelled_owned());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_receipts(
        &self,
        _: Request<ListReceiptsRequest>,
    ) -> Result<Response<Self::ListReceiptsStream>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn list_parked(
        &self,
        _: Request<ListParkedRequest>,
    ) -> Result<Response<ListParkedResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn show_parked(
        &self,
        _: Request<ShowParkedRequest>,
    ) -> Result<Response<ShowParkedResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn redrive_parked(
        &self,
        _: Request<RedriveParkedRequest>,
    ) -> Result<Response<RedriveParkedResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn drop_parked(
        &self,
        _: Request<DropParkedRequest>,
    ) -> Result<Response<DropParkedResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn reconcile(
        &self,
        _: Request<ReconcileRequest>,
    ) -> Result<Response<Self::ReconcileStream>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn last_reconciliation(
        &self,
        _: Request<LastReconciliationRequest>,
    ) -> Result<Response<LastReconciliationResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        Err(Status::unimplemented("not there yet"))
    }

    async fn tail_events(
        &self,
        _: Request<TailEventsRequest>,
    ) -> Result<Response<Self::TailEventsStream>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}

impl AdminService {
    /// A retired patient and the survivor, where the bus knows them.
    fn both(&self, retired: PatientId) -> Vec<PatientId> {
        let standing = self.registry.standing(retired).ok().flatten();
        let survivor = standing.and_then(|standing| standing.patient.merged_into);
        [Some(retired), survivor].into_iter().flatten().collect()
    }
}

fn decision(verdict: Verdict, item: Option<u64>, asker: &Asker, reason: String) -> Decision {
    Decision {
        verdict,
        item,
        by: Text::from(asker.name.as_str()),
        reason: reason.into(),
        at: SystemTime::now(),
    }
}
