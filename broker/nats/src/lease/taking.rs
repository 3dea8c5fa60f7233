//! Getting the lease: waiting for the key, and becoming the writer once it is there.

use super::{
    BETWEEN_LOOKS, Fence, LONGEST_HOLDER, LONGEST_TTL, Lease, LeaseConfig, LeaseError,
    key::{Key, Taking, Watch, Watched},
};
use crate::{AppendError, Cause, CloudEvent, Entry, Expected, Log, ServerVersion};
use archwire_core::Subject;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::{ops::ControlFlow, time::SystemTime};
use tokio::{sync::watch, time::Instant};

/// What the writer record holds.
#[derive(Serialize, Deserialize)]
struct WriterRecord {
    holder: String,
    time: String,
}

impl Log {
    /// Waits until this broker holds the practice's lease, and makes it the writer of the log. To be cancelled by
    /// dropping it.
    ///
    /// `holder` tells this broker from every other one, also after it was restarted: 1 to 64 of visible ASCII. What an
    /// earlier process of that name still holds is taken over at once, so that it must not run any more.
    ///
    /// # Errors
    /// When the lease cannot be relied on, or the log refuses a writer. A server that is away for a while is waited for.
    #[tracing::instrument(name = "log.lease", skip_all)]
    pub async fn lease(&self, holder: &str, config: LeaseConfig) -> Result<Lease, LeaseError> {
        check(holder, config)?;
        let key = Key::open(self, holder, config.ttl).await?;
        let mut standby = Standby::default();
        loop {
            self.inner.records.connection.connected().await;
            standby.watch(&key).await;
            match self.try_lease(&key, &mut standby).await? {
                ControlFlow::Break((revision, fence)) => {
                    tracing::info!(fence = fence.sequence(), "this broker is the writer");
                    return Ok(Lease {
                        log: self.clone(),
                        key,
                        config,
                        fence,
                        revision: Some(revision),
                        next_renewal: Instant::now() + config.renew_every,
                        renewed: watch::Sender::new(Instant::now()),
                        in_trouble: false,
                    });
                }
                ControlFlow::Continue(()) => standby.wait().await,
            }
        }
    }

    async fn try_lease(
        &self,
        key: &Key,
        standby: &mut Standby,
    ) -> Result<ControlFlow<(u64, Fence)>, LeaseError> {
        match key.take().await {
            Ok(Taking::Taken(revision)) => match self.become_writer(key.holder()).await {
                Ok(fence) => return Ok(ControlFlow::Break((revision, fence))),
                Err(NotWriter::Never(error)) => return Err(error),
                Err(NotWriter::NotNow(cause)) => standby.trouble(&cause),
            },
            Ok(Taking::Held(by)) => standby.held(by),
            Ok(Taking::Raced) => {}
            Err(cause) => standby.trouble(&cause),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Appends the writer record behind the last one, so that of two that try at once one is refused.
    async fn become_writer(&self, holder: &str) -> Result<Fence, NotWriter> {
        let last = self.last_writer().await.map_err(NotWriter::NotNow)?;
        let now = SystemTime::now();
        let record = WriterRecord {
            holder: holder.to_owned(),
            time: jiff::Timestamp::try_from(now).unwrap_or_default().to_string(),
        };
        let payload = serde_json::to_vec(&record).map_err(|error| NotWriter::NotNow(Cause::new(error)))?;
        let mut id = [0; 16];
        rand::rng().fill_bytes(&mut id);
        let attributes = CloudEvent {
            id: hex::encode(id),
            kind: "archwire.writer.v1",
            source: "/broker".to_owned(),
            time: now,
            content_type: "application/json",
            traceparent: None,
        };
        let entry = Entry {
            subject: Subject::Writer,
            attributes,
            expected: last.map_or(Expected::Nothing, |(sequence, _)| Expected::Sequence(sequence)),
            payload: payload.into(),
        };
        let appended = match self.append(entry).await {
            Ok(appended) => appended,
            Err(
                error @ (AppendError::Conflict | AppendError::NotSent { .. } | AppendError::Unknown { .. }),
            ) => return Err(NotWriter::NotNow(Cause::new(error))),
            Err(source) => return Err(NotWriter::Never(LeaseError::Append { source })),
        };
        self.guards_hold().await?;
        Ok(Fence(appended.sequence))
    }

    /// Tries out whether the server heeds a fence.
    async fn guards_hold(&self) -> Result<(), NotWriter> {
        let writer = Subject::Writer.name(&self.inner.practice);
        let probe = format!("{writer}.probe");
        let records = &self.inner.records;
        let hold = records.guards_hold(&probe, &writer).await;
        if hold.map_err(NotWriter::NotNow)? {
            return Ok(());
        }
        let (found, needed) = (records.connection.version(), ServerVersion::OLDEST);
        Err(NotWriter::Never(LeaseError::NoGuard { found, needed }))
    }

    /// The sequence of the last writer record, and who wrote it where that can be read.
    pub(super) async fn last_writer(&self) -> Result<Option<(u64, Option<String>)>, Cause> {
        let subject = Subject::Writer.name(&self.inner.practice);
        let last = self.inner.records.last(&subject).await.map_err(Cause::new)?;
        Ok(last.map(|raw| {
            let record = serde_json::from_slice::<WriterRecord>(&raw.payload).ok();
            (raw.sequence, record.map(|record| record.holder))
        }))
    }
}

/// Why a holder of the lease is not the writer.
enum NotWriter {
    /// To be tried again.
    NotNow(Cause),
    Never(LeaseError),
}

fn check(holder: &str, config: LeaseConfig) -> Result<(), LeaseError> {
    if !(1..=LONGEST_HOLDER).contains(&holder.len()) || !holder.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(LeaseError::Holder);
    }
    let LeaseConfig { ttl, renew_every } = config;
    if renew_every.is_zero() || renew_every > ttl / 2 || ttl > LONGEST_TTL {
        return Err(LeaseError::Config { ttl, renew_every });
    }
    Ok(())
}

/// One that waits for the lease.
#[derive(Default)]
struct Standby {
    watch: Option<Watch>,
    told: Option<String>,
}

impl Standby {
    /// Watches the key, so that its release is noticed at once. Without a watch the looks have to do.
    async fn watch(&mut self, key: &Key) {
        if self.watch.is_none() {
            self.watch = key.watch().await;
        }
    }

    fn held(&mut self, by: String) {
        if self.told.as_ref() != Some(&by) {
            tracing::info!(holder = by, "another broker holds the lease; standing by");
            self.told = Some(by);
        }
    }

    fn trouble(&mut self, cause: &Cause) {
        let said = cause.to_string();
        if self.told.as_ref() != Some(&said) {
            tracing::warn!(%cause, "the lease cannot be had now; trying again");
            self.told = Some(said);
        }
    }

    /// Until the key is given back, and not longer than between two looks.
    async fn wait(&mut self) {
        let next_look = Instant::now() + BETWEEN_LOOKS;
        let released = async {
            match &mut self.watch {
                Some(watch) => watch.released().await,
                None => std::future::pending().await,
            }
        };
        if let Ok(Watched::Broken) = tokio::time::timeout_at(next_look, released).await {
            self.watch = None;
            tokio::time::sleep_until(next_look).await;
        }
    }
}
