//! Who asks, and why: what a person writes, checked before it is stored for ever.

use super::status;
use crate::audit::{Act, Action};
use archwire_core::{Decision, Text, Verdict};
use archwire_proto::admin::v1::Person;
use std::time::SystemTime;
use tonic::{Extensions, Status, transport::server::UdsConnectInfo};

/// Most bytes in a person's name.
const LONGEST_NAME: usize = 128;
/// Most bytes in a reason.
const LONGEST_REASON: usize = 1024;

/// Words of a person that cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A name.
    #[error("who asks is a person: 1 to {LONGEST_NAME} bytes in one line, and not `archwire`")]
    Name,
    /// A reason.
    #[error("a reason is 1 to {LONGEST_REASON} bytes in one line")]
    Reason,
}

/// A person's name.
///
/// # Errors
/// When it is empty, longer than 128 bytes, or holds control characters.
pub fn check_name(name: &str) -> Result<String, WordsError> {
    // By that name the bus itself decides.
    checked(name, LONGEST_NAME)
        .filter(|name| !name.eq_ignore_ascii_case("archwire"))
        .ok_or(WordsError::Name)
}

/// A person's reason.
///
/// # Errors
/// When it is empty, longer than 1,024 bytes, or holds control characters.
pub fn check_reason(reason: &str) -> Result<String, WordsError> {
    checked(reason, LONGEST_REASON).ok_or(WordsError::Reason)
}

fn checked(words: &str, longest: usize) -> Option<String> {
    let words = words.trim();
    let allowed = (1..=longest).contains(&words.len()) && !words.contains(char::is_control);
    allowed.then(|| words.to_owned())
}

/// Who asks.
pub(super) struct Asker {
    /// The name as given.
    pub(super) name: String,
    /// The operating system's user at the other end of the socket.
    pub(super) user_id: Option<u32>,
}

impl Asker {
    pub(super) fn of(person: Option<Person>, extensions: &Extensions) -> Result<Self, Status> {
        let name = person.map(|person| person.name).unwrap_or_default();
        Ok(Self {
            name: check_name(&name).map_err(|error| status::words(&error))?,
            user_id: user_id(extensions),
        })
    }

    /// What goes into the audit of whatever this person asks for.
    pub(super) fn about_to(&self, action: Action, reason: String) -> Act {
        Act {
            person: self.name.clone(),
            user_id: self.user_id,
            action,
            patients: Vec::new(),
            item: None,
            system: None,
            image: None,
            paths: Vec::new(),
            reason,
        }
    }

    /// What this person decides now.
    pub(super) fn decides(&self, verdict: Verdict, item: Option<u64>, reason: String) -> Decision {
        Decision {
            verdict,
            item,
            by: Text::from(self.name.as_str()),
            reason: reason.into(),
            at: SystemTime::now(),
        }
    }
}

/// The operating system's user at the other end of the socket.
pub(super) fn user_id(extensions: &Extensions) -> Option<u32> {
    let credentials = extensions.get::<UdsConnectInfo>().and_then(|info| info.peer_cred);
    credentials.map(|credentials| credentials.uid())
}

/// Why, from a request.
pub(super) fn reason(reason: &str) -> Result<String, Status> {
    check_reason(reason).map_err(|error| status::words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_that_says_something() {
        assert_eq!(check_name("  Kim Doe ").as_deref(), Ok("Kim Doe"));
        for name in ["", "   ", "Kim\nDoe", "Kim\u{1b}[2J", &"k".repeat(129)] {
            assert_eq!(check_name(name), Err(WordsError::Name));
        }
        assert!(check_reason(&"k".repeat(1024)).is_ok());
        assert_eq!(check_reason(&"k".repeat(1025)), Err(WordsError::Reason));
    }
}
