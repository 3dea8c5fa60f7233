//! Which resource answers which method and path.
//!
//! Paths are lower-case plurals, special verbs are Pascal case, both are case-sensitive. There is no DELETE of
//! patients. Whatever is not listed here is answered 404, as a misspelt resource is.

mod audit;
mod definitions;
mod document_fields;
mod documents;
mod documents_sftp;
mod patients;
mod search;
mod select;
mod select_sql;
mod short_query;

use serde_json::json;

use crate::answer::Answer;
use crate::gate::Call;
use crate::keys::{ApiKey, Permission};
use crate::refusal::Refusal;
use crate::shared::Shared;

/// The answer of the resource that the call names.
pub(crate) fn answer(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    let segments: Vec<&str> = call
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let permission = match (call.method.as_str(), segments.as_slice()) {
        ("GET", _) => Permission::ReadAll,
        ("PUT", ["queries", ..]) => Permission::Queries,
        ("POST", ["documents", "Upload"]) => Permission::Documents,
        (_, ["documents", ..]) => Permission::AllOthers,
        _ => Permission::Patients,
    };
    let permitted = || key.demand(permission);
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["patients"]) => permitted().and_then(|()| search::search(shared, key, call)),
        ("GET", ["patients", "Simple"]) => permitted().and_then(|()| patients::simple(shared, key, call)),
        ("GET", ["patients", number]) => permitted().and_then(|()| patients::single(shared, call, number)),
        ("POST", ["patients"]) => permitted().and_then(|()| patients::post(shared, key, call)),
        ("PUT", ["patients", number]) => permitted().and_then(|()| patients::put(shared, key, call, number)),
        ("GET", ["documents"]) => permitted().and_then(|()| documents::list(shared, key, call)),
        ("GET", ["documents", number]) => permitted().and_then(|()| documents::single(shared, call, number)),
        ("POST", ["documents", "Upload"]) => permitted().and_then(|()| documents::upload(shared, key, call)),
        ("PUT", ["documents", number]) => {
            permitted().and_then(|()| documents::put(shared, key, call, number))
        }
        ("DELETE", ["documents", number]) => {
            permitted().and_then(|()| documents::delete(shared, key, call, number))
        }
        ("GET", ["definitions"]) => permitted().and_then(|()| definitions::list(shared, key, call)),
        ("GET", ["clinics"]) => permitted().map(|()| clinics(shared)),
        ("GET", ["securitylogs"]) => permitted().and_then(|()| audit::list(shared, key, call)),
        ("PUT", ["queries", "ShortQuery"]) => permitted().and_then(|()| short_query::run(shared, call)),
        _ => Err(Refusal::no_resource()),
    }
}

/// The same for a call that may have to wait for somebody else's server.
pub(crate) async fn answer_late(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", documents_sftp::PATH) => {
            key.demand(Permission::Documents)?;
            documents_sftp::upload(shared, key, call).await
        }
        _ => answer(shared, key, call),
    }
}

pub(crate) use documents::img_type_number;
pub(crate) use documents_sftp::note as note_invitation;

/// The resource of a path, for the log: never a number, and never what a stranger made up.
pub(crate) fn resource(path: &str) -> &'static str {
    let first = path
        .split('/')
        .find(|segment| !segment.is_empty())
        .unwrap_or_default();
    [
        "patients",
        "documents",
        "definitions",
        "clinics",
        "securitylogs",
        "queries",
    ]
    .into_iter()
    .find(|known| *known == first)
    .unwrap_or("other")
}

/// Clinics, or `[]` in an office that does not use them.
fn clinics(shared: &Shared) -> Answer {
    let rows: Vec<_> = shared
        .options
        .clinics
        .iter()
        .map(|clinic| {
            json!({ "ClinicNum": clinic.clinic_num, "Description": clinic.description, "Abbr": clinic.abbr })
        })
        .collect();
    Answer::json(200, &rows)
}
