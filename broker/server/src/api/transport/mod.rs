//! Connections: taken within bounds, encrypted, and let go when nobody uses them.
//!
//! Bounds: [`Connections`](crate::config::Connections) in all and from one address of another machine, three quarters of all from
//! this machine; who comes beyond them finds the connection closed. [`HANDSHAKE`] for TLS, [`FIRST_CALL`] until somebody who is
//! let in calls, [`IDLE`] without such a call; [`STALL`] for taking some of what is sent, [`TAKEN`] for what should have been let go, and
//! every [`CERTIFIED`] it is seen whether a certificate that was shown still counts. Files of TLS are looked at every [`LOOK_EVERY`].

mod accepting;
mod connection;
mod files;
mod places;
mod shown;
mod state;
mod tls;

pub(super) use accepting::incoming;
pub use files::TlsError;
pub(super) use places::Places;
pub(crate) use places::network;
pub(super) use state::{Connection, OpenCall, StrangersCall};
pub(super) use tls::Certificates;

use archwire_core::metric;
use metrics::counter;
use std::time::Duration;

/// Counts a connection or a call that is not taken.
pub(super) fn refused(code: &'static str) {
    counter!(metric::API_REFUSED, "code" => code).increment(1);
}

/// How long TLS may take to begin.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may go without a call of somebody who is let in, at first and later.
const FIRST_CALL: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(300);
/// How long a connection may take nothing of what is sent to it.
const STALL: Duration = Duration::from_secs(30);
/// How long it may hold a call whose contract is lost, or take nothing of an answer that is no stream.
const TAKEN: Duration = Duration::from_secs(60);
/// How often it is seen whether the certificate that it showed has expired, or its authority is not believed any more. That costs the
/// time of a few signatures, 0.2 ms or so.
const CERTIFIED: Duration = Duration::from_secs(5);
/// How often it is seen whether the certificate is another one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long connections wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long TLS may take to begin.
    pub handshake: Duration,
    /// How long a connection may be open before somebody who is let in calls.
    pub first_call: Duration,
    /// How long a connection may be without such a call later.
    pub idle: Duration,
    /// How long it may take nothing of what is sent to it.
    pub stall: Duration,
    /// How long it may hold a call whose contract is lost, or take nothing of an answer that is no stream.
    pub taken: Duration,
    /// How often it is seen whether the certificate that it showed still counts.
    pub certified: Duration,
    /// How often it is seen whether the certificate is another one.
    pub look_every: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE,
            first_call: FIRST_CALL,
            idle: IDLE,
            stall: STALL,
            taken: TAKEN,
            certified: CERTIFIED,
            look_every: LOOK_EVERY,
        }
    }
}
