//! Raw JetStream, without Archwire: a client of the broker's own nats-server, with a stream of the same settings as the
//! log's. The only module here that names `async-nats`.

use crate::load;
use anyhow::{Context as _, Result};
use archwire_tests::Practice;
use async_nats::jetstream::{
    self,
    consumer::{DeliverPolicy, push},
    message::PublishMessage,
    object_store::{self, ObjectStore},
    stream,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use std::{fs, path::Path};
use uuid::Uuid;

const STREAM: &str = "BENCH";

/// A client that knows no patients.
#[derive(Clone)]
pub(crate) struct Raw {
    client: async_nats::Client,
    context: jetstream::Context,
    monitoring: String,
}

/// Where a nats-server says that it listens.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

/// What a nats-server says of its traffic.
#[derive(Deserialize)]
struct Traffic {
    in_msgs: u64,
    out_msgs: u64,
}

impl Raw {
    /// A client of the server that a broker runs, with a stream of its own there.
    pub(crate) async fn beside(practice: &Practice) -> Result<Self> {
        let folder = practice.data_folder().join("nats");
        let settings = fs::read_to_string(folder.join("nats-server.conf"));
        let settings = settings.context("the broker's nats-server has no settings")?;
        let token = settings
            .split("token: \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let token = token.context("the broker's nats-server has no token")?;
        let (address, monitoring) = addresses(&folder.join("ports"))?;
        let client = async_nats::ConnectOptions::with_token(token.to_owned())
            .connect(address)
            .await
            .context("the broker's nats-server does not let us in")?;
        let context = jetstream::new(client.clone());
        // Without a limit of its own, because the broker has reserved all of the server's storage for itself.
        let config = stream::Config {
            name: STREAM.to_owned(),
            subjects: vec!["bench.>".to_owned()],
            discard: stream::DiscardPolicy::New,
            compression: Some(stream::Compression::S2),
            ..stream::Config::default()
        };
        context
            .get_or_create_stream(config)
            .await
            .context("no stream can be made")?;
        Ok(Self {
            client,
            context,
            monitoring,
        })
    }

    /// Publishes to a subject that nobody has used, and waits until the server says that it is stored.
    pub(crate) async fn publish(&self, payload: Bytes) -> Result<()> {
        let subject = format!("bench.{}", Uuid::new_v4());
        let message = PublishMessage::build().payload(payload);
        let acknowledgement = self.context.send_publish(subject, message).await?;
        acknowledgement.await?;
        Ok(())
    }

    /// An Object Store of its own.
    pub(crate) async fn objects(&self) -> Result<ObjectStore> {
        let config = object_store::Config {
            bucket: "bench".to_owned(),
            ..object_store::Config::default()
        };
        let store = self.context.create_object_store(config).await;
        store.context("no object store can be made")
    }

    /// The sequences of a practice's events, as JetStream itself delivers them: those after a place in the log.
    pub(crate) async fn events(
        &self,
        practice: &str,
        after: u64,
    ) -> Result<impl futures_util::Stream<Item = Result<u64>> + Unpin> {
        let filter = format!("aw.{practice}.patient.*");
        let stream = self
            .context
            .stream_by_subject(&filter)
            .await
            .context("there is no log")?;
        let stream = self.context.get_stream(stream).await?;
        let config = push::OrderedConfig {
            deliver_subject: self.client.new_inbox(),
            filter_subject: filter,
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: after + 1,
            },
            ..push::OrderedConfig::default()
        };
        let messages = stream.create_consumer(config).await?.messages().await?;
        let sequences = messages.map(|message| {
            let message = message?;
            let info = message.info().map_err(anyhow::Error::from_boxed)?;
            Ok(info.stream_sequence)
        });
        Ok(sequences.boxed())
    }

    /// Messages that clients have sent to the server and got from it since it began.
    pub(crate) async fn messages(&self) -> Result<(u64, u64)> {
        let said = load::get(&load::http(), &format!("{}/varz", self.monitoring)).await?;
        let traffic: Traffic = serde_json::from_slice(&said)?;
        Ok((traffic.in_msgs, traffic.out_msgs))
    }

    /// How much was ever written to the broker's streams, and how much of it to the log: each of these was flushed.
    pub(crate) async fn writes(&self) -> Result<Writes> {
        let streams: Vec<_> = self.context.streams().try_collect().await?;
        let mut writes = Writes::default();
        for stream in streams {
            if stream.config.name == STREAM {
                continue;
            }
            let last = stream.state.last_sequence;
            if stream.config.name.starts_with("KV_") {
                writes.buckets += last;
            } else {
                writes.log += last;
            }
        }
        Ok(writes)
    }
}

/// Records written since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Writes {
    pub(crate) log: u64,
    pub(crate) buckets: u64,
}

/// For clients, and for monitoring.
fn addresses(ports: &Path) -> Result<(String, String)> {
    let files = fs::read_dir(ports).context("the nats-server does not say where it listens")?;
    for file in files {
        let text = fs::read(file?.path())?;
        if let Ok(ports) = serde_json::from_slice::<Ports>(&text)
            && let (Some(client), Some(monitoring)) = (ports.nats.first(), ports.monitoring.first())
        {
            return Ok((client.clone(), monitoring.clone()));
        }
    }
    anyhow::bail!("the nats-server does not say where it listens")
}
