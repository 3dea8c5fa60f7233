//! libFuzzer for `archwire_bad_input::connections`: one bus for all inputs, so that what adds up is found.

#![no_main]

use archwire_bad_input::Bus;
use std::sync::LazyLock;

static BUS: LazyLock<Bus> = LazyLock::new(|| match Bus::open() {
    Ok(bus) => bus,
    Err(error) => panic!("the bus does not start: {error:#}"),
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| archwire_bad_input::connections(&BUS, input));
