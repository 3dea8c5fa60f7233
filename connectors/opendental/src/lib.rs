//! Open Dental through its own API.
pub mod api;
pub mod clock;
pub mod host;
pub mod map;
pub mod row;
