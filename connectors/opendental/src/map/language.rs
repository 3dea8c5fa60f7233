//! Languages: Open Dental keeps ISO 639-2 codes (`eng`) or a text of the office's own; the bus wants BCP 47 (`en`).
//!
//! BCP 47 takes the two-letter code of ISO 639-1 where there is one, and the three-letter code where there is none
//! (RFC 5646, section 2.2.1), so `fil` stays `fil`. A text of the office's own is kept as it is in both directions.

/// ISO 639-1 with its code in ISO 639-2, terminology (the Library of Congress's table).
#[rustfmt::skip]
const CODES: [(&str, &str); 183] = [
    ("aa", "aar"), ("ab", "abk"), ("ae", "ave"), ("af", "afr"), ("ak", "aka"), ("am", "amh"), ("an", "arg"),
    ("ar", "ara"), ("as", "asm"), ("av", "ava"), ("ay", "aym"), ("az", "aze"), ("ba", "bak"), ("be", "bel"),
    ("bg", "bul"), ("bi", "bis"), ("bm", "bam"), ("bn", "ben"), ("bo", "bod"), ("br", "bre"), ("bs", "bos"),
    ("ca", "cat"), ("ce", "che"), ("ch", "cha"), ("co", "cos"), ("cr", "cre"), ("cs", "ces"), ("cu", "chu"),
    ("cv", "chv"), ("cy", "cym"), ("da", "dan"), ("de", "deu"), ("dv", "div"), ("dz", "dzo"), ("ee", "ewe"),
    ("el", "ell"), ("en", "eng"), ("eo", "epo"), ("es", "spa"), ("et", "est"), ("eu", "eus"), ("fa", "fas"),
    ("ff", "ful"), ("fi", "fin"), ("fj", "fij"), ("fo", "fao"), ("fr", "fra"), ("fy", "fry"), ("ga", "gle"),
    ("gd", "gla"), ("gl", "glg"), ("gn", "grn"), ("gu", "guj"), ("gv", "glv"), ("ha", "hau"), ("he", "heb"),
    ("hi", "hin"), ("ho", "hmo"), ("hr", "hrv"), ("ht", "hat"), ("hu", "hun"), ("hy", "hye"), ("hz", "her"),
    ("ia", "ina"), ("id", "ind"), ("ie", "ile"), ("ig", "ibo"), ("ii", "iii"), ("ik", "ipk"), ("io", "ido"),
    ("is", "isl"), ("it", "ita"), ("iu", "iku"), ("ja", "jpn"), ("jv", "jav"), ("ka", "kat"), ("kg", "kon"),
    ("ki", "kik"), ("kj", "kua"), ("kk", "kaz"), ("kl", "kal"), ("km", "khm"), ("kn", "kan"), ("ko", "kor"),
    ("kr", "kau"), ("ks", "kas"), ("ku", "kur"), ("kv", "kom"), ("kw", "cor"), ("ky", "kir"), ("la", "lat"),
    ("lb", "ltz"), ("lg", "lug"), ("li", "lim"), ("ln", "lin"), ("lo", "lao"), ("lt", "lit"), ("lu", "lub"),
    ("lv", "lav"), ("mg", "mlg"), ("mh", "mah"), ("mi", "mri"), ("mk", "mkd"), ("ml", "mal"), ("mn", "mon"),
    ("mr", "mar"), ("ms", "msa"), ("mt", "mlt"), ("my", "mya"), ("na", "nau"), ("nb", "nob"), ("nd", "nde"),
    ("ne", "nep"), ("ng", "ndo"), ("nl", "nld"), ("nn", "nno"), ("no", "nor"), ("nr", "nbl"), ("nv", "nav"),
    ("ny", "nya"), ("oc", "oci"), ("oj", "oji"), ("om", "orm"), ("or", "ori"), ("os", "oss"), ("pa", "pan"),
    ("pi", "pli"), ("pl", "pol"), ("ps", "pus"), ("pt", "por"), ("qu", "que"), ("rm", "roh"), ("rn", "run"),
    ("ro", "ron"), ("ru", "rus"), ("rw", "kin"), ("sa", "san"), ("sc", "srd"), ("sd", "snd"), ("se", "sme"),
    ("sg", "sag"), ("si", "sin"), ("sk", "slk"), ("sl", "slv"), ("sm", "smo"), ("sn", "sna"), ("so", "som"),
    ("sq", "sqi"), ("sr", "srp"), ("ss", "ssw"), ("st", "sot"), ("su", "sun"), ("sv", "swe"), ("sw", "swa"),
    ("ta", "tam"), ("te", "tel"), ("tg", "tgk"), ("th", "tha"), ("ti", "tir"), ("tk", "tuk"), ("tl", "tgl"),
    ("tn", "tsn"), ("to", "ton"), ("tr", "tur"), ("ts", "tso"), ("tt", "tat"), ("tw", "twi"), ("ty", "tah"),
    ("ug", "uig"), ("uk", "ukr"), ("ur", "urd"), ("uz", "uzb"), ("ve", "ven"), ("vi", "vie"), ("vo", "vol"),
    ("wa", "wln"), ("wo", "wol"), ("xh", "xho"), ("yi", "yid"), ("yo", "yor"), ("za", "zha"), ("zh", "zho"),
    ("zu", "zul"),
];

