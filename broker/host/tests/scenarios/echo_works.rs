//! The smallest complete connector, made with the SDK, does in the sandbox what it says.

use crate::support::{Server, config, grant, load};
use archwire_core::{Delivery, EventKind, Patient, PatientId, Revision};
use archwire_host::{Connector, Grant, MemoryStateStore, SystemConfig};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[tokio::test]
async fn the_echo_connector_delivers_to_a_granted_server() {
    let server = Server::start().await;
    let methods = vec!["GET".parse().unwrap(), "PUT".parse().unwrap()];
    let paths = vec!["/patients/*".parse().unwrap()];
    let settings = BTreeMap::from([("url".to_owned(), server.url.clone())]);
    let grants = vec![Grant {
        methods,
        paths,
        ..grant(&server.url)
    }];
    let config = SystemConfig {
        settings,
        secrets: BTreeMap::new(),
        grants,
        ..config()
    };
    let connector =
        Connector::new(load("echo").await, config, Arc::new(MemoryStateStore::default())).unwrap();
    let patient_id = PatientId::generate();
    let delivery = Delivery {
        event_id: PatientId::generate().to_string(),
        kind: EventKind::PatientCreated,
        patient_id,
        revision: Revision::new(1),
        local_id: None,
        patient: Patient::default(),
        changed: BTreeSet::new(),
        in_doubt_since: None,
    };
    let delivered = connector.deliver(&delivery).await.unwrap();
    assert_eq!(delivered.local_id.as_str(), patient_id.to_string());
    assert_eq!(server.seen()[0].path, format!("/patients/{patient_id}"));
}
