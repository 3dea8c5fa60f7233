//! Whether the configuration is the one of the last start: what changed while nobody ran is audited, too.
//!
//! What was taken last stands in the data folder, as a digest of each value: whoever reads that file learns which keys there are, and
//! nothing of what stands there. Where it is missing, the audit says on which configuration the broker starts.

use crate::{
    api::status::with_causes,
    audit::{Audit, AuditError},
    config::{Config, Outline},
    private_file,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokio::task::spawn_blocking;

/// In the data folder.
const FILE: &str = "configuration.seen";

/// Compares the configuration with the one of the last start, and writes down what is different.
pub(super) async fn compare(audit: &Audit, config: &Config) {
    let path = file(&config.data_folder);
    let read = spawn_blocking(move || fs::read_to_string(path)).await;
    let seen = read.ok().and_then(Result::ok);
    let Some(before) = seen.and_then(|text| Outline::read(&text)) else {
        let noted = audit.configured(config.outline.digest()).await;
        return remember(config, noted).await;
    };
    let keys = before.changed(&config.outline);
    if !keys.is_empty() {
        changed(audit, &before, config, keys).await;
    }
}

/// Writes down that the configuration is another one, and remembers it.
pub(super) async fn changed(audit: &Audit, before: &Outline, config: &Config, keys: Vec<String>) {
    let (before, after) = (before.digest(), config.outline.digest());
    let noted = audit.configuration_changed(before, after, keys).await;
    remember(config, noted).await;
}

/// Remembers the configuration where it is `noted`. Where it is not, the next start will.
async fn remember(config: &Config, noted: Result<u64, AuditError>) {
    if let Err(error) = noted {
        tracing::error!(
            code = error.code(),
            cause = with_causes(&error),
            "what the configuration is, or that it changed, is not in the audit"
        );
        return;
    }
    let (path, text) = (file(&config.data_folder), config.outline.write());
    let written = spawn_blocking(move || private_file::replace(&path, &text)).await;
    if !matches!(written, Ok(Ok(()))) {
        tracing::warn!(
            code = "configuration_not_remembered",
            "what the configuration says is not remembered; the next start tells it again"
        );
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
