//! The log itself, read from the NATS server that a practice was planned with, without asking a broker.

use anyhow::{Context as _, Result, ensure};
use archwire_nats::{ByteSize, Connection, Credentials, ExternalConfig, Filter, Log, LogConfig};
use archwire_proto::v1;
use archwire_tests::Practice;
use futures_util::TryStreamExt as _;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the broker makes of the `max-store` that the harness configures; opening the log with another size changes it.
const LOG_SIZE: ByteSize = ByteSize::mebibytes(320);

/// Everything that stands in a log, by its place.
pub(crate) struct WholeLog {
    pub(crate) events: BTreeMap<u64, v1::Event>,
    /// How many records say that a broker became the writer.
    pub(crate) writers: usize,
}

/// The practice's log, for a test that writes beside the broker.
pub(crate) async fn open(practice: &Practice) -> Result<(Connection, Log)> {
    let external = ExternalConfig {
        url: practice.nats_url().context("the broker runs its own server")?,
        credentials: Credentials::None,
        root_certificate: None,
        connect_timeout: Duration::from_secs(10),
    };
    let connection = external.connect().await?;
    let log = Log::open(&connection, &practice.name().parse()?, &LogConfig::new(LOG_SIZE)).await?;
    Ok((connection, log))
}

impl WholeLog {
    pub(crate) async fn read(practice: &Practice) -> Result<Self> {
        let (connection, log) = open(practice).await?;
        let records: Vec<_> = log.replay(1, Filter::Everything).try_collect().await?;
        connection.close().await;
        let (mut events, mut writers) = (BTreeMap::new(), 0);
        for record in records {
            let subject = record.subject.name(log.practice());
            if subject.contains(".patient.") {
                events.insert(record.sequence, v1::Event::decode(record.payload)?);
            }
            writers += usize::from(subject.ends_with(".writer"));
        }
        Ok(Self { events, writers })
    }

    /// Everybody's revisions are 1, 2, 3 and so on in the order of the log. Tells how many patients there are.
    pub(crate) fn is_whole(&self) -> Result<usize> {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (sequence, event) in &self.events {
            let last = last.entry(&event.patient_id).or_default();
            ensure!(
                event.revision == *last + 1,
                "revision {} of {} after {last} at {sequence}",
                event.revision,
                event.patient_id
            );
            *last = event.revision;
        }
        Ok(last.len())
    }

    /// Every record is one patient's: where nobody merged, parted or mixed anybody up.
    pub(crate) fn no_record_is_two_patients(&self) -> Result<()> {
        let mut whose: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for event in self.events.values() {
            if let Some(observation) = &event.observation {
                let record = (observation.system.as_str(), observation.local_id.as_str());
                whose.entry(record).or_default().insert(&event.patient_id);
            }
        }
        for ((system, local_id), patients) in whose {
            ensure!(
                patients.len() == 1,
                "record {local_id} of {system} became {} patients",
                patients.len()
            );
        }
        Ok(())
    }
}
