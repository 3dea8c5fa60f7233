//! A connector that says why it did not do it.

use crate::support::{config, hostile, tell};
use archwire_core::Disposition;
use archwire_host::CallError;
use std::time::Duration;

#[tokio::test]
async fn a_disposition_comes_with_its_reason_and_its_detail_is_bounded() {
    let error = tell(&hostile(config()).await, "reject no-such-field")
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.may_have_acted()),
        ("connector_rejected", false)
    );
    assert_eq!(
        error.to_string(),
        "the connector did not do it: rejected (no-such-field)"
    );
    let CallError::Disposition(Disposition::Rejected(reason)) = error else {
        panic!("{error}")
    };
    assert_eq!(reason.status, Some(400));
    assert_eq!(reason.detail.unwrap(), "é".repeat(2048));
}

#[tokio::test]
async fn a_reason_that_is_free_text_is_replaced_and_a_delay_is_at_most_a_day() {
    let error = tell(&hostile(config()).await, "throttle").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Lovelace"));
    let CallError::Disposition(Disposition::Throttled(later)) = error else {
        panic!("{error}")
    };
    assert_eq!(later.reason.code.as_str(), "invalid-reason-code");
    assert_eq!(later.after, Duration::from_secs(86_400));
}
