//! The names of all spans of traces: an API of its own, in one place, as [`crate::metric`] is for numbers.
//!
//! One trace leads from what a system or a vendor said to what became of it everywhere:
//! `poll` or `publish` -> `observe` -> `append`, and from there, by the `traceparent` that travels with the event, `lane` ->
//! `attempt` -> `call` -> `http`, and `settle`. All of them have [`TARGET`], by which they are told from the lines of the
//! log: nothing else becomes part of a trace, and none of these is made while traces are not collected.
//!
//! What a span tells: system, ability, HTTP method and status, how it ended, and stable codes. No paths of URLs, no ids of
//! records or patients.

/// The target of all spans of traces.
pub const TARGET: &str = "archwire::trace";

/// One page of a poll, with what was taken from it.
pub const POLL: &str = "poll";
/// One observation of a vendor, until it is answered.
pub const PUBLISH: &str = "publish";
/// The registry finds out whose record it is and what is new.
pub const OBSERVE: &str = "observe";
/// One record is stored in the log and flushed.
pub const APPEND: &str = "append";
/// From an event's coming to a system's lane to its receipt.
pub const LANE: &str = "lane";
/// One attempt to bring a system's record up to date.
pub const ATTEMPT: &str = "attempt";
/// One call into a connector.
pub const CALL: &str = "call";
/// One HTTP request of a connector, until the head of its answer.
pub const HTTP: &str = "http";
/// What a system showed after a delivery is taken in.
pub const SETTLE: &str = "settle";
