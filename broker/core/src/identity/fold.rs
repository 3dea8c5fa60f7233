//! Text in the form in which it is compared: compatibility forms decomposed (Unicode NFKD), case folded, decoration
//! dropped, in any script.
//!
//! What is dropped is listed, and everything else is kept: a character that nobody thought of makes two names more
//! different, never more alike. So the vowel signs of Devanagari, the tone marks of Thai and the voicing marks of kana
//! stay (they tell names apart), while the accents of Latin, Greek and Cyrillic, the vowel points of Arabic and Hebrew
//! and all spaces and punctuation go.
//!
//! At most [`LONGEST`] characters are read; nothing fails.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a text that are read. No name is that long; what is, is only compared as far.
pub(super) const LONGEST: usize = 256;

/// A text as it is compared without accents: two that are equal then are two spellings of one name.
#[must_use]
pub fn comparable(text: &str) -> String {
    plain(text)
}

/// Without accents: what two spellings of one name have in common.
pub(super) fn plain(text: &str) -> String {
    if text.is_ascii() {
        return ascii(text);
    }
    folded(text)
        .filter(|letter| !is_accent(*letter))
        .flat_map(spelled)
        .collect()
}

/// With accents: what two names have in common that differ in more than their accents' encoding.
pub(super) fn accented(text: &str) -> String {
    if text.is_ascii() {
        return ascii(text);
    }
    folded(text).collect()
}

/// The words of a text, each folded by `fold`. Words end at spaces, punctuation and symbols, except at an apostrophe.
pub(super) fn words(text: &str, fold: fn(&str) -> String) -> Vec<String> {
    text.get(..byte_of(text, LONGEST))
        .unwrap_or_default()
        .split(|letter| is_dropped(letter) && !is_within_a_word(letter))
        .map(fold)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether a record that `shown` came out of may have been given `truth`: equal in folded form, or shortened to at least
/// three letters. Numbers are not shortened.
#[must_use]
pub fn is_rendering_of(shown: &str, truth: &str) -> bool {
    let (short, whole) = (plain(shown), plain(truth));
    if short == whole {
        return !short.is_empty() || shown.trim() == truth.trim();
    }
    let letters = short.chars().filter(|letter| letter.is_alphabetic()).count();
    letters >= 3 && whole.starts_with(&short)
}

/// The same for the many texts that have nothing to decompose, in a tenth of the time.
fn ascii(text: &str) -> String {
    let kept = text.chars().take(LONGEST).filter(char::is_ascii_alphanumeric);
    kept.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .take(LONGEST)
        .nfkd()
        // By way of upper case: that is where final sigma, long s, dotless i and sharp s meet their plain letters.
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|letter| !is_dropped(*letter))
        // Marks that a space kept apart are put in order.
        .nfkd()
}

fn byte_of(text: &str, letters: usize) -> usize {
    text.char_indices()
        .nth(letters)
        .map_or(text.len(), |(byte, _)| byte)
}

/// Apostrophes and what stands for them, accents that stand alone, and what is invisible: `O'Brien` is one word.
fn is_within_a_word(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '`' | '´' | '‘' | '’' | 'ʻ' | 'ʼ' | '׳' | '\u{AD}' | '\u{640}'
    ) || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

fn is_dropped(letter: char) -> bool {
    match letter {
        '\0'..='\u{7F}' => !letter.is_ascii_alphanumeric(),
        // Latin-1 signs; the letters and numbers among them stay.
        '\u{80}'..='\u{BF}' | '×' | '÷' => !letter.is_alphanumeric(),
        // Apostrophes and accents that stand alone, as some keyboards type them.
        '\u{2B9}'..='\u{2DF}' => true,
        // Punctuation of Greek, Armenian, Hebrew and Arabic, and Arabic's stretching of letters.
        '\u{37E}' | '\u{387}' | '\u{55A}'..='\u{55F}' | '\u{58A}' => true,
        '\u{5BE}' | '\u{5C0}' | '\u{5C3}' | '\u{5F3}' | '\u{5F4}' => true,
        '\u{60C}' | '\u{61B}' | '\u{61F}' | '\u{640}' | '\u{66A}'..='\u{66D}' | '\u{6D4}' => true,
        // Full stops of Devanagari.
        '\u{964}' | '\u{965}' => true,
        // General punctuation, which has the invisible joiners; and CJK punctuation, of which the repeating signs stay.
        '\u{2000}'..='\u{206F}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{3030}'
        | '\u{30FB}' => true,
        '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => true,
        _ => letter.is_whitespace() || letter.is_control(),
    }
}

