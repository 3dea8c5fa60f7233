//! A connection to a server, of whichever kind. It comes back by itself when it is lost.
//!
//! Bounds: a request waits 5 s for its answer; at most 2,048 commands wait to be written, and whoever comes later
//! waits for them; at most 10,000 appends await their acknowledgement, and later ones wait.

use crate::{Cause, ConnectError, ServerVersion};
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr,
    jetstream::{self, ErrorCode, context::ContextBuilder},
};
use secrecy::{ExposeSecret, SecretString};
use std::{net::SocketAddr, time::Duration};
use tokio::sync::watch;

const LONGEST_REQUEST: Duration = Duration::from_secs(5);
/// More than any broker has callers, so that concurrent appends do not wait for each other.
const MOST_APPENDS: usize = 10_000;
/// A connection; cheap to clone.
#[derive(Clone)]
pub struct Connection {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    link: watch::Receiver<Link>,
    version: ServerVersion,
    flush: Flush,
}

/// What is known of the server's flushing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flush {
    /// The server itself said that it flushes every write.
    Verified,
    /// A server does not tell its clients.
    Unknown,
}

/// The state of the wire, as its events tell it, one after the other.
#[derive(Debug, Clone, Default)]
struct Link {
    up: bool,
    /// How often it was made.
    made: u64,
    last_error: Option<String>,
}

/// How the connection is, for a readiness probe: no request is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether the server can be talked to.
    pub connected: bool,
    /// How often the connection was lost and made again.
    pub reconnects: u64,
    /// The last trouble with it, in the client library's words.
    pub last_error: Option<String>,
}

impl Connection {
    /// How the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        let link = self.link.borrow();
        let reconnects = link.made.saturating_sub(1);
        Status {
            connected: link.up,
            reconnects,
            last_error: link.last_error.clone(),
        }
    }

    /// The version of the server that was connected to first.
    #[must_use]
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// Sends what is still waiting to be sent and closes the connection. Streams over it end or stand still.
    pub async fn close(&self) {
        if let Err(error) = self.client.drain().await {
            tracing::debug!(%error, "the connection was closed already");
        }
    }

    pub(crate) fn flush(&self) -> Flush {
        self.flush
    }

    /// A watch on the wire, by which a reader learns that the server may have forgotten it.
    pub(crate) fn wire(&self) -> Wire {
        let link = self.link.clone();
        let made = link.borrow().made;
        Wire { link, made }
    }

    /// Returns when there is a connection. Waits for ever on one that is closed.
    pub(crate) async fn connected(&self) {
        let mut link = self.link.clone();
        let closed = link.wait_for(|link| link.up).await.is_err();
        if closed {
            std::future::pending::<()>().await;
        }
    }
}

/// One reader's watch on the wire.
pub(crate) struct Wire {
    link: watch::Receiver<Link>,
    made: u64,
}

impl Wire {
    /// Returns when the connection has been made anew since the watch began, and at once from then on. Waits for ever
    /// on a closed one.
    pub(crate) async fn made_anew(&mut self) {
        let before = self.made;
        let closed = self.link.wait_for(|link| link.made != before).await.is_err();
        if closed {
            std::future::pending::<()>().await;
        }
    }
}

/// A server, and how to treat it.
pub(crate) struct Target<'a> {
    pub(crate) servers: Vec<ServerAddr>,
    /// The servers as they may be shown.
    pub(crate) shown: &'a str,
    pub(crate) options: ConnectOptions,
    pub(crate) flush: Flush,
    /// How long connecting may take.
    pub(crate) timeout: Duration,
    /// Most time between two attempts to connect again.
    pub(crate) longest_pause: Duration,
}

/// Connects to a server of our own, which is back within moments when it was lost.
pub(crate) async fn connect_supervised(
    address: SocketAddr,
    token: &SecretString,
) -> Result<Connection, ConnectError> {
    let shown = format!("nats://{address}");
    let server = shown.parse().map_err(|error| ConnectError::Url {
        source: Cause::new(error),
    })?;
    let target = Target {
        servers: vec![server],
        shown: &shown,
        options: ConnectOptions::with_token(token.expose_secret().to_owned()),
        flush: Flush::Verified,
        timeout: LONGEST_REQUEST,
        longest_pause: Duration::from_millis(50),
    };
    target.connect().await
}

