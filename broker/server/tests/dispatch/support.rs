//! An office whose dispatcher writes to a small web service.

use crate::gallery::Gallery;
use crate::office::{Office, PATIENCE, contact, named, says, system, until, until_there, whom};
use crate::service::{self, Service, Shared};
use archwire::{
    dispatch::{ACK_WAIT, Breaker, Desk, Dispatcher, ImageDesk, ImageRunner, MOST_HANDED_OUT},
    parked::ParkedStore,
    poll::{LastPoll, Poller},
    wire::decode_sighting,
};
use archwire_core::{
    ContactSystem, ContactUse, Patient, PatientId, Priority, Receipt, Sighted, Sighting, SystemName,
};
use archwire_host::{
    Ability, Component, Connector, Engine, EngineConfig, Grant, Limits, MemoryImages, MemoryStateStore,
    SystemConfig,
};
use archwire_nats::{DeliveriesConfig, Filter, Queue};
use futures_util::TryStreamExt as _;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    sync::{Arc, MutexGuard, OnceLock},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The system that is written to.
pub(crate) const ARCHIVE: &str = "archive";
/// Where patients come from.
pub(crate) const DESK: &str = "front-desk";

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    ENGINE.get_or_init(|| Engine::new(EngineConfig::new(folder)).unwrap())
}

