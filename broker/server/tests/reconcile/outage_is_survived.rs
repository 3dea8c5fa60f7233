//! A system that goes away in the middle: the comparison ends, and the next one goes on where it was.

use crate::{
    office::stranger,
    script::{Stage, counts, name},
};

#[tokio::test]
async fn what_was_found_in_agreement_before_an_outage_is_not_read_again_after_it() {
    let stage = Stage::open().await;
    for number in 10..40 {
        stage.shows(&number.to_string(), &stranger(number)).await;
    }
    // The list and twenty records.
    stage.scripted.script().works_for = Some(21);
    let error = stage.try_to_compare(false).await.unwrap_err();
    assert_eq!(error.code(), "connector_unavailable");
    let before = stage.fetched().len();
    assert_eq!(before, 20);
    // The breaker is open: the system is left alone, and that is said at once.
    stage.scripted.script().works_for = None;
    let error = stage.try_to_compare(false).await.unwrap_err();
    assert_eq!(error.code(), "system_left_alone");
    assert!(stage.fetched().is_empty() && stage.reconciler.last(&name()).await.unwrap().is_none());
    let reasons: Vec<_> = stage
        .audited()
        .await
        .into_iter()
        .map(|record| record.reason)
        .collect();
    assert_eq!(
        reasons,
        [
            "not finished: connector_unavailable",
            "not finished: system_left_alone"
        ]
    );

    let stage = Stage::set(stage.office, true).await.with_records(10..40);
    let report = stage.compare().await;
    assert_eq!(counts(&report), [0; 4]);
    let read = stage.fetched().len();
    assert!((10..=14).contains(&read), "{read} were read again");
    assert_eq!(u64::try_from(read).unwrap(), report.compared);
}

impl Stage {
    fn with_records(self, numbers: std::ops::Range<usize>) -> Self {
        for number in numbers {
            self.holds(&number.to_string(), &stranger(number));
        }
        self
    }
}
