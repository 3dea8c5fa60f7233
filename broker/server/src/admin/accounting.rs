//! The accounting of disclosures of one patient, out of the whole audit. That it was given out is audited itself.

use super::{
    asker::{Asker, user_id},
    practice::Practice,
    records::{caught_up, one_with},
    status::{audit_unread, invalid, patient_id, unanswered, unknown_patient},
};
use crate::{
    audit::{
        Act, Action,
        accounting::{Accountant, Accounted},
    },
    wire::WireError,
};
use archwire_proto::admin::v1::{AccountDisclosuresRequest, AccountDisclosuresResponse};
use futures_util::{Stream, StreamExt as _, stream};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};
use tonic::{Request, Status};

type Answer = Result<AccountDisclosuresResponse, Status>;

/// Everything that vendors were told of a patient, oldest first.
pub(super) async fn account(
    practice: &Practice,
    request: Request<AccountDisclosuresRequest>,
) -> Result<impl Stream<Item = Answer> + Send + use<>, Status> {
    let (_, extensions, request) = request.into_parts();
    let patient = patient_id("patient_id", &request.patient_id)?;
    let between = Between {
        since: time("since", request.since)?,
        until: time("until", request.until)?,
    };
    let (person, user_id) = match request.person {
        None => (String::new(), user_id(&extensions)),
        Some(person) => {
            let asker = Asker::of(Some(person), &extensions)?;
            (asker.name, asker.user_id)
        }
    };
    let standing = practice.registry.standing(patient);
    let known = standing.map_err(|error| unanswered(&error))?;
    known.ok_or_else(|| unknown_patient(patient))?;
    let act = Act {
        person,
        user_id,
        action: Action::Accounted,
        patients: vec![patient],
        item: None,
        system: None,
        image: None,
        paths: Vec::new(),
        reason: String::new(),
    };
    practice.audit(act).await?;
    caught_up(practice).await;
    let mut accountant = Accountant::new(patient, one_with(practice, patient));
    let begins = Arc::new(Mutex::new(AccountDisclosuresResponse::default()));
    let known_since = Arc::clone(&begins);
    let told = practice.audit.read(0).map(move |record| {
        let (place, record) = record.map_err(|error| audit_unread(&error))?;
        let mut begins = begins.lock().unwrap_or_else(PoisonError::into_inner);
        if begins.sequence == 0 {
            begins.sequence = place;
            begins.known_since = record.at;
        }
        Ok(accountant.take(place, record))
    });
    let told = told.flat_map(move |told: Result<Vec<Accounted>, Status>| {
        let answers: Vec<Answer> = match told {
            Ok(told) => {
                let wanted = told.into_iter().filter(|told| between.has(told));
                wanted.map(|told| Ok(answer(told))).collect()
            }
            Err(status) => vec![Err(status)],
        };
        stream::iter(answers)
    });
    let end =
        stream::once(async move { Ok(known_since.lock().unwrap_or_else(PoisonError::into_inner).clone()) });
    // After an error there is no end.
    Ok(told.chain(end).scan(false, |has_failed, answer| {
        let goes_on = !*has_failed;
        *has_failed |= answer.is_err();
        std::future::ready(goes_on.then_some(answer))
    }))
}

fn answer(told: Accounted) -> AccountDisclosuresResponse {
    AccountDisclosuresResponse {
        sequence: told.place,
        record: Some(told.record),
        known_since: None,
    }
}

fn time(field: &'static str, at: Option<prost_types::Timestamp>) -> Result<Option<SystemTime>, Status> {
    let at = at.map(SystemTime::try_from).transpose();
    at.map_err(|_| invalid(&WireError::Time(field)))
}

struct Between {
    since: Option<SystemTime>,
    until: Option<SystemTime>,
}

impl Between {
    fn has(&self, told: &Accounted) -> bool {
        let at = told.record.at.and_then(|at| SystemTime::try_from(at).ok());
        self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }
}
