//! The second stage of `[api]`: where vendors connect, by which certificate they know the broker, and how many connections they
//! may have.
//!
//! Without TLS everybody on the way reads patients and tokens. Nobody gets that by leaving something out: without a certificate
//! `plaintext` has to say so, and then only on a loopback address.

use super::{
    check::{Check, nearest},
    model::{Api, Connections, Tls},
    problem::ProblemKind,
    raw::RawApi,
    secrets::read_secret_file,
};
use secrecy::ExposeSecret as _;
use std::{
    fs,
    net::SocketAddr,
    num::NonZeroUsize,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

const DEFAULT_LISTEN: &str = "127.0.0.1:7400";
/// What `plaintext` can say.
const LOOPBACK_ONLY: &str = "loopback-only";
/// Largest file of certificates, in bytes.
const MAX_CERTIFICATE: usize = 1024 * 1024;
/// Bounds and defaults of `connections` and `connections-per-address`.
const CONNECTIONS: RangeInclusive<usize> = 16..=65_536;
const PER_ADDRESS: RangeInclusive<usize> = 1..=65_536;

/// Parses `[api]`.
pub(super) fn api(check: &mut Check<'_>, raw: RawApi) -> Option<Api> {
    let is_encrypted = raw.tls_certificate.is_some() || raw.tls_key.is_some();
    let plaintext = raw
        .plaintext
        .map(|written| plaintext(check, &written, is_encrypted));
    let tls = tls(check, raw.tls_certificate, raw.tls_key, raw.client_roots);
    let listen = listen(check, raw.listen.as_deref().unwrap_or(DEFAULT_LISTEN));
    if let Some(listen) = listen.filter(|_| !is_encrypted) {
        unencrypted(check, listen, plaintext.is_some());
    }
    let default = Connections::default();
    let all = number(
        check,
        "api.connections",
        raw.connections,
        CONNECTIONS,
        default.all,
    );
    let per_address = number(
        check,
        "api.connections-per-address",
        raw.connections_per_address,
        PER_ADDRESS,
        default.per_address,
    );
    plaintext.unwrap_or(Some(()))?;
    Some(Api {
        listen: listen?,
        tls: tls?,
        connections: Connections {
            all: all?,
            per_address: per_address?,
        },
    })
}

fn listen(check: &mut Check<'_>, written: &str) -> Option<SocketAddr> {
    let parsed = written.parse::<SocketAddr>();
    if parsed.is_err() {
        let what = format!("\"{written}\" is not an address to listen on");
        let way_out = "write an IP address and a port: \"127.0.0.1:7400\"; port 0 takes any free one";
        check.value("api.listen", what, way_out);
    }
    parsed.ok()
}

fn plaintext(check: &mut Check<'_>, written: &str, is_encrypted: bool) -> Option<()> {
    let key = "api.plaintext";
    if written != LOOPBACK_ONLY {
        let way_out = match nearest(written, [LOOPBACK_ONLY].into_iter()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write \"{LOOPBACK_ONLY}\", or remove it and give a certificate"),
        };
        check.value(key, format!("\"{written}\" is not what it can say"), way_out);
        return None;
    }
    if is_encrypted {
        let what = "says that nothing is encrypted, and there is a certificate";
        check.problem(
            key,
            ProblemKind::Conflict,
            what,
            "remove it, or the certificate and its key",
        );
        return None;
    }
    Some(())
}

/// Notes an API without TLS that others could reach, or that nobody asked for.
fn unencrypted(check: &mut Check<'_>, listen: SocketAddr, is_asked_for: bool) {
    if !listen.ip().is_loopback() {
        let what = format!(
            "other machines can reach {listen}, and without TLS patients and tokens would cross the network in clear"
        );
        let way_out = "set api.tls-certificate and api.tls-key, or listen on 127.0.0.1";
        check.value("api.listen", what, way_out);
    } else if !is_asked_for {
        let way_out = format!(
            "set api.tls-certificate and api.tls-key; or write plaintext = \"{LOOPBACK_ONLY}\" under [api], so that every program \
             on this machine that may look at its traffic sees patients and tokens"
        );
        check.required::<()>("api.tls-certificate", None, &way_out);
    }
}

/// None where something is wrong, else the files where there are any.
fn tls(
    check: &mut Check<'_>,
    certificate: Option<String>,
    key: Option<String>,
    roots: Option<String>,
) -> Option<Option<Tls>> {
    if certificate.is_none() && key.is_none() {
        if roots.is_some() {
            let what = "asks for certificates of vendors, and there is none of the broker";
            let way_out = "set api.tls-certificate and api.tls-key, or remove it";
            check.problem("api.client-roots", ProblemKind::Conflict, what, way_out);
            return None;
        }
        return Some(None);
    }
    let way_out = "a certificate and its key belong together: give both, or none";
    let certificate = check.required("api.tls-certificate", certificate, way_out);
    let key = check.required("api.tls-key", key, way_out);
    let certificate = certificate.and_then(|file| certificates(check, "api.tls-certificate", &file));
    let key = key.and_then(|file| private_key(check, &file));
    let client_roots = match roots {
        Some(file) => certificates(check, "api.client-roots", &file).map(Some),
        None => Some(None),
    };
    Some(Some(Tls {
        certificate: certificate?,
        key: key?,
        client_roots: client_roots?,
    }))
}

fn private_key(check: &mut Check<'_>, file: &str) -> Option<PathBuf> {
    let file = check.path(file);
    let text = read_secret_file(check, "api.tls-key", &file)?;
    if !text.expose_secret().contains("PRIVATE KEY-----") {
        let what = format!("{} has no private key in PEM form in it", file.display());
        check.problem("api.tls-key", ProblemKind::File, what, "");
        return None;
    }
    Some(file)
}

fn certificates(check: &mut Check<'_>, key: &str, file: &str) -> Option<PathBuf> {
    let file = check.path(file);
    let what = match read(&file) {
        Ok(true) => return Some(file),
        Ok(false) => format!("{} has no certificate in PEM form in it", file.display()),
        Err(error) => format!("{} cannot be read: {error}", file.display()),
    };
    let way_out =
        "name a file in PEM form that the broker's user can read: its own certificate first, then the chain";
    check.problem(key, ProblemKind::File, what, way_out);
    None
}

fn read(file: &Path) -> std::io::Result<bool> {
    let text = fs::read_to_string(file)?;
    Ok(text.len() <= MAX_CERTIFICATE && text.contains("-----BEGIN CERTIFICATE-----"))
}

fn number(
    check: &mut Check<'_>,
    key: &str,
    written: Option<i64>,
    bounds: RangeInclusive<usize>,
    default: NonZeroUsize,
) -> Option<NonZeroUsize> {
    match written {
        Some(written) => check.number(key, written, bounds).and_then(NonZeroUsize::new),
        None => Some(default),
    }
}
