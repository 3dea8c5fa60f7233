//! An empty practice with three connectors that were compiled before: its start and its memory.

use crate::{
    arguments::Settings,
    figure::{Budget, Figure},
    practice::{self, resident, resident_of_nats},
    report::Measured,
    sink::Sink,
    unit::Unit,
};
use anyhow::Result;

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let sink = Sink::open().await?;
    let mut practice = practice::with_three_connectors(&sink).await?;
    let (mut starts, mut memory, mut nats) = (Vec::new(), Vec::new(), Vec::new());
    // The round that does not count compiles the connectors.
    for _ in 0..settings.rounds {
        starts.push(practice.start_broker().await?.as_secs_f64());
        memory.push(resident(&practice)?);
        nats.push(resident_of_nats(&practice)?);
        practice.stop_broker().await?;
    }
    Ok(Measured {
        figures: vec![
            Figure::new("start to ready, 3 connectors, nobody", Unit::Seconds, starts)
                .promised(Budget::AtMost(0.5)),
            Figure::new("broker's memory, 3 connectors, nobody", Unit::Megabytes, memory)
                .promised(Budget::AtMost(40.0)),
            Figure::new("its nats-server's memory", Unit::Megabytes, nats),
        ],
        ..Measured::default()
    })
}
