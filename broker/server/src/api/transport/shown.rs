//! The certificate that the other side of a connection showed, which has to count for as long as the connection is open.
//!
//! TLS looks at it once, when it begins; a connection may last for years. So it is looked at again every
//! [`Patience::certified`](super::Patience), as TLS would: against the time, and against the authorities who are believed by then.

use super::tls::TlsNow;
use rustls::{
    CertificateError, Error,
    pki_types::{CertificateDer, UnixTime},
};
use sha2::{Digest as _, Sha256};

/// A certificate, and those that lead to its authority.
pub(super) struct Shown {
    certificate: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    tls: TlsNow,
}

impl Shown {
    /// What was shown when TLS began; `None` where that was nothing.
    pub(super) fn of(shown: Option<&[CertificateDer<'static>]>, tls: &TlsNow) -> Option<Self> {
        let (certificate, chain) = shown?.split_first()?;
        Some(Self {
            certificate: certificate.clone(),
            chain: chain.to_vec(),
            tls: tls.clone(),
        })
    }

    /// SHA-256 of the certificate in DER form.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }

    /// Whether it would be taken now; otherwise the code that says why not.
    pub(super) fn look(&self) -> Result<(), &'static str> {
        let clients = self.tls.clients().ok_or("certificate_untrusted")?;
        match clients.verify_client_cert(&self.certificate, &self.chain, UnixTime::now()) {
            Ok(_) => Ok(()),
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => Err("certificate_expired"),
            Err(_) => Err("certificate_untrusted"),
        }
    }
}
