//! Images for administrators: which there are, what is known of one, its bytes, how much room all take, and the removal of
//! bytes that nobody has.
//!
//! A list shows nothing that tells who the patient is or when an image was taken. What is known of an image, and its bytes, go
//! into the audit before they are shown, like everything that reveals a patient. Bytes are given with constant memory, as fast
//! as they are taken.

use super::{
    asker::Asker,
    image_copies, page_size,
    practice::Practice,
    status::{image_store, invalid, patient_id, unanswered, unknown_patient},
};
use crate::{
    api::status::{images_off, refuse},
    audit::{Act, Action},
    imaging::Intake,
    registry::{KnownImage, Registry},
    wire::{write_digest, write_image_news},
};
use archwire_core::{Code as ImageCode, ImageId, ImageNews};
use archwire_nats::{Collected, ImageRange};
use archwire_proto::admin::v1::{self, get_image_response::Response};
use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Code, Request, Status};

type Answer = Result<v1::GetImageResponse, Status>;

/// A page of a patient's images.
pub(super) async fn list(
    practice: &Practice,
    request: &v1::ListImagesRequest,
) -> Result<v1::ListImagesResponse, Status> {
    let registry = &practice.registry;
    let patient = patient_id("patient_id", &request.patient_id)?;
    let standing = registry.standing(patient);
    let known = standing.map_err(|error| unanswered(&error))?;
    known.ok_or_else(|| unknown_patient(patient))?;
    let images = registry.images_of(patient);
    let mut rest = images.as_slice();
    if !request.after.is_empty() {
        let after = image_id(&request.after)?;
        let place = images.iter().position(|image| *image == after);
        rest = place.and_then(|at| images.get(at + 1..)).unwrap_or_default();
    }
    let page = rest.get(..page_size(request.page_size)).unwrap_or(rest);
    let mut lines = Vec::with_capacity(page.len());
    for id in page {
        if let Some((known, news)) = told(registry, *id).await? {
            lines.push(line(&known, &news));
        }
    }
    Ok(v1::ListImagesResponse {
        lines,
        count: u64::try_from(images.len()).unwrap_or(u64::MAX),
        more: page.len() < rest.len(),
    })
}

/// What is known of one image.
pub(super) async fn show(
    practice: &Practice,
    request: Request<v1::ShowImageRequest>,
) -> Result<v1::ShowImageResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let id = image_id(&request.image)?;
    let (known, news) = found(&practice.registry, id).await?;
    audited(practice, &asker, Action::ShowImage, &known, id).await?;
    let copies = image_copies::copies(practice, id, &known, request.look).await;
    Ok(v1::ShowImageResponse {
        copies,
        news: Some(write_image_news(&news)),
        patient_id: known.patient.to_string(),
        retracted: known.retracted,
    })
}

/// The bytes of one image.
pub(super) async fn get(
    practice: &Practice,
    request: Request<v1::GetImageRequest>,
) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let id = image_id(&request.image)?;
    let intake = kept(practice)?;
    let (known, news) = found(&practice.registry, id).await?;
    audited(practice, &asker, Action::GetImage, &known, id).await?;
    let bytes = intake.store().read(&news.image.file.digest, ImageRange::WHOLE);
    let bytes = bytes.await.map_err(|error| image_store(&error))?;
    let first = Ok(answer(Response::Image(line(&known, &news))));
    let pieces = bytes.map(|piece| match piece {
        Ok(piece) => Ok(answer(Response::Data(piece))),
        Err(error) => Err(image_store(&error)),
    });
    Ok(stream::iter([first]).chain(pieces))
}

/// Removes what nobody has.
pub(super) async fn collect(
    practice: &Practice,
    request: Request<v1::CollectImagesRequest>,
) -> Result<v1::CollectImagesResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let collector = practice.collector.as_ref().ok_or_else(images_off)?;
    if !request.dry_run {
        let asker = Asker::of(request.person, &extensions)?;
        practice
            .audit(asker.about_to(Action::CollectImages, String::new()))
            .await?;
    }
    let collected = collector.collect(request.dry_run).await;
    let Collected {
        images,
        uploads,
        bytes,
    } = collected.map_err(|error| image_store(&error))?;
    Ok(v1::CollectImagesResponse {
        images,
        uploads,
        bytes,
    })
}

/// How much room images take.
pub(super) async fn usage(practice: &Practice) -> Result<v1::GetImageUsageResponse, Status> {
    let intake = kept(practice)?;
    let usage = intake.store().usage().await;
    let usage = usage.map_err(|error| image_store(&error))?;
    Ok(v1::GetImageUsageResponse {
        images: usage.images,
        bytes: usage.bytes.get(),
        max_bytes: usage.max.get(),
        largest: intake.largest().get(),
        free_bytes: intake.room().free(),
        keep_free_bytes: intake.room().keep_free(),
    })
}

fn kept(practice: &Practice) -> Result<&Intake, Status> {
    practice.images.as_ref().ok_or_else(images_off)
}

fn image_id(text: &str) -> Result<ImageId, Status> {
    text.parse::<ImageId>().map_err(|error| invalid(&error))
}

/// An image with what was told of it last.
async fn told(registry: &Registry, id: ImageId) -> Result<Option<(KnownImage, ImageNews)>, Status> {
    let news = registry.image_news(id).await;
    let news = news.map_err(|error| unanswered(&error))?;
    Ok(registry.image(id).zip(news))
}

async fn found(registry: &Registry, id: ImageId) -> Result<(KnownImage, ImageNews), Status> {
    let unknown = || {
        let message = format!("the bus knows no image {id}");
        refuse(Code::NotFound, "image_unknown", message)
    };
    told(registry, id).await?.ok_or_else(unknown)
}

/// Whose image is about to be shown, and which.
async fn audited(
    practice: &Practice,
    asker: &Asker,
    action: Action,
    known: &KnownImage,
    id: ImageId,
) -> Result<(), Status> {
    let act = Act {
        patients: vec![known.patient],
        image: Some(id),
        ..asker.about_to(action, String::new())
    };
    practice.audit(act).await
}

fn line(known: &KnownImage, news: &ImageNews) -> v1::ImageLine {
    let image = &news.image;
    let added = image.translations.iter().map(|translation| &translation.code);
    let view = |code: &ImageCode| format!("{}:{}", code.scheme, code.value);
    let warnings = image.warnings.iter();
    v1::ImageLine {
        image: news.id.to_string(),
        content_type: image.file.content_type.clone(),
        size: image.file.size,
        sha256: write_digest(&image.file.digest),
        modality: image.about.modality.clone(),
        views: image.about.views.iter().chain(added).map(view).collect(),
        system: news.system.as_ref().map(ToString::to_string),
        warnings: warnings.map(|warning| warning.as_str().to_owned()).collect(),
        retracted: known.retracted,
    }
}

fn answer(response: Response) -> v1::GetImageResponse {
    v1::GetImageResponse {
        response: Some(response),
    }
}
