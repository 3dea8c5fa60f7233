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
const MAX_STORE: RangeInclusive<ByteSize> =
    ByteSize::from_mebibytes(64)..=ByteSize::from_mebibytes(64 * 1024 * 1024);
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
    let logins = [
        ("nats.credentials", raw.credentials.is_some()),
        ("nats.token", raw.token.is_some()),
        ("nats.user", raw.user.is_some()),
        ("nats.password", raw.password.is_some()),
    ];
    for (key, _) in logins.into_iter().filter(|(_, given)| *given) {
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

fn external(check: &mut Check<'_>, url: &str, raw: RawNats) -> Option<NatsServer> {
    if raw.server.is_some() {
        let what = "is for the broker's own server, and nats.url names another one";
        check.problem("nats.server", ProblemKind::Conflict, what, "keep one of the two");
    }
    let url = server_url(check, url);
    let login = login(check, raw);
    Some(NatsServer::External {
        url: url?,
        login: login?,
    })
}

fn server_url(check: &mut Check<'_>, url: &str) -> Option<String> {
    let rest = url.strip_prefix("nats://").or_else(|| url.strip_prefix("tls://"));
    let what = match rest {
        None => "has another scheme than nats:// or tls://",
        // The text is not shown: it has a password in it.
        Some(rest) if rest.contains('@') => "has a user or password in it",
        Some(rest) if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_graphic()) => "has no host",
        Some(rest) if rest.contains(['/', '?', '#', ',']) => "has more than a host and a port",
        Some(_) => return Some(url.to_owned()),
    };
    let way_out =
        "write \"tls://nats.example.com:4222\"; a login goes into credentials, token, or user and password";
    check.value("nats.url", what, way_out);
    None
}

fn login(check: &mut Check<'_>, raw: RawNats) -> Option<NatsLogin> {
    let secret = |check: &mut Check<'_>, key: &str, reference: &RawSecret| read_secret(check, key, reference);
    match (raw.credentials, raw.token, raw.user, raw.password) {
        (None, None, None, None) => Some(NatsLogin::Nothing),
        (Some(credentials), None, None, None) => {
            secret(check, "nats.credentials", &credentials).map(NatsLogin::Credentials)
        }
        (None, Some(token), None, None) => secret(check, "nats.token", &token).map(NatsLogin::Token),
        (None, None, Some(name), Some(password)) => {
            secret(check, "nats.password", &password).map(|password| NatsLogin::User { name, password })
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
