//! One attempt to have a system hold an image: note it, send it, read it back, settle.
//!
//! What is read back is compared by digest: a delivery is verified when the system shows the very bytes that it was given. What was
//! sent and never read back is looked for before it is sent once more. An image that a system files under somebody else's record
//! is never taken for delivered. A copy with somebody else that is gone by then is no reason to withhold it from whose it is.

use crate::{
    dispatch::{
        Permission,
        attempt::not_read,
        ended::{Brought, Failure, Trouble},
    },
    failpoint::reach,
    registry::{ImageDue, ImageEvent, ImageSettlement, Registry},
    telemetry::traces,
};
use archwire_core::{
    DeliveryAction, ImageDelivered, ImageDelivery, ImageId, ImageView, LocalId, Receipt, ReceiptOutcome,
    Revision, SystemName, span,
};
use archwire_host::{CallError, Connector};
use std::sync::Arc;
use tracing::{Instrument as _, field::Empty, info_span};

/// Which image to bring to which system.
pub(super) struct Attempt<'a> {
    pub(super) system: &'a SystemName,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) connector: &'a Connector,
    pub(super) image: ImageId,
    /// Whether the system's connector takes no image of a patient of whom it has no record.
    pub(super) needs_record: bool,
    /// Which attempt it is, from 1.
    pub(super) number: u32,
}

/// What there is to do.
pub(super) enum Step {
    Over(Brought),
    Send(Box<Task>),
}

/// What to bring, and to which record.
pub(super) struct Task {
    pub(super) due: ImageDue,
    pub(super) record: Option<LocalId>,
}

/// What the system shows of an image, and what that means.
struct Shown {
    outcome: ReceiptOutcome,
    reason: Option<&'static str>,
}

impl Shown {
    fn new(outcome: ReceiptOutcome, reason: Option<&'static str>) -> Self {
        Self { outcome, reason }
    }

    /// What a view says of what is due.
    fn of(view: &ImageView, due: &ImageDue) -> Self {
        match (due.retracted, view.digest) {
            (true, _) if view.retracted => Self::new(ReceiptOutcome::Verified, None),
            (true, _) => Self::new(ReceiptOutcome::Differs, Some("image_still_shown")),
            (false, Some(digest)) if digest == due.digest => Self::new(ReceiptOutcome::Verified, None),
            (false, Some(_)) => Self::new(ReceiptOutcome::Differs, Some("bytes_differ")),
            (false, None) => Self::new(ReceiptOutcome::Unreadable, Some("bytes_not_shown")),
        }
    }
}

/// The code of an image that the system took and does not show.
const NOT_SHOWN: &str = "image_not_shown";
/// The code of one that the system files under another patient's record.
const ELSEWHERE: &str = "image_under_another_record";
/// The code of one that became another patient's while it was brought.
const MOVED: &str = "patient_changed_meanwhile";

