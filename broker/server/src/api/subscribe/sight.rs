//! What of the log a stream is sent: what the vendor asks for and its contract shows.

use super::wanted::Wanted;
use crate::{
    api::status::unanswered,
    audit::{Terms, kind_of},
    disclosure::VendorView,
    registry::{ObserveError, Registry},
    vendors::{Admitted, told, view_of},
    wire::read_event_kind,
};
use archwire_nats::Stored;
use bytes::Bytes;
use std::sync::Arc;
use tonic::Status;

/// What of the log a stream is sent, under one contract.
pub(super) struct Sight {
    registry: Arc<Registry>,
    view: VendorView,
    wanted: Wanted,
    /// The usual case of a contract for everything: nothing that is stored need be read.
    shows_everything: bool,
}

impl Sight {
    /// What the vendor asks for, if the contract that is in force reads all of it.
    pub(super) fn of(registry: &Arc<Registry>, admitted: &Admitted, wanted: Wanted) -> Result<Self, Status> {
        let contract = admitted.contract()?;
        wanted.is_within(&contract)?;
        Ok(Self {
            registry: Arc::clone(registry),
            view: view_of(registry, &contract),
            shows_everything: contract.shows_everything(),
            wanted,
        })
    }

    /// Takes the contract that is in force now. Tells whether it is another one.
    pub(super) fn look_again(&mut self, admitted: &Admitted) -> Result<bool, Status> {
        let contract = admitted.contract()?;
        if contract == *self.view.contract() {
            return Ok(false);
        }
        self.wanted.is_within(&contract)?;
        self.view = view_of(&self.registry, &contract);
        self.shows_everything = contract.shows_everything();
        Ok(true)
    }

    /// The view that the contract gives.
    pub(super) fn view(&self) -> &VendorView {
        &self.view
    }

    /// On which terms something is told.
    pub(super) fn terms(&self) -> Terms {
        Terms {
            filtered: !self.wanted.is_everything(),
            ..Terms::of(self.view.contract())
        }
    }

    /// The bytes to send; none where there is nothing to be shown.
    pub(super) async fn shown(&self, stored: &Stored) -> Result<Option<Bytes>, Status> {
        if !self.wanted.takes(stored) {
            return Ok(None);
        }
        if self.shows_everything {
            return Ok(Some(stored.payload.clone()));
        }
        let kind = read_event_kind(kind_of(stored).into());
        if !kind.is_some_and(|kind| self.view.contract().reads(kind)) {
            return Ok(None);
        }
        let shown = told(&self.registry, &self.view, stored).await;
        // What cannot be cut cannot be shown, and is not passed over in silence.
        let shown = shown.map_err(|error| unanswered(&ObserveError::Unreadable(error)))?;
        Ok(shown.into_bytes(stored.payload.clone()))
    }
}
