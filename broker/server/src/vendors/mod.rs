//! Who may speak to the bus, on what terms, and that both may change while the broker runs.
//!
//! [`Book`] is what holds at one moment: vendors, their contracts, and by what each shows who it is. [`Books`] is the one place
//! where the next one is put; everybody else holds a receiver. Nobody keeps a contract for longer than one answer: a call that
//! goes on waits for [`Admitted::changed`] and asks [`Admitted::contract`] again.
//!
//! What time it is, a book tells too ([`Clock`]), and [`turn`] has everybody ask again when that changes something.
//!
//! A book is read whole and replaced whole, so that no call sees half of a change. Nothing here reads a file or a bucket; who
//! does, puts what was read.

mod admitted;
mod book;
mod clock;
mod lost;
mod narrowed;
mod turning;
mod view;

pub use admitted::{Admitted, Credential, NotAdmitted};
pub use book::{Book, Books, Issued, TokenDigest, Vendor};
pub use clock::Clock;
pub use narrowed::{narrowed, suspended};
pub use turning::turn;
pub use view::{told, view_of};

/// The book as it is at the moment, for those who ask it.
pub type BookReader = tokio::sync::watch::Receiver<std::sync::Arc<Book>>;
