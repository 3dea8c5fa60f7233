//! By what the audit tells contracts apart.

use super::{Contract, Grantee, ImageAccess, Pace, PatientScope, Reading, Writing};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// SHA-256 of a contract in its canonical form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractDigest([u8; 32]);

impl ContractDigest {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContractDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContractDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Texts one after the other, each with its length before it, so that no two lists of texts are written the same.
struct Canonical(Sha256);

impl Canonical {
    fn begin() -> Self {
        Self(Sha256::new_with_prefix("archwire.contract.v1"))
    }

    fn one(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(text);
    }

    fn maybe(&mut self, text: Option<impl ToString>) {
        self.all(text.into_iter().map(|text| text.to_string()));
    }

    fn all(&mut self, texts: impl Iterator<Item = impl AsRef<[u8]>>) {
        let texts: Vec<_> = texts.collect();
        self.one(texts.len().to_string());
        texts.iter().for_each(|text| self.one(text));
    }
}

impl Contract {
    /// Its digest: the same for the same agreement, on every machine. Whether it is suspended at present is not part of what
    /// was agreed.
    #[must_use]
    pub fn digest(&self) -> ContractDigest {
        let Self {
            grantee:
                Grantee {
                    vendor,
                    organization,
                    contact,
                },
            enabled: _,
            purpose,
            basis,
            validity,
            read,
            write,
            patients,
            images,
            pace,
        } = self;
        let mut form = Canonical::begin();
        form.one(vendor.as_str());
        form.one(organization);
        form.maybe(contact.as_ref());
        form.one(purpose.as_str());
        form.one(basis);
        form.maybe(validity.from());
        form.maybe(validity.until());
        let Reading {
            kinds,
            fields,
            source,
        } = read;
        form.all(kinds.iter().map(|kind| kind.as_str()));
        form.all(fields.iter().map(|group| group.as_str()));
        form.one([u8::from(*source)]);
        let Writing { kinds, fields } = write;
        form.all(kinds.iter().map(|kind| kind.as_str()));
        form.all(fields.iter().map(|group| group.as_str()));
        form.maybe(match patients {
            PatientScope::All => None,
            PatientScope::LinkedWith(system) => Some(system),
        });
        let ImageAccess { read, write } = *images;
        form.one([u8::from(read), u8::from(write)]);
        let Pace {
            requests_per_second,
            streams,
        } = *pace;
        form.one(requests_per_second.get().to_be_bytes());
        form.one(streams.get().to_be_bytes());
        ContractDigest(form.0.finalize().into())
    }
}
