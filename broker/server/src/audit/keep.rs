//! How long the audit is kept: what is older is let go of, from the beginning, in whole blocks, up to a checkpoint.
//!
//! What is let go of is signed and stored first, as a record like any other; only then does the server remove it. So a beginning that is
//! not there is either told by such a record or was taken away, and [`super::verify`] tells which. A kill in between leaves the record
//! and the beginning, and the next round lets go of it again. Nothing is let go of where the beginning is not what it was: it shows what
//! somebody did.
//!
//! No clock is believed at once: nothing is let go of before the broker has run for [`STEADY`] with a clock that went as time did, and
//! a round lets go of at most [`AT_ONCE`] of what is oldest. So a clock that is years ahead for a while costs a month of the audit, and
//! an audit that is to be kept for less from now on is let go of month by month.
//!
//! A round reads the audit from its beginning to the first block that has to be kept, once a day, and keeps the ends of
//! [`ENDS`] blocks in memory. Where nothing is signed, nothing is let go of.

use super::{
    Action, Audit, AuditError, ITSELF,
    chain::Hash,
    checkpoint::Checkpoint,
    removal::Removal,
    tail::{Behind, Tail},
};
use crate::api::status::with_causes;
use archwire_nats::AuditStored;
use archwire_proto::admin::v1::{AuditBlock, AuditRecord};
use futures_util::TryStreamExt as _;
use prost::Message as _;
use std::{
    collections::VecDeque,
    pin::pin,
    time::{Duration, Instant, SystemTime},
};
use tokio_util::sync::CancellationToken;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// How long the clock has to have gone as time did.
const STEADY: Duration = Duration::from_secs(12 * 3600);
/// How far it may have gone otherwise meanwhile.
const ADJUSTED: Duration = Duration::from_secs(60 * 60);
/// How much time of the audit is let go of in a round, or up to the first checkpoint where there is none in that time.
const AT_ONCE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Ends of blocks that are remembered. A checkpoint is in one of the next few blocks behind what it signs.
const ENDS: usize = 1024;

/// What was let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetGo {
    /// The place of the last record.
    pub through: u64,
    /// How many blocks the server removed.
    pub blocks: u64,
}

/// Everything up to a checkpoint, and where the stream goes on behind it.
struct Beginning {
    checkpoint: Checkpoint,
    /// The place in the stream of the first block that stays.
    next: u64,
}

impl Audit {
    /// Lets go of what is older than `keep`, once a day until `shutdown`.
    pub async fn keep_for(self, keep: Duration, shutdown: CancellationToken) {
        let mut pause = STEADY;
        loop {
            let began = (Instant::now(), SystemTime::now());
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            if !is_steady(began.0.elapsed(), began.1, SystemTime::now()) {
                tracing::warn!(
                    code = "audit_clock_set",
                    "the clock was set meanwhile; the audit lets go of nothing before it has been steady for a while"
                );
                pause = STEADY;
                continue;
            }
            pause = EVERY;
            match self.let_go(keep).await {
                Ok(None) => {}
                Ok(Some(LetGo { through, blocks })) => {
                    tracing::info!(
                        through,
                        blocks,
                        "records of the audit whose time is over were let go of"
                    );
                }
                Err(error) => tracing::warn!(
                    code = error.code(),
                    cause = with_causes(&error),
                    "the audit could not let go of what is too old; it is tried again tomorrow"
                ),
            }
        }
    }

    /// Lets go of what is older than `keep`; tells what that was, if anything.
    ///
    /// # Errors
    /// When the audit cannot be read or written, or the server does not let go: then nothing is lost that should not be.
    pub async fn let_go(&self, keep: Duration) -> Result<Option<LetGo>, AuditError> {
        let Some(key) = &self.0.key else {
            return Ok(None);
        };
        let Some(too_old) = SystemTime::now().checked_sub(keep) else {
            return Ok(None);
        };
        let Some(beginning) = self.beginning(too_old).await? else {
            return Ok(None);
        };
        if !self.0.stream.lets_go() {
            let code = "audit_kept_longer";
            tracing::warn!(
                code,
                "the audit's stream is from before it could let go of anything, and keeps everything"
            );
            return Ok(None);
        }
        let Some(removal) = Removal::of(&beginning.checkpoint, key, jiff::Timestamp::now()) else {
            return Ok(None);
        };
        let record = AuditRecord {
            program: ITSELF.to_owned(),
            action: Action::LetGo.as_str().to_owned(),
            removal: Some(removal.write()),
            ..AuditRecord::default()
        };
        self.append(record).await?;
        let blocks = self.0.stream.let_go_before(beginning.next).await;
        Ok(Some(LetGo {
            through: removal.index,
            blocks: blocks.map_err(AuditError::read)?,
        }))
    }

