//! Lists that connectors should not give: what comes of each.

use crate::{
    office::{ann, bob, id, stranger, system},
    script::{Stage, counts, entry, name, page},
};
use archwire::reconcile::{Kind, Progress, ReconcileError};
use archwire_core::{Cursor, SurveyPage};
use tokio::sync::watch;

#[tokio::test]
async fn a_cursor_that_comes_again_ends_the_comparison_with_a_code_of_its_own() {
    let stage = Stage::open().await;
    stage.shows("1", &ann()).await;
    stage.scripted.script().pages = Some(vec![page(&["1"], "a", true), page(&["1"], "b", true)]);
    let error = stage.try_to_compare(true).await.unwrap_err();
    assert_eq!(error.code(), "survey_cursor_repeats");
    let audited = stage.audited().await;
    assert_eq!(audited[0].reason, "not finished: survey_cursor_repeats");
    assert!(
        stage.reconciler.last(&name()).await.unwrap().is_none(),
        "there is no report"
    );
}

#[tokio::test]
async fn a_record_that_is_listed_twice_is_one_and_the_order_of_pages_does_not_matter() {
    let stage = Stage::open().await;
    for (local_id, patient) in [("1", ann()), ("2", bob()), ("3", stranger(1))] {
        stage.shows(local_id, &patient).await;
    }
    stage.scripted.script().records.remove("2");
    stage.holds("9", &stranger(9));
    let pages = [
        page(&["3", "1"], "a", true),
        page(&["9", "1"], "b", true),
        page(&["3"], "", false),
    ];
    let mut reports = Vec::new();
    for order in [[0, 1, 2], [1, 0, 2]] {
        {
            let mut script = stage.scripted.script();
            script.pages = Some(order.map(|number| pages[number].clone()).to_vec());
            script.surveyed = 0;
        }
        let report = stage.compare().await;
        assert_eq!((report.listed, counts(&report)), (3, [1, 1, 0, 0]));
        reports.push(report.findings);
    }
    assert_eq!(reports[0], reports[1]);
}

#[tokio::test]
async fn more_records_than_the_bus_compares_are_refused() {
    let stage = Stage::open().await;
    // A hundred pages of the largest that a connector may give, and one record more.
    let largest = |number: usize| SurveyPage {
        entries: (0..10_000)
            .map(|at| entry(&format!("{}", number * 10_000 + at), None))
            .collect(),
        cursor: Cursor(number.to_string()),
        more: true,
    };
    let mut pages: Vec<_> = (0..100).map(largest).collect();
    pages.push(page(&["one-more"], "", false));
    stage.scripted.script().pages = Some(pages);
    let error = stage.try_to_compare(false).await.unwrap_err();
    assert_eq!(error.code(), "survey_too_large");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_counted_and_holds_nobody_up() {
    let stage = Stage::open().await;
    stage.shows("1", &ann()).await;
    stage.shows("2", &bob()).await;
    stage.holds("2", &stranger(2));
    stage.scripted.script().unreadable.insert("1".to_owned());
    let report = stage.compare().await;
    assert_eq!((report.unreadable, counts(&report)), (1, [0, 0, 1, 0]));
    assert_eq!(report.findings[0].local_id, Some(id("2")));
}

#[tokio::test]
async fn one_comparison_of_a_system_runs_at_a_time() {
    let stage = Stage::open().await;
    let begun = stage.reconciler.begin(&name()).unwrap();
    let refused = stage.reconciler.begin(&name()).err().unwrap();
    assert!(matches!(refused, ReconcileError::Running(_)) && refused.code() == "reconcile_running");
    begun
        .run(false, &watch::Sender::new(Progress::default()))
        .await
        .unwrap();
    assert!(stage.reconciler.begin(&name()).is_ok());
    let unknown = stage.reconciler.begin(&system("nobody")).err().unwrap();
    assert_eq!(unknown.code(), "system_unknown");
    assert_eq!(stage.compare().await.count(Kind::Missing), 0);
}
