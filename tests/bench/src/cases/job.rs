//! The whole job: a patient of 1 KiB comes in by `Publish`, is flushed, mapped by a connector in the sandbox, and sent to a
//! web service of this machine; beside it a plain program that takes the same bytes by HTTP, appends them with
//! `fdatasync`, and sends them to the same service.
//!
//! The bus does more: it decides who the patient is, notes that it is about to create a record, reads the record back, and
//! stores what it saw. So there are two rates: until the last patient was at the service, and until the last was read back.

use super::ENGINE;
use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure, Judged},
    floor::Floor,
    load::{self, Http},
    patients::Patients,
    practice::{self, VENDORS, mebibytes, peaks},
    raw::Raw,
    report::{Curve, Measured},
    sink::Sink,
    unit::{Unit, quantile, rate},
};
use anyhow::{Context as _, Result};
use archwire_client::{Publisher, v1::Observation};
use archwire_tests::eventually;
use bytes::Bytes;
use prost::Message as _;
use std::time::{Duration, Instant};

const PATIENTS: usize = 1_000;
const IN_FLIGHT: [usize; 4] = [1, 4, 16, 64];
const A_SECOND: [u32; 2] = [50, 200];
/// How long patients come at a steady pace, in seconds.
const STEADY: usize = 5;
/// Jobs a second of that engine at its worst.
const ENGINE_AT_WORST: f64 = 150.0;
/// How many times that we want to do.
const TIMES: f64 = 5.0;
/// A tenth of what that engine holds in memory, at its most and at its least, in MiB.
const A_TENTH: (f64, f64) = (75.0, 39.0);

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let sink = Sink::open().await?;
    let mut practice = practice::with_sink(&sink).await?;
    practice.start_broker().await?;
    let [vendor, ..] = VENDORS;
    let floor = Floor::start(&practice.folder().join("floor"), sink.url()).await?;
    let ours = Ours {
        publisher: practice.vendor(vendor).await?.publisher(),
        raw: Raw::beside(&practice).await?,
    };
    let beside = Theirs {
        http: load::http(),
        url: floor.url().to_owned(),
    };
    let count = settings.sized(PATIENTS);
    let steady = |a_second: u32| settings.sized(a_second as usize * STEADY);
    let a_round = IN_FLIGHT.len() * count + A_SECOND.into_iter().map(steady).sum::<usize>();
    let mut patients = Patients::invent(settings.rounds * a_round);

    let mut rates: [Rates; 4] = Default::default();
    let mut ways: [Ways; 2] = Default::default();
    let (mut log, mut buckets, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        for (in_flight, rates) in IN_FLIGHT.into_iter().zip(&mut rates) {
            let some = patients.next(count)?;
            let before = ours.raw.writes().await?;
            let (at_service, read_back) = ours.many(&sink, in_flight, some.clone()).await?;
            let after = ours.raw.writes().await?;
            if in_flight == IN_FLIGHT[0] {
                log.push(each(after.log - before.log, count));
                buckets.push(each(after.buckets - before.buckets, count));
                requests.push(each(sink.requests() as u64, count));
            }
            rates.read_back.push(read_back);
            rates
                .at_service
                .add(at_service, beside.many(&sink, in_flight, some).await?);
        }
        for (a_second, ways) in A_SECOND.into_iter().zip(&mut ways) {
            let some = patients.next(steady(a_second))?;
            let mut one = ours.paced(&sink, a_second, some.clone()).await?;
            let mut other = beside.paced(&sink, a_second, some).await?;
            ways.median
                .add(quantile(&mut one, 0.5), quantile(&mut other, 0.5));
            ways.rare
                .add(quantile(&mut one, 0.99), quantile(&mut other, 0.99));
        }
    }
    let memory = memory(&practice, &floor)?;
    let (best, curves) = best(&rates);
    let mut figures = vec![best];
    for (in_flight, rates) in IN_FLIGHT.into_iter().zip(rates) {
        let what = format!("jobs, {in_flight} in flight");
        figures.push(
            rates
                .at_service
                .figure(what, Unit::PerSecond, FLOOR, Judged::Ratio),
        );
        let what = format!("jobs, {in_flight} in flight, read back too");
        figures.push(Figure::new(what, Unit::PerSecond, rates.read_back));
    }
    for (a_second, ways) in A_SECOND.into_iter().zip(ways) {
        let what = format!("Publish to web service at {a_second}/s");
        let median = ways
            .median
            .figure(format!("{what}, p50"), Unit::Seconds, FLOOR, Judged::Added);
        // The budget is about the figure itself, not about what it is more than the floor.
        figures.push(if a_second == 200 {
            median.promised_itself(Budget::AtMost(0.005))
        } else {
            median
        });
        figures.push(
            ways.rare
                .figure(format!("{what}, p99"), Unit::Seconds, FLOOR, Judged::Added),
        );
    }
    figures.extend(memory);
    figures.extend([
        Figure::new("records in the log for a job", Unit::Count, log),
        Figure::new("records in buckets for a job", Unit::Count, buckets),
        Figure::new("requests to the web service for a job", Unit::Count, requests),
    ]);
    Ok(Measured {
        figures,
        curves,
        notes: vec![
            format!(
                "a widely used integration engine does {} to {} jobs a second on such a machine, p50 106 to 121 ms, 390 to 750 MB",
                ENGINE_AT_WORST, ENGINE
            ),
            format!(
                "{} times its worst rate would be {:.0} /s",
                TIMES,
                TIMES * ENGINE_AT_WORST
            ),
        ],
        ..Measured::default()
    })
}

