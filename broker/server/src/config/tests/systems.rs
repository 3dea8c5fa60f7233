//! Systems and their grants.

use super::{CONTRACT, Office, TOKEN, system};
use crate::config::{ByteSize, Grant, Scheme, System};
use std::time::Duration;

fn only_system(office: &Office) -> System {
    office.config().systems.into_values().next().unwrap()
}

#[test]
fn a_system_with_only_a_connector_has_the_documented_defaults() {
    let office = Office::with(&system(""));
    let system = only_system(&office);
    assert_eq!(system.connector, office.path("connectors/echo.wasm"));
    assert_eq!(
        (system.enabled, system.deliver, system.poll_every),
        (true, true, None)
    );
    assert!(system.deliver_images);
    assert_eq!(system.limits.memory, ByteSize::from_mebibytes(64));
    assert_eq!(system.limits.deadline, Duration::from_secs(60));
    assert!(system.settings.is_empty() && system.secrets.is_empty() && system.grants.is_empty());
}

#[test]
fn images_are_written_where_patients_are_unless_it_says_otherwise() {
    for (written, (deliver, images)) in [
        ("deliver = false\n", (false, false)),
        ("deliver-images = false\n", (true, false)),
        ("deliver = false\ndeliver-images = true\n", (false, true)),
    ] {
        let system = only_system(&Office::with(&system(written)));
        assert_eq!(
            (system.deliver, system.deliver_images),
            (deliver, images),
            "{written}"
        );
    }
}

