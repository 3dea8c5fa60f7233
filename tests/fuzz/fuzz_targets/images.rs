//! libFuzzer for `archwire_bad_input::images`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| archwire_bad_input::images(input));
