//! libFuzzer for `archwire_bad_input::requests`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| archwire_bad_input::requests(input));
