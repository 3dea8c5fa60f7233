//! Putting items into the review queue, changing and closing them.
//!
//! There is one open item for each thing that a person has to decide ([`ItemKey`]); what comes to it later is added. At
//! most [`MOST_ITEMS`] are open, and [`MOST_UNKNOWN`] of the unknown records of a system; beyond that, what needs one more is refused
//! and comes again.

use super::{
    ObserveError, Observed, Registry,
    decide::item,
    index::{ItemKey, is_of_unknown},
    observe::by_itself,
};
use crate::wire::decode_review;
use archwire_core::{
    Decision, LocalId, Observation, Path, PatientId, ReviewCandidate, ReviewItem, ReviewKind, SourceRecord,
    Subject, SystemName,
};
use std::{collections::BTreeSet, time::SystemTime};

/// Most open items.
const MOST_ITEMS: usize = 100_000;
/// Most open items about unknown records of one system and about the images that wait for them: what shows too many strangers stops
/// itself, and not the whole practice.
pub const MOST_UNKNOWN: usize = 20_000;
/// Most candidates of one item.
const MOST_CANDIDATES: usize = 5;

impl Registry {
    /// Puts an item into the queue, or brings the open one about the same thing up to date. Tells its number.
    pub(super) async fn put_item(&self, new: ReviewItem) -> Result<u64, ObserveError> {
        let _one = self.queue.lock().await;
        let key = ItemKey::of(&new);
        let open = key.as_ref().and_then(|key| self.index().item_about(key));
        if let Some(number) = open
            && let Some(old) = self.item_in_log(number).await?
        {
            let changed = brought_up_to_date(&old, new);
            if changed != old {
                self.file(&ReviewItem {
                    changed_at: SystemTime::now(),
                    ..changed
                })
                .await?;
            }
            return Ok(number);
        }
        if self.index().open_items() >= MOST_ITEMS {
            return Err(ObserveError::ReviewFull);
        }
        if self.is_full_of_unknown(&new) {
            return Err(ObserveError::UnknownFull);
        }
        let number = self.index().number_item();
        self.file(&ReviewItem { number, ..new }).await?;
        Ok(number)
    }

    /// Whether an item is about an unknown record whose system has too many of them.
    fn is_full_of_unknown(&self, new: &ReviewItem) -> bool {
        let system = new.system.as_ref().filter(|_| is_of_unknown(new));
        let system = system.filter(|system| self.config.unknown_waits.contains(*system));
        system.is_some_and(|system| self.index().unknown_items(system) >= self.config.most_unknown)
    }

    /// An item as the log has it, open or closed.
    pub(super) async fn item_in_log(&self, number: u64) -> Result<Option<ReviewItem>, ObserveError> {
        let stored = self.log.last_of(&Subject::Review(number)).await;
        let stored = stored.map_err(ObserveError::Read)?;
        Ok(stored.map(|stored| decode_review(stored.payload)).transpose()?)
    }

    /// Closes an open item.
    pub(super) async fn close_item(&self, number: u64, decision: Decision) -> Result<(), ObserveError> {
        let _one = self.queue.lock().await;
        if self.index().item(number).is_none() {
            return Ok(());
        }
        let Some(item) = self.item_in_log(number).await? else {
            return Ok(());
        };
        self.file(&ReviewItem {
            changed_at: decision.at,
            decision: Some(decision),
            ..item
        })
        .await
    }

    /// Files an item with a change to what stands there.
    pub(super) async fn amend_item(
        &self,
        number: u64,
        change: impl FnOnce(&mut ReviewItem) + Send,
    ) -> Result<(), ObserveError> {
        let _one = self.queue.lock().await;
        let Some(mut item) = self.item_in_log(number).await? else {
            return Ok(());
        };
        change(&mut item);
        item.changed_at = SystemTime::now();
        self.file(&item).await
    }

    /// A record shows somebody else than the patient to whom it belongs: none of it is taken.
    pub(super) async fn hold(
        &self,
        patient: PatientId,
        observation: Observation,
    ) -> Result<Observed, ObserveError> {
        let new = ReviewItem {
            system: Some(observation.system.clone()),
            local_id: Some(observation.view.local_id.clone()),
            held: Some(Box::new(observation)),
            ..item(ReviewKind::RecordConflict, Some(patient))
        };
        let item = self.put_item(new).await?;
        Ok(Observed::InReview { item, patient })
    }

