//! Somebody, as they are.

use super::dice::Dice;
use archwire_core::{AdministrativeSex, PartialDate};

/// An invented person: the truth behind what the programs show.
#[derive(Debug, Clone)]
pub struct Person {
    /// Position among all people.
    pub number: usize,
    /// Whom the person lives with.
    pub household: usize,
    /// Given names, as one text each.
    pub given: Vec<String>,
    /// Family name.
    pub family: String,
    /// Junior and the like.
    pub suffix: Option<&'static str>,
    /// Family name before a marriage.
    pub former_family: Option<String>,
    /// Day of birth.
    pub born: Day,
    /// Female or male.
    pub sex: AdministrativeSex,
    /// The person's own mobile, if any.
    pub mobile: Option<String>,
    /// What the household shares: landline, the guardian's mobile.
    pub shared_phones: Vec<String>,
    /// Own or shared.
    pub email: Option<String>,
    /// Own number.
    pub ssn: Option<String>,
    /// The guardian's number, where an office typed that on every child.
    pub typed_ssn: Option<String>,
    /// The family's member number with its insurer.
    pub member_number: String,
    /// Street and number.
    pub street: String,
    /// Names that tell twins apart must not be dropped.
    pub is_twin_in_name: bool,
    /// Born and not named yet.
    pub is_unnamed: bool,
    /// Name and relationship of who is responsible.
    pub guardian: Option<(Vec<String>, String, &'static str)>,
}

/// A day, which slips are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Four digits.
    pub year: i32,
    /// From 1.
    pub month: i32,
    /// From 1, at most 28, so that every slip is a day.
    pub day: i32,
}

impl Day {
    pub(super) fn between(dice: &mut Dice, low: i32, high: i32) -> Self {
        Self {
            year: dice.between(low, high),
            month: dice.between(1, 13),
            day: dice.between(1, 29),
        }
    }

    pub(super) fn written(self) -> Option<PartialDate> {
        PartialDate::parse(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)).ok()
    }
}

impl Person {
    /// All phones, the person's own first.
    #[must_use]
    pub fn phones(&self) -> Vec<&str> {
        self.mobile
            .iter()
            .chain(&self.shared_phones)
            .map(String::as_str)
            .collect()
    }
}
