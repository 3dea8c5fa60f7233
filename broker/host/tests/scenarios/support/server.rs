//! A server on this machine that remembers what it was asked.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{AppendHeaders, IntoResponse, Response},
    routing::any,
};
use futures_util::{StreamExt, stream};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

/// A server on this machine. Stops when dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    pub(crate) port: u16,
    memory: Arc<Memory>,
    task: JoinHandle<()>,
}

/// One request, as the server saw it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: SocketAddr,
    pub(crate) at: Instant,
}

struct Memory {
    seen: Mutex<Vec<Seen>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
    gate: Semaphore,
    was_busy: AtomicBool,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Memory {
            seen: Mutex::default(),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            was_busy: AtomicBool::new(false),
        });
        let router = Router::new()
            .route("/echo", any(echo))
            .route("/redirect", any(redirect))
            .route("/bytes", any(bytes))
            .route("/sized", any(sized))
            .route("/headers", any(many_headers))
            .route("/drip", any(drip))
            .route("/silent", any(std::future::pending::<Response>))
            .route("/held", any(held))
            .route("/busy", any(busy))
            .fallback(|| async { "ok" })
            .layer(middleware::from_fn_with_state(Arc::clone(&memory), remember))
            .with_state(Arc::clone(&memory))
            .into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            memory,
            task,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.memory.seen.lock().unwrap().clone()
    }

    /// Waits until the server has seen that many requests.
    pub(crate) async fn seen_at_least(&self, count: usize) -> Vec<Seen> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.seen().len() < count {
            assert!(
                Instant::now() < deadline,
                "the server saw {} requests, not {count}",
                self.seen().len()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.seen()
    }

    /// Most requests to `/held` that were open at the same time.
    pub(crate) fn most_open(&self) -> usize {
        self.memory.most_open.load(Ordering::SeqCst)
    }

    /// Lets that many requests to `/held` end.
    pub(crate) fn release(&self, count: usize) {
        self.memory.gate.add_permits(count);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn remember(
    State(memory): State<Arc<Memory>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    memory.seen.lock().unwrap().push(Seen {
        path,
        headers,
        peer,
        at: Instant::now(),
    });
    next.run(request).await
}

/// Says every header back, in a header and in the body.
async fn echo(headers: HeaderMap) -> impl IntoResponse {
    let mut back = HeaderMap::new();
    let mut text = String::new();
    for (name, value) in &headers {
        back.insert(
            header::HeaderName::try_from(format!("x-echo-{name}")).unwrap(),
            value.clone(),
        );
        text += &format!("you sent {name}: {}\n", value.to_str().unwrap());
    }
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        back.insert(header::AUTHORIZATION, authorization.clone());
    }
    (back, text)
}

async fn redirect(Query(query): Query<HashMap<String, String>>) -> impl IntoResponse {
    (StatusCode::FOUND, [(header::LOCATION, query["to"].clone())])
}

/// As many bytes as asked for, without saying beforehand.
async fn bytes(Query(query): Query<HashMap<String, usize>>) -> Body {
    const PIECE: usize = 16 * 1024;
    let pieces = query["count"].div_ceil(PIECE);
    Body::from_stream(
        stream::iter(0..pieces).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; PIECE]))),
    )
}

async fn sized(Query(query): Query<HashMap<String, usize>>) -> Vec<u8> {
    vec![b'x'; query["count"]]
}

async fn many_headers(Query(query): Query<HashMap<String, usize>>) -> impl IntoResponse {
    HeaderMap::from_iter([(
        "x-long".parse().unwrap(),
        HeaderValue::from_str(&"x".repeat(query["count"])).unwrap(),
    )])
}

/// A byte now and then, for ever.
async fn drip() -> Body {
    let pace = tokio::time::interval(Duration::from_millis(20));
    Body::from_stream(stream::unfold(pace, |mut pace| async {
        pace.tick().await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b".")), pace))
    }))
}

/// Answers when it is let to.
async fn held(State(memory): State<Arc<Memory>>) -> &'static str {
    let open = memory.open.fetch_add(1, Ordering::SeqCst) + 1;
    memory.most_open.fetch_max(open, Ordering::SeqCst);
    memory.gate.acquire().await.unwrap().forget();
    memory.open.fetch_sub(1, Ordering::SeqCst);
    "held"
}

/// The first time it wants to be left alone for so many seconds.
async fn busy(
    State(memory): State<Arc<Memory>>,
    Query(query): Query<HashMap<String, u64>>,
) -> impl IntoResponse {
    if memory.was_busy.swap(true, Ordering::SeqCst) {
        StatusCode::OK.into_response()
    } else {
        let retry_after = [(header::RETRY_AFTER, query["seconds"])];
        (StatusCode::TOO_MANY_REQUESTS, AppendHeaders(retry_after)).into_response()
    }
}
