//! Invented families and how three programs of a practice write their members down: who is whom is known, so that
//! identity can be measured.
//!
//! The families are harder than those of a real office: more twins, more of them with names that are almost the same,
//! fathers and sons of one name, stepsiblings, cousins who are called the same, newborns without a name, a guardian's
//! number typed on every child, one member number and one phone for everybody. The programs shorten and upper-case, and
//! whoever types makes slips ([`Slip`]) of the kinds that make up duplicates in practice (Just et al., Perspectives in
//! Health Information Management, 2016), at rates of one to eight in a hundred.
//!
//! One thing is left out on purpose: a program that drops just what tells two twins apart ("Juan" and "Juan Carlos" both
//! as "Juan") shows two people as one. What cannot be told, by a rule or by a person, measures nothing.
//!
//! The same seed gives the same families on every machine, and 10,000 people take well under a second. In memory; each
//! person is seen at most nine times.

mod dice;
mod house;
mod names;
mod person;
mod program;
mod seen;
mod slips;

pub use person::Person;
pub use program::SYSTEMS;
pub use seen::Sighting;
pub use slips::Slip;

use dice::Dice;

/// A practice's worth of invented people.
pub struct Families {
    /// Everybody, as they are.
    pub people: Vec<Person>,
    /// What the programs show of them, in the order in which it is observed.
    pub sightings: Vec<Sighting>,
}

impl Families {
    /// `count` people in households, and what three programs show of them.
    #[must_use]
    pub fn invented(seed: u64, count: usize) -> Self {
        let mut dice = Dice::new(seed);
        let people = house::settle(&mut dice, count);
        let sightings = seen::by_all(&mut dice, &people);
        Self { people, sightings }
    }
}
