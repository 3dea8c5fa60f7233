//! wip
pub mod header;
pub mod json;
pub mod multipart;
pub mod person;
pub mod record;
pub mod stow;
pub mod uid;
