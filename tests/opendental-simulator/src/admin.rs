//! The endpoints under `/simulator`, on the same port, for tests that run the simulator as a process.
//!
//! They need no Open Dental header and are no part of the vendor's API: here a test plays the front desk, makes
//! trouble, holds the clock and asks what happened. Errors are `{"error": "..."}` with 400 or 404.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use crate::admin_json::{
    AdminError, After, ClockOrder, EConnectorOrder, KeyOrder, MergeOrder, change, request, typed,
};
use crate::fault_text::{WrittenFault, duration};
use crate::faults::Fault;
use crate::formats;
use crate::front_desk::FrontDesk;
use crate::rows::View;
use crate::shared::Shared;

pub(crate) type Sim = State<Arc<Shared>>;
pub(crate) type Reply = Result<Json<Value>, Trouble>;
type Body<T> = Result<Json<T>, JsonRejection>;

/// The admin endpoints, to be nested under `/simulator`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(summary))
        .route("/patients", get(patients).post(create))
        .route("/patients/{pat_num}", get(patient).put(edit).delete(delete))
        .route("/merge", post(merge))
        .route("/aging", post(aging))
        .route("/changes", get(changes))
        .route("/requests", get(requests))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/econnector", put(econnector))
        .route("/keys/{customer_key}", put(key))
        .route("/clock", get(clock).put(set_clock))
        .merge(crate::admin_documents::router())
}

/// An error of an admin endpoint.
pub(crate) struct Trouble(StatusCode, String);

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        (self.0, Json(AdminError { error: self.1 })).into_response()
    }
}

impl From<JsonRejection> for Trouble {
    fn from(rejection: JsonRejection) -> Self {
        bad(rejection.body_text())
    }
}

impl From<AdminError> for Trouble {
    fn from(error: AdminError) -> Self {
        bad(error.error)
    }
}

impl From<crate::front_desk::NoSuchPatient> for Trouble {
    fn from(error: crate::front_desk::NoSuchPatient) -> Self {
        Self(StatusCode::NOT_FOUND, error.to_string())
    }
}

impl From<crate::front_desk_documents::NoSuchDocument> for Trouble {
    fn from(error: crate::front_desk_documents::NoSuchDocument) -> Self {
        Self(StatusCode::NOT_FOUND, error.to_string())
    }
}

fn bad(text: impl Into<String>) -> Trouble {
    Trouble(StatusCode::BAD_REQUEST, text.into())
}

async fn summary(State(shared): Sim) -> Json<Value> {
    let (patients, documents, changes) = {
        let office = shared.office();
        let (patients, documents) = (office.patients().count(), office.documents.rows().count());
        (patients, documents, office.change_count())
    };
    let (waiting, running) = {
        let faults = shared.faults();
        (faults.waiting().len(), faults.econnector_running)
    };
    Json(json!({
        "base_url": shared.base_url,
        "mode": format!("{:?}", shared.options.mode),
        "version": shared.options.version.to_string(),
        "zone": shared.clock.zone(),
        "local": shared.clock.local().to_string(),
        "patients": patients,
        "documents": documents,
        "changes": changes,
        "waiting_faults": waiting,
        "econnector_running": running,
    }))
}

async fn patients(State(shared): Sim) -> Json<Value> {
    let office = shared.office();
    let rows: Vec<_> = office
        .patients()
        .map(|patient| view(&shared).full(patient, &office.balance_totals()))
        .collect();
    Json(json!(rows))
}

async fn patient(State(shared): Sim, Path(pat_num): Path<i64>) -> Reply {
    let office = shared.office();
    let patient = office.patient(pat_num).ok_or(crate::front_desk::NoSuchPatient)?;
    Ok(Json(json!(view(&shared).full(patient, &office.balance_totals()))))
}

fn view(shared: &Shared) -> View<'_> {
    View {
        options: &shared.options,
        clock: &shared.clock,
        date: formats::DATE,
        date_time: formats::DATE_TIME,
    }
}

async fn create(
    State(shared): Sim,
    body: Body<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), Trouble> {
    let pat_num = FrontDesk::new(shared).create(&typed(&body?.0)?);
    Ok((StatusCode::CREATED, Json(json!({ "PatNum": pat_num }))))
}

