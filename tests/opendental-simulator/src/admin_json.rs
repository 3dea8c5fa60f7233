//! What the admin endpoints read and write, as JSON.
//!
//! Names are in snake_case, apart from patients, whose fields bear the vendor's names.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::changelog::Change;
use crate::fields::Field;
use crate::journal::RequestRecord;
use crate::model::PatientFields;

/// `PUT /simulator/clock`. Exactly one member does something; several are done in this order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockOrder {
    /// Office-local `yyyy-MM-dd HH:mm:ss`: the hands stop there.
    pub(crate) freeze_at: Option<String>,
    /// `true` stops the hands where they are, `false` lets them run on.
    pub(crate) frozen: Option<bool>,
    /// Moves the hands forward, written like `90s`.
    pub(crate) advance: Option<String>,
}

/// `POST /simulator/merge`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeOrder {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// `PUT /simulator/econnector`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EConnectorOrder {
    pub(crate) running: bool,
}

/// `PUT /simulator/keys/{customer key}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyOrder {
    pub(crate) status: crate::keys::KeyStatus,
}

/// `?after=` of the logs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default)]
    pub(crate) after: u64,
}

/// An error of the admin endpoints.
#[derive(Debug, Serialize)]
pub(crate) struct AdminError {
    pub(crate) error: String,
}

/// The fields that a person types. Any text goes, but the names must be known.
pub(crate) fn typed(body: &Map<String, Value>) -> Result<PatientFields, AdminError> {
    let mut fields = PatientFields::new();
    for (name, value) in body {
        let field = Field::from_name(name).ok_or_else(|| AdminError {
            error: format!("unknown field {name:?}"),
        })?;
        match value {
            Value::String(text) => fields.set(field, text),
            Value::Number(number) => fields.set(field, number.to_string()),
            _ => {
                return Err(AdminError {
                    error: format!("{name} must be a text or a number"),
                });
            }
        }
    }
    Ok(fields)
}

/// A line of the change log.
pub(crate) fn change(change: &Change) -> Value {
    let fields: Vec<Value> = change
        .fields
        .iter()
        .map(|field| json!({ "field": field.field.name(), "from": field.from, "to": field.to }))
        .collect();
    json!({
        "sequence": change.sequence,
        "at": change.at.to_string(),
        "local": change.local.to_string(),
        "author": change.author.to_string(),
        "method": change.method,
        "pat_num": change.pat_num,
        "fields": fields,
        "request": change.request,
        "status_sent": change.status_sent,
    })
}

/// A line of the request log.
pub(crate) fn request(record: &RequestRecord) -> Value {
    json!({
        "id": record.id,
        "at": record.at.to_string(),
        "local": record.local.to_string(),
        "method": record.method,
        "path": record.path,
        "query_names": record.query_names,
        "customer_key": record.customer_key,
        "in_flight": record.in_flight,
        "fault": record.fault,
        "begun": record.begun,
        "finished": record.finished,
        "status": record.status,
        "took_ms": u64::try_from(record.took.as_millis()).unwrap_or(u64::MAX),
    })
}
