//! Whether the server refuses what is guarded by another subject when the guard does not hold.
//!
//! A server that does not know the guard takes the record without a word, so that it has to be tried out. Nothing is
//! stored by that: the attempt carries a second condition that no log fulfils, and the refusal tells which one the
//! server looked at.

use super::{Records, append::GUARDING_SUBJECT};
use crate::Cause;
use async_nats::{
    HeaderValue, header,
    jetstream::{context::PublishErrorKind, message::PublishMessage},
};

/// The client library writes headers in random order, and servers from 2.11.0 to 2.11.6 know the guard in one order
/// only: so many attempts leave one such server in 65,536 undiscovered.
const ATTEMPTS: usize = 16;
/// The id of no record.
const NO_ID: &str = "archwire-none";

impl Records {
    /// Tries it out: `guarding` is a subject with a record, `empty` one without.
    pub(crate) async fn guards_hold(&self, empty: &str, guarding: &str) -> Result<bool, Cause> {
        for _ in 0..ATTEMPTS {
            if !self.guard_holds(empty, guarding).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn guard_holds(&self, empty: &str, guarding: &str) -> Result<bool, Cause> {
        let guarding: HeaderValue = guarding.parse().map_err(Cause::new)?;
        // True of `empty`, and not of `guarding`.
        let message = PublishMessage::build()
            .expected_last_subject_sequence(0)
            .header(GUARDING_SUBJECT, guarding)
            .header(header::NATS_EXPECTED_LAST_MESSAGE_ID, NO_ID);
        let sent = self.appending.send_publish(empty.to_owned(), message).await;
        let outcome = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(true),
            Err(error) if error.kind() == PublishErrorKind::WrongLastMessageId => Ok(false),
            Err(error) => Err(Cause::new(error)),
            Ok(_) => Ok(false),
        }
    }
}
