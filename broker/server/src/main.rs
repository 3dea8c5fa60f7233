//! The `archwire` command. Exit codes: 0 done, 1 failed, 64 bad configuration or usage.

use std::process::ExitCode;

fn main() -> ExitCode {
    archwire::cli::main()
}
