//! Every request passes here, in this order: request log, faults, key, content type, throttle, eConnector, time limit.
//!
//! Processing runs in a task of its own: a client that hangs up, or is answered 504 after the limit (60 s unless
//! configured), does not stop it, just as on the real server. That is how a timed-out POST can have succeeded.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, request::Parts};
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::faults::{Fault, FaultKind};
use crate::journal::Arrival;
use crate::keys::ApiKey;
use crate::options::Mode;
use crate::params::Params;
use crate::refusal::{ECONNECTOR_DOWN, Refusal};
use crate::routes;
use crate::shared::Shared;
use crate::throttle::whole_seconds;
use crate::validate::MAX_BODY_CHARS;
use crate::wire::Line;

/// Where the API begins.
pub(crate) const PREFIX: &str = "/api/v1";
/// A character has at most four bytes.
const MAX_BODY_BYTES: usize = MAX_BODY_CHARS * 4;

/// A request as the routes see it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Below `/api/v1`.
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) body: Bytes,
    /// Its number in the request log.
    pub(crate) request: u64,
    authorization: Option<String>,
    content_type: Option<String>,
}

/// What happens on the wire.
enum Ending {
    Send(Answer),
    SendHalf(Answer),
    Cut,
}

impl Ending {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Send(answer) | Self::SendHalf(answer) => Some(answer.status),
            Self::Cut => None,
        }
    }
}

/// Answers one request below `/api/v1`.
pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut call = Call::new(&parts);
    let fault = shared.faults().take(&call.method, &call.path);
    let at = shared.clock.now();
    let entry = shared.journal.open(Arrival {
        at,
        local: shared.clock.local_at(at),
        method: call.method.clone(),
        path: call.path.clone(),
        query_names: call.params.names(),
        customer_key: shared.keys().known(call.authorization.as_deref()),
        fault: fault.as_ref().map(Fault::name),
    });
    call.request = entry.id();
    let resource = routes::resource(&call.path);
    let method = call.method.clone();
    let ending = tokio::select! {
        ending = play(&shared, call, body, fault) => ending,
        () = shared.stopped() => Ending::Cut,
    };
    let status = ending.status();
    tracing::debug!(method, resource, status, "answered");
    match ending {
        Ending::Send(answer) => {
            entry.answered(answer.status);
            response(&answer, Body::from(answer.body.clone()))
        }
        Ending::SendHalf(answer) => {
            entry.answered(answer.status);
            response(&answer, half_body(&answer))
        }
        Ending::Cut => {
            line.cut();
            Response::default()
        }
    }
}

async fn play(shared: &Arc<Shared>, mut call: Call, body: Body, fault: Option<Fault>) -> Ending {
    match axum::body::to_bytes(body, MAX_BODY_BYTES).await {
        Ok(bytes) => call.body = bytes,
        Err(_) => {
            return Ending::Send(refused(
                shared,
                &Refusal::bad("Request body exceeds the maximum length"),
            ));
        }
    }
    let before = fault
        .as_ref()
        .filter(|fault| !fault.after_applying)
        .map(|fault| &fault.kind);
    match before {
        Some(FaultKind::Status { status, retry_after }) => {
            return Ending::Send(trouble(shared, *status, *retry_after));
        }
        Some(FaultKind::Garbage) => return Ending::Send(garbage()),
        Some(FaultKind::Drop) => return Ending::Cut,
        Some(FaultKind::Hang) => return std::future::pending().await,
        _ => {}
    }
    let delay = match fault.as_ref().map(|fault| (&fault.kind, fault.after_applying)) {
        Some((FaultKind::Delay(by), after)) => Some((*by, after)),
        _ => None,
    };
    let answer = match admitted(shared, call, delay).await {
        Ok(answer) => answer,
        Err(refusal) => refused(shared, &refusal),
    };
    match fault.as_ref().map(|fault| (&fault.kind, fault.after_applying)) {
        Some((FaultKind::Status { status, retry_after }, true)) => {
            Ending::Send(trouble(shared, *status, *retry_after))
        }
        Some((FaultKind::Garbage, true)) => Ending::Send(garbage()),
        Some((FaultKind::Drop, true)) => Ending::Cut,
        Some((FaultKind::Hang, true)) => std::future::pending().await,
        Some((FaultKind::HalfBody, _)) => Ending::SendHalf(answer),
        Some((FaultKind::InvalidJson, _)) => Ending::Send(Answer {
            body: answer.half().to_owned(),
            ..answer.clone()
        }),
        _ => Ending::Send(answer),
    }
}

