//! What people decide: the items of the review queue.

use super::{DecideError, Index, ObserveError, Registry, whose::SaidNew};
use archwire_core::{
    Decision, LocalId, Observation, PatientId, ReviewCandidate, ReviewItem, ReviewKind, Sighted, SystemName,
    Verdict,
};
use std::sync::Arc;

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Two patients are one now.
    Merged {
        /// Who goes on.
        survivor: PatientId,
        /// Who was the duplicate.
        retired: PatientId,
    },
    /// The pair does not come up again.
    NotSame,
    /// The record is a patient of its own now.
    Separated {
        /// The new patient.
        patient: PatientId,
    },
    /// What the system said was taken.
    Taken {
        /// Whom it concerns.
        patient: PatientId,
    },
    /// What the bus holds stands, and is written back to the system.
    Kept {
        /// Whom it concerns.
        patient: PatientId,
    },
    /// The system's connector reads the record again.
    ReadAgain,
    /// The image is not taken, and its bytes go unless another one has them.
    Discarded,
    /// The item is closed, and nothing else changed.
    Dismissed,
}

impl Registry {
    /// Decides an item; `with` names the candidate where there are several, or whose an image is.
    ///
    /// # Errors
    /// When that cannot be done; nothing is changed then.
    pub async fn decide_item(
        self: &Arc<Self>,
        number: u64,
        decision: Decision,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        let registry = Arc::clone(self);
        let task = self
            .tasks
            .spawn(async move { registry.decide_whole(number, decision, with).await });
        task.await.unwrap_or(Err(ObserveError::Interrupted.into()))
    }

    async fn decide_whole(
        self: &Arc<Self>,
        number: u64,
        decision: Decision,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        // Of two who decide at once, the second one finds it decided.
        let _one = self.deciding.lock(&number).await;
        // What the record shows meanwhile is taken, or put into the item, before or after that, and not in between.
        let record = self.index().item(number).and_then(|item| item.key.record());
        let _record = match record {
            Some(record) => Some(self.records.lock(&record).await),
            None => None,
        };
        let item = self.review_item(number).await?;
        if let Some(Decision { verdict, .. }) = item.decision {
            return Err(DecideError::AlreadyDecided { verdict });
        }
        let (verdicts, allowed) = Index::verdicts(item.kind);
        if !verdicts.contains(&decision.verdict) {
            return Err(DecideError::VerdictDoesNotFit {
                kind: item.kind,
                allowed,
            });
        }
        let decision = Decision {
            item: Some(number),
            ..decision
        };
        match (item.kind, decision.verdict) {
            (ReviewKind::RecordConflict, Verdict::Link) => self.take_held(item, decision).await,
            (ReviewKind::RecordConflict, _) => self.separate(item, decision).await,
            (ReviewKind::PossibleDuplicate | ReviewKind::IdentifierConflict, Verdict::Link) => {
                self.link_pair(&item, decision, with).await
            }
            (ReviewKind::PossibleDuplicate | ReviewKind::IdentifierConflict, _) => {
                self.keep_apart(item, decision, with).await
            }
            (ReviewKind::UnknownRecord, Verdict::Link) => self.link_unknown(item, decision, with).await,
            (ReviewKind::UnknownRecord, _) => self.take_as_new(item, decision).await,
            (ReviewKind::WrongPatient, Verdict::Link) => self.link_image(item, decision, with).await,
            (ReviewKind::WrongPatient, _) => {
                self.close_item(number, decision).await?;
                Ok(Decided::Discarded)
            }
            (ReviewKind::Disagreement, Verdict::Accept) => self.accept(item, decision).await,
            (ReviewKind::Disagreement, _) => self.reject(item, decision).await,
            (ReviewKind::Unreadable, Verdict::Accept) => self.read_again(item, decision).await,
            (ReviewKind::Unreadable, _) => {
                self.close_item(number, decision).await?;
                Ok(Decided::Dismissed)
            }
        }
    }

