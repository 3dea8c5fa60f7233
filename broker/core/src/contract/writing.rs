//! What a vendor may say of a patient.
//!
//! Vendors show whole records. What a vendor may not change is either not in its record, and then it says nothing about it, or
//! it is there as the vendor was shown it.

use super::Contract;
use crate::{FieldGroup, Fields, Path};

impl Contract {
    /// The first path at which a record says something that the vendor may not say. What it was shown it may repeat: a value
    /// at a path that it reads, as one of `known` has it. A value at a path that is hidden from it is always refused, so that
    /// nobody finds out by trying.
    pub fn refused<'a>(&self, said: &'a Fields, known: &[&Fields]) -> Option<&'a Path> {
        let repeats = |path: &Path| {
            let said = said.get(path);
            self.shows(path) && known.iter().any(|known| known.get(path) == said)
        };
        said.paths().find(|path| !self.takes(path) && !repeats(path))
    }

    /// The record with what the vendor may not change as `known` has it: what the record is expected to show, by what it showed
    /// before and what the vendor has taken over since. Of what is hidden from it a vendor takes nothing over, whatever revision it
    /// names. What a vendor merely repeats, and be it of long ago, thereby changes nothing.
    #[must_use]
    pub fn complete(&self, said: &Fields, known: &Fields) -> Fields {
        let mut whole = said.clone();
        for path in said.paths().chain(known.paths()).filter(|path| !self.takes(path)) {
            whole.put(path, known.get(path));
        }
        whole
    }

    /// Whether nothing that a record says is out of the vendor's hands.
    #[must_use]
    pub fn takes_everything(&self) -> bool {
        FieldGroup::ALL
            .iter()
            .all(|group| self.write.fields.contains(group))
    }

    /// The first path at which a record says what the vendor may neither see nor say, whatever stands there.
    pub fn unheard<'a>(&self, said: &'a Fields) -> Option<&'a Path> {
        said.paths().find(|path| !self.takes(path) && !self.shows(path))
    }
}
