//! The server's own view of itself, over its monitoring port on loopback. One request takes at most 2 s and 1 MiB.

use super::settings::Endpoints;
use serde::Deserialize;
use std::{io, net::SocketAddr, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const LONGEST_REQUEST: Duration = Duration::from_secs(2);
const LARGEST_ANSWER: u64 = 1024 * 1024;

/// What `/healthz` says.
pub(super) enum Health {
    Ready,
    /// Not yet, or never; in the server's own words.
    NotReady(String),
}

#[derive(Deserialize)]
struct HealthAnswer {
    status: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct JetStreamAnswer {
    config: JetStreamSettings,
}

#[derive(Deserialize)]
struct JetStreamSettings {
    #[serde(default)]
    sync_always: bool,
}

#[derive(Deserialize)]
struct PortsFile {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

/// Where the server says that it listens; `None` as long as it has not said so.
pub(super) fn endpoints(ports: &Path) -> Option<Endpoints> {
    let file = std::fs::read_dir(ports).ok()?.filter_map(Result::ok).next()?;
    // A file that is still being written does not parse, and is read again later.
    let said: PortsFile = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
    let address = |urls: &[String]| urls.first()?.rsplit_once("//")?.1.parse().ok();
    Some(Endpoints {
        client: address(&said.nats)?,
        monitoring: address(&said.monitoring)?,
    })
}

/// Whether the server has recovered its store and serves it.
pub(super) async fn health(monitoring: SocketAddr) -> io::Result<Health> {
    let answer: HealthAnswer = serde_json::from_slice(&get(monitoring, "/healthz").await?)?;
    match answer.status.as_str() {
        "ok" => Ok(Health::Ready),
        status if answer.error.is_empty() => Ok(Health::NotReady(status.to_owned())),
        _ => Ok(Health::NotReady(answer.error)),
    }
}

/// Whether the server flushes every write before it acknowledges it.
pub(super) async fn flushes_every_write(monitoring: SocketAddr) -> io::Result<bool> {
    let answer: JetStreamAnswer = serde_json::from_slice(&get(monitoring, "/jsz").await?)?;
    Ok(answer.config.sync_always)
}

/// The body of an HTTP answer. HTTP/1.0 without keep-alive: the body ends where the connection does.
async fn get(address: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let request = async {
        let mut connection = TcpStream::connect(address).await?;
        connection
            .write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())
            .await?;
        let mut answer = Vec::new();
        connection.take(LARGEST_ANSWER).read_to_end(&mut answer).await?;
        let body = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .map(|end| end + 4);
        body.and_then(|body| answer.get(body..))
            .map(<[u8]>::to_vec)
            .ok_or(io::ErrorKind::InvalidData.into())
    };
    tokio::time::timeout(LONGEST_REQUEST, request).await?
}
