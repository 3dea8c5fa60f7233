//! The template connector against a service that keeps what is PUT and shows it on GET.

use crate::support::{creation, granted, jordan, load, mobile, refusal, told};
use archwire_core::{Delivery, DeliveryAction, Patient};
use archwire_host::{Connector, Limits, MemoryStateStore, SystemConfig};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::put,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Records by id, and the status that every request is answered with where it is not carried out.
#[derive(Default)]
struct Memory {
    records: BTreeMap<String, Bytes>,
    trouble: Option<StatusCode>,
}

type Shared = Arc<Mutex<Memory>>;

/// The service, and the connector that is set up for it.
struct Sink {
    memory: Shared,
    connector: Connector,
    server: JoinHandle<()>,
}

impl Sink {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let memory = Shared::default();
        let router = Router::new()
            .route("/patients/{id}", put(keep).get(show))
            .with_state(Arc::clone(&memory));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let component = load("echo").await;
        let config = SystemConfig {
            system: "archive".parse().unwrap(),
            settings: BTreeMap::from([("url".to_owned(), url.clone())]),
            secrets: BTreeMap::new(),
            grants: granted(&component, &url, Duration::ZERO),
            limits: Limits::default(),
            account: None,
            images: None,
            images_folder: None,
        };
        let store = Arc::new(MemoryStateStore::default());
        let connector = Connector::new(component, config, store).unwrap();
        Self {
            memory,
            connector,
            server,
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn keep(State(memory): State<Shared>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    let mut memory = memory.lock().unwrap();
    if let Some(trouble) = memory.trouble {
        return trouble;
    }
    match memory.records.insert(id, body) {
        None => StatusCode::CREATED,
        Some(_) => StatusCode::NO_CONTENT,
    }
}

async fn show(State(memory): State<Shared>, Path(id): Path<String>) -> Result<Bytes, StatusCode> {
    let memory = memory.lock().unwrap();
    match memory.trouble {
        Some(trouble) => Err(trouble),
        None => memory.records.get(&id).cloned().ok_or(StatusCode::NOT_FOUND),
    }
}

#[tokio::test]
async fn a_patient_is_kept_under_the_bus_id_and_read_back_as_it_was() {
    let sink = Sink::open().await;
    let delivery = creation(jordan());
    let delivered = sink.connector.deliver(&delivery).await.unwrap();
    assert_eq!(delivered.action, DeliveryAction::Created);
    assert_eq!(delivered.local_id.as_str(), delivery.patient_id.to_string());
    let view = sink.connector.fetch(&delivered.local_id).await.unwrap().unwrap();
    assert!(view.patient == delivery.patient);
    let kept = sink.memory.lock().unwrap().records[delivered.local_id.as_str()].clone();
    assert!(
        view.source.unwrap().data() == kept,
        "the bytes come out as they went in"
    );
}

#[tokio::test]
async fn a_later_state_replaces_the_earlier_one() {
    let sink = Sink::open().await;
    let first = creation(jordan());
    let local_id = sink.connector.deliver(&first).await.unwrap().local_id;
    let patient = Patient {
        telecom: vec![mobile("503-555-0111")],
        ..jordan()
    };
    let second = Delivery {
        patient,
        local_id: Some(local_id.clone()),
        ..first
    };
    assert_eq!(
        sink.connector.deliver(&second).await.unwrap().action,
        DeliveryAction::Updated
    );
    assert!(sink.connector.fetch(&local_id).await.unwrap().unwrap().patient == second.patient);
    assert_eq!(sink.memory.lock().unwrap().records.len(), 1);
}

#[tokio::test]
async fn an_id_of_any_shape_stays_one_segment_of_the_path() {
    let sink = Sink::open().await;
    for local_id in ["a?c#d", "one two", "Ōk;v=1"] {
        let local_id = local_id.parse().unwrap();
        assert_eq!(sink.connector.fetch(&local_id).await.unwrap(), None);
        let delivery = Delivery {
            local_id: Some(local_id.clone()),
            ..creation(jordan())
        };
        sink.connector.deliver(&delivery).await.unwrap();
        assert!(
            sink.memory
                .lock()
                .unwrap()
                .records
                .contains_key(local_id.as_str())
        );
    }
}

#[tokio::test]
async fn an_id_that_servers_read_in_two_ways_is_not_sent_at_all() {
    let sink = Sink::open().await;
    for local_id in ["../admin", "a/b", "..", "100%"] {
        let delivery = Delivery {
            local_id: Some(local_id.parse().unwrap()),
            ..creation(jordan())
        };
        let denied = refusal(sink.connector.deliver(&delivery).await);
        assert_eq!(told(&denied), ("rejected", "not-granted"), "{local_id}");
    }
    assert!(sink.memory.lock().unwrap().records.is_empty());
}

#[tokio::test]
async fn what_the_service_answers_becomes_a_disposition() {
    let sink = Sink::open().await;
    for (status, expected) in [
        (StatusCode::UNAUTHORIZED, ("unauthorized", "credentials-refused")),
        (StatusCode::TOO_MANY_REQUESTS, ("throttled", "throttled")),
        (StatusCode::BAD_GATEWAY, ("retry", "system-failed")),
        (StatusCode::UNPROCESSABLE_ENTITY, ("rejected", "refused")),
    ] {
        sink.memory.lock().unwrap().trouble = Some(status);
        let delivered = refusal(sink.connector.deliver(&creation(jordan())).await);
        assert_eq!(
            (told(&delivered), delivered.reason().status),
            (expected, Some(status.as_u16()))
        );
        let fetched = refusal(sink.connector.fetch(&"1".parse().unwrap()).await);
        assert_eq!(told(&fetched), expected);
    }
}
