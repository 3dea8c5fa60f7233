//! How much one call of a connector may use.
//!
//! The defaults are the documented numbers; a test holds them. What the contract itself bounds (a page's observations,
//! log entries, state) is in `wit/` and in the modules that enforce it.

use std::time::Duration;

/// How much one call of a connector may use. At each bound the call ends with an error that says which bound it was;
/// nothing is cut off in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of all of the connector's modules together. 64 MiB. At most
    /// [`EngineConfig::largest_memory_bytes`](crate::EngineConfig::largest_memory_bytes).
    pub memory_bytes: usize,
    /// Wall time of one call, its waiting for answers included. 60 s. Before that it waits for a place to run for at most
    /// as long again.
    pub deadline: Duration,
    /// Body of one HTTP response. 16 MiB.
    pub response_bytes: u64,
    /// Body of one HTTP request. 16 MiB.
    pub request_bytes: u64,
    /// Names and values of one HTTP response's headers. 64 KiB, and at most 100 headers.
    pub response_header_bytes: usize,
    /// HTTP requests of one call. 256.
    pub requests: u32,
    /// From the start of a request to its connection: name look-up, TCP and TLS. 10 s. The connector may ask for less.
    pub connect_timeout: Duration,
    /// Added to that, for the response's headers, from the last byte of the request's body on. 30 s. The connector may ask for less. Shorter than `deadline`, so
    /// that the connector sees that an answer did not come and can say what that means.
    pub first_byte_timeout: Duration,
    /// Between two pieces of a response's body. 30 s. The connector may ask for less.
    pub between_bytes_timeout: Duration,
    /// Bytes of one image. 4 GiB. In image calls (see `image_deadline`) the body of a request or a response may have as many
    /// more than the bounds above.
    pub image_bytes: u64,
    /// Wall time of one image call, in place of `deadline`: to deliver or to fetch an image, and to poll a connector that does
    /// one of these. 30 minutes.
    pub image_deadline: Duration,
    /// Longest time of an image call without a byte of a body or of an image moved, or a request begun. 60 s.
    pub image_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * 1024 * 1024,
            deadline: Duration::from_secs(60),
            response_bytes: 16 * 1024 * 1024,
            request_bytes: 16 * 1024 * 1024,
            response_header_bytes: 64 * 1024,
            requests: 256,
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(30),
            between_bytes_timeout: Duration::from_secs(30),
            image_bytes: 4 * 1024 * 1024 * 1024,
            image_deadline: Duration::from_secs(30 * 60),
            image_idle: Duration::from_secs(60),
        }
    }
}

/// Entries in a connector's table of host resources: requests, responses, bodies, streams and the like at one time.
pub(crate) const RESOURCES: usize = 1024;

/// Headers of one request, as the runtime counts them, its own structures included.
pub(crate) const REQUEST_HEADER_BYTES: usize = 32 * 1024;

/// Request body that waits in the host for the network, at a time and per body.
pub(crate) const BODY_CHUNK_BYTES: usize = 64 * 1024;

/// Random bytes in one go.
pub(crate) const RANDOM_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_limits_are_the_ones_in_force() {
        let limits = Limits::default();
        assert_eq!(limits.memory_bytes, 67_108_864);
        assert_eq!(limits.deadline, Duration::from_secs(60));
        assert_eq!(
            (limits.response_bytes, limits.request_bytes),
            (16_777_216, 16_777_216)
        );
        assert_eq!((limits.response_header_bytes, limits.requests), (65_536, 256));
        assert_eq!(limits.connect_timeout, Duration::from_secs(10));
        assert_eq!(limits.first_byte_timeout, Duration::from_secs(30));
        assert_eq!(limits.between_bytes_timeout, Duration::from_secs(30));
        assert_eq!(limits.image_bytes, 4_294_967_296);
        assert_eq!(limits.image_deadline, Duration::from_secs(1800));
        assert_eq!(limits.image_idle, Duration::from_secs(60));
        assert!(limits.connect_timeout + limits.first_byte_timeout < limits.image_idle);
        assert!(limits.connect_timeout + limits.first_byte_timeout < limits.deadline);
    }
}
