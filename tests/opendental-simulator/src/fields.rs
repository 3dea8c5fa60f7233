//! The columns of a patient that the API lets a program write, and what each may hold.
//!
//! Source of the rules: Open Dental API, Patients (POST and PUT), and the database documentation for lengths.
//! Everything is kept as canonical text (`2026-11-21`, `48`, `true`), so that one table drives parsing, validation,
//! comparison and output. Nothing in here fails.

use crate::version::Version;

/// What a column holds, which decides how it is checked and how it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name that must never be empty; at most this many characters.
    Name(usize),
    /// Free text of at most this many characters.
    Text(usize),
    /// One of these words; the first is the default.
    Enum(&'static [&'static str]),
    /// A date, `yyyy-MM-dd`; `0001-01-01` means none.
    Date,
    /// A number that points at another row; 0 means none.
    Key,
    /// `"true"` or `"false"`, as text.
    Bool,
}

/// One column: its name in JSON, what it holds, and the version of Open Dental that added it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The field's name in JSON and in the vendor's documentation.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Offices older than this do not know the field.
    pub since: Version,
}

const FIRST: Version = Version(21, 1, 0);
const STATUSES: &[&str] = &[
    "Patient",
    "NonPatient",
    "Inactive",
    "Archived",
    "Deceased",
    "Prospective",
];
// "Other" exists as a filter of Simple only.
const GENDERS: &[&str] = &["Unknown", "Male", "Female"];
const POSITIONS: &[&str] = &["Single", "Married", "Child", "Widowed", "Divorced"];
const CONTACT_METHODS: &[&str] = &[
    "None",
    "DoNotCall",
    "HmPhone",
    "WkPhone",
    "WirelessPh",
    "Email",
    "SeeNotes",
    "Mail",
    "TextMessage",
];
const TEXT_OK: &[&str] = &["Unknown", "Yes", "No"];

/// A writable column of the patient table. The variants bear the vendor's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "the vendor's own field names are the documentation; see `Field::spec`"
)]
pub enum Field {
    LName,
    FName,
    MiddleI,
    Preferred,
    PatStatus,
    Gender,
    Position,
    Birthdate,
    Ssn,
    Address,
    Address2,
    City,
    State,
    Zip,
    HmPhone,
    WkPhone,
    WirelessPhone,
    Guarantor,
    Email,
    PriProv,
    SecProv,
    FeeSched,
    BillingType,
    FamFinUrgNote,
    ChartNumber,
    MedicaidId,
    EmployerNum,
    DateFirstVisit,
    ClinicNum,
    Premed,
    Ward,
    PreferConfirmMethod,
    PreferContactMethod,
    PreferRecallMethod,
    Language,
    AdmitDate,
    SuperFamily,
    TxtMsgOk,
}

use Field as F;

impl Field {
    /// Every writable field, in the order of the vendor's documentation.
    pub const ALL: [Self; 38] = [
        F::LName,
        F::FName,
        F::MiddleI,
        F::Preferred,
        F::PatStatus,
        F::Gender,
        F::Position,
        F::Birthdate,
        F::Ssn,
        F::Address,
        F::Address2,
        F::City,
        F::State,
        F::Zip,
        F::HmPhone,
        F::WkPhone,
        F::WirelessPhone,
        F::Guarantor,
        F::Email,
        F::PriProv,
        F::SecProv,
        F::FeeSched,
        F::BillingType,
        F::FamFinUrgNote,
        F::ChartNumber,
        F::MedicaidId,
        F::EmployerNum,
        F::DateFirstVisit,
        F::ClinicNum,
        F::Premed,
        F::Ward,
        F::PreferConfirmMethod,
        F::PreferContactMethod,
        F::PreferRecallMethod,
        F::Language,
        F::AdmitDate,
        F::SuperFamily,
        F::TxtMsgOk,
    ];

    /// The three phone columns.
    pub const PHONES: [Self; 3] = [F::HmPhone, F::WkPhone, F::WirelessPhone];

    /// The field with this JSON name. Names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The field's name in JSON.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// What the field may hold.
    pub fn kind(self) -> Kind {
        self.spec().kind
    }