const FLOOR: &str = "plain program";

/// One degree of concurrency.
#[derive(Default)]
struct Rates {
    at_service: Rounds,
    read_back: Vec<f64>,
}

/// One pace: how long patients are on their way.
#[derive(Default)]
struct Ways {
    median: Rounds,
    rare: Rounds,
}

/// The bus.
struct Ours {
    publisher: Publisher,
    raw: Raw,
}

impl Ours {
    /// Jobs a second until the last patient was at the service, and until the last was read back.
    async fn many(&self, sink: &Sink, in_flight: usize, some: Vec<Observation>) -> Result<(f64, f64)> {
        sink.clear();
        let (count, begun) = (some.len(), Instant::now());
        load::at_a_time(in_flight, some, |one| publish(self.publisher.clone(), one)).await?;
        let at_service = sink.holds(count).await?.duration_since(begun);
        let read_back = sink.has_shown(count).await?.duration_since(begun);
        self.calm().await?;
        Ok((rate(count, at_service), rate(count, read_back)))
    }

    /// How long each patient was on the way.
    async fn paced(&self, sink: &Sink, a_second: u32, some: Vec<Observation>) -> Result<Vec<Duration>> {
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
struct Theirs {
    http: Http,
    url: String,
}

impl Theirs {
    async fn many(&self, sink: &Sink, in_flight: usize, some: Vec<Observation>) -> Result<f64> {
        sink.clear();
        let some: Vec<_> = some.into_iter().map(record).collect();
        let (count, begun) = (some.len(), Instant::now());
        load::at_a_time(in_flight, some, |one| self.post(one)).await?;
        let at_service = sink.holds(count).await?.duration_since(begun);
        Ok(rate(count, at_service))
    }

    async fn paced(&self, sink: &Sink, a_second: u32, some: Vec<Observation>) -> Result<Vec<Duration>> {
        sink.clear();
        let some: Vec<_> = some.into_iter().map(record).collect();
        let count = some.len();
        let posted = load::a_second(a_second, some, |one| self.post(one)).await?;
        sink.holds(count).await?;
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

/// The best rate, judged, and the picture's lines.
fn best(rates: &[Rates]) -> (Figure, Vec<Curve>) {
    let medians = |of: fn(&Rates) -> &Vec<f64>| -> Vec<(usize, f64)> {
        let median = |rates: &Rates| crate::figure::Spread::of(of(rates)).median;
        IN_FLIGHT.into_iter().zip(rates.iter().map(median)).collect()
    };
    let ours = medians(|rates| &rates.at_service.ours);
    let best = ours
        .iter()
        .zip(rates)
        .max_by(|((_, one), _), ((_, other), _)| one.total_cmp(other))
        .map_or_else(Vec::new, |(_, rates)| rates.at_service.ours.clone());
    let figure = Figure::new("jobs a second at the best of these", Unit::PerSecond, best)
        .promised(Budget::AtLeast(TIMES * ENGINE));
    let curve = |name: &str, points| Curve {
        name: name.to_owned(),
        points,
    };
    let curves = vec![
        curve("Archwire", ours),
        curve("Archwire, read back too", medians(|rates| &rates.read_back)),
        curve(FLOOR, medians(|rates| &rates.at_service.beside)),
    ];
    (figure, curves)
}

/// The most that each of them held over the whole case.
fn memory(practice: &archwire_tests::Practice, floor: &Floor) -> Result<Vec<Figure>> {
    let (broker, nats) = peaks(practice)?;
    let floor = mebibytes(floor.pid().context("the plain program has ended")?)?;
    let figure = |what, value| Figure::new(what, Unit::Mebibytes, vec![value]);
    Ok(vec![
        figure(
            "memory of broker and nats-server together, at most",
            broker + nats,
        )
        .beside(FLOOR, Judged::Itself, &[floor])
        .promised(Budget::AtMost(A_TENTH.0)),
        figure("memory of the broker, at most", broker).promised(Budget::AtMost(A_TENTH.1)),
        figure("memory of its nats-server, at most", nats),
    ])
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn each(number: u64, of: usize) -> f64 {
    number as f64 / of as f64
}
