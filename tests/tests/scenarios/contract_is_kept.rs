//! A vendor sees and says what its contract grants and nothing else, and a contract that is changed counts at once.

use crate::support::{
    images::{code_of, digest, noise},
    raw_bus::RawBus,
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{PublishError, Publisher, Receipt, v1};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Plan, Practice, eventually, eventually_within, invented, set_email, wire_patient};
use prost::Message as _;
use std::{
    process::Command,
    time::{Duration, Instant},
};
use tonic::Code;

/// The vendor with the contract in question.
const NARROW: &str = "reminders";
/// Somebody with a contract that grants everything.
const TRACER: &str = "ceph-tracer";

/// Reads half of the fields.
const HALF: &str = r#"organization = "Example Reminders Ltd"
purpose = "operations"
legal-basis = "Agreement of 2026-02-01"
patients = "all"
read-kinds = ["created", "updated"]
read-fields = ["name", "demographics"]
write-kinds = ["updated"]
write-fields = ["contact"]"#;

/// Only of patients of whom the tracer keeps a record.
const LINKED: &str = r#"organization = "Example Reminders Ltd"
purpose = "operations"
legal-basis = "Agreement of 2026-02-01"
patients = "linked"
linked-with = "ceph-tracer"
read-kinds = ["created", "updated", "imaged"]
read-fields = ["name"]
images = ["read"]"#;

/// A practice with one office, a vendor of everything and one with this contract.
async fn practice(contract: &str) -> Result<Practice> {
    let plan: Plan = Practice::plan()
        .vendor(TRACER)
        .vendor(NARROW)
        .contract(NARROW, contract);
    let mut practice = plan.open().await?;
    practice.start_broker().await?;
    Ok(practice)
}

/// Somebody with something in every field that a contract may hide.
fn somebody(number: usize) -> Result<PatientFields> {
    let mut person = invented(1, number + 1).pop().context("nobody")?;
    person.set(Field::WirelessPhone, "(503)555-0142");
    person.set(Field::Email, "somebody@example.org");
    person.set(Field::Address, "12 Hidden Lane");
    Ok(person)
}

/// Puts something else in place of a part of the configuration, as an editor does.
fn edit(practice: &Practice, from: &str, to: &str) -> Result<()> {
    let text = practice.configuration()?;
    ensure!(text.contains(from), "the configuration does not say {from}");
    practice.set_configuration(&text.replacen(from, to, 1))
}

