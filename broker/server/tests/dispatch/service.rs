//! The small web service that an office's dispatcher writes to.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::put,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What the service does.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) records: BTreeMap<String, Value>,
    /// Every request, with what it was answered.
    pub(crate) requests: Vec<(Method, String, u16)>,
    /// What everything is answered with, and nothing is done.
    pub(crate) trouble: Option<StatusCode>,
    /// The same for everything that is to be written.
    pub(crate) refuses_writing: Option<StatusCode>,
    /// How often what is written is kept, and the answer to that is an error of the service.
    pub(crate) loses_answers: usize,
    /// The same for requests about these records.
    pub(crate) troubled: BTreeMap<String, StatusCode>,
    /// How often a record is still not found that is there.
    pub(crate) hidden: usize,
    /// What it makes of what it keeps.
    pub(crate) shows: Option<fn(&mut Value)>,
}

pub(super) type Shared = Arc<Mutex<Service>>;

impl Service {
    fn answered(&mut self, method: Method, id: &str) -> Option<StatusCode> {
        let refused = self.refuses_writing.filter(|_| method == Method::PUT);
        let trouble = self
            .trouble
            .or(refused)
            .or_else(|| self.troubled.get(id).copied());
        let known = self.records.contains_key(id);
        let hides = method == Method::GET && known && self.hidden > 0;
        self.hidden -= usize::from(hides && trouble.is_none());
        let status = match (&method, trouble) {
            (_, Some(trouble)) => trouble,
            (&Method::GET, None) if !known || hides => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        self.requests.push((method, id.to_owned(), status.as_u16()));
        (status != StatusCode::OK).then_some(status)
    }

    /// How often something was written, and taken.
    pub(crate) fn writes(&self) -> usize {
        let requests = self.requests.iter();
        requests
            .filter(|(method, _, status)| *method == Method::PUT && *status == 200)
            .count()
    }
}

async fn keep(State(service): State<Shared>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    let mut service = service.lock().unwrap();
    if let Some(status) = service.answered(Method::PUT, &id) {
        return status;
    }
    let record = serde_json::from_slice(&body).unwrap();
    service.records.insert(id, record);
    if service.loses_answers > 0 {
        service.loses_answers -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::OK
}

async fn show(State(service): State<Shared>, Path(id): Path<String>) -> Result<Bytes, StatusCode> {
    let mut service = service.lock().unwrap();
    if let Some(status) = service.answered(Method::GET, &id) {
        return Err(status);
    }
    let mut record = service.records[&id].clone();
    if let Some(shows) = service.shows {
        shows(&mut record);
    }
    Ok(serde_json::to_vec(&record).unwrap().into())
}

/// Its routes.
pub(super) fn routes(service: &Shared) -> Router {
    Router::new()
        .route("/patients/{id}", put(keep).get(show))
        .with_state(Arc::clone(service))
}
