//! The log has reached its size, or the disk is full.

use anyhow::Result;
use archwire_tests::faults::cases::full;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_refuses_loudly_and_goes_on_when_it_may_grow() -> Result<()> {
    println!("{}", full::log_is_full(800).await?);
    Ok(())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_loudly_and_goes_on_when_there_is_room() -> Result<()> {
    if let Some(outcome) = full::disk_is_full(60).await? {
        println!("{outcome}");
    }
    Ok(())
}
