//! What is shown: lines with the time since the start, and the table at the end.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// A row of the table.
struct Row {
    step: String,
    what: String,
    count: String,
    took: Duration,
}

/// The terminal.
pub(crate) struct Screen {
    began: Instant,
    rows: Vec<Row>,
    step: Instant,
    title: String,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            rows: Vec::new(),
            step: now,
            title: String::new(),
        }
    }

    /// A line.
    pub(crate) fn say(&self, line: impl Display) {
        println!("  {:>7}  {line}", seconds(self.began.elapsed()));
    }

    /// A line about what is going to happen, under a heading.
    pub(crate) fn begin(&mut self, title: &str, explanation: &str) {
        println!("\n{}. {title}\n   {explanation}", self.rows.len() + 1);
        self.title = title.to_owned();
        self.step = Instant::now();
    }

    /// The step that was begun last held: what was shown, and of how many.
    pub(crate) fn held(&mut self, what: &str, count: impl Display) {
        let took = self.step.elapsed();
        self.say(format_args!("ok: {what} ({count})"));
        let row = Row {
            step: self.title.clone(),
            what: what.to_owned(),
            count: count.to_string(),
            took,
        };
        self.rows.push(row);
    }

    /// The table.
    pub(crate) fn table(&self) {
        let width = |cell: fn(&Row) -> &str, head: &str| {
            self.rows
                .iter()
                .map(|row| cell(row).chars().count())
                .max()
                .unwrap_or(0)
                .max(head.len())
        };
        let step = width(|row| &row.step, "step") + 3;
        let what = width(|row| &row.what, "what held");
        let count = width(|row| &row.count, "of");
        println!(
            "\n{:<step$}  {:<what$}  {:>count$}  {:>8}",
            "   step", "what held", "of", "time"
        );
        println!("{}", "-".repeat(step + what + count + 14));
        for (row, number) in self.rows.iter().zip(1..) {
            let title = format!("{number}. {}", row.step);
            println!(
                "{title:<step$}  {:<what$}  {:>count$}  {:>8}",
                row.what,
                row.count,
                seconds(row.took)
            );
        }
        println!("everything, from the start: {}", seconds(self.began.elapsed()));
    }
}

/// `1.25 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
