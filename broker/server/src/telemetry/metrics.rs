//! Collects what is counted, as text for Prometheus.
//!
//! One collector for the whole process, made when the first page of metrics is opened. Its memory is bounded by the number
//! of names, systems and codes; what histograms have not counted in yet is counted every [`UPKEEP`], also when nobody asks.

use super::TelemetryError;
use archwire_core::metric::{self, Kind, Metric};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{sync::OnceLock, time::Duration};

/// How often histograms are brought up to date.
pub(super) const UPKEEP: Duration = Duration::from_secs(5);

/// Seconds of what a person or a vendor is waited for.
const LONG: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0,
    28800.0, 86400.0,
];
/// Seconds of a request or a call: the longest deadline is 10 minutes.
const USUAL: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0,
];
/// Seconds of a write to the disk.
const SHORT: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// The process's collector. `None` where there is another one.
static COLLECTOR: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to collect, unless that has begun already.
pub(super) fn collector() -> Result<PrometheusHandle, TelemetryError> {
    COLLECTOR
        .get_or_init(begin)
        .clone()
        .ok_or(TelemetryError::Recorder)
}

fn begin() -> Option<PrometheusHandle> {
    let buckets = [
        (metric::DELIVERY_SECONDS, LONG),
        (metric::TURN_WAIT_SECONDS, LONG),
        (metric::APPEND_SECONDS, SHORT),
    ];
    let mut builder = PrometheusBuilder::new();
    for (name, buckets) in buckets {
        builder = builder
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
            .ok()?;
    }
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let recorder = builder
        .set_buckets_for_metric(seconds, USUAL)
        .ok()?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).ok()?;
    for Metric { name, kind, help } in metric::ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, *help),
            Kind::Histogram => metrics::describe_histogram!(*name, *help),
        }
    }
    metrics::gauge!(metric::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    super::process::describe();
    Some(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = include_str!("../../../../deploy/README.md");
    const ALERTS: &str = include_str!("../../../../deploy/prometheus/alerts.yml");

    #[test]
    fn the_manual_names_every_metric() {
        for Metric { name, .. } in metric::ALL {
            let short = name.trim_start_matches("archwire_");
            assert!(
                MANUAL.contains(&format!("`{short}`")),
                "{name} is not in the manual"
            );
        }
    }

    #[test]
    fn alerts_ask_for_metrics_that_there_are() {
        let is_of_a_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let words = ALERTS.split(|letter| !is_of_a_name(letter));
        let asked: Vec<&str> = words.filter(|word| word.starts_with("archwire_")).collect();
        assert!(asked.len() > 8, "the names were found: {asked:?}");
        for word in asked {
            let name = word.trim_end_matches("_bucket");
            assert!(metric::ALL.iter().any(|metric| metric.name == name), "{word}");
        }
    }

    #[test]
    fn every_histogram_has_buckets_that_go_up() {
        for buckets in [LONG, USUAL, SHORT] {
            assert!(buckets.is_sorted_by(|one, next| one < next));
        }
    }
}
