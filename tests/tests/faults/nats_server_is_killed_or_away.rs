//! kill -9 of the nats-server, and a server that is away for a while.

use anyhow::Result;
use archwire_tests::faults::cases::nats::{self, Absence, Size};

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_is_killed_again_and_again_costs_nothing() -> Result<()> {
    let outcome = nats::own_server_is_killed(Size::short(2)).await?;
    println!("{outcome}");
    Ok(())
}

async fn is_waited_for(absence: Absence) -> Result<()> {
    let size = Size {
        times: 1,
        ..Size::short(3)
    };
    println!("{}", nats::server_is_away(size, absence).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_for_a_while_is_waited_for() -> Result<()> {
    is_waited_for(Absence::Frozen).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_for_a_while_is_waited_for() -> Result<()> {
    is_waited_for(Absence::Killed).await
}
