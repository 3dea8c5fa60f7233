//! One trace leads from what a vendor said, or what a poll found, to what became of it in every system: across the log,
//! the lane, the sandbox and the HTTP request. Nothing in it is about a patient.

use crate::support::{
    Scene, VENDOR,
    collector::{Collector, attribute},
    watch::Metrics,
};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Field, Options, PatientFields};
use archwire_proto::v1::{self, PublishRequest, bus_client::BusClient};
use archwire_tests::{Practice, eventually, invented, set_email, wire_patient};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tonic::transport::Endpoint;

/// The vendor's own trace, and its span in it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Somebody whose every detail is unlike anything that a program writes by itself.
fn conspicuous() -> PatientFields {
    PatientFields::named("Wobblethwaite", "Ignatius")
        .with(Field::Birthdate, "1991-10-23")
        .with(Field::HmPhone, "(971)555-0123")
        .with(Field::Email, "iggy@rutabaga.example")
        .with(Field::Address, "3 Rutabaga Parade")
        .with(Field::City, "Flibberton")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Publishes one patient as a vendor whose program takes part in traces.
async fn publish(practice: &Practice, local_id: &str, fields: &PatientFields) -> Result<()> {
    let channel = Endpoint::from_shared(practice.url())?.connect().await?;
    let observation = v1::Observation {
        local_id: local_id.to_owned(),
        patient: Some(wire_patient(fields)),
        ..Default::default()
    };
    let request = PublishRequest {
        tag: 1,
        observation: Some(observation),
        idempotency_key: None,
    };
    let mut request = tonic::Request::new(tokio_stream::once(request));
    let token = format!("Bearer {}", practice.token(VENDOR)?);
    request.metadata_mut().insert("authorization", token.parse()?);
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    request.metadata_mut().insert("traceparent", traceparent.parse()?);
    let mut answers = BusClient::new(channel).publish(request).await?.into_inner();
    let answer = answers.message().await?.context("no answer")?;
    ensure!(
        matches!(answer.outcome, Some(v1::publish_response::Outcome::Recorded(_))),
        "it was not taken for news"
    );
    Ok(())
}

/// From the log on, in every trace: what the lane of a system leads to.
const CREATED: &[&[&str]] = &[
    &["http", "call", "attempt", "lane", "append", "observe"],
    &["settle", "attempt", "lane", "append", "observe"],
    &["append", "settle", "attempt", "lane", "append", "observe"],
];

#[tokio::test]
async fn one_trace_from_a_vendors_word_and_from_a_polled_page_to_the_receipts() -> Result<()> {
    let collector = Collector::start().await?;
    let plan = Practice::plan()
        .system("front-desk", Options::service())
        .system("archive", Options::service())
        .vendor(VENDOR)
        .extra(&collector.configuration());
    let mut practice = plan.open().await?;
    practice.start_broker().await?;
    let published = conspicuous();
    publish(&practice, "T-1", &published).await?;
    let typed = invented(1, 1).remove(0);
    practice.office().front_desk().create(&typed);
    for office in ["front-desk", "archive"] {
        eventually("both are everywhere", async || {
            let rows = practice.office_of(office)?.patients().len();
            ensure!(rows == 2, "{rows} rows");
            Ok(())
        })
        .await?;
    }
    eventually("the traces are whole", async || {
        let spans = collector.spans();
        let published: Vec<_> = spans.with("publish", "system", VENDOR);
        let [published] = published[..] else {
            anyhow::bail!("{} spans of the vendor's word", published.len())
        };
        ensure!(hexadecimal(&published.trace_id) == TRACE, "the vendor's trace");
        ensure!(
            hexadecimal(&published.parent_span_id) == SPAN,
            "under the vendor's span"
        );
        let trace = spans.of_trace(&published.trace_id);
        for way in CREATED {
            trace.has(&[way, &["publish", "?"][..]].concat())?;
        }
        // What a system makes of it may be news to the other, whose lane follows from that.
        let mut lanes: Vec<_> = trace
            .at(&["lane", "append", "observe", "publish", "?"])
            .map(|lane| (attribute(lane, "system"), attribute(lane, "outcome")))
            .collect();
        lanes.sort();
        let delivered = |system: &str| (Some(system.to_owned()), Some("delivered".to_owned()));
        ensure!(
            lanes == [delivered("archive"), delivered("front-desk")],
            "lanes {lanes:?} in\n{}",
            trace.told()
        );
        let polled = spans
            .at(&["observe", "poll"])
            .find(|span| attribute(span, "result").as_deref() == Some("recorded"))
            .context("nothing was polled")?;
        ensure!(
            attribute(polled, "system").as_deref() == Some("front-desk"),
            "{polled:?}"
        );
        let trace = spans.of_trace(&polled.trace_id);
        for way in CREATED {
            trace.has(&[way, &["poll"][..]].concat())?;
        }
        trace.has(&["http", "call", "poll"])?;
        let sent = trace.has(&["http", "call", "attempt", "lane", "append", "observe", "poll"])?;
        ensure!(
            attribute(sent, "system").as_deref() == Some("archive")
                && attribute(sent, "http.request.method").is_some()
                && attribute(sent, "http.response.status_code").is_some_and(|code| code.starts_with('2')),
            "{sent:?}"
        );
        Ok(())
    })
    .await?;
    let spans = collector.spans();
    let names = [
        "poll", "publish", "observe", "append", "lane", "attempt", "call", "http", "settle",
    ];
    for span in spans.all() {
        ensure!(names.contains(&span.name.as_str()), "a span {}", span.name);
        ensure!(span.events.is_empty(), "lines of the log stay in the log");
    }
    let bytes = collector.bytes();
    let mut needles = vec!["/patients".to_owned(), "PatNum".to_owned(), "T-1".to_owned()];
    for fields in [published, typed] {
        needles.extend(
            fields
                .iter()
                .map(|(_, value)| value.to_owned())
                .filter(|value| value.len() > 3),
        );
    }
    for needle in needles {
        let found = bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes());
        ensure!(!found, "a trace is about a patient");
    }
    Ok(())
}

