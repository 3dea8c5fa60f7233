//! The configuration, read again because somebody asks for it.

use super::practice::Practice;
use crate::api::status::refuse;
use archwire_proto::admin::v1::{ReloadConfigurationRequest, ReloadConfigurationResponse};
use tonic::{Code, Status};

pub(super) async fn reload(
    practice: &Practice,
    request: &ReloadConfigurationRequest,
) -> Result<ReloadConfigurationResponse, Status> {
    let answer = practice.reloading.ask(request.trial).await;
    answer.ok_or_else(|| {
        refuse(
            Code::Unavailable,
            "reload_unavailable",
            "the configuration is not read any more: the broker stops",
        )
    })
}