impl Attempt<'_> {
    /// What there is to do. Asks the registry only.
    pub(super) fn next(&self) -> Step {
        let Some(due) = self.registry.image_due(self.system, self.image) else {
            return Step::Over(Brought::Nothing);
        };
        let record = self.registry.record(self.system, due.patient);
        let record = record.map(|record| record.local_id);
        let is_linked = record.is_some() || !self.needs_record;
        match is_linked && self.registry.may_deliver(self.system, due.patient) {
            true => Step::Send(Box::new(Task { due, record })),
            false => Step::Over(Brought::Held),
        }
    }

    pub(super) async fn run(&self, permission: &mut Permission<'_>) -> Result<Brought, Failure> {
        let span = info_span!(
            target: span::TARGET, span::ATTEMPT, system = %self.system, number = self.number, code = Empty,
            otel.status_code = Empty
        );
        let brought = self.bring(permission).instrument(span.clone()).await;
        if let Err(failure) = &brought {
            traces::failed(&span, failure.code());
        }
        brought
    }

    async fn bring(&self, permission: &mut Permission<'_>) -> Result<Brought, Failure> {
        let (task, told) = loop {
            let task = match self.next() {
                Step::Over(over) => return Ok(over),
                Step::Send(task) => task,
            };
            let told = self.registry.image_told_at(self.image, task.due.sequence).await?;
            // Once: after that nothing is in doubt any more.
            if !self.call_back(&task, &told, permission).await? {
                break (task, told);
            }
        };
        if self.was_sent_before(&task, &told, permission).await? {
            return Ok(Brought::Seen);
        }
        let known_as = self.known_as(&task, permission).await?;
        let delivered = self.send(&task, &told, known_as, permission).await?;
        reach("image-delivered");
        self.read_back(&task, &told, delivered, permission).await?;
        Ok(Brought::Written)
    }

    /// Whether the system shows what an earlier attempt sent, whose reading back failed.
    async fn was_sent_before(
        &self,
        task: &Task,
        told: &ImageEvent,
        permission: &mut Permission<'_>,
    ) -> Result<bool, Failure> {
        let Task { due, record } = task;
        let Some(local_id) = &due.local_id else {
            return Ok(false);
        };
        // What is known there of one that was somebody else's may be that one's.
        let was_anothers = due.lies_elsewhere || told.news.moved_from.is_some();
        if due.retracted || was_anothers || due.delivered > Revision::NONE {
            return Ok(false);
        }
        let looking = self.connector.fetch_image(local_id, record.as_ref());
        let Some(view) = permission.during(looking).await.map_err(not_read)? else {
            return Ok(false);
        };
        let shown = Shown::of(&view, due);
        if shown.outcome != ReceiptOutcome::Verified || self.is_elsewhere(task, Some(&view.record)) {
            return Ok(false);
        }
        let receipt = self.receipt(told, None, shown);
        let settlement = ImageSettlement {
            local_id: local_id.clone(),
            record: Some(view.record),
            delivered: due.revision,
            shown: view.digest,
            receipt: Some(receipt),
        };
        self.settle(settlement).await?;
        Ok(true)
    }

    /// Under which id the system is told that it has the image. Staff may have taken away what lay with another patient; one of
    /// the patient's own that they took away is the system's business. What they gave to another patient is not brought back to
    /// this one: the merge that explains it may be told later, else a person has to decide.
    async fn known_as(
        &self,
        task: &Task,
        permission: &mut Permission<'_>,
    ) -> Result<Option<LocalId>, Failure> {
        let due = &task.due;
        let known = due.local_id.clone();
        let was_brought = due.lies_elsewhere || due.delivered > Revision::NONE;
        let Some(former) = known
            .as_ref()
            .filter(|_| was_brought && !due.retracted && self.needs_record)
        else {
            return Ok(known);
        };
        let looking = self.connector.fetch_image(former, task.record.as_ref());
        let shown = permission.during(looking).await.map_err(not_read)?;
        if due.lies_elsewhere {
            return Ok(known.filter(|_| shown.is_some()));
        }
        match shown.is_some_and(|view| self.is_elsewhere(task, Some(&view.record))) {
            true => Err(Failure::Later(None, Trouble::of_code(ELSEWHERE))),
            false => Ok(known),
        }
    }

    async fn send(
        &self,
        task: &Task,
        told: &ImageEvent,
        known_as: Option<LocalId>,
        permission: &mut Permission<'_>,
    ) -> Result<ImageDelivered, Failure> {
        let Task { due, record } = task;
        let patient = self.registry.state_for(self.system, due.patient)?;
        let mut delivery = ImageDelivery {
            event_id: told.event_id.clone(),
            patient_id: due.patient,
            image_id: self.image,
            revision: due.revision,
            image: told.news.image.clone(),
            retracted: due.retracted,
            record: record.clone(),
            local_id: known_as,
            patient: patient.ok_or(Failure::Later(None, Trouble::of_code("patient_not_known_yet")))?,
            in_doubt_since: None,
        };
        let doubt = self
            .registry
            .begin_image(self.system, self.image, due, record.as_ref())
            .await?;
        reach("image-noted");
        // Also where the id is known: that may be the one of what the image was before.
        delivery.in_doubt_since = doubt;
        let sending = self.connector.deliver_image(&delivery);
        match permission.during(sending).await {
            Ok(delivered) => Ok(delivered),
            Err(error) => Err(self.not_sent(error, doubt.is_none()).await),
        }
    }

    /// Only a `retry`, and what stopped the connector in the middle, leaves it open whether the system has it. What an earlier
    /// attempt left open, no later one's failure closes.
    async fn not_sent(&self, error: CallError, is_ours: bool) -> Failure {
        if is_ours
            && !error.may_have_acted()
            && let Err(error) = self.registry.image_abandoned(self.system, self.image).await
        {
            return error.into();
        }
        error.into()
    }

    /// Sees what the system shows, and settles. The system's id of the image is kept whatever comes of that.
    async fn read_back(
        &self,
        task: &Task,
        told: &ImageEvent,
        delivered: ImageDelivered,
        permission: &mut Permission<'_>,
    ) -> Result<(), Failure> {
        let Task { due, record } = task;
        let ImageDelivered {
            local_id,
            record: filed_under,
            action,
        } = delivered;
        let former = due.local_id.clone().filter(|known| *known != local_id);
        let was_anothers = due.lies_elsewhere || told.news.moved_from.is_some();
        if former.is_some() && !was_anothers && !self.may_replace(due) {
            let settlement = ImageSettlement {
                local_id,
                record: filed_under.or_else(|| record.clone()),
                delivered: due.delivered,
                shown: None,
                receipt: None,
            };
            self.settle(settlement).await?;
            return Err(Failure::Park(Trouble::of_code("local_id_changed")));
        }
        let looking = self
            .connector
            .fetch_image(&local_id, record.as_ref().or(filed_under.as_ref()));
        let read = permission.during(looking).await;
        reach("image-read-back");
        let shown_under = read
            .as_ref()
            .ok()
            .and_then(|view| view.as_ref())
            .map(|view| &view.record);
        let is_elsewhere =
            self.is_elsewhere(task, filed_under.as_ref()) || self.is_elsewhere(task, shown_under);
        let is_anothers_now = self.registry.patient_of_image(self.image) != Some(due.patient);
        let mut settlement = ImageSettlement {
            local_id,
            record: shown_under.or(filed_under.as_ref()).or(record.as_ref()).cloned(),
            delivered: due.delivered,
            shown: None,
            receipt: None,
        };
        let view = match read {
            // The patient was merged or parted meanwhile: it is due again, to the record that is right now.
            Ok(_) if is_anothers_now && !due.retracted => {
                self.settle(settlement).await?;
                return Err(Failure::Later(None, Trouble::of_code(MOVED)));
            }
            Ok(_) if is_elsewhere => {
                self.settle(settlement).await?;
                return Err(Failure::Park(Trouble::of_code(ELSEWHERE)));
            }
            Ok(view) => view,
            // The image is there. Its id is kept, so that it is never sent again without looking.
            Err(error) => {
                self.settle(settlement).await?;
                return Err(not_read(error));
            }
        };
        let shown = match &view {
            Some(view) => Shown::of(view, due),
            None if due.retracted => Shown::new(ReceiptOutcome::Verified, None),
            None => Shown::new(ReceiptOutcome::Unreadable, Some(NOT_SHOWN)),
        };
        settlement.receipt = Some(self.receipt(told, Some(action), shown));
        if view.is_none() && !due.retracted {
            self.settle(settlement).await?;
            return Err(Failure::Later(None, Trouble::of_code(NOT_SHOWN)));
        }
        settlement.delivered = due.revision;
        settlement.shown = view.and_then(|view| view.digest);
        self.settle(settlement).await?;
        if let Some(former) = former.filter(|_| was_anothers && !due.retracted) {
            // The system said so by having it under another id now.
            let gone = self.registry.former_image_gone(self.system, self.image, former);
            gone.await?;
        }
        reach("image-settled");
        let now = self.registry.image_due(self.system, self.image);
        match now.filter(|now| now.lies_elsewhere) {
            Some(now) if now.patient != due.patient => Err(Failure::Later(None, Trouble::of_code(MOVED))),
            Some(_) => Err(Failure::Park(Trouble::of_code(ELSEWHERE))),
            None => Ok(()),
        }
    }

    /// Whether the system may keep the image under another id than before, because it keeps other bytes by making a new one of it. It
    /// also may where the image was another patient's.
    fn may_replace(&self, due: &ImageDue) -> bool {
        let known = self.registry.image(self.image);
        let copies = known.iter().flat_map(|known| &known.copies);
        let mut shown = copies
            .filter(|copy| copy.system == *self.system)
            .map(|copy| copy.shown);
        let shows_others = shown.next().flatten() != Some(due.digest);
        due.delivered > Revision::NONE && shows_others
    }

    /// Whether a record under which the system shows the image is not the patient's.
    fn is_elsewhere(&self, task: &Task, record: Option<&LocalId>) -> bool {
        let Task { due, record: ours } = task;
        let Some(record) = record.filter(|_| !due.retracted) else {
            return false;
        };
        let of_others = || {
            let linked = self.registry.index().linked(self.system, record);
            linked.is_some_and(|linked| linked != due.patient)
        };
        // Where no patients are written, one may have several records.
        match ours.as_ref().filter(|_| self.needs_record) {
            Some(ours) => ours != record,
            None => of_others(),
        }
    }

    async fn settle(&self, settlement: ImageSettlement) -> Result<(), Failure> {
        let settling = self.registry.settle_image(self.system, self.image, settlement);
        Ok(settling.await?)
    }

    fn receipt(&self, told: &ImageEvent, action: Option<DeliveryAction>, shown: Shown) -> Receipt {
        let Shown { outcome, reason } = shown;
        let version = &self.connector.component().description().version;
        told.receipt(outcome, action, reason, self.number, version)
    }
}
