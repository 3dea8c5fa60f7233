//! What a connector says of an image: read and checked. What only the file itself can say is passed over.

use super::{Flaw, stated};
use crate::bindings::imaging as wit;
use archwire_core as core;
use archwire_core::Text;

type Read<T> = Result<T, Flaw>;

/// Longest media type.
const LONGEST_MEDIA_TYPE: usize = 128;

/// The claim, and the digest of the bytes where there is one.
pub(super) fn read(image: wit::Image) -> Read<(core::ImageClaim, Option<core::Digest>)> {
    let digest = stated(image.sha256).as_deref().map(digest).transpose()?;
    let content_type = stated(image.content_type).map(media_type).transpose()?;
    let about = core::ImageAbout {
        accession: option(image.accession),
        modality: stated(image.modality),
        views: codes(image.views),
        view_label: option(image.view_label),
        anatomy: codes(image.anatomy),
        laterality: image.laterality.map(laterality),
        teeth: image.teeth.into_iter().map(tooth).collect::<Read<_>>()?,
        mirror: image.mirror.map(mirror),
        flipped: image.flipped,
        occlusion: image.occlusion.map(occlusion),
        mouth: image.mouth.map(mouth),
        progress: image.progress.map(progress),
        acquired_at: stated(image.acquired_at)
            .as_deref()
            .map(acquired_at)
            .transpose()?,
        device: option(image.device),
        operator: option(image.operator),
        derived_from: image
            .derived_from
            .iter()
            .map(|text| uid(text))
            .collect::<Read<_>>()?,
    };
    about.check().map_err(|_| Flaw("image_too_large"))?;
    let claim = core::ImageClaim {
        study: stated(image.study_uid).as_deref().map(uid).transpose()?,
        series: stated(image.series_uid).as_deref().map(uid).transpose()?,
        instance: stated(image.instance_uid).as_deref().map(uid).transpose()?,
        content_type,
        about,
    };
    Ok((claim, digest))
}

fn digest(text: &str) -> Read<core::Digest> {
    text.parse().map_err(|_| Flaw("digest_invalid"))
}

fn uid(text: &str) -> Read<core::Uid> {
    text.parse().map_err(|_| Flaw("uid_invalid"))
}

fn acquired_at(text: &str) -> Read<core::AcquiredAt> {
    text.parse().map_err(|_| Flaw("acquired_at_invalid"))
}

fn tooth(number: u8) -> Read<core::Tooth> {
    core::Tooth::try_from(number).map_err(|_| Flaw("tooth_invalid"))
}

fn media_type(text: String) -> Read<String> {
    match text.len() <= LONGEST_MEDIA_TYPE && !text.chars().any(char::is_control) {
        true => Ok(text),
        false => Err(Flaw("media_type_invalid")),
    }
}

fn option(text: Option<String>) -> Option<Text> {
    stated(text).map(Text::from)
}

fn codes(codes: Vec<wit::Code>) -> Vec<core::Code> {
    codes.into_iter().map(code).collect()
}

fn code(code: wit::Code) -> core::Code {
    core::Code {
        scheme: code.scheme,
        value: code.value,
        meaning: option(code.meaning),
    }
}

fn progress(progress: wit::Progress) -> core::Progress {
    core::Progress {
        event: progress.event.map(code),
        offset_days: progress.offset_days,
        label: option(progress.label),
    }
}

fn laterality(laterality: wit::Laterality) -> core::Laterality {
    match laterality {
        wit::Laterality::Right => core::Laterality::Right,
        wit::Laterality::Left => core::Laterality::Left,
        wit::Laterality::Both => core::Laterality::Both,
        wit::Laterality::Unpaired => core::Laterality::Unpaired,
    }
}

fn mirror(mirror: wit::Mirror) -> core::Mirror {
    match mirror {
        wit::Mirror::None => core::Mirror::None,
        wit::Mirror::Corrected => core::Mirror::Corrected,
        wit::Mirror::Uncorrected => core::Mirror::Uncorrected,
    }
}

fn occlusion(occlusion: wit::Occlusion) -> core::Occlusion {
    match occlusion {
        wit::Occlusion::CentricOcclusion => core::Occlusion::CentricOcclusion,
        wit::Occlusion::CentricRelation => core::Occlusion::CentricRelation,
    }
}

fn mouth(mouth: wit::Mouth) -> core::Mouth {
    match mouth {
        wit::Mouth::LipsRelaxed => core::Mouth::LipsRelaxed,
        wit::Mouth::LipsClosed => core::Mouth::LipsClosed,
        wit::Mouth::FullSmile => core::Mouth::FullSmile,
        wit::Mouth::Open => core::Mouth::Open,
    }
}
