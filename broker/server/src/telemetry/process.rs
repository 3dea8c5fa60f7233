//! Numbers of the process itself, under the names that Prometheus has for them. On Linux only; elsewhere there are none.

use rustix::time::{ClockId, clock_gettime};
use std::{
    fs,
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

const RESIDENT: &str = "process_resident_memory_bytes";
const CPU: &str = "process_cpu_seconds_total";
const FILES: &str = "process_open_fds";
const THREADS: &str = "process_threads";
const STARTED: &str = "process_start_time_seconds";

pub(super) fn describe() {
    metrics::describe_gauge!(
        RESIDENT,
        "Resident memory of the broker, without its nats-server."
    );
    metrics::describe_gauge!(CPU, "Processor time of the broker.");
    metrics::describe_gauge!(FILES, "Open files and connections.");
    metrics::describe_gauge!(THREADS, "Threads.");
    metrics::describe_gauge!(
        STARTED,
        "When the broker began to be watched, in seconds since 1970."
    );
}

/// Reads them. What cannot be read is left out.
pub(super) fn read() {
    static BEGAN: OnceLock<f64> = OnceLock::new();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(STARTED).set(*BEGAN.get_or_init(|| now().as_secs_f64()));
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    #[allow(
        clippy::cast_precision_loss,
        reason = "a millisecond more or less does not matter"
    )]
    metrics::gauge!(CPU).set(cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kibibytes) = field(&status, "VmRSS:") {
        metrics::gauge!(RESIDENT).set(kibibytes * 1024.0);
    }
    if let Some(threads) = field(&status, "Threads:") {
        metrics::gauge!(THREADS).set(threads);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        #[allow(clippy::cast_precision_loss, reason = "no process has 2^52 files")]
        metrics::gauge!(FILES).set(files.count() as f64);
    }
}

fn field(status: &str, name: &str) -> Option<f64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}
