//! Which of a practice's brokers writes: a lease that expires, and a fence that does not.
//!
//! The lease is a key in a bucket of its own, whose value the server forgets after `ttl` unless the holder renews it. Who
//! gets it appends a record to the log's writer subject; the sequence of that record is the fence. The lease decides who
//! *may try*; the fence decides whose appends are taken ([`Expected::Writer`]), so that a broker that was frozen and
//! believes itself the holder cannot append any more. Losing the key alone ends nothing: a holder that NATS was away
//! from takes it again and goes on, as long as nobody else's writer record stands in the log.
//!
//! Figures: a holder that dies is succeeded `ttl` after its last renewal and at most half a second later, so about 6 s
//! with the usual settings; one that releases the lease, or comes back under its own name, within moments.

mod error;
mod key;

pub use error::{LeaseError, LeaseLost};

use crate::{AppendError, Cause, CloudEvent, Entry, Expected, Log, ServerVersion};
use archwire_core::Subject;
use key::{Key, Taking, Watch, Watched};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::{
    ops::ControlFlow,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// How often one that waits for the lease looks; also the pause after trouble.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
const LONGEST_HOLDER: usize = 64;
const LONGEST_TTL: Duration = Duration::from_secs(60);

/// How long a lease lasts and how often it is renewed. The same for all brokers of a practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseConfig {
    /// After how long without renewal the lease is free: at most 60 s.
    pub ttl: Duration,
    /// How often the holder renews it: at most every half of `ttl`.
    pub renew_every: Duration,
}

impl Default for LeaseConfig {
    /// 5 s, renewed every 1.5 s.
    fn default() -> Self {
        let (ttl, renew_every) = (Duration::from_secs(5), Duration::from_millis(1500));
        Self { ttl, renew_every }
    }
}

/// The sequence of the record by which a broker became the writer of the log: what its appends are guarded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(u64);

impl Fence {
    /// The sequence.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        self.0
    }
}

/// The lease of a practice, held. Dropping it lets it expire; [`Lease::release`] hands it on at once.
pub struct Lease {
    log: Log,
    key: Key,
    config: LeaseConfig,
    fence: Fence,
    /// The key's revision as of the last renewal; `None` while it is not known to be ours.
    revision: Option<u64>,
    next_renewal: Instant,
    /// So that trouble that lasts is told once.
    in_trouble: bool,
}

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
    async fn last_writer(&self) -> Result<Option<(u64, Option<String>)>, Cause> {
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

impl Lease {
    /// What this broker's appends are guarded by.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Keeps the lease until it is lost: until somebody else has become the writer. A server that is away, for however
    /// long, is waited for.
    ///
    /// May be dropped and called again.
    pub async fn keep(&mut self) -> LeaseLost {
        loop {
            tokio::time::sleep_until(self.next_renewal).await;
            let connection = self.log.inner.records.connection.clone();
            connection.connected().await;
            let mut wire = connection.wire();
            // What is asked of a server that is lost, or hangs, must not cost the lease.
            let renewed = tokio::select! {
                renewed = tokio::time::timeout(self.config.ttl / 2, self.renew()) => renewed,
                () = wire.made_anew() => continue,
            };
            let pause = match renewed.unwrap_or_else(|elapsed| Err(Cause::new(elapsed))) {
                Ok(Renewal::Kept) => {
                    self.in_trouble = false;
                    self.config.renew_every
                }
                Ok(Renewal::Lost(lost)) => return lost,
                Ok(Renewal::Wanting(by)) => {
                    self.trouble(&format!("{by} holds it"));
                    BETWEEN_LOOKS
                }
                Err(cause) => {
                    self.trouble(&cause.to_string());
                    BETWEEN_LOOKS
                }
            };
            self.next_renewal = Instant::now() + pause;
        }
    }

    /// Gives the lease back, so that another broker has it at once. When that fails it expires.
    ///
    /// Appends that are still guarded by its fence go on being taken until there is another writer.
    pub async fn release(self) {
        if let Err(cause) = self.key.give_back().await {
            tracing::warn!(%cause, "the lease is not given back and has to expire");
        }
    }

    async fn renew(&mut self) -> Result<Renewal, Cause> {
        if let Some((sequence, holder)) = self.log.last_writer().await?
            && sequence > self.fence.sequence()
        {
            let holder = holder.unwrap_or_else(|| "unknown".to_owned());
            return Ok(Renewal::Lost(LeaseLost { holder }));
        }
        if let Some(revision) = self.revision.take() {
            self.revision = self.key.write(revision).await?;
        }
        if self.revision.is_some() {
            return Ok(Renewal::Kept);
        }
        // It expired while the server was away, or an answer of it went astray.
        match self.key.take().await? {
            Taking::Taken(revision) => {
                self.revision = Some(revision);
                Ok(Renewal::Kept)
            }
            Taking::Held(by) => Ok(Renewal::Wanting(by)),
            Taking::Raced => Ok(Renewal::Wanting("somebody else".to_owned())),
        }
    }

    fn trouble(&mut self, cause: &str) {
        if !self.in_trouble {
            tracing::warn!(cause, "the lease cannot be renewed now; trying again");
        }
        self.in_trouble = true;
    }
}

/// How a renewal ended.
enum Renewal {
    Kept,
    /// There is another writer.
    Lost(LeaseLost),
    /// This broker is still the writer, but another one has the key.
    Wanting(String),
}
