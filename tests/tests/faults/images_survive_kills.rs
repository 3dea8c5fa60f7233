//! kill -9 while images are put, brought and fetched.

use anyhow::Result;
use archwire_tests::faults::cases::images::{self, Size};

#[tokio::test(flavor = "multi_thread")]
async fn images_come_into_their_charts_once_whoever_is_killed_meanwhile() -> Result<()> {
    let size = Size {
        kills: 4,
        seed: rand::random_range(0..1_000_000),
        people: 4,
        images: 12,
    };
    let outcome = images::survive_kills(size).await?;
    println!("{outcome}");
    Ok(())
}
