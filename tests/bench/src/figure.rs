//! A figure: what was measured in each round, what it is measured against, and whether the budget is met.

use crate::unit::Unit;
use serde::Serialize;

/// The median of several rounds, the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of the rounds that count: the first one does not, unless it is the only one.
    pub(crate) fn of(rounds: &[f64]) -> Self {
        let counted = match rounds {
            [_, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        let mut sorted = counted.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 0 {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self {
            median,
            least: at(0),
            most: at(sorted.len().saturating_sub(1)),
        }
    }

    /// `312 us [290 us .. 401 us]`; a single round has no spread.
    pub(crate) fn show(&self, unit: Unit) -> String {
        let Self { median, least, most } = *self;
        if least.total_cmp(&most).is_eq() {
            return unit.show(median);
        }
        format!(
            "{} [{} .. {}]",
            unit.show(median),
            unit.show(least),
            unit.show(most)
        )
    }
}

/// What the budget is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Judged {
    /// Our figure itself.
    Itself,
    /// How many times what it is measured against, round by round.
    Ratio,
    /// By how much it is more than what it is measured against, round by round.
    Added,
}

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Budget {
    AtMost(f64),
    AtLeast(f64),
}

impl Budget {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    pub(crate) fn show(self, unit: Unit) -> String {
        match self {
            Self::AtMost(limit) => format!("<= {}", unit.show(limit)),
            Self::AtLeast(limit) => format!(">= {}", unit.show(limit)),
        }
    }
}

/// How a figure stands to its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// There is no budget: it is there to be compared with.
    Shown,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Option<Spread>,
    /// What it is measured against.
    pub(crate) beside: Option<Beside>,
    pub(crate) judged: Judged,
    pub(crate) measure: Option<Spread>,
    pub(crate) budget: Option<Budget>,
    pub(crate) verdict: Verdict,
    #[serde(skip)]
    rounds: Vec<f64>,
}

/// What a figure is measured against.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) figure: Spread,
}

impl Figure {
    /// A figure with one value a round, the round included that does not count.
    pub(crate) fn new(what: impl Into<String>, unit: Unit, rounds: Vec<f64>) -> Self {
        Self {
            what: what.into(),
            unit,
            ours: Some(Spread::of(&rounds)),
            beside: None,
            judged: Judged::Itself,
            measure: None,
            budget: None,
            verdict: Verdict::Shown,
            rounds,
        }
    }

    /// Beside what it was measured, in the same rounds.
    pub(crate) fn beside(mut self, name: &str, judged: Judged, rounds: &[f64]) -> Self {
        let pairs = self.rounds.iter().zip(rounds);
        let measure: Vec<f64> = match judged {
            Judged::Itself => self.rounds.clone(),
            Judged::Ratio => pairs.map(|(ours, beside)| ours / beside).collect(),
            Judged::Added => pairs.map(|(ours, beside)| ours - beside).collect(),
        };
        self.beside = Some(Beside {
            name: name.to_owned(),
            figure: Spread::of(rounds),
        });
        self.judged = judged;
        self.measure = (judged != Judged::Itself).then(|| Spread::of(&measure));
        self
    }

    /// What was promised; the median has to keep it.
    pub(crate) fn promised(mut self, budget: Budget) -> Self {
        let measured = self.measure.or(self.ours);
        let is_met = measured.is_some_and(|measured| budget.is_met_by(measured.median));
        self.budget = Some(budget);
        self.verdict = if is_met { Verdict::Met } else { Verdict::Missed };
        self
    }

    /// What was promised about our figure itself, whatever it was measured against.
    pub(crate) fn promised_itself(self, budget: Budget) -> Self {
        let itself = Self {
            judged: Judged::Itself,
            measure: None,
            ..self
        };
        itself.promised(budget)
    }

    /// The unit of what is judged.
    pub(crate) fn judged_unit(&self) -> Unit {
        match self.judged {
            Judged::Ratio => Unit::Times,
            Judged::Itself | Judged::Added => self.unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_does_not_count() {
        let spread = Spread::of(&[100.0, 3.0, 1.0, 2.0]);
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 3.0));
        assert!((Spread::of(&[7.0]).median - 7.0).abs() < f64::EPSILON);
        assert!((Spread::of(&[0.0, 1.0, 2.0]).median - 1.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_ratio_is_taken_round_by_round_and_judged_by_its_median() {
        let figure = || Figure::new("publish", Unit::Seconds, vec![9.0, 2.0, 4.0, 6.0]);
        let raw = [1.0, 2.0, 2.0, 5.0];
        let ratio = figure().beside("raw", Judged::Ratio, &raw);
        let measured = ratio.measure.expect("has one");
        assert_eq!((measured.least, measured.median, measured.most), (1.0, 1.2, 2.0));
        assert_eq!(ratio.clone().promised(Budget::AtMost(1.5)).verdict, Verdict::Met);
        assert_eq!(ratio.promised(Budget::AtLeast(1.5)).verdict, Verdict::Missed);
        let added = figure().beside("raw", Judged::Added, &raw);
        assert_eq!(added.promised(Budget::AtMost(0.5)).verdict, Verdict::Missed);
        assert_eq!(figure().promised(Budget::AtMost(4.0)).verdict, Verdict::Met);
    }
}
