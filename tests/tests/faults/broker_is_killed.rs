//! kill -9 of the broker at every place on the way of a change, and at any time.

use anyhow::Result;
use archwire_tests::faults::cases::kills::{self, Size};

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_place_on_the_way_of_a_change_loses_and_doubles_nothing() -> Result<()> {
    let outcome = kills::at_every_place(Size::short(1)).await?;
    println!("{outcome}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_time_under_load_lose_and_double_nothing() -> Result<()> {
    let seed = rand::random_range(0..1_000_000);
    let outcome = kills::at_random(Size::short(seed)).await?;
    println!("{outcome}");
    Ok(())
}
