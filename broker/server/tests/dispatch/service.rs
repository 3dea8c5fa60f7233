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

/// Every request, with what it was answered.
pub(crate) type Requests = Vec<(Method, String, u16)>;

/// A request for what the service may have, in either of its rooms.
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) id: &'a str,
    /// Whether there is such a thing.
    pub(crate) is_known: bool,
    /// What it is answered with, where nothing is done.
    pub(crate) trouble: Option<StatusCode>,
}

impl Asked<'_> {
    /// What it is answered with, which is kept; `None` when it is done. So often one is still not found that is there.
    pub(crate) fn answered(self, requests: &mut Requests, hidden: &mut usize) -> Option<StatusCode> {
        let hides = self.method == Method::GET && self.is_known && *hidden > 0;
        *hidden -= usize::from(hides && self.trouble.is_none());
        let status = match (&self.method, self.trouble) {
            (_, Some(trouble)) => trouble,
            (&Method::GET, None) if !self.is_known || hides => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        requests.push((self.method, self.id.to_owned(), status.as_u16()));
        (status != StatusCode::OK).then_some(status)
    }
}

/// How often something was to be kept, and taken.
pub(crate) fn taken(requests: &Requests) -> usize {
    let is_taken = |(method, _, status): &&(Method, String, u16)| *method == Method::PUT && *status == 200;
    requests.iter().filter(is_taken).count()
}

/// What the service does.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) records: BTreeMap<String, Value>,
    pub(crate) requests: Requests,
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
        let asked = Asked {
            is_known: self.records.contains_key(id),
            method,
            id,
            trouble,
        };
        asked.answered(&mut self.requests, &mut self.hidden)
    }

    /// How often something was written, and taken.
    pub(crate) fn writes(&self) -> usize {
        taken(&self.requests)
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