    /// What a new patient has in this field when nobody said otherwise.
    pub fn empty(self) -> &'static str {
        match self.kind() {
            Kind::Name(_) | Kind::Text(_) => "",
            Kind::Enum(words) => words.first().copied().unwrap_or_default(),
            Kind::Date => NO_DATE,
            Kind::Key => "0",
            Kind::Bool => "false",
        }
    }

    /// The row of the table for this field.
    pub fn spec(self) -> Spec {
        match self {
            F::LName => spec("LName", Kind::Name(100), FIRST),
            F::FName => spec("FName", Kind::Name(100), FIRST),
            F::MiddleI => spec("MiddleI", Kind::Text(100), FIRST),
            F::Preferred => spec("Preferred", Kind::Text(100), FIRST),
            F::PatStatus => spec("PatStatus", Kind::Enum(STATUSES), FIRST),
            F::Gender => spec("Gender", Kind::Enum(GENDERS), FIRST),
            F::Position => spec("Position", Kind::Enum(POSITIONS), FIRST),
            F::Birthdate => spec("Birthdate", Kind::Date, FIRST),
            F::Ssn => spec("SSN", Kind::Text(100), FIRST),
            F::Address => spec("Address", Kind::Text(100), FIRST),
            F::Address2 => spec("Address2", Kind::Text(100), FIRST),
            F::City => spec("City", Kind::Text(100), FIRST),
            F::State => spec("State", Kind::Text(100), FIRST),
            F::Zip => spec("Zip", Kind::Text(100), FIRST),
            F::HmPhone => spec("HmPhone", Kind::Text(30), FIRST),
            F::WkPhone => spec("WkPhone", Kind::Text(30), FIRST),
            F::WirelessPhone => spec("WirelessPhone", Kind::Text(30), FIRST),
            F::Guarantor => spec("Guarantor", Kind::Key, FIRST),
            F::Email => spec("Email", Kind::Text(100), FIRST),
            F::PriProv => spec("PriProv", Kind::Key, FIRST),
            F::SecProv => spec("SecProv", Kind::Key, FIRST),
            F::FeeSched => spec("FeeSched", Kind::Key, Version(25, 2, 19)),
            F::BillingType => spec("BillingType", Kind::Text(255), FIRST),
            F::FamFinUrgNote => spec("FamFinUrgNote", Kind::Text(65_535), Version(23, 2, 5)),
            F::ChartNumber => spec("ChartNumber", Kind::Text(15), FIRST),
            F::MedicaidId => spec("MedicaidID", Kind::Text(20), Version(24, 4, 13)),
            F::EmployerNum => spec("EmployerNum", Kind::Key, Version(24, 3, 30)),
            F::DateFirstVisit => spec("DateFirstVisit", Kind::Date, Version(22, 4, 42)),
            F::ClinicNum => spec("ClinicNum", Kind::Key, FIRST),
            F::Premed => spec("Premed", Kind::Bool, Version(25, 2, 30)),
            F::Ward => spec("Ward", Kind::Text(255), Version(24, 1, 12)),
            F::PreferConfirmMethod => spec("PreferConfirmMethod", Kind::Enum(CONTACT_METHODS), FIRST),
            F::PreferContactMethod => spec("PreferContactMethod", Kind::Enum(CONTACT_METHODS), FIRST),
            F::PreferRecallMethod => spec(
                "PreferRecallMethod",
                Kind::Enum(CONTACT_METHODS),
                Version(22, 2, 0),
            ),
            F::Language => spec("Language", Kind::Text(100), FIRST),
            F::AdmitDate => spec("AdmitDate", Kind::Date, Version(24, 1, 12)),
            F::SuperFamily => spec("SuperFamily", Kind::Key, Version(22, 4, 38)),
            F::TxtMsgOk => spec("TxtMsgOk", Kind::Enum(TEXT_OK), FIRST),
        }
    }
}

/// How the database says "no date".
pub const NO_DATE: &str = "0001-01-01";

const fn spec(name: &'static str, kind: Kind, since: Version) -> Spec {
    Spec { name, kind, since }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_again_by_its_own_name() {
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(field));
        }
        assert_eq!(Field::from_name("lname"), None, "names are case-sensitive");
    }
}