    /// The last checkpoint that is too old, with everything before it, if that is what it was.
    async fn beginning(&self, too_old: SystemTime) -> Result<Option<Beginning>, AuditError> {
        let mut walk = Walk::new(self, too_old);
        let mut stored = pin!(self.stored(0));
        while let Some(stored) = stored.try_next().await? {
            if stored.time > too_old || !walk.goes_on(&stored) || walk.is_enough(stored.time) {
                break;
            }
        }
        Ok(walk.found)
    }
}

/// From the beginning of the audit on.
struct Walk<'a> {
    audit: &'a Audit,
    too_old: SystemTime,
    tail: Option<Tail>,
    /// When the first block was stored.
    begins: Option<SystemTime>,
    /// What the chain came to behind the last blocks, and their places in the stream.
    ends: VecDeque<(u64, Hash, u64)>,
    found: Option<Beginning>,
}

impl<'a> Walk<'a> {
    fn new(audit: &'a Audit, too_old: SystemTime) -> Self {
        Self {
            audit,
            too_old,
            tail: None,
            begins: None,
            ends: VecDeque::new(),
            found: None,
        }
    }

    /// Whether something was found to let go of, and what comes now is too much for a round.
    fn is_enough(&mut self, stored_at: SystemTime) -> bool {
        let begins = *self.begins.get_or_insert(stored_at);
        let is_later = stored_at.duration_since(begins).is_ok_and(|time| time > AT_ONCE);
        is_later && self.found.is_some()
    }

    /// Takes the next message of the stream. Tells whether it fits what is before it.
    fn goes_on(&mut self, stored: &AuditStored) -> bool {
        let tail = match (self.tail, Tail::of(stored)) {
            (None, Some(tail)) => tail,
            (before, _) => {
                let before = before.unwrap_or_else(|| Tail::empty(self.audit.practice()));
                match before.behind(stored) {
                    Behind::Next(tail) => tail,
                    Behind::Broken(_) => {
                        super::tail::is_broken(stored.sequence);
                        return false;
                    }
                }
            }
        };
        self.tail = Some(tail);
        let Ok(block) = AuditBlock::decode(stored.payload.clone()) else {
            return true;
        };
        for record in block.records {
            let record = AuditRecord::decode(record).ok();
            if let Some(message) = record.and_then(|record| record.checkpoint) {
                self.heed(Checkpoint::read(self.audit.practice(), &message));
            }
        }
        if self.ends.len() == ENDS {
            self.ends.pop_front();
        }
        self.ends
            .push_back((tail.link.index, tail.link.hash, stored.sequence));
        true
    }

    fn heed(&mut self, checkpoint: Checkpoint) {
        let at = checkpoint.at.parse::<jiff::Timestamp>();
        let is_too_old = at.is_ok_and(|at| SystemTime::from(at) <= self.too_old);
        if !is_too_old || !checkpoint.is_signed() {
            return;
        }
        let mut ends = self.ends.iter().rev();
        let signed =
            ends.find(|(index, hash, _)| *index == checkpoint.index && checkpoint.hash() == Some(*hash));
        if let Some((_, _, sequence)) = signed {
            let next = sequence.saturating_add(1);
            self.found = Some(Beginning { checkpoint, next });
        }
    }
}

/// Whether the clock went on by as much time as there was.
fn is_steady(elapsed: Duration, from: SystemTime, to: SystemTime) -> bool {
    to.duration_since(from)
        .is_ok_and(|went_on| went_on.abs_diff(elapsed) <= ADJUSTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_not_believed() {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let year = Duration::from_secs(365 * 24 * 3600);
        assert!(is_steady(STEADY, began, began + STEADY));
        assert!(is_steady(STEADY, began, began + STEADY + ADJUSTED));
        for to in [began + STEADY + 6 * year, began - year, began] {
            assert!(!is_steady(STEADY, began, to));
        }
    }
}