/// The languages whose code in ISO 639-2, bibliography, is another one.
#[rustfmt::skip]
const BIBLIOGRAPHIC: [(&str, &str); 20] = [
    ("sq", "alb"), ("hy", "arm"), ("eu", "baq"), ("my", "bur"), ("zh", "chi"), ("cs", "cze"), ("nl", "dut"),
    ("fr", "fre"), ("ka", "geo"), ("de", "ger"), ("el", "gre"), ("is", "ice"), ("mk", "mac"), ("mi", "mao"),
    ("ms", "may"), ("fa", "per"), ("ro", "rum"), ("sk", "slo"), ("bo", "tib"), ("cy", "wel"),
];

/// The BCP 47 tag of what Open Dental keeps.
pub(super) fn to_tag(kept: &str) -> String {
    let code = kept.to_ascii_lowercase();
    let known = CODES.iter().chain(&BIBLIOGRAPHIC).find(|(_, long)| *long == code);
    known.map_or_else(|| kept.to_owned(), |(short, _)| (*short).to_owned())
}

/// What Open Dental keeps for a BCP 47 tag. Script and region have no place there and are lost.
pub(super) fn from_tag(tag: &str) -> String {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
    let known = CODES.iter().find(|(short, _)| *short == primary);
    match known {
        Some((_, long)) => (*long).to_owned(),
        None if primary.len() == 3 && primary.bytes().all(|byte| byte.is_ascii_lowercase()) => primary,
        None => tag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_translated_both_ways() {
        for (kept, tag) in [
            ("eng", "en"),
            ("spa", "es"),
            ("vie", "vi"),
            ("zho", "zh"),
            ("deu", "de"),
        ] {
            assert_eq!(to_tag(kept), tag);
            assert_eq!(from_tag(tag), kept);
        }
        assert_eq!(to_tag("ger"), "de");
        assert_eq!(to_tag("Spa"), "es");
        assert_eq!(from_tag("en-US"), "eng");
    }

    #[test]
    fn a_language_without_two_letters_and_a_text_of_the_offices_own_stay() {
        for kept in ["fil", "hmn", "Spanish (Mexico)", "Klingon"] {
            assert_eq!(to_tag(kept), kept);
            assert_eq!(from_tag(kept), kept);
        }
    }

    #[test]
    fn the_table_has_each_code_once() {
        for (index, (short, long)) in CODES.iter().enumerate() {
            assert!(short.len() == 2 && long.len() == 3);
            let rest = &CODES[index + 1..];
            assert!(
                rest.iter()
                    .all(|(other_short, other_long)| other_short != short && other_long != long)
            );
        }
    }
}
