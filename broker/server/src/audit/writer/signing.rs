//! Checkpoints: when they are due, and what is done with one.

use super::Writing;
use crate::audit::{
    Action, ITSELF,
    checkpoint::CheckpointKey,
    pending::{Item, Origin},
};
use archwire_proto::admin::v1::AuditRecord;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// After a start, the first checkpoint does not wait for as long as later ones, whatever ended the broker before.
pub(super) const FIRST_SIGNED: Duration = Duration::from_secs(60);

/// What signs, how often, and where that is written.
pub struct Signing {
    /// The key.
    pub key: Arc<CheckpointKey>,
    /// Where checkpoints are written beside the audit.
    pub file: PathBuf,
    /// After so many records, and
    pub every: u64,
    /// after so long, where there was any.
    pub at_least: Duration,
}

impl Writing {
    /// When the next checkpoint is due, where there is anything to sign.
    pub(super) fn signs_at(&self) -> Option<Instant> {
        self.writer.signing.as_ref()?;
        (self.writer.tail.link.index > self.signed.0).then_some(self.signed.1)
    }

    pub(super) fn signs_now(&self) -> bool {
        let every = self.writer.signing.as_ref().map(|signing| signing.every);
        let is_enough = every.is_some_and(|every| self.writer.tail.link.index >= self.signed.0 + every);
        is_enough || self.signs_at().is_some_and(|at| Instant::now() >= at)
    }

    pub(super) async fn sign_if_due(&mut self) {
        if self.signs_now() && self.retry.is_none() {
            self.sign().await;
        }
    }

    /// Makes a checkpoint of what is stored, behind which everything about open subscriptions is said again.
    pub(super) async fn sign(&mut self) {
        let Some(signing) = &self.writer.signing else {
            return;
        };
        let at = jiff::Timestamp::now();
        let checkpoint = signing
            .key
            .sign(&self.writer.practice, &self.writer.tail.link, at);
        let (file, at_least) = (signing.file.clone(), signing.at_least);
        let record = AuditRecord {
            at: Some(SystemTime::from(at).into()),
            program: ITSELF.to_owned(),
            action: Action::Checkpoint.as_str().to_owned(),
            checkpoint: Some(checkpoint.write()),
            ..AuditRecord::default()
        };
        let records = self.writer.streams.continued().chain([record]);
        for (number, record) in records.enumerate() {
            self.pending.push(Item {
                resumes: number == 0,
                ..Item::new(&record, Origin::Note)
            });
        }
        self.signed.1 = Instant::now() + at_least;
        self.flush().await;
        self.signed.0 = self.writer.tail.link.index;
        let written = tokio::task::spawn_blocking(move || checkpoint.append_to(&file)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::error!(
                code = "audit_checkpoint_not_written",
                "a checkpoint of the audit is not in its file; it stands in the audit only"
            );
        }
    }
}
