//! What a contract consists of, as far as a program that was written for it can tell.

use std::collections::{BTreeMap, BTreeSet};

/// A package. Everything is named without it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Contract {
    pub(crate) messages: BTreeMap<String, Message>,
    pub(crate) enums: BTreeMap<String, Enum>,
    /// By service and name: `Bus.Publish`.
    pub(crate) calls: BTreeMap<String, Call>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Message {
    /// By their numbers.
    pub(crate) fields: BTreeMap<i32, Field>,
    pub(crate) reserved: Reserved,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// A scalar type in lower case, or the name of a message or enum; of another package with a dot before it.
    pub(crate) kind: String,
    pub(crate) label: Label,
    /// The choice to which it belongs.
    pub(crate) oneof: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Single,
    /// Whether it is set shows, too.
    Optional,
    Repeated,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Enum {
    /// By their numbers; one number may have several names.
    pub(crate) values: BTreeMap<i32, BTreeSet<String>>,
    pub(crate) reserved: Reserved,
}

/// What must not be used again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reserved {
    /// First and last.
    pub(crate) numbers: BTreeSet<(i32, i32)>,
    pub(crate) names: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) asks: Side,
    pub(crate) answers: Side,
}

/// What goes one way in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) is_stream: bool,
    pub(crate) kind: String,
}

impl Reserved {
    pub(crate) fn has(&self, number: i32) -> bool {
        let mut ranges = self.numbers.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&number))
    }
}
