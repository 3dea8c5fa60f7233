//! Rounds of ours and of what it is measured against, side by side.

use crate::{
    figure::{Budget, Figure, Judged},
    unit::Unit,
};

/// One value a round for each of the two.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    pub(crate) ours: Vec<f64>,
    pub(crate) beside: Vec<f64>,
}

impl Rounds {
    pub(crate) fn add(&mut self, ours: f64, beside: f64) {
        self.ours.push(ours);
        self.beside.push(beside);
    }

    /// The figure of these rounds, without a budget.
    pub(crate) fn figure(self, what: impl Into<String>, unit: Unit, name: &str, judged: Judged) -> Figure {
        Figure::new(what, unit, self.ours).beside(name, judged, &self.beside)
    }

    /// How many times what it is measured against, and what was promised about that.
    pub(crate) fn ratio(self, what: &str, unit: Unit, name: &str, budget: Budget) -> Figure {
        self.figure(what, unit, name, Judged::Ratio).promised(budget)
    }

    /// How much more than what it is measured against, and what was promised about that.
    pub(crate) fn added(self, what: &str, unit: Unit, name: &str, budget: Budget) -> Figure {
        self.figure(what, unit, name, Judged::Added).promised(budget)
    }
}