    /// Keeps a record that could not be read until a person has looked at it, or until it can be read.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn unreadable(
        &self,
        system: &SystemName,
        local_id: Option<LocalId>,
        source: Option<SourceRecord>,
        reason: &str,
    ) -> Result<(), ObserveError> {
        let linked = local_id
            .as_ref()
            .and_then(|local_id| self.index().linked(system, local_id));
        let new = ReviewItem {
            system: Some(system.clone()),
            local_id,
            reason: Some(reason.to_owned()),
            source,
            ..item(ReviewKind::Unreadable, linked)
        };
        self.put_item(new).await.map(drop)
    }

    /// What an item asks is no question any more.
    pub(super) async fn settle_item(&self, key: &ItemKey, reason: &str) -> Result<(), ObserveError> {
        let open = self.index().item_about(key);
        match open {
            Some(number) => self.close_item(number, by_itself(reason)).await,
            None => Ok(()),
        }
    }

    /// At these paths the bus's values were written to a record: that is decided, whatever the system makes of them.
    pub(super) async fn settle_written(
        &self,
        system: &SystemName,
        local_id: &LocalId,
        written: &BTreeSet<Path>,
    ) -> Result<(), ObserveError> {
        let key = ItemKey::Disagreement(system.clone(), local_id.clone());
        let (number, is_all) = {
            let index = self.index();
            let open = index.item_about(&key);
            match open.and_then(|number| Some((number, &index.item(number)?.paths))) {
                Some((number, paths)) if !paths.is_disjoint(written) => (number, paths.is_subset(written)),
                _ => return Ok(()),
            }
        };
        if is_all {
            return self
                .close_item(number, by_itself("the bus's values were written to the system"))
                .await;
        }
        self.amend_item(number, |item| {
            item.disagreements.retain(|one| !written.contains(&one.path));
        })
        .await
    }

    /// A system merged a record into another one, and that cannot be followed yet, for a `reason` with a code of its own.
    pub(super) async fn await_merge(
        &self,
        observation: &Observation,
        reason: &str,
    ) -> Result<(), ObserveError> {
        let (system, local_id) = (&observation.system, &observation.view.local_id);
        let linked = self.index().linked(system, local_id);
        let new = ReviewItem {
            system: Some(system.clone()),
            local_id: Some(local_id.clone()),
            held: Some(Box::new(observation.clone())),
            reason: Some(reason.to_owned()),
            ..item(ReviewKind::Unreadable, linked)
        };
        self.put_item(new).await.map(drop)
    }

    /// Makes the merge that waited for its survivor, or takes the image that waited for its record, if that is known by now.
    pub(super) async fn retry_merge(&self, number: u64) {
        let item = match self.item_in_log(number).await {
            Ok(item) => item,
            Err(error) => {
                tracing::warn!(item = number, code = error.code(), "a merge still waits");
                return;
            }
        };
        let Some(item) = item.filter(|item| item.decision.is_none()) else {
            return;
        };
        if let Some(image) = item.held_image {
            return self.retry_image(number, *image).await;
        }
        let Some(held) = item.held else {
            return;
        };
        let survivor = held.view.merged_into.as_ref();
        let has_come = survivor.is_some_and(|survivor| self.index().linked(&held.system, survivor).is_some());
        if !has_come {
            return;
        }
        // The merge alone: what the record showed then may have been edited since. That settles the item, too.
        let key = (held.system.clone(), held.view.local_id.clone());
        let _record = self.records.lock(&key).await;
        // It waited: what was agreed may be something else by now, and then a person decides.
        let made = match self.may_say(&held) {
            Ok(()) => self.follow_merge(&key, &held).await,
            Err(denied) => Err(denied),
        };
        if let Err(error) = made {
            tracing::warn!(item = number, code = error.code(), "a merge still waits");
        }
    }

    /// A system merged two who do not look like one person: a person decides, and what the record shows is taken meanwhile.
    pub(super) async fn ask_about_merge(
        &self,
        gone: PatientId,
        stays: PatientId,
        observation: &Observation,
    ) -> Result<(), ObserveError> {
        // It may have been asked already, about the other one.
        let is_asked_in_reverse = {
            let index = self.index();
            let about_stays = index.item_about(&ItemKey::Patient(stays));
            about_stays.is_some_and(|number| index.asking(gone, stays).contains(&number))
        };
        let (gone, stays) = match is_asked_in_reverse {
            true => (stays, gone),
            false => (gone, stays),
        };
        let new = ReviewItem {
            system: Some(observation.system.clone()),
            local_id: Some(observation.view.local_id.clone()),
            candidates: vec![said_by_the_system(stays, "merged-by-the-system")],
            ..item(ReviewKind::PossibleDuplicate, Some(gone))
        };
        self.put_item(new).await.map(drop)
    }

    /// Closes what asks about a patient who never came to be, because the log did not take the event.
    pub(super) async fn close_orphan(&self, patient: PatientId) {
        let number = {
            let index = self.index();
            match index.entry(patient) {
                Some(_) => None,
                None => index.item_about(&ItemKey::Patient(patient)),
            }
        };
        if let Some(number) = number
            && let Err(error) = self
                .close_item(number, by_itself("the patient never came to be"))
                .await
        {
            tracing::warn!(
                item = number,
                code = error.code(),
                "an item about nobody stays open"
            );
        }
    }

    /// Closes all of those, after a start.
    pub(super) async fn close_orphans(&self) {
        let orphans: Vec<_> = {
            let index = self.index();
            let patients = index.items().filter_map(|(_, item)| match item.key {
                ItemKey::Patient(patient) => Some(patient),
                _ => None,
            });
            patients
                .filter(|patient| index.entry(*patient).is_none())
                .collect()
        };
        for patient in orphans {
            self.close_orphan(patient).await;
        }
    }

    /// Makes the merges that waited for something else than their survivor, if that is over.
    pub(super) async fn retry_merges(&self) {
        let waiting = self.index().awaiting_in_vain();
        for number in waiting {
            self.retry_merge(number).await;
        }
    }

    /// A system says of a record that belongs to one patient that it is another one's.
    pub(super) async fn two_claims(
        &self,
        linked: PatientId,
        named: PatientId,
        system: &SystemName,
    ) -> Result<(), ObserveError> {
        let is_answered = {
            let index = self.index();
            index.entry(named).is_none()
                || index.is_not_same(linked, named)
                || !index.asking(linked, named).is_empty()
        };
        if is_answered {
            return Ok(());
        }
        let new = ReviewItem {
            system: Some(system.clone()),
            candidates: vec![said_by_the_system(named, "named-by-the-system")],
            ..item(ReviewKind::PossibleDuplicate, Some(linked))
        };
        self.put_item(new).await.map(drop)
    }
}

