//! The vendors, their contracts in words, and the tokens that let them in.
//!
//! Making a token is written to the audit first, and does not happen when that fails. Revoking one is written down after it was done,
//! because a token that is in wrong hands cannot wait for a disk.

use super::{
    asker::{Asker, reason},
    practice::Practice,
    status::{invalid, not_audited, token, unknown_vendor},
};
use crate::{
    api::status::with_causes,
    audit::TokenAct,
    tokens::{Token, TokenSecret},
    vendors::Vendor,
    wire::{WireError, timestamp},
};
use archwire_core::SystemName;
use archwire_proto::admin::v1;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::timeout;
use tonic::{Request, Status};

/// For how long a token may be good where it is said: 10 years.
const LONGEST: u64 = 10 * 366 * 24 * 3600;

/// How long an answer waits for a revocation to be stored. It is tried on without.
const LONGEST_STORE: Duration = Duration::from_secs(10);

/// How long is too long.
#[derive(Debug, thiserror::Error)]
#[error("a token lasts 1 s to 10 years, or until it is revoked")]
struct TooLong;

pub(super) async fn list(practice: &Practice) -> v1::ListVendorsResponse {
    let book = practice.tokens.book();
    let mut vendors = Vec::new();
    for vendor in book.vendors() {
        vendors.push(line(practice, vendor).await);
    }
    v1::ListVendorsResponse { vendors }
}

pub(super) async fn show(
    practice: &Practice,
    request: &v1::ShowVendorRequest,
) -> Result<v1::ShowVendorResponse, Status> {
    let vendor = configured(practice, &name(&request.vendor)?)?;
    let statements = vendor.contract.in_words();
    Ok(v1::ShowVendorResponse {
        statements: statements
            .map(|(name, text)| v1::Statement {
                name: name.to_owned(),
                text,
            })
            .to_vec(),
        line: Some(line(practice, &vendor).await),
    })
}

pub(super) async fn make(
    practice: &Practice,
    request: Request<v1::MakeTokenRequest>,
) -> Result<v1::MakeTokenResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let vendor = configured(practice, &name(&request.vendor)?)?;
    let expires = expires(request.lasts_seconds).map_err(|error| invalid(&error))?;
    let drawn = TokenSecret::draw(vendor.name.clone(), expires);
    let until = match expires {
        Some(expires) => format!("good until {expires}"),
        None => "good until it is revoked".to_owned(),
    };
    let act = act(asker, &drawn.token, until);
    let audited = practice.audit.token_made(act).await;
    audited.map_err(|error| not_audited(&error))?;
    let (text, made) = practice.tokens.keep(drawn).await.map_err(|error| token(&error))?;
    Ok(v1::MakeTokenResponse {
        token: text.expose_secret().to_owned(),
        line: Some(token_line(&made)),
    })
}

pub(super) async fn tokens(
    practice: &Practice,
    request: &v1::ListTokensRequest,
) -> Result<v1::ListTokensResponse, Status> {
    let name = name(&request.vendor)?;
    let tokens = practice.tokens.of(&name);
    let book = practice.tokens.book();
    let vendor = book.vendor(&name);
    if vendor.is_none() && tokens.is_empty() {
        return Err(unknown_vendor(&name));
    }
    Ok(v1::ListTokensResponse {
        tokens: tokens.iter().map(token_line).collect(),
        has_configured: vendor.is_some_and(|vendor| !vendor.tokens.is_empty()),
    })
}

pub(super) async fn revoke(
    practice: &Practice,
    request: Request<v1::RevokeTokenRequest>,
) -> Result<v1::RevokeTokenResponse, Status> {
    let (_, extensions, request) = request.into_parts();
    let asker = Asker::of(request.person, &extensions)?;
    let why = match request.reason.is_empty() {
        true => String::new(),
        false => reason(&request.reason)?,
    };
    let vendor = name(&request.vendor)?;
    // First of all; what is written down of it comes after, however long that takes.
    let revoked = practice.tokens.revoke(&vendor, &request.id);
    let revoked = revoked.map_err(|error| token(&error))?;
    let (audited, stored) = tokio::join!(
        practice.audit.token_revoked(act(asker, &revoked, why)),
        timeout(LONGEST_STORE, practice.tokens.store())
    );
    if let Err(error) = audited {
        tracing::error!(
            code = error.code(),
            cause = with_causes(&error),
            %vendor,
            token = revoked.id,
            "that a token is revoked is not in the audit; it is revoked all the same"
        );
    }
    Ok(v1::RevokeTokenResponse {
        line: Some(token_line(&revoked)),
        is_stored: matches!(stored, Ok(Ok(()))),
    })
}

fn act(asker: Asker, token: &Token, reason: String) -> TokenAct {
    TokenAct {
        person: asker.name,
        user_id: asker.user_id,
        vendor: token.vendor.clone(),
        token: token.id.clone(),
        reason,
    }
}

fn name(text: &str) -> Result<SystemName, Status> {
    text.parse()
        .map_err(|error| invalid(&WireError::Name("vendor", error)))
}

fn configured(practice: &Practice, name: &SystemName) -> Result<Arc<Vendor>, Status> {
    let book = practice.tokens.book();
    let vendor = book.vendor(name).map(Arc::clone);
    vendor.ok_or_else(|| unknown_vendor(name))
}

/// From when on a token is not good that lasts so long from now.
fn expires(seconds: u64) -> Result<Option<Timestamp>, TooLong> {
    if seconds == 0 {
        return Ok(None);
    }
    let lasts = i64::try_from(seconds.min(LONGEST + 1)).map_err(|_| TooLong)?;
    if seconds > LONGEST {
        return Err(TooLong);
    }
    // A whole second, and no earlier than was asked for.
    let now = Timestamp::now().as_second();
    let end =
        Timestamp::from_second(now).and_then(|now| now.checked_add(SignedDuration::from_secs(lasts + 1)));
    end.map(Some).map_err(|_| TooLong)
}

async fn line(practice: &Practice, vendor: &Vendor) -> v1::VendorLine {
    let book = practice.tokens.book();
    let now = book.clock();
    let made = practice.tokens.of(&vendor.name);
    let good = made.iter().filter(|token| token.is_good(now)).count();
    let standing = book.standing(&vendor.name, now);
    v1::VendorLine {
        vendor: vendor.name.to_string(),
        organization: vendor.contract.grantee.organization.clone(),
        purpose: vendor.contract.purpose.as_str().to_owned(),
        not_in_force: standing.err().map_or("", |reason| reason.code()).to_owned(),
        tokens: count(good + vendor.tokens.len()),
        certificates: count(vendor.certificates.len()),
    }
}

fn token_line(token: &Token) -> v1::TokenLine {
    let time = |at: Timestamp| timestamp(SystemTime::from(at));
    v1::TokenLine {
        vendor: token.vendor.to_string(),
        id: token.id.clone(),
        made_at: Some(time(token.made)),
        expires_at: token.expires.map(time),
        revoked_at: token.revoked.map(time),
        is_good: token.is_good(Timestamp::now()),
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lasts_at_least_as_long_as_was_asked_for() {
        assert!(expires(0).unwrap().is_none());
        let before = Timestamp::now();
        let end = expires(60).unwrap().unwrap();
        let lasts = end.duration_since(before);
        assert!(lasts >= SignedDuration::from_secs(60) && lasts < SignedDuration::from_secs(62));
        assert!(expires(LONGEST).is_ok() && expires(LONGEST + 1).is_err() && expires(u64::MAX).is_err());
    }
}
