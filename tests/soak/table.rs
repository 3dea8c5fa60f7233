//! What the runs came to, for people.

use anyhow::Result;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// One run.
pub(crate) struct Row {
    name: String,
    seed: u64,
    took: Duration,
    ended: Result<String>,
}

impl Row {
    pub(crate) fn new(name: String, seed: u64, took: Duration, ended: Result<String>) -> Self {
        Self {
            name,
            seed,
            took,
            ended,
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.ended.is_ok()
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            seed,
            took,
            ended,
        } = self;
        let took = took.as_secs();
        match ended {
            Ok(outcome) => write!(f, "{name:<12} ok      {took:>5} s  {outcome}"),
            Err(error) => write!(
                f,
                "{name:<12} FAILED  {took:>5} s  again: cargo xtask soak --only {name} --seed {seed}\n{error:#}"
            ),
        }
    }
}

/// All of them.
pub(crate) fn of(rows: &[Row]) -> String {
    let lines: Vec<String> = rows.iter().map(Row::to_string).collect();
    let failed = rows.iter().filter(|row| !row.is_good()).count();
    format!("{}\n{} runs, {failed} failed", lines.join("\n"), rows.len())
}
