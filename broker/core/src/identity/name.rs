//! A person's name, folded, and how two of them compare.

use super::{fold, nickname};
use crate::{HumanName, NameUse};
use rphonetic::DoubleMetaphone;

/// One part of a name: the family name, or all given names.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Folded words, in order.
    pub(super) words: Vec<String>,
    /// The words in one, so that `Anna Maria` is the same as one given name and as two.
    pub(super) joined: String,
    /// The words with their accents.
    accented: Vec<String>,
}

/// What identity is decided by in a name. Placeholders (`Baby Girl`, `Unknown`) are not there.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct PersonName {
    pub(super) family: Option<Part>,
    pub(super) given: Option<Part>,
    pub(super) generation: Option<Generation>,
}

/// Which of several of one name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    Senior,
    Junior,
    Second,
    Third,
    Fourth,
}

/// How two parts of names compare.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same in folded form.
    Equal,
    /// One lacks later words, or has initials for words.
    Compatible,
    /// A slip, a shortening, or the same sound.
    Near,
    /// Familiar form and name.
    Nickname,
    /// Nothing of these.
    Different,
}

/// What stands in records where no name is known yet, as all there is or among letters and numbers.
const PLACEHOLDERS: [&str; 34] = [
    "baby",
    "babyboy",
    "babygirl",
    "boy",
    "girl",
    "male",
    "female",
    "child",
    "newborn",
    "infant",
    "fetus",
    "twin",
    "triplet",
    "son",
    "daughter",
    "unknown",
    "unk",
    "unnamed",
    "noname",
    "nofirstname",
    "nolastname",
    "none",
    "null",
    "test",
    "tester",
    "testing",
    "patient",
    "temp",
    "anonymous",
    "fnu",
    "lnu",
    "nfn",
    "nln",
    "bb",
];

/// The same, wherever they stand in a given name: `Maria Baby`.
const PLACEHOLDERS_ANYWHERE: [&str; 9] = [
    "baby", "babyboy", "babygirl", "newborn", "infant", "fetus", "twin", "triplet", "unknown",
];

impl PersonName {
    pub(super) fn of(name: &HumanName) -> Self {
        let (family, by_family) = without_generation(words_of(name.family.iter()));
        let (given, by_given) = without_generation(words_of(name.given.iter()));
        let by_suffix = || {
            name.suffix
                .iter()
                .find_map(|suffix| Generation::of(&fold::plain(suffix.as_str())))
        };
        let family = Part::of(family).filter(|part| !part.is_placeholder(&[]));
        let given = Part::of(given).filter(|part| !part.is_placeholder(&PLACEHOLDERS_ANYWHERE));
        Self {
            family,
            given,
            generation: by_suffix().or(by_family).or(by_given),
        }
    }

    /// How much a name is *the* name, the least first; `None` for former and familiar names, which only rank.
    pub(super) fn precedence(name: &HumanName) -> Option<u8> {
        let ended = name.period.as_ref().is_some_and(|period| period.end.is_some());
        match name.r#use {
            _ if ended => None,
            Some(NameUse::Official) => Some(0),
            None => Some(1),
            Some(NameUse::Usual) => Some(2),
            Some(NameUse::Nickname | NameUse::Maiden | NameUse::Old | NameUse::Temp | NameUse::Anonymous) => {
                None
            }
        }
    }

    /// Whether the accents say the same, or one of the two has none at all, as a program writes it that knows none.
    /// Otherwise the accents are meant: Hưng and Hùng are two brothers.
    pub(super) fn accents_agree(&self, other: &Self) -> bool {
        let bare = |name: &Self| name.parts().all(|part| part.accented == part.words);
        let agree = |part: fn(&Self) -> Option<&Part>| match (part(self), part(other)) {
            (Some(one), Some(two)) => one.accents_agree(two),
            _ => true,
        };
        bare(self) || bare(other) || agree(|name| name.family.as_ref()) && agree(|name| name.given.as_ref())
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.family.iter().chain(&self.given)
    }
}

impl Generation {
    fn of(word: &str) -> Option<Self> {
        match word {
            "jr" | "jnr" | "junior" => Some(Self::Junior),
            "sr" | "snr" | "senior" => Some(Self::Senior),
            "ii" | "2nd" => Some(Self::Second),
            "iii" | "3rd" => Some(Self::Third),
            "iv" | "4th" => Some(Self::Fourth),
            _ => None,
        }
    }
}

/// Folded words without and with accents.
type Words = Vec<(String, String)>;

fn words_of<'a>(texts: impl Iterator<Item = &'a crate::Text>) -> Words {
    let split = |text: &crate::Text| {
        let accented = fold::words(text.as_str(), fold::accented);
        accented
            .into_iter()
            .map(|accented| (fold::plain(&accented), accented))
            .collect::<Words>()
    };
    texts
        .flat_map(split)
        .filter(|(plain, _)| !plain.is_empty())
        .collect()
}

fn without_generation(mut words: Words) -> (Words, Option<Generation>) {
    let generation = words
        .last()
        .and_then(|(word, _)| Generation::of(word))
        .filter(|_| words.len() > 1);
    if generation.is_some() {
        words.pop();
    }
    (words, generation)
}

