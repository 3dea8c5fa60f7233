//! Whether the configuration is the one of the last start: what changed while nobody ran is audited, too.
//!
//! What was taken last stands in the data folder, as a digest of each value: whoever reads that file learns which keys there are, and
//! nothing of what stands there. Where it is missing, everything counts as changed.

use crate::{
    api::status::with_causes,
    audit::Audit,
    config::{Config, Outline},
    private_file,
};
use std::path::{Path, PathBuf};

/// In the data folder.
const FILE: &str = "configuration.seen";

/// Compares the configuration with the one of the last start, and writes down what is different.
pub(super) async fn compare(audit: &Audit, config: &Config) {
    let path = file(&config.data_folder);
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    let seen = read.ok().and_then(Result::ok);
    let before = seen.and_then(|text| Outline::read(&text)).unwrap_or_default();
    let keys = before.changed(&config.outline);
    if !keys.is_empty() {
        changed(audit, &before, config, keys).await;
    }
}

/// Writes down that the configuration is another one, and remembers it. Where it cannot be written down, the next start will.
pub(super) async fn changed(audit: &Audit, before: &Outline, config: &Config, keys: Vec<String>) {
    let (before, after) = (before.digest(), config.outline.digest());
    if let Err(error) = audit.configuration_changed(before, after, keys).await {
        tracing::error!(
            code = error.code(),
            cause = with_causes(&error),
            "that the configuration changed is not in the audit"
        );
        return;
    }
    let (path, text) = (file(&config.data_folder), config.outline.write());
    let written = tokio::task::spawn_blocking(move || private_file::replace(&path, &text)).await;
    if !matches!(written, Ok(Ok(()))) {
        tracing::warn!(
            code = "configuration_not_remembered",
            "what the configuration says is not remembered; the next start tells it as a change"
        );
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
