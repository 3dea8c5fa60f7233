//! The broker as a whole: what is started in which order, what runs, how it stops.

mod audit;
mod configured;
mod error;
mod images;
mod reload;
mod start;

pub use error::BrokerError;
pub use reload::{Asks, Reloading};

use crate::{
    admin::{AdminServer, AdminService, Practice},
    api::{ApiServer, BusService, Callers, Subscriptions},
    audit::{Action, Audit},
    config::DataFolder,
    imaging::{Collector, Intake},
    log_mark, private_file,
    reconcile::Night,
    registry::Registry,
    sftp::SftpServer,
    telemetry::{Sources, Vitals, Watching},
    vendors::{Books, turn},
    workers::Worker,
};
use archwire_host::Engine;
use archwire_nats::{Connection, Lease, Supervisor, SupervisorError};
use reload::Reload;
use start::last_sequence;
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a stop waits for what was begun. What is not finished then comes again after the next start.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);
/// How much of it calls get that are still under way: one whose caller takes nothing any more would never end.
const LONGEST_SERVING: Duration = Duration::from_secs(5);
/// How long the registry may take to finish what is being written, after that.
const LONGEST_CLOSE: Duration = Duration::from_secs(10);
/// Holds the API's address while the broker runs, for programs on the same machine.
const ADDRESS_FILE: &str = "api.address";

/// A broker that is ready.
pub struct Broker {
    // Dropped in this order: the server after everything that speaks to it, the folder's lock last.
    registry: Arc<Registry>,
    subscriptions: Arc<Subscriptions>,
    images: Option<Intake>,
    collector: Option<Collector>,
    sftp: Option<SftpServer>,
    api: ApiServer,
    admin: AdminServer,
    practice: Practice,
    reload: Reload,
    books: Books,
    /// How long the audit is kept.
    keep: Duration,
    workers: Vec<Worker>,
    nights: Vec<Night>,
    shutdown: CancellationToken,
    lease: Lease,
    connection: Connection,
    supervisor: Option<Supervisor>,
    vitals: Vitals,
    watching: Option<Watching>,
    _engine: Engine,
    folder: DataFolder,
}

impl Broker {
    /// Where the API is offered.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.api.address()
    }

    /// Runs until `shutdown`, then finishes what was begun, for at most 20 s.
    ///
    /// # Errors
    /// When the API or the broker's own NATS server cannot go on.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BrokerError> {
        let Self {
            registry,
            subscriptions,
            images,
            collector,
            sftp,
            api,
            admin,
            practice,
            reload,
            books,
            keep,
            workers,
            nights,
            shutdown: inner,
            mut lease,
            vitals,
            watching,
            ..
        } = self;
        let (connection, mut supervisor, folder) = (self.connection, self.supervisor, self.folder);
        let address_file = announce(folder.path(), api.address())?;
        let tasks = TaskTracker::new();
        for worker in workers {
            worker.spawn(&tasks, &inner);
        }
        let audit = practice.audit.clone();
        note(&audit, Action::Started).await;
        tasks.spawn(audit.clone().follow(registry.log().clone(), inner.clone()));
        tasks.spawn(audit.clone().keep_for(keep, inner.clone()));
        tasks.spawn(audit.clone().watch_room(inner.clone()));
        tasks.spawn(reload.run(inner.clone()));
        tasks.spawn(turn(books.clone(), inner.clone()));
        tasks.spawn(Arc::clone(&registry).keep_snapshots(inner.clone()));
        tasks.spawn(Arc::clone(&registry).follow_others(inner.clone()));
        let sources = Sources {
            registry: Arc::clone(&registry),
            systems: practice.systems.clone(),
            parked: practice.parked.clone(),
        };
        tasks.spawn(practice.tokens.clone().watch(audit.clone(), inner.clone()));
        tasks.spawn(practice.reconciler.clone().measure());
        for night in nights {
            tasks.spawn(practice.reconciler.clone().nightly(night, inner.clone()));
        }
        if let Some(collector) = collector {
            tasks.spawn(collector.nightly(inner.clone()));
        }
        if let Some(sftp) = sftp {
            tasks.spawn(sftp.run(inner.clone()));
        }
        let service = AdminService::new(practice, inner.clone());
        let hearing = admin.run(service, inner.clone());
        tasks.spawn(async move {
            if let Err(error) = hearing.await {
                tracing::error!(code = error.code(), "administrators are not heard any more");
            }
        });
        tasks.close();
        let service = BusService::new(
            Arc::clone(&registry),
            Callers::new(books.reader()),
            Arc::clone(&subscriptions),
            images,
            inner.clone(),
        );
        vitals.runs(sources);
        let serving = api.run(service, inner.clone());
        tokio::pin!(serving);
        let (ended, is_serving) = tokio::select! {
            () = shutdown.cancelled() => (Ok(()), true),
            ended = &mut serving => (ended.map_err(BrokerError::from), false),
            error = gave_up(&mut supervisor) => (Err(error.into()), true),
            lost = lease.keep() => (Err(lost.into()), true),
        };
        vitals.drains();
        inner.cancel();
        let drained = async {
            tasks.wait().await;
            subscriptions.drain().await;
            if is_serving {
                match timeout(LONGEST_SERVING, serving).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(code = error.code(), "the API did not end cleanly"),
                    Err(_) => tracing::warn!("calls whose callers do not take their answers were cut off"),
                }
            }
        };
        let drained = timeout(LONGEST_DRAIN, drained).await;
        let closed = timeout(LONGEST_CLOSE, registry.close()).await;
        let audited = timeout(LONGEST_CLOSE, async {
            note(&audit, Action::Stopped).await;
            audit.close().await;
        });
        let audited = audited.await;
        if drained.is_err() || closed.is_err() || audited.is_err() {
            tracing::warn!("not everything was finished in time; it will be after the next start");
        }
        _ = fs::remove_file(address_file);
        let marked = last_sequence(registry.log())
            .await
            .map(|last| log_mark::check(folder.path(), last));
        if !matches!(marked, Ok(Ok(()))) {
            tracing::warn!(
                "how far the log has come is not remembered; the next start compares with an earlier point"
            );
        }
        if ended.is_ok() {
            lease.release().await;
        }
        if let Some(watching) = watching {
            watching.end().await;
        }
        connection.close().await;
        let stopped = match supervisor {
            Some(supervisor) => supervisor.stop().await.map(drop),
            None => Ok(()),
        };
        tracing::info!("stopped");
        outcome(ended, stopped)
    }
}

