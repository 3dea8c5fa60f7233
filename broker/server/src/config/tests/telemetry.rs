//! Where the broker can be watched.

use super::Office;
use crate::config::Telemetry;

#[test]
fn nothing_is_offered_or_sent_unless_it_is_written() {
    assert_eq!(Office::with("").config().telemetry, Telemetry::default());
}

#[test]
fn metrics_may_be_offered_on_any_address_and_traces_sent_to_any_collector() {
    let office = Office::with("[telemetry]\nlisten = \"0.0.0.0:9464\"\n").variable(
        "ARCHWIRE__TELEMETRY__OTLP",
        "https://collector.example.com:4317/v1",
    );
    let expected = Telemetry {
        listen: Some("0.0.0.0:9464".parse().unwrap()),
        otlp: Some("https://collector.example.com:4317/v1".to_owned()),
    };
    assert_eq!(office.config().telemetry, expected);
}

#[test]
fn an_address_that_is_none_or_the_apis_is_refused() {
    for (listen, complaint) in [
        (
            "localhost:9464",
            "config_value telemetry.listen \"localhost:9464\" is not an address to listen on -> write an IP address",
        ),
        (
            "127.0.0.1:7400",
            "config_conflict telemetry.listen 127.0.0.1:7400 is where the API listens -> give one of the two",
        ),
    ] {
        let problem = Office::with(&format!("[telemetry]\nlisten = \"{listen}\"\n")).problem();
        assert!(problem.contains(&format!("line 4: {complaint}")), "{problem}");
    }
    let any_port = Office::with("[api]\nlisten = \"127.0.0.1:0\"\n[telemetry]\nlisten = \"127.0.0.1:0\"\n");
    assert!(any_port.load().is_ok());
}

#[test]
fn a_collector_that_is_none_is_refused_without_showing_it() {
    for (otlp, complaint) in [
        ("collector:4317", "has another scheme than http:// or https://"),
        (
            "grpc://collector:4317",
            "has another scheme than http:// or https://",
        ),
        ("http://", "has no host"),
        ("http://:4317", "has no host"),
        ("http://a b", "has no host"),
        ("http://user:hunter2@collector", "has a user or password in it"),
        ("http://collector?key=hunter2", "has a query or a fragment"),
    ] {
        let problem = Office::with(&format!("[telemetry]\notlp = \"{otlp}\"\n")).problem();
        assert!(
            problem.contains(&format!("line 4: config_value telemetry.otlp {complaint}")),
            "{problem}"
        );
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}
