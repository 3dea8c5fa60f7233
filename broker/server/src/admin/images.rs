//! Images for administrators: which there are, what is known of one, its bytes, and how much room all take.

use super::practice::Practice;
use crate::api::status::refuse;
use archwire_proto::admin::v1;
use futures_util::{Stream, stream};
use tonic::{Code, Request, Status};

pub(super) fn list(_: &Practice, _: &v1::ListImagesRequest) -> Result<v1::ListImagesResponse, Status> {
    Err(off())
}

pub(super) async fn show(
    _: &Practice,
    _: Request<v1::ShowImageRequest>,
) -> Result<v1::ShowImageResponse, Status> {
    Err(off())
}

type Answer = Result<v1::GetImageResponse, Status>;

pub(super) async fn get(
    _: &Practice,
    _: Request<v1::GetImageRequest>,
) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
    Err::<stream::Empty<Answer>, _>(off())
}

pub(super) async fn collect(
    _: &Practice,
    _: Request<v1::CollectImagesRequest>,
) -> Result<v1::CollectImagesResponse, Status> {
    Err(off())
}

pub(super) async fn usage(_: &Practice) -> Result<v1::GetImageUsageResponse, Status> {
    Err(off())
}

fn off() -> Status {
    refuse(
        Code::FailedPrecondition,
        "images_off",
        "this broker keeps no images",
    )
}
