//! No name, birth date, phone, address, mail address or chart number in logs at any level, metrics, traces, file names, in clear
//! text on disk, or in what the commands of the review queue print, `show` excepted.

use crate::support::{
    Scene, VENDOR,
    collector::Collector,
    plain_vendor::PlainVendor,
    polled_again,
    review::{WHO, only_item, show},
    watch::Metrics,
};
use anyhow::{Result, ensure};
use archwire_client::v1;
use archwire_opendental_simulator::{Fault, Field, PatientFields};
use archwire_proto::admin::v1::admin_client::AdminClient;
use archwire_proto::admin::v1::{ListAuditRequest, ListReviewRequest};
use archwire_tests::{Practice, eventually, set_email, wire_patient};
use prost::Message as _;
use std::fs;
use std::path::{Path, PathBuf};
use tonic::transport::Endpoint;

const OTHER_VENDOR: &str = "aligner";

/// People whose every detail is unlike anything that a program writes by itself.
fn conspicuous() -> [PatientFields; 2] {
    let desk = PatientFields::named("Quillfeather", "Thessalonia")
        .with(Field::Preferred, "Thessalonica")
        .with(Field::Birthdate, "1987-06-05")
        .with(Field::WkPhone, "(503)555-0187")
        .with(Field::Email, "thessa@marmalade.example")
        .with(Field::Address, "77 Marmalade Crescent")
        .with(Field::City, "Gnarlwick")
        .with(Field::ChartNumber, "QX-7781-ZZ")
        .with(Field::Ssn, "900871234");
    let vendor = PatientFields::named("Wobblethwaite", "Ignatius")
        .with(Field::Birthdate, "1991-10-23")
        .with(Field::HmPhone, "(971)555-0123")
        .with(Field::Email, "iggy@rutabaga.example")
        .with(Field::Address, "3 Rutabaga Parade")
        .with(Field::City, "Flibberton");
    [desk, vendor]
}

/// A birth date with day and month the other way round.
const SWAPPED: &str = "1987-05-06";

/// Somebody to whom a row is given that was another one's.
fn later() -> PatientFields {
    PatientFields::named("Snorklewhacker", "Hildegard")
        .with(Field::Birthdate, "1955-12-29")
        .with(Field::HmPhone, "(360)555-0166")
}

/// What must not be found: every detail, phones also as digits only, birth dates also without dashes.
fn needles(people: &[PatientFields]) -> Vec<String> {
    let values = people
        .iter()
        .flat_map(|fields| fields.iter().map(|(_, value)| value.to_owned()));
    let bare = |value: &String| {
        value
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
    };
    let values: Vec<String> = values.collect();
    let barely = values.iter().map(bare).filter(|bare| bare.len() >= 8);
    values.iter().cloned().chain(barely).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        }
        found.push(path);
    }
    Ok(())
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    bytes
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

/// A practice in which all kinds of things have gone well and wrong with conspicuous people.
async fn eventful(collector: &Collector) -> Result<Scene> {
    let plan = Practice::plan()
        .extra(&collector.configuration())
        .extra("listen = \"127.0.0.1:0\"\n")
        .log_level("trace")
        .own_cache()
        .vendor(OTHER_VENDOR)
        .owns("front-desk", &["demographics"], "review");
    let mut scene = Scene::with(plan).await?;
    let [typed, registered] = conspicuous();
    let pat_num = scene.office().front_desk().create(&typed);
    let (local_id, _) = scene.vendor.register(wire_patient(&registered)).await?;
    scene.people.extend([typed, registered]);
    scene.settled().await?;
    // A rejection that is parked, with the office's own words; answers that break off; an id that does not fit.
    scene
        .office()
        .set_fault(Fault::status(400).on("PUT", "/patients/*").times(1));
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "iggy@turnip.example"))
        .await?;
    eventually("a delivery is parked", async || {
        ensure!(!scene.practice.logs()?.about("is parked").is_empty(), "not yet");
        Ok(())
    })
    .await?;
    for kind in [
        Fault::status(500),
        Fault::drop_after(),
        Fault::new(archwire_opendental_simulator::FaultKind::InvalidJson),
    ] {
        scene.office().set_fault(kind.on("GET", "/patients/*").times(1));
    }
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "iggy@parsnip.example"))
        .await?;
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::WkPhone, "(503)555-0188")?;
    refused(&scene).await?;
    scene.settled().await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::WkPhone, "(503)555-0187")?;
    scene.settled().await?;
    Ok(scene)
}

