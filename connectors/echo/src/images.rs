//! Images: the bytes as they are, under the bus's own image id. They go from the host to the service and back without ever
//! being in the connector's memory.

use archwire_connector::{
    DeliveryAction, Disposition, Image, ImageDelivered, ImageDelivery, ImageObservation, http, images,
    settings,
};

// PUT writes the whole image, so doing it twice does no harm, but may take half an hour: when the bus does not know how an
// earlier attempt ended, what the service shows tells.
pub fn deliver(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
    let (id, record) = (delivery.image_id, delivery.record.unwrap_or_default());
    if delivery.retracted {
        let answer = http::Request::delete(url(&id)?).send()?;
        if answer.status != 404 {
            answer.success()?;
        }
        return Ok(ImageDelivered::new(id, DeliveryAction::Updated));
    }
    let sha256 = delivery.image.sha256.unwrap_or_default();
    if delivery.in_doubt_since_ms.is_some() && shown(&id)?.as_ref() == Some(&sha256) {
        return Ok(ImageDelivered::new(id, DeliveryAction::Unchanged));
    }
    let action = match delivery.local_id {
        Some(_) => DeliveryAction::Updated,
        None => DeliveryAction::Created,
    };
    let media_type = delivery.image.content_type.unwrap_or_default();
    http::Request::put(url(&id)?)
        .header("x-record", record)
        .body_from(&media_type, [http::Part::image(sha256, delivery.image.size)])
        .send()?
        .success()?;
    Ok(ImageDelivered::new(id, action))
}

pub fn fetch(id: String, record: Option<String>) -> Result<Option<ImageObservation>, Disposition> {
    let image = |sha256| Image {
        sha256: Some(sha256),
        ..Image::default()
    };
    let record = record.unwrap_or_default();
    Ok(shown(&id)?.map(|sha256| ImageObservation::new(id, record, image(sha256))))
}

// The digest of what the service shows; nothing is stored.
fn shown(id: &str) -> Result<Option<String>, Disposition> {
    let answer = http::Request::get(url(id)?).open()?;
    if answer.status == 404 {
        return Ok(None);
    }
    let mut measuring = images::measure()?;
    images::copy(&mut answer.success()?.body, &mut measuring)?;
    Ok(Some(measuring.finish()?))
}

// The id is two parts with a slash between them, which stays one: no grant allows an encoded slash.
fn url(id: &str) -> Result<String, Disposition> {
    let parts: Vec<_> = id.split('/').map(http::encode).collect();
    Ok(format!("{}/images/{}", settings::url("url")?, parts.join("/")))
}
