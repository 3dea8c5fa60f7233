//! The service itself: one line for each call. What a call does is in the module of its group.

use super::{
    accounting, images, merging, overview, parked, practice::Practice, rebuild, receipts, reconcile, records,
    reload, review, tail, vendors,
};
use crate::api::status::refuse;
use archwire_proto::admin::v1::{
    AccountDisclosuresRequest, AccountDisclosuresResponse, CollectImagesRequest, CollectImagesResponse,
    DecideReviewRequest, DecideReviewResponse, DropParkedRequest, DropParkedResponse, GetAuditKeyRequest,
    GetAuditKeyResponse, GetImageRequest, GetImageResponse, GetImageUsageRequest, GetImageUsageResponse,
    GetStatusRequest, GetStatusResponse, LastReconciliationRequest, LastReconciliationResponse,
    ListAuditRequest, ListAuditResponse, ListImagesRequest, ListImagesResponse, ListParkedRequest,
    ListParkedResponse, ListReceiptsRequest, ListReceiptsResponse, ListReviewRequest, ListReviewResponse,
    ListTokensRequest, ListTokensResponse, ListVendorsRequest, ListVendorsResponse, MakeTokenRequest,
    MakeTokenResponse, MergeRequest, MergeResponse, ReadAuditRequest, ReadAuditResponse, RebuildRequest,
    RebuildResponse, ReconcileRequest, ReconcileResponse, RedriveParkedRequest, RedriveParkedResponse,
    ReloadConfigurationRequest, ReloadConfigurationResponse, RevokeTokenRequest, RevokeTokenResponse,
    ShowImageRequest, ShowImageResponse, ShowParkedRequest, ShowParkedResponse, ShowReviewRequest,
    ShowReviewResponse, ShowVendorRequest, ShowVendorResponse, TailEventsRequest, TailEventsResponse,
    UnmergeRequest, UnmergeResponse, admin_server::Admin,
};
use futures_util::{Stream, StreamExt as _};
use std::{pin::Pin, sync::Arc};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

/// `archwire.admin.v1.Admin`.
pub struct AdminService {
    practice: Arc<Practice>,
    shutdown: CancellationToken,
    rebuilding: Arc<Mutex<()>>,
}

impl AdminService {
    /// The service of one practice. Open streams end when `shutdown` comes.
    #[must_use]
    pub fn new(practice: Practice, shutdown: CancellationToken) -> Self {
        Self {
            practice: Arc::new(practice),
            shutdown,
            rebuilding: Arc::default(),
        }
    }

