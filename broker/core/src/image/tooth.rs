//! Teeth by the numbers of ISO 3950.

/// A tooth by its two-digit number of ISO 3950: 11 to 48, and 51 to 85 for milk teeth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tooth(u8);

/// Not the number of a tooth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tooth is a two-digit number of ISO 3950: 11 to 18, 21 to 28, ..., 81 to 85")]
pub struct ToothError;

impl Tooth {
    /// The number: 11 to 48, 51 to 85.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Tooth {
    type Error = ToothError;

    fn try_from(number: u8) -> Result<Self, ToothError> {
        let (quadrant, place) = (number / 10, number % 10);
        match (quadrant, place) {
            (1..=4, 1..=8) | (5..=8, 1..=5) => Ok(Self(number)),
            _ => Err(ToothError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifty_two_teeth() {
        let teeth = (0..=u8::MAX).filter(|number| Tooth::try_from(*number).is_ok());
        assert_eq!(teeth.count(), crate::Image::MOST_TEETH);
    }
}
