//! Looking at a broker from outside, as a monitoring system does.

use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Seat, eventually};
use serde_json::Value;
use std::fs;

/// What a configuration says so that a broker can be looked at.
pub(crate) const OFFERED: &str = "\n[telemetry]\nlisten = \"127.0.0.1:0\"\n";

/// Where the broker of a place can be looked at.
pub(crate) fn address(seat: &Seat) -> Result<String> {
    let file = seat.data_folder().join("telemetry.address");
    let address = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(address.trim_end().to_owned())
}

/// A page: its status and its text.
pub(crate) async fn page(seat: &Seat, path: &str) -> Result<(u16, String)> {
    let answer = reqwest::get(format!("http://{}{path}", address(seat)?)).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await?))
}

/// Whether the broker is ready, and why not.
pub(crate) async fn readiness(seat: &Seat) -> Result<(u16, Vec<String>)> {
    let (status, text) = page(seat, "/readyz").await?;
    let answer: Value = serde_json::from_str(&text)?;
    ensure!(
        answer["ready"].as_bool() == Some(status == 200),
        "{status} with {text}"
    );
    let reasons = answer["reasons"].as_array().context("no reasons")?;
    let reasons = reasons.iter().filter_map(Value::as_str).map(str::to_owned);
    Ok((status, reasons.collect()))
}

/// Waits until the broker says that it is ready, or that it is not for this one reason.
pub(crate) async fn becomes(seat: &Seat, reason: Option<&str>) -> Result<()> {
    eventually("the broker says how it is", async || {
        let (status, reasons) = readiness(seat).await?;
        let expected: Vec<&str> = reason.into_iter().collect();
        ensure!(reasons == expected, "{status}: {reasons:?}");
        Ok(())
    })
    .await
}

/// The metrics of a broker.
pub(crate) struct Metrics(String);

impl Metrics {
    pub(crate) async fn of(seat: &Seat) -> Result<Self> {
        let (status, text) = page(seat, "/metrics").await?;
        ensure!(status == 200, "{status}");
        Ok(Self(text))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The sum of all samples with this name and these labels (`key="value"`).
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let samples = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            let fits = own == name && labels.iter().all(|label| rest.contains(label));
            fits.then(|| value.parse::<f64>().ok()).flatten()
        });
        samples.reduce(|sum, value| sum + value)
    }

    /// The same; an error when there is none.
    pub(crate) fn value(&self, name: &str, labels: &[&str]) -> Result<f64> {
        self.sum(name, labels)
            .with_context(|| format!("no sample {name}{labels:?}"))
    }
}
