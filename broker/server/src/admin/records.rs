//! The records of the audit.

use super::{
    practice::Practice,
    status::{audit_unread, optional_patient},
};
use archwire_proto::admin::v1::{ListAuditRequest, ListAuditResponse};
use futures_util::{Stream, StreamExt as _};
use tonic::Status;

pub(super) fn list(
    practice: &Practice,
    request: &ListAuditRequest,
) -> Result<impl Stream<Item = Result<ListAuditResponse, Status>> + Send + use<>, Status> {
    let about = optional_patient(&request.patient_id)?.map(|id| id.to_string());
    let records = practice.audit.read(request.after).filter_map(move |record| {
        let wanted = match (&record, &about) {
            (Ok((_, record)), Some(about)) => record.patient_ids.contains(about),
            _ => true,
        };
        std::future::ready(wanted.then_some(record))
    });
    Ok(records.map(|record| {
        let (sequence, record) = record.map_err(|error| audit_unread(&error))?;
        Ok(ListAuditResponse {
            sequence,
            record: Some(record),
        })
    }))
}
