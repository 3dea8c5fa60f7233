//! What a person reads of a system that does not answer.

use super::*;

fn written(answer: Answer) -> String {
    let system = SystemReport {
        name: "front-desk".parse().unwrap(),
        connector: "opendental".to_owned(),
        version: "1.0.0".to_owned(),
        summary: "Open Dental.".to_owned(),
        missing: Vec::new(),
        granted: 1,
        deliver: true,
        answer,
    };
    let mut out = Vec::new();
    system.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn says(name: &'static str, code: &str, detail: Option<&str>) -> String {
    written(Answer::Disposition {
        name,
        code: code.to_owned(),
        detail: detail.map(str::to_owned),
    })
}

#[test]
fn a_program_that_is_not_there_or_refuses_the_key_is_told_with_what_to_look_at() {
    for (name, look_at) in [
        ("unavailable", ["runs", "address in the settings"]),
        ("unauthorized", ["secrets", "still good"]),
    ] {
        let text = says(name, "office-offline", Some("the office is closed"));
        let lines: Vec<_> = text.lines().rev().take(3).collect();
        let [way_out, detail, answer] = lines[..] else {
            panic!("{text}");
        };
        assert_eq!(answer, format!("  answers       NO: {name} (office-offline)"));
        assert_eq!(detail.trim(), "the office is closed");
        assert!(way_out.trim().starts_with("-> see that "), "{way_out}");
        assert!(look_at.iter().all(|what| way_out.contains(what)), "{way_out}");
    }
}

#[test]
fn what_the_connector_says_best_itself_is_left_to_its_words() {
    for name in ["rejected", "retry", "throttled"] {
        let text = says(name, "settings-invalid", None);
        assert!(
            text.ends_with(&format!("NO: {name} (settings-invalid)\n")),
            "{text}"
        );
    }
    let text = written(Answer::Yes(vec![("version".to_owned(), "24.3".to_owned())]));
    assert!(!text.contains("->") && text.contains("version: 24.3"), "{text}");
}
