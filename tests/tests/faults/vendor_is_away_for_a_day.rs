//! The vendor's API is away for a day, and everything that changed meanwhile waits.

use anyhow::Result;
use archwire_tests::faults::cases::outage::{self, Size};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_away_each_patient_costs_one_write_and_nothing_is_given_up() -> Result<()> {
    println!("{}", outage::for_a_day(Size::short()).await?);
    Ok(())
}
