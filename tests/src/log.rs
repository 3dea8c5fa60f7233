//! What the broker wrote on its standard error, line by line.

use serde_json::Value;

/// Everything that the practice's brokers wrote since the practice opened, oldest first.
#[derive(Debug, Clone)]
pub struct Log {
    text: String,
}

impl Log {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The structured lines whose message holds `part`, as the fields that they carry.
    #[must_use]
    pub fn about(&self, part: &str) -> Vec<Value> {
        let lines = self
            .text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let says = |line: &Value| {
            line.get("message")
                .and_then(Value::as_str)
                .is_some_and(|said| said.contains(part))
        };
        lines.filter(says).collect()
    }

    /// The last lines, for a person who looks at a test that failed.
    #[must_use]
    pub fn tail(&self, lines: usize) -> String {
        let all: Vec<&str> = self.text.lines().collect();
        let from = all.len().saturating_sub(lines);
        all.get(from..).unwrap_or_default().join("\n")
    }
}
