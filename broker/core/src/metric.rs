//! The names of all metrics, with what they mean: an API of its own, in one place.
//!
//! Names follow the conventions of Prometheus: `archwire_<noun>_<unit>`, and counters end in `_total`. Labels are `system`,
//! `account`, `priority`, `ability`, `outcome`, `result`, `class` and `code`, each of a bounded number of values; no label
//! tells anything about a patient. Seconds are histograms; what is read when somebody looks is a gauge.
//!
//! [`ALL`] lists each name with its kind and with what a dashboard shows beside it; a test holds the two together.

/// Observations that the registry answered, by `system` and `result` (`recorded`, `unchanged`, `in_review`, `duplicate`, or the code of
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
/// HTTP requests of connectors by `system` and `class` (`1xx` to `5xx`; `timeout`, `unreachable`, `tls`, `broken`; `abandoned`
/// with its call; `denied`, `deferred`).
pub const REQUESTS: &str = "archwire_http_requests_total";
/// Seconds until the head of an HTTP answer, by `system`.
pub const REQUEST_SECONDS: &str = "archwire_http_request_seconds";
/// Seconds that a turn was waited for, by `account` and `priority`.
pub const TURN_WAIT_SECONDS: &str = "archwire_turn_wait_seconds";
/// How often a vendor asked for fewer requests, by `account`.
pub const SLOWED_DOWN: &str = "archwire_account_slowed_down_total";
/// Records that were appended to the log, or to the audit, by `result` (`stored`, or the code of the error).
pub const APPENDS: &str = "archwire_log_appends_total";
/// Seconds of an append, flush included.
pub const APPEND_SECONDS: &str = "archwire_log_append_seconds";
/// Bytes that the audit takes, in whole MiB.
pub const AUDIT_BYTES: &str = "archwire_audit_bytes";
/// Bytes that the audit may take, in whole MiB.
pub const AUDIT_MOST_BYTES: &str = "archwire_audit_most_bytes";
/// Connections that the API has.
pub const API_CONNECTIONS: &str = "archwire_api_connections";
/// Connections and calls that the API refused, by `code`.
pub const API_REFUSED: &str = "archwire_api_refused_total";
/// Open items of the review queue.
pub const REVIEW_OPEN: &str = "archwire_review_open_items";
/// Patients in the log.
pub const PATIENTS: &str = "archwire_patients";
/// Findings of the last comparison with the log, by `system` and `kind` (`missing`, `extra`, `differing`, `unlinked`).
pub const RECONCILIATION_FINDINGS: &str = "archwire_reconciliation_findings";
/// When a system was last compared with the log, in seconds since 1970, by `system`.
pub const RECONCILED_AT: &str = "archwire_reconciled_timestamp_seconds";
/// Lanes of patients, by `system` and `state` (`working`, `waiting`, `backing_off`).
pub const LANES: &str = "archwire_lanes";
/// Images that the system does not have yet, by `system` and `state` (`working`, `waiting`, `backing_off`).
pub const IMAGES_BEHIND: &str = "archwire_behind_images";
/// 1 while the broker is ready, else 0.
pub const READY: &str = "archwire_ready";
/// How often the connection to the log was lost and made again.
pub const RECONNECTIONS: &str = "archwire_log_reconnections_total";
/// Spans that the collector of traces did not take.
pub const SPANS_LOST: &str = "archwire_spans_lost_total";
/// 1, by `version`.
pub const BUILD_INFO: &str = "archwire_build_info";

/// How a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up, and begins at 0 with each start.
    Counter,
    /// As it is when somebody looks.
    Gauge,
    /// How often, by how long it took.
    Histogram,
}

/// A metric as it is described to whoever collects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// What it says, in one sentence.
    pub help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Counter;
    Metric { name, kind, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Gauge;
    Metric { name, kind, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    let kind = Kind::Histogram;
    Metric { name, kind, help }
}

/// All metrics.
pub const ALL: &[Metric] = &[
    counter(OBSERVATIONS, "Observations that the registry answered."),
    counter(DELIVERIES, "Receipts of deliveries."),
    counter(ATTEMPTS_FAILED, "Failed attempts to deliver."),
    histogram(DELIVERY_SECONDS, "From an event's append to its receipt."),
    gauge(
        BEHIND_SECONDS,
        "How long the oldest change waits that the system does not have.",
    ),
    gauge(
        BEHIND_PATIENTS,
        "Patients with changes that the system does not have.",
    ),
    gauge(PARKED, "Deliveries that wait for a person."),
    gauge(
        BREAKER_OPEN,
        "1 while the system is left alone, 0.5 while one call is tried, else 0.",
    ),
    counter(POLLS, "Polls by how they ended."),
    counter(CALLS, "Calls into connectors by how they ended."),
    histogram(
        CALL_SECONDS,
        "A call into a connector, its waiting for answers included.",
    ),
    counter(REQUESTS, "HTTP requests of connectors by class of their answers."),
    histogram(REQUEST_SECONDS, "Until the head of an HTTP answer."),
    histogram(TURN_WAIT_SECONDS, "How long a turn was waited for."),
    counter(SLOWED_DOWN, "How often a vendor asked for fewer requests."),
    counter(
        APPENDS,
        "Records appended to the log or the audit, by how that ended.",
    ),
    histogram(APPEND_SECONDS, "An append, flush included."),
    gauge(REVIEW_OPEN, "Open items of the review queue."),
    gauge(PATIENTS, "Patients in the log."),
    gauge(
        RECONCILIATION_FINDINGS,
        "Findings of the last comparison with the log.",
    ),
    gauge(
        RECONCILED_AT,
        "When the system was last compared with the log, in seconds since 1970.",
    ),
    gauge(LANES, "Lanes of patients by what they do."),
    gauge(
        IMAGES_BEHIND,
        "Images that the system does not have, by what they do.",
    ),
    gauge(READY, "1 while the broker is ready, else 0."),
    counter(
        RECONNECTIONS,
        "How often the connection to the log was lost and made again.",
    ),
    counter(SPANS_LOST, "Spans that the collector of traces did not take."),
    gauge(AUDIT_BYTES, "Bytes that the audit takes."),
    gauge(API_CONNECTIONS, "Connections that the API has."),
    counter(API_REFUSED, "Connections and calls that the API refused."),
    gauge(AUDIT_MOST_BYTES, "Bytes that the audit may take."),
    gauge(BUILD_INFO, "1, with the broker's version."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of the constants above, as they stand in this file.
    fn constants() -> Vec<&'static str> {
        let lines = include_str!("metric.rs").lines();
        let value = |line: &'static str| line.strip_prefix("pub const ")?.split_once(": &str = \"");
        let values = lines
            .filter_map(value)
            .filter_map(|(_, rest)| rest.strip_suffix("\";"));
        values.collect()
    }

    #[test]
    fn every_name_is_described_once() {
        let mut described: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        let mut named = constants();
        assert!(named.len() > 20, "the names were found: {named:?}");
        described.sort_unstable();
        named.sort_unstable();
        assert_eq!(described, named);
        named.dedup();
        assert_eq!(described, named, "no two have the same name");
    }

    #[test]
    fn every_name_follows_the_convention() {
        for Metric { name, kind, help } in ALL {
            let letters = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(
                name.starts_with("archwire_") && name.bytes().all(letters),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(
                *kind != Kind::Histogram || name.ends_with("_seconds"),
                "the unit of {name}"
            );
            assert!(help.ends_with('.') && help.len() > 5, "{name} is explained");
        }
    }
}
