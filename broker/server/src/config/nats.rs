//! The second stage of `[nats]`: a server of the broker's own, or somebody else's.

use super::{
    check::Check,
    model::{Nats, NatsLogin, NatsServer},
    problem::ProblemKind,
    raw::{RawNats, RawSecret},
    secrets::read_secret,
    units::ByteSize,
};
use std::{
    env, fs,
    num::NonZeroUsize,
    ops::RangeInclusive,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Names the binary of the supervised server. What `ARCHWIRE__NATS__SERVER` says goes before it.
const SERVER_VARIABLE: &str = "ARCHWIRE_NATS_SERVER";
const BINARY: &str = "nats-server";
/// The server reserves space for the log and the buckets when they are made; less than 2 GiB would not hold them.
const MAX_STORE: RangeInclusive<ByteSize> =
    ByteSize::from_mebibytes(2 * 1024)..=ByteSize::from_mebibytes(64 * 1024 * 1024);
const DEFAULT_MAX_STORE: ByteSize = ByteSize::from_mebibytes(10 * 1024);

/// Parses `[nats]`.
pub(super) fn nats(check: &mut Check<'_>, mut raw: RawNats) -> Option<Nats> {
    let max_store = match raw.max_store.take() {
        Some(written) => check.size("nats.max-store", &written, MAX_STORE),
        None => Some(DEFAULT_MAX_STORE),
    };
    let replicas = match raw.replicas {
        Some(written) => check
            .number("nats.replicas", written, 1..=5)
            .and_then(NonZeroUsize::new),
        None => Some(NonZeroUsize::MIN),
    };
    let server = match raw.url.take() {
        Some(url) => external(check, &url, raw),
        None => supervised(check, raw, replicas),
    };
    Some(Nats {
        server: server?,
        max_store: max_store?,
        replicas: replicas?,
    })
}

fn supervised(check: &mut Check<'_>, raw: RawNats, replicas: Option<NonZeroUsize>) -> Option<NatsServer> {
    let foreign = [
        ("nats.root-certificate", raw.root_certificate.is_some()),
        ("nats.credentials", raw.credentials.is_some()),
        ("nats.token", raw.token.is_some()),
        ("nats.user", raw.user.is_some()),
        ("nats.password", raw.password.is_some()),
    ];
    for (key, _) in foreign.into_iter().filter(|(_, given)| *given) {
        let what = "is for a server of your own, and there is no nats.url";
        let way_out = "add nats.url, or remove this key: the broker makes the key of its own server itself";
        check.problem(key, ProblemKind::Conflict, what, way_out);
    }
    if replicas.is_some_and(|replicas| replicas.get() > 1) {
        let way_out = "remove it, or give the nats.url of a cluster";
        check.problem(
            "nats.replicas",
            ProblemKind::Conflict,
            "the broker's own server is a single one",
            way_out,
        );
    }
    Some(NatsServer::Supervised {
        binary: binary(check, raw.server)?,
    })
}

fn binary(check: &mut Check<'_>, written: Option<String>) -> Option<PathBuf> {
    let key = "nats.server";
    let written = match check.variable(SERVER_VARIABLE) {
        Some(variable) if !check.is_override(key) => Some(variable.to_owned()),
        _ => written,
    };
    if let Some(written) = written {
        let file = check.path(&written);
        if is_executable(&file) {
            return Some(file);
        }
        let what = format!("{} is not an executable file", file.display());
        check.problem(
            key,
            ProblemKind::File,
            what,
            "write the path of the nats-server binary",
        );
        return None;
    }
    let folders = check.variable("PATH").unwrap_or_default();
    let found = env::split_paths(folders)
        .map(|folder| folder.join(BINARY))
        .find(|file| is_executable(file));
    if found.is_none() {
        let way_out =
            "install nats-server, or write its path: server = \"/usr/local/bin/nats-server\" under [nats]";
        check.problem(
            key,
            ProblemKind::File,
            "is not written, and no nats-server is on the PATH",
            way_out,
        );
    }
    found
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn external(check: &mut Check<'_>, url: &str, mut raw: RawNats) -> Option<NatsServer> {
    if raw.server.is_some() {
        let what = "is for the broker's own server, and nats.url names another one";
        check.problem("nats.server", ProblemKind::Conflict, what, "keep one of the two");
    }
    let url = server_urls(check, url);
    let root_certificate = match raw.root_certificate.take() {
        Some(file) => root_certificate(check, &file).map(Some),
        None => Some(None),
    };
    let login = login(check, raw);
    Some(NatsServer::External {
        url: url?,
        login: login?,
        root_certificate: root_certificate?,
    })
}

fn server_urls(check: &mut Check<'_>, urls: &str) -> Option<String> {
    let Some(what) = urls.split(',').find_map(|url| check_url(url).err()) else {
        return Some(urls.to_owned());
    };
    // The text is not shown: it may have a password in it.
    let way_out =
        "write \"tls://nats.example.com:4222\"; a login goes into credentials, token, or user and password";
    check.value("nats.url", what, way_out);
    None
}

fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = url.strip_prefix("nats://").or_else(|| url.strip_prefix("tls://"));
    match rest.ok_or("has another scheme than nats:// or tls://")? {
        rest if rest.contains('@') => Err("has a user or password in it"),
        rest if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_graphic()) => Err("has no host"),
        rest if rest.contains(['/', '?', '#']) => Err("has more than a host and a port"),
        _ => Ok(()),
    }
}

fn root_certificate(check: &mut Check<'_>, file: &str) -> Option<PathBuf> {
    let file = check.path(file);
    if !file.is_file() {
        let what = format!("there is no file {}", file.display());
        check.problem(
            "nats.root-certificate",
            ProblemKind::File,
            what,
            "write the path of a PEM file",
        );
        return None;
    }
    Some(file)
}

fn login(check: &mut Check<'_>, raw: RawNats) -> Option<NatsLogin> {
    match (raw.credentials, raw.token, raw.user, raw.password) {
        (None, None, None, None) => Some(NatsLogin::Nothing),
        (Some(credentials), None, None, None) => {
            credentials_file(check, &credentials).map(NatsLogin::Credentials)
        }
        (None, Some(token), None, None) => read_secret(check, "nats.token", &token).map(NatsLogin::Token),
        (None, None, Some(name), Some(password)) => {
            let password = read_secret(check, "nats.password", &password)?;
            Some(NatsLogin::User { name, password })
        }
        (None, None, user, _) => {
            let key = if user.is_some() {
                "nats.password"
            } else {
                "nats.user"
            };
            check.required(key, None, "user and password belong together")
        }
        _ => {
            let way_out = "keep one of: credentials; token; user and password";
            check.problem(
                "nats",
                ProblemKind::Conflict,
                "has more than one kind of login",
                way_out,
            );
            None
        }
    }
}

/// The client reads the file itself, each time that it connects. Reading it here only finds out early that it can.
fn credentials_file(check: &mut Check<'_>, reference: &RawSecret) -> Option<PathBuf> {
    let key = "nats.credentials";
    if reference.env.is_some() {
        check.problem(
            key,
            ProblemKind::Conflict,
            "can only be a file",
            "write { file = \"PATH\" }",
        );
        return None;
    }
    read_secret(check, key, reference)?;
    reference.file.as_deref().map(|file| check.path(file))
}
