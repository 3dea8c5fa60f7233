//! What a vendor may say of a patient.
//!
//! Vendors show whole records. What a vendor may not change is either not in its record, and then it says nothing about it, or
//! it is there as the vendor was shown it.

use super::Contract;
use crate::{Fields, Path};

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

    /// The record with what the vendor cannot remove because it may not change it, as `known` has it: what the record is
    /// expected to show, by what it showed before and what the vendor has taken over since. Of what is hidden from it a vendor
    /// takes nothing over, whatever revision it names.
    #[must_use]
    pub fn complete(&self, said: &Fields, known: &Fields) -> Fields {
        let mut whole = said.clone();
        for path in known.paths().filter(|path| !self.takes(path)) {
            if said.get(path).is_none() {
                whole.put(path, known.get(path));
            }
        }
        whole
    }
}
