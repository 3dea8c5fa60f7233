//! Oversized, invalid and unauthorised gRPC messages.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, Endpoint, SubscribeOptions, v1};
use archwire_proto::v1::bus_client::BusClient;
use archwire_tests::wire_patient;
use tokio_stream::once;
use tonic::{Code, Request, Status, transport::Channel};

fn observation(scene: &Scene, local_id: &str) -> v1::Observation {
    let patient = Some(wire_patient(&scene.next(1)[0]));
    v1::Observation {
        local_id: local_id.to_owned(),
        patient,
        ..Default::default()
    }
}

/// The bus without the client library, which refuses by itself much of what is tried here.
async fn bare(scene: &Scene) -> Result<BusClient<Channel>> {
    let channel = tonic::transport::Endpoint::from_shared(scene.practice.url())?
        .connect()
        .await?;
    Ok(BusClient::new(channel))
}

fn with_token<T>(message: T, token: &str) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

fn code_of(status: &Status) -> &str {
    status
        .metadata()
        .get("archwire-error-code")
        .and_then(|code| code.to_str().ok())
        .unwrap_or_default()
}

/// Publishes somebody and makes sure that the log's first event is theirs: nothing was stored before.
async fn nothing_was_stored(scene: &Scene) -> Result<()> {
    let client = scene.practice.vendor(VENDOR).await?;
    let receipt = client.publisher().publish(observation(scene, "valid")).await?;
    let mut reader = client.subscribe(SubscribeOptions::new("from-the-beginning"));
    let first = reader.next().await?.context("no event")?;
    ensure!(
        first.event.patient_id == receipt.patient_id(),
        "something was stored before"
    );
    Ok(())
}

#[tokio::test]
async fn a_message_of_more_than_a_mebibyte_is_refused_and_nothing_is_stored() -> Result<()> {
    let scene = Scene::open().await?;
    let mut large = observation(&scene, "large");
    large.actor = Some("x".repeat(2 * 1024 * 1024));
    let request = v1::PublishRequest {
        tag: 1,
        observation: Some(large),
        idempotency_key: None,
    };
    let request = with_token(once(request), scene.practice.token(VENDOR)?)?;
    let status = match bare(&scene).await?.publish(request).await {
        Err(status) => status,
        Ok(answers) => answers
            .into_inner()
            .message()
            .await
            .err()
            .context("it was taken")?,
    };
    ensure!(
        matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted),
        "{status:?}"
    );
    nothing_was_stored(&scene).await
}

#[tokio::test]
async fn an_invalid_observation_is_refused_with_the_field_that_is_wrong_and_the_stream_goes_on() -> Result<()>
{
    let scene = Scene::open().await?;
    let valid = || observation(&scene, "a");
    let patient = |change: fn(&mut v1::Patient)| {
        let mut observation = valid();
        change(observation.patient.as_mut().expect("it has one"));
        observation
    };
    let cases = [
        (
            "local_id",
            v1::Observation {
                local_id: String::new(),
                ..valid()
            },
        ),
        (
            "local_id",
            v1::Observation {
                local_id: "x".repeat(257),
                ..valid()
            },
        ),
        (
            "patient",
            v1::Observation {
                patient: None,
                ..valid()
            },
        ),
        (
            "patient_id",
            v1::Observation {
                patient_id: Some("no-id".to_owned()),
                ..valid()
            },
        ),
        (
            "actor",
            v1::Observation {
                actor: Some("x".repeat(129)),
                ..valid()
            },
        ),
        (
            "birth_date",
            patient(|patient| patient.birth_date = Some("05.06.1987".to_owned())),
        ),
        (
            "administrative_sex",
            patient(|patient| patient.administrative_sex = 99),
        ),
        (
            "names",
            patient(|patient| patient.names = vec![patient.names[0].clone(); 17]),
        ),
        (
            "telecom",
            patient(|patient| patient.telecom = vec![v1::ContactPoint::default(); 33]),
        ),
    ];
    let publisher = scene.practice.vendor(VENDOR).await?.publisher();
    for (field, observation) in cases {
        let Err(archwire_client::PublishError::Refused(refusal)) = publisher.publish(observation).await
        else {
            anyhow::bail!("an observation with a wrong {field} was taken, or broke the stream");
        };
        ensure!(!refusal.retryable, "{field}: trying again would not help");
        ensure!(refusal.code == "observation_invalid", "{field}: {}", refusal.code);
        ensure!(
            refusal.message.contains(field),
            "{field} is not named: {}",
            refusal.message
        );
    }
    nothing_was_stored(&scene).await
}

#[tokio::test]
async fn a_source_whose_hash_does_not_agree_is_refused() -> Result<()> {
    let scene = Scene::open().await?;
    let source = v1::SourceRecord {
        media_type: "application/json".to_owned(),
        format: "tracer/record/v1".to_owned(),
        data: b"{}".to_vec().into(),
        sha256: vec![7; 32].into(),
    };
    let observation = v1::Observation {
        source: Some(source),
        ..observation(&scene, "a")
    };
    let error = scene
        .practice
        .vendor(VENDOR)
        .await?
        .publisher()
        .publish(observation)
        .await;
    assert_eq!(
        error.expect_err("the hash is wrong").code(),
        "observation_invalid"
    );
    nothing_was_stored(&scene).await
}

