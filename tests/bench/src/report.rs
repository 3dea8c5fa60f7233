//! All that a run found out.

use crate::{
    arguments::Settings,
    figure::Figure,
    machine::{Conditions, Machine},
};
use serde::Serialize;

/// Everything that one case found out.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) title: &'static str,
    pub(crate) figures: Vec<Figure>,
    /// Lines of the picture.
    pub(crate) curves: Vec<Curve>,
    /// What has to be known to read the figures.
    pub(crate) notes: Vec<String>,
}

/// Throughput over how many are in flight.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// In flight, and a second.
    pub(crate) points: Vec<(usize, f64)>,
}

/// A case with what else went on before and after it.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) before: Conditions,
    pub(crate) after: Conditions,
    pub(crate) figures: Vec<Figure>,
    pub(crate) curves: Vec<Curve>,
    pub(crate) notes: Vec<String>,
}

/// What `bench.json` holds. Durations are in seconds, memory in MB.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) is_quick: bool,
    /// Rounds that count.
    pub(crate) rounds: usize,
    pub(crate) sections: Vec<Section>,
}

impl Report {
    pub(crate) fn new(machine: Machine, settings: &Settings) -> Self {
        Self {
            machine,
            is_quick: settings.quick,
            rounds: settings.rounds.saturating_sub(1),
            sections: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, measured: Measured, before: Conditions, after: Conditions) {
        let Measured {
            title,
            figures,
            curves,
            notes,
        } = measured;
        self.sections.push(Section {
            title,
            before,
            after,
            figures,
            curves,
            notes,
        });
    }

    pub(crate) fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|section| &section.figures)
    }
}
