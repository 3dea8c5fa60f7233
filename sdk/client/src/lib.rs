//! A client for programs that speak to an Archwire bus themselves: publish what your records look like, follow what
//! happens to patients in the rest of the practice.
//!
//! ```no_run
//! use archwire_client::{Client, Endpoint, SubscribeOptions, v1};
//!
//! # async fn follow(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect(Endpoint::new("http://127.0.0.1:7400", token)).await?;
//!
//! let publisher = client.publisher();
//! let patient = v1::Patient { birth_date: Some("2011-04-02".into()), ..Default::default() };
//! let record = v1::Observation { local_id: "17".into(), patient: Some(patient), ..Default::default() };
//! let receipt = publisher.publish(record).await?;
//! println!("patient {} is stored", receipt.patient_id());
//!
//! let mut subscription = client.subscribe(SubscribeOptions::new("patients"));
//! while let Some(delivery) = subscription.next().await? {
//!     // Store it first: what is acknowledged does not come again.
//!     subscription.ack(&delivery);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What holds:
//!
//! - A [`Receipt`] means that the outcome is stored and flushed on the bus. One of them, [`Receipt::InReview`], says that a
//!   person decides before anything is changed.
//! - [`Publisher::publish`] sends again by itself when a connection breaks: the same record twice changes nothing.
//! - [`Subscription::next`] delivers at least once, in the order of the log. After a reconnection everything that was
//!   not acknowledged comes again: recognise it by its sequence, or by the patient's revision.
//! - [`Client::put_image`] and [`Client::get_image`] go on by themselves where a connection broke. An image arrives whole, once.
//! - Bounds: 256 unanswered observations per publisher, 1 MiB a message, 10,000 events allowed ahead of the reader.
//!
//! Everything here runs on a tokio runtime. Messages hold patients' data and have no `Debug`; nothing in this crate
//! logs or prints them.

mod backoff;
mod client;
mod endpoint;
mod error;
mod images;
mod publisher;
mod subscription;

pub use archwire_proto::v1;
pub use archwire_proto::v1::get_patient_request::Key as PatientKey;
pub use archwire_proto::v1::put_image_open::Patient as ImagePatient;
pub use client::{Client, EventPage, FoundPage, StoredEvent};
pub use endpoint::{ClientCertificate, Endpoint};
pub use error::{CallFailure, ClientError};
pub use images::{FoundImage, GetImage, ImageError, ImageReceipt, NewImage, PutImage};
pub use publisher::{MAX_OBSERVATION, MAX_UNANSWERED, PublishError, Published, Publisher, Receipt, Refusal};
pub use secrecy::SecretString;
pub use subscription::{Delivery, Filter, MAX_WINDOW, Seen, Start, SubscribeOptions, Subscription};
