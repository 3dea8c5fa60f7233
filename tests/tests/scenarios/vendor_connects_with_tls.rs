//! A vendor with nothing but a token that an administrator made, over TLS, while the broker stops and starts, gets another certificate,
//! and the token is revoked.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, Endpoint, PatientKey, SubscribeOptions};
use archwire_tests::{PATIENCE, Practice, eventually, invented};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use tokio::time::{Instant, timeout};

/// Whom the vendor believes, and the broker's certificate and key.
struct Certificate {
    authority: String,
    chain: String,
    key: String,
}

impl Certificate {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
        Ok(Self {
            authority: authority.pem(),
            chain: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    fn put(&self, folder: &Path) -> Result<()> {
        for (name, text) in [("api.pem", &self.chain), ("api-key.pem", &self.key)] {
            let new = folder.join("new");
            fs::write(&new, text)?;
            fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
            fs::rename(&new, folder.join(name))?;
        }
        Ok(())
    }
}

async fn connect(practice: &Practice, certificate: &Certificate, token: &str) -> Result<Client> {
    let endpoint = Endpoint::new(format!("https://localhost:{}", practice.port()), token)
        .with_ca_certificate(&certificate.authority);
    let client = Client::connect(endpoint).await?;
    // Nobody has this record; the answer shows that the vendor is let in.
    let nobody = client
        .get_patient(PatientKey::LocalId("nobody".to_owned()))
        .await?;
    ensure!(nobody.is_none(), "somebody has no record");
    Ok(client)
}

#[tokio::test]
async fn a_made_token_goes_on_over_tls_until_it_is_revoked() -> Result<()> {
    let mut scene = Scene::open().await?;
    let practice = &mut scene.practice;
    let made = practice
        .ask(&["vendor", "token", VENDOR, "--expires", "1d", "--by", "Kim Doe"])
        .await?;
    let token = made["token"].as_str().context("no token")?.to_owned();
    let id = made["id"].as_str().context("no id")?.to_owned();
    practice.stop_broker().await?;
    let (first, second) = (Certificate::new()?, Certificate::new()?);
    first.put(practice.folder())?;
    let text = practice.configuration()?;
    let encrypted = "tls-certificate = \"api.pem\"\ntls-key = \"api-key.pem\"";
    practice.set_configuration(&text.replace("plaintext = \"loopback-only\"", encrypted))?;
    practice.start_broker().await?;

    let client = connect(practice, &first, &token).await?;
    ensure!(connect(practice, &second, &token).await.is_err());
    second.put(practice.folder())?;
    eventually("the other certificate is shown", async || {
        connect(practice, &second, &token).await.map(drop)
    })
    .await?;
    ensure!(connect(practice, &first, &token).await.is_err());

    practice
        .office()
        .front_desk()
        .create(&invented(1, 1).pop().context("nobody")?);
    let mut subscription = client.subscribe(SubscribeOptions::new("tls"));
    let event = timeout(PATIENCE, subscription.next()).await??;
    ensure!(event.is_some(), "the subscription ends before it has begun");
    let revoked = Instant::now();
    practice
        .ask(&["vendor", "revoke", VENDOR, &id, "--by", "Kim Doe"])
        .await?;
    let ended = timeout(Duration::from_secs(2), subscription.next()).await?;
    let error = ended.err().context("the subscription goes on")?;
    assert_eq!(error.code(), "token_revoked", "after {:?}", revoked.elapsed());
    let refused = connect(practice, &second, &token).await.err();
    ensure!(refused.is_some_and(|error| error.to_string().contains("revoked")));
    Ok(())
}
