//! What people see: one line per thing done, times, the closing table, and failures without a backtrace.

use std::time::{Duration, Instant};

use anyhow::Result;

/// One line of progress: which part, and what it does or did.
pub(crate) fn say(part: &str, text: &str) {
    println!("[{part}] {text}");
}

/// A failure with its causes, each on a line of its own.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}

/// A duration as people say it: `40 ms`, `1.4 s`, `12 s`, `1 min 13 s`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Runs one part of set-up, saying before what it does and after how long it took.
pub(crate) fn timed<T>(part: &str, what: &str, action: impl FnOnce() -> Result<T>) -> Result<T> {
    say(part, what);
    let start = Instant::now();
    let value = action()?;
    say(part, &format!("  done in {}", human(start.elapsed())));
    Ok(value)
}

/// The steps of a long command and how each ended.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    step: String,
    passed: bool,
    time: Duration,
}

impl Summary {
    /// Runs a step under a heading and keeps its time, also when it fails.
    pub(crate) fn step<T>(&mut self, step: &str, action: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n==> {step}");
        let start = Instant::now();
        let result = action();
        self.rows.push(Row {
            step: step.to_owned(),
            passed: result.is_ok(),
            time: start.elapsed(),
        });
        result
    }

    /// The table. A failed step is the last row, since nothing runs after it.
    pub(crate) fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.step.len()).max().unwrap_or(0);
        let line = |step: &str, word: &str, time: Duration| {
            format!("{step:width$}  {word:6}  {:>12}\n", human(time))
        };
        let mut table: String = self
            .rows
            .iter()
            .map(|row| line(&row.step, if row.passed { "ok" } else { "FAILED" }, row.time))
            .collect();
        table.push_str(&line("total", "", self.rows.iter().map(|row| row.time).sum()));
        table
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn times_read_naturally() {
        assert_eq!(human(Duration::from_millis(420)), "420 ms");
        assert_eq!(human(Duration::from_secs(59)), "59 s");
        assert_eq!(human(Duration::from_secs(605)), "10 min 05 s");
    }

    #[test]
    fn the_table_tells_passed_from_failed_steps() {
        let mut summary = Summary::default();
        summary.step("format", || Ok(())).expect("passes");
        summary
            .step::<()>("lints", || Err(anyhow!("no")))
            .expect_err("fails");
        let table = summary.table();
        let words: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().take(2).collect())
            .collect();
        assert_eq!(words, [["format", "ok"], ["lints", "FAILED"], ["total", "0"]]);
    }
}
