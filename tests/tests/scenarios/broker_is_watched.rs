//! Metrics and health over HTTP: what a monitoring system sees of a broker that starts, works, stands by, loses its log
//! and stops.

use crate::support::{
    Scene, VENDOR,
    watch::{self, Metrics, OFFERED, becomes, page, readiness},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{PatientKey, v1};
use archwire_opendental_simulator::{Fault, Field, Options, PatientFields};
use archwire_tests::{Practice, eventually, set_email, wire_patient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Somebody whose every detail is unlike anything that a program writes by itself.
fn conspicuous() -> PatientFields {
    PatientFields::named("Quillfeather", "Thessalonia")
        .with(Field::Birthdate, "1987-06-05")
        .with(Field::WkPhone, "(503)555-0187")
        .with(Field::Email, "thessa@marmalade.example")
        .with(Field::Address, "77 Marmalade Crescent")
        .with(Field::City, "Gnarlwick")
        .with(Field::ChartNumber, "QX-7781-ZZ")
}

#[tokio::test]
async fn the_numbers_tell_what_happened_and_nothing_about_whom() -> Result<()> {
    let plan = Practice::plan()
        .system("front-desk", Options::service())
        .system("archive", Options::service())
        .extra(OFFERED);
    let mut scene = Scene::with(plan).await?;
    let person = conspicuous();
    let (local_id, receipt) = scene.vendor.register(wire_patient(&person)).await?;
    let patient_id = receipt.patient_id().to_owned();
    scene.people.push(person);
    scene.type_in(2);
    scene.settled().await?;
    scene
        .office()
        .set_fault(Fault::status(400).on("PUT", "/patients/*").times(1));
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "thessa@turnip.example"))
        .await?;
    let seat = scene.practice.seat();
    let system = "system=\"front-desk\"";
    let metrics = eventually("a delivery waits for a person, and nothing else", async || {
        let metrics = Metrics::of(seat).await?;
        let parked = metrics.value("archwire_parked_deliveries", &[system])?;
        ensure!(parked == 1.0, "{parked} are parked");
        let behind = metrics.value("archwire_behind_patients", &["system=\"archive\""])?;
        ensure!(behind == 0.0, "the archive lacks something of {behind}");
        Ok(metrics)
    })
    .await?;
    let at_least = |least: f64, name: &str, labels: &[&str]| -> Result<()> {
        let value = metrics.value(name, labels)?;
        ensure!(value >= least, "{name}{labels:?} is {value}");
        Ok(())
    };
    let vendor = format!("system=\"{VENDOR}\"");
    at_least(
        2.0,
        "archwire_observations_total",
        &[&vendor, "result=\"recorded\""],
    )?;
    at_least(
        2.0,
        "archwire_observations_total",
        &[system, "result=\"recorded\""],
    )?;
    at_least(4.0, "archwire_log_appends_total", &["result=\"stored\""])?;
    at_least(4.0, "archwire_log_append_seconds_count", &[])?;
    at_least(
        1.0,
        "archwire_connector_calls_total",
        &[system, "ability=\"deliver\"", "code=\"ok\""],
    )?;
    at_least(
        1.0,
        "archwire_connector_calls_total",
        &[system, "ability=\"deliver\"", "code=\"connector_rejected\""],
    )?;
    at_least(
        1.0,
        "archwire_connector_call_seconds_bucket",
        &[system, "ability=\"poll\"", "le=\"10\""],
    )?;
    at_least(3.0, "archwire_http_requests_total", &[system, "class=\"2xx\""])?;
    at_least(1.0, "archwire_http_requests_total", &[system, "class=\"4xx\""])?;
    at_least(3.0, "archwire_http_request_seconds_count", &[system])?;
    at_least(1.0, "archwire_ready", &[])?;
    at_least(1_000_000.0, "process_resident_memory_bytes", &[])?;
    at_least(1.0, "archwire_build_info", &["version=\"0."])?;
    ensure!(metrics.value("archwire_patients", &[])? == 3.0, "the patients");
    ensure!(
        metrics.value("archwire_review_open_items", &[])? == 0.0,
        "the items"
    );
    for line in metrics.text().lines().filter(|line| line.starts_with("# TYPE")) {
        let name = line.split(' ').nth(2).unwrap_or_default();
        ensure!(
            metrics.text().contains(&format!("# HELP {name} ")),
            "{name} is not explained"
        );
    }
    let known = scene.practice.vendor(VENDOR).await?;
    let known = known
        .get_patient(PatientKey::PatientId(patient_id.clone()))
        .await?;
    ensure!(known.is_some(), "it is the patient's id");
    let mut needles = vec![patient_id, local_id, "turnip".to_owned()];
    for fields in &scene.people {
        needles.extend(
            fields
                .iter()
                .map(|(_, value)| value.to_owned())
                .filter(|value| value.len() > 3),
        );
    }
    for needle in needles {
        ensure!(!metrics.text().contains(&needle), "a number is about a patient");
    }
    Ok(())
}

