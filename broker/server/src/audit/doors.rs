//! What happens at the doors of the practice: who was not let in, which tokens let somebody in, and what the configuration says.
//!
//! Attempts that failed cost an attacker nothing, so that they may not cost the audit much: of each address and reason the first one
//! is written at once, and those of the next minute together. At most [`MOST_ADDRESSES`] addresses are told apart in a minute, and of
//! IPv6 the first 64 bits; the others are one. That is 130 records a minute at most, 30 MB a day, as long as an attack goes on. What a
//! kill takes along is how often it was tried again in its last minute.

use super::{Action, Audit, AuditError, ITSELF, Inner, PROGRAM, writer::Later};
use crate::api::network;
use archwire_core::{SystemName, contract::Contract};
use archwire_proto::admin::v1::AuditRecord;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, Weak},
    time::{Duration, SystemTime},
};

/// Addresses, reasons and vendors that are told apart in a minute.
const MOST_ADDRESSES: usize = 128;
/// How long attempts that failed are counted together.
const TOGETHER: Duration = Duration::from_secs(60);

/// A token that a person makes or revokes.
#[derive(Debug, Clone)]
pub struct TokenAct {
    /// The person's name as given.
    pub person: String,
    /// The operating system's user that asks, where it is known.
    pub user_id: Option<u32>,
    /// Whose token.
    pub vendor: SystemName,
    /// Which one: the part of it that is no secret.
    pub token: String,
    /// Why, in the person's own words, or until when it lasts.
    pub reason: String,
}

/// From where, and of whom as far as that is known, attempts fail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    /// None of all that are not told apart.
    address: Option<IpAddr>,
    reason: &'static str,
    vendor: Option<SystemName>,
}

/// Attempts of this minute that are not written yet.
#[derive(Default)]
pub(super) struct Failures(HashMap<Source, u32>);

impl Failures {
    /// Counts attempts; of those that have to be written now, under which source.
    fn count(&mut self, source: Source, count: u32) -> Option<Source> {
        if let Some(counted) = self.0.get_mut(&source) {
            *counted = counted.saturating_add(count);
            return None;
        }
        let source = match self.0.len() < MOST_ADDRESSES {
            true => source,
            false => Source {
                address: None,
                vendor: None,
                ..source
            },
        };
        if let Some(counted) = self.0.get_mut(&source) {
            *counted = counted.saturating_add(count);
            return None;
        }
        self.0.insert(source.clone(), 0);
        Some(source)
    }

    /// What was counted, to be written; what is told apart stays.
    fn take(&mut self) -> Vec<AuditRecord> {
        let counted = self.0.iter_mut().filter(|(_, count)| **count > 0);
        counted
            .map(|(source, count)| record(source, std::mem::take(count)))
            .collect()
    }
}

fn record(source: &Source, count: u32) -> AuditRecord {
    AuditRecord {
        at: Some(SystemTime::now().into()),
        program: ITSELF.to_owned(),
        action: Action::AuthenticationFailed.as_str().to_owned(),
        reason: source.reason.to_owned(),
        vendor: source.vendor.as_ref().map(ToString::to_string),
        address: source.address.map_or_else(|| "others".to_owned(), shown),
        count,
        ..AuditRecord::default()
    }
}

fn shown(address: IpAddr) -> String {
    match address {
        IpAddr::V6(network) if !network.is_loopback() => format!("{network}/64"),
        address => address.to_string(),
    }
}

impl Audit {
    /// Writes down, sooner or later, that somebody was not let in, so many times: from where, by which stable code, and as which vendor
    /// where what was shown is known as that vendor's. Never waits.
    pub fn authentication_failed(
        &self,
        address: IpAddr,
        vendor: Option<&SystemName>,
        reason: &'static str,
        count: u32,
    ) {
        let source = Source {
            address: Some(network(address)),
            reason,
            vendor: vendor.cloned(),
        };
        let mut failures = self.0.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = failures.0.is_empty();
        let Some(source) = failures.count(source, count) else {
            return;
        };
        if !self.try_hand_over(Later::Note(Box::new(record(&source, count))))
            && let Some(counted) = failures.0.get_mut(&source)
        {
            *counted = counted.saturating_add(count);
        }
        drop(failures);
        if is_first {
            tokio::spawn(end_minute(Arc::downgrade(&self.0)));
        }
    }

    /// Hands over what was counted of attempts that failed.
    pub(super) async fn hand_over_failures(&self) {
        let counted = {
            let mut failures = self.0.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.take()
        };
        for record in counted {
            if self.hand_over(Later::Note(Box::new(record))).await.is_err() {
                return;
            }
        }
    }

    /// Writes down that the configuration is another one: SHA-256 of what it was and of what it is, and which keys are other ones
    /// (`vendors.tracer.read-fields`), never what stands there. Success means that it is stored.
    ///
    /// # Errors
    /// When it is not, or that is unknown.
    pub async fn configuration_changed(
        &self,
        before: [u8; 32],
        after: [u8; 32],
        keys: Vec<String>,
    ) -> Result<u64, AuditError> {
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let keys: Vec<_> = keys.into_iter().take(MOST_KEYS).collect();
        let record = AuditRecord {
            program: ITSELF.to_owned(),
            action: Action::ConfigurationChanged.as_str().to_owned(),
            digest_before: before.to_vec().into(),
            digest_after: after.to_vec().into(),
            count: if keys.len() == MOST_KEYS { count } else { 0 },
            keys,
            ..AuditRecord::default()
        };
        self.append(record).await
    }

