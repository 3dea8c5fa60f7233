//! How vendors connect: TLS or the word for none, certificates of vendors, how many connections.

use super::{CONTRACT, Office, TOKEN};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n";
const TLS: &str = "[api]\nlisten = \"0.0.0.0:0\"\ntls-certificate = \"cert.pem\"\ntls-key = \"key.pem\"\n";

/// With a certificate, a key, and authorities.
fn encrypted(more: &str) -> Office {
    let office = Office::with(&format!("{TLS}{more}")).secret("key.pem", KEY);
    office.put("cert.pem", CERTIFICATE, 0o644);
    office.put("roots.pem", CERTIFICATE, 0o644);
    office
}

fn vendor(name: &str, lines: &str) -> String {
    format!("[vendors.{name}]\n{CONTRACT}{lines}\n")
}

#[test]
fn an_address_that_others_can_reach_needs_tls() {
    for address in ["0.0.0.0:7400", "192.168.1.5:7400", "[::]:7400"] {
        let problem = Office::with(&format!("[api]\nlisten = \"{address}\"\n")).problem();
        assert!(
            problem.contains(&format!(
                "line 4: config_value api.listen other machines can reach {address}"
            )),
            "{problem}"
        );
        assert!(
            problem.ends_with("-> set api.tls-certificate and api.tls-key, or listen on 127.0.0.1"),
            "{problem}"
        );
    }
}

#[test]
fn a_certificate_and_its_key_belong_together_and_are_read() {
    let office = encrypted("");
    assert!(office.config().api.tls.is_some());
    office.put("key.pem", "-----BEGIN PRIVATE KEY-----\n", 0o644);
    assert!(
        office
            .problem()
            .contains("config_secret api.tls-key others than the owner can use"),
        "{}",
        office.problem()
    );
    office.put("key.pem", "no key", 0o600);
    office.put("cert.pem", "no certificate", 0o644);
    assert_eq!(office.problems().len(), 2);
    let problem = Office::with("[api]\ntls-key = \"key.pem\"\n")
        .secret("key.pem", "-----BEGIN PRIVATE KEY-----")
        .problem();
    assert!(
        problem.contains("config_missing api.tls-certificate is missing"),
        "{problem}"
    );
}

#[test]
fn without_tls_the_configuration_has_to_say_so() {
    let with = |lines: &str| Office::with(&format!("[api]\n{lines}\n# tls-\n"));
    let problem = with("").problem();
    assert!(
        problem.contains("config_missing api.tls-certificate"),
        "{problem}"
    );
    assert!(problem.contains("plaintext = \"loopback-only\""), "{problem}");
    assert!(with("plaintext = \"loopback-only\"").config().api.tls.is_none());
    let problem = with("plaintext = \"loopback\"").problem();
    assert!(problem.ends_with("did you mean \"loopback-only\"?"), "{problem}");
    let problem = with("listen = \"0.0.0.0:1\"\nplaintext = \"loopback-only\"").problem();
    assert!(problem.contains("other machines can reach"), "{problem}");
    let problem = encrypted("plaintext = \"loopback-only\"\n").problem();
    assert!(problem.contains("config_conflict api.plaintext"), "{problem}");
}

#[test]
fn vendors_are_asked_for_certificates_where_it_is_said_who_signs_them() {
    let digits = "0123456789abcdef".repeat(4);
    let colons = "01:23:45:67:89:AB:CD:EF:".repeat(4);
    let first = vendor("imaging", &format!("client-certificates = [\"sha256:{digits}\"]"));
    let office = encrypted(&format!("client-roots = \"roots.pem\"\n{first}"));
    let config = office.config();
    assert_eq!(
        config.api.tls.unwrap().client_roots,
        Some(office.path("roots.pem"))
    );
    let imaging = config.vendors.values().next().unwrap();
    assert_eq!((imaging.certificates.len(), imaging.token.is_none()), (1, true));

    let problem = encrypted(&first).problem();
    assert!(problem.contains("set api.client-roots"), "{problem}");
    let second = vendor(
        "ceph",
        &format!(
            "client-certificates = [\"sha256:{}\"]",
            colons.trim_end_matches(':')
        ),
    );
    let problem = encrypted(&format!("client-roots = \"roots.pem\"\n{first}{second}")).problem();
    assert!(
        problem.contains("is the same as vendors.ceph.client-certificates[0]"),
        "{problem}"
    );
    let third = vendor("ceph", "client-certificates = [\"0123\"]");
    let problem = encrypted(&format!("client-roots = \"roots.pem\"\n{third}")).problem();
    assert!(problem.contains("is no SHA-256 of a certificate"), "{problem}");
    let problem = Office::with(&format!(
        "[api]\nclient-roots = \"roots.pem\"\n{}",
        vendor("ceph", "token = { file = \"t\" }")
    ))
    .secret("t", TOKEN)
    .problem();
    assert!(problem.contains("config_conflict api.client-roots"), "{problem}");
}

#[test]
fn how_many_connections_there_are_is_bounded() {
    let api = |lines: &str| Office::with(&format!("[api]\n{lines}\n"));
    let connections = |office: &Office| {
        let connections = office.config().api.connections;
        (connections.all.get(), connections.per_address.get())
    };
    assert_eq!(connections(&api("")), (2048, 64));
    assert_eq!(
        connections(&api("connections = 16\nconnections-per-address = 1")),
        (16, 1)
    );
    for lines in [
        "connections = 15",
        "connections = 65537",
        "connections-per-address = 0",
    ] {
        assert!(api(lines).problem().contains("is out of bounds"), "{lines}");
    }
}
