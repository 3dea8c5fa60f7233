//! The `archwire` command. Exit codes: 0 done, 1 failed, 64 bad configuration or usage.

use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    archwire::cli::main()
}
