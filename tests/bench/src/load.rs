//! Those who ask: so many at a time, or so many a second.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::time::{Duration, Instant};
use tokio::time::{self, MissedTickBehavior};

/// An HTTP client that keeps its connections.
pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn http() -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// Sends a record and waits for the whole answer.
pub(crate) async fn send(http: &Http, method: &str, url: &str, body: Bytes) -> Result<()> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json")
        .body(Full::new(body))?;
    let answer = http
        .request(request)
        .await
        .context("the service does not answer")?;
    ensure!(
        answer.status().is_success(),
        "the service answers {}",
        answer.status()
    );
    answer.into_body().collect().await?;
    Ok(())
}

/// Asks for what is there.
pub(crate) async fn get(http: &Http, url: &str) -> Result<Bytes> {
    let request = Request::builder().uri(url).body(Full::new(Bytes::new()))?;
    let answer = http
        .request(request)
        .await
        .context("the service does not answer")?;
    ensure!(
        answer.status().is_success(),
        "the service answers {}",
        answer.status()
    );
    Ok(answer.into_body().collect().await?.to_bytes())
}

/// Does everything with so many at a time. The answers come in any order.
pub(crate) async fn at_a_time<I, T, F: Future<Output = Result<T>>>(
    in_flight: usize,
    items: Vec<I>,
    ask: impl Fn(I) -> F,
) -> Result<Vec<T>> {
    futures_util::stream::iter(items)
        .map(ask)
        .buffer_unordered(in_flight)
        .try_collect()
        .await
}

/// Does everything at a steady pace, whether or not the one before has been answered.
///
/// Gives the answers with the moment at which each was asked for.
pub(crate) async fn a_second<I, T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
    rate: u32,
    items: Vec<I>,
    ask: impl Fn(I) -> F,
) -> Result<Vec<(Instant, T)>> {
    let mut ticks = time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = Vec::with_capacity(items.len());
    for item in items {
        ticks.tick().await;
        asked.push((Instant::now(), tokio::spawn(ask(item))));
    }
    let mut answers = Vec::with_capacity(asked.len());
    for (at, answer) in asked {
        answers.push((at, answer.await??));
    }
    Ok(answers)
}