/// Marks without which a name is still written the same by many programs.
fn is_accent(letter: char) -> bool {
    is_combining_mark(letter)
        && matches!(letter,
            '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5C7}'
            | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// A letter in plain letters, where it is one that Unicode does not decompose.
fn spelled(letter: char) -> impl Iterator<Item = char> {
    let (one, two) = match letter {
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' | 'ɖ' => ('d', None),
        'ħ' => ('h', None),
        'ŧ' => ('t', None),
        'ŋ' => ('n', None),
        'ĸ' => ('k', None),
        'ɨ' => ('i', None),
        'ƶ' => ('z', None),
        other => (other, None),
    };
    [Some(one), two].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_punctuation_do_not_make_another_name() {
        for (one, other) in [
            ("O'Brien", "OBRIEN"),
            ("O’Brien", "o brien"),
            ("García-López", "GARCIA LOPEZ"),
            ("Zoë", "Zoe\u{308}"),
            ("Weiß", "WEISS"),
            ("WEIẞ", "weiss"),
            ("Øster", "oster"),
            ("Łukasz", "Lukasz"),
            ("Ægir", "aegir"),
            ("Þór", "thor"),
            ("IŞIK", "ışık"),
            ("ΝΙΚΟΣ", "νικος"),
            ("Андрей", "АНДРЕЙ"),
            ("Ｓｍｉｔｈ", "smith"),
            ("ﬁona", "Fiona"),
            ("أحمد", "احمد"),
            ("مُحَمَّد", "محمد"),
            ("محـــمد", "محمد"),
            ("ｶﾞﾗ", "ガラ"),
            ("김", "김"),
        ] {
            assert_eq!(plain(one), plain(other), "{one} and {other}");
        }
    }

    #[test]
    fn names_of_no_script_collapse() {
        for (one, other) in [
            ("राम", "रमा"),
            ("कर्म", "करम"),
            ("李", "王"),
            ("王", "玉"),
            ("かな", "がな"),
            ("はは", "ぱぱ"),
            ("علی", "عمر"),
            ("حسن", "حسين"),
            ("Анна", "Инна"),
            ("Саша", "Маша"),
            ("김", "이"),
            ("มานะ", "มานี"),
            ("Müller", "Mueller"),
            ("Ali", "Аli"),
        ] {
            assert_ne!(plain(one), plain(other), "{one} and {other}");
            assert!(!plain(one).is_empty() && !plain(other).is_empty());
        }
    }

    #[test]
    fn accents_are_kept_where_they_are_asked_for() {
        assert_ne!(accented("Hưng"), accented("Hùng"));
        assert_eq!(plain("Hưng"), plain("Hùng"));
        assert_eq!(accented("José"), accented("JOSE\u{301}"));
    }

    #[test]
    fn a_rendering_is_the_same_text_in_another_dress_or_its_beginning() {
        for (shown, truth) in [
            ("LOVELACE", "Lovelace"),
            ("Christop", "Christopher"),
            ("555 010 2030", "(555) 010-2030"),
            ("Oster", "Øster"),
            ("", ""),
            ("12 Main", "12 Main Street"),
        ] {
            assert!(is_rendering_of(shown, truth), "{shown} of {truth}");
        }
        for (shown, truth) in [
            ("Jo", "Joanna"),
            ("", "Joanna"),
            ("Joanna", "Joan"),
            ("555010", "5550102030"),
            ("-", "."),
            ("李", "王"),
            ("Zoe", "Chloe"),
        ] {
            assert!(!is_rendering_of(shown, truth), "{shown} of {truth}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = plain(&text);
            prop_assert_eq!(plain(&once), once);
        }

        #[test]
        fn the_short_way_is_the_long_way(text in "[ -~]{0,40}") {
            let long: String = folded(&text).filter(|letter| !is_accent(*letter)).flat_map(spelled).collect();
            prop_assert_eq!(ascii(&text), long);
        }

        #[test]
        fn case_never_matters(text in "[\\p{L}\\p{N} '.-]{0,40}") {
            prop_assert_eq!(plain(&text.to_uppercase()), plain(&text));
        }

        #[test]
        fn every_text_is_a_rendering_of_itself(text in "\\PC{0,300}") {
            prop_assert!(is_rendering_of(&text, &text));
        }

        #[test]
        fn words_joined_are_the_text(text in "[\\p{L} '.-]{0,40}") {
            prop_assert_eq!(words(&text, plain).concat(), plain(&text));
        }
    }
}