/// Why the broker ended. A server that could not be kept alive cannot be stopped in order either, which says less.
fn outcome(ended: Result<(), BrokerError>, stopped: Result<(), SupervisorError>) -> Result<(), BrokerError> {
    ended.and(stopped.map_err(BrokerError::from))
}

/// Writes down what the broker itself does. It does so without, too: what it may not do without is audited where it is done.
async fn note(audit: &Audit, action: Action) {
    if let Err(error) = audit
        .note(action, None, format!("version {}", env!("CARGO_PKG_VERSION")))
        .await
    {
        tracing::error!(
            code = error.code(),
            "that the broker starts or stops is not in the audit"
        );
    }
}

async fn gave_up(supervisor: &mut Option<Supervisor>) -> SupervisorError {
    match supervisor {
        Some(supervisor) => supervisor.gave_up().await,
        None => std::future::pending().await,
    }
}

/// Writes the address for programs on the same machine, and says it.
fn announce(folder: &Path, address: Option<SocketAddr>) -> Result<PathBuf, BrokerError> {
    let path = folder.join(ADDRESS_FILE);
    let failed = |source| BrokerError::AddressFile {
        path: path.clone(),
        source,
    };
    let address = address.ok_or_else(|| failed(io::ErrorKind::AddrNotAvailable.into()))?;
    private_file::replace(&path, &format!("{address}\n")).map_err(failed)?;
    tracing::info!(%address, "ready");
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(outcome: Result<(), BrokerError>) -> &'static str {
        outcome.expect_err("it did not end well").code()
    }

    #[test]
    fn a_broker_whose_server_died_too_often_says_so() {
        let died = || SupervisorError::Died {
            status: "exit status: 1".to_owned(),
            log: "nats.log".into(),
        };
        let gave_up = SupervisorError::GaveUp {
            deaths: 10,
            source: Box::new(died()),
        };
        let reason = gave_up.code();
        let ended = outcome(Err(gave_up.into()), Err(SupervisorError::Abandoned));
        assert_eq!(code(ended), reason);
        // A stop in order that does not come about is said all the same.
        assert_eq!(code(outcome(Ok(()), Err(died()))), died().code());
        assert!(outcome(Ok(()), Ok(())).is_ok());
    }
}
