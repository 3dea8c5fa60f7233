//! `GetPatient` and `ListEvents`: what a vendor asks for, cut to its contract.
//!
//! Of a patient whom the contract is not about a vendor hears what it hears of an id that is nobody's, so that ids tell nothing.

use super::{
    bus::{BusService, patient_id},
    history::place_behind,
    mask::{Mask, Masked},
    status::{invalid, unanswered, unknown_patient, unknown_record, unreadable},
};
use crate::{
    audit::{Told, kind_of},
    disclosure::VendorView,
    registry::ObserveError,
    vendors::{Admitted, told, view_of},
    wire::{WireError, write_patient},
};
use archwire_core::{LocalId, PatientId, SystemName};
use archwire_proto::v1::{
    GetPatientRequest, GetPatientResponse, ListEventsRequest, ListEventsResponse, Revisions,
    get_patient_request::Key,
};
use futures_util::StreamExt as _;
use std::pin::pin;
use tonic::Status;

/// Events in a page when the caller does not say, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1000;
/// Bytes after which a page ends early, so that the answer fits into a message that every gRPC client takes.
const LARGEST_PAGE: usize = 3 * 1024 * 1024;
/// Events that a page withholds before it ends, so that one call does not read all of a long history in vain.
const MOST_WITHHELD: usize = 10_000;

impl BusService {
    /// What a patient is now.
    pub(super) async fn patient(
        &self,
        admitted: &Admitted,
        request: GetPatientRequest,
    ) -> Result<GetPatientResponse, Status> {
        let contract = admitted.contract()?;
        let mask = Mask::read(request.mask.as_ref(), Masked::Patient)?;
        let key = request.key.ok_or_else(|| invalid(&WireError::Missing("key")))?;
        let id = match key {
            Key::PatientId(id) => patient_id(&id)?,
            Key::LocalId(id) => self.whose(admitted.vendor(), &id)?,
        };
        let entry = self.entry(id).await?;
        let view = view_of(&self.registry, &contract);
        self.is_about(&view, id).await?;
        let patient = entry.patient().map_err(|error| unanswered(&error.into()))?;
        self.tells(&contract, Told::Patient(id)).await?;
        Ok(GetPatientResponse {
            patient_id: id.to_string(),
            revision: entry.revision.get(),
            patient: Some(mask.cut_message(view.patient(write_patient(&patient)))),
        })
    }

    /// The patient whose record a vendor keeps under this id.
    fn whose(&self, vendor: &SystemName, local_id: &str) -> Result<PatientId, Status> {
        let local_id: Result<LocalId, _> = local_id.parse();
        let local_id = local_id.map_err(|error| invalid(&WireError::Name("local_id", error)))?;
        let linked = self.registry.index().linked(vendor, &local_id);
        linked.ok_or_else(unknown_record)
    }

    /// Whether a contract is about a patient; else the patient is nobody.
    async fn is_about(&self, view: &VendorView, id: PatientId) -> Result<(), Status> {
        if !view.is_about(id) {
            // The caller may follow the log and have heard just now of the record that tells.
            self.registry.caught_up(id).await;
        }
        view.is_about(id).then_some(()).ok_or_else(unknown_patient)
    }

    /// A page of what happened to a patient.
    pub(super) async fn history(
        &self,
        admitted: &Admitted,
        request: ListEventsRequest,
    ) -> Result<ListEventsResponse, Status> {
        let contract = admitted.contract()?;
        let id = patient_id(&request.patient_id)?;
        self.entry(id).await?;
        let view = view_of(&self.registry, &contract);
        self.is_about(&view, id).await?;
        let (answer, sent) = self.page(&view, id, &request).await?;
        self.tells(&contract, Told::Events(id, sent)).await?;
        Ok(answer)
    }

    /// The page, and the places and kinds of what is on it.
    async fn page(
        &self,
        view: &VendorView,
        id: PatientId,
        request: &ListEventsRequest,
    ) -> Result<(ListEventsResponse, Vec<(u64, archwire_proto::v1::EventKind)>), Status> {
        let mask = Mask::read(request.mask.as_ref(), Masked::Event)?;
        let page = match usize::try_from(request.page_size).unwrap_or(LONGEST_PAGE) {
            0 => PAGE,
            size => size.min(LONGEST_PAGE),
        };
        let mut answer = ListEventsResponse {
            through_revision: request.after_revision,
            ..ListEventsResponse::default()
        };
        let (mut bytes, mut withheld, mut sent) = (0, 0, Vec::new());
        let Some(behind) = place_behind(&self.registry, id, request.after_revision).await? else {
            return Ok((answer, sent));
        };
        let step = u32::try_from(page + 1).unwrap_or(u32::MAX);
        let mut history = pin!(self.registry.log().history_in_steps(id, behind, step));
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(|error| unreadable(&error))?;
            if answer.events.len() == page || withheld == MOST_WITHHELD {
                answer.more = true;
                break;
            }
            let revision = answer.through_revision.saturating_add(1);
            let place = (stored.sequence, kind_of(&stored));
            let shown = told(&self.registry, view, &stored).await;
            let shown = shown.map_err(|error| unanswered(&ObserveError::Unreadable(error)))?;
            let unreadable = || unanswered(&ObserveError::Unreadable(WireError::NotAMessage));
            let shown = shown.into_bytes(stored.payload);
            let shown = shown.map(|event| mask.cut(event).ok_or_else(unreadable));
            match shown.transpose()? {
                Some(event) if bytes + event.len() > LARGEST_PAGE && !answer.events.is_empty() => {
                    answer.more = true;
                    break;
                }
                Some(event) => {
                    bytes += event.len();
                    sent.push(place);
                    answer.events.push(event);
                }
                None => {
                    withheld += 1;
                    withhold(&mut answer.withheld, revision);
                }
            }
            answer.through_revision = revision;
        }
        Ok((answer, sent))
    }
}

/// Adds a revision to those that follow on each other.
fn withhold(withheld: &mut Vec<Revisions>, revision: u64) {
    match withheld.last_mut() {
        Some(last) if last.last.saturating_add(1) == revision => last.last = revision,
        _ => withheld.push(Revisions {
            first: revision,
            last: revision,
        }),
    }
}
