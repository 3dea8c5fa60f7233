//! Identifiers, as far as they can tell one person from another.
//!
//! Left out: what is retired or has ended, what is masked, and what is typed where somebody has none.

use super::{Trust, fold};
use crate::{Identifier, IdentifierStatus};

/// The namespace of US social security numbers (FHIR R4, identifier registry).
const US_SSN: &str = "http://hl7.org/fhir/sid/us-ssn";

/// Codes of HL7 v2-0203 for what belongs to one person: social security, medical record, patient internal, person,
/// national, passport, driver's licence, jurisdictional health and social beneficiary numbers.
const KINDS_OF_ONE_PERSON: [&str; 9] = ["SS", "MR", "PI", "PN", "NI", "PPN", "DL", "JHN", "SB"];

/// A current identifier, normalised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    /// As the source wrote it.
    pub(super) namespace: String,
    /// Letters and digits only.
    pub(super) value: String,
    assigner: Option<String>,
    of_one_person: bool,
}

impl Token {
    pub(super) fn of(identifier: &Identifier) -> Option<Self> {
        let ended = identifier
            .period
            .as_ref()
            .is_some_and(|period| period.end.is_some());
        let retired = identifier.status == Some(IdentifierStatus::Retired);
        let kind = identifier
            .kind
            .as_ref()
            .map(|kind| kind.as_str().trim().to_uppercase());
        let value = fold::plain(identifier.value.as_str());
        let masked = identifier.value.as_str().contains('*') || value.contains("xxx");
        let short_of_digits = identifier.system == US_SSN && !is_nine_digits(&value);
        if ended
            || retired
            || masked
            || short_of_digits
            || identifier.system.is_empty()
            || is_placeholder(&value)
        {
            return None;
        }
        Some(Self {
            of_one_person: identifier.system == US_SSN
                || kind.is_some_and(|kind| KINDS_OF_ONE_PERSON.contains(&kind.as_str())),
            namespace: identifier.system.clone(),
            value,
            assigner: identifier
                .assigner
                .as_ref()
                .map(|assigner| fold::plain(assigner.as_str()))
                .filter(|assigner| !assigner.is_empty()),
        })
    }

    /// Whether the identifier is trusted to belong to one person.
    pub(super) fn is_trusted(&self, trust: &Trust) -> bool {
        match trust {
            Trust::ByKind => self.of_one_person,
            Trust::Only(namespaces) => namespaces.contains(&self.namespace),
        }
    }

    /// Whether both are numbered by the same: the same namespace, and the same assigner where both state one.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        let same_assigner = match (&self.assigner, &other.assigner) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        self.namespace == other.namespace && same_assigner
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.value == other.value && self.is_comparable(other)
    }
}

/// Whether some namespace is in both lists without a value in common.
pub(super) fn contradict(one: &[Token], two: &[Token]) -> bool {
    let agreed: Vec<&Token> = one
        .iter()
        .filter(|token| two.iter().any(|other| token.is_same(other)))
        .collect();
    one.iter().any(|token| {
        two.iter().any(|other| token.is_comparable(other))
            && !agreed.iter().any(|agreed| agreed.is_comparable(token))
    })
}

fn is_nine_digits(value: &str) -> bool {
    value.len() == 9 && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_placeholder(value: &str) -> bool {
    let mut letters = value.chars();
    let first = letters.next();
    let all_the_same = letters.all(|letter| Some(letter) == first);
    let words = [
        "none", "na", "unknown", "pending", "test", "null", "tbd", "declined", "refused", "notgiven",
    ];
    match first {
        None | Some('0') if all_the_same => true,
        _ => {
            all_the_same && value.len() >= 4
                || ["123456789", "1234567890", "12345678", "987654321"].contains(&value)
                || words.contains(&value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    fn identifier(system: &str, value: &str, assigner: Option<&str>) -> Identifier {
        Identifier {
            system: system.to_owned(),
            value: Text::from(value),
            assigner: assigner.map(Text::from),
            ..Identifier::default()
        }
    }

    fn token(value: &str, assigner: Option<&str>) -> Token {
        Token::of(&identifier("urn:chart", value, assigner)).unwrap()
    }

    #[test]
    fn spelling_does_not_make_another_identifier() {
        assert!(token("ab-12 3", None).is_same(&token("AB123", None)));
        assert!(!token("0042", None).is_same(&token("42", None)));
    }

    #[test]
    fn the_same_number_of_another_assigner_is_another_number() {
        assert!(!token("42", Some("Elm Street")).is_same(&token("42", Some("Maple Street"))));
        assert!(token("42", Some("Elm Street")).is_same(&token("42", None)));
    }

    #[test]
    fn numbers_that_are_none_do_not_count() {
        for value in [
            "",
            "-",
            "0",
            "0000",
            "999-99-9999",
            "N/A",
            "unknown",
            "***-**-1234",
            "XXX-XX-1234",
            "123456789",
        ] {
            assert!(
                Token::of(&identifier("urn:chart", value, None)).is_none(),
                "{value} counted"
            );
        }
        assert!(Token::of(&identifier(US_SSN, "1234", None)).is_none());
        assert!(Token::of(&identifier("urn:chart", "7", None)).is_some());
        assert!(Token::of(&identifier("", "1234", None)).is_none());
    }

    #[test]
    fn a_namespace_contradicts_only_without_a_value_in_common() {
        assert!(contradict(&[token("1", None)], &[token("2", None)]));
        assert!(!contradict(
            &[token("1", None), token("2", None)],
            &[token("2", None), token("3", None)]
        ));
        assert!(!contradict(
            &[token("1", Some("Elm"))],
            &[token("2", Some("Maple"))]
        ));
        assert!(!contradict(&[token("1", None)], &[]));
    }
}
