//! Certificates that a test makes for itself.

use archwire::config::Tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Whoever signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM form.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// SHA-256 of the certificate.
    pub(crate) digest: [u8; 32],
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server on this machine.
    pub(crate) fn server(&self) -> Pair {
        self.sign(ExtendedKeyUsagePurpose::ServerAuth, "localhost", None)
    }

    /// One for a vendor.
    pub(crate) fn client(&self) -> Pair {
        self.sign(ExtendedKeyUsagePurpose::ClientAuth, "vendor.example", None)
    }

    /// One for a vendor that does not last.
    pub(crate) fn client_until(&self, end: SystemTime) -> Pair {
        self.sign(ExtendedKeyUsagePurpose::ClientAuth, "vendor.example", Some(end))
    }

    fn sign(&self, purpose: ExtendedKeyUsagePurpose, name: &str, end: Option<SystemTime>) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if let Some(end) = end {
            params.not_after = end.into();
        }
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            digest: Sha256::digest(certificate.der()).into(),
        }
    }
}

/// The files of a server's TLS.
pub(crate) struct Files(PathBuf);

impl Files {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(crate) fn put(&self, pair: &Pair) {
        self.put_certificate(&pair.certificate);
        self.put_key(&pair.key);
    }

    pub(crate) fn put_certificate(&self, pem: &str) {
        self.replace("certificate.pem", pem);
    }

    pub(crate) fn put_key(&self, pem: &str) {
        self.replace("key.pem", pem);
    }

    pub(crate) fn put_roots(&self, authority: &Authority) {
        self.replace("roots.pem", &authority.pem());
    }

    pub(crate) fn tls(&self) -> Tls {
        let roots = self.0.join("roots.pem");
        Tls {
            certificate: self.0.join("certificate.pem"),
            key: self.0.join("key.pem"),
            client_roots: roots.exists().then_some(roots),
        }
    }

    fn replace(&self, name: &str, text: &str) {
        let new = self.0.join("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&new, self.0.join(name)).unwrap();
    }
}
