//! What the sandbox adds to a delivery: the template connector's `deliver` in the host, against the same mapping and the
//! same request in native code, to the same web service.
//!
//! The native side has the patient at hand in the SDK's own types, as a connector that was linked in would.

use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure},
    load,
    report::Measured,
    sink::Sink,
    unit::{Unit, quantile},
};
use anyhow::{Context as _, Result};
use archwire_core::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, Cursor, Delivery,
    EventKind, HumanName, NameUse, PartialDate, Patient, PatientId, Revision, Text,
};
use archwire_host::{Connector, Engine, EngineConfig, Grant, Limits, MemoryStateStore, SystemConfig};
use archwire_tests::Programs;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

/// Deliveries a round.
const DELIVERIES: usize = 2_000;

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let engine = Engine::new(EngineConfig::new(folder.path().join("compiled")))?;
    let sink = Sink::open().await?;
    let echo = connector(&engine, "echo", &sink).await?;
    let hostile = connector(&engine, "hostile", &sink).await?;
    let delivery = delivery()?;
    echo.deliver(&delivery).await?;
    let sent = sink.any().context("nothing was delivered")?;
    let patient: archwire_connector::Patient = serde_json::from_slice(&sent)?;
    let http = load::http();
    let url = format!("{}/patients/native", sink.url());
    let cursor = Cursor("page 0".to_owned());
    let (mut with_http, mut calls) = (Rounds::default(), Vec::new());
    for _ in 0..settings.rounds {
        let (mut ours, mut native, mut alone) = (Vec::<Duration>::new(), Vec::new(), Vec::new());
        for _ in 0..settings.sized(DELIVERIES) {
            let begun = Instant::now();
            echo.deliver(&delivery).await?;
            ours.push(begun.elapsed());
            let begun = Instant::now();
            load::send(&http, "PUT", &url, serde_json::to_vec(&patient)?.into()).await?;
            native.push(begun.elapsed());
            let begun = Instant::now();
            hostile.poll(Some(&cursor)).await?;
            alone.push(begun.elapsed());
        }
        with_http.add(quantile(&mut ours, 0.5), quantile(&mut native, 0.5));
        calls.push(quantile(&mut alone, 0.5));
    }
    Ok(Measured {
        figures: vec![
            with_http.added(
                "delivery to a web service, p50",
                Unit::Seconds,
                "native code",
                Budget::AtMost(0.000_05),
            ),
            Figure::new("fresh instance and an empty call, p50", Unit::Seconds, calls),
        ],
        notes: vec![format!("the request's body has {} bytes", sent.len())],
        ..Measured::default()
    })
}

async fn connector(engine: &Engine, name: &str, sink: &Sink) -> Result<Connector> {
    let component = engine
        .load(Programs::find()?.components.join(format!("{name}.wasm")))
        .await?;
    let mut settings = BTreeMap::from([("url".to_owned(), sink.url().to_owned())]);
    let mut secrets = BTreeMap::new();
    if name == "hostile" {
        settings.insert("greeting".to_owned(), "none".to_owned());
        secrets.insert("key".to_owned(), "none".into());
    }
    let wishes = &component.description().grants;
    let grants = wishes.iter().map(|wish| {
        Ok(Grant {
            to: sink.url().parse()?,
            methods: wish.methods.clone(),
            paths: wish.paths.clone(),
            private_addresses: true,
            spacing: Duration::ZERO,
            in_flight: NonZeroUsize::MIN,
        })
    });
    let config = SystemConfig {
        system: name.parse()?,
        settings,
        secrets,
        grants: grants.collect::<Result<_>>()?,
        limits: Limits::default(),
        images: None,
        images_folder: None,
        account: None,
    };
    Ok(Connector::new(
        component,
        config,
        Arc::new(MemoryStateStore::default()),
    )?)
}

fn delivery() -> Result<Delivery> {
    let contact = |system, value: &str, r#use| ContactPoint {
        system,
        value: value.into(),
        r#use,
        rank: None,
        period: None,
    };
    let text = |value: &str| Some(Text::from(value));
    let patient = Patient {
        names: vec![HumanName {
            r#use: Some(NameUse::Official),
            family: text("Example"),
            given: vec!["Anna".into(), "K".into()],
            ..HumanName::default()
        }],
        birth_date: Some(PartialDate::parse("2011-04-02")?),
        administrative_sex: Some(AdministrativeSex::Female),
        telecom: vec![
            contact(ContactSystem::Phone, "(503)555-0100", Some(ContactUse::Home)),
            contact(ContactSystem::Phone, "(503)555-0101", Some(ContactUse::Mobile)),
            contact(ContactSystem::Email, "anna.example@example.com", None),
        ],
        addresses: vec![Address {
            r#use: Some(AddressUse::Home),
            lines: vec!["1 Example Street".into()],
            city: text("Salem"),
            state: text("OR"),
            postal_code: text("97301"),
            ..Address::default()
        }],
        ..Patient::default()
    };
    let id = PatientId::generate();
    Ok(Delivery {
        event_id: id.to_string(),
        kind: EventKind::PatientUpdated,
        patient_id: id,
        revision: Revision::new(2),
        local_id: Some("ours".parse()?),
        patient,
        changed: BTreeSet::new(),
        in_doubt_since: None,
    })
}
