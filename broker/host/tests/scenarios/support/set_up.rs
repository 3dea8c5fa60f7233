//! A connector set up for a system, and what it is to deliver. The program that measures memory takes this file too.

use archwire_core::{
    Digest, Image, ImageAbout, ImageDelivery, ImageFile, ImageId, ImageUids, Patient, PatientId, Revision,
};
use archwire_host::{Component, Engine, EngineConfig, Grant, Limits, SystemConfig};
use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, sync::OnceLock, time::Duration};

/// The secret of the hostile connector.
pub(crate) const SECRET: &str = "topsecret-0123456789";

/// One engine for all scenarios of this process; what it compiled is kept for the next run.
pub(crate) fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    ENGINE
        .get_or_init(|| Engine::new(EngineConfig::new(folder)).unwrap())
        .clone()
}

/// The file of a built connector.
pub(crate) fn component_file(name: &str) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/components");
    let folder = std::env::var_os("ARCHWIRE_COMPONENTS").map_or(built, PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    assert!(
        file.is_file(),
        "{} is missing; build it with: cargo xtask guests",
        file.display()
    );
    file
}

pub(crate) async fn load(name: &str) -> Component {
    engine().load(component_file(name)).await.unwrap()
}

/// A system whose connector is hostile. Nothing is granted.
pub(crate) fn config() -> SystemConfig {
    SystemConfig {
        system: "front-desk".parse().unwrap(),
        settings: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
        secrets: BTreeMap::from([("key".to_owned(), SECRET.into())]),
        grants: Vec::new(),
        limits: Limits {
            deadline: Duration::from_secs(20),
            ..Limits::default()
        },
        account: None,
        images: None,
        images_folder: None,
    }
}

/// Everything at one server of this machine.
pub(crate) fn grant(to: &str) -> Grant {
    Grant {
        to: to.parse().unwrap(),
        methods: vec!["GET".parse().unwrap(), "POST".parse().unwrap()],
        paths: vec!["/**".parse().unwrap()],
        private_addresses: true,
        spacing: Duration::ZERO,
        in_flight: NonZeroUsize::new(64).unwrap(),
    }
}

/// The delivery of an image with these bytes.
pub(crate) fn delivery(digest: Digest, size: u64) -> ImageDelivery {
    let patient = PatientId::generate();
    let revision = Revision::new(2);
    ImageDelivery {
        event_id: "1".to_owned(),
        patient_id: patient,
        image_id: ImageId {
            patient,
            first: revision,
        },
        revision,
        image: Image {
            uids: ImageUids::generated(patient, digest),
            file: ImageFile::new("image/jpeg", size, digest),
            about: ImageAbout::default(),
            translations: Vec::new(),
            warnings: Vec::new(),
        },
        retracted: false,
        record: Some("1".parse().unwrap()),
        local_id: None,
        patient: Patient::default(),
        in_doubt_since: None,
    }
}
