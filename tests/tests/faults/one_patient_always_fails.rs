//! The record of one patient can never be written.

use anyhow::Result;
use archwire_tests::faults::cases::stubborn::{self, Size};

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_whose_writes_always_fail_keeps_nobody_waiting() -> Result<()> {
    println!("{}", stubborn::one_of_many(Size::short()).await?);
    Ok(())
}
