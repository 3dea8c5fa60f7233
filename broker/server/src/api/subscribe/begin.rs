//! Where a subscription begins that the bus has not seen, or that shall begin anew.

use super::{
    argument,
    cursor::{CursorError, Cursors, Owner},
    witness::Place,
};
use crate::{
    api::{
        history::place_behind,
        status::{refuse, refuse_field, unknown_patient, unreadable},
    },
    disclosure::VendorView,
    registry::Registry,
};
use archwire_core::PatientId;
use archwire_proto::v1::{PatientRevision, open::Start};
use std::time::{Duration, SystemTime};
use tonic::{Code, Status};

/// How far clocks may be apart.
const MOST_AHEAD: Duration = Duration::from_secs(60);

/// What has to be known for finding the place.
pub(super) struct Beginning<'a> {
    pub(super) registry: &'a Registry,
    pub(super) view: &'a VendorView,
    pub(super) cursors: &'a Cursors,
    pub(super) owner: &'a Owner,
    /// The last event of the log.
    pub(super) last: u64,
}

impl Beginning<'_> {
    /// The place behind which events will come.
    pub(super) async fn place(&self, start: Option<&Start>) -> Result<Place, Status> {
        let sequence = match start {
            None | Some(Start::Earliest(_)) => 0,
            Some(Start::New(_)) => self.last,
            Some(Start::Time(time)) => {
                let time = SystemTime::try_from(*time)
                    .map_err(|_| argument("open.time", "`open.time` is no time"))?;
                if time > SystemTime::now() + MOST_AHEAD {
                    return Err(argument("open.time", "`open.time` is in the future"));
                }
                self.before(time).await?
            }
            Some(Start::PatientRevision(revision)) => self.behind(revision).await?,
            Some(Start::Cursor(cursor)) => return self.of_cursor("open.cursor", cursor).await,
        };
        Place::at(self.registry.log(), sequence).await
    }

    async fn before(&self, time: SystemTime) -> Result<u64, Status> {
        let before = self.registry.log().before(time).await;
        before.map_err(|error| unreadable(&error))
    }

    /// The place that a cursor stands for, which the vendor named in this field.
    pub(super) async fn of_cursor(&self, field: &'static str, cursor: &str) -> Result<Place, Status> {
        let place = self.cursors.read(self.owner, cursor).map_err(|error| {
            let code = match error {
                CursorError::Invalid => Code::InvalidArgument,
                CursorError::OfAnother => Code::PermissionDenied,
            };
            refuse_field(code, error.code(), field, error.to_string())
        })?;
        place.is_of(self.registry.log(), field).await
    }

    async fn behind(&self, start: &PatientRevision) -> Result<u64, Status> {
        let field = "open.patient_revision.patient_id";
        let patient: PatientId = start
            .patient_id
            .parse()
            .map_err(|_| argument(field, "`open.patient_revision.patient_id` is no id of the bus"))?;
        self.registry.caught_up(patient).await;
        let is_known = self.registry.index().entry(patient).is_some();
        // Whom the contract is not about is as unknown as whom there is not, or ids could be tried.
        if !is_known || !self.view.is_about(patient) {
            return Err(unknown_patient());
        }
        let behind = place_behind(self.registry, patient, start.revision).await?;
        behind.ok_or_else(unknown_revision)
    }
}

fn unknown_revision() -> Status {
    let message = "the patient has no event with this revision";
    refuse(Code::NotFound, "revision_unknown", message)
}
