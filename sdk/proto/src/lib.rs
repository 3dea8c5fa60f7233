//! The `archwire.v1` contract: messages and the gRPC service [`v1::bus_server::Bus`], generated from `sdk/proto/proto`
//! when the crate is built. What each field means is written in the `.proto` files.
//!
//! Messages have no `Debug`: they hold patients' data, and what cannot be printed does not end up in a log.

/// Package `archwire.v1`.
#[allow(
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    reason = "generated; the meaning of every field is in the .proto files"
)]
pub mod v1 {
    tonic::include_proto!("archwire.v1");

    /// The serialised `FileDescriptorSet` of the contract, for gRPC reflection.
    pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("archwire.v1");
}

/// Package `archwire.admin.v1`: what the command line asks of a running broker.
#[allow(
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    reason = "generated; the meaning of every field is in the .proto files"
)]
pub mod admin {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("archwire.admin.v1");
    }
}
