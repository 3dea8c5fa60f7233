//! `FindPatients`: who is as was asked for, of those whom the contract is about, page by page.
//!
//! It is looked for in the current states, in the order of the ids. One call looks at [`MOST_LOOKED_AT`] patients (about 10 ms),
//! so that nobody is kept waiting by somebody who looks for a needle; then the page ends, empty or not.

mod sought;

use super::{
    bus::BusService,
    mask::{Mask, Masked},
    status::{refuse_field, unanswered},
    subscribe::Owner,
};
use crate::{
    audit::Told,
    registry::Listed,
    vendors::{Admitted, view_of},
    wire::WireError,
};
use archwire_core::PatientId;
use archwire_proto::v1::{FindPatientsRequest, FindPatientsResponse, FoundPatient, Patient};
use prost::Message as _;
use sought::Sought;
use tokio::task::yield_now;
use tonic::{Code, Status};

/// Patients in a page when the caller does not say, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1_000;
/// Bytes after which a page ends early, so that the answer fits into a message that every gRPC client takes.
const LARGEST_PAGE: usize = 3 * 1024 * 1024;
/// Patients that one call looks at.
const MOST_LOOKED_AT: usize = 5_000;

impl BusService {
    /// A page of those who are as was asked for.
    pub(super) async fn find(
        &self,
        admitted: Admitted,
        request: FindPatientsRequest,
    ) -> Result<FindPatientsResponse, Status> {
        let contract = admitted.contract()?;
        let mask = Mask::read(request.mask.as_ref(), Masked::Patient)?;
        let sought = Sought::read(&request, &contract)?;
        let tokens = self.subscriptions.cursors();
        let owner = Owner::of(admitted.vendor());
        // The same question is the same but for how much of the answer is wanted at a time.
        let question = FindPatientsRequest {
            page_size: 0,
            page_token: String::new(),
            ..request.clone()
        };
        let question = question.encode_to_vec();
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(tokens.read_page(&owner, &question, token).ok_or_else(|| {
                refuse_field(
                    Code::InvalidArgument,
                    "page_token_invalid",
                    "page_token",
                    "`page_token` is not from the last answer to the same request",
                )
            })?),
        };
        let view = view_of(&self.registry, &contract);
        let mut page = Page::of(request.page_size, after);
        loop {
            let listed = self.next_of(&sought, page.last);
            if listed.is_empty() {
                break;
            }
            for Listed { id, revision, state } in listed {
                let patient = Patient::decode(state.bytes());
                let patient = patient.map_err(|_| unanswered(&WireError::NotAMessage.into()))?;
                let is_found = sought.is(&patient) && view.is_about(id);
                let found = is_found.then(|| FoundPatient {
                    patient_id: id.to_string(),
                    revision: revision.get(),
                    patient: Some(mask.cut_message(view.patient(patient))),
                });
                if !page.takes(id, found) {
                    break;
                }
            }
            if page.is_full {
                break;
            }
            // Others have their turn, and a call that was given up ends here.
            yield_now().await;
        }
        self.tells(&contract, Told::Found(page.told)).await?;
        let last = page.last.filter(|_| page.is_full);
        let next_page_token = last.and_then(|last| tokens.give_page(&owner, &question, last));
        Ok(FindPatientsResponse {
            patients: page.patients,
            next_page_token: next_page_token.unwrap_or_default(),
        })
    }

    /// Those who are to be looked at next.
    fn next_of(&self, sought: &Sought, after: Option<PatientId>) -> Vec<Listed> {
        let Some((system, local_id)) = sought.record() else {
            return self.registry.listed(after);
        };
        let linked = self.registry.index().linked(system, local_id);
        let linked = linked.filter(|id| after.is_none_or(|after| *id > after));
        linked
            .and_then(|id| self.registry.listed_one(id))
            .into_iter()
            .collect()
    }
}

/// A page while it is filled.
struct Page {
    most: usize,
    patients: Vec<FoundPatient>,
    told: Vec<PatientId>,
    bytes: usize,
    looked_at: usize,
    /// The last one who was looked at.
    last: Option<PatientId>,
    is_full: bool,
}

impl Page {
    /// One that begins behind `last`.
    fn of(size: u32, last: Option<PatientId>) -> Self {
        let most = match usize::try_from(size).unwrap_or(LONGEST_PAGE) {
            0 => PAGE,
            size => size.min(LONGEST_PAGE),
        };
        Self {
            most,
            patients: Vec::new(),
            told: Vec::new(),
            bytes: 0,
            looked_at: 0,
            last,
            is_full: false,
        }
    }

    /// Takes whoever was looked at. Tells whether there is room for another; one for whom there is none is left to the next page.
    fn takes(&mut self, id: PatientId, found: Option<FoundPatient>) -> bool {
        let size = found.as_ref().map_or(0, FoundPatient::encoded_len);
        let has_room = self.patients.is_empty() || self.bytes + size <= LARGEST_PAGE;
        let is_over = self.looked_at == MOST_LOOKED_AT || self.patients.len() == self.most;
        if is_over || !has_room {
            self.is_full = true;
            return false;
        }
        self.looked_at += 1;
        self.last = Some(id);
        if let Some(found) = found {
            self.bytes += size;
            self.told.push(id);
            self.patients.push(found);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: PatientId) -> Option<FoundPatient> {
        Some(FoundPatient {
            patient_id: id.to_string(),
            ..FoundPatient::default()
        })
    }

    #[test]
    fn a_page_ends_when_enough_were_looked_at_and_goes_on_behind_the_last_of_them() {
        let mut page = Page::of(0, None);
        let last = PatientId::generate();
        for _ in 1..MOST_LOOKED_AT {
            assert!(page.takes(PatientId::generate(), None));
        }
        assert!(page.takes(last, None) && !page.is_full);
        assert!(!page.takes(PatientId::generate(), found(last)));
        assert!(page.is_full && page.patients.is_empty());
        assert_eq!(page.last, Some(last));
    }

    #[test]
    fn who_does_not_fit_is_left_to_the_next_page_unless_the_page_is_his_alone() {
        let large = |id: PatientId| {
            found(id).map(|found| FoundPatient {
                patient_id: "x".repeat(LARGEST_PAGE),
                ..found
            })
        };
        let [one, other] = [PatientId::generate(), PatientId::generate()];
        let mut page = Page::of(1_000_000, None);
        assert_eq!(page.most, LONGEST_PAGE);
        assert!(page.takes(one, large(one)), "else he would never come");
        assert!(!page.takes(other, found(other)));
        assert_eq!((page.last, page.told.as_slice()), (Some(one), [one].as_slice()));
    }
}
