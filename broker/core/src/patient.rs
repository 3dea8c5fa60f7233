//! One patient as every program of the practice can understand them: the typed projection that every event carries.
//!
//! The vocabulary is FHIR R4's; the meaning and the source of each field are in `sdk/proto`, message `Patient`, of
//! which this is the mirror. `None` and the empty list mean "not stated". Lists are bounded by [`Patient::check`].

use crate::{LocalId, PartialDate, PatientId, SystemName, Text};
use serde::{Deserialize, Serialize};

/// The typed projection of one patient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Patient {
    /// FHIR Patient.identifier.
    pub identifiers: Vec<Identifier>,
    /// FHIR Patient.name.
    pub names: Vec<HumanName>,
    /// FHIR Patient.birthDate.
    pub birth_date: Option<PartialDate>,
    /// FHIR Patient.gender.
    pub administrative_sex: Option<AdministrativeSex>,
    /// FHIR extension individual-genderIdentity.
    pub gender_identity: Option<Text>,
    /// FHIR extension individual-pronouns.
    pub pronouns: Option<Text>,
    /// FHIR Patient.deceasedBoolean.
    pub deceased: Option<bool>,
    /// FHIR Patient.deceasedDateTime, as the source wrote it.
    pub deceased_at: Option<Text>,
    /// FHIR Patient.telecom.
    pub telecom: Vec<ContactPoint>,
    /// FHIR Patient.address.
    pub addresses: Vec<Address>,
    /// FHIR Patient.maritalStatus, a code of HL7 v3-MaritalStatus.
    pub marital_status: Option<Text>,
    /// BCP 47 tag. FHIR Patient.communication with preferred = true.
    pub preferred_language: Option<Text>,
    /// FHIR extension patient-interpreterRequired.
    pub interpreter_required: Option<bool>,
    /// Standing of the record in the practice.
    pub status: Option<PatientStatus>,
    /// FHIR RelatedPerson and Account.guarantor.
    pub responsible_parties: Vec<ResponsibleParty>,
    /// FHIR Patient.generalPractitioner.
    pub primary_provider: Option<Provider>,
    /// SHA-256 of the portrait, 64 lower-case hexadecimal digits. FHIR Patient.photo.
    pub photo_sha256: Option<Text>,
    /// FHIR Patient.multipleBirthBoolean.
    pub multiple_birth: Option<bool>,
    /// From 1. FHIR Patient.multipleBirthInteger.
    pub multiple_birth_order: Option<u32>,
    /// Codes of HL7 v3-Confidentiality. FHIR Resource.meta.security.
    pub confidentiality: Vec<Text>,
    /// The survivor, when `status` is [`PatientStatus::MergedInto`].
    pub merged_into: Option<PatientId>,
}

/// FHIR Identifier.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identifier {
    /// Namespace, a URI.
    pub system: String,
    /// The identifier.
    pub value: Text,
    /// A code of HL7 v2-0203.
    pub kind: Option<Text>,
    /// Who gave it.
    pub assigner: Option<Text>,
    /// While it was valid.
    pub period: Option<Period>,
    /// Whether it may be relied on.
    pub status: Option<IdentifierStatus>,
}

/// Whether an identifier may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifierStatus {
    /// In use.
    Active,
    /// No longer valid.
    Retired,
}

/// FHIR HumanName.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HumanName {
    /// FHIR HumanName.use.
    pub r#use: Option<NameUse>,
    /// FHIR HumanName.family.
    pub family: Option<Text>,
    /// FHIR HumanName.given.
    pub given: Vec<Text>,
    /// FHIR HumanName.prefix.
    pub prefix: Vec<Text>,
    /// FHIR HumanName.suffix.
    pub suffix: Vec<Text>,
    /// FHIR HumanName.text.
    pub text: Option<Text>,
    /// FHIR HumanName.period.
    pub period: Option<Period>,
}

/// FHIR value set name-use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the value set's own words")]
pub enum NameUse {
    Official,
    Usual,
    Nickname,
    Maiden,
    Old,
    Temp,
    Anonymous,
}

/// FHIR value set administrative-gender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the value set's own words")]
pub enum AdministrativeSex {
    Male,
    Female,
    Other,
    Unknown,
}

/// Standing of the record in the practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatientStatus {
    /// Treated here.
    Active,
    /// Not treated here at present.
    Inactive,
    /// Put away.
    Archived,
    /// On file without being treated.
    NonPatient,
    /// Not yet treated here.
    Prospective,
    /// A duplicate of another record.
    MergedInto,
}