#[tokio::test]
async fn a_broker_that_loses_its_log_or_stands_by_is_alive_and_not_ready() -> Result<()> {
    let plan = Practice::plan().external_nats().extra(OFFERED);
    let mut scene = Scene::with(plan).await?;
    becomes(scene.practice.seat(), None).await?;
    let mut other = scene.practice.another_seat("second")?;
    other.begin()?;
    becomes(&other, Some("standing_by")).await?;
    ensure!(!other.is_ready(), "it has no API yet");
    scene.practice.nats_server()?.kill()?;
    eventually("the broker has noticed", async || {
        let (status, reasons) = readiness(scene.practice.seat()).await?;
        ensure!(status == 503, "{status}");
        ensure!(reasons.contains(&"log_disconnected".to_owned()), "{reasons:?}");
        Ok(())
    })
    .await?;
    let (status, _) = page(scene.practice.seat(), "/healthz").await?;
    ensure!(status == 200, "it is alive: {status}");
    let metrics = Metrics::of(scene.practice.seat()).await?;
    ensure!(metrics.value("archwire_ready", &[])? == 0.0, "it is not ready");
    // Without the other one, which might become the writer now.
    drop(other);
    scene.practice.nats_server()?.start_again().await?;
    becomes(scene.practice.seat(), None).await?;
    let metrics = Metrics::of(scene.practice.seat()).await?;
    let reconnected = metrics.value("archwire_log_reconnections_total", &[])?;
    ensure!(reconnected >= 1.0, "{reconnected} times");
    let file = scene.practice.data_folder().join("telemetry.address");
    ensure!(file.exists(), "while it can be looked at");
    scene.practice.stop_broker().await?;
    ensure!(!file.exists(), "and no longer");
    Ok(())
}

/// What the broker answers to bytes, until it closes the connection.
async fn answer_to(address: &str, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // It may have answered, and closed, before it has read everything.
    _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn nothing_else_is_served_and_nobody_occupies_it() -> Result<()> {
    let mut scene = Scene::with(Practice::plan().extra(OFFERED)).await?;
    let address = watch::address(scene.practice.seat())?;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    for path in ["/", "/metrics/", "/metrics/../healthz", "/admin", "/readyz/x"] {
        let answer = answer_to(&address, get(path).as_bytes()).await?;
        ensure!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let answer = answer_to(
        &address,
        b"POST /readyz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
    )
    .await?;
    ensure!(
        answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET, HEAD"),
        "{answer}"
    );
    let answer = answer_to(&address, b"HEAD /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, "?"));
    ensure!(
        head.starts_with("HTTP/1.1 200") && head.contains("text/plain; version=0.0.4") && body.is_empty(),
        "{answer}"
    );
    let answer = answer_to(&address, get(&format!("/{}", "x".repeat(20_000))).as_bytes()).await?;
    ensure!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "too long: {answer}"
    );
    // More idle connections than there are places: they are closed in time, and the next one gets its turn.
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(&address).await?);
    }
    eventually("somebody is answered all the same", async || {
        let (status, _) = page(scene.practice.seat(), "/healthz").await?;
        ensure!(status == 200, "{status}");
        Ok(())
    })
    .await?;
    drop(idle);
    scene.register(1).await?;
    scene.settled().await
}

#[tokio::test]
async fn without_the_configuration_nothing_is_offered() -> Result<()> {
    let scene = Scene::open().await?;
    let file = scene.practice.data_folder().join("telemetry.address");
    ensure!(!file.exists(), "nobody asked for it");
    let log = scene.practice.logs()?;
    ensure!(log.about("metrics and health").is_empty(), "and nothing says so");
    let observation = v1::Observation::default();
    let publisher = scene.practice.vendor(VENDOR).await?.publisher();
    ensure!(
        publisher.publish(observation).await.is_err(),
        "the broker answers"
    );
    Ok(())
}

#[tokio::test]
async fn an_address_that_somebody_else_has_is_said_at_the_start() -> Result<()> {
    let other = std::net::TcpListener::bind("127.0.0.1:0")?;
    let taken = format!("\n[telemetry]\nlisten = \"{}\"\n", other.local_addr()?);
    let mut practice = Practice::plan().extra(&taken).open().await?;
    let refused = practice.start_broker().await;
    let said = format!("{:#}", refused.err().context("it started")?);
    ensure!(
        said.contains("[telemetry_address_unavailable]") && said.contains("telemetry.listen"),
        "{said}"
    );
    ensure!(!practice.seat().is_ready(), "and the broker has ended");
    Ok(())
}
