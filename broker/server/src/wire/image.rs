//! Images: what is known of them, and what senders say.

mod words;

use super::{WireError, view::read_text};
use archwire_core::{
    Code, Digest, Image, ImageAbout, ImageClaim, ImageFile, ImageUids, ImageWarning, PixelSpacing, Progress,
    Text, Tooth, Uid, ViewTranslation,
};
use archwire_proto::v1;
use prost::bytes::Bytes;
use words::{
    read_calibration, read_laterality, read_mirror, read_mouth, read_occlusion, write_calibration,
    write_laterality, write_mirror, write_mouth, write_occlusion,
};

/// Writes what is known of an image.
#[must_use]
pub fn write_image(image: &Image) -> v1::Image {
    let Image {
        uids,
        file,
        about,
        translations,
        warnings,
    } = image;
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
    let uid = |uid: &Uid| uid.as_str().to_owned();
    v1::Image {
        study_uid: uid(&uids.study),
        series_uid: uid(&uids.series),
        instance_uid: uid(&uids.instance),
        uids_generated: uids.generated,
        sop_class_uid: file.sop_class.as_ref().map(uid),
        transfer_syntax_uid: file.transfer_syntax.as_ref().map(uid),
        accession: text(&about.accession),
        modality: about.modality.clone(),
        views: about.views.iter().map(write_code).collect(),
        view_label: text(&about.view_label),
        anatomy: about.anatomy.iter().map(write_code).collect(),
        laterality: write_laterality(about.laterality).into(),
        teeth: about
            .teeth
            .iter()
            .map(|tooth| u32::from(tooth.number()))
            .collect(),
        mirror: write_mirror(about.mirror).into(),
        flipped: about.flipped,
        occlusion: write_occlusion(about.occlusion).into(),
        mouth: write_mouth(about.mouth).into(),
        progress: about.progress.as_ref().map(write_progress),
        acquired_at: about.acquired_at.as_ref().map(|at| at.as_str().to_owned()),
        device: text(&about.device),
        operator: text(&about.operator),
        rows: file.rows,
        columns: file.columns,
        frames: file.frames,
        pixel_spacing: file.pixel_spacing.as_ref().map(write_spacing),
        content_type: file.content_type.clone(),
        size: file.size,
        sha256: write_digest(&file.digest),
        lossy: file.lossy,
        burned_in_annotation: file.burned_in_annotation,
        derived_from: about.derived_from.iter().map(uid).collect(),
        warnings: warnings
            .iter()
            .map(|warning| warning.as_str().to_owned())
            .collect(),
        translations: translations.iter().map(write_translation).collect(),
    }
}

/// Reads what is known of an image.
///
/// # Errors
/// Names the first field that cannot be read.
pub fn read_image(message: v1::Image) -> Result<Image, WireError> {
    let known = |code: &String| {
        ImageWarning::ALL
            .into_iter()
            .find(|warning| warning.as_str() == code)
    };
    let optional = |field, uid: Option<&String>| uid.map(|uid| read_uid(field, uid)).transpose();
    let image = Image {
        uids: ImageUids {
            study: read_uid("image.study_uid", &message.study_uid)?,
            series: read_uid("image.series_uid", &message.series_uid)?,
            instance: read_uid("image.instance_uid", &message.instance_uid)?,
            generated: message.uids_generated,
        },
        file: ImageFile {
            content_type: read_label("image.content_type", &message.content_type)?,
            size: message.size,
            digest: read_digest("image.sha256", &message.sha256)?,
            sop_class: optional("image.sop_class_uid", message.sop_class_uid.as_ref())?,
            transfer_syntax: optional("image.transfer_syntax_uid", message.transfer_syntax_uid.as_ref())?,
            rows: message.rows,
            columns: message.columns,
            frames: message.frames,
            pixel_spacing: message.pixel_spacing.as_ref().map(read_spacing).transpose()?,
            lossy: message.lossy,
            burned_in_annotation: message.burned_in_annotation,
        },
        // A later version may know more of them.
        warnings: message.warnings.iter().filter_map(known).collect(),
        translations: message
            .translations
            .iter()
            .map(read_translation)
            .collect::<Result<_, _>>()?,
        about: read_about(message)?,
    };
    image.check().map_err(WireError::Image)?;
    Ok(image)
}

/// Reads what a sender says of an image beside its bytes.
///
/// # Errors
/// Names the first field that cannot be taken.
pub fn read_image_claim(message: v1::Image) -> Result<ImageClaim, WireError> {
    let uid = |field, uid: &str| match uid.is_empty() {
        true => Ok(None),
        false => read_uid(field, uid).map(Some),
    };
    let content_type = read_label("image.content_type", &message.content_type)?;
    let claim = ImageClaim {
        study: uid("image.study_uid", &message.study_uid)?,
        series: uid("image.series_uid", &message.series_uid)?,
        instance: uid("image.instance_uid", &message.instance_uid)?,
        content_type: Some(content_type).filter(|kind| !kind.is_empty()),
        about: read_about(message)?,
    };
    claim.about.check().map_err(WireError::Image)?;
    Ok(claim)
}