#[tokio::test]
async fn a_collector_that_is_down_costs_one_warning() -> Result<()> {
    let collector = Collector::start().await?;
    let configuration = collector.configuration();
    drop(collector);
    let mut scene = Scene::with(Practice::plan().extra(&configuration)).await?;
    scene.register(3).await?;
    scene.type_in(3);
    scene.settled().await?;
    scene.practice.seat().said("does not take traces").await?;
    scene.register(2).await?;
    scene.settled().await?;
    let began = Instant::now();
    scene.practice.stop_broker().await?;
    ensure!(
        began.elapsed() < Duration::from_secs(10),
        "the stop took {:?}",
        began.elapsed()
    );
    let log = scene.practice.logs()?;
    let told = log.about("does not take traces").len();
    ensure!(told == 1, "told {told} times");
    Ok(())
}

/// Waits until a lane to the office waits for its turn.
async fn waits(practice: &Practice) -> Result<()> {
    eventually("a lane waits", async || {
        let metrics = Metrics::of(practice.seat()).await?;
        let lanes = metrics.value("archwire_lanes", &["system=\"front-desk\"", "state=\"waiting\""])?;
        ensure!(lanes == 1.0, "{lanes} wait");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_waits_is_linked_to_what_brings_it_and_a_restart_goes_on_in_the_same_trace() -> Result<()> {
    let collector = Collector::start().await?;
    let plan = Practice::plan().extra(&collector.configuration());
    let mut scene = Scene::with(plan.extra("listen = \"127.0.0.1:0\"\n")).await?;
    let local_id = scene.register(1).await?.remove(0);
    scene.settled().await?;
    let say = async |scene: &Scene, email: &str| -> Result<()> {
        let edited = scene.vendor.edit(&local_id, |patient| set_email(patient, email));
        edited.await.map(|_| ())
    };
    scene.office().set_reachable(false);
    scene.practice.seat().said("is left alone").await?;
    for email in ["first@example.com", "second@example.com", "third@example.com"] {
        say(&scene, email).await?;
    }
    waits(&scene.practice).await?;
    scene.office().set_reachable(true);
    scene.office_shows(1, Field::Email, "third@example.com").await?;
    eventually("the lane says whom it stands for", async || {
        let spans = collector.spans();
        let waited = spans.at(&["lane", "append", "observe", "publish"]);
        let waited = waited.filter(|lane| {
            lane.links.len() == 2 && attribute(lane, "outcome").as_deref() == Some("delivered")
        });
        let waited = waited.last().with_context(|| spans.told())?;
        for link in &waited.links {
            let linked = spans.all().iter().find(|span| span.span_id == link.span_id);
            let linked = linked.context("a link that leads nowhere")?;
            let way = spans.way_up(linked)?;
            ensure!(way == ["append", "observe", "publish"], "{way:?}");
            ensure!(linked.trace_id != waited.trace_id, "a trace of its own");
        }
        Ok(())
    })
    .await?;
    scene.office().set_reachable(false);
    say(&scene, "fourth@example.com").await?;
    waits(&scene.practice).await?;
    scene.practice.restart().await?;
    scene.office().set_reachable(true);
    scene.office_shows(1, Field::Email, "fourth@example.com").await?;
    eventually(
        "the next broker's lane stands in the trace of the last one's event",
        async || {
            let spans = collector.spans();
            let words = spans.with("publish", "system", VENDOR);
            let last = words.into_iter().max_by_key(|span| span.start_time_unix_nano);
            let trace = spans.of_trace(&last.context("nothing was said")?.trace_id);
            let lanes: Vec<_> = trace.at(&["lane", "append", "observe", "publish"]).collect();
            let outcomes: Vec<_> = lanes.iter().map(|lane| attribute(lane, "outcome")).collect();
            ensure!(
                outcomes.contains(&None) && outcomes.contains(&Some("delivered".to_owned())),
                "{outcomes:?} in\n{}",
                trace.told()
            );
            Ok(())
        },
    )
    .await
}

#[tokio::test]
async fn a_collector_that_hangs_does_not_hold_up_the_stop() -> Result<()> {
    // It listens, and never answers.
    let hangs = TcpListener::bind("127.0.0.1:0")?;
    let configuration = format!("\n[telemetry]\notlp = \"http://{}\"\n", hangs.local_addr()?);
    let mut scene = Scene::with(Practice::plan().extra(&configuration)).await?;
    scene.register(2).await?;
    scene.settled().await?;
    let began = Instant::now();
    scene.practice.stop_broker().await?;
    let took = began.elapsed();
    ensure!(took < Duration::from_secs(8), "the stop took {took:?}");
    Ok(())
}
