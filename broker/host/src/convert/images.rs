//! Calls and answers about images, both ways.

use super::{
    Flaw,
    exchange::{action, local_id, observed, since_1970_ms},
    image_in, image_out, patient_out,
};
use crate::{answer::UnreadableImage, bindings::exchange as wit};
use archwire_core::{ImageDelivered, ImageDelivery, ImageView, LocalId};

/// Bound of the contract, `wit/exchange.wit`.
const IMAGES: usize = 1_000;

/// The images of a page: those that can be read, and the others.
pub(super) fn views(
    observations: Vec<wit::ImageObservation>,
) -> Result<(Vec<ImageView>, Vec<UnreadableImage>), Flaw> {
    if observations.len() > IMAGES {
        return Err(Flaw("too_many_images"));
    }
    let (mut views, mut unreadable) = (Vec::with_capacity(observations.len()), Vec::new());
    for (position, observation) in observations.into_iter().enumerate() {
        let (id, of) = (local_id(&observation.local_id), record(&observation.record));
        let known = (id.clone().ok(), of.clone().ok());
        match view(id, of, observation) {
            Ok(view) => views.push(view),
            Err(Flaw(code)) => unreadable.push(UnreadableImage {
                position,
                local_id: known.0,
                record: known.1,
                code,
            }),
        }
    }
    Ok((views, unreadable))
}

fn view(
    local_id: Result<LocalId, Flaw>,
    record: Result<LocalId, Flaw>,
    observation: wit::ImageObservation,
) -> Result<ImageView, Flaw> {
    let (local_id, record) = (local_id?, record?);
    let (image, digest) = image_in::read(observation.image)?;
    let (observed_at, actor) = observed(observation.observed_at_ms, observation.actor)?;
    Ok(ImageView {
        local_id,
        record,
        image,
        digest,
        retracted: observation.retracted,
        observed_at,
        actor,
    })
}

fn record(id: &str) -> Result<LocalId, Flaw> {
    id.parse().map_err(|_| Flaw("record_invalid"))
}

pub(crate) fn image_fetched(
    observation: Option<wit::ImageObservation>,
    asked: &LocalId,
) -> Result<Option<ImageView>, Flaw> {
    let Some(observation) = observation else {
        return Ok(None);
    };
    let (id, of) = (local_id(&observation.local_id), record(&observation.record));
    let view = view(id, of, observation)?;
    if view.local_id == *asked {
        Ok(Some(view))
    } else {
        Err(Flaw("other_image"))
    }
}

pub(crate) fn image_delivered(delivered: wit::ImageDelivered) -> Result<ImageDelivered, Flaw> {
    Ok(ImageDelivered {
        local_id: local_id(&delivered.local_id)?,
        record: delivered.record.as_deref().map(record).transpose()?,
        action: action(delivered.action),
    })
}

