//! A collector of traces, as any that speaks OTLP: it keeps what it is sent, and tells how spans hang together.

use anyhow::{Context as _, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{Server, server::TcpIncoming};
use tonic::{Request, Response, Status};

/// A collector that listens. Dropping it ends it.
pub(crate) struct Collector {
    address: SocketAddr,
    kept: Kept,
    _stop: DropGuard,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    pub(crate) async fn start() -> Result<Self> {
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = incoming.local_addr()?;
        let (kept, stop) = (Kept::default(), CancellationToken::new());
        let service = TraceServiceServer::new(kept.clone());
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
        // Ends with the guard.
        tokio::spawn(serving);
        Ok(Self {
            address,
            kept,
            _stop: stop.drop_guard(),
        })
    }

    /// What the configuration says of it.
    pub(crate) fn configuration(&self) -> String {
        format!("\n[telemetry]\notlp = \"http://{}\"\n", self.address)
    }

    /// Everything that it was sent, as bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().flat_map(|request| request.encode_to_vec()).collect()
    }

    /// All spans so far.
    pub(crate) fn spans(&self) -> Spans {
        let kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        let resources = kept.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        Spans(scopes.flat_map(|scope| &scope.spans).cloned().collect())
    }
}

/// Spans, of one trace or of many.
pub(crate) struct Spans(Vec<Span>);

impl Spans {
    pub(crate) fn all(&self) -> &[Span] {
        &self.0
    }

    /// Those of one trace.
    pub(crate) fn of_trace(&self, trace_id: &[u8]) -> Self {
        let spans = self.0.iter().filter(|span| span.trace_id == trace_id);
        Self(spans.cloned().collect())
    }

    /// Those with a name and an attribute.
    pub(crate) fn with<'a>(&'a self, name: &'a str, key: &'a str, value: &'a str) -> Vec<&'a Span> {
        let spans = self.0.iter().filter(|span| span.name == name);
        spans
            .filter(|span| attribute(span, key).as_deref() == Some(value))
            .collect()
    }

    /// Those with this way up.
    pub(crate) fn at<'a>(&'a self, way_up: &'a [&str]) -> impl Iterator<Item = &'a Span> {
        let is_there = move |span: &&Span| self.way_up(span).is_ok_and(|way| way == way_up);
        self.0.iter().filter(is_there)
    }

    /// The names from a span up to its trace's beginning, its own first.
    pub(crate) fn way_up(&self, span: &Span) -> Result<Vec<String>> {
        let mut names = vec![span.name.clone()];
        let mut parent = span.parent_span_id.clone();
        while !parent.is_empty() {
            let Some(above) = self.0.iter().find(|span| span.span_id == parent) else {
                // It is a vendor's, or has not ended yet.
                names.push("?".to_owned());
                return Ok(names);
            };
            ensure!(names.len() < 100, "a circle of spans");
            ensure!(above.trace_id == span.trace_id, "a parent in another trace");
            names.push(above.name.clone());
            parent = above.parent_span_id.clone();
        }
        Ok(names)
    }

    /// What is there, for a test that misses something.
    pub(crate) fn told(&self) -> String {
        let line = |span: &Span| {
            let way = self.way_up(span).unwrap_or_default().join(" < ");
            let pairs = span.attributes.iter();
            let pairs =
                pairs.filter_map(|pair| Some(format!("{}={}", pair.key, attribute(span, &pair.key)?)));
            format!("{way} {:?}\n", pairs.collect::<Vec<_>>())
        };
        self.0.iter().map(line).collect()
    }

    /// Makes sure that a span with this way up is there.
    pub(crate) fn has<'a>(&'a self, way_up: &'a [&str]) -> Result<&'a Span> {
        let none = || format!("no {}, but\n{}", way_up.join(" < "), self.told());
        self.at(way_up).next().with_context(none)
    }
}

/// What a span says under a key, as text.
pub(crate) fn attribute(span: &Span, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::BoolValue(is_so) => Some(is_so.to_string()),
        _ => None,
    }
}
