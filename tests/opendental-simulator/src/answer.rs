//! An answer of the API before it becomes HTTP: status, body, and the two headers that matter.

use serde::Serialize;

use crate::options::{ErrorBody, Options};
use crate::refusal::Refusal;

/// What one request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<u64>,
}

impl Answer {
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        // Our own rows always serialise; an empty body would show at once if one did not.
        let body = serde_json::to_string(value).unwrap_or_default();
        Self {
            status,
            body,
            location: None,
            retry_after: None,
        }
    }

    /// A refusal in the form in which the office writes its errors.
    pub(crate) fn refusal(refusal: &Refusal, options: &Options) -> Self {
        let body = match options.unknowns.error_body {
            ErrorBody::JsonString => serde_json::Value::from(refusal.text.as_str()).to_string(),
            ErrorBody::PlainText => refusal.text.clone(),
        };
        Self {
            status: refusal.status,
            body,
            location: None,
            retry_after: refusal.retry_after,
        }
    }

    /// The first half of the body, cut between characters.
    pub(crate) fn half(&self) -> &str {
        let middle = (0..=self.body.len() / 2)
            .rev()
            .find(|at| self.body.is_char_boundary(*at));
        middle.and_then(|at| self.body.get(..at)).unwrap_or_default()
    }
}
