//! Images as JSON, named as in the contract. Enumerations are written as their last word, in lower case: `right`, `corrected`.

use super::{
    json::{stated, time},
    terminal::message_time,
};
use archwire_proto::v1::{self, Calibration, Laterality, Mirror, Mouth, Occlusion};
use serde_json::{Value, json};

/// What happened to an image.
pub(super) fn image_news(news: &v1::ImageNews) -> Value {
    let moved_from = news.moved_from_patient_id.as_ref().zip(news.moved_from_revision);
    let moved_from = moved_from.map(|(patient, first)| format!("{patient}/{first}"));
    stated(json!({
        "id": format!("{}/{}", news.first_patient_id, news.first_revision),
        "image": news.image.as_ref().map(image),
        "system": news.system,
        "record_local_id": news.record_local_id,
        "local_id": news.local_id,
        "observed_at": news.observed_at.map(|at| time(message_time(Some(at)))),
        "actor": news.actor,
        "named_patient_id": news.named_patient_id,
        "moved_from": moved_from,
    }))
}

/// What is known of an image.
pub(super) fn image(image: &v1::Image) -> Value {
    let spacing = |spacing: &v1::PixelSpacing| {
        json!({
            "row_mm": spacing.row_mm,
            "column_mm": spacing.column_mm,
            "calibration": word(spacing.calibration().as_str_name(), "CALIBRATION_", spacing.calibration() == Calibration::Unspecified),
        })
    };
    let progress = |progress: &v1::Progress| {
        json!({
            "event": progress.event.as_ref().map(code),
            "offset_days": progress.offset_days,
            "label": progress.label,
        })
    };
    let translation = |translation: &v1::ViewTranslation| json!({"code": translation.code.as_ref().map(code), "table": translation.table});
    stated(json!({
        "study_uid": image.study_uid,
        "series_uid": image.series_uid,
        "instance_uid": image.instance_uid,
        "uids_generated": image.uids_generated,
        "sop_class_uid": image.sop_class_uid,
        "transfer_syntax_uid": image.transfer_syntax_uid,
        "accession": image.accession,
        "modality": image.modality,
        "views": image.views.iter().map(code).collect::<Vec<_>>(),
        "view_label": image.view_label,
        "translations": image.translations.iter().map(translation).collect::<Vec<_>>(),
        "anatomy": image.anatomy.iter().map(code).collect::<Vec<_>>(),
        "laterality": word(image.laterality().as_str_name(), "LATERALITY_", image.laterality() == Laterality::Unspecified),
        "teeth": image.teeth,
        "mirror": word(image.mirror().as_str_name(), "MIRROR_", image.mirror() == Mirror::Unspecified),
        "flipped": image.flipped,
        "occlusion": word(image.occlusion().as_str_name(), "OCCLUSION_", image.occlusion() == Occlusion::Unspecified),
        "mouth": word(image.mouth().as_str_name(), "MOUTH_", image.mouth() == Mouth::Unspecified),
        "progress": image.progress.as_ref().map(progress),
        "acquired_at": image.acquired_at,
        "device": image.device,
        "operator": image.operator,
        "rows": image.rows,
        "columns": image.columns,
        "frames": image.frames,
        "pixel_spacing": image.pixel_spacing.as_ref().map(spacing),
        "content_type": image.content_type,
        "size": image.size,
        "sha256": hex::encode(&image.sha256),
        "lossy": image.lossy,
        "burned_in_annotation": image.burned_in_annotation,
        "derived_from": image.derived_from,
        "warnings": image.warnings,
    }))
}

fn code(code: &v1::Code) -> Value {
    json!({"scheme": code.scheme, "value": code.value, "meaning": code.meaning})
}

fn word(name: &str, prefix: &str, is_unstated: bool) -> Option<String> {
    let word = name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase();
    Some(word).filter(|_| !is_unstated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_says_what_is_stated_in_the_words_of_the_contract() {
        let image = image(&v1::Image {
            content_type: "image/jpeg".to_owned(),
            size: 3,
            mirror: Mirror::Corrected.into(),
            teeth: vec![11],
            ..v1::Image::default()
        });
        assert_eq!(image["mirror"], "corrected");
        assert_eq!(image["teeth"], json!([11]));
        assert!(
            image.get("laterality").is_none() && image.get("views").is_none(),
            "{image}"
        );
    }
}