/// FHIR ContactPoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    /// FHIR ContactPoint.system.
    pub system: ContactSystem,
    /// As the source wrote it.
    pub value: Text,
    /// FHIR ContactPoint.use.
    pub r#use: Option<ContactUse>,
    /// Preference, 1 first.
    pub rank: Option<u32>,
    /// While it was valid.
    pub period: Option<Period>,
}

/// FHIR value set contact-point-system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the value set's own words")]
pub enum ContactSystem {
    Phone,
    Fax,
    Email,
    Pager,
    Url,
    Sms,
    Other,
}

/// FHIR value set contact-point-use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the value set's own words")]
pub enum ContactUse {
    Home,
    Work,
    Temp,
    Old,
    Mobile,
}

/// FHIR Address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// FHIR Address.use.
    pub r#use: Option<AddressUse>,
    /// FHIR Address.line.
    pub lines: Vec<Text>,
    /// FHIR Address.city.
    pub city: Option<Text>,
    /// FHIR Address.district.
    pub district: Option<Text>,
    /// FHIR Address.state.
    pub state: Option<Text>,
    /// FHIR Address.postalCode.
    pub postal_code: Option<Text>,
    /// FHIR Address.country.
    pub country: Option<Text>,
    /// FHIR Address.period.
    pub period: Option<Period>,
}

/// FHIR value set address-use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the value set's own words")]
pub enum AddressUse {
    Home,
    Work,
    Temp,
    Old,
    Billing,
}

/// Somebody responsible for the patient: FHIR RelatedPerson and Account.guarantor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponsibleParty {
    /// The person, where a system keeps a record of them.
    pub person: Option<PersonReference>,
    /// The name, where no system does or in addition.
    pub name: Option<HumanName>,
    /// A code of HL7 v3-RoleCode.
    pub relationship: Option<Text>,
    /// Whether this party pays.
    pub is_guarantor: bool,
    /// Whether records may be released to this party; not stated means no.
    pub may_receive_records: Option<bool>,
    /// How to reach this party.
    pub telecom: Vec<ContactPoint>,
}

/// A person's record in some system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonReference {
    /// The system that keeps the record.
    pub system: SystemName,
    /// The record's id there.
    pub local_id: LocalId,
    /// The same person on the bus, where it knows.
    pub patient_id: Option<PatientId>,
}

/// FHIR Practitioner by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// The system whose id this is.
    pub system: SystemName,
    /// The practitioner's id there.
    pub local_id: String,
    /// How the practice calls the practitioner.
    pub display: Option<String>,
}

/// FHIR Period, dates only, open where `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    /// First day.
    pub start: Option<PartialDate>,
    /// Last day, inclusive.
    pub end: Option<PartialDate>,
}

/// A patient with more of something than the bus carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a patient has at most {limit} {what}, this one has {count}")]
pub struct PatientBoundError {
    /// The list.
    pub what: &'static str,
    /// Its bound.
    pub limit: usize,
    /// What was found.
    pub count: usize,
}

impl Patient {
    /// Longest text in bytes.
    pub const LONGEST_TEXT: usize = 4096;

    /// Whether the lists and texts are within the contract's bounds.
    ///
    /// # Errors
    /// Names the first list that is too long.
    pub fn check(&self) -> Result<(), PatientBoundError> {
        let parties = &self.responsible_parties;
        let bounds = [
            ("identifiers", self.identifiers.len(), 64),
            ("names", self.names.len(), 16),
            ("telecom", self.telecom.len(), 32),
            ("addresses", self.addresses.len(), 16),
            ("responsible parties", parties.len(), 16),
            ("confidentiality labels", self.confidentiality.len(), 16),
            (
                "given names in one name",
                self.names.iter().map(|name| name.given.len()).max().unwrap_or(0),
                16,
            ),
            (
                "lines in one address",
                self.addresses
                    .iter()
                    .map(|address| address.lines.len())
                    .max()
                    .unwrap_or(0),
                16,
            ),
            (
                "telecom of one responsible party",
                parties.iter().map(|party| party.telecom.len()).max().unwrap_or(0),
                8,
            ),
        ];
        match bounds.into_iter().find(|(_, count, limit)| count > limit) {
            Some((what, count, limit)) => Err(PatientBoundError { what, limit, count }),
            None => Ok(()),
        }
    }
}
