//! Connecting, tokens and TLS.

use crate::{
    fake::{FakeBus, Memory, TOKEN},
    support::{observation, soon},
};
use archwire_client::{Client, ClientError, Endpoint, PatientKey, SubscribeOptions};
use rcgen::{CertificateParams, Issuer, KeyPair};
use std::{net::TcpListener, time::Duration};

const WRONG: &str = "ffffffffffffffffffffffffffffffff";

#[tokio::test]
async fn a_wrong_token_ends_every_kind_of_call_at_once_with_the_code_of_the_bus() {
    let bus = FakeBus::start(Memory::default());
    let client = Client::connect(Endpoint::new(bus.url(), WRONG)).await.unwrap();
    let published = soon(client.publisher().publish(observation(1)))
        .await
        .unwrap_err();
    assert_eq!(published.code(), "token_unknown");
    assert!(!published.is_retryable());
    let mut subscription = client.subscribe(SubscribeOptions::new("nobody"));
    assert_eq!(
        soon(subscription.next()).await.unwrap_err().code(),
        "token_unknown"
    );
    let asked = client.get_patient(PatientKey::LocalId("1".into())).await;
    assert_eq!(asked.err().unwrap().code(), "token_unknown");
}

#[tokio::test]
async fn a_bus_that_is_not_there_is_told_with_its_address() {
    // Bound and let go, so that nobody listens there.
    let url = format!(
        "http://{}",
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    );
    let error = soon(Client::connect(Endpoint::new(&url, TOKEN)))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "bus_unreachable");
    assert!(error.is_retryable());
    assert!(error.to_string().contains(&url));
}

#[tokio::test]
async fn a_server_that_takes_the_connection_and_says_nothing_ends_at_the_connect_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let endpoint = Endpoint::new(url, TOKEN).with_connect_timeout(Duration::from_millis(200));
    let error = soon(Client::connect(endpoint)).await.err().unwrap();
    assert!(matches!(error, ClientError::Silent(_)), "{error}");
}

#[tokio::test]
async fn a_client_that_connects_lazily_may_start_before_the_bus() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let client = Client::connect_lazily(&Endpoint::new(format!("http://{address}"), TOKEN)).unwrap();
    let error = soon(client.get_patient(PatientKey::LocalId("1".into())))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "bus_unavailable");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn over_tls_the_certificate_must_come_from_the_authority_that_the_endpoint_names() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap()
        .pem();
    let bus = FakeBus::start_with_tls(&certificate, &key.serialize_pem());

    let trusting = Endpoint::new(bus.url(), TOKEN).with_ca_certificate(&authority);
    let client = soon(Client::connect(trusting)).await.unwrap();
    soon(client.publisher().publish(observation(1))).await.unwrap();

    let doubting = Endpoint::new(bus.url(), TOKEN);
    assert_eq!(
        soon(Client::connect(doubting)).await.err().unwrap().code(),
        "bus_unreachable"
    );
}
