//! What is known of one connection, shared by its bytes and its calls.

use super::{Patience, refused};
use crate::api::gate::Interval;
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// One connection. Cheap to clone.
#[derive(Clone)]
pub(in crate::api) struct Connection(Arc<Inner>);

struct Inner {
    address: IpAddr,
    /// SHA-256 of the certificate that the other side showed.
    certificate: Option<[u8; 32]>,
    patience: Patience,
    use_: Mutex<Use>,
    cut: CancellationToken,
}

struct Use {
    /// Calls of those who were let in that have not ended.
    open: usize,
    was_used: bool,
    quiet_since: Instant,
    /// Calls that came to nothing.
    wasted: Interval,
}

/// A call of somebody who was let in; it has ended when this is dropped.
pub(in crate::api) struct OpenCall(Connection);

impl Connection {
    pub(super) fn new(address: IpAddr, certificate: Option<[u8; 32]>, patience: Patience) -> Self {
        Self(Arc::new(Inner {
            address,
            certificate,
            patience,
            use_: Mutex::new(Use {
                open: 0,
                was_used: false,
                quiet_since: Instant::now(),
                wasted: Interval::default(),
            }),
            cut: CancellationToken::new(),
        }))
    }

    /// Where the other side is.
    pub(in crate::api) fn address(&self) -> IpAddr {
        self.0.address
    }

    /// SHA-256 of the certificate that the other side showed, in DER form.
    pub(in crate::api) fn certificate(&self) -> Option<[u8; 32]> {
        self.0.certificate
    }

    /// A call of somebody who was let in.
    pub(in crate::api) fn call(&self) -> OpenCall {
        let mut use_ = self.in_use();
        use_.open += 1;
        use_.was_used = true;
        drop(use_);
        OpenCall(self.clone())
    }

    /// A call came to nothing: nobody was let in, it was too much, or it was taken back before an answer. Whoever sends
    /// thousands of those is cut off.
    pub(in crate::api) fn wasted(&self) {
        let mut use_ = self.in_use();
        let wasted = use_.wasted.take(Instant::now(), Interval::WASTED);
        drop(use_);
        if wasted.is_err() && !self.0.cut.is_cancelled() {
            tracing::warn!(address = %self.0.address, "a connection with too many calls that came to nothing is cut off");
            refused("cut_off");
            self.0.cut.cancel();
        }
    }

    /// Ends when the connection is to be cut off.
    pub(super) fn cut(&self) -> &CancellationToken {
        &self.0.cut
    }

    /// When the connection has been unused for too long, as things are; `None` while it is used.
    pub(super) fn unused_at(&self) -> Option<Instant> {
        let use_ = self.in_use();
        let patience = match use_.was_used {
            true => self.0.patience.idle,
            false => self.0.patience.first_call,
        };
        (use_.open == 0).then(|| use_.quiet_since + patience)
    }

    /// How long it may be unused at least.
    pub(super) fn shortest(&self) -> std::time::Duration {
        self.0.patience.first_call.min(self.0.patience.idle)
    }

    fn in_use(&self) -> std::sync::MutexGuard<'_, Use> {
        self.0.use_.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut use_ = self.0.in_use();
        use_.open = use_.open.saturating_sub(1);
        use_.quiet_since = Instant::now();
    }
}
