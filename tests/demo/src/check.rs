//! Whether what the play shows has come true.

use crate::stage::Stage;
use anyhow::{Result, ensure};
use archwire_tests::{creations, eventually, same_people, whole_histories};

/// What was counted once everything had settled.
pub(crate) struct Counts {
    /// People, on each side.
    pub(crate) people: usize,
    /// Revisions, over all patients.
    pub(crate) revisions: usize,
}

/// Waits until both sides hold everybody, with the same details.
pub(crate) async fn settled(stage: &Stage) -> Result<()> {
    eventually(
        "both sides hold the same people with the same details",
        async || same_people(stage.office(), &stage.vendor, &stage.everybody),
    )
    .await
}

/// Asks the bus for every patient's history and the office for every creation.
pub(crate) async fn nothing_lost_or_doubled(stage: &Stage) -> Result<Counts> {
    let revisions = whole_histories(&stage.vendor).await?;
    settled(stage).await?;
    created_once(stage)?;
    Ok(Counts {
        people: stage.everybody.len(),
        revisions,
    })
}

/// Everybody who was registered at the vendor was created in Open Dental once.
pub(crate) fn created_once(stage: &Stage) -> Result<()> {
    let created = creations(stage.office()).len();
    ensure!(
        created == stage.from_vendor,
        "{} people were registered at the vendor, and Open Dental was asked to create {created}",
        stage.from_vendor,
    );
    Ok(())
}
