//! A vendor's program at its smallest: it plays a cephalometric tracing program that keeps patients of its own, under
//! ids of its own, and is joined to the practice by the bus.
//!
//! ```sh
//! cargo run -p archwire-client --example cephalometric_tracing -- --token-file TOKEN-FILE follow
//! ```
//!
//! Four habits to copy. Store first and acknowledge then, because what is acknowledged does not come again. Expect
//! every event twice. Tell the bus under which local id you keep a patient, so that both mean the same person from
//! then on. When two patients turn out to be one, go on with the record that the event names.

mod arguments;
mod table;
mod take;

use anyhow::{Context as _, Result, bail};
use archwire_client::{Client, ClientCertificate, Endpoint, PatientKey, Receipt, SubscribeOptions, v1};
use arguments::{Arguments, Command};
use clap::Parser as _;
use std::{fs, path::Path, pin::pin, process::ExitCode};
use table::{Row, Table};
use take::take;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let client = Client::connect(endpoint(&arguments)?).await?;
    match arguments.command {
        Command::Follow { system, reveal } => {
            follow(&client, &mut Table::open(&arguments.table)?, &system, reveal).await
        }
        Command::Register {
            family,
            given,
            birth_date,
            phone,
        } => {
            let patient = patient(family, given, birth_date, phone);
            register(&client, &mut Table::open(&arguments.table)?, patient).await
        }
        Command::Show { local_id } => show(&client, local_id).await,
    }
}

/// Where the bus is, and by what it knows us.
fn endpoint(arguments: &Arguments) -> Result<Endpoint> {
    let read =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let certificate = match (&arguments.certificate, &arguments.key) {
        (Some(chain), Some(key)) => Some(ClientCertificate {
            chain: read(chain)?,
            key: read(key)?.into(),
        }),
        _ => None,
    };
    let token = arguments.token_file.as_deref().map(read).transpose()?;
    let mut endpoint = match (token, certificate) {
        (Some(token), None) => Endpoint::new(&arguments.url, token.trim_end()),
        (None, Some(certificate)) => Endpoint::certified(&arguments.url, certificate),
        (Some(token), Some(certificate)) => {
            Endpoint::new(&arguments.url, token.trim_end()).with_client_certificate(certificate)
        }
        (None, None) => bail!("name a token file, or a certificate and its key"),
    };
    if let Some(path) = &arguments.ca_certificate {
        endpoint = endpoint.with_ca_certificate(read(path)?);
    }
    Ok(endpoint)
}

async fn follow(client: &Client, table: &mut Table, system: &str, reveal: bool) -> Result<()> {
    let publisher = client.publisher();
    let mut subscription = client.subscribe(SubscribeOptions::new("cephalometric-tracing"));
    let mut stop = pin!(tokio::signal::ctrl_c());
    let mut events = 0_u64;
    println!("following; Ctrl-C ends");
    loop {
        let delivery = tokio::select! {
            delivery = subscription.next() => delivery?,
            _ = &mut stop => break,
        };
        let Some(delivery) = delivery else { break };
        let what = take(&publisher, table, system, &delivery.event).await?;
        // Everything about it is on our disk and on the bus: it need not come again.
        subscription.ack(&delivery);
        events += 1;
        let event = &delivery.event;
        let name = if reveal {
            name(event.patient.as_ref())
        } else {
            String::new()
        };
        println!(
            "{events:>6} patient {} revision {}: {what} {name}",
            event.patient_id, event.revision
        );
    }
    subscription.close().await;
    println!("{events} events, {} patients in the table", table.rows.len());
    Ok(())
}

async fn register(client: &Client, table: &mut Table, patient: v1::Patient) -> Result<()> {
    // Revision 0, because nothing was taken over yet: the event that comes of this brings the whole state.
    let row = Row {
        is_bound: true,
        ..Row::new(None)
    };
    // No patient id: the bus finds out whether it knows the person, or gives one.
    let record = v1::Observation {
        local_id: row.local_id.clone(),
        patient: Some(patient),
        ..Default::default()
    };
    let receipt = client.publisher().publish(record).await?;
    if let Receipt::InReview { item, .. } = receipt {
        println!("somebody of the practice has to look at it first: item {item}");
    }
    println!("local id {}, patient {}", row.local_id, receipt.patient_id());
    table.put(receipt.patient_id(), row)
}

async fn show(client: &Client, local_id: String) -> Result<()> {
    let found = client.get_patient(PatientKey::LocalId(local_id)).await?;
    let found = found.context("the bus has not heard of this local id from us")?;
    let patient = found.patient.unwrap_or_default();
    println!("patient    {} revision {}", found.patient_id, found.revision);
    println!("name       {}", name(Some(&patient)));
    println!("birth date {}", patient.birth_date());
    for contact in &patient.telecom {
        println!("contact    {}", contact.value);
    }
    Ok(())
}

fn patient(family: String, given: String, birth_date: String, phone: Option<String>) -> v1::Patient {
    let name = v1::HumanName {
        r#use: v1::NameUse::Official.into(),
        family: Some(family),
        given: vec![given],
        ..Default::default()
    };
    let telecom = phone.into_iter().map(|value| v1::ContactPoint {
        system: v1::ContactSystem::Phone.into(),
        r#use: v1::ContactUse::Mobile.into(),
        value,
        ..Default::default()
    });
    v1::Patient {
        names: vec![name],
        birth_date: Some(birth_date),
        telecom: telecom.collect(),
        ..Default::default()
    }
}

fn name(patient: Option<&v1::Patient>) -> String {
    let name = patient.and_then(|patient| patient.names.first());
    name.map(|name| format!("{}, {}", name.family(), name.given.join(" ")))
        .unwrap_or_default()
}
