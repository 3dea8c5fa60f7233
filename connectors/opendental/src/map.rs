//! What Open Dental's fields mean on the bus, both ways. Pure.
//!
//! | Open Dental | bus |
//! |---|---|
//! | `LName`, `FName`, `MiddleI` | the official name: family, first and second given name |
//! | `Preferred` | the nickname's given name |
//! | `Birthdate` | birth date; `0001-01-01` is not stated |
//! | `Gender` | administrative sex; Open Dental has no `other`, it becomes `Unknown` there |
//! | `Position` | marital status S, M, W, D; `Child` is none of them |
//! | `PatStatus` | status; `Deceased` is `deceased`, without a status |
//! | `SSN` | identifier <http://hl7.org/fhir/sid/us-ssn>, kind SS |
//! | `ChartNumber` | identifier `urn:archwire:SYSTEM:chart-number`, kind MR |
//! | `MedicaidID` | identifier `urn:archwire:SYSTEM:medicaid-id`, kind MA |
//! | `HmPhone`, `WkPhone`, `WirelessPhone`, `Email` | telecom: phone home, work, mobile; email without use |
//! | `Address`, `Address2`, `City`, `State`, `Zip` | the home address |
//! | `Language` | preferred language |
//! | `Guarantor` | the responsible party with `is_guarantor`; one's own `PatNum` and 0 are one's own guarantor: none |
//! | `PriProv`, `priProvAbbr` | primary provider |
//!
//! Everything else a row holds (balances, fees, billing type, clinic, preferences for messages) has no place in the
//! typed patient and travels in the source record. What the bus knows and Open Dental has no field for (a driver's
//! licence, a passport, a second address, guardians) is not sent.
//!
//! SYSTEM is the system's name in the practice's configuration: a chart number means something within one office.

mod field;
mod from_office;
mod language;
mod pick;
mod to_office;
mod touched;

pub use field::{Field, FieldSet};
pub use from_office::patient;
pub use to_office::{Written, creation, update};

/// HL7's namespace of United States social security numbers.
const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";

/// The same namespace by its object identifier.
const SSN_OID: &str = "urn:oid:2.16.840.1.113883.4.1";

fn chart_number_system(system: &str) -> String {
    format!("urn:archwire:{system}:chart-number")
}

fn medicaid_id_system(system: &str) -> String {
    format!("urn:archwire:{system}:medicaid-id")
}