    /// Answers that end when the broker stops.
    fn answers<T>(
        &self,
        answers: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> Response<Answers<T>> {
        let stopped = self.shutdown.clone().cancelled_owned();
        Response::new(Box::pin(answers.take_until(stopped)))
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Admin for AdminService {
    type AccountDisclosuresStream = Answers<AccountDisclosuresResponse>;
    type GetImageStream = Answers<GetImageResponse>;
    type RebuildStream = Answers<RebuildResponse>;
    type ListAuditStream = Answers<ListAuditResponse>;
    type ReadAuditStream = Answers<ReadAuditResponse>;
    type ListReceiptsStream = Answers<ListReceiptsResponse>;
    type ReconcileStream = Answers<ReconcileResponse>;
    type TailEventsStream = Answers<TailEventsResponse>;

    async fn list_review(
        &self,
        request: Request<ListReviewRequest>,
    ) -> Result<Response<ListReviewResponse>, Status> {
        review::list(&self.practice, &request.into_inner()).map(Response::new)
    }

    async fn show_review(
        &self,
        request: Request<ShowReviewRequest>,
    ) -> Result<Response<ShowReviewResponse>, Status> {
        review::show(&self.practice, request).await.map(Response::new)
    }

    async fn decide_review(
        &self,
        request: Request<DecideReviewRequest>,
    ) -> Result<Response<DecideReviewResponse>, Status> {
        review::decide(&self.practice, request).await.map(Response::new)
    }

    async fn merge(&self, request: Request<MergeRequest>) -> Result<Response<MergeResponse>, Status> {
        merging::merge(&self.practice, request).await.map(Response::new)
    }

    async fn unmerge(&self, request: Request<UnmergeRequest>) -> Result<Response<UnmergeResponse>, Status> {
        merging::unmerge(&self.practice, request).await.map(Response::new)
    }

    async fn rebuild(
        &self,
        request: Request<RebuildRequest>,
    ) -> Result<Response<Self::RebuildStream>, Status> {
        let running = Arc::clone(&self.rebuilding).try_lock_owned().map_err(|_| {
            refuse(
                Code::FailedPrecondition,
                "rebuild_running",
                "somebody is rebuilding the index already",
            )
        })?;
        let answers = rebuild::rebuild(&self.practice, request, running).await?;
        Ok(self.answers(answers))
    }

    async fn list_audit(
        &self,
        request: Request<ListAuditRequest>,
    ) -> Result<Response<Self::ListAuditStream>, Status> {
        let answers = records::list(&self.practice, request.into_inner()).await?;
        Ok(self.answers(answers))
    }

    async fn read_audit(
        &self,
        request: Request<ReadAuditRequest>,
    ) -> Result<Response<Self::ReadAuditStream>, Status> {
        let answers = records::read(&self.practice, request.get_ref()).await;
        Ok(self.answers(answers))
    }

    async fn account_disclosures(
        &self,
        request: Request<AccountDisclosuresRequest>,
    ) -> Result<Response<Self::AccountDisclosuresStream>, Status> {
        let answers = accounting::account(&self.practice, request).await?;
        Ok(self.answers(answers))
    }

    async fn get_audit_key(
        &self,
        _: Request<GetAuditKeyRequest>,
    ) -> Result<Response<GetAuditKeyResponse>, Status> {
        Ok(Response::new(records::key(&self.practice)))
    }

    async fn list_receipts(
        &self,
        request: Request<ListReceiptsRequest>,
    ) -> Result<Response<Self::ListReceiptsStream>, Status> {
        let answers = receipts::list(&self.practice, &request.into_inner())?;
        Ok(self.answers(answers))
    }

    async fn list_parked(
        &self,
        request: Request<ListParkedRequest>,
    ) -> Result<Response<ListParkedResponse>, Status> {
        parked::list(&self.practice, request.into_inner()).map(Response::new)
    }

    async fn show_parked(
        &self,
        request: Request<ShowParkedRequest>,
    ) -> Result<Response<ShowParkedResponse>, Status> {
        parked::show(&self.practice, request).await.map(Response::new)
    }

    async fn redrive_parked(
        &self,
        request: Request<RedriveParkedRequest>,
    ) -> Result<Response<RedriveParkedResponse>, Status> {
        parked::redrive(&self.practice, request).await.map(Response::new)
    }

    async fn drop_parked(
        &self,
        request: Request<DropParkedRequest>,
    ) -> Result<Response<DropParkedResponse>, Status> {
        parked::drop_parked(&self.practice, request)
            .await
            .map(Response::new)
    }

    async fn reconcile(
        &self,
        request: Request<ReconcileRequest>,
    ) -> Result<Response<Self::ReconcileStream>, Status> {
        let answers = reconcile::reconcile(&self.practice, request).await?;
        Ok(self.answers(answers))
    }

    async fn last_reconciliation(
        &self,
        request: Request<LastReconciliationRequest>,
    ) -> Result<Response<LastReconciliationResponse>, Status> {
        reconcile::last(&self.practice, request.get_ref())
            .await
            .map(Response::new)
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        Ok(Response::new(overview::of(&self.practice)))
    }

    async fn tail_events(
        &self,
        request: Request<TailEventsRequest>,
    ) -> Result<Response<Self::TailEventsStream>, Status> {
        let answers = tail::tail(&self.practice, request).await?;
        Ok(self.answers(answers))
    }

    async fn list_images(
        &self,
        request: Request<ListImagesRequest>,
    ) -> Result<Response<ListImagesResponse>, Status> {
        images::list(&self.practice, request.get_ref())
            .await
            .map(Response::new)
    }

    async fn show_image(
        &self,
        request: Request<ShowImageRequest>,
    ) -> Result<Response<ShowImageResponse>, Status> {
        images::show(&self.practice, request).await.map(Response::new)
    }

    async fn get_image(
        &self,
        request: Request<GetImageRequest>,
    ) -> Result<Response<Self::GetImageStream>, Status> {
        let answers = images::get(&self.practice, request).await?;
        Ok(self.answers(answers))
    }

    async fn collect_images(
        &self,
        request: Request<CollectImagesRequest>,
    ) -> Result<Response<CollectImagesResponse>, Status> {
        images::collect(&self.practice, request).await.map(Response::new)
    }

    async fn get_image_usage(
        &self,
        _: Request<GetImageUsageRequest>,
    ) -> Result<Response<GetImageUsageResponse>, Status> {
        images::usage(&self.practice).await.map(Response::new)
    }

    async fn list_vendors(
        &self,
        _: Request<ListVendorsRequest>,
    ) -> Result<Response<ListVendorsResponse>, Status> {
        Ok(Response::new(vendors::list(&self.practice).await))
    }

    async fn show_vendor(
        &self,
        request: Request<ShowVendorRequest>,
    ) -> Result<Response<ShowVendorResponse>, Status> {
        vendors::show(&self.practice, request.get_ref())
            .await
            .map(Response::new)
    }

    async fn make_token(
        &self,
        request: Request<MakeTokenRequest>,
    ) -> Result<Response<MakeTokenResponse>, Status> {
        vendors::make(&self.practice, request).await.map(Response::new)
    }

    async fn list_tokens(
        &self,
        request: Request<ListTokensRequest>,
    ) -> Result<Response<ListTokensResponse>, Status> {
        vendors::tokens(&self.practice, request.get_ref())
            .await
            .map(Response::new)
    }

    async fn revoke_token(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenResponse>, Status> {
        vendors::revoke(&self.practice, request).await.map(Response::new)
    }

    async fn reload_configuration(
        &self,
        request: Request<ReloadConfigurationRequest>,
    ) -> Result<Response<ReloadConfigurationResponse>, Status> {
        reload::reload(&self.practice, request.get_ref())
            .await
            .map(Response::new)
    }
}
