//! One patient as every program of the practice can understand them: the typed projection.
//!
//! The vocabulary is FHIR R4's; each field names its source. `None`, an empty optional text and the empty list mean "not
//! stated", never "known to be empty"; an empty text in a list is left out. Lists beyond the bounds named here are refused by the host, and so are texts beyond 4,096 bytes.
//!
//! All of it is a patient's data, so nothing here prints itself: `Debug` shows the type's name and no more. As JSON a
//! field has its name here (`use` for `use_`), and a value of a value set is written as FHIR writes it.

use serde::{Deserialize, Serialize};

pub use crate::bindings::archwire::connector::patients::{
    AddressUse, AdministrativeSex, ContactSystem, ContactUse, IdentifierStatus, NameUse, PatientStatus,
};

/// The projection.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Patient {
    /// Identifiers that organisations gave the person: FHIR Patient.identifier. At most 64. The id by which the system
    /// knows the record is not one of them: that is `local_id`.
    pub identifiers: Vec<Identifier>,
    /// FHIR Patient.name. At most 16.
    pub names: Vec<HumanName>,
    /// As far as known: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. FHIR Patient.birthDate.
    pub birth_date: Option<String>,
    /// FHIR Patient.gender; DICOM (0010,0040).
    pub administrative_sex: Option<AdministrativeSex>,
    /// FHIR extension individual-genderIdentity.
    pub gender_identity: Option<String>,
    /// FHIR extension individual-pronouns.
    pub pronouns: Option<String>,
    /// FHIR Patient.deceasedBoolean; true also when `deceased_at` is stated.
    pub deceased: Option<bool>,
    /// FHIR Patient.deceasedDateTime, as the source wrote it.
    pub deceased_at: Option<String>,
    /// FHIR Patient.telecom. At most 32.
    pub telecom: Vec<ContactPoint>,
    /// FHIR Patient.address. At most 16.
    pub addresses: Vec<Address>,
    /// A code of HL7 v3-MaritalStatus: `M`, `S`, `D`, `W`. FHIR Patient.maritalStatus.
    pub marital_status: Option<String>,
    /// A BCP 47 tag: `en-US`. FHIR Patient.communication with preferred = true.
    pub preferred_language: Option<String>,
    /// FHIR extension patient-interpreterRequired.
    pub interpreter_required: Option<bool>,
    /// Standing of the record in the practice.
    pub status: Option<PatientStatus>,
    /// Guardians and payers: FHIR RelatedPerson and Account.guarantor. At most 16.
    pub responsible_parties: Vec<ResponsibleParty>,
    /// FHIR Patient.generalPractitioner.
    pub primary_provider: Option<Provider>,
    /// SHA-256, 64 lower-case hexadecimal digits, of the portrait in the image store. FHIR Patient.photo.
    pub photo_sha256: Option<String>,
    /// FHIR Patient.multipleBirthBoolean. Twins are two people.
    pub multiple_birth: Option<bool>,
    /// Place in the birth order, from 1. FHIR Patient.multipleBirthInteger.
    pub multiple_birth_order: Option<u32>,
    /// Codes of HL7 v3-Confidentiality. FHIR Resource.meta.security. At most 16.
    pub confidentiality: Vec<String>,
    /// The bus patient id of the surviving record when `status` is [`PatientStatus::MergedInto`]. FHIR Patient.link,
    /// replaced-by.
    pub merged_into: Option<String>,
}

/// An identifier that an organisation gave: FHIR Identifier; DICOM (0010,0020) with (0010,0021).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identifier {
    /// Namespace of the value, a URI. FHIR Identifier.system.
    pub system: String,
    /// FHIR Identifier.value.
    pub value: String,
    /// A code of HL7 v2-0203: `MR`, `SS`, `DL`. FHIR Identifier.type.
    pub kind: Option<String>,
    /// Who gave it. FHIR Identifier.assigner; DICOM (0010,0021).
    pub assigner: Option<String>,
    /// While it was valid. FHIR Identifier.period.
    pub period: Option<Period>,
    /// FHIR Identifier.use = old means retired.
    pub status: Option<IdentifierStatus>,
}

