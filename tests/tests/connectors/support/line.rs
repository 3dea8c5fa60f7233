//! A line to a server that breaks after some bytes: an archive that goes away in the middle of a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Never reached.
const WHOLE: u64 = u64::MAX;

/// A line. Dropping it ends it.
pub(crate) struct Line {
    port: u16,
    task: JoinHandle<()>,
    /// Bytes of one connection, either way, after which it breaks.
    holds: Arc<AtomicU64>,
}

impl Line {
    /// A line that holds, to a server of this machine.
    pub(crate) async fn to(url: &str) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let holds = Arc::new(AtomicU64::new(WHOLE));
        let held = Arc::clone(&holds);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else {
                    continue;
                };
                tokio::spawn(carry(near, far, held.load(Ordering::SeqCst)));
            }
        });
        Self { port, task, holds }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// New connections break after so many bytes in one direction.
    pub(crate) fn breaks_after(&self, bytes: u64) {
        self.holds.store(bytes, Ordering::SeqCst);
    }

    /// New connections hold.
    pub(crate) fn mends(&self) {
        self.holds.store(WHOLE, Ordering::SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends when one side does, and takes both down.
async fn carry(near: TcpStream, far: TcpStream, most: u64) {
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(from_near, to_far, most) => {}
        () = pass(from_far, to_near, most) => {}
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, most: u64) {
    let mut passed = 0;
    let mut piece = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        passed += u64::try_from(count).unwrap();
        if passed > most || to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}
