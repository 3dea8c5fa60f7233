//! Images of an office: what systems say of them, and what the log and the index know.

use super::{Office, events, id, in_time, person, system};
use archwire::registry::{ImageSettlement, ImageTaken, ObserveError, Registry};
use archwire_core::{
    Digest, Event, Image, ImageAbout, ImageFile, ImageId, ImageObservation, ImageUids, Patient, PatientId,
    Receipt, ReceiptOutcome, Revision, Uid,
};
use std::collections::BTreeSet;

/// A photograph of a patient, which has no UIDs of its own.
pub(crate) fn photo(patient: PatientId, bytes: &str) -> Image {
    let digest = Digest::of(bytes.as_bytes());
    Image {
        uids: ImageUids::generated(patient, digest),
        ..image(digest, "image/jpeg")
    }
}

/// A radiograph with an instance UID of its own.
pub(crate) fn radiograph(instance: &str, bytes: &str) -> Image {
    let uid = |uid: String| uid.parse::<Uid>().unwrap();
    let digest = Digest::of(bytes.as_bytes());
    Image {
        uids: ImageUids {
            study: uid("1.2.3".to_owned()),
            series: uid("1.2.3.4".to_owned()),
            instance: uid(instance.to_owned()),
            generated: false,
        },
        ..image(digest, "application/dicom")
    }
}

fn image(digest: Digest, content_type: &str) -> Image {
    Image {
        uids: ImageUids::generated(PatientId::generate(), digest),
        file: ImageFile {
            rows: Some(10),
            columns: Some(20),
            ..ImageFile::new(content_type, 42, digest)
        },
        about: ImageAbout::default(),
        translations: Vec::new(),
        warnings: Vec::new(),
    }
}

/// The same with another description.
pub(crate) fn called(label: &str, mut image: Image) -> Image {
    image.about.view_label = Some(label.into());
    image
}

/// "My image of my record is this."
pub(crate) fn shows(name: &str, record: &str, local_id: &str, image: Image) -> ImageObservation {
    ImageObservation {
        system: system(name),
        patient_id: None,
        record: Some(id(record)),
        local_id: Some(id(local_id)),
        image,
        named: None,
        observed_at: None,
        actor: None,
    }
}

/// "This is of your patient", from a system that has no ids for images.
pub(crate) fn puts(name: &str, patient: PatientId, image: Image) -> ImageObservation {
    ImageObservation {
        patient_id: Some(patient),
        record: None,
        local_id: None,
        ..shows(name, "-", "-", image)
    }
}

/// The same of a file that names somebody.
pub(crate) fn naming(named: Patient, observation: ImageObservation) -> ImageObservation {
    ImageObservation {
        named: Some(Box::new(named)),
        ..observation
    }
}

/// The same of a file that bears the name of nobody here.
pub(crate) fn misnamed(observation: ImageObservation) -> ImageObservation {
    let nobody = person("Zoe", "Quimby", "1970-01-01");
    let named = Patient {
        names: nobody.names,
        ..Patient::default()
    };
    naming(named, observation)
}

impl Office {
    pub(crate) async fn try_image(&self, observation: ImageObservation) -> Result<ImageTaken, ObserveError> {
        in_time(self.registry.take_image(observation)).await
    }

    pub(crate) async fn image(&self, observation: ImageObservation) -> ImageTaken {
        self.try_image(observation).await.unwrap()
    }

    /// An image that has to be news.
    pub(crate) async fn imaged(&self, observation: ImageObservation) -> ImageId {
        match self.image(observation).await {
            ImageTaken::Recorded { image, .. } => image,
            other => panic!("it is news: {other:?}"),
        }
    }

    /// An image that must not be news.
    pub(crate) async fn known(&self, observation: ImageObservation) -> ImageId {
        match self.image(observation).await {
            ImageTaken::Unchanged { image, .. } => image,
            other => panic!("it is known: {other:?}"),
        }
    }

    /// An image that has to wait, with the words for what differs.
    pub(crate) async fn waits(&self, observation: ImageObservation) -> (u64, Vec<String>) {
        match self.try_image(observation).await.unwrap() {
            ImageTaken::InReview { item } => {
                let held = self.item(item).await.held_image.expect("the image is held");
                (item, held.differs)
            }
            other => panic!("it waits: {other:?}"),
        }
    }

    /// What is due to a system, in the order of the ids.
    pub(crate) fn due(&self, name: &str) -> Vec<ImageId> {
        self.registry.images_due(&system(name))
    }

    /// Brings what is due to a system, as a dispatcher does.
    pub(crate) async fn bring(&self, name: &str, image: ImageId, record: &str, local_id: &str) {
        let due = self.registry.image_due(&system(name), image).expect("it is due");
        self.registry
            .begin_image(&system(name), image, &due, None)
            .await
            .unwrap();
        let settlement = ImageSettlement {
            local_id: id(local_id),
            record: Some(id(record)),
            delivered: due.revision,
            shown: Some(due.digest),
            receipt: Some(receipt(due.revision, ReceiptOutcome::Verified)),
        };
        self.registry
            .settle_image(&system(name), image, settlement)
            .await
            .unwrap();
    }
}

pub(crate) fn receipt(revision: Revision, outcome: ReceiptOutcome) -> Receipt {
    Receipt {
        event_id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        revision,
        outcome,
        action: None,
        written: BTreeSet::new(),
        rendered: BTreeSet::new(),
        differs: BTreeSet::new(),
        reason: None,
        attempts: 1,
        connector_version: "1.0.0".to_owned(),
    }
}

/// The events of a patient that are of images, of a gapless history.
pub(crate) async fn image_events(registry: &Registry, patient: PatientId) -> Vec<Event> {
    let events = events(registry, patient).await.into_iter();
    events.filter(|event| event.image.is_some()).collect()
}

/// The images of a patient that are not retracted.
pub(crate) fn images_of(registry: &Registry, patient: PatientId) -> Vec<ImageId> {
    let is_there = |id: &ImageId| !registry.image(*id).unwrap().retracted;
    registry.images_of(patient).into_iter().filter(is_there).collect()
}
