//! Where another broker has written meanwhile, or somebody has cut off the end.

use super::Writing;
use crate::audit::{
    AuditError, ahead,
    pending::{Item, Origin},
    tail::{self, Behind},
};
use archwire_nats::AppendError;
use futures_util::TryStreamExt as _;
use std::{pin::pin, sync::Arc};

impl Writing {
    /// Takes over what another broker has written behind the last block that is known here.
    pub(super) async fn take_over(&mut self) -> Result<(), AuditError> {
        let before = self.writer.tail.sequence;
        let unread = |error| AuditError::Read(Arc::new(error));
        let mut behind = pin!(self.writer.stream.read(before.saturating_add(1)));
        while let Some(stored) = behind.try_next().await.map_err(unread)? {
            self.writer.tail = match self.writer.tail.behind(&stored) {
                Behind::Next(tail) => tail,
                Behind::Broken(tail) => {
                    tail::is_broken(stored.sequence);
                    tail
                }
            };
        }
        if self.writer.tail.sequence == before {
            self.miss().await?;
        }
        let place = self.writer.tail.log_sequence;
        let known = ahead::within(&self.writer.log, place).await.map_err(unread)?;
        if known < place {
            self.writer.tail.log_sequence = known;
            self.pending
                .push(Item::new(&ahead::told(place, known), Origin::Note));
        }
        self.pending.forget_through(known);
        Ok(())
    }

    /// The last block that is known here is not there any more. Going on behind it, so that this shows for ever.
    async fn miss(&mut self) -> Result<(), AuditError> {
        let last = self.writer.stream.last().await;
        let last = last.map_err(|error| AuditError::Read(Arc::new(error)))?;
        let found = last.map_or(0, |last| last.sequence);
        if found == self.writer.tail.sequence {
            return Err(AuditError::Append(Arc::new(AppendError::Conflict)));
        }
        tracing::error!(
            code = "audit_cut_off",
            known = self.writer.tail.sequence,
            found,
            "the end of the audit is gone; `archwire audit verify` tells what"
        );
        self.writer.tail.sequence = found;
        Ok(())
    }
}
