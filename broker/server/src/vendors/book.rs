//! The practice's vendors as they are at one moment.

use super::{Admitted, BookReader, Clock, Credential, NotAdmitted};
use crate::config;
use archwire_core::{
    SystemName,
    contract::{Contract, ContractDigest, Day, NotInForce},
};
use jiff::{Timestamp, tz::TimeZone};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use tokio::sync::watch;

/// SHA-256 of a token: comparing digests takes the same time whatever was guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Of a token as it is sent.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// One that was kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(..)")
    }
}

/// One vendor of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// Its name on the bus.
    pub name: SystemName,
    /// What it may see and say.
    pub contract: Arc<Contract>,
    /// By what the audit names the contract.
    pub digest: ContractDigest,
    /// The token of the configuration, where it has one.
    pub tokens: BTreeSet<TokenDigest>,
    /// SHA-256 of the certificates by which it may show who it is.
    pub certificates: BTreeSet<[u8; 32]>,
}

impl Vendor {
    /// As the configuration has it.
    #[must_use]
    pub fn new(vendor: &config::Vendor) -> Self {
        let token = vendor.token.iter();
        Self {
            name: vendor.contract.grantee.vendor.clone(),
            contract: Arc::new(vendor.contract.clone()),
            digest: vendor.contract.digest(),
            tokens: token
                .map(|token| TokenDigest::of(token.expose_secret()))
                .collect(),
            certificates: vendor.certificates.clone(),
        }
    }
}

/// A token that `archwire vendor token` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Whose it is.
    pub vendor: SystemName,
    /// By what people name it.
    pub id: String,
    /// From when on it is not good any more.
    pub expires: Option<Timestamp>,
    /// Whether it was revoked, so that it is only known to tell that.
    pub is_revoked: bool,
}

/// The practice's vendors as they are at one moment.
#[derive(Debug, Clone)]
pub struct Book {
    vendors: BTreeMap<SystemName, Arc<Vendor>>,
    issued: BTreeMap<TokenDigest, Issued>,
    zone: TimeZone,
    clock: Clock,
}

impl Book {
    /// The vendors of a configuration, in the practice's time zone. No token has been made yet.
    #[must_use]
    pub fn new(vendors: impl IntoIterator<Item = Vendor>, zone: TimeZone) -> Self {
        let named = |vendor: Vendor| (vendor.name.clone(), Arc::new(vendor));
        Self {
            vendors: vendors.into_iter().map(named).collect(),
            issued: BTreeMap::new(),
            zone,
            clock: Clock::default(),
        }
    }

    /// The same book by another clock.
    #[must_use]
    pub fn by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// What time it is.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        self.clock.now()
    }

    /// The vendors in the order of their names.
    pub fn vendors(&self) -> impl Iterator<Item = &Arc<Vendor>> {
        self.vendors.values()
    }

    /// A vendor by its name.
    #[must_use]
    pub fn vendor(&self, name: &SystemName) -> Option<&Arc<Vendor>> {
        self.vendors.get(name)
    }

    /// The tokens that were made, by their digests.
    #[must_use]
    pub fn issued(&self) -> &BTreeMap<TokenDigest, Issued> {
        &self.issued
    }

    /// Who shows this; nobody where it is not known, or not any more.
    #[must_use]
    pub fn whose(&self, shown: &Credential) -> Option<&SystemName> {
        let has = |vendor: &&Arc<Vendor>| match shown {
            Credential::Token(token) => vendor.tokens.contains(token),
            Credential::Certificate(certificate) => vendor.certificates.contains(certificate),
        };
        let configured = self.vendors.values().find(has).map(|vendor| &vendor.name);
        configured.or_else(|| match shown {
            Credential::Token(token) => {
                let issued = self.issued.get(token).filter(|issued| !issued.is_revoked)?;
                let vendor = &issued.vendor;
                self.vendors.contains_key(vendor).then_some(vendor)
            }
            Credential::Certificate(_) => None,
        })
    }

    /// The contract of who was let in by this, if it is in force now and what was shown is still good.
    ///
    /// # Errors
    /// Says why not.
    pub fn contract(
        &self,
        name: &SystemName,
        shown: &Credential,
        now: Timestamp,
    ) -> Result<Arc<Contract>, NotAdmitted> {
        if self.whose(shown) != Some(name) {
            return Err(NotAdmitted::Revoked);
        }
        if let Credential::Token(token) = shown {
            let expires = self.issued.get(token).and_then(|issued| issued.expires);
            if expires.is_some_and(|expires| expires <= now) {
                return Err(NotAdmitted::Expired);
            }
        }
        let vendor = self.vendors.get(name).ok_or(NotAdmitted::Revoked)?;
        vendor.contract.holds_at(self.day(now))?;
        Ok(Arc::clone(&vendor.contract))
    }

    /// Whether a vendor's contract is in force, whatever the vendor shows. One that is not in the configuration has none.
    ///
    /// # Errors
    /// Says why not.
    pub fn standing(&self, name: &SystemName, now: Timestamp) -> Result<(), NotInForce> {
        let day = self.day(now);
        let vendor = self.vendors.get(name);
        vendor.map_or(Ok(()), |vendor| vendor.contract.holds_at(day))
    }

    /// What day it is in the practice. A clock that shows none of our calendar shows its first one.
    fn day(&self, now: Timestamp) -> Day {
        let date = now.to_zoned(self.zone.clone()).date();
        date.to_string().parse().unwrap_or(Day::FIRST)
    }
}

/// Where the next book is put. One for a broker; cheap to clone.
#[derive(Debug, Clone)]
pub struct Books(Arc<watch::Sender<Arc<Book>>>);

impl Books {
    /// Begins with this book.
    #[must_use]
    pub fn new(book: Book) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(book))))
    }

    /// The book of every moment from now on.
    #[must_use]
    pub fn reader(&self) -> BookReader {
        self.0.subscribe()
    }

    /// The book as it is now.
    #[must_use]
    pub fn now(&self) -> Arc<Book> {
        Arc::clone(&self.0.borrow())
    }

    /// The vendors of another configuration. Tokens that were made stay.
    pub fn put_vendors(&self, vendors: impl IntoIterator<Item = Vendor>) {
        let vendors: Vec<_> = vendors.into_iter().collect();
        self.0.send_modify(|book| {
            let next = Book {
                issued: book.issued.clone(),
                ..Book::new(vendors, book.zone.clone()).by(book.clock.clone())
            };
            *book = Arc::new(next);
        });
    }

    /// The tokens that were made, all of them. Vendors stay.
    pub fn put_issued(&self, issued: BTreeMap<TokenDigest, Issued>) {
        self.0.send_modify(|book| {
            let next = Book {
                issued,
                ..Book::clone(book)
            };
            *book = Arc::new(next);
        });
    }

    /// Has everybody look again who waits for a change, because another day has begun or a token has expired.
    pub fn turn(&self) {
        self.0.send_modify(|_| {});
    }

    /// The same where that happened between two moments, whichever of them is the later one.
    pub fn turn_if_due(&self, before: Timestamp, now: Timestamp) {
        let book = self.now();
        let mut expiries = book.issued.values().filter_map(|issued| issued.expires);
        let (first, last) = (before.min(now), before.max(now));
        let is_expired = expiries.any(|expires| first < expires && expires <= last);
        if is_expired || book.day(before) != book.day(now) {
            self.turn();
        }
    }

    /// Lets a vendor in, as if it had shown this: for callers that know already, and for tests.
    #[must_use]
    pub fn admit(&self, vendor: SystemName, shown: Credential) -> Admitted {
        Admitted::new(vendor, shown, self.reader())
    }
}
