//! The endpoints for documents under `/simulator`: be the front desk, and fetch the bytes that the API never gives.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::admin::{Reply, Sim, Trouble};
use crate::documents::{Document, DocumentFields};
use crate::front_desk::FrontDesk;
use crate::front_desk_documents::NoSuchDocument;
use crate::shared::Shared;

/// Most bytes of one scan.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/documents", get(documents).post(scan))
        .route("/documents/{doc_num}", delete(remove))
        .route("/documents/{doc_num}/open", post(open))
        .route("/documents/{doc_num}/content", get(content))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// `POST /simulator/documents?pat_num=48&file_name=scan.jpg`, with the file as the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    pat_num: i64,
    file_name: String,
    description: Option<String>,
}

async fn documents(State(shared): Sim) -> Json<Value> {
    let office = shared.office();
    Json(office.documents.rows().map(shown).collect())
}

fn shown(row: &Document) -> Value {
    json!({
        "DocNum": row.doc_num,
        "PatNum": row.pat_num,
        "Description": row.description,
        "DateCreated": row.date_created.to_string(),
        "DocCategory": row.doc_category,
        "FileName": row.file_name,
        "ImgType": row.img_type,
        "ToothNumbers": row.tooth_numbers,
        "DateTStamp": row.date_t_stamp.to_string(),
        "opened": row.unopened.is_none(),
        "size": row.bytes.len(),
    })
}

async fn scan(
    State(shared): Sim,
    Query(scan): Query<Scan>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Trouble> {
    let fields = DocumentFields {
        description: scan.description,
        ..DocumentFields::default()
    };
    let number = FrontDesk::new(shared).scan(scan.pat_num, &scan.file_name, bytes, &fields)?;
    Ok((StatusCode::CREATED, Json(json!({ "DocNum": number }))))
}

async fn open(State(shared): Sim, Path(doc_num): Path<i64>) -> Reply {
    FrontDesk::new(shared).open_document(doc_num)?;
    Ok(Json(json!({ "DocNum": doc_num })))
}

async fn remove(State(shared): Sim, Path(doc_num): Path<i64>) -> Reply {
    FrontDesk::new(shared).delete_document(doc_num)?;
    Ok(Json(json!({ "DocNum": doc_num })))
}

async fn content(State(shared): Sim, Path(doc_num): Path<i64>) -> Result<impl IntoResponse, Trouble> {
    let row = shared.office().documents.get(doc_num).cloned();
    let row = row.ok_or(NoSuchDocument)?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], row.bytes.to_vec()))
}
