//! The contract's words for what an image shows.

use crate::wire::WireError;
use archwire_core::{Calibration, Laterality, Mirror, Mouth, Occlusion};
use archwire_proto::v1;

pub(super) fn write_laterality(laterality: Option<Laterality>) -> v1::Laterality {
    match laterality {
        None => v1::Laterality::Unspecified,
        Some(Laterality::Right) => v1::Laterality::Right,
        Some(Laterality::Left) => v1::Laterality::Left,
        Some(Laterality::Both) => v1::Laterality::Both,
        Some(Laterality::Unpaired) => v1::Laterality::Unpaired,
    }
}

pub(super) fn read_laterality(laterality: i32) -> Result<Option<Laterality>, WireError> {
    let known =
        v1::Laterality::try_from(laterality).map_err(|_| WireError::UnknownValue("image.laterality"))?;
    Ok(match known {
        v1::Laterality::Unspecified => None,
        v1::Laterality::Right => Some(Laterality::Right),
        v1::Laterality::Left => Some(Laterality::Left),
        v1::Laterality::Both => Some(Laterality::Both),
        v1::Laterality::Unpaired => Some(Laterality::Unpaired),
    })
}

pub(super) fn write_mirror(mirror: Option<Mirror>) -> v1::Mirror {
    match mirror {
        None => v1::Mirror::Unspecified,
        Some(Mirror::None) => v1::Mirror::None,
        Some(Mirror::Corrected) => v1::Mirror::Corrected,
        Some(Mirror::Uncorrected) => v1::Mirror::Uncorrected,
    }
}

pub(super) fn read_mirror(mirror: i32) -> Result<Option<Mirror>, WireError> {
    let known = v1::Mirror::try_from(mirror).map_err(|_| WireError::UnknownValue("image.mirror"))?;
    Ok(match known {
        v1::Mirror::Unspecified => None,
        v1::Mirror::None => Some(Mirror::None),
        v1::Mirror::Corrected => Some(Mirror::Corrected),
        v1::Mirror::Uncorrected => Some(Mirror::Uncorrected),
    })
}

pub(super) fn write_occlusion(occlusion: Option<Occlusion>) -> v1::Occlusion {
    match occlusion {
        None => v1::Occlusion::Unspecified,
        Some(Occlusion::CentricOcclusion) => v1::Occlusion::CentricOcclusion,
        Some(Occlusion::CentricRelation) => v1::Occlusion::CentricRelation,
    }
}

pub(super) fn read_occlusion(occlusion: i32) -> Result<Option<Occlusion>, WireError> {
    let known = v1::Occlusion::try_from(occlusion).map_err(|_| WireError::UnknownValue("image.occlusion"))?;
    Ok(match known {
        v1::Occlusion::Unspecified => None,
        v1::Occlusion::CentricOcclusion => Some(Occlusion::CentricOcclusion),
        v1::Occlusion::CentricRelation => Some(Occlusion::CentricRelation),
    })
}

pub(super) fn write_mouth(mouth: Option<Mouth>) -> v1::Mouth {
    match mouth {
        None => v1::Mouth::Unspecified,
        Some(Mouth::LipsRelaxed) => v1::Mouth::LipsRelaxed,
        Some(Mouth::LipsClosed) => v1::Mouth::LipsClosed,
        Some(Mouth::FullSmile) => v1::Mouth::FullSmile,
        Some(Mouth::Open) => v1::Mouth::Open,
    }
}

pub(super) fn read_mouth(mouth: i32) -> Result<Option<Mouth>, WireError> {
    let known = v1::Mouth::try_from(mouth).map_err(|_| WireError::UnknownValue("image.mouth"))?;
    Ok(match known {
        v1::Mouth::Unspecified => None,
        v1::Mouth::LipsRelaxed => Some(Mouth::LipsRelaxed),
        v1::Mouth::LipsClosed => Some(Mouth::LipsClosed),
        v1::Mouth::FullSmile => Some(Mouth::FullSmile),
        v1::Mouth::Open => Some(Mouth::Open),
    })
}

pub(super) fn write_calibration(calibration: Calibration) -> v1::Calibration {
    match calibration {
        Calibration::Unstated => v1::Calibration::Unspecified,
        Calibration::Detector => v1::Calibration::Detector,
        Calibration::Geometry => v1::Calibration::Geometry,
        Calibration::Fiducial => v1::Calibration::Fiducial,
    }
}

pub(super) fn read_calibration(calibration: i32) -> Result<Calibration, WireError> {
    let unknown = |_| WireError::UnknownValue("image.pixel_spacing.calibration");
    Ok(match v1::Calibration::try_from(calibration).map_err(unknown)? {
        v1::Calibration::Unspecified => Calibration::Unstated,
        v1::Calibration::Detector => Calibration::Detector,
        v1::Calibration::Geometry => Calibration::Geometry,
        v1::Calibration::Fiducial => Calibration::Fiducial,
    })
}