    /// Writes down by its SHA-256 which configuration the broker starts on, where it does not know of an earlier one. Success means
    /// that it is stored.
    ///
    /// # Errors
    /// When it is not, or that is unknown.
    pub async fn configured(&self, digest: [u8; 32]) -> Result<u64, AuditError> {
        let record = AuditRecord {
            program: ITSELF.to_owned(),
            action: Action::Configured.as_str().to_owned(),
            digest_after: digest.to_vec().into(),
            ..AuditRecord::default()
        };
        self.append(record).await
    }

    /// Writes down what a vendor's contract says, where that is not what was written last. To be called when the broker starts, and
    /// whenever a contract is another one. Success means that it is stored.
    ///
    /// # Errors
    /// When it is not, or that is unknown.
    pub async fn contract_stated(&self, contract: &Contract) -> Result<(), AuditError> {
        let terms = super::Terms::of(contract);
        let vendor = contract.grantee.vendor.as_str();
        let is_known = {
            let stated = self.0.stated.lock().unwrap_or_else(PoisonError::into_inner);
            let known = stated.get(vendor);
            known.is_some_and(|(known, enabled)| *known == terms && *enabled == contract.enabled)
        };
        if is_known {
            return Ok(());
        }
        let words = contract.in_words();
        let record = AuditRecord {
            statements: words.map(|(name, text)| format!("{name}: {text}")).to_vec(),
            ..terms.write(Action::ContractStated)
        };
        self.append(record).await?;
        let mut stated = self.0.stated.lock().unwrap_or_else(PoisonError::into_inner);
        stated.insert(vendor.to_owned(), (terms, contract.enabled));
        Ok(())
    }

    /// A record of something that a system or a vendor said; of a vendor, its name. Which contract held then, the contracts that were
    /// written down before tell: what was said is followed a moment later, or after a start, when it may be another one.
    pub(super) fn with_vendor(&self, record: AuditRecord) -> AuditRecord {
        let stated = self.0.stated.lock().unwrap_or_else(PoisonError::into_inner);
        let vendor = record.system.clone().filter(|system| stated.contains_key(system));
        AuditRecord { vendor, ..record }
    }

    /// Writes down that a person is about to make a token. Success means that it is stored.
    ///
    /// # Errors
    /// When it is not, or that is unknown: then no token may be made.
    pub async fn token_made(&self, act: TokenAct) -> Result<u64, AuditError> {
        self.token(Action::TokenMade, act).await
    }

    /// Writes down that a person is about to revoke a token. Success means that it is stored.
    ///
    /// # Errors
    /// When it is not, or that is unknown. A token is better revoked all the same.
    pub async fn token_revoked(&self, act: TokenAct) -> Result<u64, AuditError> {
        self.token(Action::TokenRevoked, act).await
    }

    async fn token(&self, action: Action, act: TokenAct) -> Result<u64, AuditError> {
        let record = AuditRecord {
            program: PROGRAM.to_owned(),
            action: action.as_str().to_owned(),
            person: act.person,
            user_id: act.user_id,
            vendor: Some(act.vendor.to_string()),
            token: act.token,
            reason: act.reason,
            ..AuditRecord::default()
        };
        self.append(record).await
    }
}

/// Most keys that a record names; `count` tells how many there were.
const MOST_KEYS: usize = 256;

/// Writes what a minute brought, and forgets from where.
async fn end_minute(audit: Weak<Inner>) {
    tokio::time::sleep(TOGETHER).await;
    let Some(inner) = audit.upgrade() else { return };
    let audit = Audit(inner);
    let counted = {
        let mut failures = audit.0.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = failures.take();
        failures.0.clear();
        counted
    };
    for record in counted {
        if audit.hand_over(Later::Note(Box::new(record))).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn from(address: &str) -> Source {
        Source {
            address: Some(network(address.parse().unwrap())),
            reason: "token_unknown",
            vendor: None,
        }
    }

    #[test]
    fn the_first_attempt_is_told_at_once_and_more_of_them_together() {
        let mut failures = Failures::default();
        assert!(failures.count(from("192.0.2.1"), 1).is_some());
        assert!(failures.count(from("192.0.2.1"), 3).is_none());
        assert!(
            failures.count(from("::ffff:192.0.2.1"), 1).is_none(),
            "the same address"
        );
        assert!(failures.count(from("192.0.2.2"), 1).is_some());
        let told = failures.take();
        let told: Vec<_> = told
            .iter()
            .map(|record| (record.address.as_str(), record.count))
            .collect();
        assert_eq!(told, [("192.0.2.1", 4)]);
        assert!(failures.take().is_empty());
    }

    #[test]
    fn whoever_has_many_addresses_does_not_fill_the_audit() {
        let mut failures = Failures::default();
        let told = (0..10_000_u32).filter_map(|number| {
            failures.count(from(&Ipv6Addr::from(u128::from(number) << 64).to_string()), 1)
        });
        assert_eq!(told.count(), MOST_ADDRESSES + 1);
        let told = failures.take();
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].address.as_str(), told[0].count),
            ("others", 10_000 - 128 - 1)
        );
        let network = from("2001:db8::1").address.unwrap();
        assert_eq!(shown(network), "2001:db8::/64");
        assert_eq!(shown(from("::1").address.unwrap()), "::1");
    }
}
