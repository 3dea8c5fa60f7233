//! Starting, asking and stopping a simulator.
//!
//! The server runs on the caller's tokio runtime. Dropping the [`Handle`] stops it: the listener closes, waiting
//! requests are cut off, delayed work ends. Starting fails when the zone is unknown or the address is taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::admin;
use crate::changelog::Change;
use crate::clock::OfficeClock;
use crate::documents::{Document, DocumentChange};
use crate::faults::Fault;
use crate::front_desk::FrontDesk;
use crate::gate::{self, PREFIX};
use crate::journal::RequestRecord;
use crate::keys::KeyStatus;
use crate::model::Patient;
use crate::office::PatientLink;
use crate::options::Options;
use crate::shared::{Invitation, Shared};
use crate::wire::{Exchange, Line};

/// Plays the Open Dental API of one office.
#[derive(Debug)]
pub struct Simulator;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Port taken, or address not of this computer.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not a name of the IANA time zone database.
    #[error("unknown time zone {zone:?}; use an IANA name such as America/Chicago")]
    Zone {
        /// The name that was asked for.
        zone: String,
        /// What the database said.
        source: jiff::Error,
    },
    /// Without a key nobody can ask anything.
    #[error("at least one API key is needed")]
    NoKey,
}

impl StartError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "listen",
            Self::Zone { .. } => "zone",
            Self::NoKey => "no_key",
        }
    }
}

impl Simulator {
    /// Opens the office. Returns once connections are accepted.
    pub async fn start(options: Options) -> Result<Handle, StartError> {
        let authorization = options.keys.first().ok_or(StartError::NoKey)?.authorization();
        let clock = OfficeClock::new(&options.zone).map_err(|source| StartError::Zone {
            zone: options.zone.clone(),
            source,
        })?;
        let asked = options.listen;
        let refused = |source| StartError::Listen {
            address: asked,
            source,
        };
        let listener = TcpListener::bind(asked).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let shared = Arc::new(Shared::new(options, format!("http://{address}{PREFIX}"), clock));
        let app = Router::new()
            .route("/api/v1/{*rest}", any(gate::handle))
            .nest("/simulator", admin::router())
            .with_state(Arc::clone(&shared))
            .into_make_service_with_connect_info::<Line>();
        let closing = Arc::clone(&shared);
        let exchange = Exchange::new(listener, shared.reachable.subscribe()).map_err(refused)?;
        let served =
            axum::serve(exchange, app).with_graceful_shutdown(async move { closing.stopped().await });
        let server = tokio::spawn(async move {
            // Serving ends by the stop signal only; accept errors are retried inside.
            let _ = served.await;
        });
        tracing::debug!(%address, "simulator is listening");
        Ok(Handle {
            shared,
            address,
            authorization,
            server: Some(server),
        })
    }
}

/// A running simulator.
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    address: SocketAddr,
    authorization: String,
    server: Option<JoinHandle<()>>,
}

impl Handle {
    /// Where the API is: `http://127.0.0.1:PORT/api/v1`.
    pub fn base_url(&self) -> String {
        self.shared.base_url.clone()
    }

    /// Where the admin endpoints are: `http://127.0.0.1:PORT/simulator`.
    pub fn admin_url(&self) -> String {
        format!("http://{}/simulator", self.address)
    }

    /// The Authorization header value of the first key.
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// A person who works in the office.
    pub fn front_desk(&self) -> FrontDesk {
        FrontDesk::new(Arc::clone(&self.shared))
    }

    /// The office's clock.
    pub fn clock(&self) -> &OfficeClock {
        &self.shared.clock
    }

    /// All patients by PatNum, deleted ones included.
    pub fn patients(&self) -> Vec<Patient> {
        self.shared.office().patients().cloned().collect()
    }

    /// One patient.
    pub fn patient(&self, pat_num: i64) -> Option<Patient> {
        self.shared.office().patient(pat_num).cloned()
    }

    /// All documents by DocNum, with the bytes as they came.
    pub fn documents(&self) -> Vec<Document> {
        self.shared.office().documents.rows().cloned().collect()
    }

    /// One document.
    pub fn document(&self, doc_num: i64) -> Option<Document> {
        self.shared.office().documents.get(doc_num).cloned()
    }

    /// Where programs asked the office to fetch files from, oldest first; also when nothing came of it.
    pub fn invitations(&self) -> Vec<Invitation> {
        self.shared.invitations()
    }

    /// Everything that was done to documents, oldest first.
    pub fn document_changes(&self) -> Vec<DocumentChange> {
        self.shared.office().documents.changes().cloned().collect()
    }

    /// The merges so far.
    pub fn links(&self) -> Vec<PatientLink> {
        self.shared.office().links().to_vec()
    }

    /// Everything that was written, oldest first.
    pub fn changes(&self) -> Vec<Change> {
        self.shared.changes_after(0)
    }

    /// What was written after a sequence number.
    pub fn changes_after(&self, sequence: u64) -> Vec<Change> {
        self.shared.changes_after(sequence)
    }

    /// Every request to the API, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.journal.requests()
    }

    /// How many requests of a customer key were ever in flight at the same time.
    pub fn most_in_flight(&self, customer_key: &str) -> usize {
        self.shared.journal.most_in_flight(customer_key)
    }

    /// Adds a fault and returns its number; nothing when 1,000 wait already.
    pub fn set_fault(&self, fault: Fault) -> Option<u64> {
        self.shared.faults().add(fault)
    }

    /// Removes all faults that still wait. The eConnector stays as it is.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// How many faults still wait.
    pub fn waiting_faults(&self) -> usize {
        self.shared.faults().waiting().len()
    }

    /// Starts or stops the office's eConnector, without which Remote answers 400 to everything.
    pub fn set_econnector(&self, running: bool) {
        self.shared.faults().econnector_running = running;
    }

    /// Takes the office off the network, or puts it back. While it is off, connections are refused, and requests that were
    /// being answered get no answer: what they asked for may have been done. People in the office work on.
    pub fn set_reachable(&self, reachable: bool) {
        self.shared.reachable.send_replace(reachable);
    }

    /// Enables or disables a key; false when there is no such customer key.
    pub fn set_key_status(&self, customer_key: &str, status: KeyStatus) -> bool {
        self.shared.keys().set_status(customer_key, status)
    }

    /// Waits until something is true, looking again after every request and every change. False at the deadline.
    pub async fn wait_until(&self, deadline: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        let mut activity = self.shared.journal.activity();
        let look = async {
            loop {
                activity.mark_unchanged();
                if condition(self) {
                    return true;
                }
                if activity.changed().await.is_err() {
                    return false;
                }
            }
        };
        tokio::time::timeout(deadline, look).await.unwrap_or(false)
    }

    /// Stops the simulator and waits until its last connection is closed.
    pub async fn stop(mut self) {
        self.signal();
        if let Some(server) = self.server.take() {
            // A panic in the server has been reported by tokio already.
            let _ = server.await;
        }
    }

    fn signal(&self) {
        self.shared.stop.send_replace(true);
        self.shared.abort_work();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.signal();
    }
}
