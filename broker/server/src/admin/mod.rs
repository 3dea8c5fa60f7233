//! The admin API: what the practice's people may ask of the running broker, `archwire.admin.v1.Admin`.
//!
//! It is offered on the Unix socket `admin.sock` in the data folder, mode 0600: who may open it may do everything in it,
//! and nobody else may do anything. Lists show names and dates masked, or nothing of a patient but the id. What shows a
//! patient, decides an item, merges or parts patients, tries parked deliveries again or gives them up, repairs what a
//! comparison found, or rebuilds the index is written to the audit stream first; what cannot be audited is not done.
//!
//! Bounds: 16 connections, 4 calls each at a time, requests of 64 KiB, answers of 16 MiB, 60 s until an answer begins.

mod accounting;
mod asker;
mod image_copies;
mod images;
mod mask;
mod merging;
mod overview;
mod parked;
mod practice;
mod rebuild;
mod receipts;
mod reconcile;
mod records;
mod reload;
mod review;
mod server;
mod service;
mod socket;
mod status;
mod tail;
mod vendors;

pub use asker::{WordsError, check_name, check_reason};
pub use mask::masked;
pub use practice::{Practice, SystemHandle};
pub use server::AdminServer;
pub use service::AdminService;
pub use socket::{SocketError, socket_path};

/// Largest request: a reason, a name and two ids.
const LARGEST_REQUEST: usize = 64 * 1024;
/// Largest answer: an item with the patients of its candidates, each as large as the log carries. Clients take as much.
pub const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// Lines in a page when the caller does not say, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1000;

/// How many lines a caller gets who asks for so many.
fn page_size(asked: u32) -> usize {
    match usize::try_from(asked).unwrap_or(LONGEST_PAGE) {
        0 => PAGE,
        size => size.min(LONGEST_PAGE),
    }
}