/// A candidate because a system says so, and not by what is known of the two.
fn said_by_the_system(patient: PatientId, word: &str) -> ReviewCandidate {
    ReviewCandidate {
        patient,
        score_tenths: 0,
        agrees: vec![word.to_owned()],
        differs: Vec::new(),
        not_same: false,
    }
}

/// What becomes of an open item when there is more to say about the same thing.
fn brought_up_to_date(old: &ReviewItem, new: ReviewItem) -> ReviewItem {
    let mut candidates = new.candidates;
    for candidate in &mut candidates {
        let before = old
            .candidates
            .iter()
            .find(|other| other.patient == candidate.patient);
        candidate.not_same = before.is_some_and(|before| before.not_same);
    }
    for candidate in &old.candidates {
        if !candidates.iter().any(|other| other.patient == candidate.patient) {
            candidates.push(candidate.clone());
        }
    }
    // What was decided is never left out.
    candidates.sort_by_key(|candidate| (!candidate.not_same, -candidate.score_tenths));
    let decided = candidates.iter().filter(|candidate| candidate.not_same).count();
    candidates.truncate(decided + MOST_CANDIDATES);
    candidates.sort_by_key(|candidate| -candidate.score_tenths);
    let graver = |kind| ReviewKind::ALL.iter().position(|other| *other == kind);
    ReviewItem {
        number: old.number,
        kind: if graver(new.kind) < graver(old.kind) {
            new.kind
        } else {
            old.kind
        },
        opened_at: old.opened_at,
        changed_at: old.changed_at,
        candidates,
        ..new
    }
}
