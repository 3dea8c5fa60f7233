//! Measures what being watched costs: `telemetry_cost [observations]`, 1,000 where no number is given.
//!
//! Three brokers run beside each other: one that nobody watches, one with metrics, and one with metrics and traces that a
//! collector of its own takes. A vendor publishes one observation after the other to each, in rounds of 50 that take turns,
//! so that whatever else the machine does disturbs all three. Prints the median and the 99th percentile of `Publish`, and the
//! brokers' resident memory. Runs the broker that `ARCHWIRE_BIN` names, which should be a release build.

#![allow(clippy::print_stdout, reason = "it is a program that prints figures")]

use anyhow::{Context as _, Result, ensure};
use archwire_client::{Publisher, v1};
use archwire_tests::{Practice, invented, process, wire_patient};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use std::time::{Duration, Instant};
use tonic::transport::{Server, server::TcpIncoming};
use tonic::{Request, Response, Status};

const VENDOR: &str = "imaging";
const ROUND: usize = 50;
const WATCHED: &str = "\n[telemetry]\nlisten = \"127.0.0.1:0\"\n";

struct Measured {
    name: &'static str,
    practice: Practice,
    publisher: Publisher,
    took: Vec<Duration>,
}

impl Measured {
    async fn open(name: &'static str, extra: &str) -> Result<Self> {
        let plan = Practice::plan().quiet().vendor(VENDOR).extra(extra);
        let mut practice = plan.log_level("info").open().await?;
        practice.start_broker().await?;
        let publisher = practice.vendor(VENDOR).await?.publisher();
        Ok(Self {
            name,
            practice,
            publisher,
            took: Vec::new(),
        })
    }

    async fn publish(&mut self, people: &[v1::Patient], from: usize) -> Result<()> {
        for (number, patient) in people.iter().enumerate() {
            let observation = v1::Observation {
                local_id: format!("I-{}", from + number),
                patient: Some(patient.clone()),
                ..Default::default()
            };
            let begun = Instant::now();
            self.publisher.publish(observation).await?;
            self.took.push(begun.elapsed());
        }
        Ok(())
    }

    fn print(mut self) -> Result<()> {
        self.took.sort_unstable();
        let at = |share: usize| self.took.get(self.took.len() * share / 100).copied();
        let (median, high) = at(50).zip(at(99)).context("nothing was measured")?;
        let resident = process::resident_kib(self.practice.broker_pid()?).context("no process")?;
        println!(
            "{:>20}: p50 {median:?}, p99 {high:?}, {} MiB resident",
            self.name,
            resident / 1024
        );
        Ok(())
    }
}

/// A collector that takes everything and looks at nothing.
struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Begins, and ends with the program. Returns what the configuration says of it.
    fn begin(self) -> Result<String> {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?;
        let address = incoming.local_addr()?;
        let service = TraceServiceServer::new(self);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        Ok(format!("{WATCHED}otlp = \"http://{address}\"\n"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let observations = std::env::args().nth(1);
    let observations: usize = observations.map_or(Ok(1_000), |number| number.parse())?;
    ensure!(observations >= ROUND, "at least {ROUND}");
    let traced = Collector.begin()?;
    let mut all = [
        Measured::open("nobody watches", "").await?,
        Measured::open("metrics", WATCHED).await?,
        Measured::open("metrics and traces", &traced).await?,
    ];
    let people: Vec<_> = invented(7, observations).iter().map(wire_patient).collect();
    for (round, people) in people.chunks(ROUND).enumerate() {
        for measured in &mut all {
            measured.publish(people, round * ROUND).await?;
        }
    }
    println!("{observations} observations each, one after the other");
    for measured in all {
        measured.print()?;
    }
    Ok(())
}
