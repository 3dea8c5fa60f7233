//! Code tables from FHIR to Open Dental: administrative gender, marital status, language (BCP 47 to ISO 639-2),
//! and the names of US states and territories to their two letters (USPS).

/// The vendor's word for an administrative gender; it has none for `other`.
pub(super) fn gender(code: &str) -> &'static str {
    match code {
        "male" => "Male",
        "female" => "Female",
        _ => "Unknown",
    }
}

/// The vendor's word for a marital status code of HL7 v3, or for its display.
pub(super) fn position(code: &str) -> &'static str {
    match code {
        "M" | "Married" => "Married",
        "W" | "Widowed" => "Widowed",
        "D" | "Divorced" => "Divorced",
        _ => "Single",
    }
}

/// The three-letter code of a language tag; nothing when it is not one of the common ones.
pub(super) fn language(tag: &str) -> Option<&'static str> {
    let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let pair = LANGUAGES
        .iter()
        .find(|(two, three)| *two == primary || *three == primary);
    pair.map(|(_, three)| *three)
}

/// The two letters of a state; what is two capitals already stays.
pub(super) fn state(name: &str) -> Option<&str> {
    if name.len() == 2 && name.bytes().all(|b| b.is_ascii_uppercase()) {
        return Some(name);
    }
    STATES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, code)| *code)
}

const LANGUAGES: [(&str, &str); 20] = [
    ("ar", "ara"),
    ("de", "deu"),
    ("en", "eng"),
    ("es", "spa"),
    ("fa", "fas"),
    ("fr", "fra"),
    ("hi", "hin"),
    ("ht", "hat"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("ko", "kor"),
    ("nl", "nld"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ru", "rus"),
    ("so", "som"),
    ("tl", "tgl"),
    ("uk", "ukr"),
    ("vi", "vie"),
    ("zh", "zho"),
];

const STATES: [(&str, &str); 56] = [
    ("Alabama", "AL"),
    ("Alaska", "AK"),
    ("American Samoa", "AS"),
    ("Arizona", "AZ"),
    ("Arkansas", "AR"),
    ("California", "CA"),
    ("Colorado", "CO"),
    ("Connecticut", "CT"),
    ("Delaware", "DE"),
    ("District of Columbia", "DC"),
    ("Florida", "FL"),
    ("Georgia", "GA"),
    ("Guam", "GU"),
    ("Hawaii", "HI"),
    ("Idaho", "ID"),
    ("Illinois", "IL"),
    ("Indiana", "IN"),
    ("Iowa", "IA"),
    ("Kansas", "KS"),
    ("Kentucky", "KY"),
    ("Louisiana", "LA"),
    ("Maine", "ME"),
    ("Maryland", "MD"),
    ("Massachusetts", "MA"),
    ("Michigan", "MI"),
    ("Minnesota", "MN"),
    ("Mississippi", "MS"),
    ("Missouri", "MO"),
    ("Montana", "MT"),
    ("Nebraska", "NE"),
    ("Nevada", "NV"),
    ("New Hampshire", "NH"),
    ("New Jersey", "NJ"),
    ("New Mexico", "NM"),
    ("New York", "NY"),
    ("North Carolina", "NC"),
    ("North Dakota", "ND"),
    ("Northern Mariana Islands", "MP"),
    ("Ohio", "OH"),
    ("Oklahoma", "OK"),
    ("Oregon", "OR"),
    ("Pennsylvania", "PA"),
    ("Puerto Rico", "PR"),
    ("Rhode Island", "RI"),
    ("South Carolina", "SC"),
    ("South Dakota", "SD"),
    ("Tennessee", "TN"),
    ("Texas", "TX"),
    ("Utah", "UT"),
    ("Vermont", "VT"),
    ("Virgin Islands", "VI"),
    ("Virginia", "VA"),
    ("Washington", "WA"),
    ("West Virginia", "WV"),
    ("Wisconsin", "WI"),
    ("Wyoming", "WY"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_languages_are_found_and_strangers_are_left_out() {
        assert_eq!(state("Massachusetts"), Some("MA"));
        assert_eq!(state("OR"), Some("OR"));
        assert_eq!(state("Bavaria"), None);
        assert_eq!(language("en-US"), Some("eng"));
        assert_eq!(language("xx"), None);
    }
}
