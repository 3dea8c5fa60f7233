//! What vendors may have been told before the last broker was cut off. Once, at a start.

use super::{
    Action, Audit, AuditError, CutOff,
    disclosure::{MOST_BEHIND, sent},
    streams,
    writer::Later,
};
use archwire_nats::{Filter, Log, Stored};
use archwire_proto::admin::v1::AuditRecord;
use futures_util::TryStreamExt as _;
use std::pin::pin;

/// Subscriptions that are presumed about before it is waited for that it is stored: fewer records than there is room for in the queue.
const PRESUMED_AT_ONCE: usize = 64;

impl Audit {
    /// Writes down, of every subscription that was cut off, which events may have gone out: those that are for the vendor, as `sees`
    /// tells by the record that opened it; `None` where that is not known any more. To be called once, before anybody subscribes.
    /// Tells how many there were.
    ///
    /// # Errors
    /// When the log cannot be read, or nothing is stored: what is not written then will be by the next start.
    pub async fn presume(
        &self,
        log: &Log,
        sees: impl Fn(&AuditRecord, &Stored) -> Option<bool> + Send,
    ) -> Result<u64, AuditError> {
        let mut presumed = 0;
        for (number, cut_off) in self.cut_off().into_iter().enumerate() {
            if number > 0 && number.is_multiple_of(PRESUMED_AT_ONCE) {
                self.settle().await?;
            }
            presumed += self.presume_of(cut_off, log, &sees).await?;
        }
        self.settle().await?;
        Ok(presumed)
    }

    /// The same of one subscription, handed over.
    async fn presume_of(
        &self,
        cut_off: CutOff,
        log: &Log,
        sees: &(impl Fn(&AuditRecord, &Stored) -> Option<bool> + Send),
    ) -> Result<u64, AuditError> {
        let CutOff {
            stream,
            opened,
            through,
            allowed,
            bound,
        } = cut_off;
        let allowed = MOST_BEHIND.min(usize::try_from(allowed).unwrap_or(MOST_BEHIND));
        let (mut presumed, mut last) = (0, through);
        if allowed > 0 {
            let mut events = Vec::new();
            // Whether the first ones are those that went out.
            let mut is_known = bound == 0 || !opened.filtered;
            let mut records = pin!(log.replay(through.saturating_add(1), Filter::Events));
            while let Some(stored) = records.try_next().await.map_err(AuditError::read)? {
                let is_enough = (is_known && events.len() >= allowed) || events.len() >= MOST_BEHIND;
                if is_enough || (bound > 0 && stored.sequence > bound) {
                    break;
                }
                let seen = sees(&opened, &stored);
                is_known &= seen.is_some() || bound == 0;
                if seen != Some(false) {
                    events.extend(sent(&stored));
                }
            }
            presumed = u64::try_from(events.len()).unwrap_or_default();
            for record in streams::sent(Action::Presumed, stream, &opened, &events) {
                last = last.max(record.through);
                self.hand_over(Later::Note(Box::new(record))).await?;
            }
        }
        let closed = Later::Closed {
            stream,
            through: last,
        };
        self.hand_over(closed).await?;
        Ok(presumed)
    }
}
