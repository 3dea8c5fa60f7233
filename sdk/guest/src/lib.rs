//! The SDK for authors of Archwire connectors.
//!
//! A connector translates between the bus and one kind of program that a practice runs. It is a WebAssembly component:
//! it can reach what the administrator granted and nothing else, it never sees a secret, and every call runs in a fresh
//! instance. This crate makes it a type with a trait:
//!
//! ```
//! use archwire_connector::{
//!     Abilities, Connector, Delivered, Delivery, DeliveryAction, Description, Disposition, Grant, Setting, SettingKind,
//!     http::Request, settings,
//! };
//!
//! /// Puts every patient into a web service as JSON.
//! struct Mirror;
//!
//! impl Connector for Mirror {
//!     fn describe() -> Description {
//!         Description::new("mirror", env!("CARGO_PKG_VERSION"), "Puts every patient into a web service.")
//!             .abilities(Abilities::DELIVER)
//!             .setting(Setting::new("url", SettingKind::Url, "Where to put them: http://localhost:8080"))
//!             .secret("token", "From the service's own page, Account > Tokens.")
//!             .credential("Authorization", "Bearer {token}")
//!             .grant(Grant::new("{url}", &["PUT"], &["/patients/*"], "Writing patients."))
//!     }
//!
//!     fn deliver(delivery: Delivery) -> Result<Delivered, Disposition> {
//!         let id = delivery.local_id.unwrap_or(delivery.patient_id);
//!         let url = format!("{}/patients/{id}", settings::url("url")?);
//!         Request::put(url).json(&delivery.patient).send()?.success()?;
//!         Ok(Delivered::new(id, DeliveryAction::Updated))
//!     }
//! }
//!
//! archwire_connector::register!(Mirror);
//! ```
//!
//! | Where | What |
//! |---|---|
//! | [`Connector`], [`register!`] | what a connector does |
//! | [`Description`] and its parts | what it is and wants: settings, secrets, grants |
//! | [`Patient`] and its parts | the typed patient, in FHIR's vocabulary |
//! | [`Observation`], [`Delivery`], [`Disposition`] | what goes in and out |
//! | [`Image`], [`ImageObservation`], [`ImageDelivery`] | what is said of images |
//! | [`images`] | their bytes, as streams |
//! | [`http`] | requests to the system |
//! | [`log`], [`settings`], [`state`] | what else the host offers |
//!
//! Time is the standard library's: `SystemTime::now()` is the host's wall clock.
//!
//! The crate also compiles for the machine that builds it, so that the pure parts of a connector are tested with plain
//! `cargo test`. Whatever reaches the host ([`http::Request::send`], [`images`], [`log`], [`settings`], [`state`]) panics there.

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated: the component model's calling convention is raw pointers"
)]
#[doc(hidden)]
pub mod bindings;
mod connector;
mod description;
mod exchange;
pub mod http;
mod image;
pub mod images;
pub mod log;
mod patient;
mod redacted;
pub mod settings;
pub mod state;

pub use connector::{Connector, Plugin};
pub use description::{Abilities, Credential, Description, Grant, Secret, Setting, SettingKind};
pub use exchange::{
    CheckReport, Delivered, Delivery, DeliveryAction, Disposition, EventKind, IncomingRequest, Later,
    Observation, Page, Reason, Received, SourceRecord, SurveyEntry, SurveyPage,
};
pub use image::{
    Calibration, Image, ImageCode, ImageDelivered, ImageDelivery, ImageObservation, ImageProgress,
    Laterality, Mirror, Mouth, Occlusion, PixelSpacing, ViewTranslation,
};
pub use patient::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier,
    IdentifierStatus, NameUse, Patient, PatientStatus, Period, PersonReference, Provider, ResponsibleParty,
};
