//! A simulated office with the connector set up for it.

use super::{Reader, granted, opendental};
use archwire_host::{Connector, Limits, MemoryImages, MemoryStateStore, SystemConfig};
use archwire_opendental_simulator::{
    Author, Change, Field, FrontDesk, Handle, Options, PageOrder, PatientFields, RequestRecord, Simulator,
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// The office's name in the practice's configuration.
pub(crate) const SYSTEM: &str = "front-desk";

/// What kind of office, and how the connector is set up for it.
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) spacing: Duration,
    pub(crate) limits: Limits,
    /// The bus's store of images.
    pub(crate) images: MemoryImages,
    /// The folder that the administrator granted.
    pub(crate) images_folder: Option<PathBuf>,
}

impl Plan {
    /// The API Service of the office: pages of 1,000, no throttle.
    pub(crate) fn service() -> Self {
        Self::of(Options::service(), "service")
    }

    /// The Remote API: pages of 100, and a throttle at this interval.
    pub(crate) fn remote(interval: Duration) -> Self {
        let plan = Self::of(Options::remote_every(interval), "remote");
        Self {
            spacing: interval,
            ..plan
        }
    }

    fn of(options: Options, mode: &str) -> Self {
        Self {
            options,
            settings: BTreeMap::new(),
            spacing: Duration::ZERO,
            limits: Limits::default(),
            images: MemoryImages::default(),
            images_folder: None,
        }
        .set("mode", mode)
    }

    /// Rows come in this order.
    pub(crate) fn order(mut self, order: PageOrder) -> Self {
        self.options.page_order = order;
        self
    }

    /// The administrator sets this.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(crate) async fn open(self) -> Office {
        let simulator = Simulator::start(self.options.clone()).await.unwrap();
        let url = simulator.base_url();
        let store = Arc::new(MemoryStateStore::default());
        let connector = self
            .connect(&url, simulator.authorization(), Arc::clone(&store))
            .await;
        Office {
            images: self.images.clone(),
            simulator,
            connector,
            store,
            plan: self,
        }
    }

    /// The connector for an office at an address.
    pub(crate) async fn connect(
        &self,
        url: &str,
        authorization: &str,
        store: Arc<MemoryStateStore>,
    ) -> Connector {
        let keys = authorization.strip_prefix("ODFHIR ").unwrap();
        let (developer, customer) = keys.split_once('/').unwrap();
        let component = opendental().await;
        let mut settings = self.settings.clone();
        settings.insert("url".to_owned(), url.to_owned());
        let config = SystemConfig {
            system: SYSTEM.parse().unwrap(),
            settings,
            secrets: BTreeMap::from([
                ("developer-key".to_owned(), developer.into()),
                ("customer-key".to_owned(), customer.into()),
            ]),
            grants: granted(&component, url.trim_end_matches("/api/v1"), self.spacing),
            limits: self.limits,
            account: None,
            images: Some(Arc::new(self.images.clone())),
            images_folder: self.images_folder.clone(),
        };
        Connector::new(component, config, store).unwrap()
    }
}

/// An office, its connector, and what the connector keeps between calls.
pub(crate) struct Office {
    pub(crate) simulator: Handle,
    pub(crate) connector: Connector,
    pub(crate) store: Arc<MemoryStateStore>,
    /// The bus's store of images.
    pub(crate) images: MemoryImages,
    plan: Plan,
}

impl Office {
    /// The broker starts again: the same office and the same kept values, a new connector.
    pub(crate) async fn restart(self) -> Self {
        let (url, authorization) = (self.simulator.base_url(), self.simulator.authorization());
        let connector = self
            .plan
            .connect(&url, authorization, Arc::clone(&self.store))
            .await;
        Self { connector, ..self }
    }

    pub(crate) fn desk(&self) -> FrontDesk {
        self.simulator.front_desk()
    }

    /// Types in so many people with different names; the first one has the number 1.
    pub(crate) fn type_in(&self, count: usize) {
        for number in 1..=count {
            let family = format!("Family{}", number % 77);
            let person = PatientFields::named(&family, &format!("Given{number}"));
            self.desk()
                .create(&person.with(Field::HmPhone, format!("503555{number:04}")));
        }
    }

    /// Reads from the beginning.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.connector)
    }

    /// What programs wrote.
    pub(crate) fn written(&self) -> Vec<Change> {
        let mut changes = self.simulator.changes();
        changes.retain(|change| change.author != Author::FrontDesk);
        changes
    }

    /// Whom programs created.
    pub(crate) fn created(&self) -> Vec<i64> {
        let changes = self.written().into_iter();
        changes
            .filter(Change::is_creation)
            .map(|change| change.pat_num)
            .collect()
    }

    /// The requests with this method.
    pub(crate) fn requests(&self, method: &str) -> Vec<RequestRecord> {
        let mut requests = self.simulator.requests();
        requests.retain(|request| request.method == method);
        requests
    }

    /// What the office shows in a patient's field.
    pub(crate) fn shows(&self, pat_num: i64, field: Field) -> String {
        self.simulator.patient(pat_num).unwrap().get(field).to_owned()
    }

    /// An own look at the API, past the connector.
    pub(crate) async fn look(&self, path: &str) -> Vec<u8> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .get(self.simulator.base_url() + path)
            .header("Authorization", self.simulator.authorization())
            .header("Content-Type", "application/json");
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap().to_vec()
    }
}
