//! Structured lines on standard error.
//!
//! Other crates' debug lines may quote what they carry (HTTP bodies, NATS payloads, gRPC frames), so only warnings and
//! errors of crates other than Archwire's are ever shown, whatever the configured level. This is what keeps patient
//! data out of the log at any level.

use crate::config::{Log, LogFormat};
use archwire_core::span;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, filter_fn},
    fmt,
};

/// Writes lines as the configuration says.
pub(super) fn layer(log: &Log) -> Box<dyn Layer<Registry> + Send + Sync> {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = filter.and(filter_fn(may_be_shown));
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(true);
    match log.format {
        LogFormat::Human => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    }
}

fn may_be_shown(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata
        .target()
        .split("::")
        .next()
        .is_some_and(|name| name.starts_with("archwire"));
    // Spans of traces are for a collector: when there is none, nobody wants them and they cost nothing.
    let is_of_a_trace = metadata.target() == span::TARGET;
    !is_of_a_trace && (is_ours || *metadata.level() <= Level::WARN)
}