/// FHIR HumanName; DICOM PN.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HumanName {
    /// FHIR HumanName.use.
    #[serde(rename = "use")]
    pub use_: Option<NameUse>,
    /// FHIR HumanName.family.
    pub family: Option<String>,
    /// Given names in order, middle names and initials included. FHIR HumanName.given. At most 16.
    pub given: Vec<String>,
    /// FHIR HumanName.prefix.
    pub prefix: Vec<String>,
    /// FHIR HumanName.suffix.
    pub suffix: Vec<String>,
    /// FHIR HumanName.text.
    pub text: Option<String>,
    /// While it was used. FHIR HumanName.period.
    pub period: Option<Period>,
}

/// FHIR ContactPoint.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    /// FHIR ContactPoint.system.
    pub system: ContactSystem,
    /// As the source wrote it. FHIR ContactPoint.value.
    pub value: String,
    /// FHIR ContactPoint.use.
    #[serde(rename = "use", default)]
    pub use_: Option<ContactUse>,
    /// Preference, 1 first. FHIR ContactPoint.rank.
    #[serde(default)]
    pub rank: Option<u32>,
    /// While it was valid. FHIR ContactPoint.period.
    #[serde(default)]
    pub period: Option<Period>,
}

impl ContactPoint {
    /// A way to reach the person, without rank and period.
    #[must_use]
    pub fn new(system: ContactSystem, use_: Option<ContactUse>, value: impl Into<String>) -> Self {
        Self {
            system,
            value: value.into(),
            use_,
            rank: None,
            period: None,
        }
    }
}

/// FHIR Address.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// FHIR Address.use.
    #[serde(rename = "use")]
    pub use_: Option<AddressUse>,
    /// Street, house, apartment. FHIR Address.line. At most 16.
    pub lines: Vec<String>,
    /// FHIR Address.city.
    pub city: Option<String>,
    /// FHIR Address.district.
    pub district: Option<String>,
    /// In the United States the two-letter code. FHIR Address.state.
    pub state: Option<String>,
    /// FHIR Address.postalCode.
    pub postal_code: Option<String>,
    /// FHIR Address.country.
    pub country: Option<String>,
    /// While it was valid. FHIR Address.period.
    pub period: Option<Period>,
}

/// Somebody responsible for the patient: FHIR RelatedPerson (guardian) and Account.guarantor (payer).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponsibleParty {
    /// The person, where a system keeps a record of them.
    pub person: Option<PersonReference>,
    /// The name, where no system does or in addition.
    pub name: Option<HumanName>,
    /// A code of HL7 v3-RoleCode: `MTH`, `FTH`, `GUARD`. FHIR RelatedPerson.relationship.
    pub relationship: Option<String>,
    /// Whether this party pays. FHIR Account.guarantor.
    pub is_guarantor: bool,
    /// Whether records may be released to this party; `None` means no.
    pub may_receive_records: Option<bool>,
    /// FHIR RelatedPerson.telecom. At most 8.
    pub telecom: Vec<ContactPoint>,
}

/// A person's record in some system.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonReference {
    /// Name of the system that keeps the record. A connector names its own: [`crate::settings::system_name`].
    pub system: String,
    /// The record's id in that system. In a delivery, references to people whom the receiving system knows are given
    /// in that system's ids.
    pub local_id: String,
    /// The same person on the bus; `None` in what a connector observes.
    pub patient_id: Option<String>,
}

/// FHIR Practitioner by reference.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// Name of the system whose id this is.
    pub system: String,
    /// The practitioner's id there.
    pub local_id: String,
    /// How the practice calls the practitioner.
    pub display: Option<String>,
}

/// FHIR Period, dates only, ends open where `None`. Dates as in [`Patient::birth_date`].
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    /// First day.
    pub start: Option<String>,
    /// Last day, inclusive.
    pub end: Option<String>,
}
