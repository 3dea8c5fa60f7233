//! The log against real servers: each test has a server and a store of its own, and all run at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly: that is what they are for"
)]

mod proxy;
mod support;

mod appending;
mod auditing;
mod buckets;
mod clusters;
mod concurrent_appends;
mod deliveries;
mod duplicates;
mod external_servers;
mod fencing;
mod following;
mod full_log;
mod images;
mod keeping_the_server_alive;
mod killed_broker;
mod killed_while_beginning_a_block;
mod leases;
mod old_servers;
mod one_broker_a_folder;
mod reading;
mod stopping;
mod store_key;
mod traceparents;
mod weaker_streams;
