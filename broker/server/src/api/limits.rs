//! The limits that the guide for administrators names are those that hold.

use super::{
    Patience,
    gate::{CALLS, LONGEST_CALL, strangers},
    server::{
        CALLS_PER_CONNECTION, KEEP_ALIVE, LARGEST_FRAME, LARGEST_HEADERS, LARGEST_MESSAGE, MISTAKES,
        OTHER_FILES, TAKEN_BACK, WAITING,
    },
};
use crate::{config::Connections, tokens};
use archwire_core::contract::Pace;
use std::{fs, path::Path};

/// The row of the table that begins with these words.
fn row(guide: &str, words: &str) -> String {
    let row = guide.lines().find(|line| line.starts_with(&format!("| {words}")));
    // Thousands are separated for people.
    row.unwrap_or_else(|| panic!("no row {words}")).replace(',', "")
}

#[test]
fn the_guide_names_the_limits_that_hold() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/README.md");
    let guide = fs::read_to_string(guide).unwrap();
    let holds = |words: &str, limit: String| {
        let row = row(&guide, words);
        assert!(row.contains(&limit), "{limit}: {row}");
    };
    let (patience, connections, pace) = (Patience::default(), Connections::default(), Pace::default());
    let seconds = |duration: std::time::Duration| format!("{} s", duration.as_secs());
    holds("requests of a vendor", format!("({})", pace.requests_per_second));
    holds(
        "other calls of a vendor",
        format!("| {CALLS}; {} until", seconds(LONGEST_CALL)),
    );
    holds("streams of a vendor", format!("({})", pace.streams));
    holds(
        "a message to the bus",
        format!("| {} MiB; {} KiB |", LARGEST_MESSAGE >> 20, LARGEST_HEADERS >> 10),
    );
    holds("tokens of a vendor", format!("| {} |", tokens::MOST));
    holds("connections in all", format!("({})", connections.all));
    holds("connections in all", format!("less {OTHER_FILES}"));
    holds(
        "connections from one address",
        format!("({})", connections.per_address),
    );
    holds("connections that nobody", format!("| {WAITING} "));
    holds("TLS until", seconds(patience.handshake));
    holds("a connection until somebody", seconds(patience.first_call));
    holds(
        "a connection until somebody",
        format!("; {} minutes", patience.idle.as_secs() / 60),
    );
    holds(
        "a connection that takes nothing",
        format!("| {}; {} |", seconds(patience.stall), seconds(patience.taken)),
    );
    holds(
        "a connection that showed",
        format!("every {} ", seconds(patience.certified)),
    );
    holds(
        "health and reflection",
        format!(
            "{} at a time on a connection {} and {} messages",
            strangers::CALLS,
            seconds(strangers::LONGEST),
            strangers::MESSAGES
        ),
    );
    holds(
        "connections that come from one address",
        "256 at once 64 a second".to_owned(),
    );
    holds(
        "a connection that says nothing",
        format!("after {0} has {0}", seconds(KEEP_ALIVE)),
    );
    holds("calls of a connection", format!("| {CALLS_PER_CONNECTION} |"));
    holds("a frame of HTTP/2", format!("| {} KiB |", LARGEST_FRAME >> 10));
    holds("calls taken back", format!("| {TAKEN_BACK}; {MISTAKES} |"));
}