/// Observations that the bus does not take, and what it says about them.
async fn refused(scene: &Scene) -> Result<()> {
    let publisher = scene.practice.vendor(VENDOR).await?.publisher();
    let [typed, _] = conspicuous();
    let mut wrong_date = wire_patient(&typed);
    wrong_date.birth_date = Some("1987-06-05 or so".to_owned());
    let mut too_many = wire_patient(&typed);
    too_many.names = vec![too_many.names[0].clone(); 40];
    for patient in [wrong_date, too_many] {
        let observation = v1::Observation {
            local_id: "Q-1".to_owned(),
            patient: Some(patient),
            ..Default::default()
        };
        let error = publisher
            .publish(observation)
            .await
            .expect_err("it cannot be taken");
        let said = format!("{error:?} {error}");
        for needle in needles(&conspicuous()) {
            ensure!(
                !holds(said.as_bytes(), &needle),
                "the refusal quotes the patient: {}",
                error.code()
            );
        }
    }
    Ok(())
}

/// Runs a command, as for a person and as for a program where that holds nothing about patients, and gathers what it
/// prints.
async fn gather(practice: &Practice, words: &[&str], said: &mut String) -> Result<()> {
    let is_whole = words.contains(&"unmerge");
    for json in [&[][..], &["--json"]] {
        if is_whole && !json.is_empty() {
            continue;
        }
        let answer = practice.run(&[words, json].concat()).await?;
        said.push_str(&answer.said);
        said.push_str(&answer.complained);
    }
    Ok(())
}

/// Runs through the review queue with every command. Returns what they print, and what the socket answers.
async fn reviewed(scene: &Scene) -> Result<(String, Vec<u8>)> {
    let practice = &scene.practice;
    let other = PlainVendor::connect(practice, OTHER_VENDOR).await?;
    let mut said = String::new();
    let by = ["--by", WHO, "--reason", "asked at the desk"];

    let [typed, registered] = conspicuous();
    let swapped = wire_patient(&typed.with(Field::Birthdate, SWAPPED));
    let patient_id = other.say("Q-2", &swapped).await?.patient_id().to_owned();
    let number = only_item(practice, "possible-duplicate").await?.to_string();
    eventually("the office has a row for each", async || {
        let rows = scene.office().patients().len();
        ensure!(rows == 3, "{rows} rows");
        Ok(())
    })
    .await?;
    polled_again(scene.office(), 3).await?;
    gather(practice, &["review", "list"], &mut said).await?;
    let shown = show(practice, number.parse()?).await?;
    ensure!(
        holds(shown.to_string().as_bytes(), "Quillfeather"),
        "`show` does not show the patients"
    );
    gather(
        practice,
        &[&["review", "link", &number][..], &by].concat(),
        &mut said,
    )
    .await?;
    gather(
        practice,
        &[&["review", "unmerge", &patient_id][..], &by].concat(),
        &mut said,
    )
    .await?;
    ensure!(
        other.patient("Q-2").await?.0 == patient_id,
        "they were not parted again"
    );

    let mut disputed = swapped;
    disputed.birth_date = registered.get(Field::Birthdate).map(str::to_owned);
    other.say("Q-2", &disputed).await?;
    let number = only_item(practice, "disagreement").await?.to_string();
    gather(practice, &["review", "list"], &mut said).await?;
    gather(
        practice,
        &[&["review", "reject", &number][..], &by].concat(),
        &mut said,
    )
    .await?;

    scene.office().front_desk().edit(1, &later())?;
    let number = only_item(practice, "record-conflict").await?.to_string();
    gather(practice, &["review", "list"], &mut said).await?;
    let answered = answered_on_the_socket(practice).await?;
    gather(
        practice,
        &[&["review", "not-same", &number][..], &by].concat(),
        &mut said,
    )
    .await?;
    gather(practice, &["rebuild", "--by", WHO], &mut said).await?;
    gather(practice, &["audit", "list"], &mut said).await?;
    ensure!(
        said.contains("****-**-**") && said.contains("review.not-same"),
        "the commands did not do their work: {said}"
    );
    Ok((said, answered))
}

