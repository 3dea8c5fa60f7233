//! Where a subscription begins that the bus has not seen, or that shall begin anew.

use super::{
    argument,
    cursor::{CursorError, Cursors, Owner},
};
use crate::{
    api::status::{refuse, refuse_field, unknown_patient, unreadable},
    disclosure::VendorView,
    registry::Registry,
};
use archwire_core::PatientId;
use archwire_proto::v1::{PatientRevision, open::Start};
use futures_util::StreamExt as _;
use std::{
    pin::pin,
    time::{Duration, SystemTime},
};
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
    pub(super) async fn place(&self, start: Option<&Start>) -> Result<u64, Status> {
        match start {
            None | Some(Start::Earliest(_)) => Ok(0),
            Some(Start::New(_)) => Ok(self.last),
            Some(Start::Time(time)) => {
                let time = SystemTime::try_from(*time)
                    .map_err(|_| argument("open.time", "`open.time` is no time"))?;
                if time > SystemTime::now() + MOST_AHEAD {
                    return Err(argument("open.time", "`open.time` is in the future"));
                }
                self.before(time).await
            }
            Some(Start::PatientRevision(revision)) => self.behind(revision).await,
            Some(Start::Cursor(cursor)) => self.behind_cursor(cursor).await,
        }
    }

    async fn before(&self, time: SystemTime) -> Result<u64, Status> {
        let before = self.registry.log().before(time).await;
        before.map_err(|error| unreadable(&error))
    }

    async fn behind_cursor(&self, cursor: &str) -> Result<u64, Status> {
        let place = self.cursors.read(self.owner, cursor).map_err(|error| {
            let code = match error {
                CursorError::Invalid => Code::InvalidArgument,
                CursorError::OfAnother => Code::PermissionDenied,
            };
            refuse_field(code, error.code(), "open.cursor", error.to_string())
        })?;
        self.exists(place).await
    }

    /// A place that was given, unless the log does not reach it: then it is not the log that it was.
    pub(super) async fn exists(&self, place: u64) -> Result<u64, Status> {
        // Whoever told of the last event may be a moment behind.
        if place > self.last {
            let last = self.registry.log().last_sequence().await;
            if place > last.map_err(|error| unreadable(&error))? {
                return Err(refuse_field(
                    Code::OutOfRange,
                    "cursor_ahead",
                    "open",
                    "the log is shorter than it was: it was restored from an older copy; begin elsewhere, with `reset`",
                ));
            }
        }
        Ok(place)
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
        let newest = self
            .registry
            .index()
            .entry(patient)
            .map(|entry| (entry.revision, entry.sequence));
        match newest {
            Some((revision, sequence)) if revision.get() == start.revision => return Ok(sequence),
            Some((revision, _)) if revision.get() < start.revision => return Err(unknown_revision()),
            _ => {}
        }
        // Revisions are gapless from 1. Before the first one stands whatever is before its event.
        let behind = usize::try_from(start.revision.max(1)).unwrap_or(usize::MAX);
        let mut history = pin!(self.registry.log().history(patient, 0).skip(behind - 1));
        match history.next().await {
            Some(Ok(event)) if start.revision == 0 => Ok(event.sequence.saturating_sub(1)),
            Some(Ok(event)) => Ok(event.sequence),
            Some(Err(error)) => Err(unreadable(&error)),
            None => Err(unknown_revision()),
        }
    }
}

fn unknown_revision() -> Status {
    let message = "the patient has no event with this revision";
    refuse(Code::NotFound, "revision_unknown", message)
}
