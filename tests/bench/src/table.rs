//! The report as a table for people.

use crate::{
    figure::{Figure, Judged, Spread, Verdict},
    report::Report,
};
use std::fmt;

/// A report, to be shown.
pub(crate) struct Table<'a>(&'a Report);

/// The table of a report.
pub(crate) fn of(report: &Report) -> Table<'_> {
    Table(report)
}

const HEADS: [&str; 6] = ["what", "ours", "beside", "ratio or difference", "budget", ""];

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(f, "{}", report.machine)?;
        writeln!(f, "median [least .. most] of {} rounds", report.rounds)?;
        if report.is_quick {
            writeln!(f, "QUICK: whether it works, not how fast it is")?;
        }
        let rows: Vec<[String; 6]> = report.figures().map(row).collect();
        let heads = HEADS.map(str::to_owned);
        let mut widths = [0; 6];
        for row in rows.iter().chain([&heads]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        writeln!(f)?;
        line(f, &heads, widths)?;
        let mut rows = rows.iter();
        for section in &report.sections {
            let (before, after) = (section.before, section.after);
            writeln!(f, "\n{}: {before}; afterwards {after}", section.title)?;
            for row in rows.by_ref().take(section.figures.len()) {
                line(f, row, widths)?;
            }
            for note in &section.notes {
                writeln!(f, "  - {note}")?;
            }
        }
        let count = |verdict| {
            report
                .figures()
                .filter(|figure| figure.verdict == verdict)
                .count()
        };
        writeln!(
            f,
            "\n{} budgets met, {} missed",
            count(Verdict::Met),
            count(Verdict::Missed)
        )
    }
}

fn line(f: &mut fmt::Formatter<'_>, row: &[String; 6], widths: [usize; 6]) -> fmt::Result {
    let cells: Vec<String> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    writeln!(f, "{}", cells.join("  ").trim_end())
}

fn row(figure: &Figure) -> [String; 6] {
    let unit = figure.judged_unit();
    let shown = |spread: &Spread| spread.show(figure.unit);
    let beside = figure.beside.as_ref();
    let measure = figure.measure.map(|measure| {
        let sign = if figure.judged == Judged::Added && measure.median >= 0.0 {
            "+"
        } else {
            ""
        };
        format!("{sign}{}", measure.show(unit))
    });
    let verdict = match figure.verdict {
        Verdict::Met => "met",
        Verdict::Missed => "MISSED",
        Verdict::Shown => "",
    };
    [
        figure.what.clone(),
        figure.ours.as_ref().map(shown).unwrap_or_default(),
        beside.map_or_else(String::new, |beside| {
            format!("{}: {}", beside.name, shown(&beside.figure))
        }),
        measure.unwrap_or_default(),
        figure.budget.map(|budget| budget.show(unit)).unwrap_or_default(),
        verdict.to_owned(),
    ]
}