#[tokio::test]
async fn a_patient_id_that_this_bus_never_gave_is_refused() -> Result<()> {
    let scene = Scene::open().await?;
    let patient_id = Some("0197f000-0000-7000-8000-000000000000".to_owned());
    let observation = v1::Observation {
        patient_id,
        ..observation(&scene, "a")
    };
    let error = scene
        .practice
        .vendor(VENDOR)
        .await?
        .publisher()
        .publish(observation)
        .await;
    assert_eq!(error.expect_err("nobody has this id").code(), "patient_unknown");
    nothing_was_stored(&scene).await
}

#[tokio::test]
async fn a_second_record_for_a_patient_of_the_same_vendor_is_refused() -> Result<()> {
    let scene = Scene::open().await?;
    let publisher = scene.practice.vendor(VENDOR).await?.publisher();
    let receipt = publisher.publish(observation(&scene, "a")).await?;
    let patient_id = Some(receipt.patient_id().to_owned());
    let second = v1::Observation {
        patient_id,
        ..observation(&scene, "b")
    };
    assert_eq!(
        publisher.publish(second).await.expect_err("it is linked").code(),
        "link_conflict"
    );
    Ok(())
}

#[tokio::test]
async fn a_caller_without_a_token_or_with_a_wrong_one_is_refused_everywhere() -> Result<()> {
    let scene = Scene::open().await?;
    let mut bus = bare(&scene).await?;
    let key = v1::get_patient_request::Key::LocalId("a".to_owned());
    let question = v1::GetPatientRequest {
        key: Some(key),
        mask: None,
    };
    let status = bus
        .get_patient(question.clone())
        .await
        .err()
        .context("taken without a token")?;
    assert_eq!(
        (status.code(), code_of(&status)),
        (Code::Unauthenticated, "token_missing")
    );
    let wrong = "0".repeat(64);
    let status = bus
        .get_patient(with_token(question, &wrong)?)
        .await
        .err()
        .context("taken with a wrong token")?;
    assert_eq!(
        (status.code(), code_of(&status)),
        (Code::Unauthenticated, "token_unknown")
    );
    ensure!(!format!("{status:?}").contains(&wrong), "the token is shown");
    let stranger = Client::connect_lazily(&Endpoint::new(scene.practice.url(), wrong.clone()))?;
    let refused = stranger.publisher().publish(observation(&scene, "a")).await;
    assert_eq!(refused.expect_err("a stranger").code(), "token_unknown");
    let mut reader = stranger.subscribe(SubscribeOptions::new("strange"));
    assert_eq!(
        reader.next().await.expect_err("a stranger").code(),
        "token_unknown"
    );
    ensure!(
        !scene.practice.logs()?.text().contains(&wrong),
        "the token is logged"
    );
    nothing_was_stored(&scene).await
}

#[tokio::test]
async fn wrong_requests_of_a_subscription_end_it_with_the_reason() -> Result<()> {
    use v1::{ack::What, subscribe_request::Request as Wish};
    let credit = |events| Wish::Credit(v1::Credit { events });
    let ack = |what| Wish::Ack(v1::Ack { what });
    let scene = Scene::open().await?;
    let open = |name: &str| {
        Wish::Open(v1::Open {
            name: name.to_owned(),
            ..v1::Open::default()
        })
    };
    let cases = [
        ("argument_invalid", vec![open("Not A Name")]),
        ("argument_invalid", vec![credit(1)]),
        ("credit_too_large", vec![open("a"), credit(10_001)]),
        ("ack_ahead", vec![open("b"), ack(Some(What::Through(1_000_000)))]),
        ("ack_ahead", vec![open("b"), ack(Some(What::Only(1_000_000)))]),
        ("argument_invalid", vec![open("b"), ack(None)]),
        ("open_twice", vec![open("c"), open("c")]),
    ];
    for (code, wishes) in cases {
        let requests = wishes
            .into_iter()
            .map(|wish| v1::SubscribeRequest { request: Some(wish) });
        let requests = tokio_stream::iter(requests.collect::<Vec<_>>());
        let request = with_token(requests, scene.practice.token(VENDOR)?)?;
        let status = match bare(&scene).await?.subscribe(request).await {
            Err(status) => status,
            Ok(answers) => {
                let mut answers = answers.into_inner();
                loop {
                    match answers.message().await {
                        Ok(Some(_)) => {}
                        Ok(None) => anyhow::bail!("{code}: the stream ended without a reason"),
                        Err(status) => break status,
                    }
                }
            }
        };
        assert_eq!(code_of(&status), code, "{status:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_patient_whom_the_bus_does_not_know_is_not_found() -> Result<()> {
    let scene = Scene::open().await?;
    let mut bus = bare(&scene).await?;
    let token = scene.practice.token(VENDOR)?;
    let ask = |patient_id: &str| v1::ListEventsRequest {
        patient_id: patient_id.to_owned(),
        ..Default::default()
    };
    let nobody = bus
        .list_events(with_token(ask("0197f000-0000-7000-8000-000000000000"), token)?)
        .await;
    let nobody = nobody.err().context("somebody was found")?;
    assert_eq!(
        (nobody.code(), code_of(&nobody)),
        (Code::NotFound, "patient_unknown")
    );
    let invalid = bus
        .list_events(with_token(ask("../../etc"), token)?)
        .await
        .err()
        .context("taken")?;
    assert_eq!(
        (invalid.code(), code_of(&invalid)),
        (Code::InvalidArgument, "argument_invalid")
    );
    Ok(())
}