fn tells(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Says what a record looks like, and whose it is.
async fn publish(
    publisher: &Publisher,
    local_id: &str,
    patient: &v1::Patient,
    of: Option<&str>,
) -> Result<Receipt> {
    let observation = v1::Observation {
        local_id: local_id.to_owned(),
        patient_id: of.map(str::to_owned),
        patient: Some(patient.clone()),
        ..v1::Observation::default()
    };
    Ok(publisher.publish(observation).await?)
}

/// The code of a publication that was refused, and why.
fn refusal(published: Result<Receipt>) -> Result<(String, String)> {
    let error = published.expect_err("it has to be refused");
    match error.downcast::<PublishError>()? {
        PublishError::Refused(refusal) => Ok((refusal.code, refusal.message)),
        other => Err(other.into()),
    }
}

#[tokio::test]
async fn a_vendor_with_half_of_the_fields_is_sent_that_half_and_nothing_else() -> Result<()> {
    let practice = practice(HALF).await?;
    let person = somebody(0)?;
    practice.office().front_desk().create(&person);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let (_, bytes) = bus.follow("half").await?.next().await?;
    let event = v1::Event::decode(bytes.as_slice())?;
    let listed = bus.events(&event.patient_id).await?;
    let shown = bus.patient(&event.patient_id).await?;
    let patient = event.patient.clone().context("no patient")?;
    let family = person.get(Field::LName).context("no family name")?;
    ensure!(patient.names == wire_patient(&person).names && patient.birth_date.is_some());
    ensure!(shown.patient.as_ref() == Some(&patient));
    ensure!(listed.events == [prost::bytes::Bytes::from(bytes.clone())]);
    let observation = event.observation.context("no observation")?;
    ensure!(observation.system == "front-desk" && observation.source.is_none());
    ensure!(
        observation.local_id.is_empty(),
        "ids of others go with identifiers"
    );
    let answer = shown.encode_to_vec();
    for hidden in ["555", "somebody@example.org", "Hidden Lane", "telecom", "address"] {
        ensure!(
            !tells(&bytes, hidden) && !tells(&answer, hidden),
            "{hidden} is told"
        );
    }
    // The vendor of everything is told all of it, and the source word for word.
    let (_, whole) = RawBus::connect(&practice, TRACER)
        .await?
        .follow("all")
        .await?
        .next()
        .await?;
    for word in ["Hidden Lane", "somebody@example.org", family] {
        ensure!(tells(&whole, word), "{word} is not told");
    }
    Ok(())
}

#[tokio::test]
async fn a_change_of_hidden_fields_is_not_sent_and_is_told_from_a_gap() -> Result<()> {
    let practice = practice(HALF).await?;
    let desk = practice.office().front_desk();
    let number = desk.create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let all = RawBus::connect(&practice, TRACER).await?;
    let (mut stream, mut whole) = (bus.follow("half").await?, all.follow("all").await?);
    let created = stream.next_event().await?;
    whole.next_event().await?;
    desk.set(number, Field::WirelessPhone, "(503)555-0199")?;
    ensure!(whole.next_event().await?.revision == 2);
    desk.set(number, Field::FName, "Corrected")?;
    ensure!(whole.next_event().await?.revision == 3);
    // The chain of the deliveries has no hole, which the stream looks at: nothing was lost.
    let corrected = stream.next_event().await?;
    ensure!((created.revision, corrected.revision) == (1, 3));
    let listed = bus.events(&created.patient_id).await?;
    ensure!(listed.events.len() == 2 && listed.withheld == [v1::Revisions { first: 2, last: 2 }]);
    ensure!(listed.through_revision == 3 && !listed.more);
    Ok(())
}

#[tokio::test]
async fn a_contract_that_is_suspended_ends_live_streams_and_calls_within_two_seconds() -> Result<()> {
    let practice = practice(HALF).await?;
    practice.office().front_desk().create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let all = RawBus::connect(&practice, TRACER).await?;
    let (mut stream, mut whole) = (bus.follow("half").await?, all.follow("all").await?);
    let event = stream.next_event().await?;
    whole.next_event().await?;
    edit(&practice, HALF, &format!("enabled = false\n{HALF}"))?;
    let began = Instant::now();
    let status = stream.end().await;
    let took = began.elapsed();
    ensure!((status.code(), code_of(&status)) == (Code::PermissionDenied, "vendor_suspended"));
    ensure!(took < Duration::from_secs(2), "it took {took:?}");
    println!("a live stream ended {took:?} after the configuration was written");
    let refused = bus
        .patient(&event.patient_id)
        .await
        .map(drop)
        .expect_err("it is over");
    ensure!(code_of(&refused) == "vendor_suspended");
    // Nobody else noticed.
    practice.office().front_desk().create(&somebody(1)?);
    whole.next_event().await?;
    let text = practice.configuration()?;
    practice.set_configuration(&text.replace("enabled = false\n", ""))?;
    let mut stream = eventually("the contract counts again", async || bus.follow("half").await).await?;
    stream.next_event().await?;
    Ok(())
}

#[tokio::test]
async fn a_contract_that_is_narrowed_or_widened_counts_on_live_streams() -> Result<()> {
    let practice = practice(HALF).await?;
    let desk = practice.office().front_desk();
    let number = desk.create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let mut stream = bus.follow("half").await?;
    let patient_id = stream.next_event().await?.patient_id;
    let fields = "read-fields = [\"name\", \"demographics\"]";
    edit(&practice, fields, "read-fields = [\"contact\"]")?;
    let shows_contact = async || {
        let shown = bus.patient(&patient_id).await?.patient.context("no patient")?;
        ensure!(shown.names.is_empty() && !shown.telecom.is_empty());
        Ok(())
    };
    eventually_within(
        Duration::from_secs(2),
        "the contract shows contacts",
        shows_contact,
    )
    .await?;
    desk.set(number, Field::FName, "Renamed")?;
    desk.set(number, Field::WirelessPhone, "(503)555-0199")?;
    let (_, bytes) = stream.next().await?;
    ensure!(tells(&bytes, "555") && !tells(&bytes, "Renamed"));
    Ok(())
}

#[tokio::test]
async fn a_contract_counts_on_its_days_and_on_no_others() -> Result<()> {
    let practice = practice(HALF).await?;
    practice.office().front_desk().create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let mut stream = bus.follow("half").await?;
    let patient_id = stream.next_event().await?.patient_id;
    edit(&practice, HALF, &format!("valid-until = \"2020-12-31\"\n{HALF}"))?;
    let status = stream.end().await;
    ensure!((status.code(), code_of(&status)) == (Code::PermissionDenied, "contract_ended"));
    edit(
        &practice,
        "valid-until = \"2020-12-31\"",
        "valid-from = \"2999-01-01\"",
    )?;
    eventually("the contract has not begun", async || {
        let refused = bus
            .patient(&patient_id)
            .await
            .map(drop)
            .expect_err("it is too early");
        ensure!(code_of(&refused) == "contract_not_begun", "{}", code_of(&refused));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn another_token_in_the_same_file_counts_when_the_broker_is_told() -> Result<()> {
    let practice = practice(HALF).await?;
    practice.office().front_desk().create(&somebody(0)?);
    let mut stream = RawBus::connect(&practice, NARROW).await?.follow("half").await?;
    let patient_id = stream.next_event().await?.patient_id;
    let token = "0123456789abcdef0123456789abcdef";
    std::fs::write(practice.token_file(NARROW), token)?;
    let pid = practice.broker_pid()?.to_string();
    ensure!(Command::new("kill").args(["-HUP", &pid]).status()?.success());
    let began = Instant::now();
    let status = stream.end().await;
    ensure!((status.code(), code_of(&status)) == (Code::Unauthenticated, "token_revoked"));
    ensure!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let bus = RawBus::connect_with(&practice, token).await?;
    ensure!(bus.patient(&patient_id).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_configuration_that_cannot_be_taken_gives_nothing_and_is_said_loudly() -> Result<()> {
    let practice = practice(HALF).await?;
    practice.office().front_desk().create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let mut stream = bus.follow("half").await?;
    let event = stream.next_event().await?;
    let good = practice.configuration()?;
    edit(&practice, "purpose = \"operations\"", "purpose = \"curiosity\"")?;
    eventually("the broker complains", async || {
        let complaints = practice
            .logs()?
            .about("only what it takes away from vendors counts");
        ensure!(!complaints.is_empty(), "not yet");
        Ok(())
    })
    .await?;
    ensure!(
        !practice.logs()?.about("is no purpose").is_empty(),
        "it does not say why"
    );
    ensure!(bus.patient(&event.patient_id).await.is_ok());
    // What the broker cannot do while it runs it says.
    practice.set_configuration(&good.replace("format = \"json\"", "format = \"human\""))?;
    eventually("the broker asks for a restart", async || {
        let said = practice.logs()?.about("at the next start of the broker only");
        let keys = said.first().and_then(|line| line.get("keys")).cloned();
        ensure!(keys == Some("log.format".into()), "it says {keys:?}");
        Ok(())
    })
    .await?;
    // Nor are another practice's vendors let in here.
    practice.set_configuration(&good.replacen("name = \"", "name = \"other-", 1))?;
    eventually("the broker refuses another practice's file", async || {
        ensure!(
            !practice.logs()?.about("is another practice").is_empty(),
            "not yet"
        );
        Ok(())
    })
    .await?;
    practice.office().front_desk().create(&somebody(1)?);
    stream.next_event().await?;
    Ok(())
}

/// Waits until the broker says that it cannot take the configuration.
async fn complaint(practice: &Practice) -> Result<()> {
    eventually("the broker complains", async || {
        let complaints = practice
            .logs()?
            .about("only what it takes away from vendors counts");
        ensure!(complaints.len() == 1, "it is said {} times", complaints.len());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_change_that_could_not_be_taken_counts_as_soon_as_it_can() -> Result<()> {
    let practice = practice(HALF).await?;
    practice.office().front_desk().create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let patient_id = bus.follow("half").await?.next_event().await?.patient_id;
    let shown = async || {
        let patient = bus.patient(&patient_id).await?.patient.context("no patient")?;
        anyhow::Ok(!patient.telecom.is_empty())
    };
    // A secret is just being replaced when the vendor is granted more.
    let (token, away) = (practice.token_file(TRACER), practice.folder().join("away"));
    std::fs::rename(&token, &away)?;
    edit(
        &practice,
        "\"demographics\"]\n",
        "\"demographics\", \"contact\"]\n",
    )?;
    complaint(&practice).await?;
    ensure!(!shown().await?, "it counts although it cannot be taken");
    std::fs::rename(&away, &token)?;
    eventually("it counts", async || {
        ensure!(shown().await?, "it is not shown");
        Ok(())
    })
    .await?;
    complaint(&practice).await
}

#[tokio::test]
async fn a_vendor_that_is_switched_off_is_out_also_where_the_file_cannot_be_taken() -> Result<()> {
    let practice = practice(HALF).await?;
    practice.office().front_desk().create(&somebody(0)?);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let mut stream = bus.follow("half").await?;
    let patient_id = stream.next_event().await?.patient_id;
    let (token, away) = (practice.token_file(TRACER), practice.folder().join("away"));
    std::fs::rename(&token, &away)?;
    edit(&practice, HALF, &format!("enabled = false\n{HALF}"))?;
    let status = stream.end().await;
    ensure!(code_of(&status) == "vendor_suspended", "{}", code_of(&status));
    complaint(&practice).await?;
    // Nor does what the file says now let anybody in before all of it holds.
    edit(&practice, "enabled = false\n", "")?;
    ensure!(bus.patient(&patient_id).await.is_err());
    std::fs::rename(&away, &token)?;
    eventually("it is let in again", async || {
        Ok(bus.patient(&patient_id).await?)
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_vendor_writes_the_fields_of_its_contract_and_no_others() -> Result<()> {
    let practice = practice(HALF).await?;
    let person = somebody(0)?;
    let number = practice.office().front_desk().create(&person);
    let bus = RawBus::connect(&practice, NARROW).await?;
    let created = bus.follow("half").await?.next_event().await?;
    let publisher = practice.vendor(NARROW).await?.publisher();
    let says = async |local_id, patient: &v1::Patient, of| publish(&publisher, local_id, patient, of).await;
    let of = Some(created.patient_id.as_str());
    // It shows what it knows, and the field that it may write.
    let mut patient = created.patient.context("no patient")?;
    set_email(&mut patient, "somebody@example.org");
    let mut guess = patient.clone();
    guess.identifiers.push(v1::Identifier {
        system: "http://hl7.org/fhir/sid/us-ssn".to_owned(),
        value: "000-00-0000".to_owned(),
        ..v1::Identifier::default()
    });
    let (code, message) = refusal(says("r-1", &guess, of).await)?;
    ensure!(
        code == "field_denied" && message.contains("`identifiers/"),
        "{message}"
    );
    says("r-1", &patient, of).await?;
    set_email(&mut patient, "changed@example.org");
    says("r-1", &patient, of).await?;
    practice_shows(&practice, number, Field::Email, "changed@example.org").await?;
    patient.birth_date = Some("1901-01-01".to_owned());
    let (code, message) = refusal(says("r-1", &patient, of).await)?;
    ensure!(
        code == "field_denied" && message.contains("`birth_date`"),
        "{message}"
    );
    // Nothing that it did not say is gone.
    let office = practice.office().patient(number).context("no such patient")?;
    for field in [Field::LName, Field::FName, Field::Birthdate, Field::Address] {
        ensure!(
            Some(office.get(field)) == person.get(field),
            "{} changed",
            field.name()
        );
    }
    let (code, _) = refusal(says("r-2", &wire_patient(&somebody(2)?), None).await)?;
    ensure!(code == "kind_denied", "it may make nobody: {code}");
    ensure!(practice.office().patients().len() == 1, "nobody was made");
    // What it tried is in the audit, by what it was and not by what it said.
    let denied = practice
        .run(&[
            "audit",
            "search",
            "--action",
            "access.denied",
            "--vendor",
            NARROW,
            "--json",
        ])
        .await?;
    for code in ["field_denied", "kind_denied"] {
        ensure!(denied.said.contains(code), "{code}: {}", denied.said);
    }
    ensure!(!denied.said.contains("000-00-0000"), "the audit has a value");
    Ok(())
}

async fn practice_shows(practice: &Practice, number: i64, field: Field, value: &str) -> Result<()> {
    eventually("the office shows the value", async || {
        let patient = practice.office().patient(number).context("no such patient")?;
        ensure!(patient.get(field) == value, "it shows something else");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_vendor_of_linked_patients_sees_those_and_nobody_else() -> Result<()> {
    let practice = practice(LINKED).await?;
    let people = [somebody(0)?, somebody(1)?];
    for person in &people {
        practice.office().front_desk().create(person);
    }
    let all = RawBus::connect(&practice, TRACER).await?;
    let mut whole = all.follow("all").await?;
    let mut ids = Vec::new();
    for _ in &people {
        ids.push(whole.next_event().await?.patient_id);
    }
    let tracer = practice.vendor(TRACER).await?.publisher();
    let known = all.patient(&ids[0]).await?.patient.context("no patient")?;
    publish(&tracer, "t-1", &known, Some(&ids[0])).await?;
    let bus = RawBus::connect(&practice, NARROW).await?;
    ensure!(bus.patient(&ids[0]).await.is_ok());
    for refused in [
        bus.patient(&ids[1]).await.map(drop),
        bus.events(&ids[1]).await.map(drop),
    ] {
        let refused = refused.expect_err("nobody the contract is about");
        ensure!((refused.code(), code_of(&refused)) == (Code::NotFound, "patient_unknown"));
    }
    let mut stream = bus.follow("linked").await?;
    ensure!(stream.next_event().await?.patient_id == ids[0]);
    // The other one comes into view with a record.
    let other = all.patient(&ids[1]).await?.patient.context("no patient")?;
    publish(&tracer, "t-2", &other, Some(&ids[1])).await?;
    eventually("the other one is shown", async || {
        Ok(bus.patient(&ids[1]).await?)
    })
    .await?;
    practice.office().front_desk().create(&somebody(2)?);
    ensure!(whole.next_event().await.is_ok());
    images_of_linked_patients(&practice, &bus, &ids[0]).await
}

/// Images go with their patients; who may read them may not put any.
async fn images_of_linked_patients(practice: &Practice, bus: &RawBus, patient_id: &str) -> Result<()> {
    let bytes = noise(1, 5000);
    let put = |patient_id: &str| {
        let open = v1::PutImageOpen {
            patient: Some(v1::put_image_open::Patient::PatientId(patient_id.to_owned())),
            sha256: digest(&bytes),
            size: bytes.len() as u64,
            ..v1::PutImageOpen::default()
        };
        let requests = [
            v1::put_image_request::Request::Open(open),
            v1::put_image_request::Request::Data(bytes.clone().into()),
        ];
        tokio_stream::iter(requests.map(|request| v1::PutImageRequest {
            request: Some(request),
        }))
    };
    let refused = bus
        .client
        .clone()
        .put_image(bus.with_token(put(patient_id)))
        .await;
    let refused = refused.map(drop).expect_err("it may put none");
    ensure!((refused.code(), code_of(&refused)) == (Code::PermissionDenied, "images_denied"));
    let tracer = RawBus::connect(practice, TRACER).await?;
    let stored = tracer
        .client
        .clone()
        .put_image(tracer.with_token(put(patient_id)))
        .await?;
    let image = stored.into_inner().image.context("no image")?;
    // Of somebody of whom the tracer keeps no record.
    let stranger = practice.office().front_desk().create(&somebody(3)?);
    let stranger_shown = somebody(3)?;
    let family = stranger_shown.get(Field::LName).context("no family name")?;
    let hidden = eventually("the stranger is on the bus", async || {
        let mut stream = tracer.follow(&format!("looking-for-{stranger}")).await?;
        loop {
            let (_, bytes) = stream.next().await?;
            if tells(&bytes, family) {
                return Ok(v1::Event::decode(bytes.as_slice())?.patient_id);
            }
        }
    })
    .await?;
    let stored = tracer
        .client
        .clone()
        .put_image(tracer.with_token(put(&hidden)))
        .await?;
    let hidden = stored.into_inner().image.context("no image")?;
    let get = async |uid: &str| {
        let request = v1::GetImageRequest {
            instance_uid: uid.to_owned(),
            ..v1::GetImageRequest::default()
        };
        let answers = bus.client.clone().get_image(bus.with_token(request)).await?;
        answers.into_inner().message().await
    };
    ensure!(get(&image.instance_uid).await.is_ok());
    let refused = get(&hidden.instance_uid)
        .await
        .map(drop)
        .expect_err("nobody the contract is about");
    ensure!((refused.code(), code_of(&refused)) == (Code::NotFound, "image_unknown"));
    Ok(())
}
