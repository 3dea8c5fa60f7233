//! The loop that takes connections. TLS begins beside it, so that nobody who is slow holds up the next one.

use super::{
    Patience,
    connection::{Bytes, Stream as Encrypted},
    places::{Full, Place, Places},
    refused,
    shown::Shown,
    state::Connection,
    tls::TlsNow,
};
use crate::audit::Audit;
use futures_util::{Stream, stream};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Between two attempts to take a connection when the process has too many files open.
const BETWEEN_ACCEPTS: Duration = Duration::from_millis(100);
/// How often it is said that connections are refused.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// The connections of a listener, ready for calls.
pub(in crate::api) fn incoming(
    listener: TcpListener,
    tls: Option<TlsNow>,
    places: Places,
    patience: Patience,
    audit: Audit,
) -> impl Stream<Item = io::Result<Bytes>> {
    let accepting = Accepting {
        listener,
        tls,
        places,
        patience,
        audit,
        beginning: JoinSet::new(),
        refused: Refused::default(),
    };
    stream::unfold(accepting, |mut accepting| async {
        let ready = accepting.next().await;
        Some((Ok(ready), accepting))
    })
}

struct Accepting {
    listener: TcpListener,
    tls: Option<TlsNow>,
    places: Places,
    patience: Patience,
    audit: Audit,
    /// No more than there are places.
    beginning: JoinSet<Option<Bytes>>,
    refused: Refused,
}

impl Accepting {
    async fn next(&mut self) -> Bytes {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, from)) => if let Some(ready) = self.begin(stream, from) {
                        return ready;
                    },
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the API cannot be taken");
                        sleep(BETWEEN_ACCEPTS).await;
                    }
                },
                Some(begun) = self.beginning.join_next() => if let Ok(Some(ready)) = begun {
                    return ready;
                },
            }
        }
    }

    /// Takes a connection within the bounds. It is ready unless TLS has to begin.
    fn begin(&mut self, stream: TcpStream, from: SocketAddr) -> Option<Bytes> {
        let address = from.ip().to_canonical();
        let place = match self.places.take(address, Instant::now()) {
            Ok(place) => place,
            Err(full) => {
                self.refused.count(address, full);
                return None;
            }
        };
        // Small answers must not wait for the acknowledgement of earlier ones (40 ms on Linux).
        _ = stream.set_nodelay(true);
        let patience = self.patience;
        let Some(tls) = &self.tls else {
            let state = Connection::new(address, None, patience, self.audit.clone());
            return Some(Bytes::new(Encrypted::Clear(stream), state, place, patience));
        };
        self.beginning.spawn(encrypt(
            tls.clone(),
            stream,
            address,
            place,
            patience,
            self.audit.clone(),
        ));
        None
    }
}

/// Begins TLS; nothing where that fails or takes too long.
async fn encrypt(
    tls: TlsNow,
    stream: TcpStream,
    address: IpAddr,
    place: Place,
    patience: Patience,
    audit: Audit,
) -> Option<Bytes> {
    let acceptor = TlsAcceptor::from(tls.config());
    let begun = timeout(patience.handshake, acceptor.accept(stream)).await;
    let stream = match begun {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "TLS does not begin");
            refused("tls_failed");
            if is_about_certificate(&error) {
                audit.authentication_failed(address, None, "tls_certificate_untrusted", 1);
            }
            return None;
        }
        Err(_) => {
            tracing::debug!(%address, "TLS does not begin in time");
            refused("tls_slow");
            return None;
        }
    };
    let (_, session) = stream.get_ref();
    let shown = Shown::of(session.peer_certificates(), &tls);
    let state = Connection::new(address, shown, patience, audit);
    Some(Bytes::new(
        Encrypted::Tls(Box::new(stream)),
        state,
        place,
        patience,
    ))
}

/// Whether somebody showed a certificate that no authority of the practice signed, or that is not valid now.
fn is_about_certificate(error: &io::Error) -> bool {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

/// Connections that were not taken and are not told of yet.
#[derive(Default)]
struct Refused {
    count: u64,
    said_at: Option<Instant>,
}

impl Refused {
    fn count(&mut self, address: IpAddr, full: Full) {
        refused(match full {
            Full::All => "connections_full",
            Full::Address => "address_full",
            Full::TooFast => "address_fast",
        });
        self.count += 1;
        let now = Instant::now();
        let said_lately = self.said_at.is_some_and(|at| now < at + SAID_EVERY);
        if said_lately {
            return;
        }
        match full {
            Full::All => {
                tracing::warn!(%address, count = self.count, "there are as many connections as there may be; more are refused")
            }
            Full::TooFast => {
                tracing::warn!(%address, count = self.count, "an address connects over and over; more is refused for a while")
            }
            Full::Address => {
                tracing::warn!(%address, count = self.count, "an address has as many connections as it may have; more are refused")
            }
        }
        *self = Self {
            count: 0,
            said_at: Some(now),
        };
    }
}
