//! The types and the pure rules of the Archwire patient bus.
//!
//! Nothing in here does I/O, knows a runtime or names another crate of Archwire. Whatever can be decided from values
//! alone (what a patient is, what changed, which name is allowed) is decided here, so that it can be tested with
//! properties; whoever talks to the outside parses into these types at the edge.
//!
//! A person's data is unprintable by type: texts and dates of people are [`Text`] and [`PartialDate`], whose `Debug`
//! shows nothing, so that deriving `Debug` on what holds them is safe.

mod connector;
pub mod contract;
mod element_key;
mod event;
mod fields;
mod flatten;
pub mod identity;
mod image;
mod judge;
mod merge;
pub mod metric;
mod names;
mod ownership;
mod partial_date;
mod patient;
mod priority;
mod receipt;
mod reconcile;
mod rendering;
mod review;
#[cfg(test)]
mod sample;
mod source;
pub mod span;
mod subject;
mod text;
mod view_code;

pub use connector::{
    Cursor, Delivered, Delivery, DeliveryAction, Disposition, ImageDelivered, ImageDelivery, ImageView,
    Later, Page, Reason, ReasonCode, SurveyEntry, SurveyPage,
};
pub use event::{
    Event, EventKind, EventKindError, LinkedBy, Merge, Observation, RecordLink, Side, Sighted, Sighting,
    Standing, View,
};
pub use fields::{Fields, FieldsError, Leaf, Path};
pub use image::{
    AcquiredAt, AcquiredAtError, Calibration, Code, Copied, Digest, DigestError, Image, ImageAbout,
    ImageBoundError, ImageClaim, ImageCopy, ImageFile, ImageId, ImageIdError, ImageNews, ImageObservation,
    ImageUids, ImageWarning, Laterality, Mirror, PixelSpacing, Progress, Tooth, ToothError, Uid, UidError,
    ViewTranslation,
};
pub use judge::{Judgement, Situation, judge, still_disagrees, to_write};
pub use merge::{Change, expected_after, expected_after_writing, fill_in};
pub use names::{LocalId, NameError, PatientId, PracticeName, Revision, SystemName};
pub use ownership::{FieldGroup, FieldGroupError, OnDisagreement, Owner, Ownership};
pub use partial_date::{PartialDate, PartialDateError};
pub use patient::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier,
    IdentifierStatus, NameUse, Patient, PatientBoundError, PatientStatus, Period, PersonReference, Provider,
    ResponsibleParty,
};
pub use priority::Priority;
pub use receipt::{Receipt, ReceiptOutcome, ReceiptOutcomeError, compare_written};
pub use reconcile::{Against, Comparison, Differences, RecordVersion, Survey, SurveyTooLarge};
pub use review::{
    Decision, Disagreement, HeldImage, ReviewCandidate, ReviewItem, ReviewKind, ReviewKindError,
    UnreadableImage, Verdict,
};
pub use source::{SourceRecord, SourceRecordError};
pub use subject::Subject;
pub use text::Text;
pub use view_code::{ADA_1100, Mouth, Occlusion, OrthodonticView, SNOMED_CT, ViewProtocol, is_snomed_ct};
