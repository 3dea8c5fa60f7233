//! What is read when somebody looks, instead of being counted as it happens.

use super::{Sources, Vitals, process};
use crate::dispatch::{Desk, DeskStatus, ImageDesk, ImageDeskStatus};
use archwire_core::metric;
use metrics::{counter, gauge};
use std::time::SystemTime;

/// Reads them all. A broker that does not run yet has few.
pub(super) fn read(vitals: &Vitals) {
    process::read();
    gauge!(metric::READY).set(if vitals.reasons().is_empty() { 1.0 } else { 0.0 });
    counter!(metric::RECONNECTIONS).absolute(vitals.reconnects());
    let Some(sources) = vitals.sources() else {
        return;
    };
    let Sources {
        registry,
        systems,
        parked,
    } = sources;
    gauge!(metric::PATIENTS).set(number(registry.patients()));
    gauge!(metric::REVIEW_OPEN).set(number(registry.index().open_items()));
    for (system, handle) in &systems {
        gauge!(metric::PARKED, "system" => system.to_string()).set(number(parked.count(system)));
        handle.desk.iter().for_each(desk);
        handle.images.iter().for_each(images);
    }
}

fn desk(desk: &Desk) {
    let DeskStatus {
        behind_since,
        patients_behind,
        working,
        waiting,
        backing_off,
        ..
    } = desk.status();
    let system = desk.system().to_string();
    let now = SystemTime::now();
    let behind = behind_since.map(|since| now.duration_since(since).unwrap_or_default());
    gauge!(metric::BEHIND_SECONDS, "system" => system.clone()).set(behind.unwrap_or_default().as_secs_f64());
    gauge!(metric::BEHIND_PATIENTS, "system" => system.clone()).set(number(patients_behind));
    for (state, lanes) in [
        ("working", working),
        ("waiting", waiting),
        ("backing_off", backing_off),
    ] {
        gauge!(metric::LANES, "system" => system.clone(), "state" => state).set(number(lanes));
    }
}

fn images(desk: &ImageDesk) {
    let ImageDeskStatus {
        working,
        waiting,
        backing_off,
    } = desk.status();
    for (state, images) in [
        ("working", working),
        ("waiting", waiting),
        ("backing_off", backing_off),
    ] {
        let system = desk.system().to_string();
        gauge!(metric::IMAGES_BEHIND, "system" => system, "state" => state).set(number(images));
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 of anything here")]
fn number(count: usize) -> f64 {
    count as f64
}