    /// The same person: the younger patient is merged into the older one.
    async fn link_pair(
        &self,
        item: &ReviewItem,
        decision: Decision,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        let patient = item.patient.ok_or(DecideError::NoSuchItem)?;
        let other = the_candidate(item, with)?;
        let (one, other) = {
            let index = self.index();
            (index.current(patient), index.current(other))
        };
        if one == other {
            self.close_item(item.number, decision).await?;
            return Ok(Decided::Dismissed);
        }
        // Ids are in the order of time.
        let (survivor, retired) = (one.min(other), one.max(other));
        self.join(survivor, retired, &decision, false).await?;
        self.close_item(item.number, decision).await?;
        Ok(Decided::Merged { survivor, retired })
    }

    /// Not the same: of one candidate, or where none is named, of all.
    async fn keep_apart(
        &self,
        item: ReviewItem,
        decision: Decision,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        let those = match with {
            Some(_) => vec![the_candidate(&item, with)?],
            None => item
                .candidates
                .iter()
                .map(|candidate| candidate.patient)
                .collect(),
        };
        self.rule_out(item.number, &those, decision).await?;
        Ok(Decided::NotSame)
    }

    /// Remembers of candidates of an item that they are not the same; the item is closed when none is left. Whoever became
    /// a candidate meanwhile was not decided about.
    async fn rule_out(
        &self,
        number: u64,
        those: &[PatientId],
        decision: Decision,
    ) -> Result<(), ObserveError> {
        self.amend_item(number, |item| {
            for candidate in &mut item.candidates {
                candidate.not_same |= those.contains(&candidate.patient);
            }
            let is_all = item.candidates.iter().all(|candidate| candidate.not_same);
            item.decision = is_all.then_some(decision);
        })
        .await
    }

    /// The record that an item is about, and the patient whose it is. Where a merge or a parting has given it to somebody
    /// else since, the item is brought up to date, for the person to look at again.
    async fn whose_item(&self, item: &ReviewItem) -> Result<(SystemName, LocalId, PatientId), DecideError> {
        let record = item.system.clone().zip(item.local_id.clone());
        let (system, local_id) = record.ok_or(DecideError::NoSuchItem)?;
        let (linked, told) = {
            let index = self.index();
            let told = item.patient.map(|patient| index.current(patient));
            (index.linked(&system, &local_id), told)
        };
        match linked {
            Some(linked) if Some(linked) == told => Ok((system, local_id, linked)),
            Some(linked) => {
                self.amend_item(item.number, |item| item.patient = Some(linked))
                    .await?;
                Err(DecideError::RecordMoved)
            }
            // Held when it was seen for the first time, as the patient whom its system named.
            None => match (told, item.held.as_ref().and_then(|held| held.patient_id)) {
                (Some(told), Some(_)) => Ok((system, local_id, told)),
                _ => Err(DecideError::RecordMoved),
            },
        }
    }

    /// The record still is the patient's: what it shows is taken.
    async fn take_held(&self, item: ReviewItem, decision: Decision) -> Result<Decided, DecideError> {
        let (system, local_id, patient) = self.whose_item(&item).await?;
        let held = item.held.ok_or(DecideError::NoSuchItem)?;
        self.take_all_the_same(patient, Observation::clone(&held)).await?;
        self.close_item(item.number, decision).await?;
        self.follow_merge(&(system.clone(), local_id.clone()), &held)
            .await?;
        self.owe_what_was_missed(&system, patient, &local_id).await?;
        Ok(Decided::Taken { patient })
    }

