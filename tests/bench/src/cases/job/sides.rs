//! The two sides that do the job: the bus over gRPC, and the plain program over HTTP. Both send to the same web service.

use super::cost::Cost;
use crate::{
    load::{self, Http},
    raw::Raw,
    sink::Sink,
    unit::rate,
};
use anyhow::{Context as _, Result};
use archwire_client::{Publisher, v1::Observation};
use archwire_tests::{Practice, eventually};
use bytes::Bytes;
use prost::Message as _;
use std::time::{Duration, Instant};

/// The bus.
pub(super) struct Ours {
    publisher: Publisher,
    raw: Raw,
}

/// How many jobs in how long.
pub(super) struct Many {
    /// Jobs a second until the last patient was at the service.
    pub(super) at_service: f64,
    /// The same until the last was read back.
    pub(super) read_back: f64,
    /// What one job cost.
    pub(super) cost: Cost,
}

impl Ours {
    pub(super) async fn of(practice: &Practice, vendor: &str) -> Result<Self> {
        Ok(Self {
            publisher: practice.vendor(vendor).await?.publisher(),
            raw: Raw::beside(practice).await?,
        })
    }

    pub(super) async fn many(
        &self,
        practice: &Practice,
        sink: &Sink,
        in_flight: usize,
        some: Vec<Observation>,
    ) -> Result<Many> {
        sink.begin();
        let before = Cost::so_far(practice, &self.raw, sink).await?;
        let (count, begun) = (some.len(), Instant::now());
        load::at_a_time(in_flight, some, |one| publish(self.publisher.clone(), one)).await?;
        let at_service = sink.has_got(count).await?.duration_since(begun);
        let read_back = sink.has_shown(count).await?.duration_since(begun);
        self.calm().await?;
        let after = Cost::so_far(practice, &self.raw, sink).await?;
        Ok(Many {
            at_service: rate(count, at_service),
            read_back: rate(count, read_back),
            cost: after.since(&before, count),
        })
    }

    /// How long each patient was on the way.
    pub(super) async fn paced(
        &self,
        sink: &Sink,
        a_second: u32,
        some: Vec<Observation>,
    ) -> Result<Vec<Duration>> {
        sink.clear();
        let count = some.len();
        let published = load::a_second(a_second, some, |one| publish(self.publisher.clone(), one)).await?;
        sink.has_shown(count).await?;
        self.calm().await?;
        ways(sink, published)
    }

    /// Waits until the broker has written down what it saw, so that it does not disturb what is measured next.
    async fn calm(&self) -> Result<()> {
        let mut last = None;
        eventually("the broker comes to rest", async || {
            let writes = self.raw.writes().await?;
            let is_calm = last.replace(writes) == Some(writes);
            is_calm.then_some(()).context("it still writes")
        })
        .await
    }
}

async fn publish(publisher: Publisher, observation: Observation) -> Result<String> {
    Ok(publisher.publish(observation).await?.patient_id().to_owned())
}

/// The plain program.
pub(super) struct Theirs {
    http: Http,
    url: String,
}

impl Theirs {
    pub(super) fn at(url: &str) -> Self {
        Self {
            http: load::http(),
            url: url.to_owned(),
        }
    }

    pub(super) async fn many(&self, sink: &Sink, in_flight: usize, some: Vec<Observation>) -> Result<f64> {
        sink.clear();
        let some: Vec<_> = some.into_iter().map(record).collect();
        let (count, begun) = (some.len(), Instant::now());
        load::at_a_time(in_flight, some, |one| self.post(one)).await?;
        let at_service = sink.has_got(count).await?.duration_since(begun);
        Ok(rate(count, at_service))
    }

    pub(super) async fn paced(
        &self,
        sink: &Sink,
        a_second: u32,
        some: Vec<Observation>,
    ) -> Result<Vec<Duration>> {
        sink.clear();
        let some: Vec<_> = some.into_iter().map(record).collect();
        let count = some.len();
        let posted = load::a_second(a_second, some, |one| self.post(one)).await?;
        sink.has_got(count).await?;
        ways(sink, posted)
    }

    fn post(&self, (id, bytes): (String, Bytes)) -> impl Future<Output = Result<String>> + Send + use<> {
        let (http, url) = (self.http.clone(), format!("{}/patients/{id}", self.url));
        async move {
            load::send(&http, "POST", &url, bytes).await?;
            Ok(id)
        }
    }
}

/// The same bytes for the plain program.
fn record(observation: Observation) -> (String, Bytes) {
    let bytes = observation.encode_to_vec().into();
    (observation.local_id, bytes)
}

fn ways(sink: &Sink, asked: Vec<(Instant, String)>) -> Result<Vec<Duration>> {
    let ways = asked.into_iter().map(|(at, id)| {
        let came = sink.came(&id).context("a patient did not come")?;
        Ok(came.duration_since(at))
    });
    ways.collect()
}
