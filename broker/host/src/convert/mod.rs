//! Between the contract's types and the bus's: what comes from a connector is checked here, once, so that nobody after
//! this has to.
//!
//! One unreadable record does not spoil a page: it is set apart with its position and the reason. Reasons are fixed
//! codes; what the connector wrote is not repeated in them.

mod description;
mod exchange;
mod patient_in;
mod patient_out;

pub use description::DescriptionError;
pub(crate) use description::description;
pub(crate) use exchange::{
    check_report, delivered, delivery, disposition, fetched, incoming, page, received, survey_page,
};

/// Why something that a connector said cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flaw(pub(crate) &'static str);

/// At most `longest` bytes, cut between characters.
fn shortened(mut text: String, longest: usize) -> String {
    text.truncate(text.floor_char_boundary(longest));
    text
}
