//! How full the audit is: somebody has to know before nobody can act any more. Measured every minute, as a metric; from four fifths on
//! the log warns once an hour.

use super::Audit;
use archwire_nats::ByteSize;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two measurements.
const EVERY: Duration = Duration::from_secs(60);
/// Between two warnings.
const WARNED_EVERY: Duration = Duration::from_secs(3600);

impl Audit {
    /// Measures until `shutdown`.
    pub async fn watch_room(self, shutdown: CancellationToken) {
        let mut warned: Option<Instant> = None;
        loop {
            if let Ok((bytes, most)) = self.0.stream.usage().await {
                self.0.budget.measured(bytes, most);
                let is_time = warned.is_none_or(|warned| warned.elapsed() >= WARNED_EVERY);
                if is_time && is_nearly_full(bytes, most) {
                    warned = Some(Instant::now());
                    tracing::warn!(
                        code = "audit_nearly_full",
                        %bytes,
                        %most,
                        "the audit is nearly full; raise `max-size` of `[audit]` before nobody can act any more"
                    );
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

/// In mebibytes' accuracy: more than enough, and exact as a floating-point number.
pub(super) fn number(bytes: ByteSize) -> f64 {
    const MEBIBYTE: u64 = 1024 * 1024;
    u32::try_from(bytes.get() / MEBIBYTE).map_or(f64::MAX, f64::from) * 1_048_576.0
}

/// Whether four fifths are used.
fn is_nearly_full(bytes: ByteSize, most: ByteSize) -> bool {
    bytes.get() / 4 >= most.get() / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_nearly_full_from_four_fifths_on() {
        let most = ByteSize::bytes(1000);
        assert!(!is_nearly_full(ByteSize::bytes(790), most));
        assert!(is_nearly_full(ByteSize::bytes(800), most));
    }
}
