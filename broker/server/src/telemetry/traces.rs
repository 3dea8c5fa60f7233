//! Traces: the spans of [`archwire_core::span`], sent to a collector over OTLP (gRPC).
//!
//! Spans wait in a queue of 4,096 and are sent every 2 s, or 512 at a time; what a collector does not take within 5 s is
//! lost and counted, and so is what finds the queue full. A collector that is down is told about once, and again every 10
//! minutes while that lasts; the broker's work does not wait for it.

mod context;
mod exporter;

pub(crate) use context::{continue_from, failed, link, traceparent};

use super::TelemetryError;
use archwire_core::{PracticeName, span};
use exporter::Exporter;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, Registry, filter::filter_fn};

const MOST_WAITING: usize = 4_096;
const MOST_AT_A_TIME: usize = 512;
const BETWEEN_SENDINGS: Duration = Duration::from_secs(2);
/// How long the last spans may take at a stop.
const LONGEST_END: Duration = Duration::from_secs(3);

/// Collects spans and sends them.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins. Needs the runtime; whether the collector answers does not matter.
    pub(super) fn begin(url: &str, practice: &PracticeName) -> Result<Self, TelemetryError> {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_max_export_batch_size(MOST_AT_A_TIME)
            .with_scheduled_delay(BETWEEN_SENDINGS)
            .build();
        let processor = BatchSpanProcessor::builder(Exporter::new(url)?)
            .with_batch_config(config)
            .build();
        let resource = Resource::builder_empty()
            .with_service_name("archwire")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.namespace", practice.to_string()))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            // A vendor that says that its own trace is not wanted is believed.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Takes the spans of traces, and nothing else: whatever other crates tell stays out.
    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let only_ours = filter_fn(|metadata| metadata.is_span() && metadata.target() == span::TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("archwire"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(only_ours.with_max_level_hint(LevelFilter::INFO))
            .boxed()
    }

    /// Sends what waits, for at most 3 s.
    pub(super) async fn end(self) {
        // Blocks, while the sending itself needs the runtime.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LONGEST_END));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::warn!("the last traces did not reach their collector");
        }
    }
}