async fn edit(State(shared): Sim, Path(pat_num): Path<i64>, body: Body<Map<String, Value>>) -> Reply {
    FrontDesk::new(shared).edit(pat_num, &typed(&body?.0)?)?;
    Ok(Json(json!({ "PatNum": pat_num })))
}

async fn delete(State(shared): Sim, Path(pat_num): Path<i64>) -> Reply {
    FrontDesk::new(shared).delete(pat_num)?;
    Ok(Json(json!({ "PatNum": pat_num })))
}

async fn merge(State(shared): Sim, body: Body<MergeOrder>) -> Reply {
    let Json(MergeOrder { from, to }) = body?;
    FrontDesk::new(shared).merge(from, to)?;
    Ok(Json(json!({ "from": from, "to": to })))
}

async fn aging(State(shared): Sim) -> Json<Value> {
    Json(json!({ "rewritten": FrontDesk::new(shared).run_aging() }))
}

async fn changes(State(shared): Sim, Query(after): Query<After>) -> Json<Value> {
    Json(shared.changes_after(after.after).iter().map(change).collect())
}

async fn requests(State(shared): Sim, Query(after): Query<After>) -> Json<Value> {
    let records = shared.journal.requests();
    Json(
        records
            .iter()
            .filter(|record| record.id > after.after)
            .map(request)
            .collect(),
    )
}

async fn faults(State(shared): Sim) -> Json<Value> {
    let faults = shared.faults();
    let written: Vec<_> = faults
        .waiting()
        .iter()
        .map(|(id, fault)| json!({ "id": id, "fault": WrittenFault::from(fault) }))
        .collect();
    Json(json!(written))
}

async fn add_fault(State(shared): Sim, body: Body<WrittenFault>) -> Reply {
    let fault = Fault::try_from(body?.0).map_err(|error| bad(error.to_string()))?;
    let id = shared
        .faults()
        .add(fault)
        .ok_or_else(|| bad("too many faults wait already"))?;
    Ok(Json(json!({ "id": id })))
}

async fn clear_faults(State(shared): Sim) -> Json<Value> {
    shared.faults().clear();
    Json(json!({}))
}

async fn econnector(State(shared): Sim, body: Body<EConnectorOrder>) -> Reply {
    let running = body?.running;
    shared.faults().econnector_running = running;
    Ok(Json(json!({ "running": running })))
}

async fn key(State(shared): Sim, Path(customer_key): Path<String>, body: Body<KeyOrder>) -> Reply {
    let status = body?.status;
    if shared.keys().set_status(&customer_key, status) {
        Ok(Json(json!({ "status": status })))
    } else {
        Err(Trouble(StatusCode::NOT_FOUND, "no such customer key".to_owned()))
    }
}

async fn clock(State(shared): Sim) -> Json<Value> {
    Json(clock_state(&shared))
}

async fn set_clock(State(shared): Sim, body: Body<ClockOrder>) -> Reply {
    let Json(order) = body?;
    let freeze_at: Option<DateTime> = order
        .freeze_at
        .map(|text| {
            text.parse()
                .map_err(|_| bad("freeze_at is written yyyy-MM-dd HH:mm:ss"))
        })
        .transpose()?;
    let advance = order
        .advance
        .map(|text| duration(&text).map_err(|error| bad(error.to_string())))
        .transpose()?;
    if let Some(local) = freeze_at {
        shared
            .clock
            .freeze_at_local(local)
            .map_err(|_| bad("freeze_at is out of range"))?;
    }
    match order.frozen {
        Some(true) => shared.clock.freeze(),
        Some(false) => shared.clock.run(),
        None => {}
    }
    if let Some(by) = advance {
        shared.clock.advance(by);
    }
    Ok(Json(clock_state(&shared)))
}

fn clock_state(shared: &Shared) -> Value {
    json!({
        "now": shared.clock.now().to_string(),
        "local": shared.clock.local().to_string(),
        "zone": shared.clock.zone(),
        "frozen": shared.clock.is_frozen(),
    })
}
