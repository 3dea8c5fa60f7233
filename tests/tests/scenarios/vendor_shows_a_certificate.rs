//! A vendor that has no token, but a certificate by the practice's own authority: it is let in by that, and by no other, and not any
//! more, on the connection that it has, when that authority is believed no more.

use crate::support::VENDOR;
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, ClientCertificate, Endpoint, PatientKey, SubscribeOptions};
use archwire_tests::{PATIENCE, Practice, eventually, invented};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::Path};
use tokio::time::timeout;

/// Whom the practice believes, or somebody else.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// A certificate and its key as PEM text, and the SHA-256 by which the configuration names it.
    fn sign(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<(String, String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.0)?;
        let mut digest = "sha256:".to_owned();
        for byte in Sha256::digest(certificate.der()) {
            write!(digest, "{byte:02x}")?;
        }
        Ok((certificate.pem(), key.serialize_pem(), digest))
    }
}

fn put(folder: &Path, name: &str, text: &str) -> Result<()> {
    let new = folder.join("new");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(&new, folder.join(name))?)
}

async fn ask(client: &Client) -> Result<()> {
    let nobody = client
        .get_patient(PatientKey::LocalId("nobody".to_owned()))
        .await?;
    ensure!(nobody.is_none(), "somebody has no record");
    Ok(())
}

#[tokio::test]
async fn a_certificate_lets_its_vendor_in_as_long_as_its_authority_is_believed() -> Result<()> {
    let mut practice = Practice::plan().vendor(VENDOR).open().await?;
    let (home, vendors, others) = (
        Authority::new("practice")?,
        Authority::new("vendors")?,
        Authority::new("others")?,
    );
    let (chain, key, _) = home.sign("localhost", ExtendedKeyUsagePurpose::ServerAuth)?;
    let (mine, my_key, digest) = vendors.sign("vendor.example", ExtendedKeyUsagePurpose::ClientAuth)?;
    let (stray, stray_key, _) = vendors.sign("stray.example", ExtendedKeyUsagePurpose::ClientAuth)?;
    let folder = practice.folder().to_owned();
    for (name, text) in [
        ("api.pem", &chain),
        ("api-key.pem", &key),
        ("roots.pem", &vendors.0.pem()),
    ] {
        put(&folder, name, text)?;
    }
    let encrypted = "tls-certificate = \"api.pem\"\ntls-key = \"api-key.pem\"\nclient-roots = \"roots.pem\"";
    let token = format!("token = {{ file = \"secrets/{VENDOR}-token\" }}");
    let text = practice.configuration()?;
    ensure!(text.contains(&token), "the vendor has another token");
    let text = text.replace("plaintext = \"loopback-only\"", encrypted);
    let text = text.replace(&token, &format!("client-certificates = [\"{digest}\"]"));
    practice.set_configuration(&text)?;
    practice.start_broker().await?;

    let url = format!("https://localhost:{}", practice.port());
    let certified = |chain: &str, key: &str| {
        let certificate = ClientCertificate {
            chain: chain.to_owned(),
            key: key.to_owned().into(),
        };
        // Two in one text: the authority is found behind another one.
        let believed = format!("{}{}", others.0.pem(), home.0.pem());
        Endpoint::certified(&url, certificate).with_ca_certificate(believed)
    };
    let client = Client::connect(certified(&mine, &my_key)).await?;
    ask(&client).await?;
    let unknown = ask(&Client::connect(certified(&stray, &stray_key)).await?).await;
    let unknown = unknown.err().context("a stranger is let in")?;
    ensure!(
        format!("{unknown:#}").contains("certificate_unknown"),
        "{unknown:#}"
    );

    let newcomer = invented(1, 1).pop().context("nobody")?;
    practice.office().front_desk().create(&newcomer);
    let mut subscription = client.subscribe(SubscribeOptions::new("certified"));
    let event = timeout(PATIENCE, subscription.next()).await??;
    ensure!(event.is_some(), "the subscription ends before it has begun");

    put(&folder, "roots.pem", &others.0.pem())?;
    eventually("the certificate is worth nothing", async || {
        ensure!(ask(&client).await.is_err(), "it lets in");
        Ok(())
    })
    .await?;
    put(&folder, "roots.pem", &vendors.0.pem())?;
    eventually("the certificate lets in again", async || ask(&client).await).await?;
    practice
        .office()
        .front_desk()
        .create(&invented(1, 2).pop().context("nobody")?);
    let event = timeout(PATIENCE, subscription.next()).await??;
    ensure!(event.is_some(), "the subscription goes on by itself");
    Ok(())
}
