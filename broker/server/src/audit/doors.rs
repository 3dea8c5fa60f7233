//! What happens at the doors of the practice: which tokens let somebody in, what the configuration says, and what was agreed with whom.
//! Who was not let in is counted ([`counted`](super::counted)).

use super::{Action, Audit, AuditError, ITSELF, PROGRAM};
use archwire_core::{SystemName, contract::Contract};
use archwire_proto::admin::v1::AuditRecord;
use std::sync::PoisonError;

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

impl Audit {
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
