//! What is told of requests: how many, how long until the head of the answer, and a span in the trace of their call.
//!
//! The sandbox runs without a subscriber, because the runtime traces what connectors pass to it. A request's span is
//! therefore made with the subscriber that its call has, and is never entered: nothing that the HTTP library says gets
//! into a trace. Of a request the method is told and the status, and neither host nor path.

use archwire_core::{SystemName, metric, span};
use http::{Method, StatusCode};
use tokio::time::Instant;
use tracing::{Span, dispatcher, field::Empty, info_span};
use wasmtime_wasi_http::Error;

/// Whom one call's requests are told of.
pub(super) struct Teller {
    system: SystemName,
    call: Span,
}

/// A request that is being sent. Dropped before it was answered, it is told as one that failed.
pub(super) struct Sending {
    system: SystemName,
    span: Span,
    began: Instant,
    is_told: bool,
}

impl Teller {
    /// Of the requests of a call to a system, whose span is the current one.
    pub(super) fn here(system: SystemName) -> Self {
        Self {
            system,
            call: Span::current(),
        }
    }

    /// A request that is not sent: `denied`, or `deferred`.
    pub(super) fn not_sent(&self, class: &'static str) {
        count(&self.system, class);
    }

    /// A request begins now.
    pub(super) fn sending(&self, method: &Method) -> Sending {
        let made = || {
            info_span!(
                target: span::TARGET, parent: &self.call, span::HTTP, system = %self.system, otel.kind = "client",
                http.request.method = method.as_str(), http.response.status_code = Empty, otel.status_code = Empty
            )
        };
        let span = self
            .call
            .with_subscriber(|(_, dispatch)| dispatcher::with_default(dispatch, made));
        Sending {
            system: self.system.clone(),
            span: span.unwrap_or_else(Span::none),
            began: Instant::now(),
            is_told: false,
        }
    }
}

impl Sending {
    /// The head of the answer is there, or there will be none.
    pub(super) fn ended(mut self, status: Result<StatusCode, &Error>) {
        match status {
            Ok(status) => self.answered(status),
            Err(error) => self.tell(failure(error)),
        }
    }

    fn answered(&mut self, status: StatusCode) {
        self.span.record("http.response.status_code", status.as_u16());
        let seconds = metrics::histogram!(metric::REQUEST_SECONDS, "system" => self.system.to_string());
        seconds.record(self.began.elapsed());
        self.tell(class(status));
    }

    fn tell(&mut self, class: &'static str) {
        if !matches!(class, "1xx" | "2xx" | "3xx") {
            self.span.record("otel.status_code", "ERROR");
        }
        count(&self.system, class);
        self.is_told = true;
    }
}

impl Drop for Sending {
    /// The call was given up, at its deadline or because nobody wants to know any more.
    fn drop(&mut self) {
        if !self.is_told {
            self.tell("abandoned");
        }
    }
}

fn count(system: &SystemName, class: &'static str) {
    metrics::counter!(metric::REQUESTS, "system" => system.to_string(), "class" => class).increment(1);
}

/// What came instead of an answer.
fn failure(error: &Error) -> &'static str {
    match error {
        Error::DestinationIpProhibited | Error::HttpRequestDenied => "denied",
        Error::DnsTimeout
        | Error::ConnectionTimeout
        | Error::ConnectionReadTimeout
        | Error::ConnectionWriteTimeout
        | Error::HttpResponseTimeout => "timeout",
        Error::Connect(_)
        | Error::DnsError { .. }
        | Error::DestinationNotFound
        | Error::DestinationUnavailable
        | Error::DestinationIpUnroutable
        | Error::ConnectionRefused
        | Error::ConnectionLimitReached => "unreachable",
        Error::Tls(_)
        | Error::TlsProtocolError
        | Error::TlsCertificateError
        | Error::TlsAlertReceived { .. } => "tls",
        // The rest are ways in which a conversation that had begun is no HTTP, or broke off.
        _ => "broken",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn what_came_instead_of_an_answer_is_told_apart() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for (error, class) in [
            (Error::HttpRequestDenied, "denied"),
            (Error::ConnectionReadTimeout, "timeout"),
            (Error::Connect(refused()), "unreachable"),
            (Error::Tls(refused()), "tls"),
            (Error::HttpResponseIncomplete, "broken"),
        ] {
            assert_eq!(failure(&error), class);
        }
    }
}
