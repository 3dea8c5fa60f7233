//! The port on which images are handed out: who may connect, and for how long.

use super::{HostKey, HostKeyError, Offers, offers::Offered, session, tally::Tally};
use russh::server::{Config, run_stream};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Shutdown, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// Connections at the same time.
const CONNECTIONS: usize = 16;
/// Connections from one address at the same time.
const FROM_ONE: usize = 8;
/// How long logging in may take.
const LOG_IN: Duration = Duration::from_secs(20);
/// How long a connection that is cut off has to end.
const LAST: Duration = Duration::from_secs(1);
/// How long the port rests when no connection can be accepted, for want of files.
const REST: Duration = Duration::from_millis(200);

/// Why images are not handed out.
#[derive(Debug, thiserror::Error)]
pub enum SftpError {
    /// The key.
    #[error("the broker has no key to be known by")]
    HostKey(#[from] HostKeyError),
    /// The port.
    #[error("cannot listen on {address} (`images.sftp.listen`)")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

impl SftpError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::HostKey(error) => error.code(),
            Self::Listen { .. } => "sftp_listen_failed",
        }
    }
}

/// Hands images out on a port.
pub struct SftpServer {
    listener: TcpListener,
    config: Arc<Config>,
    offers: Offers,
}

/// How many are connected, by address.
#[derive(Clone, Default)]
struct Connected(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One that is connected.
struct Place {
    connected: Connected,
    address: IpAddr,
}

impl SftpServer {
    /// Takes the port.
    ///
    /// # Errors
    /// When somebody else has it, or this process may not have it.
    pub async fn bind(listen: SocketAddr, key: HostKey, offers: Offers) -> Result<Self, SftpError> {
        let failed = |source| SftpError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let fingerprint = key.fingerprint();
        let address = listener.local_addr().map_err(failed)?;
        tracing::info!(%address, fingerprint, "hands images out by SFTP");
        Ok(Self {
            listener,
            config: session::config(key.into_key()),
            offers,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Hands out until `shutdown`, and what is handed out then to its end.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            listener,
            config,
            offers,
        } = self;
        let reception = Reception {
            config,
            offers: offers.clone(),
            connected: Connected::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            refused: Refused::default(),
        };
        let over = async {
            shutdown.cancelled().await;
            offers.none_left().await;
        };
        tokio::select! {
            () = over => {}
            () = reception.receive(&listener) => {}
        }
        drop(listener);
        reception.closing.cancel();
        reception.tasks.close();
        reception.tasks.wait().await;
    }
}

/// What strangers were refused.
#[derive(Default)]
struct Refused {
    nothing_offered: Tally,
    too_many: Tally,
    not_accepted: Tally,
    logins: Arc<Tally>,
}

/// What all connections share.
struct Reception {
    config: Arc<Config>,
    offers: Offers,
    connected: Connected,
    tasks: TaskTracker,
    closing: CancellationToken,
    refused: Refused,
}

impl Reception {
    async fn receive(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(place) = self.place(peer.ip()) {
                        self.begin(stream, place);
                    }
                }
                Err(error) => {
                    if let Some(count) = self.refused.not_accepted.one_more() {
                        tracing::warn!(count, %error, "connections to the SFTP port could not be accepted");
                    }
                    sleep(REST).await;
                }
            }
        }
    }

    /// `None` for whoever can get nothing here, so that nobody is in the way of a program that can.
    fn place(&self, address: IpAddr) -> Option<Place> {
        if self.offers.is_none() {
            if let Some(count) = self.refused.nothing_offered.one_more() {
                tracing::warn!(
                    code = "sftp_nothing_offered",
                    count,
                    "connections to the SFTP port were closed, because no image is handed out now"
                );
            }
            return None;
        }
        let place = self.connected.enter(address);
        if place.is_none()
            && let Some(count) = self.refused.too_many.one_more()
        {
            tracing::warn!(
                code = "sftp_too_many_connections",
                count,
                "connections to the SFTP port were closed, because there are too many"
            );
        }
        place
    }

    fn begin(&self, stream: TcpStream, place: Place) {
        let (sender, logged_in) = oneshot::channel();
        let over = CancellationToken::new();
        let visitor = session::Visitor {
            offers: self.offers.clone(),
            logged_in: sender,
            tasks: self.tasks.clone(),
            over: over.clone(),
            refused: Arc::clone(&self.refused.logins),
            held: (place, self.tasks.token()),
        };
        let visit = Visit {
            config: Arc::clone(&self.config),
            connection: session::Connection::new(visitor),
            logged_in,
            over,
            closing: self.closing.clone(),
        };
        self.tasks.spawn(async move {
            if let Err(error) = visit.serve(stream).await {
                tracing::debug!(%error, "a connection to the SFTP port ended with an error");
            }
        });
    }
}

/// One connection. Its place is taken, and the end of the server waited for, until russh's task has ended too.
struct Visit {
    config: Arc<Config>,
    connection: session::Connection<(Place, TaskTrackerToken)>,
    logged_in: oneshot::Receiver<Arc<Offered>>,
    over: CancellationToken,
    closing: CancellationToken,
}

impl Visit {
    /// Serves a connection until it ends by itself, nobody logs in in time, or its offer ends.
    async fn serve(self, stream: TcpStream) -> Result<(), russh::Error> {
        // Whatever ends it, what answers the program ends with it.
        let _ends = self.over.drop_guard();
        let stream = stream.into_std()?;
        let plug = stream.try_clone()?;
        let stream = TcpStream::from_std(stream)?;
        let session = async { run_stream(self.config, stream, self.connection).await?.await };
        tokio::pin!(session);
        let over = async {
            if let Ok(Ok(offered)) = timeout(LOG_IN, self.logged_in).await {
                offered.ended.cancelled().await;
            }
        };
        tokio::select! {
            ended = &mut session => return ended,
            () = self.closing.cancelled() => {}
            () = over => {}
        }
        // The session runs in a task of its own, which ends when it can neither read nor write any more.
        _ = plug.shutdown(Shutdown::Both);
        timeout(LAST, session).await.unwrap_or(Ok(()))
    }
}

impl Connected {
    fn enter(&self, address: IpAddr) -> Option<Place> {
        let mut connected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = connected.values().sum();
        let own = connected.get(&address).copied().unwrap_or(0);
        if all >= CONNECTIONS || own >= FROM_ONE {
            return None;
        }
        connected.insert(address, own + 1);
        Some(Place {
            connected: self.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connected = self.connected.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = connected.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connected.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_all_places() {
        let connected = Connected::default();
        let [one, two, three]: [IpAddr; 3] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| text.parse().unwrap());
        let mut places: Vec<_> = (0..FROM_ONE).filter_map(|_| connected.enter(one)).collect();
        assert_eq!(places.len(), FROM_ONE);
        assert!(connected.enter(one).is_none());
        places.extend((0..FROM_ONE).filter_map(|_| connected.enter(two)));
        assert_eq!(places.len(), CONNECTIONS);
        assert!(connected.enter(three).is_none());
        drop(places);
        assert!(connected.enter(three).is_some());
    }
}
