//! What cannot be kept from happening over and over: who was not let in, and what was asked for that no contract grants.
//!
//! It costs who does it nothing, so that it may not cost the audit much: of each address, vendor and reason the first time is written at
//! once, and those of the next minute together. At most [`MOST`] are told apart in a minute of each of the two, and of IPv6 the first 64
//! bits; the others are one. That is 260 records a minute at most, 60 MB a day, as long as it goes on. What a kill takes along is how
//! often it was tried again in its last minute.

use super::{Action, Audit, ITSELF, Inner, writer::Later};
use crate::api::network;
use archwire_core::SystemName;
use archwire_proto::admin::v1::AuditRecord;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

/// Addresses, reasons and vendors that are told apart in a minute.
const MOST: usize = 128;
/// How long what happens again is counted together.
const TOGETHER: Duration = Duration::from_secs(60);

/// From where, and of whom as far as that is known, and what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    action: Action,
    /// None of all that are not told apart, and of what is no matter of addresses.
    address: Option<IpAddr>,
    reason: &'static str,
    vendor: Option<SystemName>,
}

/// What happened in this minute and is not written yet.
#[derive(Default)]
pub(super) struct Counted {
    failures: Counts,
    denials: Counts,
}

/// The same of one kind.
#[derive(Default)]
struct Counts(HashMap<Source, u32>);

impl Counted {
    fn of(&mut self, action: Action) -> &mut Counts {
        match action {
            Action::Denied => &mut self.denials,
            _ => &mut self.failures,
        }
    }

    fn is_empty(&self) -> bool {
        self.failures.0.is_empty() && self.denials.0.is_empty()
    }

    fn count(&mut self, source: Source, count: u32) -> Option<Source> {
        self.of(source.action).count(source, count)
    }

    /// What was counted, to be written; what is told apart stays.
    fn take(&mut self) -> Vec<AuditRecord> {
        let mut records = self.failures.take();
        records.extend(self.denials.take());
        records
    }
}

impl Counts {
    /// Counts what happened; where it has to be written now, under which source.
    fn count(&mut self, source: Source, count: u32) -> Option<Source> {
        if let Some(counted) = self.0.get_mut(&source) {
            *counted = counted.saturating_add(count);
            return None;
        }
        let source = match self.0.len() < MOST {
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

    /// In the order of vendors and reasons.
    fn take(&mut self) -> Vec<AuditRecord> {
        let counted = self.0.iter_mut().filter(|(_, count)| **count > 0);
        let mut records: Vec<_> = counted
            .map(|(source, count)| record(source, std::mem::take(count)))
            .collect();
        records.sort_by(|one, other| (&one.vendor, &one.reason).cmp(&(&other.vendor, &other.reason)));
        records
    }
}

fn record(source: &Source, count: u32) -> AuditRecord {
    AuditRecord {
        at: Some(SystemTime::now().into()),
        program: ITSELF.to_owned(),
        action: source.action.as_str().to_owned(),
        reason: source.reason.to_owned(),
        vendor: source.vendor.as_ref().map(ToString::to_string),
        address: match (source.address, source.action) {
            (Some(address), _) => shown(address),
            (None, Action::Denied) => String::new(),
            (None, _) => "others".to_owned(),
        },
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
            action: Action::AuthenticationFailed,
            address: Some(network(address)),
            reason,
            vendor: vendor.cloned(),
        };
        self.count(source, count);
    }

    /// Writes down, sooner or later, that a vendor asked for, or said, what its contract does not grant: by which stable code. Never
    /// waits.
    pub fn access_denied(&self, vendor: &SystemName, reason: &'static str) {
        let source = Source {
            action: Action::Denied,
            address: None,
            reason,
            vendor: Some(vendor.clone()),
        };
        self.count(source, 1);
    }

    fn count(&self, source: Source, count: u32) {
        let mut all = self.counted();
        let is_first = all.is_empty();
        let Some(source) = all.count(source, count) else {
            return;
        };
        if !self.try_hand_over(Later::Note(Box::new(record(&source, count))))
            && let Some(counted) = all.of(source.action).0.get_mut(&source)
        {
            *counted = counted.saturating_add(count);
        }
        drop(all);
        if is_first {
            tokio::spawn(end_minute(Arc::downgrade(&self.0)));
        }
    }

    /// Hands over what was counted.
    pub(super) async fn hand_over_counted(&self) {
        let counted = self.counted().take();
        self.hand_over_all(counted).await;
    }

    async fn hand_over_all(&self, records: Vec<AuditRecord>) {
        for record in records {
            if self.hand_over(Later::Note(Box::new(record))).await.is_err() {
                return;
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what a minute brought, and forgets what is told apart.
async fn end_minute(audit: Weak<Inner>) {
    tokio::time::sleep(TOGETHER).await;
    let Some(inner) = audit.upgrade() else { return };
    let audit = Audit(inner);
    let mut counted = std::mem::take(&mut *audit.counted());
    audit.hand_over_all(counted.take()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn from(address: &str) -> Source {
        Source {
            action: Action::AuthenticationFailed,
            address: Some(network(address.parse().unwrap())),
            reason: "token_unknown",
            vendor: None,
        }
    }

    #[test]
    fn the_first_attempt_is_told_at_once_and_more_of_them_together() {
        let mut failures = Counts::default();
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
        let mut failures = Counts::default();
        let told = (0..10_000_u32).filter_map(|number| {
            failures.count(from(&Ipv6Addr::from(u128::from(number) << 64).to_string()), 1)
        });
        assert_eq!(told.count(), MOST + 1);
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

    #[test]
    fn denials_are_told_by_vendor_and_code_and_do_not_crowd_out_who_was_not_let_in() {
        let denied = |vendor: &str, reason| Source {
            action: Action::Denied,
            address: None,
            reason,
            vendor: Some(vendor.parse().unwrap()),
        };
        let mut counted = Counted::default();
        for _ in 0..1000 {
            counted.count(denied("imaging", "field_denied"), 1);
        }
        counted.count(denied("imaging", "kind_denied"), 1);
        for number in 0..MOST {
            counted.count(denied(&format!("v{number}"), "kind_denied"), 1);
        }
        assert!(
            counted.count(from("192.0.2.1"), 1).is_some(),
            "those who are not let in have room of their own"
        );
        let told = counted.take();
        let told: Vec<_> = told
            .iter()
            .map(|record| {
                (
                    record.action.as_str(),
                    record.vendor.as_deref(),
                    &*record.reason,
                    record.count,
                )
            })
            .collect();
        // Each was told at once when it was the first of its kind; of those that are not told apart, one was.
        assert_eq!(
            told,
            [
                ("access.denied", None, "kind_denied", 1),
                ("access.denied", Some("imaging"), "field_denied", 999),
            ]
        );
    }
}
