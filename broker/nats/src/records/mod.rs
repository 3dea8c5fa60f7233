//! A stream that records are appended to and read from: what the log and the audit have in common. What a record is
//! about is for others to know.

mod append;
mod batch;
mod error;
mod probe;
mod read;

pub use append::{Appended, CloudEvent};
pub(crate) use append::{GUARDING_SUBJECT, Guard, Outgoing, REQUESTS, TRACEPARENT, is_full};
pub(crate) use batch::Request;
pub use error::AppendError;
pub(crate) use read::Raw;
pub use read::ReadError;

use crate::Connection;
use async_nats::jetstream::{self, stream};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// A stream, opened and verified; cheap to clone.
#[derive(Clone)]
pub(crate) struct Records {
    pub(crate) connection: Connection,
    pub(crate) stream: stream::Stream,
    /// A context whose acknowledgements may take as long as an append may.
    pub(crate) appending: jetstream::Context,
    pub(crate) append_timeout: Duration,
    turns: Arc<Mutex<()>>,
}

impl Records {
    pub(crate) fn new(connection: Connection, stream: stream::Stream, append_timeout: Duration) -> Self {
        let mut appending = connection.jetstream.clone();
        appending.set_timeout(append_timeout);
        Self {
            connection,
            stream,
            appending,
            append_timeout,
            turns: Arc::new(Mutex::new(())),
        }
    }

    /// Another stream over the same connection, with the same patience.
    pub(crate) fn beside(&self, stream: stream::Stream) -> Self {
        Self::new(self.connection.clone(), stream, self.append_timeout)
    }
}
