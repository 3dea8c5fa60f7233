//! The second stage of `[telemetry]`: where the broker can be watched.

use super::{
    check::Check,
    model::{Api, Telemetry},
    problem::ProblemKind,
    raw::RawTelemetry,
};
use std::net::SocketAddr;

/// Parses `[telemetry]`. Nothing about a patient is shown there, so that any address will do.
pub(super) fn telemetry(check: &mut Check<'_>, raw: RawTelemetry, api: Option<&Api>) -> Option<Telemetry> {
    let listen = match raw.listen {
        Some(written) => listen(check, "telemetry.listen", &written, api).map(Some),
        None => Some(None),
    };
    let otlp = match raw.otlp {
        Some(written) => collector(check, "telemetry.otlp", written).map(Some),
        None => Some(None),
    };
    Some(Telemetry {
        listen: listen?,
        otlp: otlp?,
    })
}

fn listen(check: &mut Check<'_>, key: &str, written: &str, api: Option<&Api>) -> Option<SocketAddr> {
    let Ok(address) = written.parse::<SocketAddr>() else {
        let way_out = "write an IP address and a port: \"127.0.0.1:9464\"; port 0 takes any free one";
        check.value(
            key,
            format!("\"{written}\" is not an address to listen on"),
            way_out,
        );
        return None;
    };
    if address.port() != 0 && api.is_some_and(|api| api.listen == address) {
        let what = format!("{address} is where the API listens");
        check.problem(
            key,
            ProblemKind::Conflict,
            what,
            "give one of the two another port",
        );
        return None;
    }
    Some(address)
}

fn collector(check: &mut Check<'_>, key: &str, written: String) -> Option<String> {
    match check_collector(&written) {
        Ok(()) => Some(written),
        Err(what) => {
            // The text is not shown: it may have a password in it.
            let way_out = "write scheme, host and port of the collector: \"http://127.0.0.1:4317\"";
            check.value(key, what, way_out);
            None
        }
    }
}

fn check_collector(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("has another scheme than http:// or https://")?;
    let host = rest.split('/').next().unwrap_or_default();
    match rest {
        rest if rest.contains('@') => Err("has a user or password in it"),
        rest if host.is_empty()
            || host.starts_with(':')
            || !rest.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Err("has no host")
        }
        rest if rest.contains(['?', '#']) => Err("has a query or a fragment"),
        _ => Ok(()),
    }
}