/// The answer to a request that nothing disturbs but an optional delay.
async fn admitted(
    shared: &Arc<Shared>,
    call: Call,
    delay: Option<(Duration, bool)>,
) -> Result<Answer, Refusal> {
    let options = &shared.options;
    let now = shared.clock.now();
    let key = shared.keys().admit(call.authorization.as_deref(), options, now)?;
    let json = call
        .content_type
        .as_deref()
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !json.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::bad("Content-Type header must be application/json"));
    }
    let _turn = shared.lanes.turn(&key, options).await?;
    if options.mode == Mode::Remote && !shared.faults().econnector_running {
        return Err(Refusal::bad(ECONNECTOR_DOWN));
    }
    let (sender, receiver) = oneshot::channel();
    let worker = Arc::clone(shared);
    let request = call.request;
    shared.spawn(async move {
        let answer = work(&worker, &key, &call, delay).await;
        // Nobody listens any more when the client left or was answered 504.
        let _ = sender.send(answer);
    });
    shared.journal.begin(request);
    match tokio::time::timeout(options.processing_limit, receiver).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Refusal::new(500, "The request could not be processed")),
        Err(_) => Err(Refusal::new(
            504,
            "The specified API resource did not complete processing within the 60 second time limit.",
        )),
    }
}

async fn work(
    shared: &Shared,
    key: &ApiKey,
    call: &Call,
    delay: Option<(Duration, bool)>,
) -> Result<Answer, Refusal> {
    routes::note_invitation(shared, call);
    match delay {
        Some((by, true)) => {
            let answer = routes::answer_late(shared, key, call).await;
            tokio::time::sleep(by).await;
            answer
        }
        Some((by, false)) => {
            tokio::time::sleep(by).await;
            routes::answer_late(shared, key, call).await
        }
        None => routes::answer_late(shared, key, call).await,
    }
}

impl Call {
    fn new(parts: &Parts) -> Self {
        let params = Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| pairs)
            .unwrap_or_default();
        Self {
            method: parts.method.to_string(),
            path: parts
                .uri
                .path()
                .strip_prefix(PREFIX)
                .unwrap_or_default()
                .to_owned(),
            params: Params(params),
            body: Bytes::new(),
            request: 0,
            authorization: text(&parts.headers, AUTHORIZATION.as_str()),
            content_type: text(&parts.headers, CONTENT_TYPE.as_str()),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn refused(shared: &Shared, refusal: &Refusal) -> Answer {
    Answer::refusal(refusal, &shared.options)
}

fn trouble(shared: &Shared, status: u16, retry_after: Option<Duration>) -> Answer {
    let text = match status {
        429 => shared.options.unknowns.throttle_text.as_str(),
        504 => "The specified API resource did not complete processing within the 60 second time limit.",
        _ => "An error occurred while processing the request.",
    };
    let refusal = Refusal {
        retry_after: retry_after.map(whole_seconds),
        ..Refusal::new(status, text)
    };
    refused(shared, &refusal)
}

/// What a captive portal or a proxy says in the API's place.
fn garbage() -> Answer {
    Answer {
        status: 200,
        body: "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>".to_owned(),
        location: None,
        retry_after: None,
    }
}

fn response(answer: &Answer, body: Body) -> Response {
    let mut builder = Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(CONTENT_LENGTH, answer.body.len());
    if let Some(location) = &answer.location {
        builder = builder.header(LOCATION, location);
    }
    if let Some(seconds) = answer.retry_after {
        builder = builder.header(RETRY_AFTER, seconds);
    }
    // Only an impossible status makes this fail, and the fault parser admits none.
    builder.body(body).unwrap_or_default()
}

/// Half of the body and then an error, which makes the server close the connection.
fn half_body(answer: &Answer) -> Body {
    let half = Bytes::from(answer.half().to_owned());
    let end = async {
        // The first half must reach the socket before the error ends everything.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(end)))
}
