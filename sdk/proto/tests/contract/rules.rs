//! What breaks a program that was written for an earlier contract. The rules, and their names, are those of buf's categories
//! `FILE` (a program that is generated anew does not compile any more, or means something else) and `WIRE` (one that is
//! deployed misreads what it is sent, or is misread).

use crate::model::{Contract, Enum, Label, Message, Reserved};
use std::{collections::BTreeSet, fmt};

/// Something that was agreed and is no more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: &'static str,
    pub(crate) category: Category,
    /// What it is about: `Open.name`.
    pub(crate) what: String,
}

/// Whom it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// Whoever generates code anew.
    File,
    /// Whoever is deployed, too.
    Wire,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, category, what } = self;
        let category = match category {
            Category::File => "FILE",
            Category::Wire => "WIRE",
        };
        write!(out, "{rule} ({category}): {what}")
    }
}

/// What of `agreed` is no more in `now`.
pub(crate) fn breaches(agreed: &Contract, now: &Contract) -> Vec<Breach> {
    let mut found = Found::default();
    for (name, message) in &agreed.messages {
        match now.messages.get(name) {
            Some(now) => found.message(name, message, now),
            None => found.add("MESSAGE_NO_DELETE", Category::Wire, name),
        }
    }
    for (name, values) in &agreed.enums {
        match now.enums.get(name) {
            Some(now) => found.values(name, values, now),
            None => found.add("ENUM_NO_DELETE", Category::Wire, name),
        }
    }
    for (name, call) in &agreed.calls {
        let Some(now) = now.calls.get(name) else {
            found.add("RPC_NO_DELETE", Category::Wire, name);
            continue;
        };
        let pairs = [
            (
                &call.asks,
                &now.asks,
                ["RPC_SAME_REQUEST_TYPE", "RPC_SAME_CLIENT_STREAMING"],
            ),
            (
                &call.answers,
                &now.answers,
                ["RPC_SAME_RESPONSE_TYPE", "RPC_SAME_SERVER_STREAMING"],
            ),
        ];
        for (agreed, now, [same_type, same_streaming]) in pairs {
            if agreed.kind != now.kind {
                found.add(same_type, Category::Wire, name);
            }
            if agreed.is_stream != now.is_stream {
                found.add(same_streaming, Category::Wire, name);
            }
        }
    }
    found.breaches
}

#[derive(Default)]
struct Found {
    breaches: Vec<Breach>,
}

impl Found {
    fn add(&mut self, rule: &'static str, category: Category, what: impl Into<String>) {
        let what = what.into();
        self.breaches.push(Breach { rule, category, what });
    }

    fn message(&mut self, name: &str, agreed: &Message, now: &Message) {
        let oneofs = |message: &Message| -> BTreeSet<String> {
            let fields = message.fields.values();
            fields.filter_map(|field| field.oneof.clone()).collect()
        };
        for oneof in oneofs(agreed).difference(&oneofs(now)) {
            self.add("ONEOF_NO_DELETE", Category::File, format!("{name}.{oneof}"));
        }
        for (number, field) in &agreed.fields {
            let what = format!("{name}.{}", field.name);
            let is_elsewhere = now
                .fields
                .iter()
                .any(|(other, now)| other != number && now.name == field.name);
            if is_elsewhere {
                self.add("FIELD_SAME_NUMBER", Category::Wire, &what);
            }
            let Some(now_field) = now.fields.get(number) else {
                let category = match now.reserved.has(*number) {
                    true => Category::File,
                    false => Category::Wire,
                };
                self.add("FIELD_NO_DELETE", category, &what);
                continue;
            };
            if field.name != now_field.name {
                self.add("FIELD_SAME_NAME", Category::File, &what);
            }
            if field.kind != now_field.kind {
                let category = match is_read_alike(&field.kind, &now_field.kind) {
                    true => Category::File,
                    false => Category::Wire,
                };
                self.add("FIELD_SAME_TYPE", category, &what);
            }
            if field.label != now_field.label {
                let category = match [field.label, now_field.label].contains(&Label::Repeated) {
                    true => Category::Wire,
                    false => Category::File,
                };
                self.add("FIELD_SAME_CARDINALITY", category, &what);
            }
            if field.oneof != now_field.oneof {
                self.add("FIELD_SAME_ONEOF", Category::Wire, &what);
            }
        }
        self.reserved(
            "RESERVED_MESSAGE_NO_DELETE",
            name,
            &agreed.reserved,
            &now.reserved,
        );
    }

    fn values(&mut self, name: &str, agreed: &Enum, now: &Enum) {
        for (number, names) in &agreed.values {
            let Some(now_names) = now.values.get(number) else {
                let category = match now.reserved.has(*number) {
                    true => Category::File,
                    false => Category::Wire,
                };
                self.add("ENUM_VALUE_NO_DELETE", category, format!("{name} {number}"));
                continue;
            };
            if !names.is_subset(now_names) {
                self.add("ENUM_VALUE_SAME_NAME", Category::File, format!("{name} {number}"));
            }
        }
        self.reserved("RESERVED_ENUM_NO_DELETE", name, &agreed.reserved, &now.reserved);
    }

    fn reserved(&mut self, rule: &'static str, name: &str, agreed: &Reserved, now: &Reserved) {
        for (first, last) in &agreed.numbers {
            let is_kept = now.numbers.iter().any(|(from, to)| from <= first && last <= to);
            if !is_kept {
                self.add(rule, Category::Wire, format!("{name} {first} to {last}"));
            }
        }
        for reserved in agreed.names.difference(&now.names) {
            self.add(rule, Category::File, format!("{name} {reserved}"));
        }
    }
}

/// Whether the bytes of one type are read as the other: the compatible types of the protocol buffers' guide to updating messages.
fn is_read_alike(one: &str, other: &str) -> bool {
    const ALIKE: [&[&str]; 5] = [
        &["int32", "uint32", "int64", "uint64", "bool"],
        &["sint32", "sint64"],
        &["fixed32", "sfixed32"],
        &["fixed64", "sfixed64"],
        &["string", "bytes"],
    ];
    ALIKE
        .iter()
        .any(|kinds| kinds.contains(&one) && kinds.contains(&other))
}