async fn component(name: &str) -> Component {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/components");
    let folder = std::env::var_os("ARCHWIRE_COMPONENTS").map_or(built, PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    assert!(file.is_file(), "build the connectors with: cargo xtask guests");
    engine().load(file).await.unwrap()
}

/// A connector of the archive that answers a poll with what its cursor says.
pub(crate) async fn hostile() -> Arc<Connector> {
    let config = SystemConfig {
        system: system(ARCHIVE),
        settings: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
        secrets: BTreeMap::from([("key".to_owned(), "0123456789".into())]),
        grants: Vec::new(),
        limits: Limits::default(),
        account: None,
        images: None,
        images_folder: None,
    };
    let store = Arc::new(MemoryStateStore::default());
    Arc::new(Connector::new(component("hostile").await, config, store).unwrap())
}

async fn echo(url: &str, images: MemoryImages) -> Arc<Connector> {
    let component = component("echo").await;
    assert!(!component.description().abilities.contains(&Ability::Check));
    let config = SystemConfig {
        system: system(ARCHIVE),
        settings: BTreeMap::from([("url".to_owned(), url.to_owned())]),
        secrets: BTreeMap::new(),
        grants: vec![Grant {
            to: url.parse().unwrap(),
            methods: ["GET", "PUT", "DELETE"]
                .map(|method| method.parse().unwrap())
                .to_vec(),
            paths: ["/patients/*", "/images/**"]
                .map(|path| path.parse().unwrap())
                .to_vec(),
            private_addresses: true,
            spacing: Duration::ZERO,
            in_flight: NonZeroUsize::new(8).unwrap(),
        }],
        limits: Limits::default(),
        account: None,
        images: Some(Arc::new(images)),
        images_folder: None,
    };
    Arc::new(Connector::new(component, config, Arc::new(MemoryStateStore::default())).unwrap())
}

/// An office with a service, and a dispatcher in between when it runs.
pub(crate) struct Town {
    pub(crate) office: Office,
    pub(crate) parked: ParkedStore,
    pub(crate) desk: Desk,
    pub(crate) gallery: Gallery,
    service: Shared,
    connector: Arc<Connector>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
    server: JoinHandle<()>,
}

impl Drop for Town {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Town {
    /// A town whose dispatcher runs.
    pub(crate) async fn open() -> Self {
        let mut town = Self::closed().await;
        town.start().await;
        town
    }

    /// A town whose dispatcher does not run yet.
    pub(crate) async fn closed() -> Self {
        let office = Office::open().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Shared::default();
        let gallery = Gallery::open(ImageDesk::new(system(ARCHIVE)));
        let router = service::routes(&service).merge(gallery.routes());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let bucket = office.registry.log().bucket(&system("parked")).await.unwrap();
        let parked = ParkedStore::open(bucket).await.unwrap();
        Self {
            parked,
            desk: desk(&office),
            service,
            connector: echo(&url, gallery.content.clone()).await,
            gallery,
            running: None,
            server,
            office,
        }
    }

    /// Starts a dispatcher, as a start of the broker does.
    pub(crate) async fn start(&mut self) {
        self.desk = desk(&self.office);
        let registry = Arc::clone(&self.office.registry);
        let most = NonZeroU32::new(u32::try_from(MOST_HANDED_OUT).unwrap()).unwrap();
        let config = DeliveriesConfig {
            ack_wait: ACK_WAIT,
            max_ack_pending: most,
        };
        let breaker = Arc::new(Breaker::new(system(ARCHIVE)));
        self.desk = Desk::new(system(ARCHIVE), Arc::clone(&registry), Arc::clone(&breaker));
        let dispatcher = Dispatcher {
            connector: Arc::clone(&self.connector),
            deliveries: registry.log().deliveries(&system(ARCHIVE), config).await.unwrap(),
            registry,
            parked: self.parked.clone(),
            breaker: Arc::clone(&breaker),
            desk: self.desk.clone(),
        };
        self.gallery.desk = ImageDesk::new(system(ARCHIVE));
        let images = ImageRunner {
            connector: Arc::clone(&self.connector),
            registry: Arc::clone(&self.office.registry),
            parked: self.parked.clone(),
            breaker: Arc::clone(&breaker),
            desk: self.gallery.desk.clone(),
        };
        let images_breaker = Arc::clone(self.gallery.desk.breaker());
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        let running = tokio::spawn(async move {
            let watched = breaker.watch_over(|| std::future::ready(Ok(())));
            let images_watched = images_breaker.watch_over(|| std::future::ready(Ok(())));
            let both = async { tokio::join!(dispatcher.run(until.clone()), images.run(until)) };
            tokio::select! {
                _ = both => {}
                () = watched => {}
                () = images_watched => {}
            }
        });
        self.running = Some((shutdown, running));
    }

    /// Who would read the archive, if its connector could.
    pub(crate) async fn poller(&self, breaker: &Arc<Breaker>) -> Poller {
        let log = self.office.registry.log();
        Poller {
            system: system(ARCHIVE),
            connector: Arc::clone(&self.connector),
            registry: Arc::clone(&self.office.registry),
            images: None,
            cursors: log.bucket(&system("cursors")).await.unwrap(),
            breaker: Arc::clone(breaker),
            every: Duration::from_secs(3600),
            last: LastPoll::default(),
        }
    }

    /// Ends the dispatcher without its noticing, as a kill does.
    pub(crate) async fn kill(&mut self) {
        if let Some((_, running)) = self.running.take() {
            running.abort();
            _ = running.await;
        }
    }

    /// Stops the dispatcher in order.
    pub(crate) async fn stop(&mut self) {
        if let Some((shutdown, running)) = self.running.take() {
            shutdown.cancel();
            running.await.unwrap();
        }
    }

    pub(crate) fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap()
    }

    /// How often a patient was written, and taken.
    pub(crate) fn writes(&self) -> usize {
        self.service().writes()
    }

    /// Somebody new at the front desk.
    pub(crate) async fn somebody(&self, local_id: &str) -> PatientId {
        whom(self.office.see(says(DESK, local_id, person(local_id, "0"))).await)
    }

    /// Gives somebody another e-mail address at the front desk.
    pub(crate) async fn edit(&self, local_id: &str, email: &str) {
        self.office
            .see(says(DESK, local_id, person(local_id, email)))
            .await;
    }

    /// What the archive keeps of a patient.
    pub(crate) fn kept(&self, patient: PatientId) -> Option<Value> {
        self.service().records.get(&patient.to_string()).cloned()
    }

    /// Waits until the archive keeps a patient with this e-mail address.
    pub(crate) async fn keeps(&self, patient: PatientId, email: &str) {
        let wanted = address(email);
        until("the archive keeps the address", || {
            self.kept(patient)
                .is_some_and(|kept| kept.to_string().contains(&wanted))
        })
        .await;
    }

    /// What the log tells of a patient's record in the archive.
    pub(crate) async fn sightings(&self, patient: PatientId) -> Vec<Sighting> {
        let filter = Filter::Sightings {
            system: Some(system(ARCHIVE)),
            patient: Some(patient),
        };
        let stored = self.office.registry.log().replay(1, filter);
        let stored: Vec<_> = stored.try_collect().await.unwrap();
        let sightings = stored.into_iter();
        sightings
            .map(|stored| decode_sighting(stored.payload).unwrap())
            .collect()
    }

    pub(crate) async fn receipts(&self, patient: PatientId) -> Vec<Receipt> {
        let sightings = self.sightings(patient).await.into_iter();
        sightings
            .filter_map(|sighting| match sighting.what {
                Sighted::Seen { receipt, .. } => receipt,
                Sighted::Receipted(receipt) => Some(receipt),
                _ => None,
            })
            .map(|receipt| *receipt)
            .collect()
    }

    /// Waits until there are so many receipts of a patient.
    pub(crate) async fn receipted(&self, patient: PatientId, count: usize) -> Vec<Receipt> {
        so_many(count, async || self.receipts(patient).await).await
    }

    /// How many events the queue holds that are not settled, by its own account.
    pub(crate) async fn unsettled(&self) -> u64 {
        let queues = self.office.registry.log().queues().await.unwrap();
        let ours = |queue: &&Queue| queue.system == system(ARCHIVE);
        queues.iter().find(ours).map_or(0, |queue| queue.waiting)
    }

    /// Waits until so many events are not settled.
    pub(crate) async fn settles_to(&self, count: u64) {
        let deadline = tokio::time::Instant::now() + 2 * PATIENCE;
        loop {
            let unsettled = self.unsettled().await;
            if unsettled == count {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{unsettled} events are not settled, not {count}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a patient's delivery is parked.
    pub(crate) async fn parks(&self, patient: PatientId) {
        until("the delivery is parked", || {
            self.parked.is_parked(&system(ARCHIVE), patient)
        })
        .await;
    }

    /// Asks for a parked delivery as an administrator does.
    pub(crate) async fn redrive(&self, patient: PatientId) {
        let archive: SystemName = system(ARCHIVE);
        assert!(self.parked.mark_redriven(&archive, patient).await.unwrap());
        self.desk.look_at(patient, Priority::Interactive);
    }
}

fn desk(office: &Office) -> Desk {
    let breaker = Arc::new(Breaker::new(system(ARCHIVE)));
    Desk::new(system(ARCHIVE), Arc::clone(&office.registry), breaker)
}

fn address(email: &str) -> String {
    format!("mail{email}@example.com")
}

/// Somebody who is like nobody else, with an e-mail address.
pub(crate) fn person(local_id: &str, email: &str) -> Patient {
    let mail = contact(ContactSystem::Email, ContactUse::Home, &address(email));
    Patient {
        telecom: vec![mail],
        ..named(&format!("Quillfeather{local_id}"))
    }
}

/// Paths as text.
pub(crate) fn paths(paths: &BTreeSet<archwire_core::Path>) -> Vec<&str> {
    paths.iter().map(archwire_core::Path::as_str).collect()
}

/// Waits until there are so many receipts, and no more.
pub(crate) async fn so_many(count: usize, mut asked: impl AsyncFnMut() -> Vec<Receipt>) -> Vec<Receipt> {
    let receipts = until_there(2 * PATIENCE, async || {
        let receipts = asked().await;
        match receipts.len() < count {
            true => Err(format!("{} receipts, not {count}", receipts.len())),
            false => Ok(receipts),
        }
    });
    let receipts = receipts.await;
    assert_eq!(receipts.len(), count);
    receipts
}
