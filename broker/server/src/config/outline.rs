//! What a configuration says at which key, without saying it: for whoever asks what is different in another one.

use config::{Value, ValueKind};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The SHA-256 of every value of a configuration, by its key: `vendors.ceph-tracer.read-fields`. A list counts as one value. What
/// stands in the files that a configuration points to is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline(BTreeMap<String, [u8; 32]>);

impl Outline {
    pub(super) fn of(merged: &Value) -> Self {
        let mut outline = BTreeMap::new();
        note("", merged, &mut outline);
        Self(outline)
    }

    /// Of all keys and values together.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut all = Sha256::new_with_prefix("archwire.configuration.v1");
        for (key, value) in &self.0 {
            all.update(Sha256::digest(key));
            all.update(value);
        }
        all.finalize().into()
    }

    /// As lines, to be read by [`Self::read`] after the next start.
    #[must_use]
    pub fn write(&self) -> String {
        let lines = self
            .0
            .iter()
            .map(|(key, value)| format!("{} {key}\n", hex::encode(value)));
        lines.collect()
    }

    /// What was written; `None` where that is something else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let lines = text.lines().map(|line| {
            let (value, key) = line.split_once(' ')?;
            Some((key.to_owned(), hex::decode(value).ok()?.try_into().ok()?))
        });
        lines.collect::<Option<_>>().map(Self)
    }

    /// The keys at which another configuration says something else, something more, or nothing, in their order.
    #[must_use]
    pub fn changed(&self, other: &Self) -> Vec<String> {
        let mut keys: Vec<_> = self
            .0
            .keys()
            .chain(other.0.keys())
            .filter(|key| self.0.get(*key) != other.0.get(*key))
            .cloned()
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

fn note(key: &str, value: &Value, outline: &mut BTreeMap<String, [u8; 32]>) {
    match &value.kind {
        ValueKind::Table(table) => {
            for (name, value) in table {
                let key = match key {
                    "" => name.clone(),
                    key => format!("{key}.{name}"),
                };
                note(&key, value, outline);
            }
        }
        kind => {
            let mut digest = Sha256::new();
            put(kind, &mut digest);
            outline.insert(key.to_owned(), digest.finalize().into());
        }
    }
}

/// A value in a form in which no two are the same.
fn put(kind: &ValueKind, digest: &mut Sha256) {
    match kind {
        ValueKind::Array(values) => {
            digest.update(format!("array {}\n", values.len()));
            for value in values {
                put(&value.kind, digest);
            }
        }
        ValueKind::Table(table) => {
            let table: BTreeMap<_, _> = table.iter().collect();
            digest.update(format!("table {}\n", table.len()));
            for (name, value) in table {
                digest.update(Sha256::digest(name));
                put(&value.kind, digest);
            }
        }
        // Texts are quoted, so that "1" is not 1.
        ValueKind::String(text) => digest.update(format!("{text:?}\n")),
        other => digest.update(format!("{other}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Config, File, FileFormat};

    fn outline(text: &str) -> Outline {
        let file = File::from_str(text, FileFormat::Toml);
        let config = Config::builder().add_source(file).build().unwrap();
        Outline::of(&config.cache)
    }

    #[test]
    fn what_is_said_otherwise_more_or_no_more_is_named_and_nothing_else() {
        let before = outline(
            "[vendors.a]\nstreams = 1\nread-fields = [\"name\"]\n[vendors.b]\nstreams = 1\n[log]\nlevel = \"info\"",
        );
        let after = outline(
            "[log]\nlevel = \"info\"\n[vendors.a]\nread-fields = [\"name\", \"contact\"]\nstreams = 1\n[vendors.c]\nstreams = 1",
        );
        let keys = ["vendors.a.read-fields", "vendors.b.streams", "vendors.c.streams"];
        assert_eq!(before.changed(&after), keys);
        assert_eq!(after.changed(&before), keys);
        assert_ne!(before.digest(), after.digest());
        assert_eq!(Outline::read(&after.write()), Some(after));
        assert_eq!(Outline::read("what is this"), None);
    }

    #[test]
    fn comments_order_and_the_way_of_writing_are_no_change() {
        let one = outline("[a]\nx = 1\ny = [1, 2]\nz = { k = \"v\" }");
        let other = outline("# Said otherwise.\n[a]\nz.k = 'v'\ny = [ 1,\n 2 ]\nx = 1");
        assert!(one.changed(&other).is_empty());
        assert_eq!(one.digest(), other.digest());
    }

    #[test]
    fn a_number_is_no_text_and_a_list_is_one_value() {
        assert_eq!(outline("x = 1").changed(&outline("x = \"1\"")), ["x"]);
        assert_eq!(outline("x = [1, 2]").changed(&outline("x = [2, 1]")), ["x"]);
        assert_eq!(
            outline("x = [\"a\", \"b\"]").changed(&outline("x = [\"ab\"]")),
            ["x"]
        );
    }
}