pub(crate) fn image_delivery(delivery: &ImageDelivery) -> wit::ImageDelivery {
    let id = |id: &LocalId| id.as_str().to_owned();
    wit::ImageDelivery {
        event_id: delivery.event_id.clone(),
        patient_id: delivery.patient_id.to_string(),
        image_id: delivery.image_id.to_string(),
        revision: delivery.revision.get(),
        image: image_out::write(&delivery.image),
        retracted: delivery.retracted,
        record: delivery.record.as_ref().map(id),
        local_id: delivery.local_id.as_ref().map(id),
        patient: patient_out::write(&delivery.patient),
        in_doubt_since_ms: delivery.in_doubt_since.map(since_1970_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn code(value: &str) -> Code {
        Code {
            scheme: "99TEST".to_owned(),
            value: value.to_owned(),
            meaning: Some("meaning".into()),
        }
    }

    fn uid(text: &str) -> Uid {
        text.parse().unwrap()
    }

    /// Every field stated, and no two with the same value.
    fn full() -> Image {
        Image {
            uids: ImageUids {
                study: uid("1.1"),
                series: uid("1.2"),
                instance: uid("1.3"),
                generated: true,
            },
            file: ImageFile {
                content_type: "application/dicom".to_owned(),
                size: 7,
                digest: Digest::of(b"bytes"),
                sop_class: Some(uid("1.4")),
                transfer_syntax: Some(uid("1.5")),
                rows: Some(1),
                columns: Some(2),
                frames: Some(3),
                pixel_spacing: Some(PixelSpacing {
                    row_mm: "0.1".to_owned(),
                    column_mm: "0.2".to_owned(),
                    calibration: Calibration::Fiducial,
                }),
                lossy: Some(true),
                burned_in_annotation: Some(false),
            },
            about: ImageAbout {
                accession: Some("accession".into()),
                modality: Some("DX".to_owned()),
                views: vec![code("view")],
                view_label: Some("label".into()),
                anatomy: vec![code("anatomy")],
                laterality: Some(Laterality::Left),
                teeth: vec![Tooth::try_from(11).unwrap(), Tooth::try_from(85).unwrap()],
                mirror: Some(Mirror::Corrected),
                flipped: Some(true),
                occlusion: Some(Occlusion::CentricRelation),
                mouth: Some(Mouth::FullSmile),
                progress: Some(Progress {
                    event: Some(code("event")),
                    offset_days: Some(-4),
                    label: Some("progress".into()),
                }),
                acquired_at: "2026-03-01T09:30:00+01:00".parse().ok(),
                device: Some("device".into()),
                operator: Some("operator".into()),
                derived_from: vec![uid("1.6")],
            },
            translations: vec![ViewTranslation {
                code: code("translation"),
                table: "table 1".to_owned(),
            }],
            warnings: ImageWarning::ALL.to_vec(),
        }
    }

    fn delivery() -> ImageDelivery {
        let patient_id = PatientId::generate();
        ImageDelivery {
            event_id: "event".to_owned(),
            patient_id,
            image_id: ImageId {
                patient: patient_id,
                first: Revision::new(3),
            },
            revision: Revision::new(5),
            image: full(),
            retracted: true,
            record: "record".parse().ok(),
            local_id: "local".parse().ok(),
            patient: Patient::default(),
            in_doubt_since: Some(UNIX_EPOCH + Duration::from_millis(8)),
        }
    }

    #[test]
    fn what_is_said_of_an_image_comes_back_as_it_went_out() {
        let image = full();
        let (claim, digest) = image_in::read(image_out::write(&image)).unwrap();
        assert_eq!(digest, Some(image.file.digest));
        let expected = ImageClaim {
            study: Some(image.uids.study),
            series: Some(image.uids.series),
            instance: Some(image.uids.instance),
            content_type: Some(image.file.content_type),
            about: image.about,
        };
        assert!(claim == expected);
    }

    #[test]
    fn an_empty_text_of_an_image_is_not_stated() {
        let mut image = image_out::write(&full());
        for text in [
            &mut image.study_uid,
            &mut image.series_uid,
            &mut image.instance_uid,
            &mut image.content_type,
            &mut image.sha256,
            &mut image.accession,
            &mut image.modality,
            &mut image.view_label,
            &mut image.acquired_at,
            &mut image.device,
            &mut image.operator,
            &mut image.views[0].meaning,
            &mut image.progress.as_mut().unwrap().label,
        ] {
            *text = Some(String::new());
        }
        let mut left = full().about;
        (left.accession, left.modality, left.view_label) = (None, None, None);
        (left.acquired_at, left.device, left.operator) = (None, None, None);
        left.views[0].meaning = None;
        left.progress.as_mut().unwrap().label = None;
        let claim = ImageClaim {
            about: left,
            ..ImageClaim::default()
        };
        assert!(image_in::read(image) == Ok((claim, None)));
        assert_eq!(observed(None, Some(String::new())), Ok((None, None)));
    }

    #[test]
    fn a_delivery_says_everything() {
        let delivery = delivery();
        let said = image_delivery(&delivery);
        assert_eq!(
            (said.revision, said.retracted, said.in_doubt_since_ms),
            (5, true, Some(8))
        );
        assert_eq!(
            (said.record.as_deref(), said.local_id.as_deref()),
            (Some("record"), Some("local"))
        );
        assert!(said.image_id.ends_with("/3"));
        assert_eq!(said.image.sha256, Some(delivery.image.file.digest.to_string()));
        assert_eq!(
            (said.image.size, said.image.rows, said.image.lossy),
            (7, Some(1), Some(true))
        );
        assert_eq!(said.image.translations[0].table, "table 1");
        assert_eq!(said.image.warnings.len(), ImageWarning::ALL.len());
        assert_eq!(said.image.transfer_syntax_uid.as_deref(), Some("1.5"));
    }

    #[test]
    fn another_image_than_was_asked_for_is_not_taken() {
        let shown = || wit::ImageObservation {
            local_id: "7".to_owned(),
            record: "1".to_owned(),
            image: image_out::write(&full()),
            retracted: false,
            observed_at_ms: None,
            actor: None,
        };
        let asked = |id: &str| image_fetched(Some(shown()), &id.parse().unwrap()).map(|view| view.is_some());
        assert_eq!((asked("7"), asked("8")), (Ok(true), Err(Flaw("other_image"))));
        assert!(views(vec![shown(); 1_000]).is_ok());
        assert_eq!(views(vec![shown(); 1_001]).err(), Some(Flaw("too_many_images")));
    }
}
