//! The power of the machine is cut under load. What is simulated, and what that does not show, is told at
//! `archwire_tests::faults::disk` and `archwire_tests::faults::cases::power`.

use anyhow::Result;
use archwire_tests::faults::cases::power::{self, Size};

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_power_cuts() -> Result<()> {
    println!("{}", power::is_cut(Size::short(8)).await?);
    Ok(())
}