fn read_about(message: v1::Image) -> Result<ImageAbout, WireError> {
    let text = |field, text: Option<String>| {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| read_text(field, text)).transpose()
    };
    let codes = |field, codes: Vec<v1::Code>| {
        codes
            .iter()
            .map(|code| read_code(field, code))
            .collect::<Result<_, _>>()
    };
    let at = message.acquired_at.filter(|at| !at.is_empty());
    let modality = message.modality.filter(|modality| !modality.is_empty());
    Ok(ImageAbout {
        accession: text("image.accession", message.accession)?,
        modality: modality
            .map(|modality| read_label("image.modality", &modality))
            .transpose()?,
        views: codes("image.views", message.views)?,
        view_label: text("image.view_label", message.view_label)?,
        anatomy: codes("image.anatomy", message.anatomy)?,
        laterality: read_laterality(message.laterality)?,
        teeth: message
            .teeth
            .into_iter()
            .map(read_tooth)
            .collect::<Result<_, _>>()?,
        mirror: read_mirror(message.mirror)?,
        flipped: message.flipped,
        occlusion: read_occlusion(message.occlusion)?,
        mouth: read_mouth(message.mouth)?,
        progress: message.progress.map(read_progress).transpose()?,
        acquired_at: at
            .map(|at| at.parse().map_err(|_| WireError::Malformed("image.acquired_at")))
            .transpose()?,
        device: text("image.device", message.device)?,
        operator: text("image.operator", message.operator)?,
        derived_from: message
            .derived_from
            .iter()
            .map(|uid| read_uid("image.derived_from", uid))
            .collect::<Result<_, _>>()?,
    })
}

/// A digest as protobuf writes it.
#[must_use]
pub fn write_digest(digest: &Digest) -> Bytes {
    Bytes::copy_from_slice(digest.as_bytes())
}

/// Reads a digest.
///
/// # Errors
/// Names the field when it is none.
pub fn read_digest(field: &'static str, bytes: &[u8]) -> Result<Digest, WireError> {
    Digest::try_from(bytes).map_err(|_| WireError::Malformed(field))
}

/// Reads a DICOM unique identifier.
///
/// # Errors
/// Names the field when it is none.
pub fn read_uid(field: &'static str, uid: &str) -> Result<Uid, WireError> {
    uid.parse().map_err(|_| WireError::Malformed(field))
}

/// A short text that means something to programs.
fn read_label(field: &'static str, label: &str) -> Result<String, WireError> {
    match label.len() <= 256 && !label.contains(char::is_control) {
        true => Ok(label.to_owned()),
        false => Err(WireError::Malformed(field)),
    }
}

fn write_code(code: &Code) -> v1::Code {
    v1::Code {
        scheme: code.scheme.clone(),
        value: code.value.clone(),
        meaning: code.meaning.as_ref().map(|text| text.as_str().to_owned()),
    }
}

fn read_code(field: &'static str, code: &v1::Code) -> Result<Code, WireError> {
    let meaning = code.meaning.clone().filter(|text| !text.is_empty());
    Ok(Code {
        scheme: read_label(field, &code.scheme)?,
        value: read_label(field, &code.value)?,
        meaning: meaning.map(|text| read_text(field, text)).transpose()?,
    })
}

fn write_translation(translation: &ViewTranslation) -> v1::ViewTranslation {
    v1::ViewTranslation {
        code: Some(write_code(&translation.code)),
        table: translation.table.clone(),
    }
}

fn read_translation(translation: &v1::ViewTranslation) -> Result<ViewTranslation, WireError> {
    const FIELD: &str = "image.translations";
    let code = translation.code.as_ref().ok_or(WireError::Missing(FIELD))?;
    Ok(ViewTranslation {
        code: read_code(FIELD, code)?,
        table: read_label(FIELD, &translation.table)?,
    })
}

fn write_progress(progress: &Progress) -> v1::Progress {
    v1::Progress {
        event: progress.event.as_ref().map(write_code),
        offset_days: progress.offset_days,
        label: progress.label.as_ref().map(|text| text.as_str().to_owned()),
    }
}

fn read_progress(progress: v1::Progress) -> Result<Progress, WireError> {
    const FIELD: &str = "image.progress";
    let label = progress.label.filter(|text| !text.is_empty());
    Ok(Progress {
        event: progress.event.map(|code| read_code(FIELD, &code)).transpose()?,
        offset_days: progress.offset_days,
        label: label.map(|text| read_text(FIELD, text)).transpose()?,
    })
}

fn write_spacing(spacing: &PixelSpacing) -> v1::PixelSpacing {
    v1::PixelSpacing {
        row_mm: spacing.row_mm.clone(),
        column_mm: spacing.column_mm.clone(),
        calibration: write_calibration(spacing.calibration).into(),
    }
}

fn read_spacing(spacing: &v1::PixelSpacing) -> Result<PixelSpacing, WireError> {
    const FIELD: &str = "image.pixel_spacing";
    Ok(PixelSpacing {
        row_mm: read_label(FIELD, &spacing.row_mm)?,
        column_mm: read_label(FIELD, &spacing.column_mm)?,
        calibration: read_calibration(spacing.calibration)?,
    })
}

fn read_tooth(tooth: u32) -> Result<Tooth, WireError> {
    let number = u8::try_from(tooth).ok();
    let tooth = number.and_then(|number| Tooth::try_from(number).ok());
    tooth.ok_or(WireError::Malformed("image.teeth"))
}
