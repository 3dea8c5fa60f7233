//! A web service that keeps images, and the connector of tests for it.

use super::{config, delivery, grant, load, tell};
use archwire_core::Digest;
use archwire_host::{CallError, Connector, Limits, MemoryImages, MemoryStateStore, SystemConfig};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A web service that keeps images. Stops when dropped.
pub(crate) struct Gallery {
    pub(crate) url: String,
    kept: Kept,
    task: JoinHandle<()>,
}

type Kept = Arc<Mutex<HashMap<String, (HeaderMap, Bytes)>>>;

impl Gallery {
    pub(crate) async fn open() -> Self {
        let kept = Kept::default();
        let router = Router::new()
            .route("/images/{*id}", get(show).put(keep))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&kept));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, kept, task }
    }

    /// What came, with its headers.
    pub(crate) fn kept(&self, id: &str) -> Option<(HeaderMap, Bytes)> {
        self.kept.lock().unwrap().get(id).cloned()
    }

    pub(crate) fn keep(&self, id: &str, content_type: &str, bytes: impl Into<Bytes>) {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        self.kept
            .lock()
            .unwrap()
            .insert(id.to_owned(), (headers, bytes.into()));
    }

    /// The connector for it.
    pub(crate) async fn connector(&self, images: &MemoryImages) -> Connector {
        self.connector_with(images, |_| ()).await
    }

    pub(crate) async fn connector_with(
        &self,
        images: &MemoryImages,
        change: impl FnOnce(&mut SystemConfig),
    ) -> Connector {
        let mut grant = grant(&self.url);
        grant.methods = vec!["GET".parse().unwrap(), "PUT".parse().unwrap()];
        let mut config = SystemConfig {
            settings: BTreeMap::from([("url".to_owned(), self.url.clone())]),
            grants: vec![grant],
            images: Some(Arc::new(images.clone())),
            images_folder: None::<PathBuf>,
            limits: Limits {
                image_deadline: Duration::from_secs(30),
                image_idle: Duration::from_secs(20),
                ..config().limits
            },
            ..config()
        };
        change(&mut config);
        Connector::new(
            load("gallery").await,
            config,
            Arc::new(MemoryStateStore::default()),
        )
        .unwrap()
    }
}

impl Drop for Gallery {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(
    State(kept): State<Kept>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    kept.lock().unwrap().insert(id, (headers, body));
    StatusCode::CREATED
}

/// `short` announces more than it gives. `echo` and `echo-in-words` say the credential back.
async fn show(State(kept): State<Kept>, Path(id): Path<String>, asked: HeaderMap) -> Response {
    match id.as_str() {
        "echo" => return echo("image/jpeg", &asked),
        "echo-in-words" => return echo("text/plain", &asked),
        _ => {}
    }
    if id == "short" {
        let begun = futures_util::stream::iter([
            Ok(Bytes::from_static(b"begun")),
            Err(std::io::Error::other("broken")),
        ]);
        return ([(header::CONTENT_LENGTH, "9")], Body::from_stream(begun)).into_response();
    }
    let Some((headers, bytes)) = kept.lock().unwrap().get(&id).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let content_type = headers.get(header::CONTENT_TYPE).cloned();
    let content_type = content_type
        .into_iter()
        .map(|value| (header::CONTENT_TYPE, value));
    (HeaderMap::from_iter(content_type), bytes).into_response()
}

/// The credential among other bytes, cut in pieces of which none holds all of it.
fn echo(content_type: &'static str, asked: &HeaderMap) -> Response {
    let credential = asked[header::AUTHORIZATION].as_bytes();
    let body = [b"image ", credential, b" image"].concat();
    let pieces: Vec<_> = body
        .chunks(5)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let pieces = Body::from_stream(futures_util::stream::iter(pieces));
    ([(header::CONTENT_TYPE, content_type)], pieces).into_response()
}

/// The code with which a delivery was refused that was told to do this.
pub(crate) async fn refusal(connector: &Connector, digest: Digest, command: &str) -> String {
    let mut delivery = delivery(digest, 1);
    delivery.local_id = Some(command.parse().unwrap());
    match connector.deliver_image(&delivery).await.unwrap_err() {
        CallError::Disposition(disposition) => disposition.reason().code.as_str().to_owned(),
        error => panic!("{error}"),
    }
}

pub(crate) async fn poll(connector: &Connector, command: &str) -> String {
    tell(connector, command).await.unwrap()
}