/// What the admin socket itself answers, but for what shows a patient.
async fn answered_on_the_socket(practice: &Practice) -> Result<Vec<u8>> {
    let socket = practice.data_folder().join("admin.sock");
    let address = format!("unix:{}", socket.display());
    let channel = Endpoint::from_shared(address)?.connect().await?;
    let mut admin = AdminClient::new(channel);
    let list = admin
        .list_review(ListReviewRequest::default())
        .await?
        .into_inner();
    ensure!(!list.lines.is_empty(), "nothing is listed");
    let mut bytes = list.encode_to_vec();
    let mut audit = admin.list_audit(ListAuditRequest::default()).await?.into_inner();
    while let Some(record) = audit.message().await? {
        bytes.extend(record.encode_to_vec());
    }
    Ok(bytes)
}

#[tokio::test]
async fn no_patient_data_is_in_logs_at_trace_level_in_file_names_or_in_clear_text_on_disk() -> Result<()> {
    let collector = Collector::start().await?;
    let mut scene = eventful(&collector).await?;
    let (said, answered) = reviewed(&scene).await?;
    let metrics = Metrics::of(scene.practice.seat()).await?;
    let mut people = scene.people.clone();
    people.extend([later(), PatientFields::new().with(Field::Birthdate, SWAPPED)]);
    let needles = needles(&people);
    for needle in &needles {
        ensure!(
            !holds(said.as_bytes(), needle) && !holds(&answered, needle),
            "a command of the review queue prints patient data"
        );
        ensure!(
            !holds(metrics.text().as_bytes(), needle),
            "metrics hold patient data"
        );
    }
    let log = scene.practice.logs()?;
    ensure!(
        log.text().contains("\"level\":\"TRACE\"") || log.text().contains("\"level\":\"DEBUG\""),
        "nothing was told"
    );
    for (number, line) in log.text().lines().enumerate() {
        for needle in &needles {
            ensure!(
                !holds(line.as_bytes(), needle),
                "line {} of the log holds patient data: {line}",
                number + 1
            );
        }
    }
    let mut found = Vec::new();
    files(&scene.practice.data_folder(), &mut found)?;
    ensure!(
        found.iter().any(|path| path.ends_with("nats-server.log")),
        "the server's log was looked at"
    );
    let mut bytes = 0;
    for path in found {
        let name = path.to_string_lossy();
        for needle in &needles {
            ensure!(!holds(name.as_bytes(), needle), "a file name holds patient data");
        }
        // Compiled connectors are megabytes of machine code that were there before any patient was.
        if path.is_file() && path.extension().is_none_or(|extension| extension != "cwasm") {
            let content = fs::read(&path)?;
            bytes += content.len();
            for needle in &needles {
                ensure!(
                    !holds(&content, needle),
                    "{name} holds patient data in clear text"
                );
            }
        }
    }
    ensure!(bytes > 10_000, "the log was looked at: {bytes} bytes");
    // At its end the broker sends what it has not sent yet.
    scene.practice.stop_broker().await?;
    let spans = collector.spans();
    ensure!(spans.all().len() > 100, "traces were looked at");
    let traces = collector.bytes();
    for needle in &needles {
        ensure!(!holds(&traces, needle), "traces hold patient data");
    }
    Ok(())
}
