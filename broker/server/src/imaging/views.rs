//! Which orthodontic view the codes of an image mean.
//!
//! Three things may tell: a code of the view itself, in any spelling; the concepts that a DICOM image is put together from
//! (region, structure, projection, mirror, lips, occlusion: PS3.16, TID 3465); the code that a program put before its comment. The
//! sender's codes stay as they came, and translations go beside them. Where two things tell different views, there is no
//! translation but a warning; where the concepts fit several views, as those of a frontal photograph with and without a look at the
//! overjet do, they tell none.

mod concept;

use archwire_core::{
    Code, ImageAbout, ImageWarning, Mirror, Mouth, Occlusion, OrthodonticView, Text, ViewProtocol,
    ViewTranslation, is_snomed_ct,
};
use concept::{Concept, Kind};
use std::collections::BTreeSet;

/// Everything that is said of a view but its own code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    concepts: BTreeSet<Concept>,
    /// Whether some concept is a mirror image that was flipped afterwards.
    is_flipped: bool,
    /// The view whose code stands before the comment.
    pub(super) commented: Option<&'static OrthodonticView>,
}

/// What the codes of an image come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Translated {
    pub(super) translations: Vec<ViewTranslation>,
    pub(super) warnings: BTreeSet<ImageWarning>,
}

/// How a view was found out.
#[derive(Clone, Copy)]
enum By {
    /// By its own code.
    Code,
    /// By what it is put together from.
    Concepts,
}

impl Told {
    /// Notes what a code says, if it is one of SNOMED CT that says something of a view.
    pub(super) fn tell(&mut self, code: &Code) {
        if is_snomed_ct(&code.scheme) {
            self.concepts.extend(concept::of_snomed(&code.value));
            self.is_flipped |= concept::is_flipped(&code.value);
        }
    }

    /// Notes what a sender says of an image.
    pub(super) fn tell_about(&mut self, about: &ImageAbout) {
        about
            .views
            .iter()
            .chain(&about.anatomy)
            .for_each(|code| self.tell(code));
        let mirror = about.mirror.and_then(|mirror| match mirror {
            Mirror::Corrected => Some(Concept::MirrorCorrected),
            Mirror::Uncorrected => Some(Concept::MirrorUncorrected),
            Mirror::None => None,
        });
        let occlusion = about.occlusion.map(Concept::from);
        let mouth = about.mouth.map(Concept::from);
        self.concepts
            .extend([mirror, occlusion, mouth].into_iter().flatten());
        let label = about.view_label.as_ref().map(Text::as_str);
        self.commented = self.commented.or_else(|| {
            let label = label?;
            OrthodonticView::recognise("", label.split_once('^').map_or(label, |(code, _)| code))
        });
    }

    pub(super) fn mirror(&self) -> Option<Mirror> {
        match self.only(Kind::Mirror)? {
            Concept::MirrorCorrected => Some(Mirror::Corrected),
            Concept::MirrorUncorrected => Some(Mirror::Uncorrected),
            _ => None,
        }
    }

    pub(super) fn flipped(&self) -> Option<bool> {
        self.is_flipped.then_some(true)
    }

    pub(super) fn occlusion(&self) -> Option<Occlusion> {
        match self.only(Kind::Occlusion)? {
            Concept::CentricOcclusion => Some(Occlusion::CentricOcclusion),
            Concept::CentricRelation => Some(Occlusion::CentricRelation),
            _ => None,
        }
    }

    /// Of several that are said at once, the one that says most.
    pub(super) fn mouth(&self) -> Option<Mouth> {
        let mouths = [
            (Concept::MouthOpen, Mouth::Open),
            (Concept::FullSmile, Mouth::FullSmile),
            (Concept::LipsClosed, Mouth::LipsClosed),
            (Concept::LipsRelaxed, Mouth::LipsRelaxed),
        ];
        let told = mouths
            .into_iter()
            .find(|(concept, _)| self.concepts.contains(concept));
        told.map(|(_, mouth)| mouth)
    }

    fn only(&self, kind: Kind) -> Option<Concept> {
        let mut those = self.concepts.iter().filter(|concept| concept.kind() == kind);
        those.next().copied().filter(|_| those.next().is_none())
    }