#[test]
fn settings_of_every_simple_type_become_text() {
    let office = Office::with(&system(
        "settings = { url = \"http://h\", batch = 50, dry-run = true }\n",
    ));
    let settings: Vec<_> = only_system(&office).settings.into_iter().collect();
    let expected = [("batch", "50"), ("dry-run", "true"), ("url", "http://h")];
    assert_eq!(
        settings,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_connector_is_a_name_in_the_folder_or_a_path() {
    let office = Office::with("[systems.a]\nconnector = \"mine/special.wasm\"\n");
    office.put("mine/special.wasm", "", 0o644);
    assert_eq!(only_system(&office).connector, office.path("mine/special.wasm"));
    let office = Office::with("[connectors]\nfolder = \"mine\"\n[systems.a]\nconnector = \"special\"\n");
    office.put("mine/special.wasm", "", 0o644);
    assert_eq!(only_system(&office).connector, office.path("mine/special.wasm"));
}

#[test]
fn a_missing_connector_is_named_with_the_nearest_one() {
    let office = Office::with("[systems.a]\nconnector = \"open-dental\"\n");
    let problem = office.problem();
    assert!(
        problem.contains(
            "line 4: config_file systems.a.connector there is no file /office/connectors/open-dental.wasm \
             -> did you mean \"opendental\"?"
        ),
        "{problem}"
    );
    let office = Office::with("[systems.a]\nconnector = \"../echo\"\n");
    assert!(
        office.problem().contains("\"../echo\" is no name of a connector"),
        "{}",
        office.problem()
    );
}

#[test]
fn a_system_and_a_vendor_of_the_same_name_are_refused() {
    let office = Office::with(&system(&format!(
        "[vendors.front-desk]\ntoken = {{ file = \"token\" }}\n{CONTRACT}"
    )));
    let problem = office.secret("token", TOKEN).problem();
    assert!(
        problem.contains("line 5: config_conflict vendors.front-desk systems.front-desk has the same name"),
        "{problem}"
    );
}

#[test]
fn bounds_of_durations_sizes_and_settings_hold() {
    for (more, complaint) in [
        (
            "poll-every = \"99ms\"",
            "poll-every \"99ms\" is out of bounds -> write a duration from 100ms to 1day",
        ),
        ("limits.memory = \"64\"", "limits.memory \"64\" is no size"),
        (
            "limits.memory = \"5GiB\"",
            "limits.memory \"5GiB\" is out of bounds -> write a size from 1MiB to 4GiB",
        ),
        (
            "limits.deadline = \"11m\"",
            "limits.deadline \"11m\" is out of bounds -> write a duration from 100ms to 10m",
        ),
        (
            "settings.bad_name = 1",
            "settings.bad_name is not a name of a setting or secret",
        ),
    ] {
        let problem = Office::with(&system(&format!("{more}\n"))).problem();
        assert!(problem.contains(complaint), "{problem}");
    }
    let problem = Office::with(&system(&format!("settings.long = \"{}\"\n", "a".repeat(1025)))).problem();
    assert!(problem.contains("settings.long is 1025 bytes long"), "{problem}");
}

fn with_grant(grant: &str) -> Office {
    Office::with(&system(&format!("[[systems.front-desk.grants]]\n{grant}\n")))
}

const REST: &str = "methods = [\"GET\"]\npaths = [\"/\"]";

#[test]
fn a_grant_is_read_with_the_documented_defaults() {
    let office = with_grant(
        "to = \"https://API.example.com\"\nmethods = [\"GET\", \"PUT\"]\npaths = [\"/a/*/b\", \"/c/**\"]",
    );
    let grants = only_system(&office).grants;
    assert_eq!(
        grants,
        [Grant {
            scheme: Scheme::Https,
            host: "api.example.com".to_owned(),
            port: 443,
            methods: vec!["GET".to_owned(), "PUT".to_owned()],
            paths: vec!["/a/*/b".to_owned(), "/c/**".to_owned()],
            private_addresses: false,
            spacing: Duration::ZERO,
            in_flight: 4.try_into().unwrap(),
        }]
    );
    assert_eq!(grants[0].to_string(), "https://api.example.com:443");
}

#[test]
fn a_grant_may_be_for_an_address_with_a_port_in_the_office() {
    for (to, shown) in [
        ("http://10.0.0.5:30223", "http://10.0.0.5:30223"),
        ("http://[::1]:81", "http://[::1]:81"),
        ("http://[::1]", "http://[::1]:80"),
    ] {
        let office = with_grant(&format!("to = \"{to}\"\nprivate-addresses = true\n{REST}"));
        assert_eq!(only_system(&office).grants[0].to_string(), shown);
    }
}

#[test]
fn a_grant_to_what_is_no_single_host_is_refused() {
    for (to, complaint) in [
        ("example.com", "has no scheme"),
        ("ftp://example.com", "has another scheme"),
        ("https://*.example.com", "has a wildcard"),
        ("https://example.com/", "has a path"),
        ("https://example.com?a", "has a path"),
        ("https://user@example.com", "has a user or password"),
        ("https://", "has no host"),
        ("https://a..b", "has no host"),
        ("https://[::zz]", "has no host"),
        ("https://example.com:0", "has a port that is none"),
        ("https://example.com:99999", "has a port that is none"),
        (
            "http://example.com",
            "http would carry patients and keys over the internet in clear",
        ),
    ] {
        let problem = with_grant(&format!("to = \"{to}\"\n{REST}")).problem();
        let start = "/office/archwire.toml, line 6: config_value systems.front-desk.grants[0].to ";
        assert!(
            problem.starts_with(&format!("{start}{complaint}")),
            "{to}: {problem}"
        );
    }
}

#[test]
fn methods_and_paths_that_grant_nothing_or_the_wrong_thing_are_refused() {
    for (rest, complaint) in [
        (
            "methods = [\"get\"]\npaths = [\"/\"]",
            "grants[0].methods[0] is not a method that can be granted -> did you mean \"GET\"?",
        ),
        (
            "methods = [\"CONNECT\"]\npaths = [\"/\"]",
            "grants[0].methods[0] is not a method",
        ),
        (
            "methods = []\npaths = [\"/\"]",
            "grants[0].methods is an empty list",
        ),
        (
            "paths = [\"/\"]",
            "config_missing systems.front-desk.grants[0].methods is missing",
        ),
        (
            "methods = [\"GET\"]",
            "config_missing systems.front-desk.grants[0].paths is missing",
        ),
        (
            "methods = [\"GET\"]\npaths = []",
            "grants[0].paths is an empty list",
        ),
        (
            "methods = [\"GET\"]\npaths = [\"/a\", \"b\"]",
            "grants[0].paths[1] does not begin with /",
        ),
        (
            "methods = [\"GET\"]\npaths = [\"/a/../b\"]",
            "paths[0] has a segment that is . or ..",
        ),
        (
            "methods = [\"GET\"]\npaths = [\"/**/b\"]",
            "paths[0] has a * that is not a whole segment, or a ** before the end",
        ),
        (
            "methods = [\"GET\"]\npaths = [\"/a*\"]",
            "paths[0] has a * that is not a whole segment",
        ),
        (
            "methods = [\"GET\"]\npaths = [\"//a\"]",
            "paths[0] has an empty segment",
        ),
        ("methods = [\"GET\"]\npaths = [\"/a?b\"]", "paths[0] has a query"),
        ("methods = [\"GET\"]\npaths = [\"/a b\"]", "paths[0] has a space"),
        (
            "methods = [\"GET\"]\npaths = [\"/\"]\nin-flight = 0",
            "in-flight 0 is out of bounds -> write a whole number from 1 to 64",
        ),
        (
            "methods = [\"GET\"]\npaths = [\"/\"]\nspacing = \"2h\"",
            "spacing \"2h\" is out of bounds",
        ),
    ] {
        let problem = with_grant(&format!("to = \"https://example.com\"\n{rest}")).problem();
        assert!(problem.contains(complaint), "{problem}");
    }
}
