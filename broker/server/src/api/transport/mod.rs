//! Connections: taken within bounds, encrypted, and let go when nobody uses them.
//!
//! Bounds: [`Connections`](crate::config::Connections) in all and from one address of another machine, three quarters of all from
//! this machine; who comes beyond them finds the connection closed. [`HANDSHAKE`] for TLS, [`FIRST_CALL`] until somebody who is
//! let in calls, [`IDLE`] without such a call. Files of TLS are looked at every [`LOOK_EVERY`].

mod accepting;
mod connection;
mod files;
mod places;
mod state;
mod tls;

pub(super) use accepting::incoming;
pub use files::TlsError;
pub(super) use places::{Places, network};
pub(super) use state::{Connection, OpenCall};
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
    /// How often it is seen whether the certificate is another one.
    pub look_every: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE,
            first_call: FIRST_CALL,
            idle: IDLE,
            look_every: LOOK_EVERY,
        }
    }
}
