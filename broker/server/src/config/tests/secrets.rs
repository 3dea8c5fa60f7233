//! Where secrets may come from, and that they go nowhere.

use super::{CONTRACT, Office, TOKEN, system};
use secrecy::ExposeSecret;
use std::fs;

const LITERAL: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";

fn with_secret(reference: &str) -> Office {
    Office::with(&system(&format!("secrets.key = {reference}\n")))
}

fn secret(office: &Office) -> String {
    let config = office.config();
    config.systems.values().next().unwrap().secrets["key"]
        .expose_secret()
        .to_owned()
}

#[test]
fn a_secret_is_read_from_a_file_without_its_last_line_end() {
    for text in ["abc", "abc\n", "abc\r\n"] {
        assert_eq!(
            secret(&with_secret("{ file = \"secrets/key\" }").secret("secrets/key", text)),
            "abc"
        );
    }
    assert_eq!(
        secret(&with_secret("{ file = \"secrets/key\" }").secret("secrets/key", " a\n\n")),
        " a\n"
    );
}

#[test]
fn a_secret_is_read_from_an_environment_variable() {
    assert_eq!(
        secret(&with_secret("{ env = \"OD_KEY\" }").variable("OD_KEY", "abc")),
        "abc"
    );
}

#[test]
fn a_literal_secret_is_refused_without_repeating_it() {
    let literals = [
        with_secret(&format!("\"{LITERAL}\"")),
        with_secret(&format!("{{ env = \"{LITERAL}\" }}")),
        with_secret(&format!("{{ value = \"{LITERAL}\" }}")),
        Office::with(&format!("[vendors.ceph]\ntoken = \"{LITERAL}\"\n")),
        Office::with(&format!("[nats]\nurl = \"nats://user:{LITERAL}@example.com\"\n")),
        Office::with(&system(&format!(
            "[[systems.front-desk.grants]]\nto = \"https://u:{LITERAL}@h\"\nmethods = [\"GET\"]\npaths = [\"/\"]\n"
        ))),
        Office::with("").variable("ARCHWIRE__VENDORS__CEPH__TOKEN", LITERAL),
    ];
    for office in literals {
        let error = office.load().map(|_| ()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(LITERAL), "{error}");
    }
    let problem = with_secret(&format!("\"{LITERAL}\"")).problem();
    assert!(
        problem.contains(
            "line 5: config_wrong_type systems.front-desk.secrets.key is text, but must be \
             { file = \"PATH\" } or { env = \"NAME\" }: a secret is never written into the configuration itself"
        ),
        "{problem}"
    );
}

#[test]
fn a_loaded_configuration_does_not_print_its_secrets() {
    let office = with_secret("{ env = \"OD_KEY\" }").variable("OD_KEY", LITERAL);
    assert!(!format!("{:?}", office.config()).contains(LITERAL));
}

#[test]
fn a_missing_variable_is_named() {
    let problem = with_secret("{ env = \"OD_KEY\" }").problem();
    assert!(
        problem.contains(
            "config_secret systems.front-desk.secrets.key.env the environment variable OD_KEY is not set"
        ),
        "{problem}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let problem = with_secret("{ file = \"secrets/key\" }").problem();
    assert!(
        problem.contains(
            "line 5: config_secret systems.front-desk.secrets.key /office/secrets/key cannot be read: "
        ),
        "{problem}"
    );
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    for mode in [0o640, 0o604, 0o660] {
        let office = with_secret("{ file = \"secrets/key\" }");
        office.put("secrets/key", LITERAL, mode);
        let problem = office.problem();
        assert!(
            problem.contains(&format!(
                "(its mode is {mode:04o}) -> chmod 600 /office/secrets/key"
            )),
            "{problem}"
        );
        assert!(!problem.contains(LITERAL));
    }
}

#[test]
fn an_empty_secret_is_refused_wherever_it_is() {
    let office = with_secret("{ file = \"secrets/key\" }").secret("secrets/key", "\n");
    assert!(
        office
            .problem()
            .contains("config_secret systems.front-desk.secrets.key is empty there"),
        "{}",
        office.problem()
    );
    let office = with_secret("{ env = \"OD_KEY\" }").variable("OD_KEY", "");
    assert!(
        office.problem().contains("secrets.key is empty there"),
        "{}",
        office.problem()
    );
}

#[test]
fn a_secret_that_is_too_large_or_not_text_or_no_file_is_refused() {
    let office = with_secret("{ file = \"key\" }").secret("key", &"a".repeat(64 * 1024 + 1));
    assert!(
        office.problem().contains("larger than 64 KiB"),
        "{}",
        office.problem()
    );
    let office = with_secret("{ file = \"key\" }").secret("key", "");
    fs::write(office.path("key"), [0xff, 0xfe]).unwrap();
    assert!(
        office.problem().contains("key cannot be read: "),
        "{}",
        office.problem()
    );
    let office = with_secret("{ file = \"connectors\" }");
    assert!(
        office.problem().contains("it is not a regular file"),
        "{}",
        office.problem()
    );
}

#[test]
fn a_reference_names_a_file_or_a_variable_and_not_both_or_neither() {
    let office = with_secret("{ file = \"key\", env = \"OD_KEY\" }");
    assert!(
        office
            .problem()
            .contains("config_conflict systems.front-desk.secrets.key names a file and a variable")
    );
    assert!(
        with_secret("{}")
            .problem()
            .contains("config_missing systems.front-desk.secrets.key is missing")
    );
}

#[test]
fn a_token_is_at_least_32_characters_of_printable_ascii() {
    for text in [
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef 0123456789abcdef",
        "0123456789abcdef0123456789abcdeé",
    ] {
        let vendor = format!("[vendors.ceph]\ntoken = {{ file = \"token\" }}\n{CONTRACT}");
        let office = Office::with(&vendor).secret("token", text);
        let problem = office.problem();
        assert!(
            problem.contains("config_secret vendors.ceph.token is not 32 to 4096 characters"),
            "{problem}"
        );
        assert!(!problem.contains(text));
    }
}

#[test]
fn two_vendors_with_the_same_token_are_refused() {
    let vendor = |name| format!("[vendors.{name}]\ntoken = {{ file = \"token\" }}\n{CONTRACT}");
    let office = Office::with(&(vendor("a") + &vendor("b")));
    let problem = office.secret("token", TOKEN).problem();
    assert!(
        problem.contains("line 11: config_conflict vendors.b.token is the same as that of vendors.a"),
        "{problem}"
    );
}

#[test]
fn the_secrets_of_a_disabled_system_are_not_read() {
    let office = Office::with(
        "[systems.old]\nconnector = \"gone\"\nenabled = false\nsecrets.key = { file = \"gone\" }\nsecrets.other = { env = \"GONE\" }\n",
    );
    let config = office.config();
    assert!(
        config
            .systems
            .values()
            .all(|system| !system.enabled && system.secrets.is_empty())
    );
}
