//! The records of the audit, and the audit as it is stored.

use super::{
    practice::Practice,
    status::{audit_unread, invalid, optional_patient},
};
use crate::{
    audit::{AuditError, is_of_people, verify::END_KIND},
    wire::{WireError, timestamp},
};
use archwire_core::PatientId;
use archwire_nats::AuditStored;
use archwire_proto::admin::v1::{
    AuditRecord, GetAuditKeyResponse, ListAuditRequest, ListAuditResponse, ReadAuditRequest,
    ReadAuditResponse,
};
use futures_util::{Stream, StreamExt as _, stream};
use std::{
    collections::BTreeSet,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};
use tonic::Status;

/// Which records are wanted.
struct Wanted {
    patients: BTreeSet<String>,
    vendor: String,
    system: String,
    action: String,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    everything: bool,
}

pub(super) async fn list(
    practice: &Practice,
    request: ListAuditRequest,
) -> Result<impl Stream<Item = Result<ListAuditResponse, Status>> + Send + use<>, Status> {
    let after = request.after;
    let wanted = Wanted::of(practice, request)?;
    caught_up(practice).await;
    let records = practice.audit.read(after);
    let records =
        records.filter(move |record| ready(record.as_ref().map_or(true, |(_, record)| wanted.has(record))));
    Ok(records.map(|record| {
        let (sequence, record) = record.map_err(|error| audit_unread(&error))?;
        Ok(ListAuditResponse {
            sequence,
            record: Some(record),
        })
    }))
}

/// The audit as it is stored.
pub(super) async fn read(
    practice: &Practice,
    request: &ReadAuditRequest,
) -> impl Stream<Item = Result<ReadAuditResponse, Status>> + Send + use<> {
    caught_up(practice).await;
    let last = Arc::new(AtomicU64::new(request.after));
    let seen = Arc::clone(&last);
    let blocks = practice.audit.stored(request.after).map(move |stored| {
        let AuditStored {
            sequence,
            kind,
            time,
            payload,
        } = stored.map_err(|error: AuditError| audit_unread(&error))?;
        seen.store(sequence, Ordering::Relaxed);
        Ok(ReadAuditResponse {
            sequence,
            at: Some(timestamp(time)),
            kind,
            payload,
        })
    });
    // A stream that ends without it was cut short, by a stop for instance, which looks the same otherwise.
    blocks.chain(stream::once(async move {
        Ok(ReadAuditResponse {
            sequence: last.load(Ordering::Relaxed),
            kind: END_KIND.to_owned(),
            ..ReadAuditResponse::default()
        })
    }))
}

/// What signs it.
pub(super) fn key(practice: &Practice) -> GetAuditKeyResponse {
    let (key, file) = practice.audit.signing().unzip();
    GetAuditKeyResponse {
        practice: practice.audit.practice().to_string(),
        public_key: key.map(|key| key.to_vec().into()).unwrap_or_default(),
        checkpoints: file.map(|file| file.display().to_string()).unwrap_or_default(),
    }
}

/// What happened until now is shown. What there is is shown in any case.
pub(super) async fn caught_up(practice: &Practice) {
    if let Err(error) = practice.audit.caught_up(practice.registry.log()).await {
        tracing::warn!(
            code = error.code(),
            "the audit is shown without what happened last"
        );
    }
}

impl Wanted {
    fn of(practice: &Practice, request: ListAuditRequest) -> Result<Self, Status> {
        let patient = optional_patient(&request.patient_id)?;
        let time = |field: &'static str, at: Option<prost_types::Timestamp>| {
            let at = at.map(SystemTime::try_from).transpose();
            at.map_err(|_| invalid(&WireError::Time(field)))
        };
        Ok(Self {
            patients: match patient {
                Some(patient) if request.with_merged => {
                    let them = one_with(practice, patient);
                    them.iter().map(ToString::to_string).collect()
                }
                patient => patient.iter().map(ToString::to_string).collect(),
            },
            vendor: request.vendor,
            system: request.system,
            action: request.action,
            since: time("since", request.since)?,
            until: time("until", request.until)?,
            everything: request.everything,
        })
    }

    fn has(&self, record: &AuditRecord) -> bool {
        let named =
            |wanted: &str, found: &Option<String>| wanted.is_empty() || found.as_deref() == Some(wanted);
        let at = record.at.and_then(|at| SystemTime::try_from(at).ok());
        let is_its_action = match self.action.as_str() {
            "" => true,
            group if group.ends_with('.') => record.action.starts_with(group),
            action => record.action == action,
        };
        let is_of_them = || record.patient_ids.iter().any(|id| self.patients.contains(id));
        (self.everything || is_of_people(&record.action))
            && (self.patients.is_empty() || is_of_them())
            && named(&self.vendor, &record.vendor)
            && named(&self.system, &record.system)
            && is_its_action
            && self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }
}

/// The patient with everybody who is one person with him or her by now.
pub(super) fn one_with(practice: &Practice, patient: PatientId) -> BTreeSet<PatientId> {
    let index = practice.registry.index();
    let survivor = index.current(patient);
    let everybody = index.everybody().map(|(id, _)| id);
    let them = everybody.filter(|id| index.current(*id) == survivor);
    them.chain([patient]).collect()
}
