//! Gathers the evidence of a run: from the log itself after the broker has ended, from the office's change log, and from the
//! vendor's list.

use super::evidence::{Evidence, Logged, Store, Write};
use super::stage::{OFFICE, VENDOR};
use super::values::{Values, is_compared, of_office, of_wire};
use crate::{Practice, TracingProgram};
use anyhow::{Context as _, Result};
use archwire_client::v1;
use archwire_nats::{
    ByteSize, Connection, Credentials, ExternalConfig, Filter, Log, LogConfig, Supervisor, SupervisorConfig,
};
use archwire_opendental_simulator::{Author, Change, Handle};
use futures_util::TryStreamExt as _;
use prost::Message as _;
use std::time::Duration;

/// Room for the log while it is read: what the least store leaves for it, and more than any run writes; and for a supervised
/// server's store.
const LOG_SIZE: ByteSize = ByteSize::mebibytes(320);
/// As the broker has it: each stream has a bound of its own.
const STORE_SIZE: ByteSize = ByteSize::gibibytes(128 * 1024);

/// A connection to the log of a practice whose broker does not run.
struct Reading {
    connection: Connection,
    log: Log,
    // Ends after the connection.
    _supervisor: Option<Supervisor>,
}

impl Reading {
    async fn of(practice: &Practice) -> Result<Self> {
        let (connection, supervisor) = match practice.nats_url() {
            Some(url) => {
                let external = ExternalConfig {
                    url,
                    credentials: Credentials::None,
                    root_certificate: None,
                    connect_timeout: Duration::from_secs(10),
                };
                (external.connect().await?, None)
            }
            None => {
                let binary = practice.programs().nats_server.clone();
                let folder = practice.data_folder().join("nats");
                let config = SupervisorConfig::new(binary, folder, STORE_SIZE);
                let supervisor = Supervisor::start(config).await?;
                (supervisor.connect().await?, Some(supervisor))
            }
        };
        let name = practice.name().parse()?;
        let log = Log::open(&connection, &name, &LogConfig::new(LOG_SIZE)).await?;
        Ok(Self {
            connection,
            log,
            _supervisor: supervisor,
        })
    }

    async fn events(&self) -> Result<Vec<Logged>> {
        let records: Vec<_> = self
            .log
            .replay(1, Filter::Events)
            .try_collect()
            .await
            .context("the log cannot be read")?;
        let logged = |record: archwire_nats::Stored| {
            let event = v1::Event::decode(record.payload).context("an event cannot be read")?;
            let observation = event.observation;
            Ok(Logged {
                sequence: record.sequence,
                patient: event.patient_id,
                revision: event.revision,
                values: of_wire(&event.patient.unwrap_or_default()),
                record: observation.map(|observation| (observation.system, observation.local_id)),
            })
        };
        records.into_iter().map(logged).collect()
    }

    async fn parked(&self) -> Result<Vec<String>> {
        let bucket = self.log.bucket(&"parked".parse()?).await?;
        Ok(bucket.keys().await?)
    }
}

/// What the log holds, and what waits beside it. The broker must not run.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn log(practice: &Practice, evidence: &mut Evidence) -> Result<()> {
    let reading = Reading::of(practice).await?;
    evidence.events = reading.events().await?;
    evidence.parked = reading.parked().await?;
    reading.connection.close().await;
    Ok(())
}

/// What the office and the vendor hold.
pub(super) fn stores(office: &Handle, vendor: &TracingProgram, evidence: &mut Evidence) {
    let patients = office.patients();
    let records = patients
        .iter()
        .map(|patient| (patient.pat_num.to_string(), of_office(patient)));
    let store = Store {
        records: records.collect(),
        writes: office.changes().iter().map(write).collect(),
    };
    evidence.stores.insert(OFFICE.to_owned(), store);
    let records = vendor.records();
    let records = records
        .iter()
        .map(|local| (local.local_id.clone(), of_wire(&local.patient)));
    let store = Store {
        records: records.collect(),
        writes: Vec::new(),
    };
    evidence.stores.insert(VENDOR.to_owned(), store);
    evidence.complaints.extend(vendor.complaints());
}

fn write(change: &Change) -> Write {
    let fields = change.fields.iter().filter(|field| is_compared(field.field));
    let fields: Values = fields
        .filter(|field| !field.to.is_empty())
        .map(|field| (field.field.name(), field.to.clone()))
        .collect();
    Write {
        sequence: change.sequence,
        record: change.pat_num.to_string(),
        by_bus: matches!(change.author, Author::Developer(_)),
        creates: change.is_creation(),
        fields,
    }
}
