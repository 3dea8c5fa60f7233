//! The API's address, the NATS server, and what has a default.

use super::{Office, TOKEN};
use crate::config::{ByteSize, LogFormat, NatsLogin, NatsServer};
use secrecy::ExposeSecret;

#[test]
fn a_configuration_with_only_a_name_has_the_documented_defaults() {
    let office = Office::with("");
    let config = office.config();
    assert_eq!(config.file, office.path("archwire.toml"));
    assert_eq!(config.practice.as_str(), "maple-street");
    assert_eq!(config.data_folder, office.path("archwire-data"));
    assert_eq!(config.connectors_folder, office.path("connectors"));
    assert_eq!(
        (config.api.listen.to_string().as_str(), config.api.tls.is_none()),
        ("127.0.0.1:7400", true)
    );
    assert_eq!(
        (config.log.format, config.log.level.as_str()),
        (LogFormat::Human, "info")
    );
    assert_eq!(
        (config.nats.max_store, config.nats.replicas.get()),
        (ByteSize::from_mebibytes(10 * 1024), 1)
    );
    let NatsServer::Supervised { binary } = config.nats.server else {
        panic!("supervised by default")
    };
    assert_eq!(binary, office.path("bin/nats-server"));
    assert!(config.systems.is_empty() && config.vendors.is_empty());
}

#[test]
fn the_supervised_servers_binary_is_the_variables_then_the_files_then_the_paths() {
    let office = Office::with("[nats]\nserver = \"own/nats-server\"\n");
    let binary = |office: &Office| match office.config().nats.server {
        NatsServer::Supervised { binary } => binary,
        NatsServer::External { .. } => panic!("supervised"),
    };
    for folder in ["own", "other", "third"] {
        office.put(&format!("{folder}/nats-server"), "", 0o755);
    }
    assert_eq!(binary(&office), office.path("own/nats-server"));
    let other = office.path("other/nats-server");
    let office = office.variable("ARCHWIRE_NATS_SERVER", &other.display().to_string());
    assert_eq!(binary(&office), other);
    let office = office.variable("ARCHWIRE__NATS__SERVER", "third/nats-server");
    assert_eq!(binary(&office), office.path("third/nats-server"));
}

#[test]
fn a_binary_that_is_nowhere_or_cannot_run_is_an_error() {
    let problem = Office::with("").variable("PATH", "/nowhere").problem();
    assert!(
        problem.contains("config_file nats.server is not written, and no nats-server is on the PATH"),
        "{problem}"
    );
    let office = Office::with("[nats]\nserver = \"archwire.toml\"\n");
    assert!(
        office
            .problem()
            .contains("/office/archwire.toml is not an executable file"),
        "{}",
        office.problem()
    );
}

#[test]
fn another_server_is_used_with_each_kind_of_login() {
    let login = |keys: &str| {
        let text = format!("[nats]\nurl = \"tls://nats.example.com:4222\"\nreplicas = 3\n{keys}\n");
        let office = Office::with(&text).secret("secret", TOKEN).secret("ca.pem", "");
        let office = office.variable("PATH", "").variable("ARCHWIRE_NATS_SERVER", "x");
        let config = office.config();
        assert_eq!(config.nats.replicas.get(), 3);
        match config.nats.server {
            NatsServer::External {
                url,
                login,
                root_certificate,
            } => {
                assert_eq!(
                    root_certificate,
                    keys.contains("root").then(|| office.path("ca.pem"))
                );
                assert_eq!(url, "tls://nats.example.com:4222");
                login
            }
            NatsServer::Supervised { .. } => panic!("external"),
        }
    };
    assert!(matches!(
        login("root-certificate = \"ca.pem\""),
        NatsLogin::Nothing
    ));
    assert!(
        matches!(login("token = { file = \"secret\" }"), NatsLogin::Token(token) if token.expose_secret() == TOKEN)
    );
    assert!(matches!(
        login("credentials = { file = \"secret\" }"),
        NatsLogin::Credentials(_)
    ));
    let user = login("user = \"archwire\"\npassword = { file = \"secret\" }");
    assert!(matches!(user, NatsLogin::User { name, .. } if name == "archwire"));
}

#[test]
fn keys_of_nats_that_exclude_each_other_are_refused() {
    for (keys, complaint) in [
        (
            "token = { file = \"secret\" }",
            "config_conflict nats.token is for a server of your own",
        ),
        (
            "replicas = 3",
            "config_conflict nats.replicas the broker's own server is a single one",
        ),
        (
            "url = \"nats://h\"\nserver = \"x\"",
            "config_conflict nats.server is for the broker's own server",
        ),
        (
            "url = \"nats://h\"\nuser = \"u\"",
            "config_missing nats.password is missing",
        ),
        (
            "url = \"nats://h\"\npassword = { file = \"secret\" }",
            "config_missing nats.user is missing",
        ),
        (
            "url = \"nats://h\"\nuser = \"u\"\ntoken = { file = \"secret\" }",
            "config_conflict nats has more than one kind of login",
        ),
        (
            "url = \"nats://h\"\ncredentials = { env = \"CREDS\" }",
            "config_conflict nats.credentials can only be a file",
        ),
        (
            "url = \"nats://h\"\nroot-certificate = \"ca.pem\"",
            "config_file nats.root-certificate there is no file",
        ),
        (
            "root-certificate = \"ca.pem\"",
            "config_conflict nats.root-certificate is for a server of your own",
        ),
        (
            "url = \"nats://h,http://h\"",
            "config_value nats.url has another scheme",
        ),
        ("url = \"http://h\"", "config_value nats.url has another scheme"),
        (
            "url = \"nats://h/x\"",
            "config_value nats.url has more than a host and a port",
        ),
        ("url = \"nats://\"", "config_value nats.url has no host"),
        (
            "url = \"nats://h\"\nreplicas = 6",
            "config_value nats.replicas 6 is out of bounds -> write a whole number from 1 to 5",
        ),
        (
            "max-store = \"1MiB\"",
            "config_value nats.max-store \"1MiB\" is out of bounds",
        ),
    ] {
        let problem = Office::with(&format!("[nats]\n{keys}\n"))
            .secret("secret", TOKEN)
            .problem();
        assert!(problem.contains(complaint), "{problem}");
    }
}

#[test]
fn log_levels_are_those_of_the_filter_and_per_module() {
    for level in ["info", "warn,archwire_nats=debug", "off"] {
        assert_eq!(
            Office::with(&format!("[log]\nlevel = \"{level}\"\n"))
                .config()
                .log
                .level,
            level
        );
    }
    for level in ["", "loud", "archwire=loud", "info,inof"] {
        let problem = Office::with(&format!("[log]\nlevel = \"{level}\"\n")).problem();
        assert!(
            problem.contains(&format!("line 4: config_value log.level \"{level}\" is no level")),
            "{problem}"
        );
    }
}
