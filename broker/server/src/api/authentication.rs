//! Who is calling: a vendor, by its token or its certificate.

use super::{
    gate::{Denials, Turns},
    status::refuse,
};
use crate::vendors::{Admitted, BookReader, Credential, TokenDigest};
use archwire_core::SystemName;
use http::{HeaderMap, header::AUTHORIZATION};
use tonic::{Code, Request, Status};

/// The only way to know who calls.
#[derive(Clone)]
pub struct Callers(BookReader);

/// Nobody is let in.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What is answered.
    pub(super) status: Status,
    /// Its stable code.
    pub(super) code: &'static str,
    /// Whose the thing is that was shown, where that is known.
    pub(super) vendor: Option<SystemName>,
}

impl Callers {
    /// Those of the book, as it is at each call.
    #[must_use]
    pub fn new(book: BookReader) -> Self {
        Self(book)
    }

    /// Who is calling, as the gate found out.
    ///
    /// # Errors
    /// While the contract is not in force, and for a call that came by another way than through the gate.
    pub(super) fn caller<T>(&self, request: &Request<T>) -> Result<Admitted, Status> {
        let admitted = request.extensions().get::<Admitted>().cloned();
        let admitted = admitted.ok_or_else(|| Refusal::missing().status)?;
        admitted.contract()?;
        Ok(admitted)
    }

    /// The turns of who is calling, and what counts what is denied.
    ///
    /// # Errors
    /// For a call that came by another way than through the gate.
    pub(super) fn turns<T>(&self, request: &Request<T>) -> Result<(Turns, Denials), Status> {
        let turns = request.extensions().get::<Turns>().cloned();
        let denials = request.extensions().get::<Denials>().cloned();
        turns.zip(denials).ok_or_else(|| Refusal::missing().status)
    }

    /// Lets somebody in by what was shown: a token, or the certificate of the connection, by its SHA-256. Both have to be the same
    /// vendor's where both are some vendor's. Whether the contract is in force is not asked.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        certificate: Option<&[u8; 32]>,
    ) -> Result<Admitted, Refusal> {
        let mut book = self.0.clone();
        let now = book.borrow_and_update().clone();
        let certificate = certificate.map(|digest| Credential::Certificate(*digest));
        let certified = certificate.and_then(|shown| Some((now.whose(&shown)?, shown)));
        let (vendor, shown) = match (bearer(headers), certified) {
            (None, Some(certified)) => certified,
            (None, None) if certificate.is_some() => return Err(Refusal::unknown_certificate()),
            (None, None) => return Err(Refusal::missing()),
            (Some(token), certified) => {
                let digest = TokenDigest::of(token);
                let shown = Credential::Token(digest);
                let Some(vendor) = now.whose(&shown) else {
                    let issued = now.issued().get(&digest);
                    return Err(issued.map_or_else(Refusal::unknown_token, |issued| {
                        Refusal::revoked(issued.vendor.clone())
                    }));
                };
                if let Some((other, _)) = certified.filter(|(other, _)| *other != vendor) {
                    return Err(Refusal::two_vendors(other.clone()));
                }
                let expires = now.issued().get(&digest).and_then(|issued| issued.expires);
                if expires.is_some_and(|expires| expires <= now.clock()) {
                    return Err(Refusal::expired(vendor.clone()));
                }
                (vendor, shown)
            }
        };
        Ok(Admitted::new(vendor.clone(), shown, book))
    }
}

impl Refusal {
    fn new(code: &'static str, vendor: Option<SystemName>, message: &'static str) -> Self {
        Self {
            status: refuse(Code::Unauthenticated, code, message),
            code,
            vendor,
        }
    }

    fn missing() -> Self {
        let message = "send the metadata `authorization: Bearer TOKEN`, or show a certificate";
        Self::new("token_missing", None, message)
    }

    fn unknown_token() -> Self {
        let message = "no vendor of the practice has this token";
        Self::new("token_unknown", None, message)
    }

    fn unknown_certificate() -> Self {
        let message = "no vendor in the practice's configuration has this certificate";
        Self::new("certificate_unknown", None, message)
    }

    fn revoked(vendor: SystemName) -> Self {
        let message = "the token was revoked; ask the practice for another one";
        Self::new("token_revoked", Some(vendor), message)
    }

    fn expired(vendor: SystemName) -> Self {
        let message = "the token has expired; ask the practice for another one";
        Self::new("token_expired", Some(vendor), message)
    }

    fn two_vendors(vendor: SystemName) -> Self {
        let message = "the token is another vendor's than the certificate";
        Self::new("credentials_differ", Some(vendor), message)
    }
}

/// The token. How the scheme is written does not matter (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start_matches(' '))
}
