//! Archwire's log, on NATS JetStream. The only crate that names `async-nats`.
//!
//! It deals in bytes: what an event is made of is for others to know. It runs a server of its own
//! ([`Supervisor`]) or uses somebody else's ([`ExternalConfig`]), opens the log of a practice ([`Log`]), appends to it,
//! reads it, follows it, hands it out system by system ([`Deliveries`]), and keeps small values ([`Bucket`]) and the
//! audit ([`AuditStream`]) beside it, and the bytes of images ([`ImageStore`]). Of several brokers on one server it makes one the writer ([`Lease`]).
//!
//! What it promises: an append that succeeds is stored, and flushed where the server is its own; nothing in the log is
//! ever removed or overwritten; a server that is too old or set up weaker than that is refused, with each difference
//! and the way out. It never sees a patient's data in the clear text of a log line, an error, a subject or a header.

mod audit;
mod bucket;
mod cause;
mod connection;
mod external;
mod images;
mod lease;
mod log;
mod records;
mod size;
mod supervisor;
mod verify;
mod version;

pub use audit::{AuditAppend, AuditStored, AuditStream};
pub use bucket::{Bucket, BucketError};
pub use cause::Cause;
pub use connection::{Connection, Status};
pub use external::{ConnectError, Credentials, ExternalConfig};
pub use images::{
    Collected, ImageRange, ImageReader, ImageStore, ImageStoreConfig, ImageStoreError, ImageUsage,
    StoredImage, Upload, UploadKey,
};
pub use lease::{Fence, Lease, LeaseConfig, LeaseError, LeaseLost, LeaseStanding};
pub use log::{
    Deliveries, DeliveriesConfig, DeliveriesError, Entry, Expected, Filter, HandedOut, Log, LogConfig,
    OpenError, Queue, SettleError, Stored, Work,
};
pub use records::{AppendError, Appended, CloudEvent, ReadError};
pub use size::ByteSize;
pub use supervisor::{Supervisor, SupervisorConfig, SupervisorError};
pub use verify::Difference;
pub use version::{ServerVersion, ServerVersionError};
