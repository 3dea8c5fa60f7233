//! One call's requests: where the runtime hands them over.

use super::{
    headers::ForbiddenHeaders,
    told::{Sending, Teller},
    upstream::{Admitted, Upstreams},
};
use crate::{activity::Activity, call::CallLimits, limits::BODY_CHUNK_BYTES};
use archwire_core::SystemName;
use http::{HeaderName, Method, Request, Response};
use std::{
    collections::BTreeMap,
    future::{Future, ready},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

/// The code of an image that was not passed on because a secret of the system was in it.
pub(crate) const SECRET_IN_ANSWER: &str = "secret_in_answer";

/// What one call's requests came to, for the end of the call.
pub(crate) struct Traces {
    denials: Mutex<BTreeMap<&'static str, u32>>,
    response_too_large: AtomicBool,
    /// Nobody is told of what a component does while it describes itself: it has no system yet, and no requests.
    teller: Option<Teller>,
    activity: Activity,
}

impl Traces {
    /// Of a component that describes itself.
    pub(crate) fn nowhere() -> Self {
        Self {
            denials: Mutex::default(),
            response_too_large: AtomicBool::new(false),
            teller: None,
            activity: Activity::begin(),
        }
    }

    /// Of a call to a system, whose span is the current one.
    pub(crate) fn here(system: SystemName) -> Self {
        Self {
            teller: Some(Teller::here(system)),
            ..Self::nowhere()
        }
    }

    /// When something of the call last moved.
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// A request is on its way now.
    pub(super) fn sending(&self, method: &Method) -> Option<Sending> {
        self.teller.as_ref().map(|teller| teller.sending(method))
    }

    /// A request is not sent: `denied` or `deferred`.
    pub(super) fn not_sent(&self, class: &'static str) {
        if let Some(teller) = &self.teller {
            teller.not_sent(class);
        }
    }

    /// Counts a refusal by its code, and is what the connector gets to see of it.
    pub(crate) fn deny(&self, code: &'static str) -> Error {
        self.count_denial(code);
        Error::HttpRequestDenied
    }

    /// Counts an answer that was ended before a secret. The connector sees that it broke off, and not that its request was
    /// refused: the request was sent.
    pub(super) fn secret_in_answer(&self) -> Error {
        self.count_denial(SECRET_IN_ANSWER);
        Error::HttpResponseIncomplete
    }

    fn count_denial(&self, code: &'static str) {
        *self
            .denials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(code)
            .or_default() += 1;
    }

    pub(crate) fn response_too_large(&self) {
        self.response_too_large.store(true, Ordering::Relaxed);
    }

    /// Whether a response went beyond its bound.
    pub(crate) fn had_too_large(&self) -> bool {
        self.response_too_large.load(Ordering::Relaxed)
    }

    /// How many requests and answers were refused, by code.
    pub(crate) fn denials(&self) -> BTreeMap<&'static str, u32> {
        self.denials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One call's requests.
pub(crate) struct Outgoing {
    upstreams: Arc<Upstreams>,
    traces: Arc<Traces>,
    limits: CallLimits,
    requests_left: u32,
    forbidden: ForbiddenHeaders,
}

impl Outgoing {
    pub(crate) fn new(upstreams: Arc<Upstreams>, traces: Arc<Traces>, limits: CallLimits) -> Self {
        let requests_left = upstreams.limits().requests;
        let forbidden = upstreams.forbidden().clone();
        Self {
            upstreams,
            traces,
            limits,
            requests_left,
            forbidden,
        }
    }

    fn admit(&mut self, request: &Request<WasiBody>) -> Result<Admitted, Error> {
        let Some(left) = self.requests_left.checked_sub(1) else {
            return Err(self.traces.deny("requests_exhausted"));
        };
        self.requests_left = left;
        self.upstreams.admit(request, &self.traces)
    }
}

type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Worker), Error>> + Send>;

impl WasiHttpHooks for Outgoing {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        let forbidden = self.forbidden.clone();
        Arc::new(move |name| forbidden.contains(name))
    }

    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        self.forbidden.contains(name)
    }

    /// The client sets it, from the URI that was made from the grant.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Worker,
    ) -> Sent {
        let admitted = self.admit(&request);
        self.traces.activity().moved();
        let limits = self.limits;
        if admitted.is_err() {
            self.traces.not_sent("denied");
        }
        let (upstreams, traces) = (Arc::clone(&self.upstreams), Arc::clone(&self.traces));
        Box::new(async move {
            let response = upstreams
                .send(admitted?, request, options.unwrap_or_default(), limits, &traces)
                .await?;
            Ok((response, Box::new(ready(Ok(()))) as Worker))
        })
    }
}
