//! What the broker tells about itself: structured lines on standard error.
//!
//! Other crates' debug lines may quote what they carry (HTTP bodies, NATS payloads, gRPC frames), so only warnings and
//! errors of crates other than Archwire's are ever shown, whatever the configured level. This is what keeps patient
//! data out of the log at any level.

use crate::config::{Log, LogFormat};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Begins to write lines as the configuration says. Calling it twice changes nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = filter.and(filter_fn(may_be_shown));
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(true);
    let layer = match log.format {
        LogFormat::Human => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    _ = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init();
}

fn may_be_shown(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata
        .target()
        .split("::")
        .next()
        .is_some_and(|name| name.starts_with("archwire"));
    is_ours || *metadata.level() <= Level::WARN
}
