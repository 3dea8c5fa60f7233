//! Metrics and health over HTTP: `/metrics`, `/healthz`, `/readyz`, and nothing else.
//!
//! In clear, and without asking who is there: there is no patient data in it, and nothing can be changed by it. Bounds: 16
//! connections at a time, later ones wait; a request's head of at most 8 KiB, which has to come within 5 s; one request a
//! connection, which is closed after 10 s whatever happens. Bodies are not read.

use super::{TelemetryError, Vitals, gauges, metrics};
use crate::private_file;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{
    convert::Infallible,
    fs,
    future::ready,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{interval, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

const MOST_CONNECTIONS: usize = 16;
const LONGEST_HEAD: Duration = Duration::from_secs(5);
const LARGEST_HEAD: usize = 8 * 1024;
const LONGEST_CONNECTION: Duration = Duration::from_secs(10);
/// After a connection that could not be taken: mostly because there are too many open files.
const AFTER_TROUBLE: Duration = Duration::from_millis(100);
/// Holds the address while the broker can be watched, for programs on the same machine.
const ADDRESS_FILE: &str = "telemetry.address";

/// The broker is being watched. Dropping it ends that.
pub struct Watching {
    address: SocketAddr,
    file: PathBuf,
    vitals: Vitals,
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Watching {
    /// Begins to answer, and to collect metrics. How the broker is, it reads from `vitals`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn begin(listen: SocketAddr, folder: &Path, vitals: &Vitals) -> Result<Self, TelemetryError> {
        let failed = |source| TelemetryError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let collector = metrics::collector()?;
        let file = folder.join(ADDRESS_FILE);
        private_file::replace(&file, &format!("{address}\n")).map_err(TelemetryError::AddressFile)?;
        let stop = CancellationToken::new();
        let page = Page {
            vitals: vitals.clone(),
            collector,
        };
        let task = tokio::spawn(page.offer(listener, stop.clone()));
        tracing::info!(%address, "metrics and health are offered");
        Ok(Self {
            address,
            file,
            vitals: vitals.clone(),
            stop: stop.drop_guard(),
            task,
        })
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it.
    pub async fn end(self) {
        drop(self.stop);
        _ = self.task.await;
        self.vitals.ended();
        _ = fs::remove_file(self.file);
    }
}

/// What can be read.
#[derive(Clone)]
struct Page {
    vitals: Vitals,
    collector: PrometheusHandle,
}

impl Page {
    async fn offer(self, listener: TcpListener, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut upkeep = interval(metrics::UPKEEP);
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (listener.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                _ = upkeep.tick() => {
                    self.collector.run_upkeep();
                    continue;
                }
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (page, stop) = (self.clone(), stop.clone());
                    // Ends by itself within 10 s, and with the stop.
                    connections.spawn(async move {
                        let _place = place;
                        tokio::select! {
                            () = stop.cancelled() => {}
                            _ = timeout(LONGEST_CONNECTION, page.serve(stream)) => {}
                        }
                    });
                }
                Err(error) => trouble(&error).await,
            }
        }
        while connections.join_next().await.is_some() {}
    }

    async fn serve(&self, stream: TcpStream) {
        let service = service_fn(|request| ready(Ok::<_, Infallible>(self.answer(&request))));
        let served = http1::Builder::new()
            .keep_alive(false)
            .max_buf_size(LARGEST_HEAD)
            .timer(TokioTimer::new())
            .header_read_timeout(LONGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // Whoever goes away in the middle of it has no more to be told.
        _ = served.await;
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = said(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n".into());
            let allowed = HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(header::ALLOW, allowed);
            return refusal;
        }
        match request.uri().path() {
            "/metrics" => {
                gauges::read(&self.vitals);
                said(StatusCode::OK, METRICS, self.collector.render())
            }
            "/healthz" => said(StatusCode::OK, JSON, "{\"alive\":true}\n".to_owned()),
            "/readyz" => self.readiness(),
            _ => said(
                StatusCode::NOT_FOUND,
                TEXT,
                "/metrics, /healthz or /readyz\n".into(),
            ),
        }
    }

    fn readiness(&self) -> Response<Full<Bytes>> {
        let reasons = self.vitals.reasons();
        let is_ready = reasons.is_empty();
        let status = match is_ready {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = serde_json::json!({ "ready": is_ready, "reasons": reasons });
        said(status, JSON, format!("{body}\n"))
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

fn said(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn trouble(error: &io::Error) {
    tracing::warn!(%error, "a connection to the page of metrics could not be taken");
    sleep(AFTER_TROUBLE).await;
}
