//! What a vendor may use patients' data for.

use std::{fmt, str::FromStr};

/// A purpose of HL7 v3 PurposeOfUse, the code system that FHIR AuditEvent and Consent use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// `TREAT`.
    Treatment,
    /// `HPAYMT`: healthcare payment.
    Payment,
    /// `HOPERAT`: healthcare operations.
    Operations,
    /// `HRESCH`: healthcare research.
    Research,
    /// `ETREAT`: emergency treatment.
    Emergency,
    /// `PATRQT`: the patient asked for it.
    PatientRequested,
    /// `PUBHLTH`: public health.
    PublicHealth,
}

/// A word that names no purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the purposes are `treatment`, `payment`, `operations`, `research`, `emergency`, `patient-requested` and `public-health`"
)]
pub struct PurposeError;

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 7] = [
        Self::Treatment,
        Self::Payment,
        Self::Operations,
        Self::Research,
        Self::Emergency,
        Self::PatientRequested,
        Self::PublicHealth,
    ];

    /// The code system of [`Purpose::code`].
    pub const CODE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

    /// The purpose's word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::Payment => "payment",
            Self::Operations => "operations",
            Self::Research => "research",
            Self::Emergency => "emergency",
            Self::PatientRequested => "patient-requested",
            Self::PublicHealth => "public-health",
        }
    }

    /// The purpose's code in HL7 v3 ActReason, value set PurposeOfUse.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Treatment => "TREAT",
            Self::Payment => "HPAYMT",
            Self::Operations => "HOPERAT",
            Self::Research => "HRESCH",
            Self::Emergency => "ETREAT",
            Self::PatientRequested => "PATRQT",
            Self::PublicHealth => "PUBHLTH",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = PurposeError;

    fn from_str(word: &str) -> Result<Self, PurposeError> {
        let same = |purpose: &Self| purpose.as_str() == word;
        Self::ALL.into_iter().find(same).ok_or(PurposeError)
    }
}
