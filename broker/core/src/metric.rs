//! The names of all metrics, with what they mean: an API of its own, in one place.
//!
//! Names follow the conventions of Prometheus: `archwire_<noun>_<unit>`, and counters end in `_total`. Labels are `system`,
//! `account`, `priority`, `ability`, `outcome`, `result`, `class` and `code`, each of a bounded number of values; no label
//! tells anything about a patient.

/// Observations that the registry answered, by `system` and `result` (`recorded`, `unchanged`, `in_review`, or the code of
/// the error).
pub const OBSERVATIONS: &str = "archwire_observations_total";
/// Receipts by `system` and `outcome`.
pub const DELIVERIES: &str = "archwire_deliveries_total";
/// Failed attempts to deliver, by `system` and `code`.
pub const ATTEMPTS_FAILED: &str = "archwire_delivery_attempts_failed_total";
/// Seconds from an event's append to its receipt, by `system`.
pub const DELIVERY_SECONDS: &str = "archwire_delivery_seconds";
/// How long the oldest change waits that the system does not have, in seconds, by `system`.
pub const BEHIND_SECONDS: &str = "archwire_behind_seconds";
/// Patients with changes that the system does not have, by `system`.
pub const BEHIND_PATIENTS: &str = "archwire_behind_patients";
/// Deliveries that wait for a person, by `system`.
pub const PARKED: &str = "archwire_parked_deliveries";
/// 0 while the system is called, 1 while it is left alone, 0.5 while one call is tried; by `system`.
pub const BREAKER_OPEN: &str = "archwire_breaker_open";
/// Polls by `system` and `result` (`complete`, or the code of the error).
pub const POLLS: &str = "archwire_polls_total";
/// Calls into connectors by `system`, `ability` and `code` (`ok`, or the code of the error).
pub const CALLS: &str = "archwire_connector_calls_total";
/// Seconds of a call into a connector, its waiting for answers included, by `system` and `ability`.
pub const CALL_SECONDS: &str = "archwire_connector_call_seconds";
/// HTTP requests of connectors by `system` and `class` (`1xx` to `5xx`, `error`, `denied`, `deferred`).
pub const REQUESTS: &str = "archwire_http_requests_total";
/// Seconds until the head of an HTTP answer, by `system`.
pub const REQUEST_SECONDS: &str = "archwire_http_request_seconds";
/// Seconds that a turn was waited for, by `account` and `priority`.
pub const TURN_WAIT_SECONDS: &str = "archwire_turn_wait_seconds";
/// How often a vendor asked for fewer requests, by `account`.
pub const SLOWED_DOWN: &str = "archwire_account_slowed_down_total";
/// Records that were appended to the log, by `result` (`stored`, or the code of the error).
pub const APPENDS: &str = "archwire_log_appends_total";
/// Seconds of an append, flush included.
pub const APPEND_SECONDS: &str = "archwire_log_append_seconds";
/// Open items of the review queue.
pub const REVIEW_OPEN: &str = "archwire_review_open_items";
/// Patients in the log.
pub const PATIENTS: &str = "archwire_patients";
/// Findings of the last comparison with the log, by `system` and `kind` (`missing`, `extra`, `differing`, `unlinked`).
pub const RECONCILIATION_FINDINGS: &str = "archwire_reconciliation_findings";
/// When a system was last compared with the log, in seconds since 1970, by `system`.
pub const RECONCILED_AT: &str = "archwire_reconciled_timestamp_seconds";
