//! The review queue of an office, and the people who decide.

use super::{Office, in_time};
use archwire::registry::{DecideError, Decided, Registry};
use archwire_core::{Decision, Merge, PatientId, ReviewItem, ReviewKind, Verdict};
use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

/// What somebody at the front desk decides.
pub(crate) fn decision(verdict: Verdict) -> Decision {
    Decision {
        verdict,
        item: None,
        by: "Dana at the desk".into(),
        reason: "asked on the phone".into(),
        at: SystemTime::now(),
    }
}

/// Numbers of the open items.
pub(crate) fn open_items(registry: &Registry) -> Vec<u64> {
    registry.index().items().map(|(number, _)| number).collect()
}

impl Office {
    /// The one open item.
    pub(crate) async fn the_item(&self) -> ReviewItem {
        let open = open_items(&self.registry);
        assert_eq!(open.len(), 1, "one item is open");
        self.item(open[0]).await
    }

    /// The one open item, which has to be of a kind.
    pub(crate) async fn the(&self, kind: ReviewKind) -> ReviewItem {
        let item = self.the_item().await;
        assert_eq!(item.kind, kind);
        item
    }

    pub(crate) fn asks_nothing(&self) {
        assert_eq!(open_items(&self.registry), [0; 0], "nothing is asked");
    }

    pub(crate) async fn item(&self, number: u64) -> ReviewItem {
        self.registry.review_item(number).await.unwrap()
    }

    /// How an item ended.
    pub(crate) async fn ended(&self, number: u64) -> Option<Verdict> {
        assert!(!open_items(&self.registry).contains(&number), "it is still open");
        self.item(number).await.decision.map(|decision| decision.verdict)
    }

    pub(crate) async fn try_to_decide(
        &self,
        number: u64,
        verdict: Verdict,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        in_time(self.registry.decide_item(number, decision(verdict), with)).await
    }

    pub(crate) async fn decide(&self, number: u64, verdict: Verdict) -> Decided {
        self.try_to_decide(number, verdict, None).await.unwrap()
    }

    pub(crate) async fn try_to_merge(
        &self,
        survivor: PatientId,
        retired: PatientId,
    ) -> Result<Merge, DecideError> {
        let decision = decision(Verdict::Merge);
        in_time(self.registry.merge(survivor, retired, decision, false, false)).await
    }

    pub(crate) async fn merge(&self, survivor: PatientId, retired: PatientId) -> Merge {
        self.try_to_merge(survivor, retired).await.unwrap()
    }

    pub(crate) async fn try_to_unmerge(&self, retired: PatientId) -> Result<Merge, DecideError> {
        let decision = decision(Verdict::Unmerge);
        in_time(self.registry.unmerge(retired, decision, false)).await
    }

    pub(crate) async fn unmerge(&self, retired: PatientId) -> Merge {
        self.try_to_unmerge(retired).await.unwrap()
    }
}

pub(crate) fn will_not<T: std::fmt::Debug>(result: Result<T, DecideError>) -> &'static str {
    result.expect_err("it has to be refused").code()
}

/// Whom an item names.
pub(crate) fn candidates(item: &ReviewItem) -> BTreeSet<PatientId> {
    item.candidates
        .iter()
        .map(|candidate| candidate.patient)
        .collect()
}

/// Waits until no item is open.
pub(crate) async fn until_nothing_is_asked(registry: &Arc<Registry>) {
    super::until("nothing is asked", || open_items(registry).is_empty()).await;
}