    /// The record is somebody else's: it leaves the patient, and becomes one of its own or of whom it turns out to be.
    async fn separate(
        self: &Arc<Self>,
        item: ReviewItem,
        decision: Decision,
    ) -> Result<Decided, DecideError> {
        let held = item.held.clone();
        let (patient, held) = item.patient.zip(held).ok_or(DecideError::NoSuchItem)?;
        let patient = self.index().current(patient);
        let (system, local_id) = (held.system.clone(), held.view.local_id.clone());
        let linked = self.index().linked(&system, &local_id);
        // Linked to nobody: an earlier attempt at this came so far.
        if linked.is_some() {
            self.whose_item(&item).await?;
        }
        {
            let _link = self.links.lock(&(system.clone(), local_id.clone())).await;
            let _patient = self.patients.lock(&patient).await;
            let is_linked = self.index().linked(&system, &local_id) == Some(patient);
            if is_linked {
                self.sight(&system, patient, Sighted::Unlinked { local_id })
                    .await?;
            }
        }
        let alone = Observation {
            patient_id: None,
            based_on: None,
            ..*held
        };
        let said = SaidNew {
            decision: decision.clone(),
            none_of: vec![patient],
        };
        let key = (alone.system.clone(), alone.view.local_id.clone());
        let other = self.taken_for(alone, &said).await?;
        let candidate = ReviewCandidate {
            patient: other,
            score_tenths: 0,
            agrees: Vec::new(),
            differs: Vec::new(),
            not_same: true,
        };
        let decided = decision.clone();
        self.amend_item(item.number, |item| {
            item.patient = Some(patient);
            item.candidates = vec![candidate];
            item.decision = Some(decided);
        })
        .await?;
        self.answer_not_same(patient, other, &decision).await?;
        self.settle_waiting(&key).await;
        Ok(Decided::Separated { patient: other })
    }

    /// What else asks whether the two are the same is answered.
    pub(super) async fn answer_not_same(
        &self,
        one: PatientId,
        other: PatientId,
        decision: &Decision,
    ) -> Result<(), ObserveError> {
        let asking = self.index().asking(one, other);
        for number in asking {
            let those: Vec<_> = {
                let index = self.index();
                let pair = [one, other];
                let candidates = index.item(number).map(|item| item.candidates.clone());
                let of_pair = |candidate: &PatientId| pair.contains(&index.current(*candidate));
                candidates.into_iter().flatten().filter(of_pair).collect()
            };
            let decision = Decision {
                item: Some(number),
                ..decision.clone()
            };
            self.rule_out(number, &those, decision).await?;
        }
        Ok(())
    }

    /// The system is right: what it shows becomes the patient's.
    async fn accept(&self, item: ReviewItem, decision: Decision) -> Result<Decided, DecideError> {
        let (system, local_id, patient) = self.whose_item(&item).await?;
        self.change_by_hand(patient, (&system, &local_id), &item.disagreements, &decision)
            .await?;
        self.close_item(item.number, decision).await?;
        Ok(Decided::Taken { patient })
    }

    /// The bus is right: what it holds is written back to the system.
    async fn reject(&self, item: ReviewItem, decision: Decision) -> Result<Decided, DecideError> {
        let (system, local_id, patient) = self.whose_item(&item).await?;
        let paths = item.disagreements.into_iter().map(|one| one.path).collect();
        self.owe(&system, patient, &local_id, paths).await?;
        self.close_item(item.number, decision).await?;
        Ok(Decided::Kept { patient })
    }

    /// What could not be read is read again: by its connector, or where it waits for another record, by itself.
    async fn read_again(
        self: &Arc<Self>,
        item: ReviewItem,
        decision: Decision,
    ) -> Result<Decided, DecideError> {
        if item.held.is_some() {
            self.retry_merge(item.number).await;
            return match self.index().item(item.number) {
                Some(_) => Err(DecideError::StillWaiting),
                None => Ok(Decided::Dismissed),
            };
        }
        if item.unreadable_image.is_some() {
            return Err(DecideError::ImageCannotBeRead);
        }
        let record = item.system.zip(item.local_id);
        let (system, local_id) = record.ok_or(DecideError::CannotBeRead)?;
        if !self.ask_to_read(&system, local_id) {
            return Err(DecideError::CannotBeRead);
        }
        self.close_item(item.number, decision).await?;
        Ok(Decided::ReadAgain)
    }
}

pub(super) fn the_candidate(item: &ReviewItem, with: Option<PatientId>) -> Result<PatientId, DecideError> {
    let mut open = item.candidates.iter().filter(|candidate| !candidate.not_same);
    match with {
        Some(with) => open
            .find(|candidate| candidate.patient == with)
            .map(|candidate| candidate.patient)
            .ok_or(DecideError::NotACandidate),
        None => match (open.next(), open.next()) {
            (Some(only), None) => Ok(only.patient),
            (None, _) => Err(DecideError::NotACandidate),
            (Some(_), Some(_)) => Err(DecideError::WhichCandidate),
        },
    }
}
