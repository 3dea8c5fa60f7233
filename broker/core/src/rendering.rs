//! Whether two values are one value, written differently.

use crate::{Leaf, Path};
use serde_json::Value;

/// Whether `shown` is only another way to write `meant`: the same when normalised, or shortened. What a system shortens
/// in an identifier is another identifier, so that there nothing may be missing.
pub(crate) fn is_rendering(path: &Path, shown: &Leaf, meant: &Leaf) -> bool {
    let (shown, meant) = (shown.value(), meant.value());
    is_rendering_of(shown, meant) && (!is_exact(path) || is_rendering_of(meant, shown))
}

/// Whether the two are each a rendering of the other, so that neither lacks anything but its form.
pub(crate) fn is_same(one: &Leaf, other: &Leaf) -> bool {
    is_rendering_of(one.value(), other.value()) && is_rendering_of(other.value(), one.value())
}

/// How much form there is in a value that upper case and plain letters lose: the number of lower-case letters and of
/// characters beyond ASCII.
pub(crate) fn form(leaf: &Leaf) -> usize {
    form_of(leaf.value())
}

fn is_exact(path: &Path) -> bool {
    path.as_str().starts_with("identifiers/")
}

fn is_rendering_of(shown: &Value, meant: &Value) -> bool {
    match (shown, meant) {
        (Value::String(shown), Value::String(meant)) => text_is_rendering_of(shown, meant),
        (Value::Array(shown), Value::Array(meant)) => match (words(shown), words(meant)) {
            // "Anna", "Maria" and "Anna Maria" are the same given names.
            (Some(shown), Some(meant)) => text_is_rendering_of(&shown, &meant),
            _ => {
                shown.len() <= meant.len()
                    && shown
                        .iter()
                        .zip(meant)
                        .all(|(shown, meant)| is_rendering_of(shown, meant))
            }
        },
        (Value::Object(shown), Value::Object(meant)) => shown.iter().all(|(field, shown)| {
            shown.is_null()
                || meant
                    .get(field)
                    .is_some_and(|meant| is_rendering_of(shown, meant))
        }),
        _ => shown == meant,
    }
}

fn words(values: &[Value]) -> Option<String> {
    let words: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    words.map(|words| words.join(" "))
}

fn form_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text
            .chars()
            .filter(|letter| letter.is_lowercase() || !letter.is_ascii())
            .count(),
        Value::Array(values) => values.iter().map(form_of).sum(),
        Value::Object(fields) => fields.values().map(form_of).sum(),
        _ => 0,
    }
}

/// Stand-in until identity says it.
fn text_is_rendering_of(shown: &str, meant: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    plain(meant).starts_with(&plain(shown))
}
