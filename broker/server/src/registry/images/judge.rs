//! What an observation of an image comes to. Pure but for the clock by which a delivery in doubt ages.

use super::{MOST_IMAGES, whose::names_another};
use crate::{
    imaging::contradicts,
    registry::{
        ObserveError, Registry,
        index::{Content, ImageEntry, Index, SystemCopy, which_image},
    },
};
use archwire_core::{ImageId, ImageObservation, PatientId};
use std::collections::BTreeSet;

/// The word of an image that is known as another patient's.
const INSTANCE_UID: &str = "instance-uid";
/// The word of a file with another patient's number.
const PATIENT_ID: &str = "patient-id";

/// What an observation of an image comes to.
#[derive(Debug)]
pub(super) enum Judged {
    /// A person decides first, for these words.
    Hold(BTreeSet<&'static str>),
    /// The bus knew all of it.
    Unchanged(ImageId),
    /// It is an image that the bus knows: what its system shows of it is noted.
    Link(ImageId),
    /// It changed.
    Amend(ImageId),
    /// It is to be told of the patient.
    Tell {
        /// As an image that was retracted.
        again: Option<ImageId>,
        /// As what it was told of another patient so far: what systems have of it comes along.
        from: Option<ImageId>,
    },
}

/// What a judgement is made from.
pub(super) struct Question<'a> {
    pub(super) observation: &'a ImageObservation,
    /// Whose image it is said to be.
    pub(super) patient: PatientId,
    /// Which image that is, whoever's it is.
    pub(super) known: Option<ImageId>,
    /// What speaks against its being the patient's, beside what the file itself says.
    pub(super) differs: BTreeSet<&'static str>,
    /// Whether a person said whose it is.
    pub(super) is_ruled: bool,
}

impl Registry {
    /// The judgement.
    ///
    /// The caller holds the patient's lock: whom the file names is held against the patient as he or she is now.
    ///
    /// # Errors
    /// When it has to wait for a delivery to end, or the patient has too many images.
    pub(super) fn judge_image(&self, mut question: Question<'_>) -> Result<Judged, ObserveError> {
        let index = self.index();
        let Question {
            observation,
            patient,
            known,
            is_ruled,
            ..
        } = question;
        if is_ruled {
            question.differs.clear();
        } else if let Some(named) = observation.named.as_deref() {
            let entry = index.entry(patient).ok_or(ObserveError::UnknownPatient)?;
            question.differs.extend(contradicts(named, &entry.patient()?));
            if names_another(&index, &observation.system, named, patient) {
                question.differs.insert(PATIENT_ID);
            }
        }
        let content = Content::of(&observation.image);
        let known = known.and_then(|id| Some((id, index.image(id)?)));
        match known {
            Some((id, entry)) if index.current(id.patient) == patient => {
                Ok(own(&question, id, entry, &content))
            }
            Some((id, entry)) if !entry.retracted => Ok(anothers(&index, question, id, entry, &content)),
            known => new(&index, question, known),
        }
    }
}

/// Of an image that the bus knows as the patient's.
fn own(question: &Question<'_>, id: ImageId, entry: &ImageEntry, content: &Content) -> Judged {
    let Question {
        observation, differs, ..
    } = question;
    let (system, local_id) = (&observation.system, observation.local_id.as_ref());
    let copy = entry.copy_of(system, local_id);
    let shown = copy.and_then(|copy| copy.shown.as_deref());
    let link = || match local_id {
        Some(_) => Judged::Link(id),
        None => Judged::Unchanged(id),
    };
    let unless_it_differs = |judged: Judged| match differs.is_empty() {
        true => judged,
        false => Judged::Hold(differs.clone()),
    };
    if shown == Some(content) {
        // A copy without an id may have come to know it.
        return match copy.is_some_and(|copy| copy.local_id.as_ref() == local_id) {
            true => Judged::Unchanged(id),
            false => link(),
        };
    }
    if entry.retracted {
        // The copy that the bus made is no reason to bring it back; what somebody does with that copy afterwards is.
        let is_changed = shown.is_some() && !is_first_sight(copy, content, local_id.is_some());
        return match is_changed || entry.source.as_ref() == Some(system) {
            true => unless_it_differs(Judged::Tell {
                again: Some(id),
                from: None,
            }),
            false => link(),
        };
    }
    if *entry.content == *content {
        return link();
    }
    // It was delivered, and that is not noted yet.
    let is_coming = copy.is_some_and(|copy| copy.sending().is_some());
    if is_coming && entry.content.digest == content.digest {
        return link();
    }
    if is_first_sight(copy, content, local_id.is_some()) {
        return match entry.content.digest == content.digest {
            true => link(),
            false => unless_it_differs(link()),
        };
    }
    unless_it_differs(Judged::Amend(id))
}

/// Whether the bus hears for the first time how a system shows an image that came from elsewhere: that is how it keeps it, and no
/// change. Who has no ids says with each image that it is to be taken.
fn is_first_sight(copy: Option<&SystemCopy>, content: &Content, has_id: bool) -> bool {
    match copy.and_then(|copy| copy.shown.as_deref()) {
        None => has_id,
        Some(shown) => shown.described.is_none() && shown.digest == content.digest,
    }
}

/// Of an image that the bus knows as somebody else's.
fn anothers(
    index: &Index,
    mut question: Question<'_>,
    id: ImageId,
    entry: &ImageEntry,
    content: &Content,
) -> Judged {
    let Question {
        observation, patient, ..
    } = question;
    if question.is_ruled {
        return Judged::Tell {
            again: None,
            from: Some(id),
        };
    }
    // A person said that it is the other one's, of the same bytes.
    let is_decided = index.is_ruled(&which_image(observation, Some(patient), true));
    if is_decided && entry.content.digest == content.digest {
        return Judged::Unchanged(id);
    }
    question.differs.insert(INSTANCE_UID);
    Judged::Hold(question.differs)
}

/// Of an image of which the bus has not heard, or that was told of another patient and retracted.
fn new(
    index: &Index,
    question: Question<'_>,
    known: Option<(ImageId, &ImageEntry)>,
) -> Result<Judged, ObserveError> {
    let Question {
        observation,
        patient,
        differs,
        ..
    } = question;
    if !differs.is_empty() {
        return Ok(Judged::Hold(differs));
    }
    // What the bus is just bringing there may be shown before its id is known, in the system's own way of keeping it.
    let is_untold = observation.image.uids.generated && !question.is_ruled;
    if is_untold && index.is_sending_any(&observation.system, patient) {
        return Err(ObserveError::Busy);
    }
    if index.images_told_of(patient) >= MOST_IMAGES {
        return Err(ObserveError::ImagesFull);
    }
    let from = known.filter(|(_, entry)| entry.moved_to.is_none());
    Ok(Judged::Tell {
        again: None,
        from: from.map(|(id, _)| id),
    })
}
