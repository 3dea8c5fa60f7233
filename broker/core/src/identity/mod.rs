//! Who is who: whether a record that a system shows is about a patient whom the bus knows.

mod people;
mod profile;
mod verdict;

pub use people::People;
pub use profile::{Profile, is_another_person, is_rendering_of};
pub use verdict::{Candidate, Evidence, Known, Rule, Trust, Verdict};
