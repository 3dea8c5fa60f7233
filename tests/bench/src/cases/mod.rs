//! The cases: each opens what it needs, measures, and closes it again.

mod crowd;
mod image;
mod job;
mod large;
mod publish;
mod sandbox;
mod small;
mod subscribe;

use crate::{
    arguments::{Case, Settings},
    report::Measured,
};
use anyhow::Result;

/// Jobs a second of a widely used integration engine on such a machine, at its best.
pub(crate) const ENGINE: f64 = 457.0;

/// Measures one case.
pub(crate) async fn run(case: Case, settings: &Settings) -> Result<Measured> {
    let measured = match case {
        Case::Publish => publish::run(settings).await?,
        Case::Subscribe => subscribe::run(settings).await?,
        Case::Crowd => crowd::run(settings).await?,
        Case::Sandbox => sandbox::run(settings).await?,
        Case::Small => small::run(settings).await?,
        Case::Large => large::run(settings).await?,
        Case::Job => job::run(settings).await?,
        Case::Image => image::run(settings).await?,
    };
    Ok(Measured {
        title: case.title(),
        ..measured
    })
}
