//! What is known of one connection, shared by its bytes and its calls.

use super::{Patience, refused, shown::Shown};
use crate::{api::gate::Interval, audit::Audit, vendors::Admitted};
use archwire_core::SystemName;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// One connection. Cheap to clone.
#[derive(Clone)]
pub(in crate::api) struct Connection(Arc<Inner>);

struct Inner {
    address: IpAddr,
    /// The certificate that the other side showed, and its SHA-256.
    shown: Option<(Shown, [u8; 32])>,
    audit: Audit,
    patience: Patience,
    use_: Mutex<Use>,
    cut: CancellationToken,
}

struct Use {
    /// Calls of those who were let in that have not ended: no more than HTTP/2 lets a connection have.
    calls: HashMap<u64, Call>,
    /// How many there have been.
    count: u64,
    quiet_since: Instant,
    /// Calls that need no token and have not ended.
    strangers: usize,
    /// Calls that came to nothing.
    wasted: Interval,
}

/// A call that has not ended.
struct Call {
    admitted: Admitted,
    /// Since when whoever made it is not let in any more, as far as that was seen.
    lost_since: Option<Instant>,
    /// When the last of its answer was taken that was taken, for calls that are no streams.
    taken_at: Option<Instant>,
}

/// A call of somebody who was let in; it has ended when this is dropped.
pub(in crate::api) struct OpenCall {
    connection: Connection,
    number: u64,
}

/// A call that needs no token; it has ended when this is dropped.
pub(in crate::api) struct StrangersCall(Connection);

/// How a connection is, when somebody looks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Look again then.
    Fine(Instant),
    /// Nobody uses it, or it has been there for as long as it may.
    Over,
    /// It holds what it should have let go.
    Stuck,
    /// The certificate that was shown does not count any more.
    Untrusted,
}

impl Connection {
    pub(super) fn new(address: IpAddr, shown: Option<Shown>, patience: Patience, audit: Audit) -> Self {
        let now = Instant::now();
        let digested = |shown: Shown| {
            let digest = shown.digest();
            (shown, digest)
        };
        Self(Arc::new(Inner {
            address,
            shown: shown.map(digested),
            audit,
            patience,
            use_: Mutex::new(Use {
                calls: HashMap::new(),
                count: 0,
                quiet_since: now,
                strangers: 0,
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
        self.0.shown.as_ref().map(|(_, digest)| *digest)
    }

    /// A call of somebody who was let in.
    pub(in crate::api) fn call(&self, admitted: Admitted) -> OpenCall {
        let mut use_ = self.in_use();
        let number = use_.count;
        use_.count += 1;
        let call = Call {
            admitted,
            lost_since: None,
            taken_at: None,
        };
        use_.calls.insert(number, call);
        drop(use_);
        OpenCall {
            connection: self.clone(),
            number,
        }
    }

    /// A call that needs no token; none when there are too many.
    pub(in crate::api) fn strangers_call(&self, most: usize) -> Option<StrangersCall> {
        let mut use_ = self.in_use();
        if use_.strangers >= most {
            return None;
        }
        use_.strangers += 1;
        drop(use_);
        Some(StrangersCall(self.clone()))
    }

    /// A call came to nothing: nobody was let in, it was too much, or it was taken back before an answer. Whoever sends
    /// thousands of those is cut off.
    pub(in crate::api) fn wasted(&self) {
        let mut use_ = self.in_use();
        let wasted = use_.wasted.take(Instant::now(), Interval::WASTED);
        drop(use_);
        if wasted.is_err() {
            self.cut_off("too many of its calls came to nothing");
        }
    }

    /// Ends the connection, whatever it is at.
    pub(super) fn cut_off(&self, why: &'static str) {
        if !self.0.cut.is_cancelled() {
            tracing::warn!(address = %self.0.address, why, "a connection to the API is cut off");
            refused("cut_off");
            self.0.cut.cancel();
        }
    }

    /// Ends when the connection is to be cut off.
    pub(super) fn cut(&self) -> &CancellationToken {
        &self.0.cut
    }

    /// How it is. Calls that were lost, and answers that are not taken, are seen at the second look at the latest; a certificate is
    /// looked at each time.
    pub(super) fn look(&self, now: Instant) -> Standing {
        let Some((shown, _)) = &self.0.shown else {
            return self.look_at_use(now);
        };
        if let Err(code) = shown.look() {
            // It is looked at until it is gone, and told of once.
            if !self.0.cut.is_cancelled() {
                let vendor = self.vendor();
                let (address, audit) = (self.0.address, &self.0.audit);
                audit.authentication_failed(address, vendor.as_ref(), code, 1);
            }
            return Standing::Untrusted;
        }
        match self.look_at_use(now) {
            Standing::Fine(until) => Standing::Fine(until.min(now + self.0.patience.certified)),
            other => other,
        }
    }

    /// Whose calls are made on it, where there are any.
    fn vendor(&self) -> Option<SystemName> {
        let use_ = self.in_use();
        let call = use_.calls.values().next();
        call.map(|call| call.admitted.vendor().clone())
    }

    fn look_at_use(&self, now: Instant) -> Standing {
        let Patience {
            first_call,
            idle,
            taken,
            ..
        } = self.0.patience;
        let mut use_ = self.in_use();
        for call in use_.calls.values_mut() {
            match call.admitted.standing() {
                Ok(_) => call.lost_since = None,
                Err(_) => _ = call.lost_since.get_or_insert(now),
            }
            let since = [call.lost_since, call.taken_at].into_iter().flatten().min();
            if since.is_some_and(|since| now >= since + taken) {
                return Standing::Stuck;
            }
        }
        if !use_.calls.is_empty() {
            return Standing::Fine(now + first_call.min(idle).min(taken));
        }
        let until = use_.quiet_since + if use_.count == 0 { first_call } else { idle };
        match until <= now {
            true => Standing::Over,
            // A call that begins meanwhile is looked at in time.
            false => Standing::Fine(until.min(now + taken)),
        }
    }

    fn in_use(&self) -> MutexGuard<'_, Use> {
        self.0.use_.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenCall {
    /// Some of an answer was taken, or it begins: the rest has to be within a time.
    pub(in crate::api) fn is_taken(&self) {
        let mut use_ = self.connection.in_use();
        if let Some(call) = use_.calls.get_mut(&self.number) {
            call.taken_at = Some(Instant::now());
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut use_ = self.connection.in_use();
        use_.calls.remove(&self.number);
        use_.quiet_since = Instant::now();
    }
}

impl Drop for StrangersCall {
    fn drop(&mut self) {
        let mut use_ = self.0.in_use();
        use_.strangers = use_.strangers.saturating_sub(1);
    }
}
