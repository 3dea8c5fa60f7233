//! A vendor may show a certificate instead of a token, where the practice's authorities signed it and its contract names it.

use crate::{
    authority::{Authority, Files, Pair},
    house::{CEPH, Caller, House, IMAGING, Plan, eventually, token_of},
    office::{everything, in_time, vendor},
};
use archwire::{api::Patience, vendors::Vendor};
use futures_util::TryStreamExt as _;
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// How often certificates are looked at, and the files of TLS.
const LOOK: Duration = Duration::from_millis(25);

struct Certified {
    house: House,
    broker: Authority,
    vendors: Authority,
    files: Files,
    _folder: tempfile::TempDir,
}

fn imaging(certificates: &[&Pair]) -> Vendor {
    Vendor {
        tokens: BTreeSet::new(),
        certificates: certificates.iter().map(|pair| pair.digest).collect(),
        ..vendor(everything(IMAGING), "")
    }
}

fn ceph() -> Vendor {
    vendor(everything(CEPH), &token_of(CEPH))
}

impl Certified {
    /// A house where the vendor `imaging` has this certificate, and `ceph` a token.
    async fn open(pair: impl FnOnce(&Authority) -> Pair) -> (Self, Pair) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        let (broker, vendors) = (Authority::new(), Authority::new());
        let pair = pair(&vendors);
        files.put(&broker.server());
        files.put_roots(&vendors);
        let house = House::with(Plan {
            tls: Some(files.tls()),
            vendors: vec![imaging(&[&pair]), ceph()],
            patience: Patience {
                certified: LOOK,
                look_every: LOOK,
                ..Patience::default()
            },
            ..Plan::default()
        })
        .await;
        let certified = Self {
            house,
            broker,
            vendors,
            files,
            _folder: folder,
        };
        (certified, pair)
    }

    async fn knock(&self, pair: Option<&Pair>, token: Option<&str>) -> Result<(), String> {
        match self.connect(pair, token).await {
            Ok(caller) => caller.ask().await,
            Err(error) => Err(error),
        }
    }

    /// Whether somebody was not let in for this reason.
    async fn audited(&self, reason: &str) -> bool {
        self.house.audit.settle().await.unwrap();
        let records: Vec<_> = self.house.audit.read(0).try_collect().await.unwrap();
        records.iter().any(|(_, record)| record.reason == reason)
    }

    async fn connect(&self, pair: Option<&Pair>, token: Option<&str>) -> Result<Caller, String> {
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.broker.pem()));
        if let Some(pair) = pair {
            tls = tls.identity(Identity::from_pem(&pair.certificate, &pair.key));
        }
        let url = format!("https://localhost:{}", self.house.address.port());
        let endpoint = Endpoint::from_shared(url).unwrap().tls_config(tls).unwrap();
        let channel = in_time(endpoint.connect()).await;
        channel
            .map(|channel| Caller::over(channel, token))
            .map_err(|_| "not connected".to_owned())
    }
}

#[tokio::test]
async fn a_certificate_that_the_contract_names_lets_its_vendor_in() {
    let (certified, mine) = Certified::open(Authority::client).await;
    assert_eq!(certified.knock(Some(&mine), None).await, Ok(()));
    let other = certified.vendors.client();
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(
        certified.knock(Some(&other), None).await,
        refused("certificate_unknown")
    );
    assert_eq!(certified.knock(None, None).await, refused("token_missing"));
    // A token does without, and with a certificate that is nobody's; not with somebody else's.
    let token = token_of(CEPH);
    assert_eq!(certified.knock(None, Some(&token)).await, Ok(()));
    assert_eq!(certified.knock(Some(&other), Some(&token)).await, Ok(()));
    assert_eq!(
        certified.knock(Some(&mine), Some(&token)).await,
        refused("credentials_differ")
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_does_not_even_connect() {
    let (certified, _) = Certified::open(Authority::client).await;
    let foreign = Authority::new().client();
    let refused = certified.knock(Some(&foreign), None).await;
    // With TLS 1.3 the client hears of it when it calls.
    let code = refused.unwrap_err();
    assert!(code == "not connected" || code.starts_with("Un"), "{code}");
    assert!(!code.starts_with("Unauthenticated"), "{code}");
    let refused = certified.knock(Some(&foreign), Some(&token_of(CEPH))).await;
    assert!(refused.is_err());
    eventually("it is in the audit", async || {
        certified.audited("tls_certificate_untrusted").await
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_expires_ends_the_connection_that_it_began() {
    let (certified, _) = Certified::open(Authority::client).await;
    let end = SystemTime::now() + Duration::from_secs(4);
    let mine = certified.vendors.client_until(end);
    certified.house.books.put_vendors([imaging(&[&mine]), ceph()]);
    let caller = certified.connect(Some(&mine), None).await.unwrap();
    assert_eq!(caller.ask().await, Ok(()));
    let stream = caller.subscribe("one").await.unwrap();
    _ = stream.ends().await;
    // Its last second is one in which it counts; certificates know no parts of one.
    assert!(SystemTime::now() + Duration::from_secs(1) >= end);
    assert!(certified.audited("certificate_expired").await);
    assert!(caller.ask().await.is_err(), "nor does it begin another one");
    assert_eq!(certified.knock(None, Some(&token_of(CEPH))).await, Ok(()));
}

#[tokio::test]
async fn a_certificate_whose_authority_is_believed_no_more_ends_its_connection_and_no_other() {
    let (certified, mine) = Certified::open(Authority::client).await;
    let caller = certified.connect(Some(&mine), None).await.unwrap();
    let stream = caller.subscribe("one").await.unwrap();
    let token = token_of(CEPH);
    let other = certified.connect(None, Some(&token)).await.unwrap();
    let mut other = other.subscribe("two").await.unwrap();
    certified.files.put_roots(&Authority::new());
    _ = stream.ends().await;
    assert!(certified.audited("certificate_untrusted").await);
    assert!(caller.ask().await.is_err());
    assert!(other.goes_on().await);
    certified.files.put_roots(&certified.vendors);
    eventually("it is believed again", async || {
        certified.knock(Some(&mine), None).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_leaves_the_contract_ends_the_calls_that_it_began() {
    let (certified, mine) = Certified::open(Authority::client).await;
    let caller = certified.connect(Some(&mine), None).await.unwrap();
    let stream = caller.subscribe("one").await.unwrap();
    certified.house.books.put_vendors([imaging(&[]), ceph()]);
    assert_eq!(stream.ends().await.0, "token_revoked");
    assert_eq!(caller.ask().await, Err("certificate_unknown".to_owned()));
}
