//! The vendor's API fails in every way that it can, and gets well again.

use anyhow::Result;
use archwire_tests::faults::cases::vendor;

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_leaves_one_record_of_everybody_with_the_newest_details() -> Result<()> {
    let outcomes = vendor::each(1, 14).await?;
    assert_eq!(outcomes.len(), vendor::troubles().len());
    Ok(())
}
