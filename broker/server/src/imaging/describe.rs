//! What the file says and what its sender says, as one image.

use super::{
    Excerpt, FileKind,
    dicom::{self, DicomHeader, HeaderError, Pixels},
    photo::{self, Photo},
    sniff,
    views::{Told, translate},
};
use archwire_core::{
    Code, Image, ImageAbout, ImageBoundError, ImageClaim, ImageFile, ImageUids, ImageWarning, Patient,
    PatientId,
};

/// What became of an image's bytes and a sender's claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What is known of the image.
    pub image: Image,
    /// Whom the file itself names; `None` where it names nobody.
    pub named: Option<Patient>,
}

/// Why a file is no image that the bus carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// There are no bytes.
    #[error("the image has no bytes")]
    Empty,
    /// It says that it is a DICOM file, or its sender does, and it is none that can be read.
    #[error("the DICOM file cannot be read")]
    Header(#[source] HeaderError),
    /// More is said of it than the bus carries.
    #[error("more is said of the image than the bus carries")]
    Bound(#[source] ImageBoundError),
}

impl DescribeError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "image_empty",
            Self::Header(error) => error.code(),
            Self::Bound(_) => "image_bounds",
        }
    }
}

/// The media type of what is nothing else.
const ANY: &str = "application/octet-stream";

/// What is known of a file that a sender claims something of. What the file says counts more than the claim; identifiers that
/// neither has are made up from the patient and the bytes, but for DICOM files, which must have theirs.
///
/// # Errors
/// When there are no bytes, when a DICOM file cannot be read or what is claimed to be one is none, and when more is said than the
/// bus carries.
pub fn describe(
    claim: ImageClaim,
    excerpt: &Excerpt<'_>,
    patient: PatientId,
) -> Result<Described, DescribeError> {
    if excerpt.size == 0 {
        return Err(DescribeError::Empty);
    }
    claim.about.check().map_err(DescribeError::Bound)?;
    let kind = sniff(excerpt);
    let claimed = Claimed::of(claim.content_type.as_deref());
    let described = match kind {
        FileKind::Dicom => of_dicom(claim, excerpt)?,
        FileKind::Other if claimed.is(FileKind::Dicom) => {
            return Err(DescribeError::Header(HeaderError::NotPart10));
        }
        _ => of_other(claim, kind, &claimed, excerpt, patient),
    };
    finished(described, kind, &claimed)
}

/// An image before its view is translated.
struct Draft {
    uids: ImageUids,
    file: ImageFile,
    about: ImageAbout,
    told: Told,
    named: Option<Patient>,
    /// The file's own views, where the sender claims others beside them.
    beside: Vec<Code>,
}

fn of_dicom(claim: ImageClaim, excerpt: &Excerpt<'_>) -> Result<Draft, DescribeError> {
    let header = dicom::read(excerpt).map_err(DescribeError::Header)?;
    let missing = DescribeError::Header(HeaderError::UidMissing);
    let DicomHeader { pixels, .. } = &header;
    let Pixels {
        rows,
        columns,
        frames,
        lossy,
        burned_in_annotation,
        ..
    } = *pixels;
    let file = ImageFile {
        content_type: content_type(FileKind::Dicom),
        size: excerpt.size,
        digest: excerpt.digest,
        sop_class: header.sop_class,
        transfer_syntax: Some(header.transfer_syntax),
        rows,
        columns,
        frames,
        pixel_spacing: header.pixels.spacing,
        lossy,
        burned_in_annotation,
    };
    let beside = match header.about.views.is_empty() {
        true => Vec::new(),
        false => claim.about.views.clone(),
    };
    let mut told = header.told;
    let about = over(header.about, claim.about);
    told.tell_about(&about);
    Ok(Draft {
        uids: ImageUids {
            study: header.study.or(claim.study).ok_or(missing)?,
            series: header.series.or(claim.series).ok_or(missing)?,
            instance: header.instance.or(claim.instance).ok_or(missing)?,
            generated: false,
        },
        file,
        about,
        told,
        named: header.named,
        beside,
    })
}

fn of_other(
    claim: ImageClaim,
    kind: FileKind,
    claimed: &Claimed,
    excerpt: &Excerpt<'_>,
    patient: PatientId,
) -> Draft {
    let Photo {
        rows,
        columns,
        lossy,
        acquired_at,
        device,
    } = match kind {
        FileKind::Jpeg => photo::jpeg(excerpt.head),
        FileKind::Png => photo::png(excerpt.head),
        _ => Photo::default(),
    };
    let content_type = match kind {
        FileKind::Other => claimed.of_other(),
        _ => content_type(kind),
    };
    let file = ImageFile {
        rows,
        columns,
        lossy,
        ..ImageFile::new(content_type, excerpt.size, excerpt.digest)
    };
    let own = ImageAbout {
        acquired_at,
        device,
        ..ImageAbout::default()
    };
    let generated = ImageUids::generated(patient, excerpt.digest);
    let about = over(own, claim.about);
    let mut told = Told::default();
    told.tell_about(&about);
    Draft {
        uids: ImageUids {
            generated: claim.instance.is_none(),
            study: claim.study.unwrap_or(generated.study),
            series: claim.series.unwrap_or(generated.series),
            instance: claim.instance.unwrap_or(generated.instance),
        },
        file,
        about,
        told,
        named: None,
        beside: Vec::new(),
    }
}

