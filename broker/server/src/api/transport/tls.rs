//! The certificate that is shown to who connects now: read again when its files change. A pair that cannot be used changes nothing.

use super::files::{Loaded, Look, TlsError, load};
use crate::{api::status::with_causes, config::Tls};
use rustls::{ServerConfig, server::danger::ClientCertVerifier};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// The files of TLS and what was last read from them.
pub(in crate::api) struct Certificates {
    files: Tls,
    read: Look,
    now: watch::Sender<Arc<Loaded>>,
}

/// What is shown to who connects now, and whose certificates count.
#[derive(Clone)]
pub(in crate::api) struct TlsNow(watch::Receiver<Arc<Loaded>>);

impl TlsNow {
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.borrow().server)
    }

    pub(super) fn clients(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        self.0.borrow().clients.clone()
    }
}

impl Certificates {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(in crate::api) fn open(files: Tls) -> Result<Self, TlsError> {
        let read = Look::at(&files);
        let now = watch::Sender::new(Arc::new(load(&files)?));
        Ok(Self { files, read, now })
    }

    pub(in crate::api) fn now(&self) -> TlsNow {
        TlsNow(self.now.subscribe())
    }

    /// Looks at the files every so often until `shutdown`.
    pub(in crate::api) async fn keep(mut self, every: Duration, shutdown: CancellationToken) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => self.look().await,
            }
        }
    }

    async fn look(&mut self) {
        let (files, read) = (self.files.clone(), self.read.clone());
        let changed = spawn_blocking(move || {
            let look = Look::at(&files);
            (look != read).then(|| (look, load(&files)))
        });
        let Ok(Some((look, loaded))) = changed.await else {
            return;
        };
        self.read = look;
        match loaded {
            Ok(loaded) => {
                self.now.send_replace(Arc::new(loaded));
                tracing::info!("the API has another certificate");
            }
            Err(error) => tracing::warn!(
                code = error.code(),
                cause = with_causes(&error),
                "the API's new certificate cannot be used; the one before it stays"
            ),
        }
    }
}
