//! What the broker tells about itself: lines on standard error, metrics and health over HTTP, traces to a collector.
//!
//! None of it has patient data in it, at any level: other crates may only warn (`logs`), labels of metrics are listed in
//! [`archwire_core::metric`], and a trace is made of the spans of [`archwire_core::span`] and nothing else. What is not
//! configured is not made: without `[telemetry]` a metric or a span costs a look at a switch.

mod error;
mod gauges;
mod http;
mod logs;
mod metrics;
mod process;
pub(crate) mod traces;
mod vitals;

pub use error::TelemetryError;
pub use http::Watching;
pub(crate) use vitals::Sources;
pub use vitals::Vitals;

use crate::config::Config;
use traces::Traces;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Lines and traces, as long as the process lives.
pub struct Telemetry {
    traces: Option<Traces>,
}

impl Telemetry {
    /// Begins to write lines, and to collect traces where that is configured. The second time in a process it begins
    /// nothing.
    ///
    /// # Errors
    /// When the collector cannot be spoken to as configured.
    pub fn begin(config: &Config) -> Result<Self, TelemetryError> {
        let mut layers = vec![logs::layer(&config.log)];
        let traces = match &config.telemetry.otlp {
            Some(url) => Some(Traces::begin(url, &config.practice)?),
            None => None,
        };
        layers.extend(traces.as_ref().map(Traces::layer));
        _ = tracing_subscriber::registry().with(layers).try_init();
        Ok(Self { traces })
    }

    /// Sends what is still to be sent, for at most 3 s.
    pub async fn end(self) {
        if let Some(traces) = self.traces {
            traces.end().await;
        }
    }
}