impl Target<'_> {
    /// Connects, and finds out whether the server will do.
    pub(crate) async fn connect(self) -> Result<Connection, ConnectError> {
        let Self {
            servers,
            shown,
            options,
            flush,
            timeout,
            longest_pause,
        } = self;
        let (sender, link) = watch::channel(Link::default());
        let options = options
            .name("archwire")
            .connection_timeout(timeout)
            .request_timeout(Some(LONGEST_REQUEST))
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(move |attempt| pause(attempt, longest_pause))
            .event_callback(move |event| {
                note(&sender, event);
                std::future::ready(())
            });
        let client = match tokio::time::timeout(timeout, options.connect(servers)).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(refused(shown, error)),
            Err(elapsed) => return Err(not_reachable(shown, elapsed)),
        };
        let version = version(&client, shown)?;
        let jetstream = ContextBuilder::new()
            .timeout(LONGEST_REQUEST)
            .max_ack_inflight(MOST_APPENDS)
            .build(client.clone());
        has_jetstream(&jetstream, shown).await?;
        let connection = Connection {
            client,
            jetstream,
            link,
            version,
            flush,
        };
        // The event of the connection comes a moment behind the connection.
        connection.connected().await;
        Ok(connection)
    }
}

/// 0, 10, 20, 40 ms and so on.
fn pause(attempt: usize, longest: Duration) -> Duration {
    match u32::try_from(attempt) {
        Ok(0 | 1) => Duration::ZERO,
        Ok(attempt) => Duration::from_millis(5)
            .saturating_mul(2_u32.saturating_pow(attempt - 1))
            .min(longest),
        Err(_) => longest,
    }
}

fn not_reachable(shown: &str, error: impl std::fmt::Display) -> ConnectError {
    ConnectError::NotReachable {
        url: shown.to_owned(),
        source: Cause::new(error),
    }
}

fn note(link: &watch::Sender<Link>, event: Event) {
    match &event {
        Event::Connected => {
            link.send_modify(|link| {
                link.up = true;
                link.made += 1;
            });
            return;
        }
        Event::Draining => return,
        Event::Disconnected | Event::Closed | Event::LameDuckMode => {
            tracing::warn!(%event, "connection to NATS")
        }
        // While a server is down every attempt to reach it ends here, up to twice a second.
        Event::ClientError(_) => tracing::debug!(%event, "connection to NATS"),
        Event::SlowConsumer(_) | Event::ServerError(_) => tracing::error!(%event, "connection to NATS"),
    }
    link.send_modify(|link| {
        link.up &= !matches!(event, Event::Disconnected | Event::Closed);
        link.last_error = Some(event.to_string());
    });
}

fn refused(shown: &str, error: async_nats::ConnectError) -> ConnectError {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            ConnectError::NotAuthorized {
                url: shown.to_owned(),
            }
        }
        ConnectErrorKind::ServerParse => ConnectError::Url {
            source: Cause::new(error),
        },
        _ => not_reachable(shown, error),
    }
}

fn version(client: &Client, shown: &str) -> Result<ServerVersion, ConnectError> {
    let found = client.server_info().version;
    let needed = ServerVersion::OLDEST;
    match found.parse::<ServerVersion>() {
        Ok(version) if version >= needed => Ok(version),
        _ => Err(ConnectError::TooOld {
            url: shown.to_owned(),
            found,
            needed,
        }),
    }
}

async fn has_jetstream(jetstream: &jetstream::Context, shown: &str) -> Result<(), ConnectError> {
    use async_nats::jetstream::context::AccountErrorKind;
    let Err(error) = jetstream.query_account().await else {
        return Ok(());
    };
    let disabled = match error.kind() {
        AccountErrorKind::JetStream(error) => matches!(
            error.error_code(),
            ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        ),
        AccountErrorKind::JetStreamUnavailable => true,
        _ => false,
    };
    if disabled {
        return Err(ConnectError::JetStreamDisabled {
            url: shown.to_owned(),
        });
    }
    Err(not_reachable(shown, error))
}
