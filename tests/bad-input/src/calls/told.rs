//! What of patients is told in answers, held against the contract.

use super::Answer;
use crate::{
    bus::{Bus, DESK},
    shown::{nothing_else_in_event, nothing_else_of_patient},
};
use archwire_core::{PatientId, contract::PatientScope};
use archwire_proto::v1::{
    Event, FindPatientsResponse, GetPatientResponse, ListEventsResponse, Patient, SubscribeResponse,
    subscribe_response::Response as Told,
};
use bytes::Bytes;
use prost::Message as _;

impl Bus {
    /// That what a vendor is told is what its contract reads.
    pub(super) fn shows_no_more(&self, vendor: &str, method: &str, answer: &Answer) {
        for message in &answer.messages {
            let message = message.clone();
            match method {
                "GetPatient" => {
                    let answer = GetPatientResponse::decode(message).expect("it is an answer");
                    self.shows_patient(vendor, &answer.patient_id, answer.patient);
                }
                "FindPatients" => {
                    let answer = FindPatientsResponse::decode(message).expect("it is an answer");
                    for found in answer.patients {
                        self.shows_patient(vendor, &found.patient_id, found.patient);
                    }
                }
                "ListEvents" => {
                    let answer = ListEventsResponse::decode(message).expect("it is an answer");
                    for event in answer.events {
                        self.shows_event(vendor, event);
                    }
                }
                "Subscribe" => {
                    let answer = SubscribeResponse::decode(message).expect("it is an answer");
                    if let Some(Told::Delivery(delivery)) = answer.response {
                        self.shows_event(vendor, delivery.event);
                    }
                }
                _ => {}
            }
        }
    }

    fn shows_patient(&self, vendor: &str, id: &str, patient: Option<Patient>) {
        let contract = self.contract(vendor);
        assert!(self.is_about(vendor, id), "somebody else is shown");
        nothing_else_of_patient(contract, &patient.unwrap_or_default());
    }

    fn shows_event(&self, vendor: &str, event: Bytes) {
        let event = Event::decode(event).expect("it is an event");
        nothing_else_in_event(self.contract(vendor), &|id| self.is_about(vendor, id), &event);
    }

    /// Whether a vendor's contract is about somebody, as far as the registry knows at this moment. Nobody loses a record here.
    fn is_about(&self, vendor: &str, id: &str) -> bool {
        if self.contract(vendor).patients == PatientScope::All {
            return true;
        }
        let id: Option<PatientId> = id.parse().ok();
        let index = self.registry.index();
        let entry = id.and_then(|id| index.entry(id));
        entry.is_some_and(|entry| entry.records.iter().any(|record| record.system.as_str() == DESK))
    }
}