fn finished(draft: Draft, kind: FileKind, claimed: &Claimed) -> Result<Described, DescribeError> {
    let translated = translate(&draft.about, &draft.told);
    let mut warnings = translated.warnings;
    let besides = ImageAbout {
        views: draft.about.views.iter().chain(&draft.beside).cloned().collect(),
        ..draft.about.clone()
    };
    if translate(&besides, &draft.told)
        .warnings
        .contains(&ImageWarning::ViewsDiffer)
    {
        warnings.insert(ImageWarning::ViewsDiffer);
    }
    if claimed.differs(kind) {
        warnings.insert(ImageWarning::ContentTypeDiffers);
    }
    // Of other kinds of files nobody expects that they name somebody.
    if kind == FileKind::Dicom && !draft.named.as_ref().is_some_and(names_somebody) {
        warnings.insert(ImageWarning::NobodyNamed);
    }
    let image = Image {
        uids: draft.uids,
        file: draft.file,
        about: draft.about,
        translations: translated.translations,
        warnings: warnings.into_iter().collect(),
    };
    image.check().map_err(DescribeError::Bound)?;
    Ok(Described {
        image,
        named: draft.named,
    })
}

/// Whether anything is said of a person that others do not have in common.
fn names_somebody(named: &Patient) -> bool {
    !named.names.is_empty() || !named.identifiers.is_empty() || named.birth_date.is_some()
}

/// What the file says, and where it says nothing, what its sender does.
fn over(own: ImageAbout, claimed: ImageAbout) -> ImageAbout {
    fn list<T>(own: Vec<T>, claimed: Vec<T>) -> Vec<T> {
        if own.is_empty() { claimed } else { own }
    }
    ImageAbout {
        accession: own.accession.or(claimed.accession),
        modality: own.modality.or(claimed.modality),
        views: list(own.views, claimed.views),
        view_label: own.view_label.or(claimed.view_label),
        anatomy: list(own.anatomy, claimed.anatomy),
        laterality: own.laterality.or(claimed.laterality),
        teeth: list(own.teeth, claimed.teeth),
        mirror: own.mirror.or(claimed.mirror),
        flipped: own.flipped.or(claimed.flipped),
        occlusion: own.occlusion.or(claimed.occlusion),
        mouth: own.mouth.or(claimed.mouth),
        progress: own.progress.or(claimed.progress),
        acquired_at: own.acquired_at.or(claimed.acquired_at),
        device: own.device.or(claimed.device),
        operator: own.operator.or(claimed.operator),
        derived_from: list(own.derived_from, claimed.derived_from),
    }
}

fn content_type(kind: FileKind) -> String {
    kind.content_type().unwrap_or(ANY).to_owned()
}

/// The media type that a sender claims, without parameters, in lower case; nothing where it says nothing.
struct Claimed(Option<String>);

impl Claimed {
    fn of(claimed: Option<&str>) -> Self {
        let bare = claimed.and_then(|claimed| claimed.split(';').next());
        let bare = bare.map(|claimed| claimed.trim().to_ascii_lowercase());
        Self(bare.filter(|claimed| claimed != ANY && !claimed.is_empty()))
    }

    fn is(&self, kind: FileKind) -> bool {
        self.0.as_deref().and_then(FileKind::of_content_type) == Some(kind)
    }

    fn differs(&self, kind: FileKind) -> bool {
        let claimed = self.0.as_deref();
        claimed.is_some_and(|claimed| FileKind::of_content_type(claimed).unwrap_or(FileKind::Other) != kind)
    }

    /// The media type of a file of no kind that is known: as claimed, unless the bytes would show it if it were so.
    fn of_other(&self) -> String {
        let is_token = |part: &str| {
            let is_written_so = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            !part.is_empty() && part.bytes().all(is_written_so)
        };
        let is_type = |claimed: &&str| {
            let parts = claimed.split_once('/');
            claimed.len() <= 127 && parts.is_some_and(|(one, two)| is_token(one) && is_token(two))
        };
        let claimed = self.0.as_deref().filter(is_type);
        claimed
            .filter(|claimed| FileKind::of_content_type(claimed).is_none())
            .unwrap_or(ANY)
            .to_owned()
    }
}

#[cfg(test)]
mod tests;
