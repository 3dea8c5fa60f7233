//! A simulator of the Open Dental API for everybody who writes a connector to it: the real behaviour, with its quirks,
//! limits and troubles, as far as patients and their documents are concerned.
//!
//! [`Simulator::start`] opens an office on a free port of this computer. The returned [`Handle`] plays the people who
//! work there ([`Handle::front_desk`]), makes trouble ([`Handle::set_fault`]), holds the clock ([`Handle::clock`])
//! and tells what programs did to the office ([`Handle::changes`], [`Handle::requests`]). The same things can be done
//! over HTTP under `/simulator`, for tests that run it as a process. The README lists what is simulated and what not.
//!
//! Nothing that a patient record holds is ever written to the log, although all records here are invented.

mod admin;
mod admin_documents;
mod admin_json;
mod answer;
mod changelog;
mod clock;
mod documents;
mod duplicate;
mod family;
mod fault_text;
mod faults;
mod fields;
mod files;
mod formats;
mod front_desk;
mod front_desk_documents;
mod gate;
mod journal;
mod keys;
mod model;
mod office;
mod office_documents;
mod options;
mod params;
mod refusal;
mod routes;
mod rows;
mod server;
mod shared;
mod throttle;
mod validate;
mod version;
mod wire;

pub mod fhir;
pub mod generate;

pub use changelog::{Author, Change, FieldChange, LOG_CAPACITY};
pub use clock::OfficeClock;
pub use documents::{
    Document, DocumentChange, DocumentFields, IMG_TYPES, MAX_NOTE_BYTES, Mount, PLACEHOLDER,
};
pub use fault_text::BadFault;
pub use faults::{Fault, FaultKind, MAX_FAULTS};
pub use fields::{Field, Kind, NO_DATE, Spec};
pub use front_desk::{FrontDesk, NoSuchPatient};
pub use front_desk_documents::NoSuchDocument;
pub use jiff;
pub use journal::RequestRecord;
pub use keys::{ApiKey, KeyStatus, Permission};
pub use model::{Patient, PatientFields};
pub use office::{LINK_MERGE, PatientLink};
pub use options::{
    Clinic, DuplicateRule, ErrorBody, ImageCategory, Mode, Options, PageOrder, Provider, StampFilter,
    Throttle, Unknowns, Unmentioned,
};
pub use refusal::ECONNECTOR_DOWN;
pub use server::{Handle, Simulator, StartError};
pub use shared::Invitation;
pub use validate::MAX_BODY_CHARS;
pub use version::{BadVersion, Version};