impl Part {
    fn of(words: Words) -> Option<Self> {
        let (words, accented): (Vec<String>, Vec<String>) = words.into_iter().unzip();
        let joined = words.concat();
        (!joined.is_empty()).then_some(Self {
            words,
            joined,
            accented,
        })
    }

    /// Whether the accents are the same, word by word where the words are. An initial has none to compare.
    fn accents_agree(&self, other: &Self) -> bool {
        if self.words.len() != other.words.len() {
            return self.accented.concat() == other.accented.concat();
        }
        let words = self.words.iter().zip(&self.accented);
        let others = other.words.iter().zip(&other.accented);
        words
            .zip(others)
            .all(|((word, accented), (other, other_accented))| word != other || accented == other_accented)
    }

    fn is_placeholder(&self, anywhere: &[&str]) -> bool {
        let filler = |word: &String| word.chars().nth(1).is_none() || !word.contains(char::is_alphabetic);
        let unsaid = |word: &String| PLACEHOLDERS.contains(&word.as_str());
        let without_letters = !self.joined.contains(char::is_alphabetic);
        let only_x = self.joined.len() > 1 && self.joined.bytes().all(|byte| byte == b'x' || byte == b'z');
        without_letters
            || only_x
            || unsaid(&self.joined)
            || self.words.iter().any(unsaid) && self.words.iter().all(|word| unsaid(word) || filler(word))
            || self.words.iter().any(|word| anywhere.contains(&word.as_str()))
    }

    /// Whether the given names are more than initials.
    pub(super) fn is_full(&self) -> bool {
        self.words.first().is_some_and(|word| !is_initial(word))
    }

    pub(super) fn first(&self) -> &str {
        self.words.first().unwrap_or(&self.joined)
    }

    /// Equal, but for later names of which one has the initial: `Juan C` and `Juan Carlos`, not `Juan` and `Juan Carlos`.
    pub(super) fn is_same_with_initials(&self, other: &Self) -> bool {
        let same = |(place, (one, two)): (usize, (&String, &String))| {
            one == two || place > 0 && is_initial_of(one, two)
        };
        self.joined == other.joined
            || self.words.len() == other.words.len()
                && self.words.iter().zip(&other.words).enumerate().all(same)
    }

    /// Compares given names.
    pub(super) fn given_likeness(&self, other: &Self) -> Likeness {
        let mut pairs = self.words.iter().zip(&other.words);
        if self.joined == other.joined {
            Likeness::Equal
        } else if pairs.all(|(one, two)| one == two || is_initial_of(one, two)) {
            Likeness::Compatible
        } else if is_slip(&self.joined, &other.joined) || is_slip(self.first(), other.first()) {
            Likeness::Near
        } else if nickname::are_forms_of_one_name(self.first(), other.first()) {
            Likeness::Nickname
        } else if shortens(&self.joined, &other.joined, 3) || sounds_like(self.first(), other.first()) {
            Likeness::Near
        } else {
            Likeness::Different
        }
    }

    /// Compares family names. One of two names of a double name is [`Likeness::Compatible`].
    pub(super) fn family_likeness(&self, other: &Self) -> Likeness {
        let (few, many) = if self.words.len() <= other.words.len() {
            (self, other)
        } else {
            (other, self)
        };
        if self.joined == other.joined {
            Likeness::Equal
        } else if few
            .words
            .iter()
            .all(|word| many.words.contains(word) && word.chars().count() > 2)
        {
            Likeness::Compatible
        } else if is_slip(&self.joined, &other.joined)
            || shortens(&self.joined, &other.joined, 4)
            || sounds_like(&self.joined, &other.joined)
        {
            Likeness::Near
        } else {
            Likeness::Different
        }
    }
}

/// One letter of a script that has upper and lower case. One character of Chinese is a name.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_lowercase) && letters.next().is_none()
}

fn is_initial_of(one: &str, two: &str) -> bool {
    (is_initial(one) && two.starts_with(one)) || (is_initial(two) && one.starts_with(two))
}

fn shortens(one: &str, two: &str, least: usize) -> bool {
    let long_enough = |word: &str| word.chars().nth(least - 1).is_some();
    long_enough(one) && two.starts_with(one) || long_enough(two) && one.starts_with(two)
}

/// Letters of a name that likeness is measured on, since its cost grows with the square.
const MEASURED: usize = 48;

fn is_slip(one: &str, two: &str) -> bool {
    let (one, two) = (beginning(one), beginning(two));
    let (letters, others) = (one.chars().count(), two.chars().count());
    let shorter = letters.min(others);
    if shorter < 3 || letters.abs_diff(others) > 4 {
        return false;
    }
    let one_apart = || shorter > 3 && letters.abs_diff(others) <= 1 && strsim::osa_distance(one, two) <= 1;
    strsim::jaro_winkler(one, two) >= 0.9 || one_apart()
}

fn beginning(word: &str) -> &str {
    let end = word
        .char_indices()
        .nth(MEASURED)
        .map_or(word.len(), |(byte, _)| byte);
    word.get(..end).unwrap_or(word)
}

fn sounds_like(one: &str, two: &str) -> bool {
    let plain = |word: &str| {
        (3..=MEASURED).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    plain(one)
        && plain(two)
        && strsim::jaro_winkler(one, two) >= 0.7
        && DoubleMetaphone::default().is_double_metaphone_equal(one, two, false)
}
