//! The API's certificate is another one as soon as its files are; a pair that is none changes nothing.

use crate::{
    authority::{Authority, Files},
    house::{Caller, House, IMAGING, Plan, eventually, token_of},
    office::in_time,
};
use archwire::api::Patience;
use std::time::Duration;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

const LOOK: Duration = Duration::from_millis(25);

/// Whether a vendor is let in who believes this authority and no other.
async fn believes(house: &House, authority: &Authority) -> bool {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()));
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", house.address.port())).unwrap();
    match in_time(endpoint.tls_config(tls).unwrap().connect()).await {
        Ok(channel) => Caller::over(channel, Some(&token_of(IMAGING)))
            .ask()
            .await
            .is_ok(),
        Err(_) => false,
    }
}

async fn house(files: &Files) -> House {
    House::with(Plan {
        tls: Some(files.tls()),
        patience: Patience {
            look_every: LOOK,
            ..Patience::default()
        },
        ..Plan::default()
    })
    .await
}

#[tokio::test]
async fn another_certificate_is_shown_to_who_connects_next_and_nobody_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    let (first, second) = (Authority::new(), Authority::new());
    files.put(&first.server());
    let house = house(&files).await;
    assert!(believes(&house, &first).await && !believes(&house, &second).await);
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(first.pem()));
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", house.address.port())).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let caller = Caller::over(channel, Some(&token_of(IMAGING)));
    let mut stream = caller.subscribe("one").await.unwrap();
    files.put(&second.server());
    eventually("the second certificate is shown", async || {
        believes(&house, &second).await
    })
    .await;
    assert!(!believes(&house, &first).await);
    assert!(stream.goes_on().await);
    assert_eq!(caller.ask().await, Ok(()));
}

#[tokio::test]
async fn files_that_are_no_pair_leave_the_one_before_and_a_pair_after_them_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    let (first, second) = (Authority::new(), Authority::new());
    files.put(&first.server());
    let house = house(&files).await;
    let next = second.server();
    // A certificate whose key has not come yet, files that hold nothing, and no files.
    files.put_certificate(&next.certificate);
    stays(&house, &first).await;
    files.put_certificate("nothing");
    files.put_key("nothing");
    stays(&house, &first).await;
    std::fs::remove_file(&files.tls().key).unwrap();
    stays(&house, &first).await;
    files.put(&next);
    eventually("the pair is shown", async || believes(&house, &second).await).await;
}

/// That the certificate is still this authority's after the files were looked at several times.
async fn stays(house: &House, authority: &Authority) {
    let end = tokio::time::Instant::now() + 8 * LOOK;
    while tokio::time::Instant::now() < end {
        assert!(believes(house, authority).await);
    }
}

#[tokio::test]
async fn nobody_speaks_in_clear_to_an_api_with_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    files.put(&Authority::new().server());
    let house = house(&files).await;
    let Ok(caller) = house.try_knock(&token_of(IMAGING)).await else {
        return;
    };
    assert!(caller.ask().await.is_err());
}
