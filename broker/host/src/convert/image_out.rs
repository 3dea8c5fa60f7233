//! What is known of an image, as a connector gets it. Nothing can fail on the way out.

use crate::bindings::imaging as wit;
use archwire_core as core;
use archwire_core::Text;

pub(super) fn write(image: &core::Image) -> wit::Image {
    let core::Image {
        uids,
        file,
        about,
        translations,
        warnings,
    } = image;
    wit::Image {
        study_uid: Some(write_uid(&uids.study)),
        series_uid: Some(write_uid(&uids.series)),
        instance_uid: Some(write_uid(&uids.instance)),
        uids_generated: uids.generated,
        sop_class_uid: file.sop_class.as_ref().map(write_uid),
        transfer_syntax_uid: file.transfer_syntax.as_ref().map(write_uid),
        accession: write_option(&about.accession),
        modality: about.modality.clone(),
        views: about.views.iter().map(write_code).collect(),
        translations: translations.iter().map(write_translation).collect(),
        view_label: write_option(&about.view_label),
        anatomy: about.anatomy.iter().map(write_code).collect(),
        laterality: about.laterality.map(write_laterality),
        teeth: about.teeth.iter().map(|tooth| tooth.number()).collect(),
        mirror: about.mirror.map(write_mirror),
        flipped: about.flipped,
        occlusion: about.occlusion.map(write_occlusion),
        mouth: about.mouth.map(write_mouth),
        progress: about.progress.as_ref().map(write_progress),
        acquired_at: about.acquired_at.as_ref().map(|at| at.as_str().to_owned()),
        device: write_option(&about.device),
        operator: write_option(&about.operator),
        rows: file.rows,
        columns: file.columns,
        frames: file.frames,
        pixel_spacing: file.pixel_spacing.as_ref().map(write_spacing),
        content_type: Some(file.content_type.clone()),
        size: file.size,
        sha256: Some(file.digest.to_string()),
        lossy: file.lossy,
        burned_in_annotation: file.burned_in_annotation,
        derived_from: about.derived_from.iter().map(write_uid).collect(),
        warnings: warnings
            .iter()
            .map(|warning| warning.as_str().to_owned())
            .collect(),
    }
}

fn write_uid(uid: &core::Uid) -> String {
    uid.as_str().to_owned()
}

fn write_option(text: &Option<Text>) -> Option<String> {
    text.as_ref().map(|text| text.as_str().to_owned())
}

fn write_code(code: &core::Code) -> wit::Code {
    wit::Code {
        scheme: code.scheme.clone(),
        value: code.value.clone(),
        meaning: write_option(&code.meaning),
    }
}

fn write_translation(translation: &core::ViewTranslation) -> wit::ViewTranslation {
    wit::ViewTranslation {
        code: write_code(&translation.code),
        table: translation.table.clone(),
    }
}

fn write_progress(progress: &core::Progress) -> wit::Progress {
    wit::Progress {
        event: progress.event.as_ref().map(write_code),
        offset_days: progress.offset_days,
        label: write_option(&progress.label),
    }
}

fn write_spacing(spacing: &core::PixelSpacing) -> wit::PixelSpacing {
    wit::PixelSpacing {
        row_mm: spacing.row_mm.clone(),
        column_mm: spacing.column_mm.clone(),
        calibration: match spacing.calibration {
            core::Calibration::Detector => wit::Calibration::Detector,
            core::Calibration::Geometry => wit::Calibration::Geometry,
            core::Calibration::Fiducial => wit::Calibration::Fiducial,
            core::Calibration::Unstated => wit::Calibration::Unstated,
        },
    }
}

fn write_laterality(laterality: core::Laterality) -> wit::Laterality {
    match laterality {
        core::Laterality::Right => wit::Laterality::Right,
        core::Laterality::Left => wit::Laterality::Left,
        core::Laterality::Both => wit::Laterality::Both,
        core::Laterality::Unpaired => wit::Laterality::Unpaired,
    }
}

fn write_mirror(mirror: core::Mirror) -> wit::Mirror {
    match mirror {
        core::Mirror::None => wit::Mirror::None,
        core::Mirror::Corrected => wit::Mirror::Corrected,
        core::Mirror::Uncorrected => wit::Mirror::Uncorrected,
    }
}

fn write_occlusion(occlusion: core::Occlusion) -> wit::Occlusion {
    match occlusion {
        core::Occlusion::CentricOcclusion => wit::Occlusion::CentricOcclusion,
        core::Occlusion::CentricRelation => wit::Occlusion::CentricRelation,
    }
}

fn write_mouth(mouth: core::Mouth) -> wit::Mouth {
    match mouth {
        core::Mouth::LipsRelaxed => wit::Mouth::LipsRelaxed,
        core::Mouth::LipsClosed => wit::Mouth::LipsClosed,
        core::Mouth::FullSmile => wit::Mouth::FullSmile,
        core::Mouth::Open => wit::Mouth::Open,
    }
}