    /// The one view that the concepts make.
    fn view(&self) -> Option<&'static OrthodonticView> {
        let mut those = photographs().filter(|view| concept::make(&self.concepts, view));
        those.next().filter(|_| those.next().is_none())
    }
}

fn photographs() -> impl Iterator<Item = &'static OrthodonticView> {
    OrthodonticView::all().iter().filter(|view| {
        matches!(
            view.protocol,
            ViewProtocol::Extraoral2d | ViewProtocol::Intraoral2d
        )
    })
}

/// What the codes of an image come to.
pub(super) fn translate(about: &ImageAbout, told: &Told) -> Translated {
    let coded: BTreeSet<_> = about
        .views
        .iter()
        .filter_map(|code| OrthodonticView::recognise(&code.scheme, &code.value))
        .map(|view| view.code)
        .collect();
    // What is no photograph is not put together from what photographs are.
    let may_be_photograph = about.modality.as_deref().is_none_or(|modality| modality == "XC");
    let made = told.view().filter(|_| may_be_photograph);
    let fits = |view: &OrthodonticView| concept::allow(&told.concepts, view) || !may_be_photograph;
    let of = |code: &str| OrthodonticView::all().iter().find(|view| view.code == code);
    let mut coded = coded.iter().filter_map(|code| of(code));
    let found = match (coded.next(), coded.next(), told.commented, made) {
        (Some(_), Some(_), ..) => Err(ImageWarning::ViewsDiffer),
        (Some(view), None, Some(other), _) | (Some(view), None, None, Some(other)) if view != other => {
            Err(ImageWarning::ViewsDiffer)
        }
        (Some(view), None, ..) => Ok(Some((view, By::Code))),
        (None, _, Some(view), Some(other)) if view != other => Err(ImageWarning::ViewsDiffer),
        (None, _, Some(view), _) if !fits(view) => Err(ImageWarning::ViewsDiffer),
        (None, _, Some(view), _) => Ok(Some((view, By::Code))),
        (None, _, None, Some(view)) => Ok(Some((view, By::Concepts))),
        (None, _, None, None) => Ok(None),
    };
    let says_a_view = about
        .views
        .iter()
        .any(|code| OrthodonticView::is_namespace(&code.scheme))
        || about.modality.as_deref() == Some("XC") && !about.views.is_empty();
    let mut translated = Translated::default();
    match found {
        Ok(Some((view, by))) => translated.translations = translations(view, by, &about.views),
        Ok(None) if says_a_view => {
            translated.warnings.insert(ImageWarning::ViewUnknown);
        }
        Ok(None) => {}
        Err(warning) => {
            translated.warnings.insert(warning);
        }
    }
    let view = found.ok().flatten().map(|(view, _)| view);
    if cannot_be(about, told, view) {
        translated.warnings.insert(ImageWarning::OcclusionWithOpenMouth);
    }
    translated
}

/// Whether the teeth are together and the mouth is open, by what is said or by what the view means.
fn cannot_be(about: &ImageAbout, told: &Told, view: Option<&OrthodonticView>) -> bool {
    let occlusion = about.occlusion.or(view.and_then(OrthodonticView::occlusion));
    let is_open = told.concepts.contains(&Concept::MouthOpen);
    let mouth = is_open.then_some(Mouth::Open).or(about.mouth);
    let mouth = mouth.or(view.and_then(OrthodonticView::mouth));
    mouth
        .zip(occlusion)
        .is_some_and(|(mouth, occlusion)| !mouth.allows(occlusion))
}

/// The codes of a view that the sender did not give.
fn translations(view: &OrthodonticView, by: By, given: &[Code]) -> Vec<ViewTranslation> {
    let version = OrthodonticView::TABLE_VERSION;
    let table = match by {
        By::Code => format!("open-ortho-terminology {version}"),
        By::Concepts => format!("open-ortho-terminology {version} by DICOM TID 3465"),
    };
    let is_given = |scheme: &str, value: &str| {
        given
            .iter()
            .any(|code| code.scheme.trim() == scheme && code.value.trim() == value)
    };
    view.codes()
        .filter(|(scheme, value)| !is_given(scheme, value))
        .map(|(scheme, value)| ViewTranslation {
            code: Code {
                scheme: scheme.to_owned(),
                value: value.to_owned(),
                meaning: Some(view.display.into()),
            },
            table: table.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
