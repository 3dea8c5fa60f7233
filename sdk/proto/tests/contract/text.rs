//! A contract as text, a line for each thing, sorted: what a review reads, and what is read again.
//!
//! ```text
//! enum EventKind value 1 EVENT_KIND_PATIENT_CREATED
//! message Nack field 2 delay .google.protobuf.Duration
//! message Open field 3 new New in start
//! message Open reserved 10 to 11
//! message Open reserved name old_start
//! rpc Bus.Publish stream PublishRequest -> stream PublishResponse
//! ```

use crate::model::{Call, Contract, Field, Label, Reserved, Side};
use std::{fmt, str::FromStr};

impl fmt::Display for Contract {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, values) in &self.enums {
            writeln!(out, "enum {name}")?;
            for (number, names) in &values.values {
                for value in names {
                    writeln!(out, "enum {name} value {number} {value}")?;
                }
            }
            reserved(out, &format!("enum {name}"), &values.reserved)?;
        }
        for (name, message) in &self.messages {
            writeln!(out, "message {name}")?;
            for (number, field) in &message.fields {
                writeln!(out, "message {name} field {number} {field}")?;
            }
            reserved(out, &format!("message {name}"), &message.reserved)?;
        }
        for (name, Call { asks, answers }) in &self.calls {
            writeln!(out, "rpc {name} {asks} -> {answers}")?;
        }
        Ok(())
    }
}

fn reserved(out: &mut fmt::Formatter<'_>, of: &str, reserved: &Reserved) -> fmt::Result {
    for (first, last) in &reserved.numbers {
        writeln!(out, "{of} reserved {first} to {last}")?;
    }
    reserved
        .names
        .iter()
        .try_for_each(|name| writeln!(out, "{of} reserved name {name}"))
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, .. } = self;
        let label = match self.label {
            Label::Single => "",
            Label::Optional => "optional ",
            Label::Repeated => "repeated ",
        };
        write!(out, "{name} {label}{kind}")?;
        match &self.oneof {
            Some(oneof) => write!(out, " in {oneof}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stream = if self.is_stream { "stream " } else { "" };
        write!(out, "{stream}{}", self.kind)
    }
}

impl FromStr for Contract {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut contract = Self::default();
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            contract
                .read(&words)
                .ok_or_else(|| format!("this line says nothing: {line}"))?;
        }
        Ok(contract)
    }
}

impl Contract {
    fn read(&mut self, words: &[&str]) -> Option<()> {
        match words {
            ["message", name, rest @ ..] => {
                let message = self.messages.entry((*name).to_owned()).or_default();
                match rest {
                    [] => {}
                    ["field", number, field @ ..] => {
                        message.fields.insert(number.parse().ok()?, read_field(field)?);
                    }
                    ["reserved", rest @ ..] => read_reserved(&mut message.reserved, rest)?,
                    _ => return None,
                }
            }
            ["enum", name, rest @ ..] => {
                let values = self.enums.entry((*name).to_owned()).or_default();
                match rest {
                    [] => {}
                    ["value", number, value] => {
                        let names = values.values.entry(number.parse().ok()?).or_default();
                        names.insert((*value).to_owned());
                    }
                    ["reserved", rest @ ..] => read_reserved(&mut values.reserved, rest)?,
                    _ => return None,
                }
            }
            ["rpc", name, sides @ ..] => {
                let mut sides = sides.split(|word| *word == "->");
                let call = Call {
                    asks: read_side(sides.next()?)?,
                    answers: read_side(sides.next()?)?,
                };
                self.calls.insert((*name).to_owned(), call);
            }
            _ => return None,
        }
        Some(())
    }
}

fn read_field(words: &[&str]) -> Option<Field> {
    let (words, oneof) = match words {
        [words @ .., "in", oneof] => (words, Some((*oneof).to_owned())),
        words => (words, None),
    };
    let (name, label, kind) = match words {
        [name, kind] => (name, Label::Single, kind),
        [name, "optional", kind] => (name, Label::Optional, kind),
        [name, "repeated", kind] => (name, Label::Repeated, kind),
        _ => return None,
    };
    Some(Field {
        name: (*name).to_owned(),
        kind: (*kind).to_owned(),
        label,
        oneof,
    })
}

fn read_reserved(reserved: &mut Reserved, words: &[&str]) -> Option<()> {
    match words {
        ["name", name] => reserved.names.insert((*name).to_owned()),
        [first, "to", last] => reserved.numbers.insert((first.parse().ok()?, last.parse().ok()?)),
        _ => return None,
    };
    Some(())
}

fn read_side(words: &[&str]) -> Option<Side> {
    let (is_stream, kind) = match words {
        ["stream", kind] => (true, kind),
        [kind] => (false, kind),
        _ => return None,
    };
    Some(Side {
        is_stream,
        kind: (*kind).to_owned(),
    })
}
