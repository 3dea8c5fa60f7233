//! Sends spans to the collector, and tells in moderation when it does not take them.

use crate::telemetry::TelemetryError;
use archwire_core::metric;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

const LONGEST_SENDING: Duration = Duration::from_secs(5);
const LONGEST_CONNECTING: Duration = Duration::from_secs(3);
/// Between two lines about a collector that stays away.
const BETWEEN_LINES: Duration = Duration::from_secs(600);

/// The collector.
#[derive(Debug)]
pub(super) struct Exporter {
    inner: Otlp,
    trouble: Mutex<Trouble>,
}

/// Since when the collector takes nothing.
#[derive(Debug, Default)]
struct Trouble {
    told: Option<Instant>,
    lost: u64,
}

impl Exporter {
    pub(super) fn new(url: &str) -> Result<Self, TelemetryError> {
        let inner = Otlp::builder()
            .with_tonic()
            .with_channel(channel(url).map_err(|error| TelemetryError::Collector(error.into()))?)
            .with_timeout(LONGEST_SENDING)
            .build()
            .map_err(|error| TelemetryError::Collector(error.into()))?;
        let trouble = Mutex::default();
        Ok(Self { inner, trouble })
    }

    fn heed(&self, sent: &OTelSdkResult, spans: usize) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(error) = sent else {
            if trouble.told.take().is_some() {
                let lost = std::mem::take(&mut trouble.lost);
                tracing::info!(lost, "the collector takes traces again");
            }
            return;
        };
        let spans = u64::try_from(spans).unwrap_or(u64::MAX);
        metrics::counter!(metric::SPANS_LOST).increment(spans);
        trouble.lost = trouble.lost.saturating_add(spans);
        if trouble.told.is_none_or(|told| told.elapsed() >= BETWEEN_LINES) {
            trouble.told = Some(Instant::now());
            let lost = trouble.lost;
            tracing::warn!(%error, lost, "the collector of `telemetry.otlp` does not take traces; they are lost");
        }
    }
}

fn channel(url: &str) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::new(url.to_owned())?;
    let endpoint = match url.starts_with("https://") {
        true => endpoint.tls_config(ClientTlsConfig::new().with_webpki_roots())?,
        false => endpoint,
    };
    Ok(endpoint
        .connect_timeout(LONGEST_CONNECTING)
        .timeout(LONGEST_SENDING)
        .connect_lazy())
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.inner.export(batch).await;
        self.heed(&sent, spans);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
