//! Runs the simulator by hand. See `--help`.
fn main() {}
