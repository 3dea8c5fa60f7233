//! A wire between a client and a server that can be made to hang.

use crate::support::until;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
    task::JoinHandle,
};

/// Passes on what both sides say; what the client says can be held back, or misunderstood.
pub(crate) struct Proxy {
    pub(crate) url: String,
    hold: watch::Sender<bool>,
    held: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(url: &str) -> Self {
        Self::blind_to(url, None).await
    }

    /// Makes of a server one that does not know a header.
    pub(crate) async fn blind_to(url: &str, header: Option<&'static str>) -> Self {
        let server = url
            .rsplit_once("//")
            .map_or(url, |(_, address)| address)
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let (hold, holding) = watch::channel(false);
        let held = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&held);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let (_never, open) = watch::channel(false);
                tokio::spawn(pass(
                    from_client,
                    to_server,
                    header,
                    holding.clone(),
                    Arc::clone(&counted),
                ));
                tokio::spawn(pass(from_server, to_client, None, open, Arc::default()));
            }
        });
        Self {
            url,
            hold,
            held,
            task,
        }
    }

    /// From now on nothing that the client says arrives.
    pub(crate) fn hold(&self) {
        self.hold.send_replace(true);
    }

    /// Waits until something is held back.
    pub(crate) async fn until_held(&self) {
        until("the client says something", || {
            self.held.load(Ordering::Relaxed) > 0
        })
        .await;
    }

    /// Everything that was held back arrives.
    pub(crate) fn let_go(&self) {
        self.hold.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    blind_to: Option<&'static str>,
    mut hold: watch::Receiver<bool>,
    held: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if *hold.borrow() {
            held.fetch_add(read as u64, Ordering::Relaxed);
        }
        // The proxy is gone when there is nobody left to hold.
        let _ = hold.wait_for(|hold| !hold).await;
        if let Some(header) = blind_to {
            mask(&mut buffer[..read], header.as_bytes());
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Makes the header another one of the same length.
fn mask(said: &mut [u8], header: &[u8]) {
    let places = said.windows(header.len()).enumerate();
    let found: Vec<usize> = places
        .filter_map(|(place, window)| (window == header).then_some(place))
        .collect();
    for place in found {
        said[place] = b'X';
    }
}
