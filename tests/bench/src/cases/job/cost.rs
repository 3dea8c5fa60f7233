//! What one job costs: processor's time, records that are flushed, messages and requests. These figures hardly depend on what
//! else the machine does.

use super::FLOOR;
use crate::{
    figure::{Figure, Judged},
    machine,
    raw::Raw,
    sink::Sink,
    unit::Unit,
};
use anyhow::{Context as _, Result};
use archwire_tests::Practice;

/// What was used: since the beginning, or for one job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds of a processor.
    broker: f64,
    /// Seconds of a processor.
    nats: f64,
    log: f64,
    buckets: f64,
    messages_in: f64,
    messages_out: f64,
    requests: f64,
}

impl Cost {
    /// Since the broker's start; the requests since the web service was cleared.
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) async fn so_far(practice: &Practice, raw: &Raw, sink: &Sink) -> Result<Self> {
        let writes = raw.writes().await?;
        let (messages_in, messages_out) = raw.messages().await?;
        let time = |pid| machine::processor_time(pid).context("the program is gone");
        Ok(Self {
            broker: time(practice.broker_pid()?)?.as_secs_f64(),
            nats: time(practice.seat().nats_pid()?)?.as_secs_f64(),
            log: writes.log as f64,
            buckets: writes.buckets as f64,
            messages_in: messages_in as f64,
            messages_out: messages_out as f64,
            requests: sink.requests() as f64,
        })
    }

    /// What each of so many jobs cost since then.
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn since(&self, before: &Self, jobs: usize) -> Self {
        let each = |of: fn(&Self) -> f64| (of(self) - of(before)) / jobs as f64;
        Self {
            broker: each(|cost| cost.broker),
            nats: each(|cost| cost.nats),
            log: each(|cost| cost.log),
            buckets: each(|cost| cost.buckets),
            messages_in: each(|cost| cost.messages_in),
            messages_out: each(|cost| cost.messages_out),
            requests: each(|cost| cost.requests),
        }
    }
}

/// The figures, from one value a round; beside the plain program's processor time, where it did the same.
pub(super) fn figures(of: &str, costs: &[Cost], floor_time: &[f64]) -> Vec<Figure> {
    let rounds = |of: fn(&Cost) -> f64| -> Vec<f64> { costs.iter().map(of).collect() };
    let time = |what: &str, cost| Figure::new(format!("{what} for {of}"), Unit::Seconds, rounds(cost));
    let count = |what: &str, cost| Figure::new(format!("{what} for {of}"), Unit::Count, rounds(cost));
    let broker = time("broker's processor time", |cost| cost.broker);
    vec![
        match floor_time {
            [] => broker,
            rounds => broker.beside(FLOOR, Judged::Ratio, rounds),
        },
        time("nats-server's processor time", |cost| cost.nats),
        count("records in the log", |cost| cost.log),
        count("records in buckets", |cost| cost.buckets),
        count("messages to the nats-server", |cost| cost.messages_in),
        count("messages from the nats-server", |cost| cost.messages_out),
        count("requests to the web service", |cost| cost.requests),
    ]
}
